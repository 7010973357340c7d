//! The elementwise loops of a training step, written so that the compiler makes vectors of them.
//!
//! | kernel | value | derivative or residue kept |
//! |---|---|---|
//! | [`phi`] | elu(x) + 1 | min(φ, 1) |
//! | [`gelu`] | x Φ(x), exact erf | Φ(x) + x φ(x) |
//! | [`relu`] | max(x, 0) | 1 or 0 |
//! | [`round`] | nearest multiple of a power of two, saturated | 1 in range, 0 outside |
//! | [`layer_norm`] | γ x̂ + β over rows of D | x̂, 1/σ |
//!
//! `exp` is the Cephes polynomial (relative error < 2e-7), erf formula 7.1.26 of Abramowitz and Stegun (absolute error < 1.5e-7). Each kernel is
//! compiled for AVX-512, AVX2 and the baseline and picked at run time.
//!
//! ```
//! use astromorph_host::train::kernels;
//! let (mut y, mut d) = ([0.0; 2], [0.0; 2]);
//! kernels::phi(&[-1.0, 2.0], &mut y, &mut d);
//! assert!((y[0] - (-1f32).exp()).abs() < 1e-6 && d[0] == y[0]);
//! assert_eq!((y[1], d[1]), (3.0, 1.0));
//! kernels::gelu(&[1.0, -1.0], &mut y, &mut d);
//! assert!((y[0] - 0.841345).abs() < 1e-6 && (y[1] + 0.158655).abs() < 1e-6);
//! ```

use multiversion::multiversion;

/// ε of every layer norm.
pub const NORM_EPSILON: f32 = 1e-5;

#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2^23: adding it leaves the nearest integer in the low mantissa bits
    let x = x.clamp(-87.0, 88.0);
    let t = x * std::f32::consts::LOG2_E + ROUND;
    let n = t - ROUND;
    let i = (t.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_2e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5.000_000_3e-1;
    (p * r * r + r + 1.0) * f32::from_bits(((i + 127) << 23) as u32)
}

/// φ and φ'.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn phi(x: &[f32], y: &mut [f32], d: &mut [f32]) {
    for ((x, y), d) in x.iter().zip(y).zip(d) {
        let e = exp(x.min(0.0));
        *y = e + x.max(0.0);
        *d = e;
    }
}

/// GELU and its derivative.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn gelu(x: &[f32], y: &mut [f32], d: &mut [f32]) {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    for ((x, y), d) in x.iter().zip(y).zip(d) {
        let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let gauss = exp(-z * z);
        let t = 1.0 / (1.0 + 0.327_591_1 * z);
        let p = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6) * t;
        let tail = 0.5 * p * gauss; // Φ(−|x|)
        let cdf = if *x > 0.0 { 1.0 - tail } else { tail };
        *y = x * cdf;
        *d = cdf + x * gauss * INV_SQRT_2PI;
    }
}

/// ReLU and its derivative.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn relu(x: &[f32], y: &mut [f32], d: &mut [f32]) {
    for ((x, y), d) in x.iter().zip(y).zip(d) {
        *y = x.max(0.0);
        *d = if *x > 0.0 { 1.0 } else { 0.0 };
    }
}

/// To the nearest multiple of 2^-frac (half up) between lo and hi multiples; the slope is 1 inside that range and 0 outside.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn round(frac: i32, lo: f32, hi: f32, x: &[f32], y: &mut [f32], d: &mut [f32]) {
    let (up, ulp) = ((frac as f32).exp2(), (-frac as f32).exp2());
    for ((x, y), d) in x.iter().zip(y).zip(d) {
        let raw = x * up;
        *y = (raw + 0.5).floor().clamp(lo, hi) * ulp;
        *d = if raw >= lo && raw <= hi { 1.0 } else { 0.0 };
    }
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    // Sixteen partial sums: a single one would forbid vectors, and add up more rounding.
    let mut part = [0f32; 16];
    let chunks = x.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for c in chunks {
        for (p, x) in part.iter_mut().zip(c) {
            *p += x;
        }
    }
    part.iter().sum::<f32>() + rest
}

#[inline(always)]
fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut part = [0f32; 16];
    let (cx, cy) = (x.chunks_exact(16), y.chunks_exact(16));
    let rest: f32 = cx.remainder().iter().zip(cy.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in cx.zip(cy) {
        for i in 0..16 {
            part[i] += a[i] * b[i];
        }
    }
    part.iter().sum::<f32>() + rest
}

/// Rows of `gamma.len()` to zero mean and unit variance, then γ and β; keeps x̂ and 1/σ for the way back.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn layer_norm(x: &[f32], gamma: &[f32], beta: &[f32], y: &mut [f32], hat: &mut [f32], inv: &mut [f32]) {
    let d = gamma.len();
    let rows = x
        .chunks_exact(d)
        .zip(y.chunks_exact_mut(d))
        .zip(hat.chunks_exact_mut(d))
        .zip(inv);
    for (((x, y), hat), inv) in rows {
        let mean = sum(x) / d as f32;
        for (h, x) in hat.iter_mut().zip(x) {
            *h = x - mean;
        }
        *inv = 1.0 / (dot(hat, hat) / d as f32 + NORM_EPSILON).sqrt();
        for ((h, y), (g, b)) in hat.iter_mut().zip(y).zip(gamma.iter().zip(beta)) {
            *h *= *inv;
            *y = *h * g + b;
        }
    }
}

/// The way back through [`layer_norm`]: `grad` becomes dx in place, dγ and dβ are added to.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn layer_norm_backward(
    grad: &mut [f32],
    hat: &[f32],
    inv: &[f32],
    gamma: &[f32],
    d_gamma: &mut [f32],
    d_beta: &mut [f32],
) {
    let d = gamma.len();
    for ((grad, hat), inv) in grad.chunks_exact_mut(d).zip(hat.chunks_exact(d)).zip(inv) {
        for i in 0..d {
            d_gamma[i] += grad[i] * hat[i];
            d_beta[i] += grad[i];
            grad[i] *= gamma[i];
        }
        let mean = sum(grad) / d as f32;
        let along = dot(grad, hat) / d as f32;
        for (g, h) in grad.iter_mut().zip(hat) {
            *g = inv * (*g - mean - h * along);
        }
    }
}

/// x += y.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn accumulate(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// x *= y.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn scale(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x *= y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exp() {
        for i in -8700..8700 {
            let x = i as f32 * 0.01;
            let want = (x as f64).exp();
            assert!((exp(x) as f64 / want - 1.0).abs() < 4e-7, "exp({x})");
        }
    }

    #[test]
    fn derivatives_are_slopes() {
        let x: Vec<f32> = (-600..600).map(|i| i as f32 * 0.01 + 0.005).collect();
        let n = x.len();
        for kernel in [phi, gelu, relu] {
            let (mut y, mut d) = (vec![0.0; n], vec![0.0; n]);
            kernel(&x, &mut y, &mut d);
            for i in 1..n - 1 {
                let slope = (y[i + 1] - y[i - 1]) / (x[i + 1] - x[i - 1]);
                // The kink of φ' and of ReLU lies between two points.
                assert!(
                    (slope - d[i]).abs() < if x[i].abs() < 0.02 { 0.6 } else { 1e-3 },
                    "at {}",
                    x[i]
                );
            }
        }
    }
}
