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

pub use super::datapath::Trace;
pub use super::normalise::Normaliser;
use crate::format::{Format, growth};
use crate::spec::{self, Nonlinearity, Order, QuantizeSpec};
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

impl AttentionFormats {
    /// p, the scores inside a chunk: num is b·H + p·v, so both products have one fraction.
    pub fn p(&self) -> Format {
        Format::new(self.h.bits, self.b.frac + self.h.frac - self.v.frac)
    }
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
    /// T, the tokens of a chunk of causal attention; 1 for the recurrence and for two-pass attention.
    pub chunk: usize,
    /// f of H = f(Z/S).
    pub nonlinearity: Nonlinearity,
    /// Formats.
    pub formats: AttentionFormats,
    /// Tables.
    pub tables: AttentionTables,
    /// Positional keys, Hh × N_max × m, format (W, a.frac), never negative; empty in the baselines without w.
    pub w: Vec<i32>,
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
            chunk: quantize.chunk,
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

    /// T where the attention is chunked.
    pub fn chunked(&self) -> Option<usize> {
        (self.chunk > 1).then_some(self.chunk)
    }

    /// Width of a score Σ_i b_i·aw_i with sign.
    pub fn score_bits(&self) -> u32 {
        spec::score_bits(self.width(), self.features)
    }

    /// Width of num with sign: Σ_i b_i H_ij, in chunks + Σ_τ p_τ v_τj.
    pub fn num_bits(&self) -> u32 {
        2 * self.width() - 1 + growth(self.features + self.chunked().unwrap_or(0))
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

    /// Refuses sizes, formats or table lengths that the law does not allow: an image may come from anywhere.
    pub fn validate(&self) -> Result<()> {
        use spec::range;
        range("attention.heads", self.heads, 1, 8)?;
        range("attention.features", self.features, 1, 64)?;
        range("attention.values", self.values, 1, 64)?;
        range("attention.n_max", self.n_max, 1, 512)?;
        let (f, t, w) = (&self.formats, &self.tables, self.width());
        range("attention.formats.k.bits", w, 8, 18)?;
        let kind = (self.order, self.nonlinearity);
        spec::check_chunk("attention.chunk", self.chunk, kind, (w, self.features))?;
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
}
