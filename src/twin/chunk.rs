//! Causal attention by chunks of T tokens (`docs/arithmetic.md` section 6): masked scores inside a chunk, the Hebbian state between chunks.
//!
//! | step | computes |
//! |---|---|
//! | calcium | s, g and C of each token in turn, as the recurrence has them |
//! | scores | p_tτ = requant(b_t · aw_τ) where τ ≤ t, 0 elsewhere in the chunk |
//! | read | num = b·H + p·v with H as sealed after the chunk before; y = num/C |
//! | write | Z += awᵀ v of the whole chunk, H = seal(Z) |
//!
//! Worked example, one head, m = e = 1, α = 1, no positional key, all formats 14 bits with 6 fraction bits, chunks of 2. k = 0 → a = φ(0) = 1 and
//! q = 0 → b = 1 for each of three tokens; v = 2, 3, 5. Every score is 1 or masked; tokens 0 and 1 read nothing from H, token 2 reads H = 2 + 3.
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::spec::{Nonlinearity, Order, QuantizeSpec};
//! use astromorph::twin::{Attention, AttentionFormats};
//! let f = Format::new(14, 6);
//! let quantize = QuantizeSpec { chunk: 2, ..Default::default() };
//! let att = Attention::build(1, 1, 1, 4, Order::Causal, Nonlinearity::Identity, 1.0,
//!     AttentionFormats { q: f, k: f, v: f, a: f, b: f, h: f, g: f, y: f }, &quantize, Vec::new());
//! let t = att.run(&[0; 3], &[0; 3], &[2 << 6, 3 << 6, 5 << 6]);
//! assert_eq!(t.p, [64, 0, 64, 64, 64, 0]); // token 2 is the first of its chunk
//! assert_eq!(t.num, [2 << 12, (2 + 3) << 12, (5 + 2 + 3) << 12]);
//! assert_eq!(t.h, [10 << 6]); // after the last token
//! ```

use super::attention::Attention;
use super::datapath::{Seal, Trace};
use super::kernel::{Strided, dots, product};
use super::round::Rounder;

/// Tokens whose scores are computed together.
const ROWS: usize = 16;

/// Room that one sequence's chunks work in.
#[derive(Default)]
pub(super) struct Room {
    /// aw of the chunk with its tokens adjacent, m × T.
    keys: Vec<i32>,
    scores: Vec<i64>,
    num: Vec<i64>,
}

impl Attention {
    /// One head's tokens from `first`, `count` of them, at most T.
    pub(super) fn chunk(
        &self,
        t: &mut Trace,
        head: usize,
        (first, count): (usize, usize),
        v: &[i32],
        seal: &Seal<'_>,
        room: &mut Room,
    ) {
        let (m, e, heads) = (self.features, self.values, self.heads);
        let (hm, he, row) = (heads * m, heads * e, heads * self.chunk);
        let sums = head * m..(head + 1) * m;
        for token in first..first + count {
            for (s, &a) in t.s[sums.clone()].iter_mut().zip(&t.a[token * hm..][sums.clone()]) {
                *s += a as i64;
            }
            for i in sums.clone() {
                t.g[i] = self.power(t.s[i]);
            }
            let b = Strided {
                words: &t.b[token * hm + head * m..],
                row: hm,
                column: 1,
            };
            dots(&mut t.c[token * heads + head..], heads, 1, b, &t.g[sums.clone()]);
        }

        // Keys side by side, as the inner product wants its right factor.
        room.keys.resize(m * count, 0);
        for (tau, aw) in t.aw[first * hm..].chunks(hm).take(count).enumerate() {
            for (i, &aw) in aw[sums.clone()].iter().enumerate() {
                room.keys[i * count + tau] = aw;
            }
        }
        let keys = Strided {
            words: &room.keys,
            row: count,
            column: 1,
        };
        let entries = head * m * e..(head + 1) * m * e;
        let h = Strided {
            words: &t.h[entries.clone()],
            row: e,
            column: 1,
        };
        let v = Strided {
            words: &v[first * he + head * e..],
            row: he,
            column: 1,
        };
        room.num.clear();
        room.num.resize(count * e, 0);
        let rounder = Rounder::new(self.formats.b.frac + self.formats.a.frac, self.formats.p());
        // Rows by blocks, so that of the scores above the diagonal only those within a block are computed.
        for from in (0..count).step_by(ROWS) {
            let rows = ROWS.min(count - from);
            let seen = from + rows;
            let b = Strided {
                words: &t.b[(first + from) * hm + head * m..],
                row: hm,
                column: 1,
            };
            room.scores.clear();
            room.scores.resize(rows * seen, 0);
            product(&mut room.scores, rows, m, b, keys);
            let begin = (first + from) * row + head * self.chunk;
            for (k, scores) in room.scores.chunks_exact(seen).enumerate() {
                let past = from + k + 1;
                Rounder::into(&rounder, &scores[..past], &mut t.p[begin + k * row..][..past]);
            }
            let p = Strided {
                words: &t.p[begin..],
                row,
                column: 1,
            };
            let num = &mut room.num[from * e..seen * e];
            product(num, rows, m, b, h);
            product(num, rows, seen, p, v);
        }
        self.divide(t, head, first, &room.num);

        let aw = Strided {
            words: &t.aw[first * hm + head * m..],
            row: 1,
            column: hm,
        };
        product(&mut t.z[entries.clone()], m, count, aw, v);
        seal.run(&t.z[entries.clone()], &mut t.h[entries]);
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::{Nonlinearity, Order};
    use crate::twin::{Attention, AttentionSizes};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn what_has_no_chunks_is_refused_by_name() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sizes = AttentionSizes::draw_chunked(&mut rng, 20, 12);
        let att = Attention::random(&mut rng, sizes);
        assert!(att.validate().is_ok());
        type Change = fn(&mut Attention);
        let changes: [(Change, &str); 4] = [
            (|a| a.order = Order::TwoPass, "1 with order \"two-pass\""),
            (|a| a.nonlinearity = Nonlinearity::HardSigmoid, "non-linearity"),
            (|a| a.chunk = 65, "2 to 64, found 65"),
            (|a| a.chunk = 0, "2 to 64, found 0"),
        ];
        for (change, said) in changes {
            let mut other = att.clone();
            change(&mut other);
            let error = other.validate().unwrap_err().to_string();
            assert!(
                error.contains("attention.chunk: expected 1") && error.contains(said),
                "{error}"
            );
        }
    }
}
