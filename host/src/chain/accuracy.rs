//! Accuracy of any form of the model: golden, twin, or the twin with its attention computed by simulated hardware.
//!
//! ```
//! use astromorph_host::chain::accuracy::hits;
//! use astromorph_host::data::Target;
//! assert_eq!(hits(&Target::Class(1), &[1]), (1, 1));
//! assert_eq!(hits(&Target::PerToken(vec![None, Some(2), Some(0)]), &[5, 2, 1]), (1, 2)); // one of two answers
//! ```

use crate::cli::Failure;
use crate::data::{Example, Target};
use crate::interrupt;
use crate::progress::Progress;
use crate::report::Accuracy;
use astromorph::Result;
use astromorph::sequence::Sequence;
use rayon::prelude::*;

/// Sequences between two looks at the user's wish to stop.
const BLOCK: usize = 256;

/// (correct, asked) of one example, from the predicted class of every row of logits.
pub fn hits(target: &Target, classes: &[usize]) -> (usize, usize) {
    match target {
        Target::Class(c) => (usize::from(classes.first() == Some(&(*c as usize))), 1),
        Target::PerToken(wanted) => {
            let asked = wanted
                .iter()
                .zip(classes)
                .filter_map(|(w, c)| w.map(|w| w as usize == *c));
            asked.fold((0, 0), |(good, all), hit| (good + usize::from(hit), all + 1))
        }
    }
}

/// Scores `predict` (the class of every row of logits) on all examples, on all cores.
pub fn accuracy(
    form: &str,
    width: &str,
    examples: &[Example],
    progress: &Progress,
    predict: impl Fn(&Sequence) -> Result<Vec<usize>> + Sync,
) -> std::result::Result<Accuracy, Failure> {
    let mut total = Accuracy {
        form: form.into(),
        width: width.into(),
        correct: 0,
        total: 0,
        sequences: 0,
    };
    for block in examples.chunks(BLOCK) {
        if interrupt::requested() {
            return Err(Failure::Interrupted("the output folder".into()));
        }
        let (good, all) = block
            .par_iter()
            .map(|e| predict(&e.sequence).map(|classes| hits(&e.target, &classes)))
            .try_reduce(|| (0, 0), |a, b| Ok((a.0 + b.0, a.1 + b.1)))?;
        total.correct += good;
        total.total += all;
        total.sequences += block.len();
        progress.at(total.sequences, examples.len(), form);
    }
    progress.finish();
    Ok(total)
}
