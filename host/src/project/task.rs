//! `[task]`: where examples come from, and which models can take them.
//!
//! ```
//! use astromorph_host::project::TaskSpec;
//! let task: TaskSpec = toml::from_str("kind = \"imdb\"").unwrap();
//! assert_eq!(task, TaskSpec::Imdb { validation: 2_500, bigrams: 0 }); // what has a default need not be given
//! ```

use super::{Project, range};
use crate::data::{cifar10, listops, mnist, patches, pieces};
use astromorph::spec::{Input, Order, OutputKind, Pooling};
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};

/// `[task]`: where examples come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskSpec {
    /// Multi-query associative recall, generated from the seed.
    Recall {
        /// Key–value pairs written before the queries.
        #[serde(default = "eight")]
        pairs: usize,
        /// Different keys.
        #[serde(default = "sixteen")]
        keys: usize,
        /// Different values: the classes.
        #[serde(default = "sixteen")]
        values: usize,
        /// Queries a sequence.
        #[serde(default = "eight")]
        queries: usize,
        /// Sequences in the training split.
        #[serde(default = "many")]
        train: usize,
        /// Sequences in each of the validation and test splits.
        #[serde(default = "two_thousand")]
        test: usize,
    },
    /// IMDB reviews in the official layout, below the data folder or its `aclImdb`.
    Imdb {
        /// Training reviews held out for validation.
        #[serde(default = "validation")]
        validation: usize,
        /// Rows of the embedding for hashed pairs of neighbouring words, in a second slot of every token; 0: words alone.
        #[serde(default)]
        bigrams: usize,
    },
    /// SST-2 in `train.txt`, `dev.txt`, `test.txt`, below the data folder or its `sst-2`.
    Sst2 {
        /// As of `imdb`.
        #[serde(default)]
        bigrams: usize,
    },
    /// CIFAR-10 images in the binary layout, below the data folder or its `cifar-10-batches-bin`.
    Cifar10 {
        /// Side of a token's patch in pixels.
        patch: usize,
        /// Pixels around the patch that its token sees besides.
        #[serde(default)]
        overlap: usize,
        /// Every training image is there a second time, left and right exchanged.
        #[serde(default)]
        mirror: bool,
    },
    /// MNIST digits in the official idx files, below the data folder or its `mnist`.
    Mnist {
        /// Side of a token's patch in pixels.
        patch: usize,
        /// Training images held out for validation, the last ones.
        #[serde(default = "five_thousand")]
        validation: usize,
    },
    /// Nested lists of operators and digits, generated from the seed as Long Range Arena does.
    Listops {
        /// Tokens of the shortest sequence.
        #[serde(default = "shortest")]
        min_length: usize,
        /// Tokens of the longest.
        #[serde(default = "longest")]
        max_length: usize,
        /// Depth of the deepest tree: a digit has 1, an operator one more than its deepest argument may.
        #[serde(default = "ten")]
        max_depth: usize,
        /// Most arguments of an operator; the fewest are 2.
        #[serde(default = "ten")]
        max_arguments: usize,
        /// Sequences in the training split.
        #[serde(default = "arena")]
        train: usize,
        /// Sequences in the validation split.
        #[serde(default = "two_thousand")]
        validation: usize,
        /// Sequences in the test split.
        #[serde(default = "two_thousand")]
        test: usize,
    },
    /// The next word of WikiText-2, below the data folder or its `wikitext-2`.
    Wikitext2 {
        /// What is predicted: words, or pieces of words.
        #[serde(default)]
        units: Units,
    },
    /// Tables (TSV or CSV with a header) of labelled text.
    Text {
        /// File of the training split, below the data folder.
        train: String,
        /// File of the validation split; a tenth of the training split when absent.
        #[serde(default)]
        validation: Option<String>,
        /// File of the test split; the validation split when absent.
        #[serde(default)]
        test: Option<String>,
        /// Column of the label: a name of the header, or an index from 0.
        label: Column,
        /// Column of the text.
        text: Column,
        /// Delimiter; by default a tab in `.tsv` files and a comma elsewhere.
        #[serde(default)]
        delimiter: Option<char>,
        /// As of `imdb`.
        #[serde(default)]
        bigrams: usize,
    },
    /// Sequences of vectors with a class each: safetensors files, or folders of NumPy files, with `x`, `y` and perhaps `lengths`.
    Arrays {
        /// The training split, below the data folder.
        train: String,
        /// The validation split; a tenth of the training split when absent.
        #[serde(default)]
        validation: Option<String>,
        /// The test split; the validation split when absent.
        #[serde(default)]
        test: Option<String>,
    },
}

impl TaskSpec {
    /// Rows of the embedding for hashed bigrams.
    pub fn bigrams(&self) -> usize {
        match *self {
            TaskSpec::Imdb { bigrams, .. } | TaskSpec::Sst2 { bigrams } | TaskSpec::Text { bigrams, .. } => bigrams,
            _ => 0,
        }
    }
}

/// What a token of running text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// A word; those beyond the vocabulary are "unknown".
    #[default]
    Words,
    /// A piece of a word, by byte-pair encoding: no word is unknown.
    Bpe,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// Index from 0.
    Index(usize),
    /// Name in the header.
    Name(String),
}

fn eight() -> usize {
    8
}
fn sixteen() -> usize {
    16
}
fn many() -> usize {
    65_536
}
fn two_thousand() -> usize {
    2_000
}
fn five_thousand() -> usize {
    5_000
}
fn shortest() -> usize {
    125
}
fn longest() -> usize {
    500
}
fn ten() -> usize {
    10
}
fn arena() -> usize {
    96_000
}
fn validation() -> usize {
    2_500
}

impl TaskSpec {
    /// Whether examples are made from the seed: such a task needs no data folder.
    pub fn generated(&self) -> bool {
        matches!(self, TaskSpec::Recall { .. } | TaskSpec::Listops { .. })
    }
}

impl Project {
    /// Images of `channels` planes of side × side pixels, ten classes.
    fn images_fit(&self, side: usize, channels: usize, (patch, overlap): (usize, usize)) -> Result<()> {
        if patch == 0 || !side.is_multiple_of(patch) {
            return Err(Error::field("task.patch", format!("a divisor of {side}"), patch));
        }
        let Input::Vectors { width, .. } = self.model.input else {
            return Err(Error::field("model.input.kind", "\"vectors\" for images", "tokens"));
        };
        let (expected, tokens) = (
            patches::width((patch, overlap), channels),
            (side / patch) * (side / patch),
        );
        if width != expected {
            return Err(Error::field(
                "model.input.width",
                format!("{expected} for this patch"),
                width,
            ));
        }
        range("model.n_max", self.model.n_max, tokens, 512)?;
        self.one_of_ten()?;
        self.no_word_forgotten("images")
    }

    fn arrays_fit(&self) -> Result<()> {
        let Input::Vectors { .. } = self.model.input else {
            return Err(Error::field("model.input.kind", "\"vectors\" for arrays", "tokens"));
        };
        let output = self.model.output;
        if output.kind != OutputKind::Classes || output.pooling == Pooling::None {
            let expected = "classes with pooling \"mean\" or \"last\"";
            return Err(Error::field("model.output", expected, format!("{output:?}")));
        }
        self.no_word_forgotten("arrays")
    }

    fn one_of_ten(&self) -> Result<()> {
        let output = self.model.output;
        if output.kind != OutputKind::Classes || output.size != 10 || output.pooling == Pooling::None {
            let found = format!("{output:?}");
            return Err(Error::field(
                "model.output",
                "10 classes with pooling \"mean\" or \"last\"",
                found,
            ));
        }
        Ok(())
    }

    fn no_word_forgotten(&self, task: &str) -> Result<()> {
        match self.train.word_dropout > 0.0 {
            true => Err(Error::field(
                "train.word_dropout",
                format!("0 for {task}, which has no unknown word"),
                self.train.word_dropout,
            )),
            false => Ok(()),
        }
    }

    fn lists_fit(&self) -> Result<()> {
        let TaskSpec::Listops {
            min_length,
            max_length,
            max_depth,
            max_arguments,
            train,
            validation,
            test,
        } = self.task
        else {
            return Ok(());
        };
        range("task.max_length", max_length, 1, 512)?;
        range("task.min_length", min_length, 1, max_length)?;
        range("task.max_depth", max_depth, 1, 20)?;
        range("task.max_arguments", max_arguments, 2, 20)?;
        range("task.train", train, 1, 10_000_000)?;
        range("task.validation", validation, 1, 1_000_000)?;
        range("task.test", test, 1, 1_000_000)?;
        let tokens = listops::TOKENS.len();
        match self.model.input {
            Input::Tokens {
                vocabulary, slots: 1, ..
            } if vocabulary == tokens => {}
            input => {
                let expected = format!("tokens of one slot, vocabulary {tokens}, for listops");
                return Err(Error::field("model.input", expected, format!("{input:?}")));
            }
        }
        self.one_of_ten()?;
        self.no_word_forgotten("listops")?;
        range("model.n_max", self.model.n_max, max_length, 512)
    }

    /// Whether this is the control that reads the words it predicts: next words by two-pass attention, whose output must not call itself a vocabulary.
    pub fn leaks(&self) -> bool {
        let m = &self.model;
        matches!(self.task, TaskSpec::Wikitext2 { .. })
            && (m.order, m.output.kind, m.output.pooling) == (Order::TwoPass, OutputKind::Classes, Pooling::None)
    }

    fn next_words_fit(&self, units: Units) -> Result<()> {
        let output = self.model.output;
        let Input::Tokens {
            vocabulary, slots: 1, ..
        } = self.model.input
        else {
            return Err(Error::field(
                "model.input",
                "tokens of one slot for next words",
                "another input",
            ));
        };
        if !(output.kind == OutputKind::Vocabulary || self.leaks()) || output.size != vocabulary {
            let expected = format!("a vocabulary of {vocabulary}, the input's");
            return Err(Error::field("model.output", expected, format!("{output:?}")));
        }
        let fewest = match units {
            Units::Words => 3,
            Units::Bpe => pieces::FEWEST,
        };
        range("model.input.vocabulary", vocabulary, fewest, 262_144)
    }

    /// Refuses a task that the model or the training contradicts.
    pub(super) fn task_fits_model(&self) -> Result<()> {
        match self.task {
            TaskSpec::Cifar10 { patch, overlap, .. } => {
                range("task.overlap", overlap, 0, 8)?;
                return self.images_fit(cifar10::SIDE, 3, (patch, overlap));
            }
            TaskSpec::Mnist { patch, validation } => {
                range("task.validation", validation, 1, 50_000)?;
                return self.images_fit(mnist::SIDE, 1, (patch, 0));
            }
            TaskSpec::Listops { .. } => return self.lists_fit(),
            TaskSpec::Arrays { .. } => return self.arrays_fit(),
            TaskSpec::Wikitext2 { units } => return self.next_words_fit(units),
            _ => {}
        }
        let Input::Tokens { vocabulary, slots, .. } = self.model.input else {
            return Err(Error::field("model.input.kind", "\"tokens\" for this task", "vectors"));
        };
        if self.model.output.kind != OutputKind::Classes {
            return Err(Error::field(
                "model.output.kind",
                "\"classes\" for this task",
                "vocabulary",
            ));
        }
        let size = self.model.output.size;
        let same = |field: &str, expected: usize, found: usize| match expected == found {
            true => Ok(()),
            false => Err(Error::field(field, format!("{expected} for this task"), found)),
        };
        if let TaskSpec::Recall {
            pairs,
            keys,
            values,
            queries,
            train,
            test,
        } = self.task
        {
            range("task.keys", keys, 2, 4096)?;
            range("task.values", values, 2, 4096)?;
            range("task.pairs", pairs, 1, keys)?;
            range("task.queries", queries, 1, 512)?;
            range("task.train", train, 1, 10_000_000)?;
            range("task.test", test, 1, 1_000_000)?;
            same("model.input.vocabulary", 1 + keys + values, vocabulary)?;
            same("model.input.slots", 2, slots)?;
            same("model.output.size", values, size)?;
            self.no_word_forgotten("recall")?;
            if self.model.output.pooling != Pooling::None {
                return Err(Error::field("model.output.pooling", "\"none\" for recall", "a pooling"));
            }
            return range("model.n_max", self.model.n_max, pairs + queries, 512);
        }
        let bigrams = self.task.bigrams();
        same("model.input.slots", if bigrams > 0 { 2 } else { 1 }, slots)?;
        range("model.input.vocabulary", vocabulary, 3 + bigrams, 262_144)?;
        if self.model.output.pooling == Pooling::None {
            return Err(Error::field(
                "model.output.pooling",
                "\"mean\" or \"last\" for a class a text",
                "none",
            ));
        }
        match self.task {
            TaskSpec::Imdb { validation, .. } => {
                range("task.validation", validation, 2, 20_000)?;
                same("model.output.size", 2, size)
            }
            TaskSpec::Sst2 { .. } => same("model.output.size", 2, size),
            _ => Ok(()),
        }
    }
}
