//! `program.safetensors`: a compiled model with the core it is for, everything a board is loaded with.
//!
//! | tensor | type, shape | holds |
//! |---|---|---|
//! | `m` | U32, words | main memory |
//! | `function`, `mantissa` | I32, words | tables |
//! | `norm` | I32, words × 2 | γ', β |
//! | `banks` | I32, lanes × words | weights that stay in the banks; 0 × 0 when they are filled |
//!
//! Metadata, key `astromorph`: JSON with the core's description, the program with its labels, and the hash of the image it was compiled from.
//! What is read is believed only when the core accepts it: sizes, widths, and M beginning with this program for this core.

use super::Compiled;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::Loaded;
use astromorph::engine::program::Program;
use astromorph::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const KEY: &str = "astromorph";

/// What is known of a compiled model besides its memories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The core.
    pub core: EngineConfig,
    /// The steps.
    pub program: Program,
    /// Words a token that the host sends.
    pub columns: usize,
    /// Hash of the image.
    pub image: String,
}

/// Reads a core's description and refuses sizes no hardware is built for.
pub fn core_file(path: &Path) -> Result<EngineConfig> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    let core: EngineConfig = toml::from_str(&text).map_err(|e| Error::file(path, e.message()))?;
    core.validate().map_err(|e| Error::file(path, e))?;
    Ok(core)
}

/// The bytes of a file.
pub fn to_bytes(compiled: &Compiled, core: &EngineConfig, image: &str) -> Result<Vec<u8>> {
    let description = Description {
        core: core.clone(),
        program: compiled.program.clone(),
        columns: compiled.columns,
        image: image.to_string(),
    };
    let refused = |e: &dyn std::fmt::Display| Error::field("program", "a file", e);
    let text = serde_json::to_string(&description).map_err(|e| refused(&e))?;
    let loaded = &compiled.loaded;
    let m: Vec<u8> = loaded.m.iter().flat_map(|x| x.to_le_bytes()).collect();
    let signed = |words: &mut dyn Iterator<Item = i32>| words.flat_map(i32::to_le_bytes).collect::<Vec<u8>>();
    let bank = loaded.banks.first().map_or(0, Vec::len);
    let tensors = [
        ("m", Dtype::U32, vec![loaded.m.len()], m),
        ("function", Dtype::I32, vec![loaded.function.len()], signed(&mut loaded.function.iter().copied())),
        ("mantissa", Dtype::I32, vec![loaded.mantissa.len()], signed(&mut loaded.mantissa.iter().copied())),
        ("norm", Dtype::I32, vec![loaded.norm.len(), 2], signed(&mut loaded.norm.iter().flat_map(|&(g, b)| [g, b]))),
        ("banks", Dtype::I32, vec![loaded.banks.len(), bank], signed(&mut loaded.banks.iter().flatten().copied())),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|e| refused(&e))?;
    safetensors::serialize(views, Some(HashMap::from([(KEY.into(), text)]))).map_err(|e| refused(&e))
}

/// Reads a file's bytes; `name` stands in the errors.
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<(Description, Loaded)> {
    let refused = |e: &dyn std::fmt::Display| Error::file(name, e);
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| refused(&e))?;
    let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
    let text = text.ok_or_else(|| refused(&format!("metadata {KEY:?}: expected a text, found none")))?;
    let description: Description = serde_json::from_str(text).map_err(|e| refused(&e))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| refused(&e))?;
    let words = |tensor: &str, dtype: Dtype, sizes: usize| -> Result<(Vec<usize>, Vec<[u8; 4]>)> {
        let view = file.tensor(tensor).map_err(|e| refused(&format!("tensor {tensor}: {e}")))?;
        if view.dtype() != dtype || view.shape().len() != sizes {
            let found = format!("{:?} {:?}", view.dtype(), view.shape());
            return Err(refused(&format!("tensor {tensor}: expected {dtype:?} of {sizes} sizes, found {found}")));
        }
        Ok((view.shape().to_vec(), view.data().as_chunks().0.to_vec()))
    };
    let signed = |words: Vec<[u8; 4]>| words.into_iter().map(i32::from_le_bytes).collect::<Vec<i32>>();
    let (shape, banks) = words("banks", Dtype::I32, 2)?;
    let (pair, norm) = words("norm", Dtype::I32, 2)?;
    if pair[1] != 2 {
        return Err(refused(&format!("tensor norm: expected pairs, found {pair:?}")));
    }
    let loaded = Loaded {
        m: words("m", Dtype::U32, 1)?.1.into_iter().map(u32::from_le_bytes).collect(),
        function: signed(words("function", Dtype::I32, 1)?.1),
        mantissa: signed(words("mantissa", Dtype::I32, 1)?.1),
        norm: signed(norm).as_chunks().0.iter().map(|&[g, b]| (g, b)).collect(),
        banks: match shape[1] {
            0 => Vec::new(),
            bank => signed(banks).chunks(bank).map(<[i32]>::to_vec).collect(),
        },
    };
    loaded.check(&description.core, &description.program).map_err(|e| refused(&e))?;
    Ok((description, loaded))
}
