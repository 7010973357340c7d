//! One row of words through the stream, unit by unit, and the memories it meets on the way.

use super::arithmetic::{Cut, element, function, normaliser, residual};
use super::config::EngineConfig;
use super::load::Loaded;
use super::machine::Look;
use super::normed;
use super::place::Place;
use super::program::*;
use crate::format::split;
use crate::twin::Rounder;
use crate::{Error, Result};

/// Shows words to who looks on.
#[inline(always)]
fn show<T: Copy + Into<i64>>(look: &mut Option<&mut Look<'_>>, place: &Place<'_>, tap: Tap, words: &[T]) {
    if let Some(look) = look {
        words.iter().for_each(|&word| look(place.number, tap, word.into()));
    }
}

/// The memories of a core.
pub(super) struct Memories {
    core: EngineConfig,
    pub(super) x: Vec<i32>,
    /// Word a of lane l at a · P + l: the lanes of one word side by side, as the inner product reads them.
    pub(super) banks: Vec<i32>,
    m: Vec<u32>,
    /// First word of M behind the program.
    data: usize,
    function: Vec<i32>,
    mantissa: Vec<i32>,
    norm: Vec<(i32, i32)>,
    pub(super) sums: Vec<i64>,
    g: Vec<i32>,
    /// E and R.
    reads: Vec<(u32, i32)>,
    /// Room for the array's sums.
    pub(super) array_sums: Vec<i64>,
    /// Room for the layer norm's results.
    normed: Vec<i32>,
}

fn padded<T: Clone + Default>(words: &[T], room: usize) -> Vec<T> {
    let mut words = words.to_vec();
    words.resize(room, T::default());
    words
}

impl Memories {
    /// `loaded` has been checked against `core`; the program ends in M before `data`.
    pub(super) fn new(core: &EngineConfig, loaded: &Loaded, data: usize) -> Self {
        let mut banks = vec![0; core.bank_words * core.lanes];
        for (lane, bank) in loaded.banks.iter().enumerate() {
            for (a, &word) in bank.iter().enumerate() {
                banks[a * core.lanes + lane] = word;
            }
        }
        Memories {
            x: vec![0; core.x_words],
            banks,
            m: padded(&loaded.m, core.m_words),
            data,
            function: padded(&loaded.function, core.function_words),
            mantissa: padded(&loaded.mantissa, core.mantissa_words),
            norm: padded(&loaded.norm, core.norm_words),
            sums: vec![0; core.sums],
            g: vec![0; core.sums],
            reads: vec![(0, 0); core.reads],
            array_sums: Vec::new(),
            normed: Vec::new(),
            core: core.clone(),
        }
    }

    /// Weights of a tile.
    pub(super) fn fill(&mut self, place: &Place<'_>, fill: &Fill) -> Result<()> {
        let (lanes, per_word, w) = (self.core.lanes, self.core.weights_per_word(), self.core.width);
        let (from, bank, words) = (fill.from as usize, fill.bank as usize, fill.words as usize);
        let stride = lanes.div_ceil(per_word);
        place.within("from", from, words * stride, self.m.len())?;
        place.within("bank", bank, words, self.core.bank_words)?;
        for (a, lanes) in self.banks[bank * lanes..(bank + words) * lanes]
            .chunks_exact_mut(lanes)
            .enumerate()
        {
            let first = (from + a * stride) * per_word;
            for (l, word) in lanes.iter_mut().enumerate() {
                *word = element(&self.m, first + l, per_word, w);
            }
        }
        Ok(())
    }

    /// Row `r` of a step: `word(j)` is what the source gives for column j.
    #[allow(clippy::too_many_arguments)] // what a row meets on its way
    pub(super) fn row(
        &mut self,
        cut: &mut Cut,
        run: &Run,
        place: &Place<'_>,
        r: usize,
        word: impl Fn(usize) -> i64,
        look: &mut Option<&mut Look<'_>>,
        output: &mut Vec<i32>,
    ) -> Result<()> {
        let (s, w, sw) = (&run.stream, self.core.width, self.core.serial_bits());
        let cols = s.cols as usize;
        match s.serial {
            Serial::Power {
                g,
                table,
                bits,
                running: false,
            } => {
                let sums: Vec<i64> = (0..cols).map(word).collect();
                return self.power(place, (g as usize, table as usize, bits), &sums, look);
            }
            Serial::Count { read, table, bits } => {
                return self.reciprocal(place, read as usize, (table as usize, bits), word(0));
            }
            _ => {}
        }
        let mut exact = std::mem::take(&mut cut.exact);
        let mut x = std::mem::take(&mut cut.words);
        exact.clear();
        exact.extend((0..cols).map(word));
        place.held("exact sum", &exact, self.core.acc_bits)?;
        self.addend(s.addend, place, r, &mut exact)?;
        if matches!(run.source, Source::Array(_)) {
            show(look, place, Tap::Sum, &exact);
        }
        x.resize(cols, 0);
        let mut read = (0, 0);
        match s.serial {
            Serial::Normalise { read: base, offset } => {
                place.within("serial.read", base as usize + r, 1, self.reads.len())?;
                read = self.reads[base as usize + r];
                Rounder::into(&normaliser(read.0, offset, sw), &exact, &mut x);
            }
            _ => Rounder::into(&cut.linear, &exact, &mut x),
        }
        show(look, place, Tap::Linear, &x);

        let inside = function(s.function, cut.function, w, &self.function, &mut x);
        inside.ok_or_else(|| {
            let room = self.function.len();
            Error::field(
                format!("{}.function.table", place.name()),
                format!("a table below {room}"),
                format!("{:?}", s.function),
            )
        })?;
        if s.function != Function::None {
            show(look, place, Tap::Function, &x);
        }
        if let Some(Sums {
            base,
            of: Summed::Function,
        }) = s.sums
        {
            let base = base as usize;
            self.sum(place, base, r, &x, look)?;
            if let Serial::Power { g, table, bits, .. } = s.serial {
                let sums = self.sums[base..base + cols].to_vec();
                self.power(place, (g as usize + r * cols, table as usize, bits), &sums, look)?;
            }
        }

        match s.other {
            Other::None => {}
            Other::Key { at, stride } => {
                let first = place.registers.at(at) + r * stride as usize;
                let per_word = self.core.weights_per_word();
                place.within("other.at", first, cols, self.m.len() * per_word)?;
                let top = (1 << (w - 1)) - 1;
                for (j, x) in x.iter_mut().enumerate() {
                    *x = (*x + element(&self.m, first + j, per_word, w)).min(top);
                }
                show(look, place, Tap::Other, &x);
            }
            Other::Residual { at, stride, left, .. } => {
                let first = place.registers.at(at) + r * stride as usize;
                place.within("other.at", first, cols, self.x.len())?;
                for (x, &u) in x.iter_mut().zip(&self.x[first..first + cols]) {
                    *x = residual(*x, u, left, cut.other);
                }
                show(look, place, Tap::Other, &x);
            }
        }

        match s.serial {
            Serial::Calcium {
                g,
                read,
                minimum,
                table,
                bits,
                running,
            } => {
                let g = g as usize + if running { r * cols } else { 0 };
                place.within("serial.g", g, cols, self.g.len())?;
                let c = x.iter().zip(&self.g[g..g + cols]).map(|(&x, &g)| x as i64 * g as i64);
                let c = c.sum::<i64>().max(1 << minimum);
                show(look, place, Tap::Calcium, &[c]);
                self.reciprocal(place, read as usize + r, (table as usize, bits), c)?;
            }
            Serial::Normalise { .. } => {
                x.iter_mut()
                    .for_each(|x| *x = cut.normalise.apply(*x as i64 * read.1 as i64));
                show(look, place, Tap::Normalise, &x);
            }
            _ => {}
        }

        self.store(s.to, place, r, &x, output)?;
        let of_result = s.sums.filter(|sums| sums.of == Summed::Result).map(|s| s.base as usize);
        if let Some(norm) = &s.norm {
            self.norm(norm, place, r, &x, of_result, look)?;
        } else if let Some(base) = of_result {
            self.sum(place, base, r, &x, look)?;
        }
        (cut.exact, cut.words) = (exact, x);
        Ok(())
    }

    /// The exact words with their addends; a state is stored back.
    fn addend(&mut self, addend: Addend, place: &Place<'_>, r: usize, exact: &mut [i64]) -> Result<()> {
        let cols = exact.len();
        match addend {
            Addend::None => return Ok(()),
            Addend::Word { at, stride } => {
                let first = place.registers.at(at) + r * stride as usize;
                place.within("addend.at", first, cols, self.m.len())?;
                for (t, &word) in exact.iter_mut().zip(&self.m[first..first + cols]) {
                    *t += word as i32 as i64;
                }
            }
            Addend::State { at, wide } => {
                let size = 1 + usize::from(wide);
                let first = at as usize + r * cols * size;
                place.within("addend.at", first, cols * size, self.m.len())?;
                if first < self.data {
                    return Err(Error::field(
                        format!("{}.addend.at", place.name()),
                        format!("a state behind the program's {} words", self.data),
                        first,
                    ));
                }
                let started = place.registers.t0 > 0;
                let state = self.m[first..first + cols * size].chunks_exact_mut(size);
                for (t, state) in exact.iter_mut().zip(state) {
                    if started {
                        *t += match *state {
                            [low, high] => (((high as u64) << 32) | low as u64) as i64,
                            _ => state[0] as i32 as i64,
                        };
                    }
                    state[0] = *t as u32;
                    if wide {
                        state[1] = (*t >> 32) as u32;
                    }
                }
                if !wide {
                    place.held("state", exact, 32)?;
                }
            }
        }
        place.held("exact sum with addend", exact, self.core.acc_bits)
    }

    fn sum(
        &mut self,
        place: &Place<'_>,
        base: usize,
        r: usize,
        x: &[i32],
        look: &mut Option<&mut Look<'_>>,
    ) -> Result<()> {
        place.within("sums.base", base, x.len(), self.sums.len())?;
        let sums = &mut self.sums[base..base + x.len()];
        if place.registers.t0 == 0 && r == 0 {
            sums.fill(0);
        }
        sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x as i64);
        place.held("column sum", sums, 32)?;
        show(look, place, Tap::Sums, sums);
        Ok(())
    }

    /// g of every sum.
    fn power(
        &mut self,
        place: &Place<'_>,
        (g, table, bits): (usize, usize, u32),
        exact: &[i64],
        look: &mut Option<&mut Look<'_>>,
    ) -> Result<()> {
        place.within("serial.g", g, exact.len(), self.g.len())?;
        for (g, &s) in self.g[g..].iter_mut().zip(exact) {
            let (e, mant) = split(s.max(1), bits);
            let at = table + ((e as usize) << bits) + mant;
            place.within("serial.table", at, 1, self.mantissa.len())?;
            *g = self.mantissa[at];
        }
        show(look, place, Tap::Power, &self.g[g..g + exact.len()]);
        Ok(())
    }

    /// Exponent and reciprocal of C, or of N.
    fn reciprocal(&mut self, place: &Place<'_>, read: usize, (table, bits): (usize, u32), c: i64) -> Result<()> {
        let (e, mant) = split(c, bits);
        place.within("serial.read", read, 1, self.reads.len())?;
        place.within("serial.table", table + mant, 1, self.mantissa.len())?;
        let r = self.mantissa[table + mant];
        if !(0..1 << 16).contains(&r) {
            let name = format!("{}: mantissa table[{}]", place.name(), table + mant);
            return Err(Error::field(name, "a reciprocal of 16 bits, not negative", r));
        }
        self.reads[read] = (e, r);
        Ok(())
    }

    fn store(&mut self, to: To, place: &Place<'_>, r: usize, x: &[i32], output: &mut Vec<i32>) -> Result<()> {
        match to {
            To::Nowhere => {}
            To::Output => output.extend(x),
            To::X { at, row, column } => {
                let (first, column) = (place.registers.at(at) + r * row as usize, column as usize);
                place.within("to.at", first, (x.len() - 1) * column + 1, self.x.len())?;
                for (j, &x) in x.iter().enumerate() {
                    self.x[first + j * column] = x;
                }
            }
            To::Bank { bank, row, pass } => {
                let lanes = self.core.lanes;
                let (first, pass) = (bank as usize + r * row as usize, pass as usize);
                let passes = x.len().div_ceil(lanes);
                place.within("to.bank", first, (passes - 1) * pass + 1, self.core.bank_words)?;
                for (p, x) in x.chunks(lanes).enumerate() {
                    let word = (first + p * pass) * lanes;
                    self.banks[word..word + x.len()].copy_from_slice(x);
                }
            }
        }
        Ok(())
    }

    /// Layer norm of a row, stored and summed.
    fn norm(
        &mut self,
        norm: &Norm,
        place: &Place<'_>,
        r: usize,
        x: &[i32],
        sums: Option<usize>,
        look: &mut Option<&mut Look<'_>>,
    ) -> Result<()> {
        let (d, parameters) = (x.len(), norm.parameters as usize);
        place.within("norm.parameters", parameters, d + 1, self.norm.len())?;
        place.within("norm.table", norm.table as usize, 2 << norm.bits, self.mantissa.len())?;
        let mut y = std::mem::take(&mut self.normed);
        y.resize(d, 0);
        let unit = normed::Unit {
            norm,
            width: self.core.width,
            serial_bits: self.core.serial_bits(),
            table: &self.mantissa[norm.table as usize..],
            parameters: &self.norm[parameters..parameters + d + 1],
        };
        unit.row(x, &mut y)
            .map_err(|(expected, found)| Error::field(format!("{}.norm", place.name()), expected, found))?;
        show(look, place, Tap::Norm, &y);
        if let Some((at, row)) = norm.to {
            let first = place.registers.at(at) + r * row as usize;
            place.within("norm.to", first, d, self.x.len())?;
            self.x[first..first + d].copy_from_slice(&y);
        }
        if let Some(base) = sums {
            self.sum(place, base, r, &y, look)?;
        }
        self.normed = y;
        Ok(())
    }
}
