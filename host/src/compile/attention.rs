//! The steps of one layer's attention (`docs/arithmetic.md` sections 2 to 6).
//!
//! | step | array | stream | to |
//! |---|---|---|---|
//! | k | T × D · W_K | φ, Σa, + w | aw in X, transposed |
//! | v | T × D · W_V | | V in the banks |
//! | write | m × T: awᵀ · V | + Z, stored back; f | H in the banks |
//! | power | | s^α | g |
//! | q | T × D · W_Q | φ, C = b·g, 1/C | b in X |
//! | read | T × m: b · H | num/C | y in X |
//!
//! Two-pass: a loop of k, v, write over all heads, power, a loop of q, read. Causal: one loop over single tokens; k, power, v, q, write, read:
//! in this order no step needs the words of the one just before it where there are two heads. In chunks: `chunk`.

use super::chunk::Chunk;
use super::draft::{Draft, Ground, function_shift, linear_shift, moving, within};
use super::part::{Part, Tile, even, word};
use super::tensors::Place;
use astromorph::Result;
use astromorph::engine::program::*;
use astromorph::format::Format;
use astromorph::spec::Nonlinearity;
use astromorph::twin::Attention;

/// The matrix that passes words through the array as they are.
pub(super) const IDENTITY: &str = "identity";

/// A place of token rows.
pub(super) fn rows(tensor: String, row: usize, first: usize, cols: usize) -> Place {
    Place {
        tensor,
        first,
        row,
        cols,
        rows: None,
    }
}

/// A step's [`Run`].
pub(super) fn run(label: String, source: Source, stream: Stream, show: &[(Tap, Place)]) -> Run {
    Run {
        label,
        names: show.iter().map(|(tap, place)| (*tap, place.tensor.clone())).collect(),
        source,
        wait: false,
        wait_fill: false,
        stream,
    }
}

/// The parts of one layer's attention, up to y.
pub(super) struct Attend {
    pub keys: Vec<Part>,
    pub values: Vec<Part>,
    pub writes: Vec<Part>,
    /// None in chunks, where the keys' steps do it.
    pub power: Vec<Part>,
    pub queries: Vec<Part>,
    pub reads: Vec<Part>,
    /// What only attention in chunks has.
    pub chunk: Option<Chunk>,
}

/// Where q, k or v of all heads come from.
pub(super) enum Projection {
    /// A token's D words through a matrix.
    Dense(super::draft::Dense),
    /// The host's words: head 0's begin at this element of a token's row, each head's at the next even one. An identity matrix passes them.
    Given(usize),
}

impl Draft<'_> {
    /// All of one layer's attention before W_O.
    pub fn attend(&mut self, l: usize) -> Result<Attend> {
        let att = self.image.attention(l)?;
        // What q, k and v are computed from.
        let from = if self.sizes.pre {
            format!("layers.{l}.n1")
        } else {
            self.stream(l)
        };
        let at = |kind: &str, x: &str| format!("layers.{l}.attention.{kind}_{x}");
        let mut project = |x: &str| {
            let dense = self.dense(&at("w", x), &at("b", x), &from, &format!("layers.{l}.{x}"), None)?;
            Ok(Projection::Dense(dense))
        };
        let sources = [project("k")?, project("v")?, project("q")?];
        self.ground.attend(l, &att, sources)
    }
}

impl Ground<'_> {
    /// Array step over the tokens of a block: rows of `k` elements from `x`, `row` elements apart.
    pub fn tokens(&self, x: At, row: usize, k: usize, cols: usize) -> Mac {
        Mac {
            rows: Extent::Block,
            passes: word(cols.div_ceil(self.core.lanes)),
            k: Extent::Fixed(word(k)),
            x,
            x_stride: word(row),
            bank: 0,
            bank_stride: word(even(k)),
        }
    }

    /// One layer's attention, from k, v and q to y.
    pub fn attend(&mut self, l: usize, att: &Attention, [k, v, q]: [Projection; 3]) -> Result<Attend> {
        let heads = self.sizes.heads;
        let key_heads = if self.layout.merged_keys { heads } else { 1 };
        let keys = self.keys(l, att, &k, key_heads)?;
        Ok(Attend {
            keys,
            values: self.values(l, &v),
            writes: (0..heads).map(|h| self.write(l, att, h)).collect::<Result<_>>()?,
            power: match self.sizes.chunk {
                None => vec![self.power(l, att)],
                Some(_) => Vec::new(),
            },
            queries: self.queries(l, att, &q)?,
            reads: (0..heads).map(|h| self.read(l, att, h)).collect::<Result<_>>()?,
            chunk: self.sizes.chunk.map(|t| self.chunk(l, att, t)).transpose()?,
        })
    }

    /// The step that brings `cols` columns from `first` of x (q, k or v).
    pub fn project(
        &self,
        l: usize,
        x: &str,
        from: &Projection,
        first: usize,
        cols: usize,
        head: Option<usize>,
    ) -> Part {
        let tile = |weight: &str, k: usize, first: usize| Tile {
            weight: weight.into(),
            k,
            first,
            cols,
        };
        let (mac, stream, tile, row) = match from {
            Projection::Dense(dense) => {
                let stream = Stream {
                    addend: Addend::Word {
                        at: At::fixed(dense.addend + word(first)),
                        stride: 0,
                    },
                    ..Stream::plain(word(cols), dense.shift, self.core.width)
                };
                let mac = self.tokens(moving(self.layout.normed), self.layout.row, dense.k, cols);
                (mac, stream, tile(&dense.weight, dense.k, first), dense.cols)
            }
            Projection::Given(at) => {
                let mac = self.tokens(moving(at + first / cols * even(cols)), self.layout.row, cols, cols);
                let stream = Stream::plain(word(cols), 0, self.core.width);
                (mac, stream, tile(IDENTITY, cols, 0), self.sizes.heads * cols)
            }
        };
        let show = vec![(Tap::Linear, rows(format!("layers.{l}.{x}"), row, first, cols))];
        let head = head.map_or(String::new(), |h| format!(".h{h}"));
        Part {
            run: run(format!("layers.{l}.{x}{head}"), Source::Array(mac), stream, &show),
            tile: Some(tile),
            divisible: true,
            show,
        }
    }

    /// φ as the function of a step, from format `x` to `out`.
    pub fn phi(
        &mut self,
        name: &str,
        (table, bits): (&[i32], u32),
        x: (&str, Format),
        out: (&str, Format),
    ) -> Result<Function> {
        let ((x, fi), (out, fo)) = (x, out);
        Ok(Function::Phi {
            table: self.function.add(name, table),
            bits,
            one: within(format!("{x}: fraction"), fi.frac, 0, 17)? as u32,
            shift: function_shift(out, fi.frac - fo.frac)?,
        })
    }

    fn keys(&mut self, l: usize, att: &Attention, from: &Projection, heads_a_step: usize) -> Result<Vec<Part>> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let s = self.sizes.clone();
        let (hm, step) = (s.heads * s.m, heads_a_step * s.m);
        let (t, f) = (&att.tables, &att.formats);
        let table = (&t.phi_k[..], t.phi_bits);
        let function = self.phi(&at("attention.phi_k"), table, (&at("k"), f.k), (&at("a"), f.a))?;
        // Rows of all heads' keys, token by token.
        let pack = self.core.weights_per_word();
        let keys = (!att.w.is_empty()).then(|| {
            let row = |t: usize| (0..s.heads).flat_map(move |h| &att.w[(h * s.n + t) * s.m..][..s.m]);
            let words: Vec<i32> = (0..s.n).flat_map(row).copied().collect();
            self.main.add_elements(&at("attention.w"), &words) * word(pack)
        });
        let aw = self.layout.aw(&s);
        let column = even(self.layout.write);
        let power = self.power_table(l, att);
        let part = |first: usize| {
            let head = (heads_a_step == 1).then_some(first / s.m);
            let mut part = self.project(l, "k", from, first, step, head);
            let stream = &mut part.run.stream;
            stream.function = function;
            stream.sums = Some(Sums {
                base: word(first),
                of: Summed::Function,
            });
            stream.to = To::X {
                at: At::fixed(aw + word(first * column)),
                row: 1,
                column: word(column),
            };
            part.show.push((Tap::Function, rows(at("a"), hm, first, step)));
            if let Some(keys) = keys {
                stream.other = Other::Key {
                    at: At {
                        base: keys + word(first),
                        index: Index::R2,
                    },
                    stride: word(hm),
                };
                part.show.push((Tap::Other, rows(at("aw"), hm, first, step)));
            }
            let sums = Place {
                rows: Some(1),
                ..rows(at("s"), hm, first, step)
            };
            if self.sizes.chunk.is_some() {
                // Each token's g, for its own C.
                let stream = &mut part.run.stream;
                stream.slow = true;
                stream.serial = Serial::Power {
                    g: word(first * self.layout.read),
                    table: power,
                    bits: t.power_bits,
                    running: true,
                };
                part.divisible = false;
                let place = Place {
                    tensor: at("g"),
                    ..sums.clone()
                };
                part.show.push((Tap::Power, place));
            }
            part.show.push((Tap::Sums, sums));
            named(part)
        };
        Ok((0..hm).step_by(step).map(part).collect())
    }

    fn values(&self, l: usize, from: &Projection) -> Vec<Part> {
        let s = &self.sizes;
        let part = |head: usize| {
            let mut part = self.project(l, "v", from, head * s.e, s.e, Some(head));
            part.run.stream.to = To::Bank {
                bank: self.value_bank(head),
                row: 1,
                pass: self.value_pass(),
            };
            part
        };
        (0..s.heads).map(part).collect()
    }

    fn value_bank(&self, head: usize) -> u32 {
        match self.sizes.chunk {
            Some(_) => self.hebbian_bank(head) + word(even(self.sizes.m)),
            None => word(self.layout.v + head * self.sizes.value_passes() * even(self.layout.write)),
        }
    }

    /// Bank words from pass to pass of V: in chunks all heads' first passes stand side by side.
    fn value_pass(&self) -> u32 {
        match self.sizes.chunk {
            Some(_) => self.hebbian_pass(),
            None => word(even(self.layout.write)),
        }
    }

    pub fn hebbian_bank(&self, head: usize) -> u32 {
        match self.sizes.chunk {
            Some(_) => self.layout.matrices(&self.sizes) + word(head * self.sizes.read_row()),
            None => word(self.layout.h + head * self.sizes.value_passes() * even(self.sizes.m)),
        }
    }

    /// The same of H.
    pub fn hebbian_pass(&self) -> u32 {
        match self.sizes.chunk {
            Some(_) => word(self.sizes.heads * self.sizes.read_row()),
            None => word(even(self.sizes.m)),
        }
    }

    fn write(&mut self, l: usize, att: &Attention, head: usize) -> Result<Part> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let s = self.sizes.clone();
        let (z, wide) = self.state;
        let (w, column) = (self.core.width, even(self.layout.write));
        self.accumulator(&format!("{} of {} tokens", at("Z"), s.n), att.z_bits())?;
        let (fz, fh) = (att.z_frac(), att.formats.h);
        let (shift, bits, function) = match att.nonlinearity {
            Nonlinearity::Identity => (fz - fh.frac, w, Function::None),
            Nonlinearity::Sigmoid => {
                let bits = att.tables.sigmoid_bits;
                let table = self.function.add("tables.sigmoid", &att.tables.sigmoid);
                (fz - (bits as i32 - 4), bits, Function::Table { table, bits })
            }
            Nonlinearity::HardSigmoid => (fz + 2 - (w as i32 - 1), w + 1, Function::Hard),
        };
        let words = s.m * s.e * if wide { 2 } else { 1 };
        let stream = Stream {
            slow: wide,
            addend: Addend::State {
                at: z + word(head * words),
                wide,
            },
            function,
            to: To::Bank {
                bank: self.hebbian_bank(head),
                row: 1,
                pass: self.hebbian_pass(),
            },
            ..Stream::plain(word(s.e), linear_shift(&at("H"), shift)?, bits)
        };
        let mac = Mac {
            rows: Extent::Fixed(word(s.m)),
            passes: word(s.value_passes()),
            k: Extent::Block,
            x: At::fixed(self.layout.aw(&s) + word(head * s.m * column)),
            x_stride: word(column),
            bank: self.value_bank(head),
            bank_stride: self.value_pass(),
        };
        let place = |x: &str| Place {
            rows: Some(s.m),
            ..rows(at(x), s.e, head * s.m * s.e, s.e)
        };
        let sealed = if function == Function::None {
            Tap::Linear
        } else {
            Tap::Function
        };
        let show = vec![(Tap::Sum, place("Z")), (sealed, place("H"))];
        Ok(Part {
            run: run(at(&format!("write.h{head}")), Source::Array(mac), stream, &show),
            tile: None,
            divisible: false,
            show,
        })
    }

    fn power_table(&mut self, l: usize, att: &Attention) -> u32 {
        self.mantissa
            .add(&format!("layers.{l}.attention.power"), &att.tables.power)
    }

    fn power(&mut self, l: usize, att: &Attention) -> Part {
        let hm = self.sizes.heads * self.sizes.m;
        let stream = Stream {
            slow: true,
            sums: Draft::from_sums(),
            serial: Serial::Power {
                g: 0,
                table: self.power_table(l, att),
                bits: att.tables.power_bits,
                running: false,
            },
            ..Stream::plain(word(hm), 0, self.core.serial_bits())
        };
        let place = Place {
            rows: Some(1),
            ..rows(format!("layers.{l}.g"), hm, 0, hm)
        };
        let show = vec![(Tap::Power, place)];
        Part {
            run: run(format!("layers.{l}.power"), Source::Sums, stream, &show),
            tile: None,
            divisible: false,
            show,
        }
    }
}

/// The part with its run's names in step with what it shows.
pub(super) fn named(mut part: Part) -> Part {
    part.run.names = part
        .show
        .iter()
        .map(|(tap, place)| (*tap, place.tensor.clone()))
        .collect();
    part
}
