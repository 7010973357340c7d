//! A project: what stands in `model.toml`. Architecture, quantisation, core, task and training in one file.
//!
//! | section | type | default |
//! |---|---|---|
//! | `[model]` | `astromorph::spec::ModelSpec` | none: it must be given |
//! | `[quantize]` | `astromorph::spec::QuantizeSpec` | 16 bits |
//! | `[core]` | [`CoreSection`] | a core made to measure, 8 lanes |
//! | `[task]` | [`TaskSpec`] | none: it must be given |
//! | `[train]` | [`TrainSpec`] | see its fields |
//! | `[profile.NAME]` | changes to all of these | none ([`profile`]) |
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

pub mod profile;
mod task;
mod train_spec;

use astromorph::spec::{ModelSpec, QuantizeSpec};
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
pub use task::{Column, TaskSpec, Units};
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
    /// Changes to choose from, until one is chosen or none.
    #[serde(default, rename = "profile", skip_serializing)]
    pub profiles: BTreeMap<String, toml::Table>,
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

/// The projects built into the program.
pub const BUILTIN: [(&str, &str); 9] = [
    ("recall", include_str!("../projects/recall.toml")),
    ("listops", include_str!("../projects/listops.toml")),
    ("imdb", include_str!("../projects/imdb.toml")),
    ("sst2", include_str!("../projects/sst2.toml")),
    ("mnist", include_str!("../projects/mnist.toml")),
    ("cifar10", include_str!("../projects/cifar10.toml")),
    ("wikitext2", include_str!("../projects/wikitext2.toml")),
    ("text", include_str!("../projects/text.toml")),
    ("arrays", include_str!("../projects/arrays.toml")),
];

/// The text of that name among built-in ones; `field` stands in the error.
pub(crate) fn builtin(all: &[(&str, &'static str)], field: &str, name: &str) -> Result<&'static str> {
    let found = all.iter().find(|(n, _)| *n == name).map(|(_, text)| *text);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(n, _)| *n).collect();
        Error::field(field, format!("one of {}", names.join(", ")), name)
    })
}

impl Project {
    /// Reads and validates a `model.toml`.
    pub fn load(path: &Path) -> Result<Project> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// A built-in project by name.
    pub fn builtin(name: &str) -> Result<Project> {
        Self::parse(&format!("built-in {name}.toml"), builtin(&BUILTIN, "task", name)?)
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
        for name in project.profiles.keys() {
            project.clone().profile(Some(name)).map_err(|e| Error::file(file, e))?;
        }
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
            let project = Project::builtin(name).unwrap().profile(None).unwrap();
            assert_eq!(Project::parse("again", &project.to_toml().unwrap()).unwrap(), project);
        }
    }

    #[test]
    fn a_task_refuses_a_model_it_does_not_fit() {
        for (name, from, to, field) in [
            ("mnist", "patch = 7", "patch = 5", "task.patch"),
            ("mnist", "width = 49", "width = 48", "model.input.width"),
            ("mnist", "patch = 7", "patch = 7\nvalidation = 0", "task.validation"),
            ("mnist", "size = 10", "size = 9", "model.output"),
            ("cifar10", "width = 48", "width = 16", "model.input.width"),
            ("listops", "vocabulary = 16", "vocabulary = 17", "model.input"),
            (
                "listops",
                "kind = \"listops\"",
                "kind = \"listops\"\nmin_length = 501",
                "task.min_length",
            ),
            (
                "listops",
                "kind = \"listops\"",
                "kind = \"listops\"\nmax_arguments = 1",
                "task.max_arguments",
            ),
            ("listops", "pooling = \"mean\"", "pooling = \"none\"", "model.output"),
            (
                "listops",
                "[train]",
                "[train]\nword_dropout = 0.1",
                "train.word_dropout",
            ),
        ] {
            let text = BUILTIN.iter().find(|(n, _)| *n == name).unwrap().1;
            assert!(text.contains(from), "{name}: {from}");
            let error = Project::parse("f.toml", &text.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(&format!("{field}:")), "{error}");
        }
        let words = BUILTIN
            .iter()
            .find(|(n, _)| *n == "wikitext2")
            .unwrap()
            .1
            .replace("= 1024", "= 258");
        assert!(Project::parse("f.toml", &words).is_ok());
        let pieces = words.replacen(
            "\"wikitext2\"\n\n[train]",
            "\"wikitext2\"\nunits = \"bpe\"\n\n[train]",
            1,
        );
        let error = Project::parse("f.toml", &pieces).unwrap_err().to_string();
        assert!(error.contains("model.input.vocabulary: expected 259"), "{error}");
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
