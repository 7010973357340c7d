//! The random parts of a training step. Every draw is a function of (seed, step, shard), so a run resumes at any step without a stored state.
//!
//! ```
//! use astromorph_host::train::noise::Noise;
//! let mask = |step| Noise::new(1, step, 0, 0.25).mask(1000);
//! assert_eq!(mask(7), mask(7));
//! assert_ne!(mask(7), mask(8));
//! assert!(mask(7).iter().all(|x| *x == 0.0 || *x == 1.0 / 0.75));   // kept values are scaled up
//! let (mut ids, before) = (vec![5, 0, 9, 9], [5, 0, 9, 9]);
//! Noise::new(1, 0, 0, 0.0).forget_words(&mut ids, 1, 0.5);
//! assert!(ids.iter().zip(before).all(|(a, b)| *a == b || *a == 1)); // "none" stays
//! assert_eq!(ids[1], 0);
//! ```

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Dropout of one shard in one step.
pub struct Noise {
    /// Probability that a value is dropped.
    pub rate: f32,
    rng: ChaCha8Rng,
}

impl Noise {
    /// The stream of a shard in a step.
    pub fn new(seed: u64, step: u64, shard: u64, rate: f64) -> Noise {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0d50_90d7);
        rng.set_stream(step << 8 | shard);
        Noise { rate: rate as f32, rng }
    }

    /// 0 with the probability `rate`, else 1/(1 − rate).
    pub fn mask(&mut self, n: usize) -> Vec<f32> {
        let keep = 1.0 / (1.0 - self.rate);
        (0..n)
            .map(|_| {
                if self.rng.random::<f32>() < self.rate {
                    0.0
                } else {
                    keep
                }
            })
            .collect()
    }

    /// Replaces identifiers other than "none" with the probability `rate`: a word by "unknown", what stands in a further slot by "none".
    pub fn forget_words(&mut self, ids: &mut [u32], slots: usize, rate: f64) {
        for (at, id) in ids.iter_mut().enumerate().filter(|(_, id)| **id != 0) {
            if self.rng.random::<f64>() < rate {
                *id = u32::from(at % slots == 0);
            }
        }
    }
}
