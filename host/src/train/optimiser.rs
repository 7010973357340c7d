//! AdamW (Loshchilov and Hutter 2019) in one pass over each tensor, global-norm clipping, and the averaged weights.
//!
//! m ← β1 m + (1−β1) g, v ← β2 v + (1−β2) g², x ← x (1 − η λ) − η m̂/(√v̂ + ε), with m̂ = m/(1−β1^t), v̂ = v/(1−β2^t).
//! Decay λ acts on dense matrices, embeddings and learnt positions; not on biases, norms, M and log S, whose zero means nothing.
//! The average is x̄ ← β̄ x̄ + (1−β̄) x with β̄ = min(`average`, (1+t)/(10+t)), so that the start is forgotten.
//!
//! ```
//! use astromorph_host::train::optimiser::{Rates, adamw};
//! let rates = Rates { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.0, step: 1 };
//! let (mut x, mut m, mut v) = ([1.0f32], [0.0], [0.0]);
//! adamw(&rates, true, 1.0, &[2.0], &mut x, &mut m, &mut v);
//! assert!((x[0] - 0.9).abs() < 1e-6);                    // the first step is η against the gradient's sign
//! assert!((m[0] - 0.2).abs() < 1e-6 && (v[0] - 0.04).abs() < 1e-6);
//! ```

use crate::project::TrainSpec;
use astromorph::Error;
use astromorph::weights::Weights;
use multiversion::multiversion;
use std::collections::BTreeMap;

/// Gradients by tensor name.
pub type Gradients = BTreeMap<String, Vec<f32>>;

/// What one step multiplies by.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// η of this step.
    pub learning_rate: f64,
    /// β1.
    pub beta1: f64,
    /// β2.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ.
    pub weight_decay: f64,
    /// t, counted from 1.
    pub step: u64,
}

/// The weights being learnt and everything the optimiser remembers of them.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Weights x.
    pub weights: Weights,
    /// First moments m.
    pub first: Weights,
    /// Second moments v.
    pub second: Weights,
    /// Averaged weights x̄.
    pub average: Weights,
    /// Steps done.
    pub step: u64,
}

/// Whether weight decay acts on a tensor.
pub fn decays(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last == "weight" || last.starts_with("w_")
}

/// One step of AdamW on one tensor; `scale` multiplies the gradient (clipping).
pub fn adamw(rates: &Rates, decay: bool, scale: f32, g: &[f32], x: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    let bias1 = 1.0 - rates.beta1.powf(rates.step as f64);
    let bias2 = 1.0 - rates.beta2.powf(rates.step as f64);
    let keep = if decay {
        1.0 - rates.learning_rate * rates.weight_decay
    } else {
        1.0
    };
    let k = Constants {
        scale,
        beta1: rates.beta1 as f32,
        beta2: rates.beta2 as f32,
        eta: (rates.learning_rate / bias1) as f32,
        second: (1.0 / bias2) as f32,
        epsilon: rates.epsilon as f32,
        keep: keep as f32,
    };
    update(k, g, x, m, v);
}

#[derive(Clone, Copy)]
struct Constants {
    scale: f32,
    beta1: f32,
    beta2: f32,
    eta: f32,
    second: f32,
    epsilon: f32,
    keep: f32,
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
fn update(k: Constants, g: &[f32], x: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    for (((g, x), m), v) in g.iter().zip(x).zip(m).zip(v) {
        let g = g * k.scale;
        *m = k.beta1 * *m + (1.0 - k.beta1) * g;
        *v = k.beta2 * *v + (1.0 - k.beta2) * g * g;
        *x = *x * k.keep - k.eta * *m / ((*v * k.second).sqrt() + k.epsilon);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
fn blend(keep: f32, average: &mut [f32], x: &[f32]) {
    for (a, x) in average.iter_mut().zip(x) {
        *a = keep * *a + (1.0 - keep) * x;
    }
}

/// √Σg² over all tensors, in f64.
pub fn global_norm(gradients: &Gradients) -> f64 {
    let squares = |g: &Vec<f32>| g.iter().map(|x| (*x as f64) * (*x as f64)).sum::<f64>();
    gradients.values().map(squares).sum::<f64>().sqrt()
}

impl State {
    /// The start from given weights.
    pub fn new(weights: Weights) -> State {
        let mut zero = weights.clone();
        zero.tensors.values_mut().for_each(|t| t.data.fill(0.0));
        State {
            average: weights.clone(),
            weights,
            first: zero.clone(),
            second: zero,
            step: 0,
        }
    }

    /// Clips, moves the weights and their average; returns the norm before clipping, or nothing (and moves nothing) when it is not finite.
    pub fn apply(&mut self, train: &TrainSpec, learning_rate: f64, gradients: &Gradients) -> Option<f64> {
        let norm = global_norm(gradients);
        if !norm.is_finite() {
            return None;
        }
        let scale = if train.clip > 0.0 && norm > train.clip {
            (train.clip / norm) as f32
        } else {
            1.0
        };
        self.step += 1;
        let rates = Rates {
            learning_rate,
            beta1: train.beta1,
            beta2: train.beta2,
            epsilon: train.epsilon,
            weight_decay: train.weight_decay,
            step: self.step,
        };
        let t = self.step as f64;
        let keep = train.average.min((1.0 + t) / (10.0 + t)) as f32;
        let tensors = self.weights.tensors.iter_mut().zip(self.first.tensors.values_mut());
        let tensors = tensors.zip(self.second.tensors.values_mut().zip(self.average.tensors.values_mut()));
        for (((name, x), m), (v, average)) in tensors {
            if let Some(g) = gradients.get(name) {
                adamw(&rates, decays(name), scale, g, &mut x.data, &mut m.data, &mut v.data);
            }
            match train.average > 0.0 {
                true => blend(keep, &mut average.data, &x.data),
                false => average.data.copy_from_slice(&x.data),
            }
        }
        Some(norm)
    }
}

/// What a caller says that cannot go on without a finite gradient.
pub fn diverged(step: u64) -> Error {
    let found = "another: the run diverges (train.learning_rate, train.clip)";
    Error::field(format!("gradient of step {step}"), "a finite norm", found)
}

/// η of step `step` of `total`: linear warm-up, then half a cosine down to `floor`.
///
/// ```
/// use astromorph_host::train::optimiser::learning_rate;
/// let at = |step| learning_rate(1.0, 0.1, 0.02, step, 100);
/// assert!((at(0) - 0.1).abs() < 1e-12 && (at(9) - 1.0).abs() < 1e-12);
/// assert!((at(99) - 0.02).abs() < 1e-3 && at(54) < at(53));
/// ```
pub fn learning_rate(highest: f64, warmup: f64, floor: f64, step: u64, total: u64) -> f64 {
    let rise = (warmup * total as f64).ceil().max(1.0);
    let step = step as f64;
    if step < rise {
        return highest * (step + 1.0) / rise;
    }
    let along = ((step + 1.0 - rise) / (total as f64 - rise).max(1.0)).min(1.0);
    highest * (floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * along).cos()))
}
