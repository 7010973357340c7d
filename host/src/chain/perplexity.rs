//! Perplexity: how many words the next one is as good as drawn from, exp(mean over all answers of −ln softmax(logits)[target]).
//!
//! ```
//! use astromorph::{golden::Logits, sequence::Sequence};
//! use astromorph_host::chain::perplexity::perplexity;
//! use astromorph_host::data::{Example, Target};
//! let example = Example {
//!     sequence: Sequence::Tokens { slots: 1, ids: vec![1, 2, 3] },
//!     target: Target::PerToken(vec![Some(2), None, Some(0)]),
//! };
//! // Four equal logits: any of four words; the second row is not asked.
//! let logits = |_| Ok(Logits { rows: 3, columns: 4, data: vec![0.5; 12] });
//! assert!((perplexity(&[example], logits).unwrap() - 4.0).abs() < 1e-12);
//! ```

use crate::data::{Example, Target};
use astromorph::golden::Logits;
use astromorph::golden::loss::cross_entropy;
use astromorph::{Error, Result};
use rayon::prelude::*;

/// Of all examples; `logits` gives those of one by its number.
pub fn perplexity(examples: &[Example], logits: impl Fn(usize) -> Result<Logits<f64>> + Sync) -> Result<f64> {
    let losses: Vec<(f64, usize)> = (examples.par_iter().enumerate())
        .map(|(n, example)| match &example.target {
            Target::Class(class) => cross_entropy(&logits(n)?, &[Some(*class)]),
            Target::PerToken(targets) => cross_entropy(&logits(n)?, targets),
        })
        .collect::<Result<_>>()?;
    // In the order of the examples, whichever thread took them: the same sum every time.
    let (sum, answers) = losses
        .iter()
        .fold((0.0, 0), |(s, n), (loss, count)| (s + loss, n + count));
    match answers {
        0 => Err(Error::field("perplexity", "at least one answer", "none")),
        _ => Ok((sum / answers as f64).exp()),
    }
}
