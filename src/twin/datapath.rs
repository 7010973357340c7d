//! The path of one sequence through an [`Attention`]: φ, write, seal, read, normalise. Chunks have their own (`chunk`).
//!
//! Every accumulator fits 64 bits with room to spare: Z has at most 2·18 − 1 + 9 = 44 bits, C 41, num 41, s 27 (the widths are [`Attention`]'s).

use super::attention::Attention;
use super::chunk::Room;
use super::kernel::{Strided, dots, product};
use super::round::Rounder;
use crate::format::{Format, requant, split};
use crate::spec::{Nonlinearity, Order};
use multiversion::multiversion;

/// Every intermediate tensor of one sequence, in raw integers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// φ(k), N × Hh·m.
    pub a: Vec<i32>,
    /// φ(q), N × Hh·m.
    pub b: Vec<i32>,
    /// a + w saturated, N × Hh·m.
    pub aw: Vec<i32>,
    /// Scores inside the chunks, N × Hh·T, 0 where masked; empty without chunks.
    pub p: Vec<i32>,
    /// Hebbian matrix, Hh·m × e (causal: after the last token).
    pub z: Vec<i64>,
    /// Calcium sums, Hh × m.
    pub s: Vec<i64>,
    /// Sealed Hebbian matrix, Hh·m × e.
    pub h: Vec<i32>,
    /// s^α, Hh × m.
    pub g: Vec<i32>,
    /// Calcium response, N × Hh.
    pub c: Vec<i64>,
    /// φ(q)·H, N × Hh·e.
    pub num: Vec<i64>,
    /// Output, N × Hh·e.
    pub y: Vec<i32>,
}

/// [`Attention::seal`] for whole matrices, its constants computed once.
pub(super) enum Seal<'a> {
    Identity(Rounder),
    Sigmoid {
        index: Rounder,
        words: &'a [i32],
        half: i32,
    },
    HardSigmoid {
        index: Rounder,
        half: i32,
        top: i32,
    },
}

impl Seal<'_> {
    pub(super) fn run(&self, z: &[i64], h: &mut [i32]) {
        match self {
            Seal::Identity(rounder) => rounder.into(z, h),
            Seal::Sigmoid { index, words, half } => {
                index.into(z, h);
                h.iter_mut().for_each(|h| *h = words[(*h + half) as usize]);
            }
            Seal::HardSigmoid { index, half, top } => {
                index.into(z, h);
                h.iter_mut().for_each(|h| *h = (*h + half).clamp(0, *top));
            }
        }
    }
}

impl Attention {
    /// φ(x) from format `fi` to `fo` with its exponential table.
    #[inline(always)]
    pub fn phi(x: i32, fi: Format, fo: Format, table: &[i32], index_bits: u32) -> i32 {
        if x >= 0 {
            requant(x as i64 + (1i64 << fi.frac), fi.frac, fo) as i32
        } else {
            let index = (x as i64 - fi.min()) >> (fi.bits - 1 - index_bits);
            table[index as usize]
        }
    }

    /// H from Z.
    #[inline(always)]
    pub fn seal(&self, z: i64) -> i32 {
        let (w, fz, fh) = (self.width(), self.z_frac(), self.formats.h);
        match self.nonlinearity {
            Nonlinearity::Identity => requant(z, fz, fh) as i32,
            Nonlinearity::Sigmoid => {
                let bits = self.tables.sigmoid_bits;
                let u = requant(z, fz, Format::new(bits, bits as i32 - 4));
                self.tables.sigmoid[(u + (1 << (bits - 1))) as usize]
            }
            Nonlinearity::HardSigmoid => {
                let u = requant(z, fz + 2, Format::new(w + 1, w as i32 - 1));
                (u + (1i64 << (w - 2))).clamp(0, fh.max()) as i32
            }
        }
    }

    /// g from s.
    #[inline(always)]
    pub fn power(&self, s: i64) -> i32 {
        let t = self.tables.power_bits;
        let (e, mant) = split(s.max(1), t);
        self.tables.power[((e as usize) << t) + mant]
    }

    /// φ of a whole tensor.
    fn phis(x: &[i32], fi: Format, fo: Format, table: &[i32], index_bits: u32) -> Vec<i32> {
        let mut out = vec![0; x.len()];
        above(Rounder::new(fi.frac, fo), 1i64 << fi.frac, x, &mut out);
        let (low, drop) = (fi.min() as i32, fi.bits - 1 - index_bits);
        for (out, &x) in out.iter_mut().zip(x) {
            // The table is read in either case: the sign is as good as random, and a mispredicted branch costs more.
            let below = table[((x.min(-1) - low) >> drop) as usize];
            *out = if x >= 0 { *out } else { below };
        }
        out
    }

    fn sealer(&self) -> Seal<'_> {
        let (w, fz, fh) = (self.width(), self.z_frac(), self.formats.h);
        match self.nonlinearity {
            Nonlinearity::Identity => Seal::Identity(Rounder::new(fz, fh)),
            Nonlinearity::Sigmoid => {
                let bits = self.tables.sigmoid_bits;
                Seal::Sigmoid {
                    index: Rounder::new(fz, Format::new(bits, bits as i32 - 4)),
                    words: &self.tables.sigmoid,
                    half: 1 << (bits - 1),
                }
            }
            Nonlinearity::HardSigmoid => Seal::HardSigmoid {
                index: Rounder::new(fz + 2, Format::new(w + 1, w as i32 - 1)),
                half: 1 << (w - 2),
                top: fh.max() as i32,
            },
        }
    }

    /// a + w, saturated.
    fn fused_keys(&self, a: &[i32]) -> Vec<i32> {
        let (m, hm, top) = (self.features, self.heads * self.features, self.formats.a.max() as i32);
        let mut aw = a.to_vec();
        if !self.w.is_empty() {
            for (t, row) in aw.chunks_exact_mut(hm).enumerate() {
                for (head, row) in row.chunks_exact_mut(m).enumerate() {
                    let keys = &self.w[(head * self.n_max + t) * m..][..m];
                    row.iter_mut().zip(keys).for_each(|(aw, &w)| *aw = (*aw + w).min(top));
                }
            }
        }
        aw
    }

    /// Runs one sequence of N = q.len()/(Hh·m) tokens, 1 ≤ N ≤ N_max.
    pub fn run(&self, q: &[i32], k: &[i32], v: &[i32]) -> Trace {
        let (hm, he) = (self.heads * self.features, self.heads * self.values);
        let n = q.len() / hm;
        assert!(n >= 1 && n <= self.n_max && k.len() == n * hm && v.len() == n * he && q.len() == n * hm);
        let (f, tables) = (&self.formats, &self.tables);
        let a = Self::phis(k, f.k, f.a, &tables.phi_k, tables.phi_bits);
        let mut t = Trace {
            b: Self::phis(q, f.q, f.b, &tables.phi_q, tables.phi_bits),
            aw: self.fused_keys(&a),
            a,
            p: vec![0; n * self.heads * self.chunked().unwrap_or(0)],
            z: vec![0; hm * self.values],
            s: vec![0; hm],
            h: vec![0; hm * self.values],
            g: vec![0; hm],
            c: vec![0; n * self.heads],
            num: vec![0; n * he],
            y: vec![0; n * he],
        };
        let seal = self.sealer();
        let (mut num, mut room) = (Vec::new(), Room::default());
        for head in 0..self.heads {
            match (self.order, self.chunked()) {
                (Order::TwoPass, _) => {
                    self.write(&mut t, head, 0, n, v, &seal);
                    self.read(&mut t, head, 0, n, &mut num);
                }
                (Order::Causal, Some(chunk)) => {
                    for first in (0..n).step_by(chunk) {
                        let tokens = (first, chunk.min(n - first));
                        self.chunk(&mut t, head, tokens, v, &seal, &mut room);
                    }
                }
                (Order::Causal, None) => {
                    for token in 0..n {
                        self.write(&mut t, head, token, 1, v, &seal);
                        self.read(&mut t, head, token, 1, &mut num);
                    }
                }
            }
        }
        t
    }

    /// Writes `count` tokens from `first` into Z and s of one head, then seals.
    fn write(&self, t: &mut Trace, head: usize, first: usize, count: usize, v: &[i32], seal: &Seal<'_>) {
        let (m, e) = (self.features, self.values);
        let (hm, he) = (self.heads * m, self.heads * e);
        let (entries, sums) = (head * m * e..(head + 1) * m * e, head * m..(head + 1) * m);
        // Z += (aw)ᵀ v: feature i's row of the left factor is column i of aw.
        let aw = Strided {
            words: &t.aw[first * hm + head * m..],
            row: 1,
            column: hm,
        };
        let v = Strided {
            words: &v[first * he + head * e..],
            row: he,
            column: 1,
        };
        product(&mut t.z[entries.clone()], m, count, aw, v);
        for row in t.a[first * hm..(first + count) * hm].chunks_exact(hm) {
            t.s[sums.clone()]
                .iter_mut()
                .zip(&row[sums.clone()])
                .for_each(|(s, &a)| *s += a as i64);
        }
        for i in sums {
            t.g[i] = self.power(t.s[i]);
        }
        seal.run(&t.z[entries.clone()], &mut t.h[entries]);
    }

    /// Reads `count` tokens from `first` of one head; `num` is room to work in.
    fn read(&self, t: &mut Trace, head: usize, first: usize, count: usize, num: &mut Vec<i64>) {
        let (m, e, heads) = (self.features, self.values, self.heads);
        let b = Strided {
            words: &t.b[(first * heads + head) * m..],
            row: heads * m,
            column: 1,
        };
        let h = Strided {
            words: &t.h[head * m * e..(head + 1) * m * e],
            row: e,
            column: 1,
        };
        num.clear();
        num.resize(count * e, 0);
        product(num, count, m, b, h);
        dots(
            &mut t.c[first * heads + head..],
            heads,
            count,
            b,
            &t.g[head * m..(head + 1) * m],
        );
        self.divide(t, head, first, num);
    }

    /// y of one head's tokens from `first` from their num and from C, of which only the sum has been computed.
    pub(super) fn divide(&self, t: &mut Trace, head: usize, first: usize, num: &[i64]) {
        let (e, heads) = (self.values, self.heads);
        let (c_min, normaliser, num_bits) = (self.c_min(), self.normaliser(), self.num_bits());
        for (k, num) in num.chunks_exact(e).enumerate() {
            let at = (first + k) * heads + head;
            t.c[at] = t.c[at].max(c_min);
            let (exponent, mant) = split(t.c[at], self.tables.reciprocal_bits);
            let r = self.tables.reciprocal[mant];
            t.num[at * e..(at + 1) * e].copy_from_slice(num);
            normaliser.row(num, exponent, r, num_bits, &mut t.y[at * e..(at + 1) * e]);
        }
    }
}

/// φ where x ≥ 0: x + 1, rounded.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn above(rounder: Rounder, one: i64, x: &[i32], out: &mut [i32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = rounder.apply(x as i64 + one);
    }
}
