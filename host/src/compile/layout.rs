//! Where activations, values and Hebbian matrices lie, and how many tokens a block has.
//!
//! X: the stream x of all tokens, with pre-norm the normed stream beside it, and room that the steps of a block share (features of a vector
//! input; aw; b and y; f; the pooled vector). Banks: weights from below, from above H and under it V of all heads. T is the largest that fits.

use super::memory::Region;
use super::part::{even, word};
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::spec::{Input, NormOrder, Order, Pooling};
use astromorph::{Error, Result};

/// Sizes of a model on a core, in the symbols of `docs/arithmetic.md`.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    pub lanes: usize,
    pub layers: usize,
    pub d: usize,
    pub heads: usize,
    pub m: usize,
    pub e: usize,
    pub hidden: usize,
    pub n: usize,
    /// Features a token of a vector input.
    pub width: Option<usize>,
    pub logits: usize,
    pub causal: bool,
    /// T of attention in chunks.
    pub chunk: Option<usize>,
    pub pre: bool,
}

/// Addresses and block sizes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Elements from token to token of the stream and of everything that moves with it.
    pub row: usize,
    /// The same of the features of a vector input.
    pub features_row: usize,
    /// First element of the normed stream (pre-norm), else of the stream.
    pub normed: usize,
    /// First element of the shared room.
    pub room: usize,
    /// Whether all weights stand in the banks from the start.
    pub resident: bool,
    /// Whether one step computes the keys of all heads.
    pub merged_keys: bool,
    /// First bank word of V and of H.
    pub v: usize,
    pub h: usize,
    /// T of the loops that write, read and feed forward. (Causal: the first two are 1.)
    pub write: usize,
    pub read: usize,
    pub forward: usize,
}

impl Sizes {
    pub fn new(image: &Image, core: &EngineConfig) -> Sizes {
        let spec = image.spec();
        Sizes {
            lanes: core.lanes,
            layers: spec.layers,
            d: spec.d_model,
            heads: spec.heads,
            m: spec.features,
            e: spec.values,
            hidden: spec.hidden(),
            n: spec.n_max,
            width: match spec.input {
                Input::Tokens { .. } => None,
                Input::Vectors { width, .. } => Some(width),
            },
            logits: spec.output.size,
            causal: spec.order == Order::Causal,
            chunk: image.quantize().chunked(),
            pre: spec.norm == NormOrder::Pre,
        }
    }

    /// Passes of one head's values.
    pub fn value_passes(&self) -> usize {
        self.e.div_ceil(self.lanes)
    }

    /// Most tokens of a chunk, 1 without chunks.
    pub fn chunk_rows(&self) -> usize {
        self.chunk.map_or(1, |t| t.min(self.n))
    }

    /// Elements of a row of b, and of the scores behind it.
    pub fn read_row(&self) -> usize {
        even(self.m) + self.chunk.map_or(0, even)
    }

    /// Elements of X that one block's attention needs: aw beside b, the scores and y where both live at a time.
    pub fn causal_room(&self) -> usize {
        let t = self.chunk_rows();
        self.heads * self.m * even(t) + t * (self.heads * self.read_row() + even(self.heads * self.e))
    }

    /// Bank words of H of all heads; in chunks of H and V, one behind the other in a head, and of aw by lanes.
    pub fn states(&self) -> usize {
        let scores = self.chunk.map_or(0, |t| t.div_ceil(self.lanes) * even(self.m));
        self.heads * (self.value_passes() * self.read_row() + scores)
    }

    /// Bank words of k rows and `cols` columns.
    fn tile(&self, k: usize, cols: usize) -> usize {
        cols.div_ceil(self.lanes) * even(k)
    }

    /// Bank words of all weights.
    fn weights(&self, merged_keys: bool) -> usize {
        let (d, he) = (self.d, self.heads * self.e);
        let keys = match merged_keys {
            true => self.tile(d, self.heads * self.m),
            false => self.heads * self.tile(d, self.m),
        };
        let heads = keys + self.heads * (self.tile(d, self.m) + self.tile(d, self.e));
        let layer = heads + self.tile(he, d) + self.tile(d, self.hidden) + self.tile(self.hidden, d);
        let identity = self.chunk.map_or(0, |t| self.tile(t, t));
        identity + self.width.map_or(0, |width| self.tile(width, d)) + self.layers * layer + self.tile(d, self.logits)
    }

    /// Weights that no two steps can share, with the words of H and of V (T = 1) that stand beside them.
    fn indivisible(&self) -> Vec<(String, usize, usize)> {
        let v = match self.chunk {
            Some(_) => 0,
            None => 2 * self.heads * self.value_passes(),
        };
        let h = self.states();
        let attention = if self.causal { h + v } else { h };
        let at = |x: &str| format!("layers.0.{x}");
        let mut list = vec![
            (at("attention.w_q of a head"), self.tile(self.d, self.m), attention),
            (at("attention.w_o"), self.tile(self.heads * self.e, self.d), attention),
            match self.chunk {
                Some(_) => (at("attention.w_k of a head"), self.tile(self.d, self.m), h),
                None => (at("attention.w_k, one pass"), even(self.d), h + v),
            },
            (at("feed_forward.w_1, one pass"), even(self.d), 0),
            (at("feed_forward.w_2"), self.tile(self.hidden, self.d), 0),
            ("head.weight".into(), self.tile(self.d, self.logits), 0),
        ];
        if let Some(width) = self.width {
            list.push(("input.weight".into(), self.tile(width, self.d), 0));
        }
        list
    }
}

/// The largest T up to `most` in as few blocks as `most` needs, of equal size as far as even numbers allow.
pub(super) fn balanced(n: usize, most: usize) -> usize {
    let most = most.clamp(1, n);
    if most == n {
        return n;
    }
    even(n.div_ceil(n.div_ceil(most))).min(most)
}

impl Layout {
    /// Lays a model out; `tokens` bounds T from above.
    pub fn new(image: &Image, core: &EngineConfig, s: &Sizes, tokens: Option<usize>) -> Result<Layout> {
        let last = image.spec().output.pooling == Pooling::Last;
        let (mut row, mut features_row) = (even(s.d), even(s.width.unwrap_or(0)));
        if last && s.width.is_some() {
            // `Index::Last` counts the input step's rows: both streams have the same.
            row = row.max(features_row);
            features_row = row;
        }
        let most = tokens.map_or(s.n, |tokens| tokens.clamp(1, s.n));
        let stream = s.n * row;
        let normed = if s.pre { stream } else { 0 };
        let room = normed + stream;
        let y = even(s.heads * s.e);
        let features = s.width.map_or(0, |_| s.n * features_row);
        let (write_room, read_room) = (s.heads * s.m, s.heads * even(s.m) + y);
        let attention_room = if s.causal {
            s.causal_room()
        } else {
            (2 * write_room).max(read_room)
        };
        let needed = room + features.max(attention_room).max(even(s.hidden)).max(even(s.d));
        if needed > core.x_words {
            return Err(Error::field(
                "core.x_words",
                format!("{needed} or more elements for the activations of {} tokens", s.n),
                core.x_words,
            ));
        }
        let free = core.x_words - room;
        // (In chunks a head's C reads the rows of g that its own keys wrote.)
        let merged_keys = s.chunk.is_none() && s.causal
            || !s.causal && (s.heads * s.m).div_ceil(s.lanes) < s.heads * s.m.div_ceil(s.lanes);
        let h = s.states();
        let by_x = if s.causal {
            1
        } else {
            most.min(free / write_room / 2 * 2).max(1)
        };
        let (resident, write) = match s.chunk {
            Some(_) => (chunked_banks(core, s)?, s.chunk_rows()),
            None => banks(core, s, h, by_x, merged_keys)?,
        };
        // Where weights are filled, a step that waits leaves a word there.
        let spare = usize::from(!resident);
        let each = core.reads.saturating_sub(spare) / s.heads;
        if each < s.chunk_rows() {
            let expected = format!(
                "{} or more words, one a head{}{}",
                s.heads * s.chunk_rows() + spare,
                [" and token of a chunk"][..s.chunk.iter().len()].concat(),
                [", and one"][..spare].concat()
            );
            return Err(Error::field("core.reads", expected, core.reads));
        }
        let reads = if s.causal {
            s.chunk_rows()
        } else {
            most.min(free / read_room).min(each)
        };
        let h = core.bank_words - h;
        let v = match s.chunk {
            Some(_) => h,
            None => h - s.heads * s.value_passes() * even(write),
        };
        Ok(Layout {
            row,
            features_row,
            normed,
            room,
            resident,
            merged_keys,
            v,
            h,
            write,
            read: if s.causal { reads } else { balanced(s.n, reads) },
            forward: balanced(s.n, most.min(free / even(s.hidden))),
        })
    }

    /// X and the banks' upper ends, for people.
    pub fn regions(&self, s: &Sizes) -> Vec<Region> {
        let region = |memory, first: usize, words: usize, holds: &str| Region {
            memory,
            first: word(first),
            words: word(words),
            holds: holds.into(),
        };
        let heads = s.heads * s.value_passes();
        let stream = if s.d > 0 {
            "x of all tokens"
        } else {
            "q, k, v of all tokens"
        };
        let mut list = vec![region("X", 0, s.n * self.row, stream)];
        if s.pre {
            list.push(region("X", self.normed, s.n * self.row, "the normed x of all tokens"));
        }
        if s.width.is_some() {
            list.push(region(
                "X",
                self.room,
                s.n * self.features_row,
                "features of all tokens",
            ));
        }
        list.extend([
            region(
                "X",
                self.aw(s) as usize,
                s.heads * s.m * even(self.write),
                "aw of a block, transposed",
            ),
            region(
                "X",
                self.room,
                s.heads * self.read * s.read_row(),
                ["b of a block", "b and p of a chunk"][s.chunk.iter().len()],
            ),
            region("X", self.y(s) as usize, self.read * even(s.heads * s.e), "y of a block"),
            region("X", self.room, self.forward * even(s.hidden), "f of a block"),
        ]);
        list.extend(match s.chunk {
            None => vec![
                region("bank", self.v, heads * even(self.write), "V of a block"),
                region("bank", self.h, heads * even(s.m), "H"),
            ],
            Some(_) => {
                let matrices = self.matrices(s) as usize;
                vec![
                    region("bank", self.h, matrices - self.h, "aw of a chunk by lanes"),
                    region(
                        "bank",
                        matrices,
                        heads * s.read_row(),
                        "H and V of a chunk, head by head",
                    ),
                ]
            }
        });
        list.retain(|region| region.words > 0);
        list
    }

    /// First element of aw (causal: behind b and y), with i-th row `even(T)` further each.
    pub fn aw(&self, s: &Sizes) -> u32 {
        let beside = if s.causal {
            self.read * (s.heads * s.read_row() + even(s.heads * s.e))
        } else {
            0
        };
        word(self.room + beside)
    }

    /// First element of head h's b.
    pub fn b(&self, s: &Sizes, head: usize) -> u32 {
        word(self.room + head * self.read * s.read_row())
    }

    /// First bank word of [H; V] of the first head, in chunks.
    pub fn matrices(&self, s: &Sizes) -> u32 {
        let scores = s.chunk.map_or(0, |t| t.div_ceil(s.lanes) * even(s.m));
        word(self.h + s.heads * scores)
    }

    /// First element of y.
    pub fn y(&self, s: &Sizes) -> u32 {
        self.b(s, s.heads)
    }
}

/// Whether all weights are resident, of a model in chunks.
pub(super) fn chunked_banks(core: &EngineConfig, s: &Sizes) -> Result<bool> {
    if s.weights(false) + s.states() <= core.bank_words {
        return Ok(true);
    }
    for (name, words, beside) in s.indivisible() {
        if words + beside > core.bank_words {
            let expected = format!(
                "{} or more words for {name} on {} lanes (H, V and aw take {beside})",
                words + beside,
                s.lanes
            );
            return Err(Error::field("core.bank_words", expected, core.bank_words));
        }
    }
    Ok(false)
}

/// Whether all weights are resident, and T of the writing loop, at most `most`. `h`: words of H.
fn banks(core: &EngineConfig, s: &Sizes, h: usize, most: usize, merged_keys: bool) -> Result<(bool, usize)> {
    let a_pair = 2 * s.heads * s.value_passes();
    // T for which V fits into `room` words, with T even or all of N.
    let tokens = |room: usize| {
        let most_even = room / a_pair * 2;
        if most_even >= most { most } else { most_even }
    };
    let room = core.bank_words.checked_sub(s.weights(merged_keys) + h);
    let resident = room.map_or(0, tokens);
    // A block shorter than this leaves the array waiting for the words of its own sums.
    if resident >= most.min(2 * s.lanes) {
        return Ok((true, balanced(s.n, resident)));
    }
    for (name, words, beside) in s.indivisible() {
        if words + beside > core.bank_words && resident == 0 {
            let expected = format!(
                "{} or more words for {name} on {} lanes (H and V take {beside})",
                words + beside,
                s.lanes
            );
            return Err(Error::field("core.bank_words", expected, core.bank_words));
        }
    }
    let room = |pieces: usize| core.bank_words.checked_sub(pieces * even(s.d) + h).map_or(0, tokens);
    // Two pieces of the weights beside V, so that one is filled while the other is used; one if there is no room for two.
    let streamed = if s.causal {
        1
    } else if room(2) >= most.min(s.lanes) {
        room(2)
    } else {
        room(1)
    };
    let fits = |(_, words, beside): &(String, usize, usize)| words + beside <= core.bank_words;
    if !s.indivisible().iter().all(fits) || (resident > 0 && resident >= streamed) {
        return Ok((true, balanced(s.n, resident)));
    }
    Ok((false, balanced(s.n, streamed)))
}
