//! `weights.safetensors`: the tensors as 32-bit floats, and the specification as JSON under `spec` in the metadata.
//!
//! Files come from anywhere, so nothing in one is believed: the header is validated before a byte of data is read, and no
//! more memory is taken than the header's own length (at most 100 MB) and the specification's tensors need.

use super::{NameMap, Tensor, Weights};
use crate::spec::ModelSpec;
use crate::{Error, Result, atomic};
use safetensors::tensor::{Dtype, Metadata, TensorInfo, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Longest header that is read, the format's own limit.
const MAX_HEADER: u64 = 100_000_000;
/// Metadata key of the specification.
const SPEC: &str = "spec";

impl Weights {
    /// Reads the weights of a model of `spec`. A file that carries another specification is refused.
    pub fn load(path: &Path, spec: &ModelSpec) -> Result<Weights> {
        Self::import(path, spec, &NameMap::default())
    }

    /// Reads weights under foreign names; F16, BF16 and F64 are converted.
    pub fn import(path: &Path, spec: &ModelSpec, names: &NameMap) -> Result<Weights> {
        let mut opened = Opened::new(path)?;
        if let Some(stored) = opened.spec()? {
            same(path, spec, &stored)?;
        }
        opened.read(spec, names)
    }

    /// Reads a file that carries its specification.
    pub fn open(path: &Path) -> Result<(ModelSpec, Weights)> {
        let mut opened = Opened::new(path)?;
        let spec = opened.spec()?.ok_or_else(|| {
            Error::file(
                path,
                "expected the specification under \"spec\" in the metadata, found none",
            )
        })?;
        let weights = opened.read(&spec, &NameMap::default())?;
        Ok((spec, weights))
    }

    /// Writes the weights and their specification, whole or not at all.
    pub fn save(&self, path: &Path, spec: &ModelSpec) -> Result<()> {
        self.check(spec)
            .map_err(|e| Error::file(path, format!("not written: {e}")))?;
        let bytes: BTreeMap<&String, Vec<u8>> = self
            .tensors
            .iter()
            .map(|(name, t)| (name, t.data.iter().flat_map(|x| x.to_le_bytes()).collect()))
            .collect();
        let refused = |e: &dyn std::fmt::Display| Error::file(path, format!("not written: {e}"));
        let views = bytes
            .iter()
            .map(|(name, bytes)| {
                let shape = self.tensors[*name].shape.clone();
                Ok((name.as_str(), TensorView::new(Dtype::F32, shape, bytes)?))
            })
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| refused(&e))?;
        // One key only: the order of several would differ from run to run, and with it the file's hash.
        let metadata = HashMap::from([(SPEC.into(), serde_json::to_string(spec).map_err(|e| refused(&e))?)]);
        let file = safetensors::serialize(views, Some(metadata)).map_err(|e| refused(&e))?;
        atomic::write(path, &file)
    }
}

/// A file whose header has been validated.
struct Opened<'a> {
    path: &'a Path,
    file: File,
    header: Metadata,
    data_start: u64,
}

impl<'a> Opened<'a> {
    fn new(path: &'a Path) -> Result<Self> {
        let io = |e: std::io::Error| Error::file(path, e);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut head = [0; 8];
        if length < 8 {
            return Err(Error::file(
                path,
                format!("header length: expected 8 bytes, found {length}"),
            ));
        }
        file.read_exact(&mut head).map_err(io)?;
        let announced = u64::from_le_bytes(head);
        let room = (length - 8).min(MAX_HEADER);
        if announced > room {
            return Err(Error::file(
                path,
                format!("header length: expected at most {room} bytes, found {announced}"),
            ));
        }
        let mut text = vec![0; announced as usize];
        file.read_exact(&mut text).map_err(io)?;
        let header: Metadata = serde_json::from_slice(&text).map_err(|e| {
            let tensor = blame(&text).unwrap_or_default();
            Error::file(path, format!("header: {tensor}{e}"))
        })?;
        let data_start = 8 + announced;
        let (expected, found) = (header.data_len() as u64, length - data_start);
        if expected != found {
            let last = header.offset_keys().pop().unwrap_or_default();
            return Err(Error::file(
                path,
                format!("data: expected {expected} bytes, to the end of tensor {last}, found {found}"),
            ));
        }
        Ok(Opened {
            path,
            file,
            header,
            data_start,
        })
    }

    /// The specification in the metadata, validated.
    fn spec(&self) -> Result<Option<ModelSpec>> {
        let Some(text) = self.header.metadata().as_ref().and_then(|m| m.get(SPEC)) else {
            return Ok(None);
        };
        let wrong = |e: &dyn std::fmt::Display| Error::file(self.path, format!("metadata \"spec\": {e}"));
        let spec: ModelSpec = serde_json::from_str(text).map_err(|e| wrong(&e))?;
        spec.validate().map_err(|e| wrong(&e))?;
        Ok(Some(spec))
    }

    fn read(&mut self, spec: &ModelSpec, names: &NameMap) -> Result<Weights> {
        spec.validate()?;
        let expected: BTreeMap<String, Vec<usize>> = Weights::expected(spec).into_iter().collect();
        let mut tensors = BTreeMap::new();
        for foreign in self.header.offset_keys() {
            let Some(source) = names.source(&foreign) else { continue };
            let wrong = |what: String| {
                let alias = if source.name == foreign {
                    String::new()
                } else {
                    format!(" (for {})", source.name)
                };
                Error::file(self.path, format!("tensor {foreign}{alias}: {what}"))
            };
            let Some(shape) = expected.get(&source.name) else {
                return Err(wrong("expected no such tensor in the model, found one".into()));
            };
            if source.transpose && shape.len() != 2 {
                return Err(wrong(format!("expected a matrix to transpose, found shape {shape:?}")));
            }
            // `offset_keys` lists exactly the header's own tensors.
            let Some(info) = self.header.info(&foreign) else {
                continue;
            };
            let mut stored = shape.clone();
            if source.transpose {
                stored.reverse();
            }
            if info.shape != stored {
                return Err(wrong(format!("expected shape {stored:?}, found {:?}", info.shape)));
            }
            let convert = converter(info.dtype)
                .ok_or_else(|| wrong(format!("expected type F32, F16, BF16 or F64, found {}", info.dtype)))?;
            let (begin, end) = info.data_offsets;
            let mut bytes = vec![0; end - begin];
            self.file
                .seek(SeekFrom::Start(self.data_start + begin as u64))
                .and_then(|_| self.file.read_exact(&mut bytes))
                .map_err(|e| wrong(e.to_string()))?;
            let mut data = convert(&bytes);
            if source.transpose {
                data = transposed(&data, stored[0], stored[1]);
            }
            let tensor = Tensor {
                shape: shape.clone(),
                data,
            };
            if tensors.insert(source.name.clone(), tensor).is_some() {
                return Err(wrong("expected one tensor of this name, found two".into()));
            }
        }
        let weights = Weights { tensors };
        weights
            .check(spec)
            .map_err(|e| Error::file(self.path, format!("tensor {e}")))?;
        Ok(weights)
    }
}

/// Values from little-endian bytes.
type Decode = fn(&[u8]) -> Vec<f32>;

/// Decoder of a floating-point type; none for the types that are not weights.
fn converter(dtype: Dtype) -> Option<Decode> {
    fn each<const N: usize>(bytes: &[u8], decode: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| decode(chunk)).collect()
    }
    match dtype {
        Dtype::F32 => Some(|b| each(b, f32::from_le_bytes)),
        Dtype::F64 => Some(|b| each(b, |x| f64::from_le_bytes(x) as f32)),
        Dtype::F16 => Some(|b| each(b, |x| half::f16::from_le_bytes(x).to_f32())),
        Dtype::BF16 => Some(|b| each(b, |x| half::bf16::from_le_bytes(x).to_f32())),
        _ => None,
    }
}

/// The transpose of a rows × columns matrix.
fn transposed(data: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|c| (0..rows).map(move |r| data[r * columns + c]))
        .collect()
}

/// The first tensor of a refused header whose shape, type and offsets disagree: the parser's own message does not name it.
fn blame(header: &[u8]) -> Option<String> {
    let entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    entries
        .into_iter()
        .filter(|(name, _)| name != "__metadata__")
        .find_map(|(name, entry)| {
            let Ok(info) = serde_json::from_value::<TensorInfo>(entry) else {
                return Some(format!("tensor {name}: "));
            };
            let (begin, end) = info.data_offsets;
            let bits = info
                .shape
                .iter()
                .try_fold(info.dtype.bitsize(), |bits, &size| bits.checked_mul(size));
            let fits = bits.is_some_and(|bits| end.checked_sub(begin) == Some(bits / 8));
            (!fits).then(|| format!("tensor {name} of shape {:?} at bytes {begin} to {end}: ", info.shape))
        })
}

/// Refuses a stored specification that is not the expected one; the error names the first field that differs.
fn same(path: &Path, expected: &ModelSpec, found: &ModelSpec) -> Result<()> {
    let fields = |spec| serde_json::to_value(spec).map_err(|e| Error::file(path, e));
    let (expected, found) = (fields(expected)?, fields(found)?);
    let differs = expected
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, value)| found.get(name.as_str()) != Some(value));
    match differs {
        Some((name, value)) => Err(Error::file(
            path,
            format!(
                "metadata \"spec\", model.{name}: expected {value}, found {}",
                found[name.as_str()]
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
