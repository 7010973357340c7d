//! The serial units behind the array, in the rounded pass: layer norm, activation and mean as the integer twin computes them, word for word,
//! with the gradients of the functions they stand for (`docs/arithmetic.md` section 7).
//!
//! ```
//! use astromorph_host::train::{ops, serial};
//! use astromorph::format::Format;
//! let float = ops::constant(vec![0.30, 9.0], [2]).require_grad();
//! let y = serial::as_words(float.clone(), Format::new(8, 4), vec![5, 127]); // what the integers said: 5/16 and saturation
//! assert_eq!(ops::values(y.clone()), [0.3125, 7.9375]);
//! assert_eq!(ops::values(float.grad(&y.sum().backward()).unwrap()), [1.0, 0.0]);
//! ```

use super::kernels;
use super::ops::{self, pointwise};
use super::quant::QuantPlan;
use astromorph::format::Format;
use astromorph::spec::Activation;
use astromorph::twin::{LayerNorm, Mean, NormFormats};
use burn::tensor::Tensor;

/// The float result with the integers' words for its value; the gradient passes where the float value is in the words' range.
pub fn as_words<const D: usize>(float: Tensor<D>, format: Format, words: Vec<i32>) -> Tensor<D> {
    let (lo, hi, ulp) = (
        format.decode(format.min()) as f32,
        format.decode(format.max()) as f32,
        format.ulp() as f32,
    );
    pointwise(float, |x, y, d| {
        for i in 0..x.len() {
            y[i] = words[i] as f32 * ulp;
            d[i] = if x[i] >= lo && x[i] <= hi { 1.0 } else { 0.0 };
        }
    })
}

/// Words of values that are on their format's grid.
fn words(format: Format, x: &[f32]) -> Vec<i32> {
    let up = (format.frac as f32).exp2();
    x.iter().map(|x| (x * up) as i32).collect()
}

/// Layer norm from tensor `input` to tensor `output` with the γ and β of `prefix`, folded and rounded as for the hardware.
pub fn layer_norm(
    plan: &QuantPlan,
    [prefix, input, output]: [&str; 3],
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
) -> Tensor<2> {
    let formats = [
        input,
        &format!("{prefix}.n"),
        &format!("{prefix}.gamma"),
        &format!("{prefix}.beta"),
        output,
    ];
    let [Some(fx), Some(fn_), Some(fg), Some(fb), Some(out)] = formats.map(|name| plan.format(name)) else {
        return ops::layer_norm(x, gamma, beta); // a layer norm the plan does not have is left in float
    };
    let (g, b) = (ops::values(gamma.clone()), ops::values(beta.clone()));
    let root = (g.len() as f64).sqrt();
    let norm = LayerNorm::new(
        g.iter().map(|g| fg.encode(*g as f64 * root) as i32).collect(),
        b.iter().map(|b| fb.encode(*b as f64)).collect(),
        NormFormats {
            x: fx,
            n: fn_,
            gamma: fg,
            beta: fb,
            out,
        },
        plan.rsqrt.clone(),
        plan.rsqrt_bits,
    );
    let y = norm.run(&words(fx, &ops::values(x.clone())));
    as_words(ops::layer_norm(x, gamma, beta), out, y)
}

/// The activation of layer `l`.
pub fn activate(plan: &QuantPlan, l: usize, kind: Activation, u: Tensor<2>) -> Tensor<2> {
    let (fu, unit) = &plan.activate[l];
    pointwise(u, |u, y, d| {
        match kind {
            Activation::Relu => kernels::relu(u, y, d),
            Activation::Gelu => kernels::gelu(u, y, d),
        }
        let (out, found) = (unit.out(), unit.run(&words(*fu, u)));
        for (i, word) in found.into_iter().enumerate() {
            y[i] = out.decode(word as i64) as f32;
            if word as i64 == out.max() {
                d[i] = 0.0;
            }
        }
    })
}

/// The mean over each sequence's own tokens: x is B × T × D in format `from`, `float` its mean.
pub fn mean(plan: &QuantPlan, from: Format, x: &[f32], lengths: &[usize], float: Tensor<2>) -> Tensor<2> {
    let Some(out) = plan.format("pooled") else { return float };
    let [b, d] = float.dims();
    let tokens = x.len() / (b * d);
    let (reciprocal, bits) = &plan.reciprocal;
    let longest = lengths.iter().copied().max().unwrap_or(1);
    let unit = Mean::new(from, out, longest, reciprocal.clone(), *bits);
    let rows = x.chunks_exact(tokens * d).zip(lengths);
    let found = rows.flat_map(|(x, n)| unit.run(&words(from, &x[..n * d]), d)).collect();
    as_words(float, out, found)
}
