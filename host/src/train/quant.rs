//! What quantisation-aware training rounds: the formats and tables of a calibrated model, applied to float tensors with gradients.
//!
//! A value is on the grid of its tensor's format exactly as in the integer twin; the gradient passes straight through where the value is in range
//! and stops where it saturates. φ, s^α, 1/C, f and the units of `serial` read the stored tables (`docs/arithmetic.md` sections 2, 4, 5 and 7) with
//! the slopes of the functions they stand for. Sums are f32: at 8 bits they are exact but for C, which a table's mantissa shortens anyway. The one
//! rounding left out is that of n inside `normalise` (16 bits or more, before one to W bits).
//!
//! ```
//! use astromorph_host::train::{ops, quant};
//! use astromorph::format::Format;
//! let x = ops::constant(vec![0.3, 0.4375, -9.0], [3]).require_grad();
//! let y = quant::round(Format::new(8, 4), x.clone());               // steps of 1/16, −8 .. 7.94
//! assert_eq!(ops::values(y.clone()), [0.3125, 0.4375, -8.0]);
//! let g = x.grad(&y.sum().backward()).unwrap();
//! assert_eq!(ops::values(g), [1.0, 1.0, 0.0]);
//! ```

use super::{kernels, ops};
use astromorph::Result;
use astromorph::format::{Format, requant, split};
use astromorph::image::Image;
use astromorph::spec::{Activation, Nonlinearity};
use astromorph::twin::{Activate, AttentionFormats, AttentionTables};
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// Formats and tables of a model.
#[derive(Clone, Debug)]
pub struct QuantPlan {
    /// Formats by name: weights (`head.weight`), and activations by the names of `docs/arithmetic.md` section 8 (`layers.0.q`).
    pub formats: BTreeMap<String, Format>,
    /// Formats and tables of each layer's attention.
    pub attention: Vec<(AttentionFormats, AttentionTables)>,
    /// Format of u and the activation of each layer.
    pub activate: Vec<(Format, Activate)>,
    /// Words of 1/√ and their mantissa bits.
    pub rsqrt: Vec<i32>,
    /// Mantissa bits of `rsqrt`.
    pub rsqrt_bits: u32,
    /// Words of 1/C and their mantissa bits, for the mean.
    pub reciprocal: (Vec<i32>, u32),
    /// T, where causal attention is in chunks.
    pub chunk: Option<usize>,
}

/// Rounds to a format: half up, saturated; the gradient passes where the value is in range.
pub fn round<const D: usize>(format: Format, x: Tensor<D>) -> Tensor<D> {
    ops::pointwise(x, |x, y, d| {
        kernels::round(format.frac, format.min() as f32, format.max() as f32, x, y, d)
    })
}

impl QuantPlan {
    /// What an image's forward pass rounds to, and the very tables it stores.
    pub fn from_image(image: &Image) -> Result<QuantPlan> {
        let (spec, bits, plan) = (image.spec(), image.quantize(), image.plan());
        let attention = (0..spec.layers).map(|l| {
            let attention = image.attention(l)?;
            Ok((attention.formats, attention.tables))
        });
        let activate = (0..spec.layers).map(|l| {
            let at = |x: &str| format!("layers.{l}.{x}");
            let (fu, ff) = (plan.format(&at("u"))?, plan.format(&at("f"))?);
            let unit = match spec.feed_forward.activation {
                Activation::Relu => Activate::relu(fu, ff),
                Activation::Gelu => {
                    Activate::gelu(fu, ff, image.narrow(&at("feed_forward.gelu"))?, bits.gelu_index_bits)
                }
            };
            Ok((fu, unit))
        });
        Ok(QuantPlan {
            formats: plan.formats.clone(),
            attention: attention.collect::<Result<_>>()?,
            activate: activate.collect::<Result<_>>()?,
            rsqrt: image.narrow("tables.rsqrt")?,
            rsqrt_bits: bits.rsqrt_mantissa_bits,
            reciprocal: (image.narrow("tables.reciprocal")?, bits.reciprocal_mantissa_bits),
            chunk: bits.chunked(),
        })
    }

    /// The format of a tensor that is rounded on its own.
    pub fn format(&self, name: &str) -> Option<Format> {
        self.formats.get(name).copied()
    }
}

/// φ of values in format `fi` to `fo` through its table.
pub fn phi<const D: usize>(fi: Format, fo: Format, table: &[i32], bits: u32, x: Tensor<D>) -> Tensor<D> {
    let (up, ulp) = ((fi.frac as f32).exp2(), fo.ulp() as f32);
    let bin = fi.bits - 1 - bits;
    ops::pointwise(x, |x, y, d| {
        for i in 0..x.len() {
            let raw = (x[i] * up) as i64; // x is on the grid already
            let word = match raw >= 0 {
                true => requant(raw + (1i64 << fi.frac.clamp(0, 40)), fi.frac, fo),
                false => table[((raw - fi.min()) >> bin) as usize] as i64,
            };
            y[i] = word as f32 * ulp;
            d[i] = if word == fo.max() { 0.0 } else { x[i].min(0.0).exp() };
        }
    })
}

/// s^α through its table; `frac` is the fraction of s.
pub fn power<const D: usize>(tables: &AttentionTables, frac: i32, g: Format, alpha: f32, s: Tensor<D>) -> Tensor<D> {
    let (up, ulp) = ((frac as f32).exp2(), g.ulp() as f32);
    ops::pointwise(s, |s, y, d| {
        for i in 0..s.len() {
            let (e, mant) = split(((s[i] * up + 0.5) as i64).max(1), tables.power_bits);
            let at = (((e as usize) << tables.power_bits) + mant).min(tables.power.len() - 1);
            y[i] = tables.power[at] as f32 * ulp;
            d[i] = alpha * s[i].max(super::attention::EPSILON).powf(alpha - 1.0);
        }
    })
}

/// 1/C through its table; `frac` is the fraction of C.
pub fn reciprocal<const D: usize>(tables: &AttentionTables, frac: i32, c: Tensor<D>) -> Tensor<D> {
    let up = (frac as f64).exp2();
    let least = ((frac as f64 - 10.0).exp2().round()).max(1.0) as i64;
    ops::pointwise(c, |c, y, d| {
        for i in 0..c.len() {
            let raw = ((c[i] as f64 * up + 0.5) as i64).max(least);
            let (e, mant) = split(raw, tables.reciprocal_bits);
            let p = tables.reciprocal[mant] as f64 * (frac as f64 - 15.0 - e as f64).exp2();
            y[i] = p as f32;
            d[i] = if raw == least { 0.0 } else { -(p * p) as f32 };
        }
    })
}

/// H = f(Z) in its format.
pub fn seal<const D: usize>(f: Nonlinearity, h: Format, tables: &AttentionTables, z: Tensor<D>) -> Tensor<D> {
    match f {
        Nonlinearity::Identity => round(h, z),
        Nonlinearity::Sigmoid => {
            let u = Format::new(tables.sigmoid_bits, tables.sigmoid_bits as i32 - 4);
            let ulp = h.ulp() as f32;
            ops::pointwise(z, |z, y, d| {
                for i in 0..z.len() {
                    y[i] = tables.sigmoid[(u.encode(z[i] as f64) - u.min()) as usize] as f32 * ulp;
                    d[i] = y[i] * (1.0 - y[i]);
                }
            })
        }
        Nonlinearity::HardSigmoid => {
            let u = Format::new(h.bits + 1, h.frac);
            ops::pointwise(z, |z, y, d| {
                for i in 0..z.len() {
                    let raw = u.encode(z[i] as f64 / 4.0) + (1i64 << (h.bits - 2));
                    y[i] = h.decode(raw.clamp(0, h.max())) as f32;
                    d[i] = if raw > 0 && raw < h.max() { 0.25 } else { 0.0 };
                }
            })
        }
    }
}
