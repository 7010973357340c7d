//! The papers' experiments: tables of configurations × seeds, each from a committed definition (`host/experiments/NAME.toml`).
//!
//! | module | |
//! |---|---|
//! | [`definition`] | what stands in such a file |
//! | [`measure`], [`probe`] | what is measured of a trained model |
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
pub mod page;
pub mod probe;
pub mod table;
pub mod workflow;

use astromorph::{Error, Result};
use definition::Definition;

/// The experiments built into the program.
pub const BUILTIN: [(&str, &str); 1] = [("learning-speed", include_str!("../../experiments/learning-speed.toml"))];

/// A built-in experiment by name.
pub fn builtin(name: &str) -> Result<Definition> {
    let Some((_, text)) = BUILTIN.iter().find(|(n, _)| *n == name) else {
        let names = BUILTIN.map(|(n, _)| n).join(", ");
        return Err(Error::field("experiment", format!("one of {names}"), name));
    };
    Definition::parse(&format!("built-in {name}.toml"), text)
}
