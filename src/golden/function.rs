//! The scalar functions of the network.
//!
//! | function | formula | source |
//! |---|---|---|
//! | φ | x + 1 for x > 0, exp x otherwise | arXiv 2312.10925, eq. 4 |
//! | f | z, σ(z), or clamp(z/4 + 1/2, 0, 1) | eq. 11 and its tangent |
//! | power | max(s, 2^-10)^α | eq. 14 |
//! | GELU | x Φ(x) = x (1 + erf(x/√2)) / 2 | Hendrycks and Gimpel 2016, exact form |
//! | layer norm | γ (x − mean) / √(var + 1e-5) + β | Ba et al. 2016 |

use super::{EPSILON, NORM_EPSILON, real};
use crate::spec::{Activation, Nonlinearity};
use crate::weights::Weights;
use num_traits::Float;

/// φ(x) = elu(x) + 1.
pub(crate) fn phi<T: Float>(x: T) -> T {
    if x > T::zero() { x + T::one() } else { x.exp() }
}

/// f on an entry of H.
pub(crate) fn seal<T: Float>(f: Nonlinearity, z: T) -> T {
    match f {
        Nonlinearity::Identity => z,
        Nonlinearity::Sigmoid => T::one() / (T::one() + (-z).exp()),
        Nonlinearity::HardSigmoid => (z * real(0.25) + real(0.5)).max(T::zero()).min(T::one()),
    }
}

/// The calcium power s^α; the papers' exponents 1/4 and 1/2 are two square roots and one.
pub(crate) fn power<T: Float>(s: T, alpha: f64) -> T {
    let s = s.max(real(EPSILON));
    if alpha == 1.0 {
        s
    } else if alpha == 0.5 {
        s.sqrt()
    } else if alpha == 0.25 {
        s.sqrt().sqrt()
    } else {
        s.powf(real(alpha))
    }
}

/// Activation of the feed-forward network. GELU goes through f64, where an exact erf exists.
pub(crate) fn activate<T: Float>(activation: Activation, x: T) -> T {
    match activation {
        Activation::Relu => x.max(T::zero()),
        Activation::Gelu => {
            let x = x.to_f64().unwrap_or(f64::NAN);
            real(x * 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)))
        }
    }
}

/// A layer norm's γ and β.
pub(crate) struct Norm<T> {
    gamma: Vec<T>,
    beta: Vec<T>,
}

impl<T: Float> Norm<T> {
    /// From the tensors `{prefix}.gamma` and `{prefix}.beta`.
    pub(crate) fn new(weights: &Weights, prefix: &str) -> crate::Result<Self> {
        Ok(Norm {
            gamma: convert(&weights.get(&format!("{prefix}.gamma"))?.data),
            beta: convert(&weights.get(&format!("{prefix}.beta"))?.data),
        })
    }

    /// Normalises every row of D entries.
    pub(crate) fn apply(&self, x: &[T]) -> Vec<T> {
        let d = self.gamma.len();
        let width = real::<T>(d as f64);
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(d) {
            let mean = row.iter().fold(T::zero(), |sum, &x| sum + x) / width;
            let variance = row.iter().fold(T::zero(), |sum, &x| sum + (x - mean) * (x - mean)) / width;
            let scale = T::one() / (variance + real(NORM_EPSILON)).sqrt();
            y.extend(
                row.iter()
                    .zip(&self.gamma)
                    .zip(&self.beta)
                    .map(|((&x, &g), &b)| (x - mean) * scale * g + b),
            );
        }
        y
    }
}

/// Stored weights in the computing type.
pub(crate) fn convert<T: Float>(data: &[f32]) -> Vec<T> {
    data.iter().map(|&x| real(x as f64)).collect()
}
