//! `[train]`: how a project is learnt.
//!
//! ```
//! use astromorph_host::project::TrainSpec;
//! let train: TrainSpec = toml::from_str("epochs = 2").unwrap();
//! assert_eq!((train.epochs, train.batch, train.shards), (2, 64, 2)); // everything else has a default
//! assert!(TrainSpec { clip: -1.0, ..train }.validate().unwrap_err().to_string().contains("train.clip"));
//! ```

use super::range;
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};

/// `[train]`: one AdamW run with warm-up, cosine, clipping and weight averaging.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSpec {
    /// Steps; 0 means `epochs` decides.
    pub steps: usize,
    /// Passes over the training split when `steps` is 0.
    pub epochs: usize,
    /// Sequences a step.
    pub batch: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Fraction of the steps spent on the linear warm-up.
    pub warmup: f64,
    /// Last learning rate as a fraction of the highest.
    pub floor: f64,
    /// Decoupled weight decay of matrices and embeddings (not of biases, norms, M and log S).
    pub weight_decay: f64,
    /// Adam's first decay.
    pub beta1: f64,
    /// Adam's second decay.
    pub beta2: f64,
    /// Adam's ε.
    pub epsilon: f64,
    /// Largest global gradient norm; 0 switches clipping off.
    pub clip: f64,
    /// Probability spread evenly over the classes.
    pub label_smoothing: f64,
    /// Probability that a word is replaced by "unknown" in training.
    pub word_dropout: f64,
    /// Dropout of each branch before its residual.
    pub dropout: f64,
    /// Decay of the averaged weights that are validated and exported; 0 switches averaging off.
    pub average: f64,
    /// Standard deviation of the embeddings at the start.
    pub embedding_std: f64,
    /// Shards a batch is cut into, a thread each. A part of the arithmetic: another number gives other last bits.
    pub shards: usize,
    /// Seed of weights, data order and every dropout.
    pub seed: u64,
    /// Steps between validations; 0 means four an epoch or twenty a run, whichever is fewer.
    pub validate_every: usize,
    /// Steps between checkpoints; 0 means at every validation.
    pub checkpoint_every: usize,
    /// Validation accuracy at which training ends early; 0 never does.
    pub stop_at: f64,
    /// The phase after calibration, which rounds where the hardware rounds.
    pub quantized: QuantizedPhase,
}

/// `[train.quantized]`: quantisation-aware fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuantizedPhase {
    /// Steps; 0 skips the phase.
    pub steps: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
}

impl Default for QuantizedPhase {
    fn default() -> Self {
        QuantizedPhase {
            steps: 100,
            learning_rate: 2e-4,
        }
    }
}

impl Default for TrainSpec {
    fn default() -> Self {
        TrainSpec {
            steps: 0,
            epochs: 3,
            batch: 64,
            learning_rate: 3e-3,
            warmup: 0.1,
            floor: 0.02,
            weight_decay: 0.05,
            beta1: 0.9,
            beta2: 0.98,
            epsilon: 1e-8,
            clip: 1.0,
            label_smoothing: 0.0,
            word_dropout: 0.0,
            dropout: 0.0,
            average: 0.998,
            embedding_std: 0.1,
            shards: 2,
            seed: 1,
            validate_every: 0,
            checkpoint_every: 0,
            stop_at: 0.0,
            quantized: QuantizedPhase::default(),
        }
    }
}

impl TrainSpec {
    /// Refuses numbers out of range; the error names the field.
    pub fn validate(&self) -> Result<()> {
        range("train.steps", self.steps, 0, 100_000_000)?;
        range("train.epochs", self.epochs, usize::from(self.steps == 0), 100_000)?;
        range("train.batch", self.batch, 1, 65_536)?;
        range("train.shards", self.shards, 1, 256)?;
        for (field, x, lo, hi) in [
            ("train.learning_rate", self.learning_rate, 1e-12, 10.0),
            (
                "train.quantized.learning_rate",
                self.quantized.learning_rate,
                1e-12,
                10.0,
            ),
            ("train.warmup", self.warmup, 0.0, 1.0),
            ("train.floor", self.floor, 0.0, 1.0),
            ("train.weight_decay", self.weight_decay, 0.0, 10.0),
            ("train.beta1", self.beta1, 0.0, 0.99999),
            ("train.beta2", self.beta2, 0.0, 0.999999),
            ("train.epsilon", self.epsilon, 1e-30, 1.0),
            ("train.clip", self.clip, 0.0, 1e9),
            ("train.label_smoothing", self.label_smoothing, 0.0, 0.99),
            ("train.word_dropout", self.word_dropout, 0.0, 0.99),
            ("train.dropout", self.dropout, 0.0, 0.99),
            ("train.average", self.average, 0.0, 0.999999),
            ("train.embedding_std", self.embedding_std, 0.0, 100.0),
            ("train.stop_at", self.stop_at, 0.0, 1.0),
        ] {
            if !x.is_finite() {
                return Err(Error::field(field, "a finite number", x));
            }
            range(field, x, lo, hi)?;
        }
        Ok(())
    }
}
