//! The name map of an import: weights that were trained elsewhere under other names.
//!
//! TOML, or JSON of the same structure; the keys are the names in the foreign file:
//!
//! ```
//! let map: astromorph::weights::NameMap = toml::from_str(r#"
//!     ignore = ["encoder.dropout.mask"]
//!     [tensors]
//!     "encoder.q.bias" = "layers.0.attention.b_q"
//!     "encoder.q.weight" = { name = "layers.0.attention.w_q", transpose = true } # PyTorch stores [out, in]
//! "#).unwrap();
//! assert_eq!(map.source("encoder.q.bias").unwrap().name, "layers.0.attention.b_q");
//! assert!(map.source("encoder.q.weight").unwrap().transpose);
//! assert_eq!(map.source("head.bias").unwrap().name, "head.bias"); // not listed: keeps its name
//! assert!(map.source("encoder.dropout.mask").is_none());
//! ```

use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Foreign names and what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameMap {
    /// Foreign tensors to leave out.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Foreign name to ours.
    #[serde(default)]
    pub tensors: BTreeMap<String, Source>,
}

/// What a foreign tensor stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Source {
    /// Our name.
    pub name: String,
    /// Whether its rows and columns are exchanged (matrices only).
    pub transpose: bool,
}

/// The two ways in which a [`Source`] may be written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a name, or { name = \"…\", transpose = true }")]
enum Written {
    Name(String),
    #[serde(rename_all = "kebab-case")]
    Table {
        name: String,
        #[serde(default)]
        transpose: bool,
    },
}

impl From<Written> for Source {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Source { name, transpose: false },
            Written::Table { name, transpose } => Source { name, transpose },
        }
    }
}

impl NameMap {
    /// Reads a map from a file, as JSON when its name ends in `.json` and as TOML otherwise.
    pub fn load(path: &Path) -> Result<NameMap> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        if path.extension().is_some_and(|e| e == "json") {
            serde_json::from_str(&text).map_err(|e| Error::file(path, e))
        } else {
            toml::from_str(&text).map_err(|e| Error::file(path, e))
        }
    }

    /// What a foreign tensor stands for; unlisted names stand for themselves, ignored ones for nothing.
    pub fn source(&self, foreign: &str) -> Option<Source> {
        if self.ignore.iter().any(|name| name == foreign) {
            return None;
        }
        let listed = self.tensors.get(foreign).cloned();
        Some(listed.unwrap_or_else(|| Source {
            name: foreign.into(),
            transpose: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_notations_and_refuses_others() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            NameMap::load(&path)
        };
        let map = at(
            "a.json",
            r#"{"tensors": {"x": "a", "y": {"name": "b", "transpose": true}}}"#,
        )
        .unwrap();
        assert_eq!(
            map,
            at("a.toml", "[tensors]\nx = \"a\"\ny = { name = \"b\", transpose = true }").unwrap()
        );
        for (name, text) in [
            ("b.toml", "[tensors]\nx = 1"),
            ("c.json", "{"),
            ("d.toml", "tensor = {}"),
        ] {
            let error = at(name, text).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
