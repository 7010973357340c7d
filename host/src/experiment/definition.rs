//! What stands in an experiment's file: groups of rows, each a project with changes, over seeds.
//!
//! | field | |
//! |---|---|
//! | `title`, `question`, `source` | for the page: what it is, what it asks, and whose claim it is held against |
//! | `seeds`, `reduced.seeds` | 1 to n; the second under `--reduced` |
//! | `measures` | what a row shows, in this order ([`Measure`]) |
//! | `group.name`, `.project`, `.set`, `.items` | a table: a built-in project, changes to its `model.toml`, and the items of a split that are used at most |
//! | `group.threshold` | validation accuracy whose epoch is measured |
//! | `group.reduced.set`, `.items` | further changes under `--reduced` |
//! | `group.row.name`, `.set` | a row: changes on top of those |
//! | `group.row.form` | `"model"`, `"bag"` (the bag of words) or `{ dense = n }` (a dense associative memory, F(x) = x^n) in its place |
//! | `group.row.response` | the feature map of `correlation` and `error` ([`Features`]) |
//! | `group.row.search` | percentage points that the search for the smallest widths may lose |
//!
//! Changes are merged as a profile's are ([`merge`]).
//!
//! ```
//! let learning = astromorph_host::experiment::builtin("learning-speed").unwrap();
//! let rows = learning.groups[0].rows.len();
//! assert_eq!(learning.jobs(false).unwrap().iter().filter(|j| j.group == 0).count(), rows * 5); // five seeds
//! ```

use super::measure::Measure;
use super::response::{Features, Map};
use crate::project::{Project, profile::merge};
use astromorph::spec::{AttentionKind, Input};
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};

/// A whole experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Heading.
    pub title: String,
    /// What it asks.
    pub question: String,
    /// Whose claim.
    pub source: String,
    /// Seeds 1 to this.
    pub seeds: u64,
    /// What is measured.
    pub measures: Vec<Measure>,
    /// `--reduced`.
    pub reduced: Reduced,
    /// Tables.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

/// `[reduced]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduced {
    /// Seeds 1 to this.
    pub seeds: u64,
}

/// Most items used of each split; 0: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Items {
    /// Of the training split.
    pub train: usize,
    /// Of the validation split.
    pub validation: usize,
    /// Of the test split.
    pub test: usize,
}

/// `[[group]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Heading of its table.
    pub name: String,
    /// A built-in project.
    pub project: String,
    /// Changes.
    #[serde(default)]
    pub set: toml::Table,
    /// Items used.
    #[serde(default)]
    pub items: Items,
    /// Validation accuracy, in percent, whose epoch is measured.
    #[serde(default)]
    pub threshold: f64,
    /// Changes under `--reduced`.
    #[serde(default)]
    pub reduced: Changes,
    /// Rows.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// `[group.reduced]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Changes {
    /// Changes on top of everything.
    pub set: toml::Table,
    /// Items used.
    pub items: Items,
}

/// `[[group.row]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Changes.
    #[serde(default)]
    pub set: toml::Table,
    /// What is trained and measured.
    #[serde(default)]
    pub form: Form,
    /// The astrocyte's response to this map, beside the softmax normaliser.
    #[serde(default)]
    pub response: Option<Features>,
    /// The smallest widths within this loss, in percentage points, in place of the project's.
    #[serde(default)]
    pub search: Option<f64>,
}

/// What a row trains and measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The project's model.
    #[default]
    Model,
    /// A bag of words of its vocabulary and width.
    Bag,
    /// A dense associative memory with F(x) = x^n, of the size of its attention.
    Dense(u32),
}

/// One configuration with a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Index of the group.
    pub group: usize,
    /// Index of the row.
    pub row: usize,
    /// The seed.
    pub seed: u64,
    /// The project, seed and changes in it.
    pub project: Project,
    /// Items used.
    pub items: Items,
    /// The row.
    pub options: Row,
    /// As in the group.
    pub threshold: f64,
}

impl Definition {
    /// Parses and validates every row; `file` stands in the errors.
    pub fn parse(file: &str, text: &str) -> Result<Definition> {
        let definition: Definition = toml::from_str(text).map_err(|e| Error::file(file, e.message().trim()))?;
        for reduced in [false, true] {
            definition.jobs(reduced).map_err(|e| Error::file(file, e))?;
        }
        Ok(definition)
    }

    /// Every cell: group by group, seed by seed, row by row.
    pub fn jobs(&self, reduced: bool) -> Result<Vec<Job>> {
        let seeds = if reduced { self.reduced.seeds } else { self.seeds };
        let mut jobs = Vec::new();
        for (g, group) in self.groups.iter().enumerate() {
            let named = |e: Error| Error::file(&group.name, e);
            let base = Project::builtin(&group.project).map_err(named)?;
            let base = toml::Table::try_from(base).map_err(|e| Error::file(&group.name, e))?;
            for seed in 1..=seeds {
                for (r, row) in group.rows.iter().enumerate() {
                    let mut project = base.clone();
                    merge(&mut project, &group.set);
                    merge(&mut project, &row.set);
                    if reduced {
                        merge(&mut project, &group.reduced.set);
                    }
                    let file = format!("{}, {}", group.name, row.name);
                    let text = toml::to_string(&project).map_err(|e| Error::file(&file, e))?;
                    let mut project = Project::parse(&file, &text)?;
                    project.train.seed = seed;
                    row.check(&project).map_err(|e| Error::file(&file, e))?;
                    jobs.push(Job {
                        group: g,
                        row: r,
                        seed,
                        project,
                        items: if reduced { group.reduced.items } else { group.items },
                        options: row.clone(),
                        threshold: group.threshold,
                    });
                }
            }
        }
        match jobs.is_empty() {
            true => Err(Error::field("seeds, group, group.row", "at least one of each", "none")),
            false => Ok(jobs),
        }
    }
}

impl Row {
    fn check(&self, project: &Project) -> Result<()> {
        let model = &project.model;
        let recall = matches!(project.task, crate::project::TaskSpec::Recall { .. });
        match self.form {
            Form::Bag if !matches!(model.input, Input::Tokens { .. }) => {
                return Err(Error::field("form", "\"model\" for vectors", "\"bag\""));
            }
            Form::Dense(n) if !recall || !(2..=64).contains(&n) => {
                return Err(Error::field("form.dense", "2 to 64, and the recall task", n));
            }
            _ => {}
        }
        if let Some(features) = self.response {
            if model.attention != AttentionKind::Softmax {
                let found = format!("{:?}", model.attention);
                return Err(Error::field("response", "model.attention = \"softmax\"", found));
            }
            if features.map != Map::Elu {
                crate::project::range("response.count", features.count, 1, 1_000_000)?;
            }
        }
        match self.search {
            Some(budget) if !(0.0..=100.0).contains(&budget) => Err(Error::field("search", "0 to 100", budget)),
            _ => Ok(()),
        }
    }
}

impl Job {
    /// Whose cell it is, as a path: group, row and seed.
    pub fn name(&self, definition: &Definition) -> String {
        let group = &definition.groups[self.group];
        let plain = |s: &str| -> String {
            let kept = s.chars().map(|c| {
                if c.is_alphanumeric() || "=.-".contains(c) {
                    c
                } else {
                    '-'
                }
            });
            kept.collect()
        };
        let row = &group.rows[self.row].name;
        format!("{}/{}/seed-{}", plain(&group.name), plain(row), self.seed)
    }
}
