//! A program under construction: tables, addends and norm parameters as they are asked for, every number held against its field.
//!
//! The proof of the accumulator: with x between −2^(W−1) and 2^(W−1) − 1, a column's exact sum lies between the sums of the smaller and of
//! the larger ends of x·w, for the weights that are stored; every partial sum of products lies there too, because both ends have the
//! signs of 0's two sides. Activations times activations are held by their widths.

use super::layout::{Layout, Sizes};
use super::memory::{Main, Pool, Region};
use super::part::word;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{At, Index, Norm, Other, Sums};
use astromorph::format::Format;
use astromorph::image::Image;
use astromorph::spec::NormOrder;
use astromorph::twin::norm::{centre_shift, epsilon};
use astromorph::twin::signed_bits;
use astromorph::{Error, Result};
use std::ops::{Deref, DerefMut};

/// A whole model's program under construction.
pub(super) struct Draft<'a> {
    pub image: &'a Image,
    pub ground: Ground<'a>,
}

/// Everything a program puts into a core's memories but its weights and itself.
pub(super) struct Ground<'a> {
    pub core: &'a EngineConfig,
    pub sizes: Sizes,
    pub layout: Layout,
    pub main: Main,
    pub function: Pool,
    pub mantissa: Pool,
    pub norm: Vec<(i32, i32)>,
    pub norms: Vec<Region>,
    /// In chunks: first words of the mask and of zeros.
    pub chunks: Option<(u32, u32)>,
    /// First word of Z, and whether a state has two words.
    pub state: (u32, bool),
}

impl<'a> Deref for Draft<'a> {
    type Target = Ground<'a>;

    fn deref(&self) -> &Ground<'a> {
        &self.ground
    }
}

impl<'a> DerefMut for Draft<'a> {
    fn deref_mut(&mut self) -> &mut Ground<'a> {
        &mut self.ground
    }
}

impl<'a> Ground<'a> {
    /// Nothing but room: data of M begin at word `first`; a state of Z takes two words when `wide`.
    pub fn new(core: &'a EngineConfig, sizes: Sizes, layout: Layout, first: u32, wide: bool) -> Ground<'a> {
        let mut ground = Ground {
            core,
            main: Main::new(first, core.weights_per_word()),
            function: Pool::new("core.function_words", core.function_words),
            mantissa: Pool::new("core.mantissa_words", core.mantissa_words),
            norm: Vec::new(),
            norms: Vec::new(),
            chunks: None,
            state: (0, wide),
            sizes,
            layout,
        };
        // Z stands at the end of M: nothing is loaded there.
        ground.state.0 = word(core.m_words.saturating_sub(ground.states()));
        ground
    }

    /// Words of Z.
    pub fn states(&self) -> usize {
        let s = &self.sizes;
        (s.heads * s.m * s.e * if self.state.1 { 2 } else { 1 }).next_multiple_of(2)
    }

    /// Refuses exact sums that need more than A bits.
    pub fn accumulator(&self, what: &str, bits: u32) -> Result<()> {
        if bits > self.core.acc_bits {
            return Err(Error::field(
                "core.acc_bits",
                format!("{bits} or more for {what}"),
                self.core.acc_bits,
            ));
        }
        Ok(())
    }
}

/// One dense step's arithmetic.
pub(super) struct Dense {
    pub weight: String,
    pub k: usize,
    pub cols: usize,
    /// Of the first rounding.
    pub shift: i32,
    /// First word of the addends.
    pub addend: u32,
}

/// An address in the stream of all tokens, moving with R1.
pub(super) fn moving(base: usize) -> At {
    At {
        base: word(base),
        index: Index::R1,
    }
}

/// Refuses a number that its field cannot hold.
pub(super) fn within(field: impl Into<String>, value: i32, lo: i32, hi: i32) -> Result<i32> {
    if value < lo || value > hi {
        return Err(Error::field(field, format!("{lo} to {hi}"), value));
    }
    Ok(value)
}

/// Refuses a first rounding's shift that its field cannot hold.
pub(super) fn linear_shift(tensor: &str, shift: i32) -> Result<i32> {
    within(format!("{tensor}: shift of the rounding"), shift, -16, 47)
}

/// Refuses a shift of a function's rounding.
pub(super) fn function_shift(tensor: &str, shift: i32) -> Result<i32> {
    within(format!("{tensor}: shift of the function's rounding"), shift, -16, 15)
}

impl Draft<'_> {
    /// A tensor's format.
    pub fn format(&self, name: &str) -> Result<Format> {
        self.image.plan().format(name)
    }

    /// A dense layer's arithmetic. `position`: rows of addends on top of the bias, each stored `row` words after the one before.
    pub fn dense(
        &mut self,
        weight: &str,
        bias: &str,
        x: &str,
        out: &str,
        position: Option<(&[i64], usize)>,
    ) -> Result<Dense> {
        let (fx, fw, fo) = (self.format(x)?, self.format(weight)?, self.format(out)?);
        if fw.bits > self.core.width {
            let expected = format!("{} or fewer on core {}", self.core.width, self.core.name);
            return Err(Error::field("quantize.weight_bits", expected, fw.bits));
        }
        let tensor = self.image.tensor(weight)?;
        let (k, cols) = (tensor.shape[0], tensor.shape[1]);
        let bias_words = self.image.wide(bias)?;
        let (mut low, mut high) = (vec![0i64; cols], vec![0i64; cols]);
        for (at, w) in tensor.words.iter().enumerate() {
            let ends = [w * fx.min(), w * fx.max()];
            low[at % cols] += ends[0].min(ends[1]);
            high[at % cols] += ends[0].max(ends[1]);
        }
        let rows: Vec<i64> = match position {
            None => bias_words,
            Some((position, row)) => {
                let sum = |(at, p): (usize, &i64)| p + bias_words[at % cols];
                let sums: Vec<i64> = position.iter().enumerate().map(sum).collect();
                let padded = |sums: &[i64]| {
                    let mut line = sums.to_vec();
                    line.resize(row, 0);
                    line
                };
                sums.chunks(cols).flat_map(padded).collect()
            }
        };
        let stride = position.map_or(cols, |(_, row)| row);
        let mut bits = 0;
        for (at, &b) in rows.iter().enumerate() {
            if i32::try_from(b).is_err() {
                return Err(Error::field(format!("{bias}[{at}]"), "an addend of 32 bits", b));
            }
            if let (Some(&low), Some(&high)) = (low.get(at % stride), high.get(at % stride)) {
                bits = bits.max(signed_bits(low.min(low + b) as i128, high.max(high + b) as i128));
            }
        }
        self.accumulator(&format!("{out} (the weights of {weight})"), bits)?;
        let addend = self.main.add(bias, rows.iter().map(|&b| b as i32 as u32));
        Ok(Dense {
            weight: weight.to_string(),
            k,
            cols,
            shift: linear_shift(out, fx.frac + fw.frac - fo.frac)?,
            addend,
        })
    }

    /// A layer norm's parameters and arithmetic; `to` is where its rows go.
    pub fn norm(&mut self, prefix: &str, input: &str, out: &str, to: Option<usize>) -> Result<Norm> {
        let (fx, fo) = (self.format(input)?, self.format(out)?);
        let n = self.format(&format!("{prefix}.n"))?;
        let (gamma, beta) = (format!("{prefix}.gamma"), format!("{prefix}.beta"));
        let fg = self.format(&gamma)?;
        let parameters = self.norm.len();
        for (at, (gamma, b)) in self
            .image
            .narrow(&gamma)?
            .into_iter()
            .zip(self.image.wide(&beta)?)
            .enumerate()
        {
            let b = i32::try_from(b).map_err(|_| Error::field(format!("{beta}[{at}]"), "an addend of 32 bits", b))?;
            self.norm.push((gamma, b));
        }
        let d = self.sizes.d;
        let epsilon = epsilon(fx, d).filter(|&e| e < 1 << 48);
        let epsilon = epsilon.ok_or_else(|| {
            let found = format!("{} fraction bits in {input}", fx.frac);
            Error::field(format!("{prefix}: ε of the layer norm"), "at most 48 bits", found)
        })?;
        // The upper 16 bits are stored as a word of SW bits: signed.
        let upper = (epsilon >> 32) as i32;
        let upper = if self.core.serial_bits() == 16 {
            upper as u16 as i16 as i32
        } else {
            upper
        };
        self.norm.push((upper, epsilon as u32 as i32));
        self.norms.push(Region {
            memory: "norm",
            first: word(parameters),
            words: word(d + 1),
            holds: prefix.to_string(),
        });
        let table = self.image.narrow("tables.rsqrt")?;
        Ok(Norm {
            parameters: word(parameters),
            drop: centre_shift(fx.bits, d),
            offset: within(format!("{prefix}.n: 15 - its fraction"), 15 - n.frac, -32, 31)?,
            shift: within(
                format!("{out}: shift of the layer norm's rounding"),
                n.frac + fg.frac - fo.frac,
                -8,
                47,
            )?,
            table: self.mantissa.add("rsqrt", &table),
            bits: self.image.quantize().rsqrt_mantissa_bits,
            to: to.map(|base| (moving(base), word(self.layout.row))),
        })
    }

    /// The residual sum of the function's word (format of `y`) and the stream's (format of `x`).
    pub fn residual(&self, x: &str, y: &str, out: &str) -> Result<Other> {
        let (fx, fy, fo) = (self.format(x)?, self.format(y)?, self.format(out)?);
        Ok(Other::Residual {
            at: moving(0),
            stride: word(self.layout.row),
            left: within(format!("{out}: alignment of {x} and {y}"), fx.frac - fy.frac, -15, 15)?,
            shift: within(
                format!("{out}: shift of the rounding"),
                fx.frac.max(fy.frac) - fo.frac,
                -8,
                31,
            )?,
        })
    }

    /// The norm that follows layer l's feed-forward network: prefix, input and output.
    pub fn norm_after(&self, l: usize) -> (String, String, String) {
        let at = |l: usize, x: &str| format!("layers.{l}.{x}");
        match self.image.spec().norm {
            NormOrder::Post => (at(l, "norm2"), at(l, "r2"), at(l, "x")),
            NormOrder::Pre if l + 1 == self.sizes.layers => ("norm".into(), at(l, "r2"), "xf".into()),
            NormOrder::Pre => (at(l + 1, "norm1"), at(l, "r2"), at(l + 1, "n1")),
        }
    }

    /// What enters layer l's residual sums; for l = layers what leaves the last layer.
    pub fn stream(&self, l: usize) -> String {
        match (l, self.image.spec().norm) {
            (0, _) => "x0".into(),
            (l, NormOrder::Post) => format!("layers.{}.x", l - 1),
            (l, NormOrder::Pre) => format!("layers.{}.r2", l - 1),
        }
    }

    /// What the head (or the pooling before it) reads.
    pub fn last(&self) -> String {
        if self.sizes.pre {
            "xf".into()
        } else {
            self.stream(self.sizes.layers)
        }
    }

    /// Where a source of sums begins.
    pub fn from_sums() -> Option<Sums> {
        Some(Sums {
            base: 0,
            of: astromorph::engine::program::Summed::Nothing,
        })
    }
}
