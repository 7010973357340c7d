//! Descriptions of cores: built-in ones (`constraints/cores/`) by name, others from a file, others made to measure for a model.
//!
//! ```
//! use astromorph_host::cores::core;
//! assert_eq!(core("up5k-int8").unwrap().lanes, 16);
//! assert!(core("up6k").unwrap_err().to_string().contains("up5k-int8"));
//! ```

use crate::compile::{compile, core_file, fitted, parse_core};
use crate::project::Project;
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::spec::QuantizeSpec;
use astromorph::{Error, Result};
use std::path::Path;

/// Every built-in description, as it stands in the binary.
const FILES: [(&str, &str); 12] = [
    (
        "constraints/cores/ecp5-128.toml",
        include_str!("../../constraints/cores/ecp5-128.toml"),
    ),
    (
        "constraints/cores/ecp5-25-int8.toml",
        include_str!("../../constraints/cores/ecp5-25-int8.toml"),
    ),
    (
        "constraints/cores/ecp5-32.toml",
        include_str!("../../constraints/cores/ecp5-32.toml"),
    ),
    (
        "constraints/cores/ecp5-int8.toml",
        include_str!("../../constraints/cores/ecp5-int8.toml"),
    ),
    (
        "constraints/cores/ecp5-int8-16.toml",
        include_str!("../../constraints/cores/ecp5-int8-16.toml"),
    ),
    (
        "constraints/cores/ecp5-int8-chunks.toml",
        include_str!("../../constraints/cores/ecp5-int8-chunks.toml"),
    ),
    (
        "constraints/cores/gw2a-int8.toml",
        include_str!("../../constraints/cores/gw2a-int8.toml"),
    ),
    (
        "constraints/cores/small-16.toml",
        include_str!("../../constraints/cores/small-16.toml"),
    ),
    (
        "constraints/cores/small-8.toml",
        include_str!("../../constraints/cores/small-8.toml"),
    ),
    (
        "constraints/cores/up5k-int16.toml",
        include_str!("../../constraints/cores/up5k-int16.toml"),
    ),
    (
        "constraints/cores/up5k-int8.toml",
        include_str!("../../constraints/cores/up5k-int8.toml"),
    ),
    (
        "constraints/cores/up5k-int8-8.toml",
        include_str!("../../constraints/cores/up5k-int8-8.toml"),
    ),
];

/// A core by its name, or from a file whose name ends in `.toml`.
pub fn core(which: &str) -> Result<EngineConfig> {
    if which.ends_with(".toml") {
        return core_file(Path::new(which));
    }
    let all: Vec<EngineConfig> = FILES
        .iter()
        .map(|(path, text)| parse_core(Path::new(path), text))
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

/// The core a project names for operands of this width, and for chunks where there are some, if it names one.
pub fn named(project: &Project, quantize: &QuantizeSpec) -> Result<Option<EngineConfig>> {
    for name in &project.core.names {
        let core = core(name)?;
        if core.width == quantize.activation_bits && (core.chunked || quantize.chunk == 1) {
            return Ok(Some(core));
        }
    }
    Ok(None)
}

/// The core for an image where the user has not chosen one: the project's, or one made to measure.
pub fn for_image(project: &Project, image: &Image) -> Result<EngineConfig> {
    let width = image.quantize().activation_bits;
    match named(project, image.quantize())? {
        Some(core) => Ok(core),
        None => fitted(
            &format!("{}-{width}", project.name),
            width,
            project.core.lanes,
            |core| compile(image, core),
        ),
    }
}
