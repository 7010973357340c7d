//! How fast the twin runs: tokens a second on one thread.
//!
//! ```
//! use astromorph::spec::{Nonlinearity, Order};
//! use astromorph::twin::{AttentionSizes, speed};
//! let sizes = AttentionSizes { heads: 1, features: 8, values: 8, n_max: 20, width: 8, order: Order::TwoPass,
//!     nonlinearity: Nonlinearity::Identity, alpha: 0.25, position: true, chunk: 1 };
//! let speed = speed::attention(sizes, std::time::Duration::from_millis(5));
//! assert!(speed.tokens >= 20 && speed.tokens_per_second() > 1000.0);
//! ```

use super::{Attention, AttentionSizes, Twin, random_inputs};
use crate::Result;
use crate::sequence::Sequence;
use rand::SeedableRng;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Tokens computed, and the time they took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Tokens.
    pub tokens: u64,
    /// Seconds of one thread.
    pub seconds: f64,
}

impl Speed {
    /// Tokens a second.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// Repeats `work`, which returns its tokens, for at least `time`.
fn measure(time: Duration, mut work: impl FnMut() -> Result<u64>) -> Result<Speed> {
    work()?; // caches, and the choice of instruction set
    let (start, mut tokens) = (Instant::now(), 0);
    loop {
        tokens += work()?;
        let passed = start.elapsed();
        if passed >= time {
            return Ok(Speed {
                tokens,
                seconds: passed.as_secs_f64(),
            });
        }
    }
}

/// The attention core alone, on random sequences of N_max tokens.
pub fn attention(sizes: AttentionSizes, time: Duration) -> Speed {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let core = Attention::random(&mut rng, sizes);
    let (q, k, v) = random_inputs(&mut rng, &core, sizes.n_max);
    let work = || {
        black_box(core.run(black_box(&q), &k, &v));
        Ok(sizes.n_max as u64)
    };
    // The work cannot fail; an empty measurement would only be zero tokens.
    measure(time, work).unwrap_or(Speed {
        tokens: 0,
        seconds: 0.0,
    })
}

/// The whole model on given sequences.
pub fn model(twin: &Twin, sequences: &[Sequence], time: Duration) -> Result<Speed> {
    measure(time, || {
        let mut tokens = 0;
        for sequence in sequences {
            black_box(twin.predict(black_box(sequence))?);
            tokens += sequence.len() as u64;
        }
        Ok(tokens)
    })
}
