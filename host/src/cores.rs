//! Descriptions of cores: built-in ones (`host/cores/`) by name, others from a file.
//!
//! ```
//! use astromorph_host::cores::core;
//! assert_eq!(core("up5k-int8").unwrap().lanes, 16);
//! assert!(core("up6k").unwrap_err().to_string().contains("up5k-int8"));
//! ```

use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use std::path::Path;

/// Every built-in description, as it stands in the binary.
const FILES: [(&str, &str); 3] = [
    ("host/cores/small-8.toml", include_str!("../cores/small-8.toml")),
    ("host/cores/small-16.toml", include_str!("../cores/small-16.toml")),
    ("host/cores/up5k-int8.toml", include_str!("../cores/up5k-int8.toml")),
];

/// A core by its name, or from a file whose name ends in `.toml`.
pub fn core(which: &str) -> Result<EngineConfig> {
    if which.ends_with(".toml") {
        let path = Path::new(which);
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        return parse(path, &text);
    }
    let all: Vec<EngineConfig> = FILES
        .iter()
        .map(|(path, text)| parse(Path::new(path), text))
        .collect::<Result<_>>()?;
    let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
    match all.iter().find(|c| c.name == which) {
        Some(core) => Ok(core.clone()),
        None => Err(Error::field(
            "core",
            format!("one of {}, or a file NAME.toml", names.join(", ")),
            which,
        )),
    }
}

fn parse(path: &Path, text: &str) -> Result<EngineConfig> {
    let core: EngineConfig = toml::from_str(text).map_err(|e| Error::file(path, e))?;
    core.validate().map_err(|e| Error::file(path, e))?;
    Ok(core)
}
