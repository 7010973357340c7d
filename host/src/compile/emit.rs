//! The whole model as phases: input, each layer's attention and feed-forward network, pooling and head (`docs/arithmetic.md` section 7).
//!
//! Every layer norm hangs on the step whose rows it normalises; its result overwrites the row of the normed stream (post-norm: of the stream).

use super::attention::{named, rows, run};
use super::draft::{Draft, function_shift, moving};
use super::part::{Part, Phase, Tile, even, word};
use super::tensors::{Alias, Tensors};
use astromorph::engine::program::*;
use astromorph::spec::{Activation, Pooling};
use astromorph::twin::attention::Normaliser;
use astromorph::{Result, table};

impl Draft<'_> {
    /// All phases, in order.
    pub fn phases(&mut self, tensors: &mut Tensors) -> Result<Vec<Phase>> {
        let mut phases = self.input()?;
        for l in 0..self.sizes.layers {
            phases.extend(self.attention(l, tensors)?);
            phases.push(self.feed_forward(l)?);
        }
        phases.extend(self.output(tensors)?);
        Ok(phases)
    }

    fn phase(&self, blocks: Option<(usize, usize, usize)>, free: usize, parts: Vec<Part>) -> Phase {
        Phase {
            blocks,
            parts,
            free,
            zeros: None,
        }
    }

    /// A step from a source without weights.
    fn bare(&self, label: &str, source: Source, stream: Stream) -> Part {
        Part {
            run: run(label.into(), source, stream, &[]),
            tile: None,
            divisible: false,
            show: Vec::new(),
        }
    }

    /// The first layer's norm, when it has one before it.
    fn first_norm(&mut self, part: &mut Part) -> Result<()> {
        let d = self.sizes.d;
        part.show.push((Tap::Linear, rows("x0".into(), d, 0, d)));
        if self.sizes.pre {
            let at = |x: &str| format!("layers.0.{x}");
            part.run.stream.norm = Some(self.norm(&at("norm1"), "x0", &at("n1"), Some(self.layout.normed))?);
            part.show.push((Tap::Norm, rows(at("n1"), d, 0, d)));
        }
        Ok(())
    }

    fn input(&mut self) -> Result<Vec<Phase>> {
        let (s, layout) = (self.sizes.clone(), self.layout.clone());
        let width = self.core.width;
        let enter = |cols: usize, at: usize, row: usize| Stream {
            to: To::X {
                at: At::fixed(word(at)),
                row: word(row),
                column: 1,
            },
            ..Stream::plain(word(cols), 0, width)
        };
        let Some(features) = s.width else {
            let mut part = self.bare("input", Source::Input, enter(s.d, 0, layout.row));
            self.first_norm(&mut part)?;
            if let Some(norm) = &mut part.run.stream.norm {
                // The input is no loop: its rows begin at the first token.
                norm.to = Some((At::fixed(word(layout.normed)), word(layout.row)));
            }
            return Ok(vec![self.phase(None, self.core.bank_words, vec![named(part)])]);
        };
        let input = self.bare(
            "input",
            Source::Input,
            enter(features, layout.room, layout.features_row),
        );
        let positions = match self.image.plan().formats.get("position.weight") {
            Some(_) => Some(self.image.wide("position.weight")?),
            None => None,
        };
        let position = positions.as_deref().map(|words| (words, layout.row));
        let dense = self.dense("input.weight", "input.bias", "input", "x0", position)?;
        let stream = Stream {
            addend: Addend::Word {
                at: At {
                    base: dense.addend,
                    index: if position.is_some() { Index::R2 } else { Index::None },
                },
                stride: position.map_or(0, |(_, row)| word(row)),
            },
            to: To::X {
                at: At {
                    base: 0,
                    index: Index::R2,
                },
                row: word(layout.row),
                column: 1,
            },
            ..Stream::plain(word(s.d), dense.shift, width)
        };
        let mac = self.tokens(moving(layout.room), layout.features_row, features, s.d);
        let mut part = self.dense_part("x0", &dense.weight, mac, stream);
        self.first_norm(&mut part)?;
        if let Some(norm) = &mut part.run.stream.norm
            && let Some((at, _)) = &mut norm.to
        {
            at.index = Index::R2;
        }
        part.divisible = part.run.stream.norm.is_none();
        let blocks = Some((s.n, s.n * layout.features_row, s.n * layout.row));
        Ok(vec![
            self.phase(None, self.core.bank_words, vec![input]),
            self.phase(blocks, self.core.bank_words, vec![named(part)]),
        ])
    }

    /// A step with all columns of a matrix.
    fn dense_part(&self, label: &str, weight: &str, mac: Mac, stream: Stream) -> Part {
        let cols = stream.cols as usize;
        let k = match mac.k {
            Extent::Fixed(k) => k as usize,
            Extent::Block => self.sizes.n,
        };
        let tile = Tile {
            weight: weight.into(),
            k,
            first: 0,
            cols,
        };
        Part {
            run: run(label.into(), Source::Array(mac), stream, &[]),
            tile: Some(tile),
            divisible: false,
            show: Vec::new(),
        }
    }

    fn attention(&mut self, l: usize, tensors: &mut Tensors) -> Result<Vec<Phase>> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let (s, layout) = (self.sizes.clone(), self.layout.clone());
        let (d, he) = (s.d, s.heads * s.e);
        let a = self.attend(l)?;
        if !self.image.spec().has_position() {
            tensors.aliases.push(Alias {
                tensor: at("aw"),
                of: at("a"),
                last_row: None,
            });
        }
        let weight = at("attention.w_o");
        let dense = self.dense(&weight, &at("attention.b_o"), &at("y"), &at("o"), None)?;
        let mac = self.tokens(At::fixed(layout.y(&s)), even(he), he, d);
        let (prefix, out) = if s.pre { ("norm2", "n2") } else { ("norm1", "x1") };
        let stream = Stream {
            slow: true,
            addend: word_addend(dense.addend),
            other: self.residual(&self.stream(l), &at("o"), &at("r1"))?,
            to: self.residual_to(true),
            norm: Some(self.norm(&at(prefix), &at("r1"), &at(out), Some(layout.normed))?),
            ..Stream::plain(word(d), dense.shift, self.core.width)
        };
        let mut o = self.dense_part(&at("o"), &weight, mac, stream);
        let show = [(Tap::Linear, "o"), (Tap::Other, "r1"), (Tap::Norm, out)];
        o.show = show.map(|(tap, x)| (tap, rows(at(x), d, 0, d))).to_vec();
        let o = named(o);
        let (keys, beside_v, beside_h) = (s.heads * s.m, layout.v, layout.h);
        if let Some(t) = s.chunk {
            let (zeros, before, parts) = a.in_chunks();
            let mut chunks = self.phase(Some((t, t * layout.row, t * keys)), beside_v, [parts, vec![o]].concat());
            if before.is_empty() {
                chunks.zeros = zeros;
                return Ok(vec![chunks]);
            }
            let mut first = self.phase(None, beside_v, before);
            first.zeros = zeros;
            return Ok(vec![first, chunks]);
        }
        if s.causal {
            let parts = [a.keys, a.power, a.values, a.queries, a.writes, a.reads, vec![o]].concat();
            return Ok(vec![self.phase(Some((1, layout.row, keys)), beside_v, parts)]);
        }
        let (write, read) = (layout.write, layout.read);
        Ok(vec![
            self.phase(
                Some((write, write * layout.row, write * keys)),
                beside_v,
                [a.keys, a.values, a.writes].concat(),
            ),
            self.phase(None, beside_h, a.power),
            self.phase(
                Some((read, read * layout.row, 0)),
                beside_h,
                [a.queries, a.reads, vec![o]].concat(),
            ),
        ])
    }

    /// Where a residual sum goes: into the stream with pre-norm while somebody reads it, else only to its norm.
    fn residual_to(&self, read_again: bool) -> To {
        match self.sizes.pre && read_again {
            true => To::X {
                at: moving(0),
                row: word(self.layout.row),
                column: 1,
            },
            false => To::Nowhere,
        }
    }

    fn feed_forward(&mut self, l: usize) -> Result<Phase> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let (s, layout) = (self.sizes.clone(), self.layout.clone());
        let (d, hidden, room) = (s.d, s.hidden, layout.room);
        let (x, middle) = if s.pre {
            (at("n2"), at("r1"))
        } else {
            (at("x1"), at("x1"))
        };
        let weight = at("feed_forward.w_1");
        let dense = self.dense(&weight, &at("feed_forward.b_1"), &x, &at("u"), None)?;
        let (fu, ff) = (self.format(&at("u"))?, self.format(&at("f"))?);
        let shift = function_shift(&at("f"), fu.frac - ff.frac)?;
        let function = match self.image.spec().feed_forward.activation {
            Activation::Relu => Function::Relu { shift },
            Activation::Gelu => {
                let (name, bits) = (at("feed_forward.gelu"), self.image.quantize().gelu_index_bits);
                let words = self.image.narrow(&name)?;
                Function::Gelu {
                    table: self.function.add(&name, &words),
                    bits,
                    drop: table::gelu_shift(fu, bits),
                    shift,
                }
            }
        };
        let stream = Stream {
            addend: word_addend(dense.addend),
            function,
            to: To::X {
                at: At::fixed(word(room)),
                row: word(even(hidden)),
                column: 1,
            },
            ..Stream::plain(word(hidden), dense.shift, self.core.width)
        };
        let mac = self.tokens(moving(layout.normed), layout.row, d, hidden);
        let mut first = self.dense_part(&at("u"), &weight, mac, stream);
        first.divisible = true;
        first.show = vec![
            (Tap::Linear, rows(at("u"), hidden, 0, hidden)),
            (Tap::Function, rows(at("f"), hidden, 0, hidden)),
        ];

        let last = l + 1 == s.layers;
        let summed = last && self.image.spec().output.pooling == Pooling::Mean;
        let weight = at("feed_forward.w_2");
        let dense = self.dense(&weight, &at("feed_forward.b_2"), &at("f"), &at("d"), None)?;
        let (prefix, input, out) = self.norm_after(l);
        let to = (!summed).then_some(layout.normed);
        let stream = Stream {
            slow: true,
            addend: word_addend(dense.addend),
            other: self.residual(&middle, &at("d"), &at("r2"))?,
            sums: summed.then_some(Sums {
                base: 0,
                of: Summed::Result,
            }),
            to: self.residual_to(!last),
            norm: Some(self.norm(&prefix, &input, &out, to)?),
            ..Stream::plain(word(d), dense.shift, self.core.width)
        };
        let mac = self.tokens(At::fixed(word(room)), even(hidden), hidden, d);
        let mut second = self.dense_part(&at("d"), &weight, mac, stream);
        let show = [(Tap::Linear, at("d")), (Tap::Other, at("r2")), (Tap::Norm, out)];
        second.show = show.map(|(tap, x)| (tap, rows(x, d, 0, d))).to_vec();
        let t = layout.forward;
        let blocks = Some((t, t * layout.row, 0));
        Ok(self.phase(blocks, self.core.bank_words, vec![named(first), named(second)]))
    }

    fn output(&mut self, tensors: &mut Tensors) -> Result<Vec<Phase>> {
        let (s, layout, bank) = (self.sizes.clone(), self.layout.clone(), self.core.bank_words);
        let last = self.last();
        let pooling = self.image.spec().output.pooling;
        let x = if pooling == Pooling::None {
            last.clone()
        } else {
            "pooled".into()
        };
        let dense = self.dense("head.weight", "head.bias", &x, "logits", None)?;
        let head = |from: At, rows_of: Extent, row: usize| {
            let stream = Stream {
                addend: word_addend(dense.addend),
                to: To::Output,
                ..Stream::plain(word(s.logits), dense.shift, self.core.serial_bits())
            };
            let mac = Mac {
                rows: rows_of,
                ..self.tokens(from, row, s.d, s.logits)
            };
            let mut part = self.dense_part("logits", &dense.weight, mac, stream);
            part.show = vec![(Tap::Linear, rows("logits".into(), s.logits, 0, s.logits))];
            named(part)
        };
        Ok(match pooling {
            Pooling::None => {
                let part = head(moving(layout.normed), Extent::Block, layout.row);
                vec![self.phase(Some((s.n, s.n * layout.row, 0)), bank, vec![part])]
            }
            Pooling::Last => {
                tensors.aliases.push(Alias {
                    tensor: "pooled".into(),
                    of: last,
                    last_row: Some(s.d),
                });
                let from = At {
                    base: word(layout.normed),
                    index: Index::Last,
                };
                vec![self.phase(None, bank, vec![head(from, Extent::Fixed(1), layout.row)])]
            }
            Pooling::Mean => {
                let part = head(At::fixed(word(layout.room)), Extent::Fixed(1), even(s.d));
                let mean = self.mean(&last)?;
                vec![self.phase(None, bank, [mean, vec![part]].concat())]
            }
        })
    }

    /// 1/N to word `read` of the read memory.
    pub fn count(&mut self, read: usize) -> Result<Serial> {
        let words = self.image.narrow("tables.reciprocal")?;
        Ok(Serial::Count {
            read: word(read),
            table: self.mantissa.add("reciprocal", &words),
            bits: self.image.quantize().reciprocal_mantissa_bits,
        })
    }

    /// Σx / N.
    fn mean(&mut self, last: &str) -> Result<Vec<Part>> {
        let d = self.sizes.d;
        let n = Normaliser::new(self.format(last)?.frac, 0, self.format("pooled")?, 1);
        let offset = self.normaliser_offset("pooled", n, 0)?;
        let serial = self.count(0)?;
        let sw = self.core.serial_bits();
        let count = self.bare(
            "count",
            Source::Count,
            Stream {
                serial,
                ..Stream::plain(1, 0, sw)
            },
        );
        let stream = Stream {
            sums: Self::from_sums(),
            serial: Serial::Normalise { read: 0, offset },
            to: To::X {
                at: At::fixed(word(self.layout.room)),
                row: word(even(d)),
                column: 1,
            },
            ..Stream::plain(word(d), 0, sw)
        };
        let mut pooled = self.bare("pooled", Source::Sums, stream);
        pooled.show = vec![(Tap::Normalise, rows("pooled".into(), d, 0, d))];
        Ok(vec![count, named(pooled)])
    }
}

/// A bias.
fn word_addend(first: u32) -> Addend {
    Addend::Word {
        at: At::fixed(first),
        stride: 0,
    }
}
