//! What quantisation-aware training rounds: the formats and tables of a calibrated model, applied to float tensors with gradients.
//!
//! A value is on the grid of its tensor's format exactly as in the integer twin; the gradient passes straight through where the value is in range
//! and stops where it saturates. φ, s^α, 1/C and f read the stored tables (`docs/arithmetic.md` sections 2, 4 and 5) with the slopes of the
//! functions they stand for. Layer norm, the run-time shift of `normalise` (SW bits) and the biases are left in float: each is finer than the
//! rounding behind it.
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

use super::ops;
use astromorph::format::{Format, requant, split};
use astromorph::spec::{ModelSpec, Nonlinearity, QuantizeSpec};
use astromorph::table;
use astromorph::twin::{AttentionFormats, AttentionTables};
use astromorph::weights::Weights;
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// Formats and tables of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantPlan {
    /// Formats of weights by tensor name (`head.weight`) and of activations by the names of `docs/arithmetic.md` section 8 (`layers.0.q`).
    pub formats: BTreeMap<String, Format>,
    /// Formats and tables of each layer's attention.
    pub attention: Vec<(AttentionFormats, AttentionTables)>,
}

/// Largest magnitude of every named tensor in the float model, over the calibration examples.
pub type Ranges = BTreeMap<String, f32>;

/// Rounds to a format: half up, saturated; the gradient passes where the value is in range.
pub fn round<const D: usize>(format: Format, x: Tensor<D>) -> Tensor<D> {
    let (lo, hi) = (format.decode(format.min()) as f32, format.decode(format.max()) as f32);
    let (up, ulp) = ((format.frac as f32).exp2(), format.ulp() as f32);
    ops::rounded(x, lo, hi, |x| ((x * up + 0.5).floor() * ulp).clamp(lo, hi))
}

impl QuantPlan {
    /// A plan of weights and observed ranges: every activation the most fraction bits that hold its range, every weight its own largest entry.
    pub fn from_ranges(spec: &ModelSpec, quantize: &QuantizeSpec, weights: &Weights, ranges: &Ranges) -> QuantPlan {
        let (w, serial) = (quantize.activation_bits, quantize.activation_bits.max(16));
        let range = |name: &str| ranges.get(name).copied().unwrap_or(1.0) as f64;
        let mut formats: BTreeMap<String, Format> = ranges
            .iter()
            .map(|(name, limit)| (name.clone(), Format::holding(w, *limit as f64)))
            .collect();
        formats.insert("logits".into(), Format::holding(serial, range("logits")));
        for (name, tensor) in &weights.tensors {
            let dense = tensor.shape.len() == 2;
            if dense {
                let mut largest = tensor.data.iter().fold(0f32, |m, x| m.max(x.abs())) as f64;
                if let Some(prefix) = name.strip_suffix("w_v") {
                    let log_s = weights.tensors.get(&format!("{prefix}log_s"));
                    let least = log_s.map_or(0.0, |t| t.data.iter().copied().fold(f32::INFINITY, f32::min));
                    largest *= (-least as f64).exp(); // 1/S is folded into W_V
                }
                formats.insert(name.clone(), Format::holding(quantize.weight_bits, largest));
            }
        }
        let layers = (0..spec.layers).map(|l| {
            let of = |x: &str, bits| Format::holding(bits, range(&format!("layers.{l}.{x}")));
            let unit = Format::new(w, w as i32 - 1);
            let h = if spec.nonlinearity == Nonlinearity::Identity {
                of("H", w)
            } else {
                unit
            };
            // w and a + w share a's format.
            let a = Format::holding(w, range(&format!("layers.{l}.aw")).max(range(&format!("layers.{l}.a"))));
            let formats = AttentionFormats {
                q: of("q", w),
                k: of("k", w),
                v: of("v", w),
                a,
                b: of("b", w),
                h,
                g: of("g", serial),
                y: of("y", w),
            };
            let sigmoid = spec.nonlinearity == Nonlinearity::Sigmoid;
            let tables = AttentionTables {
                phi_k: table::phi(formats.k, formats.a, quantize.phi_index_bits),
                phi_q: table::phi(formats.q, formats.b, quantize.phi_index_bits),
                power: table::power(
                    spec.effective_alpha(),
                    formats.a.frac,
                    table::calcium_bits(w, spec.n_max),
                    quantize.power_mantissa_bits,
                    formats.g,
                ),
                reciprocal: table::reciprocal(quantize.reciprocal_mantissa_bits),
                sigmoid: if sigmoid {
                    table::sigmoid(quantize.sigmoid_index_bits, w)
                } else {
                    Vec::new()
                },
                phi_bits: table::phi_index_bits(w, quantize.phi_index_bits),
                power_bits: quantize.power_mantissa_bits,
                reciprocal_bits: quantize.reciprocal_mantissa_bits,
                sigmoid_bits: quantize.sigmoid_index_bits,
            };
            (formats, tables)
        });
        let attention: Vec<_> = layers.collect();
        for (l, (f, _)) in attention.iter().enumerate() {
            for (x, format) in [
                ("q", f.q),
                ("k", f.k),
                ("v", f.v),
                ("a", f.a),
                ("aw", f.a),
                ("w", f.a),
                ("b", f.b),
                ("H", f.h),
                ("y", f.y),
            ] {
                formats.insert(format!("layers.{l}.{x}"), format);
            }
        }
        QuantPlan { formats, attention }
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
