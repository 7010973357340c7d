//! A dense associative memory (Krotov and Hopfield 2016) on the recall task: nothing is learnt, the pairs of a sequence are its patterns.
//!
//! Every key and value has a random code of ±1. A pattern is a key's code beside its value's; a query starts with the key's half and the update rule
//! with F(x) = x^n gives the other half, v̂_j = Σ_p x_p^(n−1) ξ_pj with x_p = max(ξ_p · query, 0)/d_k; the answer is the value whose code is nearest.
//! n = 2 is Hopfield's memory, and with it linear attention's sum of outer products; capacity grows with d^(n−1).
//!
//! **Equal size**: the pairs of a sequence, each d_k + d_v numbers, take as many numbers as an attention's state, Hh·m·e; d_k = d_v.
//!
//! ```
//! use astromorph_host::{data, experiment::memory, project::Project};
//! let project = Project::builtin("recall").unwrap();             // 8 pairs, m = e = 32
//! assert_eq!(memory::width(&project), 64);                       // 8 · (64 + 64) = 32 · 32
//! let set = data::load(&project, None).unwrap();
//! let of = |n| memory::accuracy(&project, &set.test[..200], n, 1);
//! assert!(of(4) > 0.99 && of(4) >= of(2));
//! ```

use crate::data::{Example, Target};
use crate::project::{Project, TaskSpec};
use astromorph::sequence::Sequence;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// d_k = d_v of a memory of the size of the project's attention.
pub fn width(project: &Project) -> usize {
    let m = &project.model;
    let pairs = match project.task {
        TaskSpec::Recall { pairs, .. } => pairs,
        _ => 1,
    };
    (m.heads * m.features * m.values / (2 * pairs)).max(1)
}

/// Share of right answers with F(x) = x^`power`.
pub fn accuracy(project: &Project, examples: &[Example], power: u32, seed: u64) -> f64 {
    let TaskSpec::Recall { keys, values, .. } = project.task else {
        return 0.0;
    };
    let d = width(project);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Identifiers 1..=keys are keys, those behind them values.
    let codes: Vec<Vec<f64>> = (0..=keys + values)
        .map(|_| (0..d).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect())
        .collect();
    let (mut right, mut all) = (0, 0);
    for example in examples {
        let (Sequence::Tokens { ids, .. }, Target::PerToken(targets)) = (&example.sequence, &example.target) else {
            continue;
        };
        let patterns: Vec<(u32, u32)> = ids.chunks_exact(2).map(|t| (t[0], t[1])).filter(|t| t.1 != 0).collect();
        for (token, target) in ids.chunks_exact(2).zip(targets) {
            let Some(target) = target else { continue };
            let found = recalled(&codes, &patterns, token[0], power, d);
            let nearest = |a: &usize, b: &usize| dot(&codes[*a], &found).total_cmp(&dot(&codes[*b], &found));
            let best = (keys + 1..=keys + values).max_by(nearest);
            right += usize::from(best == Some(keys + 1 + *target as usize));
            all += 1;
        }
    }
    right as f64 / all.max(1) as f64
}

fn recalled(codes: &[Vec<f64>], patterns: &[(u32, u32)], query: u32, power: u32, d: usize) -> Vec<f64> {
    let mut found = vec![0.0; d];
    for &(key, value) in patterns {
        let overlap = dot(&codes[key as usize], &codes[query as usize]) / d as f64;
        let weight = overlap.max(0.0).powi(power as i32 - 1);
        found
            .iter_mut()
            .zip(&codes[value as usize])
            .for_each(|(f, c)| *f += weight * c);
    }
    found
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
