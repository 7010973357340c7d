//! A project: what stands in `model.toml`. Architecture, quantisation, core, task and training in one file.
//!
//! | section | type | default |
//! |---|---|---|
//! | `[model]` | `astromorph::spec::ModelSpec` | none: it must be given |
//! | `[quantize]` | `astromorph::spec::QuantizeSpec` | 16 bits |
//! | `[core]` | [`CoreSection`] | a core made to measure, 8 lanes |
//! | `[task]` | [`TaskSpec`] | none: it must be given |
//! | `[train]` | [`TrainSpec`] | see its fields |
//!
//! Unknown fields are refused everywhere; an error names file, line and field.
//!
//! ```
//! use astromorph_host::project::{Project, TaskSpec};
//! let recall = Project::builtin("recall").unwrap();
//! assert!(matches!(recall.task, TaskSpec::Recall { pairs: 8, .. }));
//! assert_eq!(recall.model.n_max, 16); // 8 pairs and 8 queries
//! let error = Project::parse("mine.toml", "name = \"x\"\nlanes = 3\n").unwrap_err().to_string();
//! assert!(error.contains("mine.toml") && error.contains("line 2") && error.contains("lanes"));
//! ```

mod train_spec;

use astromorph::spec::{Input, ModelSpec, OutputKind, Pooling, QuantizeSpec};
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
pub use train_spec::{QuantizedPhase, TrainSpec};

/// The whole of `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Name of the project: it names the output folder.
    pub name: String,
    /// Architecture.
    pub model: ModelSpec,
    /// Widths of the integer model.
    #[serde(default)]
    pub quantize: QuantizeSpec,
    /// The core.
    #[serde(default)]
    pub core: CoreSection,
    /// What is learnt, and from what.
    pub task: TaskSpec,
    /// How it is learnt.
    #[serde(default)]
    pub train: TrainSpec,
}

/// `[core]`: the engine to run on where a verb is not given `--core`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoreSection {
    /// The first of these whose operands have the image's width: built-in cores, or files NAME.toml. Where none has: a core made to measure.
    pub names: Vec<String>,
    /// Lanes of a core made to measure, 2 to 128, even.
    pub lanes: usize,
}

impl Default for CoreSection {
    fn default() -> Self {
        CoreSection {
            names: Vec::new(),
            lanes: 8,
        }
    }
}

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
    },
    /// SST-2 in `train.txt`, `dev.txt`, `test.txt`, below the data folder or its `sst-2`.
    Sst2 {},
    /// CIFAR-10 images in the binary layout, below the data folder or its `cifar-10-batches-bin`.
    Cifar10 {
        /// Side of a token's patch in pixels.
        patch: usize,
    },
    /// The next word of WikiText-2, below the data folder or its `wikitext-2`.
    Wikitext2 {},
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
    },
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
fn validation() -> usize {
    2_500
}

/// The projects built into the program.
pub const BUILTIN: [(&str, &str); 6] = [
    ("recall", include_str!("../projects/recall.toml")),
    ("imdb", include_str!("../projects/imdb.toml")),
    ("sst2", include_str!("../projects/sst2.toml")),
    ("cifar10", include_str!("../projects/cifar10.toml")),
    ("wikitext2", include_str!("../projects/wikitext2.toml")),
    ("text", include_str!("../projects/text.toml")),
];

impl Project {
    /// Reads and validates a `model.toml`.
    pub fn load(path: &Path) -> Result<Project> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// A built-in project by name.
    pub fn builtin(name: &str) -> Result<Project> {
        let Some((_, text)) = BUILTIN.iter().find(|(n, _)| *n == name) else {
            let names = BUILTIN.map(|(n, _)| n).join(", ");
            return Err(Error::field("task", format!("one of {names}"), name));
        };
        Self::parse(&format!("built-in {name}.toml"), text)
    }

    /// Parses and validates; `file` stands in the errors.
    pub fn parse(file: &str, text: &str) -> Result<Project> {
        let project: Project = toml::from_str(text).map_err(|e| {
            let line = e
                .span()
                .map(|s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            let place = line.map(|l| format!("line {l}: ")).unwrap_or_default();
            Error::file(file, format!("{place}{}", e.message().trim()))
        })?;
        project.validate().map_err(|e| Error::file(file, e))?;
        Ok(project)
    }

    /// The file again.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| Error::file("model.toml", e))
    }

    /// Refuses numbers out of range and sections that contradict each other.
    pub fn validate(&self) -> Result<()> {
        self.model.validate()?;
        self.quantize.validate_for(&self.model)?;
        range("core.lanes", self.core.lanes, 2, 128)?;
        if !self.core.lanes.is_multiple_of(2) {
            return Err(Error::field("core.lanes", "an even number", self.core.lanes));
        }
        self.train.validate()?;
        self.task_fits_model()
    }

    fn images_fit(&self, patch: usize) -> Result<()> {
        let side = crate::data::cifar10::SIDE;
        if patch == 0 || !side.is_multiple_of(patch) {
            return Err(Error::field("task.patch", format!("a divisor of {side}"), patch));
        }
        let Input::Vectors { width, .. } = self.model.input else {
            return Err(Error::field("model.input.kind", "\"vectors\" for images", "tokens"));
        };
        let (expected, tokens) = (3 * patch * patch, (side / patch) * (side / patch));
        if width != expected {
            return Err(Error::field(
                "model.input.width",
                format!("{expected} for this patch"),
                width,
            ));
        }
        range("model.n_max", self.model.n_max, tokens, 512)?;
        let output = self.model.output;
        if output.kind != OutputKind::Classes || output.size != 10 || output.pooling == Pooling::None {
            let found = format!("{output:?}");
            return Err(Error::field(
                "model.output",
                "10 classes with pooling \"mean\" or \"last\"",
                found,
            ));
        }
        if self.train.word_dropout > 0.0 {
            return Err(Error::field(
                "train.word_dropout",
                "0 for images",
                self.train.word_dropout,
            ));
        }
        Ok(())
    }

    fn next_words_fit(&self) -> Result<()> {
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
        if output.kind != OutputKind::Vocabulary || output.size != vocabulary {
            let expected = format!("a vocabulary of {vocabulary}, the input's");
            return Err(Error::field("model.output", expected, format!("{output:?}")));
        }
        range("model.input.vocabulary", vocabulary, 3, 262_144)
    }

    fn task_fits_model(&self) -> Result<()> {
        match self.task {
            TaskSpec::Cifar10 { patch } => return self.images_fit(patch),
            TaskSpec::Wikitext2 {} => return self.next_words_fit(),
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
            if self.train.word_dropout > 0.0 {
                return Err(Error::field(
                    "train.word_dropout",
                    "0 for recall, which has no unknown word",
                    self.train.word_dropout,
                ));
            }
            if self.model.output.pooling != Pooling::None {
                return Err(Error::field("model.output.pooling", "\"none\" for recall", "a pooling"));
            }
            return range("model.n_max", self.model.n_max, pairs + queries, 512);
        }
        same("model.input.slots", 1, slots)?;
        range("model.input.vocabulary", vocabulary, 3, 262_144)?;
        if self.model.output.pooling == Pooling::None {
            return Err(Error::field(
                "model.output.pooling",
                "\"mean\" or \"last\" for a class a text",
                "none",
            ));
        }
        match self.task {
            TaskSpec::Imdb { validation } => {
                range("task.validation", validation, 2, 20_000)?;
                same("model.output.size", 2, size)
            }
            TaskSpec::Sst2 {} => same("model.output.size", 2, size),
            _ => Ok(()),
        }
    }
}

pub(crate) fn range<T: PartialOrd + std::fmt::Display>(field: &str, x: T, lo: T, hi: T) -> Result<()> {
    match x >= lo && x <= hi {
        true => Ok(()),
        false => Err(Error::field(field, format!("{lo} to {hi}"), x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_is_valid_and_survives_a_round_trip() {
        for (name, _) in BUILTIN {
            let project = Project::builtin(name).unwrap();
            assert_eq!(Project::parse("again", &project.to_toml().unwrap()).unwrap(), project);
        }
    }

    #[test]
    fn contradictions_name_their_field() {
        let recall = BUILTIN[0].1;
        for (from, to, field) in [
            ("size = 16", "size = 17", "model.output.size"),
            ("vocabulary = 33", "vocabulary = 34", "model.input.vocabulary"),
            ("n_max = 16", "n_max = 15", "model.n_max"),
            ("steps = 900", "steps = 900\nclip = -1", "train.clip"),
            ("steps = 900", "steps = 900\nmomentum = 1", "momentum"),
            ("kind = \"recall\"", "kind = \"recall\"\npairs = 99", "task.pairs"),
            ("kind = \"recall\"", "kind = \"imdb\"", "model.input.slots"),
            ("average = 0.99", "average = nan", "train.average"),
            ("[train]", "[core]\nlanes = 3\n[train]", "core.lanes"),
            ("[train]", "[core]\nchunk = 32\n[train]", "chunk"),
        ] {
            assert!(recall.contains(from));
            let error = Project::parse("f.toml", &recall.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(field) && error.contains("f.toml"), "{error}");
        }
    }
}
