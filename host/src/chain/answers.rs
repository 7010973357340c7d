//! What a form of the model says about the test set, and where two forms do not say the same.
//!
//! ```
//! use astromorph_host::chain::answers::Answers;
//! use astromorph_host::data::{Example, Target};
//! use astromorph::sequence::Sequence;
//! let example = |class| Example { sequence: Sequence::Tokens { slots: 1, ids: vec![1, 2, 3] }, target: Target::Class(class) };
//! let says = |form: &str, classes: [usize; 2]| Answers { form: form.into(), width: "8".into(), classes: classes.map(|c| vec![c]).to_vec(),
//!     words: vec![], seconds: 0.5 };
//! let (a, b) = (says("golden", [1, 0]), says("twin", [1, 1]));
//! let examples = [example(1), example(1)];
//! assert_eq!(a.accuracy(&examples).correct, 1);
//! assert_eq!(b.tokens_a_second(&examples), 12.0);
//! let found = a.disagreements(&b, &examples);
//! assert_eq!((found.len(), found[0].item, found[0].says, found[0].target), (1, 1, (0, 1), Some(1)));
//! // Of a row without a target nothing is asked.
//! assert_eq!(astromorph_host::chain::answers::hits(&Target::PerToken(vec![None, Some(2), Some(0)]), &[5, 2, 1]), (1, 2));
//! ```

use crate::cli::Failure;
use crate::data::{Example, Target};
use crate::interrupt;
use crate::link::Device;
use crate::link::device::List;
use crate::progress::Progress;
use crate::report::{Accuracy, ComparisonRow, Disagreement};
use astromorph::Result;
use astromorph::golden::Golden;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::spec::ModelSpec;
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use rayon::prelude::*;
use std::time::Instant;

/// Sequences between two looks at the user's wish to stop.
const BLOCK: usize = 256;

/// One form's answers to the first examples of a test set.
pub struct Answers {
    /// golden, twin, …
    pub form: String,
    /// Bits of its words, or "float".
    pub width: String,
    /// The class of every row of logits, a sequence an entry.
    pub classes: Vec<Vec<usize>>,
    /// The logits themselves, where they are integers.
    pub words: Vec<Vec<i32>>,
    /// How long it took.
    pub seconds: f64,
}

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

/// The index of the largest of every row; the first of equals.
pub fn classes(words: &[i32], columns: usize) -> Vec<usize> {
    let largest = |row: &[i32]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    words.chunks_exact(columns).map(largest).collect()
}

impl Answers {
    /// In floating point.
    pub fn golden(
        spec: &ModelSpec,
        weights: &Weights,
        examples: &[Example],
        progress: &Progress,
    ) -> std::result::Result<Answers, Failure> {
        let model = Golden::<f64>::new(spec, weights)?;
        let predict = |s: &_| Ok((model.predict(s)?.classes(), Vec::new()));
        Answers::compute(("golden", "float"), examples, progress, predict)
    }

    /// In integers.
    pub fn twin(image: &Image, examples: &[Example], progress: &Progress) -> std::result::Result<Answers, Failure> {
        let model = Twin::new(image)?;
        let width = image.quantize().activation_bits.to_string();
        Answers::compute(("twin", &width), examples, progress, |s: &_| {
            let logits = model.predict(s)?;
            Ok((logits.classes(), logits.data))
        })
    }

    /// From `predict` (classes and, of integers, logits), on all processors.
    pub fn compute(
        (form, width): (&str, &str),
        examples: &[Example],
        progress: &Progress,
        predict: impl Fn(&Sequence) -> Result<(Vec<usize>, Vec<i32>)> + Sync,
    ) -> std::result::Result<Answers, Failure> {
        let started = Instant::now();
        let (mut classes, mut words) = (Vec::new(), Vec::new());
        for block in examples.chunks(BLOCK) {
            if interrupt::requested() {
                return Err(Failure::Interrupted("the output folder".into()));
            }
            let some: Vec<_> = block.par_iter().map(|e| predict(&e.sequence)).collect::<Result<_>>()?;
            for (c, w) in some {
                classes.push(c);
                words.push(w);
            }
            progress.at(classes.len(), examples.len(), form);
        }
        progress.finish();
        Ok(Answers {
            form: form.into(),
            width: width.into(),
            classes,
            words,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// From logits.
    pub fn of_words((form, width): (&str, &str), words: Vec<Vec<i32>>, columns: usize, seconds: f64) -> Answers {
        Answers {
            form: form.into(),
            width: width.into(),
            classes: words.iter().map(|w| classes(w, columns)).collect(),
            words,
            seconds,
        }
    }

    /// From one device with a program.
    pub fn by_device(
        device: &mut dyn Device,
        inputs: Vec<(Vec<i32>, usize)>,
        columns: usize,
        progress: &Progress,
    ) -> std::result::Result<Answers, Failure> {
        let (name, width) = (device.name(), device.core().width.to_string());
        let started = Instant::now();
        let shown = |done, of| progress.at(done, of, &name);
        let mut list = List::new(inputs, &shown);
        device.run(&mut list)?;
        progress.finish();
        let words = list.results.into_iter().flatten().collect();
        Ok(Answers::of_words(
            (&name, &width),
            words,
            columns,
            started.elapsed().as_secs_f64(),
        ))
    }

    /// How many are right.
    pub fn accuracy(&self, examples: &[Example]) -> Accuracy {
        let mut row = Accuracy {
            form: self.form.clone(),
            width: self.width.clone(),
            correct: 0,
            total: 0,
            sequences: self.classes.len(),
        };
        for (example, classes) in examples.iter().zip(&self.classes) {
            let (correct, asked) = hits(&example.target, classes);
            row.correct += correct;
            row.total += asked;
        }
        row
    }

    /// Tokens of its sequences in a second.
    pub fn tokens_a_second(&self, examples: &[Example]) -> f64 {
        let tokens: usize = examples.iter().take(self.classes.len()).map(|e| e.sequence.len()).sum();
        tokens as f64 / self.seconds.max(1e-9)
    }

    /// Every row of the sequences both have answered that they class otherwise, and that is asked for.
    pub fn disagreements(&self, other: &Answers, examples: &[Example]) -> Vec<Disagreement> {
        let pairs = self.classes.iter().zip(&other.classes).zip(examples);
        pairs
            .enumerate()
            .flat_map(|(item, ((a, b), example))| {
                let rows = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b);
                rows.filter_map(move |(row, (&left, &right))| {
                    let target = match &example.target {
                        Target::Class(c) => *c,
                        Target::PerToken(wanted) => (*wanted.get(row)?)?,
                    };
                    Some(Disagreement {
                        left: self.form.clone(),
                        right: other.form.clone(),
                        item,
                        row,
                        says: (left, right),
                        target: Some(target),
                    })
                })
            })
            .collect()
    }

    /// Every logit against the twin's; the first sequence that differs stands in the row.
    pub fn compared(&self, twin: &Answers) -> ComparisonRow {
        let mut row = ComparisonRow::missing(&twin.form, &self.form, "every logit", "");
        row.sequences = self.words.len();
        let mut first = None;
        for (n, (found, expected)) in self.words.iter().zip(&twin.words).enumerate() {
            let same = found.iter().zip(expected).filter(|(a, b)| a == b).count();
            let all = found.len().max(expected.len());
            row.words += all as u64;
            row.mismatches += (all - same) as u64;
            if same < all {
                first.get_or_insert(n);
            }
        }
        if let Some(n) = first {
            row.what += &format!("; first difference in sequence {n}");
        }
        row
    }
}
