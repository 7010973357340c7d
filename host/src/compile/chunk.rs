//! The steps that attention in chunks has beside those of the recurrence (`docs/arithmetic.md` section 6), and their order.
//!
//! | step | array | stream | to |
//! |---|---|---|---|
//! | zeros | | a fill | H and V of all heads, once |
//! | pad | 0 by shifting (odd m) | | the words between b and p, once |
//! | turn | m × T: aw · identity | | aw in the banks, token by lane |
//! | scores | T × T: b · aw | mask, max(·, 0) | p behind b in X |
//! | read | T × e: \[b p] · \[H; V] | num/C | y in X |
//!
//! The mask is an addend of −2^(bits − 1) of the exact score wherever τ > t: the sum is below 0 and becomes 0. Columns beyond the last token of a
//! short chunk are zeros of the turn's (its K is the block's tokens).

use super::attention::{Attend, IDENTITY, rows, run};
use super::draft::{Ground, linear_shift};
use super::part::{Part, Tile, even, word};
use astromorph::Result;
use astromorph::engine::program::*;
use astromorph::twin::Attention;

/// What attention in chunks has more.
pub(super) struct Chunk {
    zeros: Fill,
    pad: Option<Part>,
    turns: Vec<Part>,
    scores: Vec<Part>,
}

impl Attend {
    /// The fill, the steps before the loop, and the loop's. No step needs the words of the one just before it where there are two heads.
    pub fn in_chunks(self) -> (Option<Fill>, Vec<Part>, Vec<Part>) {
        let (zeros, pad, turns, scores) = match self.chunk {
            Some(c) => (Some(c.zeros), c.pad, c.turns, c.scores),
            None => (None, None, Vec::new(), Vec::new()),
        };
        let pairs = |a: Vec<Part>, b: Vec<Part>| a.into_iter().zip(b).flat_map(|(a, b)| [a, b]).collect::<Vec<_>>();
        // The first to write where the zeros go; where there is a pad it has waited.
        let mut values = self.values;
        if let (None, Some(value)) = (&pad, values.first_mut()) {
            value.run.wait_fill = true;
        }
        let parts = match self.keys.len() {
            1 => vec![
                self.keys,
                self.queries,
                values,
                turns,
                scores,
                pairs(self.reads, self.writes),
            ],
            _ => vec![
                self.keys,
                self.queries,
                turns,
                pairs(values, scores),
                pairs(self.reads, self.writes),
            ],
        };
        (zeros, pad.into_iter().collect(), parts.concat())
    }
}

impl Ground<'_> {
    /// First words of the mask and of zeros, the same for all layers.
    fn constants(&mut self, score_bits: u32, t: usize) -> (u32, u32) {
        if let Some(found) = self.chunks {
            return found;
        }
        let least = -1i64 << (score_bits - 1);
        let mask = (0..t * t).map(|n| if n % t > n / t { least as u32 } else { 0 });
        let mask = self.main.add("mask of a chunk", mask);
        let few = self.core.lanes.div_ceil(self.core.weights_per_word());
        let zeros = vec![0; self.matrix_words() * few];
        let found = (mask, self.main.add("zeros", zeros));
        self.chunks = Some(found);
        found
    }

    /// Bank words of H and V of all heads.
    fn matrix_words(&self) -> usize {
        self.sizes.heads * self.sizes.value_passes() * self.sizes.read_row()
    }

    /// Layer `l`'s steps, chunks of `t` tokens.
    pub fn chunk(&mut self, l: usize, att: &Attention, t: usize) -> Result<Chunk> {
        self.accumulator(&format!("layers.{l}: scores"), att.score_bits())?;
        let (mask, zeros) = self.constants(att.score_bits(), t);
        let heads = self.sizes.heads;
        let bank = self.layout.matrices(&self.sizes);
        let f = &att.formats;
        let shift = linear_shift(&format!("layers.{l}.p"), f.b.frac + f.a.frac - f.p().frac)?;
        Ok(Chunk {
            zeros: Fill {
                from: zeros,
                bank,
                words: word(self.matrix_words()),
            },
            pad: (self.sizes.m % 2 == 1).then(|| self.pad(l, bank)),
            turns: (0..heads).map(|head| self.turn(l, head, t)).collect(),
            scores: (0..heads).map(|head| self.scores(l, head, t, (mask, shift))).collect(),
        })
    }

    /// Zeros between b and p of every token and head: a known word of X times a word that has just been filled.
    fn pad(&self, l: usize, bank: u32) -> Part {
        let s = &self.sizes;
        let stream = Stream {
            to: To::X {
                at: At::fixed(self.layout.b(s, 0) + word(s.m)),
                row: word(s.read_row()),
                column: 1,
            },
            ..Stream::plain(1, 47, self.core.width)
        };
        let mac = Mac {
            rows: Extent::Fixed(word(s.heads * self.layout.read)),
            passes: 1,
            k: Extent::Fixed(1),
            x: At::fixed(0),
            x_stride: 0,
            bank,
            bank_stride: 2,
        };
        let mut run = run(format!("layers.{l}.pad"), Source::Array(mac), stream, &[]);
        run.wait_fill = true;
        Part {
            run,
            tile: None,
            divisible: false,
            show: Vec::new(),
        }
    }

    /// First bank word of a head's aw by lanes.
    fn turned_bank(&self, head: usize, t: usize) -> u32 {
        word(self.layout.h + head * t.div_ceil(self.core.lanes) * even(self.sizes.m))
    }

    fn turn(&self, l: usize, head: usize, t: usize) -> Part {
        let (m, column) = (self.sizes.m, even(self.layout.write));
        let passes = word(t.div_ceil(self.core.lanes));
        let stream = Stream {
            to: To::Bank {
                bank: self.turned_bank(head, t),
                row: 1,
                pass: word(even(m)),
            },
            ..Stream::plain(word(t), 0, self.core.width)
        };
        let mac = Mac {
            rows: Extent::Fixed(word(m)),
            passes,
            k: Extent::Block,
            x: At::fixed(self.layout.aw(&self.sizes) + word(head * m * column)),
            x_stride: word(column),
            bank: 0,
            bank_stride: word(even(t)),
        };
        Part {
            run: run(format!("layers.{l}.turn.h{head}"), Source::Array(mac), stream, &[]),
            tile: Some(Tile {
                weight: IDENTITY.into(),
                k: t,
                first: 0,
                cols: t,
            }),
            divisible: false,
            show: Vec::new(),
        }
    }

    fn scores(&self, l: usize, head: usize, t: usize, (mask, shift): (u32, i32)) -> Part {
        let s = &self.sizes;
        let b = self.layout.b(s, head);
        let stream = Stream {
            addend: Addend::Word {
                at: At::fixed(mask),
                stride: word(t),
            },
            function: Function::Relu { shift: 0 },
            to: To::X {
                at: At::fixed(b + word(even(s.m))),
                row: word(s.read_row()),
                column: 1,
            },
            ..Stream::plain(word(t), shift, self.core.width)
        };
        let mac = Mac {
            bank: self.turned_bank(head, t),
            ..self.tokens(At::fixed(b), s.read_row(), s.m, t)
        };
        let show = vec![(Tap::Function, rows(format!("layers.{l}.p"), s.heads * t, head * t, t))];
        Part {
            run: run(format!("layers.{l}.scores.h{head}"), Source::Array(mac), stream, &show),
            tile: None,
            divisible: false,
            show,
        }
    }
}
