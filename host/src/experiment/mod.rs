//! The papers' experiments: tables of configurations × seeds, each from a committed definition (`host/experiments/NAME.toml`).
//!
//! | module | |
//! |---|---|
//! | [`definition`] | what stands in such a file |
//! | [`measure`], [`probe`] | what is measured of a trained model |
//! | [`response`], [`memory`] | the astrocyte beside the softmax normaliser; a dense associative memory |
//! | [`twin`], [`search`] | a row in integers, and the smallest widths |
//! | [`cell`] | one configuration with a seed |
//! | [`grid`] | all of them, several at once, resumed |
//! | [`table`], [`page`] | mean ± standard deviation, curves, files |
//! | [`workflow`] | the same as jobs of a workflow engine |
//!
//! ```
//! use astromorph_host::experiment;
//! let learning = experiment::builtin("learning-speed").unwrap();
//! assert!(learning.seeds >= 5);
//! assert!(experiment::builtin("learning").unwrap_err().to_string().contains("learning-speed"));
//! ```

pub mod cell;
pub mod definition;
pub mod grid;
pub mod measure;
pub mod memory;
pub mod page;
pub mod probe;
pub mod response;
pub mod search;
pub mod table;
pub mod twin;
pub mod workflow;

use crate::project;
use astromorph::Result;
use definition::Definition;

/// The experiments built into the program.
pub const BUILTIN: [(&str, &str); 9] = [
    ("learning-speed", include_str!("../../experiments/learning-speed.toml")),
    (
        "what-attention-does",
        include_str!("../../experiments/what-attention-does.toml"),
    ),
    ("readings", include_str!("../../experiments/readings.toml")),
    ("causality", include_str!("../../experiments/causality.toml")),
    ("pieces", include_str!("../../experiments/pieces.toml")),
    ("calcium", include_str!("../../experiments/calcium.toml")),
    ("memory", include_str!("../../experiments/memory.toml")),
    ("neighbours", include_str!("../../experiments/neighbours.toml")),
    ("precision", include_str!("../../experiments/precision.toml")),
];

/// A built-in experiment by name.
pub fn builtin(name: &str) -> Result<Definition> {
    let text = project::builtin(&BUILTIN, "experiment", name)?;
    Definition::parse(&format!("built-in {name}.toml"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of every experiment is a valid project, and no two cells share a name or a fingerprint.
    #[test]
    fn every_builtin_is_valid() {
        for (name, _) in BUILTIN {
            let experiment = builtin(name).unwrap_or_else(|e| panic!("{name}: {e}"));
            for reduced in [false, true] {
                let jobs = experiment.jobs(reduced).unwrap();
                let mut seen = std::collections::BTreeSet::new();
                for job in &jobs {
                    assert!(seen.insert(job.name(&experiment)), "{name}: {}", job.name(&experiment));
                }
                let prints: std::collections::BTreeSet<_> = jobs
                    .iter()
                    .map(|j| cell::fingerprint(j, &experiment.measures).unwrap())
                    .collect();
                assert_eq!(prints.len(), jobs.len(), "{name}");
            }
        }
    }
}
