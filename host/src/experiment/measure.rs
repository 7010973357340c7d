//! What an experiment can measure of a trained model.
//!
//! | measure | unit | |
//! |---|---|---|
//! | `test`, `validation` | % | right answers of the test split; of the best validation |
//! | `perplexity` | | exp of the mean loss a test answer |
//! | `word-perplexity` | | the same a word, where tokens are pieces of words ([`crate::data::Words`]; pieces a word as in the whole test split) |
//! | `epochs` | | to the first validation at or above the group's threshold, between points by the straight line |
//! | `zeroed` | % | right answers of the test split when o = 0 in every layer of the trained model |
//! | `variation` | % | how far y varies over the tokens of a sequence: rms of y less its sequence mean, over rms of y; mean over layers |
//! | `causal` | | perplexity when the same weights read strictly causally |
//! | `leak` | | largest change of a logit before the last token when the last token changes, over the rms of the logits |
//! | `gradient` | | largest global gradient norm of the run, before clipping |
//! | `diverged` | | 1 where a gradient was not finite, else 0 |
//! | `alpha` | | mean of the learnt calcium exponents |
//! | `parameters` | | numbers learnt, embeddings apart |
//! | `twin` | % | right answers of the test split in integers, in the project's widths or those that were searched ([`super::twin`]) |
//! | `kilobits` | | of the integer image, embeddings apart |
//! | `operand-bits`, `weight-bits`, `phi-bits`, `power-bits`, `reciprocal-bits`, `rsqrt-bits` | | its widths |
//! | `correlation`, `error` | , % | of the astrocyte's response with the softmax normaliser ([`super::response`]) |
//!
//! ```
//! use astromorph_host::experiment::measure::epochs;
//! assert_eq!(epochs(&[(1.0, 0.5), (2.0, 0.9)], 0.7), Some(1.5));
//! assert_eq!(epochs(&[(1.0, 0.8), (2.0, 0.9)], 0.7), Some(1.0));   // no later than its first point
//! assert_eq!(epochs(&[(1.0, 0.5)], 0.7), None);                    // never reached
//! ```

use serde::{Deserialize, Serialize};

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// See the module's text; so all of them.
    Test,
    Validation,
    Perplexity,
    WordPerplexity,
    Epochs,
    Zeroed,
    Variation,
    Causal,
    Leak,
    Gradient,
    Diverged,
    Alpha,
    Parameters,
    Twin,
    Kilobits,
    OperandBits,
    WeightBits,
    PhiBits,
    PowerBits,
    ReciprocalBits,
    RsqrtBits,
    Correlation,
    Error,
}

impl Measure {
    /// Heading of its column.
    pub fn heading(self) -> &'static str {
        match self {
            Measure::Test => "test, %",
            Measure::Validation => "validation, %",
            Measure::Perplexity => "perplexity",
            Measure::WordPerplexity => "perplexity a word",
            Measure::Epochs => "epochs to the threshold",
            Measure::Zeroed => "test with o = 0, %",
            Measure::Variation => "y varies over tokens, %",
            Measure::Causal => "perplexity read causally",
            Measure::Leak => "earlier logits move by",
            Measure::Gradient => "largest gradient norm",
            Measure::Diverged => "diverged",
            Measure::Alpha => "learnt α",
            Measure::Parameters => "parameters",
            Measure::Twin => "test in integers, %",
            Measure::Kilobits => "kbit",
            Measure::OperandBits => "operand bits",
            Measure::WeightBits => "weight bits",
            Measure::PhiBits => "φ index bits",
            Measure::PowerBits => "s^α mantissa bits",
            Measure::ReciprocalBits => "1/C mantissa bits",
            Measure::RsqrtBits => "1/√ mantissa bits",
            Measure::Correlation => "correlation",
            Measure::Error => "error, %",
        }
    }
}

/// Epochs to the first point at or above `threshold`: (epoch, accuracy) points, the straight line between two.
pub fn epochs(curve: &[(f64, f64)], threshold: f64) -> Option<f64> {
    let at = curve.iter().position(|&(_, accuracy)| accuracy >= threshold)?;
    let (epoch, accuracy) = curve[at];
    Some(match at.checked_sub(1).map(|before| curve[before]) {
        Some((earlier, lower)) => earlier + (epoch - earlier) * (threshold - lower) / (accuracy - lower),
        None => epoch,
    })
}
