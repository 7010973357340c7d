//! One layer's astromorphic attention in integers: what the core in RustHDL is, word for word.
//!
//! Signature: q, k (N × Hh·m) and v (N × Hh·e), raw operands of W bits, token by token with the heads side by side → y (N × Hh·e).
//! Law and widths: `docs/arithmetic.md` sections 2 to 6. Equations: Mia et al. (2025) 8–17; the scale S is folded into v.
//!
//! Worked example, one head, m = e = 1 feature, α = 1, no positional key, all formats 16 bits with 8 fraction bits. k = 0 → a = φ(0) = 1;
//! v = 3: Z = 3, s = 1. q = 1 → b = 2: num = 6, C = 2, y = 3 (the single value written comes back).
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::spec::{Nonlinearity, Order};
//! use astromorph::twin::{Attention, AttentionFormats};
//! let f = Format::new(16, 8);
//! let att = Attention::build(1, 1, 1, 4, Order::TwoPass, Nonlinearity::Identity, 1.0,
//!     AttentionFormats { q: f, k: f, v: f, a: f, b: f, h: f, g: f, y: f }, &Default::default(), Vec::new());
//! let t = att.run(&[256], &[0], &[3 * 256]);
//! assert_eq!((t.a[0], t.b[0], t.s[0]), (256, 512, 256));
//! // s = 1.0 lies at the low end of its power bin (6 mantissa bits: middle 1 + 1/128), so C is 0.8 % high and y as much low.
//! assert_eq!((t.g[0], t.y[0]), (258, 761));
//! ```

use super::kernel::accumulate;
use crate::format::{Format, dynround, growth, requant, saturate, split};
use crate::spec::{Nonlinearity, Order, QuantizeSpec};
use crate::table;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Formats of the attention's tensors. All but g are W bits; g has SW = max(16, W).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionFormats {
    /// Queries.
    pub q: Format,
    /// Keys.
    pub k: Format,
    /// Values (already divided by S).
    pub v: Format,
    /// a = φ(k), and w and a + w.
    pub a: Format,
    /// b = φ(q).
    pub b: Format,
    /// Sealed H.
    pub h: Format,
    /// g = s^α.
    pub g: Format,
    /// Output.
    pub y: Format,
}

/// The words of the tables (`table.rs`), with their index widths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionTables {
    /// exp for φ(k).
    pub phi_k: Vec<i32>,
    /// exp for φ(q).
    pub phi_q: Vec<i32>,
    /// s^α.
    pub power: Vec<i32>,
    /// 1/C.
    pub reciprocal: Vec<i32>,
    /// σ; empty unless the non-linearity is the sigmoid.
    pub sigmoid: Vec<i32>,
    /// Index bits of `phi_k` and `phi_q`.
    pub phi_bits: u32,
    /// Mantissa bits of `power`.
    pub power_bits: u32,
    /// Mantissa bits of `reciprocal`.
    pub reciprocal_bits: u32,
    /// Index bits of `sigmoid`.
    pub sigmoid_bits: u32,
}

/// Sizes, formats and tables of one layer's attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Hh.
    pub heads: usize,
    /// m.
    pub features: usize,
    /// e.
    pub values: usize,
    /// N_max.
    pub n_max: usize,
    /// Two-pass or causal.
    pub order: Order,
    /// f of H = f(Z/S).
    pub nonlinearity: Nonlinearity,
    /// Formats.
    pub formats: AttentionFormats,
    /// Tables.
    pub tables: AttentionTables,
    /// Positional keys, Hh × N_max × m, format (W, a.frac), never negative; empty in the baselines without w.
    pub w: Vec<i32>,
}

/// Every intermediate tensor of one sequence, in raw integers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// φ(k), N × Hh·m.
    pub a: Vec<i32>,
    /// φ(q), N × Hh·m.
    pub b: Vec<i32>,
    /// a + w saturated, N × Hh·m.
    pub aw: Vec<i32>,
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

/// The constants of one `normalise`: y = num/C (`docs/arithmetic.md` section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normaliser {
    /// L: exact shift to the left that keeps the run-time shift from being negative.
    pub left: u32,
    /// κ + L: the run-time shift is E + `offset`, never negative for C ≥ c_min.
    pub offset: i32,
    /// SW, the width of the multiplier's operand.
    pub serial_bits: u32,
    /// The product's shift, 15 + γ.
    pub shift: i32,
    /// Output width W.
    pub bits: u32,
}

impl Normaliser {
    /// From the fractions of num and C, the output format and the smallest C.
    pub fn new(num_frac: i32, c_frac: i32, y: Format, c_min: i64) -> Self {
        let serial_bits = y.bits.max(16);
        let gamma = serial_bits as i32 - 1 - y.bits as i32;
        let kappa = num_frac - c_frac - y.frac - gamma;
        let e_min = 63 - c_min.leading_zeros() as i32;
        let left = (-(kappa + e_min)).max(0);
        Normaliser {
            left: left as u32,
            offset: kappa + left,
            serial_bits,
            shift: 15 + gamma,
            bits: y.bits,
        }
    }

    /// y = num/C with the reciprocal table of `mantissa_bits`.
    #[inline(always)]
    pub fn apply(&self, num: i64, c: i64, table: &[i32], mantissa_bits: u32) -> i32 {
        let (e, mant) = split(c, mantissa_bits);
        self.scale(num, e, table[mant])
    }

    /// The same with exponent and reciprocal mantissa already looked up.
    #[inline(always)]
    pub fn scale(&self, num: i64, e: u32, r: i32) -> i32 {
        let wide = (num as i128) << self.left;
        let n = if wide as i64 as i128 == wide {
            dynround(wide as i64, (e as i32 + self.offset) as u32, self.serial_bits)
        } else {
            // The left shift serves the smallest C; a num this large with it saturates at any shift.
            let shifted = (((wide << 1) >> (e as i32 + self.offset)) + 1) >> 1;
            saturate(
                shifted.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
                self.serial_bits,
            )
        };
        requant(n * r as i64, self.shift, Format::new(self.bits, 0)) as i32
    }
}

impl Attention {
    /// Makes the tables for given sizes and formats. `w` is Hh × N_max × m or empty.
    #[allow(clippy::too_many_arguments)] // each is one size of the law
    pub fn build(
        heads: usize,
        features: usize,
        values: usize,
        n_max: usize,
        order: Order,
        nonlinearity: Nonlinearity,
        alpha: f64,
        formats: AttentionFormats,
        quantize: &QuantizeSpec,
        w: Vec<i32>,
    ) -> Self {
        let f = formats;
        let bits = f.k.bits;
        let exponents = table::calcium_bits(bits, n_max);
        let sigmoid = nonlinearity == Nonlinearity::Sigmoid;
        let tables = AttentionTables {
            phi_k: table::phi(f.k, f.a, quantize.phi_index_bits),
            phi_q: table::phi(f.q, f.b, quantize.phi_index_bits),
            power: table::power(alpha, f.a.frac, exponents, quantize.power_mantissa_bits, f.g),
            reciprocal: table::reciprocal(quantize.reciprocal_mantissa_bits),
            sigmoid: if sigmoid {
                table::sigmoid(quantize.sigmoid_index_bits, bits)
            } else {
                Vec::new()
            },
            phi_bits: table::phi_index_bits(bits, quantize.phi_index_bits),
            power_bits: quantize.power_mantissa_bits,
            reciprocal_bits: quantize.reciprocal_mantissa_bits,
            sigmoid_bits: quantize.sigmoid_index_bits,
        };
        Attention {
            heads,
            features,
            values,
            n_max,
            order,
            nonlinearity,
            formats,
            tables,
            w,
        }
    }

    /// Operand width W.
    pub fn width(&self) -> u32 {
        self.formats.k.bits
    }

    /// SW, the width of the serial units' operands.
    pub fn serial_width(&self) -> u32 {
        self.width().max(16)
    }

    /// Fraction of Z.
    pub fn z_frac(&self) -> i32 {
        self.formats.a.frac + self.formats.v.frac
    }

    /// Width of Z: |Z| ≤ N (2^(W−1)−1) 2^(W−1).
    pub fn z_bits(&self) -> u32 {
        2 * self.width() - 1 + growth(self.n_max)
    }

    /// Width of s with sign.
    pub fn s_bits(&self) -> u32 {
        self.width() + growth(self.n_max)
    }

    /// Width of num = Σ_i b_i H_ij with sign.
    pub fn num_bits(&self) -> u32 {
        2 * self.width() - 1 + growth(self.features)
    }

    /// Width of C with sign.
    pub fn c_bits(&self) -> u32 {
        self.width() + self.serial_width() - 1 + growth(self.features)
    }

    /// The smallest calcium response, 2^-10 in C's fraction.
    pub fn c_min(&self) -> i64 {
        let frac = self.formats.b.frac + self.formats.g.frac - 10;
        1i64 << frac.clamp(0, 62)
    }

    /// The constants of y = num/C.
    pub fn normaliser(&self) -> Normaliser {
        let f = &self.formats;
        Normaliser::new(f.b.frac + f.h.frac, f.b.frac + f.g.frac, f.y, self.c_min())
    }

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

    /// w of one head and token, or zero.
    #[inline(always)]
    fn key(&self, head: usize, t: usize, i: usize) -> i32 {
        if self.w.is_empty() {
            0
        } else {
            self.w[(head * self.n_max + t) * self.features + i]
        }
    }

    /// Refuses sizes, formats or table lengths that the law does not allow: an image may come from anywhere.
    pub fn validate(&self) -> Result<()> {
        use crate::spec::range;
        range("attention.heads", self.heads, 1, 8)?;
        range("attention.features", self.features, 1, 64)?;
        range("attention.values", self.values, 1, 64)?;
        range("attention.n_max", self.n_max, 1, 512)?;
        let (f, t, w) = (&self.formats, &self.tables, self.width());
        range("attention.formats.k.bits", w, 8, 18)?;
        let named = [
            ("q", f.q),
            ("k", f.k),
            ("v", f.v),
            ("a", f.a),
            ("b", f.b),
            ("h", f.h),
            ("y", f.y),
            ("g", f.g),
        ];
        for (name, fmt) in named {
            let bits = if name == "g" { self.serial_width() } else { w };
            if fmt.bits != bits {
                return Err(Error::field(
                    format!("attention.formats.{name}.bits"),
                    bits.to_string(),
                    fmt.bits,
                ));
            }
            range(&format!("attention.formats.{name}.frac"), fmt.frac, -24, 40)?;
        }
        for (name, fmt) in [("q", f.q), ("k", f.k)] {
            range(&format!("attention.formats.{name}.frac"), fmt.frac, 0, 24)?;
        }
        if self.nonlinearity != Nonlinearity::Identity && f.h.frac != w as i32 - 1 {
            return Err(Error::field(
                "attention.formats.h.frac",
                format!("{} with a sigmoid", w - 1),
                f.h.frac,
            ));
        }
        range("attention.tables.phi_bits", t.phi_bits, 1, w - 1)?;
        range("attention.tables.power_bits", t.power_bits, 1, 12)?;
        range("attention.tables.reciprocal_bits", t.reciprocal_bits, 1, 14)?;
        let exponents = table::calcium_bits(w, self.n_max) as usize;
        let sigmoid = if self.nonlinearity == Nonlinearity::Sigmoid {
            range("attention.tables.sigmoid_bits", t.sigmoid_bits, 4, 14)?;
            1 << t.sigmoid_bits
        } else {
            0
        };
        let top = f.a.max() as i32;
        let lengths = [
            ("phi_k", &t.phi_k, 1usize << t.phi_bits, top),
            ("phi_q", &t.phi_q, 1 << t.phi_bits, top),
            ("power", &t.power, exponents << t.power_bits, f.g.max() as i32),
            ("reciprocal", &t.reciprocal, 1 << t.reciprocal_bits, i16::MAX as i32),
            ("sigmoid", &t.sigmoid, sigmoid, top),
            (
                "w",
                &self.w,
                if self.w.is_empty() {
                    0
                } else {
                    self.heads * self.n_max * self.features
                },
                top,
            ),
        ];
        for (name, words, length, top) in lengths {
            if words.len() != length {
                return Err(Error::field(
                    format!("attention.{name}"),
                    format!("{length} words"),
                    words.len(),
                ));
            }
            if let Some(word) = words.iter().find(|&&x| x < 0 || x > top) {
                return Err(Error::field(
                    format!("attention.{name}"),
                    format!("words in 0..={top}"),
                    word,
                ));
            }
        }
        Ok(())
    }

    /// Runs one sequence of N = q.len()/(Hh·m) tokens, 1 ≤ N ≤ N_max.
    pub fn run(&self, q: &[i32], k: &[i32], v: &[i32]) -> Trace {
        let (hm, he) = (self.heads * self.features, self.heads * self.values);
        let n = q.len() / hm;
        assert!(n >= 1 && n <= self.n_max && k.len() == n * hm && v.len() == n * he && q.len() == n * hm);
        let (f, tables) = (&self.formats, &self.tables);
        let mut t = Trace {
            a: k.iter()
                .map(|&x| Self::phi(x, f.k, f.a, &tables.phi_k, tables.phi_bits))
                .collect(),
            b: q.iter()
                .map(|&x| Self::phi(x, f.q, f.b, &tables.phi_q, tables.phi_bits))
                .collect(),
            z: vec![0; hm * self.values],
            s: vec![0; hm],
            h: vec![0; hm * self.values],
            g: vec![0; hm],
            c: vec![0; n * self.heads],
            num: vec![0; n * he],
            y: vec![0; n * he],
            ..Trace::default()
        };
        let top = f.a.max() as i32;
        t.aw = t.a.clone();
        if !self.w.is_empty() {
            for (x, aw) in t.aw.iter_mut().enumerate() {
                let (token, column) = (x / hm, x % hm);
                *aw = (*aw + self.key(column / self.features, token, column % self.features)).min(top);
            }
        }
        let mut values = Vec::new();
        for head in 0..self.heads {
            match self.order {
                Order::TwoPass => {
                    // v of this head, token by token, so that the write is one product of (aw)ᵀ and v.
                    values.clear();
                    for row in v.chunks_exact(he) {
                        values.extend_from_slice(&row[head * self.values..(head + 1) * self.values]);
                    }
                    self.write(&mut t, head, 0..n, &values);
                    for token in 0..n {
                        self.read(&mut t, head, token);
                    }
                }
                Order::Causal => {
                    for token in 0..n {
                        let row = &v[token * he + head * self.values..][..self.values];
                        self.write(&mut t, head, token..token + 1, row);
                        self.read(&mut t, head, token);
                    }
                }
            }
        }
        t
    }

    /// Writes tokens into Z and s of one head, then seals.
    fn write(&self, t: &mut Trace, head: usize, tokens: std::ops::Range<usize>, v: &[i32]) {
        let (m, e, hm) = (self.features, self.values, self.heads * self.features);
        for i in 0..m {
            let column = head * m + i;
            let rows = tokens.start * hm + column..(tokens.end - 1) * hm + column + 1;
            accumulate(&mut t.z[column * e..(column + 1) * e], &t.aw[rows.clone()], hm, v);
            t.s[column] += t.a[rows].iter().step_by(hm).map(|&a| a as i64).sum::<i64>();
            t.g[column] = self.power(t.s[column]);
        }
        for x in head * m * e..(head + 1) * m * e {
            t.h[x] = self.seal(t.z[x]);
        }
    }

    /// Reads one token of one head.
    fn read(&self, t: &mut Trace, head: usize, token: usize) {
        let (m, e) = (self.features, self.values);
        let b = &t.b[(token * self.heads + head) * m..][..m];
        let g = &t.g[head * m..(head + 1) * m];
        let sum: i64 = b.iter().zip(g).map(|(&b, &g)| b as i64 * g as i64).sum();
        let c = sum.max(self.c_min());
        t.c[token * self.heads + head] = c;
        let out = (token * self.heads + head) * e..(token * self.heads + head + 1) * e;
        accumulate(&mut t.num[out.clone()], b, 1, &t.h[head * m * e..(head + 1) * m * e]);
        let (exponent, mant) = split(c, self.tables.reciprocal_bits);
        let (r, normaliser) = (self.tables.reciprocal[mant], self.normaliser());
        for x in out {
            t.y[x] = normaliser.scale(t.num[x], exponent, r);
        }
    }
}
