//! What a form of the model says about the test set, and where two forms do not say the same.
//!
//! ```
//! use astromorph_host::chain::answers::Answers;
//! use astromorph_host::data::{Example, Target};
//! use astromorph::sequence::Sequence;
//! let example = |class| Example { sequence: Sequence::Tokens { slots: 1, ids: vec![1, 2, 3] }, target: Target::Class(class) };
//! let says = |form: &str, classes: [usize; 2]| Answers { form: form.into(), width: "8".into(), classes: classes.map(|c| vec![c]).to_vec(),
//!     words: vec![], losses: vec![], seconds: 0.5 };
//! let (a, b) = (says("golden", [1, 0]), says("twin", [1, 1]));
//! let examples = [example(1), example(1)];
//! assert_eq!(a.accuracy(&examples).correct, 1);
//! assert_eq!(b.tokens_a_second(&examples), 12.0);
//! let found = a.disagreements(&b, &examples);
//! assert_eq!((found.len(), found[0].item, found[0].says, found[0].target), (1, 1, (0, 1), Some(1)));
//! // Of a row without a target nothing is asked.
//! assert_eq!(astromorph_host::chain::answers::hits(&Target::PerToken(vec![None, Some(2), Some(0)]), &[5, 2, 1]), (1, 2));
//! ```

use super::perplexity::loss;
use crate::cli::Failure;
use crate::data::{Example, Target};
use crate::interrupt;
use crate::link::Device;
use crate::link::device::List;
use crate::progress::Progress;
use crate::report::{Accuracy, ComparisonRow, Disagreement};
use astromorph::Result;
use astromorph::golden::{Golden, Logits};
use astromorph::image::Image;
use astromorph::spec::{ModelSpec, OutputKind};
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
    /// The logits themselves of the first sequences, where they are integers.
    pub words: Vec<Vec<i32>>,
    /// Of next words: loss and answers of every sequence; otherwise empty.
    pub losses: Vec<(f64, usize)>,
    /// How long it took.
    pub seconds: f64,
}

/// What a form says of one sequence.
#[derive(Default)]
pub struct Said {
    /// The class of every row of logits.
    pub classes: Vec<usize>,
    /// The logits, where they are integers and wanted.
    pub words: Vec<i32>,
    /// Of next words: loss and answers.
    pub loss: Option<(f64, usize)>,
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

fn next_words(spec: &ModelSpec) -> bool {
    spec.output.kind == OutputKind::Vocabulary
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
        let predict = |_, e: &Example| {
            let logits = model.predict(&e.sequence)?;
            Ok(Said {
                classes: logits.classes(),
                loss: next_words(spec).then(|| loss(&logits, &e.target)).transpose()?,
                ..Said::default()
            })
        };
        Answers::compute(("golden", "float"), examples, progress, predict)
    }

    /// In integers; the logits of the first `kept` sequences are kept (a vocabulary's are too many to keep all).
    pub fn twin(
        image: &Image,
        examples: &[Example],
        kept: usize,
        progress: &Progress,
    ) -> std::result::Result<Answers, Failure> {
        let model = Twin::new(image)?;
        let width = image.quantize().activation_bits.to_string();
        Answers::compute(("twin", &width), examples, progress, |n, e: &Example| {
            let logits = model.predict(&e.sequence)?;
            let decoded = || Logits {
                rows: logits.rows,
                columns: logits.columns,
                data: logits.data.iter().map(|&x| logits.format.decode(x as i64)).collect(),
            };
            Ok(Said {
                loss: next_words(image.spec())
                    .then(|| loss(&decoded(), &e.target))
                    .transpose()?,
                classes: logits.classes(),
                words: if n < kept { logits.data } else { Vec::new() },
            })
        })
    }

    /// From `predict` (of the n-th example), on all processors.
    pub fn compute(
        (form, width): (&str, &str),
        examples: &[Example],
        progress: &Progress,
        predict: impl Fn(usize, &Example) -> Result<Said> + Sync,
    ) -> std::result::Result<Answers, Failure> {
        let started = Instant::now();
        let mut all = Answers {
            form: form.into(),
            width: width.into(),
            classes: Vec::with_capacity(examples.len()),
            words: Vec::new(),
            losses: Vec::new(),
            seconds: 0.0,
        };
        for block in examples.chunks(BLOCK) {
            if interrupt::requested() {
                return Err(Failure::Interrupted("the output folder".into()));
            }
            let first = all.classes.len();
            let numbered = block.par_iter().enumerate();
            let some: Vec<Said> = numbered.map(|(n, e)| predict(first + n, e)).collect::<Result<_>>()?;
            for said in some {
                all.classes.push(said.classes);
                if !said.words.is_empty() {
                    all.words.push(said.words);
                }
                all.losses.extend(said.loss);
            }
            progress.at(all.classes.len(), examples.len(), form);
        }
        progress.finish();
        all.seconds = started.elapsed().as_secs_f64();
        Ok(all)
    }

    /// From logits.
    pub fn of_words((form, width): (&str, &str), words: Vec<Vec<i32>>, columns: usize, seconds: f64) -> Answers {
        Answers {
            form: form.into(),
            width: width.into(),
            classes: words.iter().map(|w| classes(w, columns)).collect(),
            words,
            losses: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::perplexity::perplexity;
    use crate::compile::random::random_image;
    use rand::SeedableRng;

    #[test]
    fn the_twin_keeps_few_logits_and_every_loss() {
        let spec: ModelSpec = toml::from_str(
            "layers = 1\nheads = 1\nd_model = 8\nfeatures = 4\nvalues = 4\nn_max = 6\norder = \"causal\"\n\
             input = { kind = \"tokens\", vocabulary = 9 }\noutput = { kind = \"vocabulary\", size = 9 }",
        )
        .unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let image = random_image(&spec, &mut rng).unwrap();
        let example = |n: usize| Example {
            sequence: astromorph::sequence::Sequence::random_of(&spec, n, &mut rng),
            target: Target::PerToken((0..n).map(|i| (i > 0).then_some(i as u32)).collect()),
        };
        let examples: Vec<Example> = [3, 6, 2].map(example).into();
        let found = Answers::twin(&image, &examples, 2, &Progress::new(true)).unwrap();
        assert_eq!((found.classes.len(), found.words.len(), found.losses.len()), (3, 2, 3));
        // The same by hand: −ln of the share of the target's power in each row that is asked.
        let format = image.plan().format("logits").unwrap();
        let (mut sum, mut answers) = (0.0, 0);
        for (example, words) in examples.iter().zip(&found.words) {
            for (i, row) in words.chunks(9).enumerate().skip(1) {
                let power = |x: i32| format.decode(x as i64).exp();
                sum -= (power(row[i]) / row.iter().map(|x| power(*x)).sum::<f64>()).ln();
                answers += 1;
            }
            assert_eq!(example.sequence.len() * 9, words.len());
        }
        assert_eq!(answers, 2 + 5);
        let expected = (sum / answers as f64).exp();
        assert!((perplexity(&found.losses[..2]).unwrap() / expected - 1.0).abs() < 1e-9);
        assert!(perplexity(&[]).is_err());
    }
}
