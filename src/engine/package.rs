//! `program.safetensors`: a core's description, its program with labels, and what is loaded; read with suspicion, written whole or not at all.
//!
//! | tensor | type, shape | |
//! |---|---|---|
//! | `m` | U32, words | header, program, data |
//! | `function`, `mantissa` | I32, words | tables |
//! | `norm` | I32, words × 2 | γ', β |
//! | `banks` | I32, lanes × words | weights that stay |
//!
//! The steps are those of `m`; the metadata (key `astromorph-program`, one JSON text) holds version, core, labels, the SHA-256 of every tensor and
//! one over all of that.
//!
//! ```
//! # let core: astromorph::engine::config::EngineConfig = toml::from_str("name = 'x'\nlanes = 2\nwidth = 8\nacc_bits = 24\nbank_words = 16\nx_words = 64\nm_words = 64\nfunction_words = 16\nmantissa_words = 16\nsums = 8\nreads = 8\nnorm_width = 8\nnorm_words = 16").unwrap();
//! # use astromorph::engine::program::*;
//! # let x0 = Run { label: "x0".into(), names: vec![(Tap::Linear, "x0".into())], source: Source::Input, wait: true, wait_fill: false, stream: Stream {
//! #     cols: 2, slow: false, addend: Addend::None, shift: 0, bits: 8, function: Function::None, other: Other::None, serial: Serial::None, sums: None,
//! #     to: To::Output, norm: None } };
//! use astromorph::engine::{load::Loaded, package::Package};
//! let program = Program { n_max: 16, steps: vec![Step::Run(Box::new(x0)), Step::End] };
//! let loaded = Loaded::new(&core, &program).unwrap();
//! let package = Package::new(core, program, loaded).unwrap();
//! assert_eq!(Package::from_bytes(&package.to_bytes().unwrap()).unwrap(), package);
//! ```

use super::check::check;
use super::code::{decode, disassemble};
use super::config::EngineConfig;
use super::load::{HEADER, Loaded};
use super::machine::Machine;
use super::program::{Program, Step, Tap};
use crate::{Error, Result, atomic};
use safetensors::tensor::{SafeTensors, TensorView};
use safetensors::{Dtype, SafeTensorError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Version of the file's layout.
const VERSION: u32 = 1;
/// Key of the metadata.
const KEY: &str = "astromorph-program";
/// Longest file that is read: the largest core's memories need about 40 MB.
const MAX_FILE: u64 = 100_000_000;

/// A program for one core with everything that is loaded. Made by [`Package::new`], which checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    core: EngineConfig,
    program: Program,
    loaded: Loaded,
}

/// The JSON text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u32,
    core: EngineConfig,
    labels: Vec<Label>,
    /// SHA-256 of every tensor.
    tensors: BTreeMap<String, String>,
    /// SHA-256 of this text with nothing here.
    hash: String,
}

/// What M does not hold of a step.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    step: usize,
    label: String,
    names: Vec<(Tap, String)>,
}

/// Name, type, shape and bytes of one tensor.
type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn wrong(what: impl std::fmt::Display, expected: impl std::fmt::Display, found: impl std::fmt::Display) -> String {
    format!("{what}: expected {expected}, found {found}")
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes)
        .as_slice()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Package {
    /// Refuses what does not belong together.
    pub fn new(core: EngineConfig, program: Program, loaded: Loaded) -> Result<Self> {
        loaded.check(&core, &program)?;
        check(&core, &program)?;
        Ok(Package { core, program, loaded })
    }

    /// The core it is for.
    pub fn core(&self) -> &EngineConfig {
        &self.core
    }

    /// Its program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What is loaded.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The listing.
    pub fn listing(&self) -> String {
        disassemble(&self.program)
    }

    /// A core with it loaded.
    pub fn machine(&self) -> Result<Machine> {
        Machine::new(&self.core, &self.program, &self.loaded)
    }

    /// Refuses it, by name, unless it is for `core`; the core's name does not count.
    pub fn meant_for(&self, core: &EngineConfig) -> Result<()> {
        let sizes = |core: &EngineConfig| match serde_json::to_value(core) {
            Ok(serde_json::Value::Object(sizes)) => sizes,
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (sizes(core), sizes(&self.core));
        match ours
            .iter()
            .find(|(field, size)| *field != "name" && theirs.get(*field) != Some(size))
        {
            Some((field, size)) => Err(Error::field(
                format!("an image for another core ({}): core.{field}", self.core.name),
                format!("{size} ({})", core.name),
                theirs.get(field).unwrap_or(&serde_json::Value::Null),
            )),
            None => Ok(()),
        }
    }

    fn tensors(&self) -> [Tensor; 5] {
        let signed = |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|x| x.to_le_bytes()).collect() };
        let Loaded {
            m,
            function,
            mantissa,
            norm,
            banks,
        } = &self.loaded;
        let pairs: Vec<i32> = norm.iter().flat_map(|&(gamma, beta)| [gamma, beta]).collect();
        let words = banks.first().map_or(0, Vec::len);
        [
            (
                "m",
                Dtype::U32,
                vec![m.len()],
                m.iter().flat_map(|x| x.to_le_bytes()).collect(),
            ),
            ("function", Dtype::I32, vec![function.len()], signed(function)),
            ("mantissa", Dtype::I32, vec![mantissa.len()], signed(mantissa)),
            ("norm", Dtype::I32, vec![norm.len(), 2], signed(&pairs)),
            ("banks", Dtype::I32, vec![banks.len(), words], signed(&banks.concat())),
        ]
    }

    /// The bytes of a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let refused = |e: &dyn std::fmt::Display| Error::field("program", "a file", e);
        let tensors = self.tensors();
        let labelled = self.program.steps.iter().enumerate();
        let labels = labelled.filter_map(|(step, of)| match of {
            Step::Run(run) if !run.label.is_empty() || !run.names.is_empty() => Some(Label {
                step,
                label: run.label.clone(),
                names: run.names.clone(),
            }),
            _ => None,
        });
        let mut description = Description {
            version: VERSION,
            core: self.core.clone(),
            labels: labels.collect(),
            tensors: tensors
                .iter()
                .map(|(name, .., bytes)| (name.to_string(), sha256(bytes)))
                .collect(),
            hash: String::new(),
        };
        description.hash = sha256(serde_json::to_string(&description).map_err(|e| refused(&e))?);
        let text = serde_json::to_string(&description).map_err(|e| refused(&e))?;
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<std::result::Result<Vec<_>, SafeTensorError>>()
            .map_err(|e| refused(&e))?;
        safetensors::serialize(views, Some(HashMap::from([(KEY.into(), text)]))).map_err(|e| refused(&e))
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, &self.to_bytes()?)
    }

    /// Reads a file.
    pub fn load(path: &Path) -> Result<Package> {
        let io = |e: std::io::Error| Error::file(path, e);
        let length = std::fs::metadata(path).map_err(io)?.len();
        if length > MAX_FILE {
            return Err(Error::file(
                path,
                wrong("length", format!("at most {MAX_FILE} bytes"), length),
            ));
        }
        Self::parse(&std::fs::read(path).map_err(io)?).map_err(|e| Error::file(path, e))
    }

    /// Reads a file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Package> {
        Self::parse(bytes).map_err(|e| Error::file("program", e))
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Package, String> {
        // Offsets, sizes and the data's extent are the format's own rules; its library keeps them.
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| format!("header: {e}"))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| format!("header: {e}"))?;
        let text = header.metadata().as_ref().and_then(|m| m.get(KEY));
        let text = text.ok_or_else(|| wrong(format!("metadata {KEY:?}"), "a text", "none"))?;
        let said = |e: &dyn std::fmt::Display| format!("metadata {KEY:?}: {e}");
        let any: serde_json::Value = serde_json::from_str(text).map_err(|e| said(&e))?;
        if any.get("version").and_then(serde_json::Value::as_u64) != Some(VERSION as u64) {
            let found = any.get("version").map_or("none".into(), |v| v.to_string());
            return Err(said(&wrong("version", VERSION, found)));
        }
        let mut description: Description = serde_json::from_value(any).map_err(|e| said(&e))?;
        let hash = std::mem::take(&mut description.hash);
        let found = sha256(serde_json::to_string(&description).map_err(|e| said(&e))?);
        if hash != found {
            return Err(said(&wrong("hash", format!("SHA-256 {hash}"), found)));
        }
        let Description {
            core, labels, tensors, ..
        } = description;
        core.validate().map_err(|e| said(&e))?;
        let names = ["banks", "function", "m", "mantissa", "norm"];
        for (what, found) in [
            ("tensors", file.names().into_iter().map(String::from).collect()),
            ("metadata's tensors", tensors.keys().cloned().collect::<Vec<_>>()),
        ] {
            let mut sorted: Vec<String> = found;
            sorted.sort();
            if sorted != names {
                return Err(wrong(what, names.join(", "), sorted.join(", ")));
            }
        }
        let tensor = |name: &str, dtype: Dtype, columns: Option<usize>| {
            let view = file.tensor(name).map_err(|e| format!("tensor {name}: {e}"))?;
            if view.dtype() != dtype {
                return Err(wrong(format!("tensor {name}"), format!("type {dtype}"), view.dtype()));
            }
            let rank = 1 + usize::from(columns.is_some());
            if view.shape().len() != rank || columns.is_some_and(|c| c > 0 && view.shape()[1] != c) {
                let expected = columns.map_or("one size".into(), |c| format!("two sizes, the last {c} unless 0"));
                return Err(wrong(
                    format!("tensor {name}"),
                    expected,
                    format!("shape {:?}", view.shape()),
                ));
            }
            let found = sha256(view.data());
            if found != tensors[name] {
                return Err(wrong(
                    format!("tensor {name}"),
                    format!("SHA-256 {}", tensors[name]),
                    found,
                ));
            }
            let words: Vec<i32> = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|&b| i32::from_le_bytes(b))
                .collect();
            Ok((words, view.shape().to_vec()))
        };
        let (m, _) = tensor("m", Dtype::U32, None)?;
        let (norm, _) = tensor("norm", Dtype::I32, Some(2))?;
        let (banks, shape) = tensor("banks", Dtype::I32, Some(0))?;
        crate::spec::range("tensor banks, lanes", shape[0], 0, core.lanes).map_err(|e| e.to_string())?;
        let loaded = Loaded {
            m: m.into_iter().map(|x| x as u32).collect(),
            function: tensor("function", Dtype::I32, None)?.0,
            mantissa: tensor("mantissa", Dtype::I32, None)?.0,
            norm: norm.as_chunks().0.iter().map(|&[gamma, beta]| (gamma, beta)).collect(),
            banks: (0..shape[0])
                .map(|l| banks[l * shape[1]..(l + 1) * shape[1]].to_vec())
                .collect(),
        };
        let [_, n_max, steps @ ..] = &loaded.m[..] else {
            return Err(wrong("tensor m", format!("a header of {HEADER} words"), loaded.m.len()));
        };
        let mut program = Program {
            n_max: *n_max,
            steps: decode(steps).map_err(|e| format!("tensor m: {e}"))?,
        };
        for Label { step, label, names } in labels {
            match program.steps.get_mut(step) {
                Some(Step::Run(run)) => (run.label, run.names) = (label, names),
                _ => return Err(said(&wrong(format!("labels, step {step}"), "a Run step", "another"))),
            }
        }
        Package::new(core, program, loaded).map_err(|e| e.to_string())
    }
}
