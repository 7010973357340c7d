//! Attention of one head as matrix products, the form of the papers and of a trainer.
//!
//! | form | formula | source |
//! |---|---|---|
//! | two-pass | Y = diag(1/(φ(Q) g)) φ(Q) f((φ(K) + W)ᵀ V / S), g = (Σ φ(K))^α | arXiv 2312.10925, eq. 18 |
//! | causal, f = identity | Y = diag(1/(φ(Q) · G)) [φ(Q)(φ(K) + W)ᵀ]masked V / S, G_t = (Σ_{τ≤t} φ(K)_τ)^α | the cumulative form |
//! | causal, any other f | y_t = φ(q_t) f((φ(K) + W)ᵀ V / S over τ ≤ t) / (φ(q_t) · G_t) | the same, H made anew for each token |
//! | softmax | Y = softmax(Q Kᵀ / √m, masked when causal) V | Vaswani et al. 2017 |
//!
//! Both divisors are at least ε = 2^-10. All matrices are row by row: Q, K, W are N × m, V and Y are N × e.
//!
//! ```
//! use astromorph::golden::batch::{Head, astromorphic};
//! use astromorph::spec::{Nonlinearity, Order};
//! let head = Head { features: 1, values: 1, order: Order::TwoPass };
//! // q = (0), k = (0), v = (6): φ = 1, so y = 1·(1 + w)·6/S / (1·1^α) with w = 1, S = 3.
//! let y = astromorphic(head, Nonlinearity::Identity, 0.25, 3.0, &[0.0], &[0.0], Some(&[1.0]), &[6.0]);
//! assert_eq!(y, [4.0]);
//! ```

use super::function::{phi, power, seal};
use super::{EPSILON, real};
use crate::spec::{Nonlinearity, Order};
use num_traits::Float;

/// Sizes and order of a head.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// m.
    pub features: usize,
    /// e.
    pub values: usize,
    /// Two-pass or causal.
    pub order: Order,
}

/// Astromorphic attention (`w` present) or linear attention (absent, α = 1, f = identity).
#[allow(clippy::too_many_arguments)] // the symbols of one formula
pub fn astromorphic<T: Float>(
    head: Head,
    f: Nonlinearity,
    alpha: f64,
    scale: T,
    q: &[T],
    k: &[T],
    w: Option<&[T]>,
    v: &[T],
) -> Vec<T> {
    let Head {
        features: m,
        values: e,
        order,
    } = head;
    let n = q.len() / m;
    let b: Vec<T> = q.iter().map(|&x| phi(x)).collect();
    let a: Vec<T> = k.iter().map(|&x| phi(x)).collect();
    let key = |t: usize, i: usize| a[t * m + i] + w.map_or(T::zero(), |w| w[t * m + i]);
    let seen = |t: usize| if order == Order::Causal { t + 1 } else { n };
    let sum = |range: std::ops::Range<usize>, term: &dyn Fn(usize) -> T| range.fold(T::zero(), |s, x| s + term(x));

    let mut y = Vec::with_capacity(n * e);
    for t in 0..n {
        let g = |i: usize| power(sum(0..seen(t), &|tau| a[tau * m + i]), alpha);
        let c = sum(0..m, &|i| b[t * m + i] * g(i)).max(real(EPSILON));
        // With f = identity the product associates: first the (masked) N × N scores, then the values.
        let scores: Vec<T> = (0..seen(t))
            .map(|tau| sum(0..m, &|i| b[t * m + i] * key(tau, i)))
            .collect();
        for j in 0..e {
            let hebbian = |i: usize| sum(0..seen(t), &|tau| key(tau, i) * v[tau * e + j]) / scale;
            let num = match f {
                Nonlinearity::Identity => sum(0..seen(t), &|tau| scores[tau] * v[tau * e + j]) / scale,
                _ => sum(0..m, &|i| b[t * m + i] * seal(f, hebbian(i))),
            };
            y.push(num / c);
        }
    }
    y
}

/// Softmax attention.
pub fn softmax<T: Float>(head: Head, q: &[T], k: &[T], v: &[T]) -> Vec<T> {
    let Head {
        features: m,
        values: e,
        order,
    } = head;
    let n = q.len() / m;
    let scale = T::one() / real::<T>(m as f64).sqrt();
    let mut y = vec![T::zero(); n * e];
    let mut scores = Vec::with_capacity(n);
    for (t, (q, y)) in q.chunks_exact(m).zip(y.chunks_exact_mut(e)).enumerate() {
        let seen = if order == Order::Causal { t + 1 } else { n };
        scores.clear();
        scores.extend(
            k.chunks_exact(m)
                .take(seen)
                .map(|k| q.iter().zip(k).fold(T::zero(), |s, (&q, &k)| s + q * k) * scale),
        );
        // Softmax does not change when a constant is taken off; the largest score then cannot overflow.
        let top = scores.iter().fold(T::neg_infinity(), |top, &x| top.max(x));
        let mut total = T::zero();
        for (&score, v) in scores.iter().zip(v.chunks_exact(e)) {
            let p = (score - top).exp();
            total = total + p;
            y.iter_mut().zip(v).for_each(|(y, &v)| *y = *y + p * v);
        }
        y.iter_mut().for_each(|y| *y = *y / total);
    }
    y
}
