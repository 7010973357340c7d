//! The astrocyte's response beside the softmax normaliser: the comparison of Kozachkov, Kastanenka, Krotov (PNAS 2023).
//!
//! Of a trained softmax model, for every token and head: Z_t = Σ_j exp(q_t · k_j / √m), and the calcium response p_t = φ(q_t) · Σ_j φ(k_j) to a
//! feature map φ of q and k divided by m^(1/4), with `count` random features (x: a row of q or k; W ~ N(0, 1), b ~ U(0, 2π), c = `count`):
//!
//! | map | φ(x) |
//! |---|---|
//! | `exponential` | exp(W x − x²/2) / √c: positive random features, E p = Z |
//! | `cosine` | √(2/c) cos(W x + b) exp(x²/2): E p = Z |
//! | `linear` | 1 + (W x − x²/2 − ln(c)/2) |
//! | `truncated-exponential` | exp(−x²/2)/√c · min(exp(W x), 150) |
//! | `positive-cosine` | max(0, √(2/(π c)) exp(x²/2) cos(W x + b)) |
//! | `clipped-sine` | √(2/c) exp(x²/2) sin(W x + b), held at ±1 beyond ±π/2 |
//! | `elu` | elu(x) + 1, no features drawn: what a network is trained with, and our hardware |
//!
//! Correlation is Pearson's over the tokens of a sequence; the error is |p·f − Z|/|Z| with the best factor f (calcium has no unit of its own).
//! Both are means over sequences, heads and layers. Causal models sum over what is past.
//!
//! ```
//! use astromorph_host::experiment::response::{Map, compared, normaliser, response};
//! let (q, k) = (vec![0.3, -0.2, 0.1, 0.4, -0.5, 0.2], vec![0.1, 0.2, -0.3, 0.3, 0.6, -0.1]); // three tokens, m = 2
//! let z = normaliser(&q, &k, 2, false);
//! assert!((z[0] - 3.0).abs() < 0.5);                                    // small scores: exp is near 1
//! let p = response(Map::Exponential, 20_000, 1, &q, &k, 2, false);
//! let (correlation, error) = compared(&p, &z);
//! assert!(correlation > 0.9 && error < 0.02);
//! ```

use crate::data::{Dataset, evenly};
use astromorph::Result;
use astromorph::golden::Golden;
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, Order};
use astromorph::weights::Weights;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Sequences that are looked at, evenly spread over the test split.
const SEQUENCES: usize = 16;
/// Tokens of a trace that a plot can still name.
const TRACE: usize = 60;

/// φ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Map {
    Exponential,
    Cosine,
    Linear,
    TruncatedExponential,
    PositiveCosine,
    ClippedSine,
    Elu,
}

/// `group.row.response`: a map and its number of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// φ.
    pub map: Map,
    /// c; without meaning for `elu`.
    #[serde(default)]
    pub count: usize,
}

/// One head's traces over a sequence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The tokens: words, where the model reads words.
    pub tokens: Vec<String>,
    /// p_t times the best factor.
    pub response: Vec<f64>,
    /// Z_t.
    pub normaliser: Vec<f64>,
}

/// What was found over all sequences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Mean correlation.
    pub correlation: f64,
    /// Mean error, percent.
    pub error: f64,
    /// The first sequence, layer and head.
    pub trace: Trace,
}

fn scaled(x: &[f64], m: usize) -> Vec<f64> {
    let factor = (m as f64).powf(-0.25);
    x.iter().map(|x| x * factor).collect()
}

fn seen(t: usize, n: usize, causal: bool) -> usize {
    if causal { t + 1 } else { n }
}

/// Z of N tokens; q and k are N × m.
pub fn normaliser(q: &[f64], k: &[f64], m: usize, causal: bool) -> Vec<f64> {
    let (q, k) = (scaled(q, m), scaled(k, m));
    let n = q.len() / m;
    let dot = |t: usize, j: usize| (0..m).map(|i| q[t * m + i] * k[j * m + i]).sum::<f64>();
    (0..n)
        .map(|t| (0..seen(t, n, causal)).map(|j| dot(t, j).exp()).sum())
        .collect()
}

/// p of N tokens; `seed` draws the features.
pub fn response(map: Map, count: usize, seed: u64, q: &[f64], k: &[f64], m: usize, causal: bool) -> Vec<f64> {
    let (q, k) = (scaled(q, m), scaled(k, m));
    let n = q.len() / m;
    let mut p = vec![0.0; n];
    let mut add = |b: &[f64], a: &[f64]| {
        let mut sum = 0.0;
        for t in 0..n {
            sum += a[t];
            p[t] += if causal { b[t] * sum } else { 0.0 };
        }
        if !causal {
            p.iter_mut().zip(b).for_each(|(p, b)| *p += b * sum);
        }
    };
    if map == Map::Elu {
        let phi = |x: f64| if x > 0.0 { x + 1.0 } else { x.exp() };
        for i in 0..m {
            let column = |x: &[f64]| -> Vec<f64> { (0..n).map(|t| phi(x[t * m + i])).collect() };
            add(&column(&q), &column(&k));
        }
        return p;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let c = count as f64;
    for _ in 0..count {
        let w: Vec<f64> = (0..m).map(|_| StandardNormal.sample(&mut rng)).collect();
        let b = rng.random_range(0.0..2.0 * PI);
        let feature = |x: &[f64]| {
            let dot: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum();
            let half = x.iter().map(|x| x * x).sum::<f64>() / 2.0;
            match map {
                Map::Exponential | Map::Elu => (dot - half).exp() / c.sqrt(),
                Map::Cosine => (2.0 / c).sqrt() * (dot + b).cos() * half.exp(),
                Map::Linear => 1.0 + (dot - half - c.ln() / 2.0),
                Map::TruncatedExponential => (-half).exp() / c.sqrt() * dot.exp().min(150.0),
                Map::PositiveCosine => ((2.0 / (PI * c)).sqrt() * half.exp() * (dot + b).cos()).max(0.0),
                Map::ClippedSine => (2.0 / c).sqrt() * half.exp() * (dot + b - PI).clamp(-PI / 2.0, PI / 2.0).sin(),
            }
        };
        let column = |x: &[f64]| -> Vec<f64> { x.chunks_exact(m).map(feature).collect() };
        add(&column(&q), &column(&k));
    }
    p
}

/// Pearson's correlation of p and Z, and |p·f − Z|/|Z| with the best factor f.
pub fn compared(p: &[f64], z: &[f64]) -> (f64, f64) {
    let n = p.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let dot = |x: &[f64], y: &[f64], a: f64, b: f64| x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>();
    let (a, b) = (mean(p), mean(z));
    let apart = (dot(p, p, a, a) * dot(z, z, b, b)).sqrt();
    let correlation = if apart > 0.0 { dot(p, z, a, b) / apart } else { 0.0 };
    let factor = factor(p, z);
    let off: f64 = p.iter().zip(z).map(|(p, z)| (p * factor - z).powi(2)).sum();
    (correlation, (off / dot(z, z, 0.0, 0.0)).sqrt())
}

fn factor(p: &[f64], z: &[f64]) -> f64 {
    let of = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let own = of(p, p);
    if own > 0.0 { of(p, z) / own } else { 0.0 }
}

/// Over the test split of a trained model; the features are drawn anew for every head.
pub fn measured(spec: &ModelSpec, weights: &Weights, set: &Dataset, features: Features, seed: u64) -> Result<Found> {
    let golden = Golden::<f64>::new(spec, weights)?;
    let (m, causal) = (spec.features, spec.order == Order::Causal);
    let mut found = Found::default();
    let mut count = 0;
    for i in evenly(set.test.len(), SEQUENCES) {
        let sequence = &set.test[i].sequence;
        let mut q = Vec::new();
        golden.forward(
            sequence,
            &mut |name, rows, columns, data| match name.rsplit('.').next() {
                Some("q") => q = data.to_vec(),
                Some("k") if rows > 1 => {
                    for h in 0..columns / m {
                        let head = |x: &[f64]| -> Vec<f64> {
                            x.chunks_exact(columns)
                                .flat_map(|row| &row[h * m..][..m])
                                .copied()
                                .collect()
                        };
                        let (q, k) = (head(&q), head(data));
                        let z = normaliser(&q, &k, m, causal);
                        let p = response(
                            features.map,
                            features.count,
                            seed ^ (count as u64) << 8,
                            &q,
                            &k,
                            m,
                            causal,
                        );
                        let (correlation, error) = compared(&p, &z);
                        if count == 0 {
                            found.trace = trace(sequence, set, &p, &z);
                        }
                        found.correlation += correlation;
                        found.error += 100.0 * error;
                        count += 1;
                    }
                }
                _ => {}
            },
        )?;
    }
    found.correlation /= count.max(1) as f64;
    found.error /= count.max(1) as f64;
    Ok(found)
}

fn trace(sequence: &Sequence, set: &Dataset, p: &[f64], z: &[f64]) -> Trace {
    let factor = factor(p, z);
    let word = |t: usize| match (sequence, &set.vocabulary) {
        (Sequence::Tokens { slots: 1, ids }, Some(words)) => words.words()[ids[t] as usize].clone(),
        _ => (t + 1).to_string(),
    };
    let n = p.len().min(TRACE);
    Trace {
        tokens: (0..n).map(word).collect(),
        response: p[..n].iter().map(|p| p * factor).collect(),
        normaliser: z[..n].to_vec(),
    }
}
