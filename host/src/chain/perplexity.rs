//! Perplexity: how many words the next one is as good as drawn from, exp(mean over all answers of −ln softmax(logits)[target]).
//!
//! Where a word is several tokens (pieces), the figure that compares between vocabularies is the perplexity of a word: the same sum of losses over the
//! number of words, the ends of lines among them ([`crate::data::Words::of_a_word`]).
//!
//! ```
//! use astromorph::golden::Logits;
//! use astromorph_host::chain::perplexity::{loss, perplexity};
//! use astromorph_host::data::Target;
//! // Four equal logits: any of four words; the second row is not asked.
//! let logits = Logits { rows: 3, columns: 4, data: vec![0.5; 12] };
//! let found = loss(&logits, &Target::PerToken(vec![Some(2), None, Some(0)])).unwrap();
//! assert_eq!(found.1, 2);
//! assert!((perplexity(&[found]).unwrap() - 4.0).abs() < 1e-12);
//! ```

use crate::data::Target;
use astromorph::golden::Logits;
use astromorph::golden::loss::cross_entropy;
use astromorph::{Error, Result};

/// Sum of the losses of one example, and how many answers it has.
pub fn loss(logits: &Logits<f64>, target: &Target) -> Result<(f64, usize)> {
    match target {
        Target::Class(class) => cross_entropy(logits, &[Some(*class)]),
        Target::PerToken(targets) => cross_entropy(logits, targets),
    }
}

/// Of all examples' losses, added in their order: the same sum every time.
pub fn perplexity(losses: &[(f64, usize)]) -> Result<f64> {
    let (sum, answers) = losses
        .iter()
        .fold((0.0, 0), |(s, n), (loss, count)| (s + loss, n + count));
    match answers {
        0 => Err(Error::field("perplexity", "at least one answer", "none")),
        _ => Ok((sum / answers as f64).exp()),
    }
}
