//! Padded batches of examples of like length, in an order that one seed decides.
//!
//! An epoch is shuffled, cut into pools of 64 batches, sorted by length inside a pool and dealt out as batches in shuffled order: little
//! padding, and still another order every epoch. The order of epoch `e` is a function of (seed, e) alone, so a run resumes at any step.
//!
//! ```
//! use astromorph_host::data::batch::{Batch, epoch_order};
//! use astromorph_host::data::{Example, Target};
//! use astromorph::sequence::Sequence;
//! let example = |n: usize| Example { sequence: Sequence::Tokens { slots: 1, ids: vec![3; n] }, target: Target::Class(1) };
//! let batch = Batch::new(&[&example(2), &example(3)]);
//! assert_eq!((batch.size, batch.tokens, &batch.lengths[..]), (2, 3, &[2, 3][..]));
//! assert_eq!(batch.ids, [3, 3, 0, 3, 3, 3]);                 // padded with "none"
//! let order = epoch_order(&[5, 1, 4, 2], 2, 7, 0);
//! assert_eq!(order.concat().len(), 4);
//! ```

use super::{Example, Target};
use astromorph::sequence::Sequence;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Batches a pool is sorted over.
const POOL: usize = 64;

/// Sequences padded to the longest.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Sequences B.
    pub size: usize,
    /// Tokens T of the longest.
    pub tokens: usize,
    /// Tokens of each.
    pub lengths: Vec<usize>,
    /// B · T · slots identifiers (tokens), or empty.
    pub ids: Vec<u32>,
    /// Identifiers a token.
    pub slots: usize,
    /// B · T · width features (vectors), or empty.
    pub features: Vec<f32>,
    /// One a sequence, or B · T one a token; `None` where there is nothing to say.
    pub targets: Vec<Option<u32>>,
}

impl Batch {
    /// Pads examples of one kind.
    pub fn new(examples: &[&Example]) -> Batch {
        let size = examples.len();
        let lengths: Vec<usize> = examples.iter().map(|e| e.sequence.len()).collect();
        let tokens = lengths.iter().copied().max().unwrap_or(0);
        let mut batch = Batch {
            size,
            tokens,
            lengths,
            ..Batch::default()
        };
        for example in examples {
            match &example.sequence {
                Sequence::Tokens { slots, ids } => {
                    batch.slots = *slots;
                    batch.ids.extend(ids);
                    batch.ids.resize(batch.ids.len() + tokens * slots - ids.len(), 0);
                }
                Sequence::Vectors { width, data } => {
                    batch.features.extend(data);
                    batch
                        .features
                        .resize(batch.features.len() + tokens * width - data.len(), 0.0);
                }
            }
            match &example.target {
                Target::Class(class) => batch.targets.push(Some(*class)),
                Target::PerToken(row) => {
                    batch.targets.extend(row);
                    batch.targets.resize(batch.targets.len() + tokens - row.len(), None);
                }
            }
        }
        batch
    }

    /// Whether some sequence is shorter than the longest.
    pub fn padded(&self) -> bool {
        self.lengths.iter().any(|n| *n < self.tokens)
    }

    /// Answers there are to give.
    pub fn answers(&self) -> usize {
        self.targets.iter().flatten().count()
    }
}

/// The batches of an epoch as indices of examples; the last may be smaller.
pub fn epoch_order(lengths: &[usize], batch: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 + epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut rng);
    let mut batches: Vec<Vec<usize>> = Vec::with_capacity(lengths.len().div_ceil(batch));
    for pool in order.chunks_mut(batch * POOL) {
        pool.sort_by_key(|i| lengths[*i]);
        batches.extend(pool.chunks(batch).map(<[usize]>::to_vec));
    }
    batches.shuffle(&mut rng);
    batches
}

/// Batches of at most `tokens` padded tokens for evaluation, by length; every example once.
pub fn by_length(lengths: &[usize], tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|i| lengths[*i]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for i in order {
        match batches.last_mut() {
            // Sorted, so the newcomer is the longest.
            Some(last) if (last.len() + 1) * lengths[i] <= tokens => last.push(i),
            _ => batches.push(vec![i]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_example_once_and_little_padding() {
        let lengths: Vec<usize> = (0..5000).map(|i| 1 + (i * 7919) % 400).collect();
        let order = epoch_order(&lengths, 32, 3, 9);
        assert_eq!(order, epoch_order(&lengths, 32, 3, 9));
        assert_ne!(order, epoch_order(&lengths, 32, 3, 10));
        let mut seen = order.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..5000).collect::<Vec<_>>());
        let padded: usize = order
            .iter()
            .map(|b| b.len() * b.iter().map(|i| lengths[*i]).max().unwrap())
            .sum();
        assert!((padded as f64) < 1.05 * lengths.iter().sum::<usize>() as f64);
        let eval = by_length(&lengths, 16_384);
        assert_eq!(eval.concat().len(), 5000);
        assert!(
            eval.iter()
                .all(|b| b.len() * b.iter().map(|i| lengths[*i]).max().unwrap() <= 16_384)
        );
    }
}
