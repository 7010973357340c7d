//! `image.safetensors`: reading what may come from anywhere, writing whole or not at all.
//!
//! Nothing in a file is believed. The header's length is held against the file's, every tensor's type, shape and offsets against what
//! specification and formats demand, and only then is data read: no more memory is taken than the file has bytes. Then hashes and words
//! are checked. Each error names the tensor.

use super::{Image, IntTensor, Slot, Words, hash, slots};
use crate::plan::Plan;
use crate::spec::{ModelSpec, QuantizeSpec};
use crate::{Error, Result, atomic};
use safetensors::tensor::{Metadata, TensorInfo, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Version of the file's layout.
pub(super) const VERSION: u32 = 1;
/// Metadata key under which everything but the tensors stands as one JSON text.
const KEY: &str = "astromorph";
/// Longest header that is read: 64 layers need less than a megabyte.
const MAX_HEADER: u64 = 16_000_000;

/// The JSON text in the metadata.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u32,
    spec: ModelSpec,
    quantize: QuantizeSpec,
    formats: Plan,
    /// SHA-256 of every tensor.
    tensors: BTreeMap<String, String>,
    /// SHA-256 over all.
    hash: String,
}

/// A validated header: what the file describes, and each tensor's slot with the range of its bytes.
struct Header {
    description: Description,
    tensors: Vec<(Slot, usize, usize)>,
}

/// An error before it is known to which file it belongs.
fn wrong(what: impl std::fmt::Display, expected: impl std::fmt::Display, found: impl std::fmt::Display) -> String {
    format!("{what}: expected {expected}, found {found}")
}

impl Image {
    /// Reads an image from a file.
    pub fn load(path: &Path) -> Result<Image> {
        let io = |e: std::io::Error| Error::file(path, e);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut head = [0; 8];
        if length < 8 {
            return Err(Error::file(path, wrong("header length", "8 bytes", length)));
        }
        file.read_exact(&mut head).map_err(io)?;
        let announced = header_length(head, length).map_err(|e| Error::file(path, e))?;
        let mut text = vec![0; announced];
        file.read_exact(&mut text).map_err(io)?;
        let size = (length - 8) as usize - announced;
        let header = Header::parse(&text, size).map_err(|e| Error::file(path, e))?;
        // The tensors fill exactly `size` bytes and have the sizes that a valid specification gives them.
        let mut data = vec![0; size];
        file.read_exact(&mut data).map_err(io)?;
        header.image(&data).map_err(|e| Error::file(path, e))
    }

    /// Reads an image from the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image> {
        Self::parse(bytes).map_err(|e| Error::file("image", e))
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Image, String> {
        let Some((head, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(wrong("header length", "8 bytes", bytes.len()));
        };
        let announced = header_length(*head, bytes.len() as u64)?;
        let (text, data) = rest.split_at(announced);
        Header::parse(text, data.len())?.image(data)
    }

    /// The bytes of a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let tensors = hash::tensors(self);
        let description = Description {
            version: VERSION,
            spec: self.spec.clone(),
            quantize: self.quantize,
            formats: self.plan.clone(),
            hash: hash::whole(self, &tensors),
            tensors,
        };
        let refused = |e: &dyn std::fmt::Display| Error::field("image", "a file", e);
        let text = serde_json::to_string(&description).map_err(|e| refused(&e))?;
        let bytes: BTreeMap<&str, Vec<u8>> = self.tensors().map(|(name, t)| (name, t.words.bytes())).collect();
        let views = bytes
            .iter()
            .map(|(&name, bytes)| {
                let tensor = &self.tensors[name];
                Ok((
                    name,
                    TensorView::new(tensor.words.dtype(), tensor.shape.clone(), bytes)?,
                ))
            })
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| refused(&e))?;
        // One key: the order of several would differ from run to run.
        safetensors::serialize(views, Some(HashMap::from([(KEY.into(), text)]))).map_err(|e| refused(&e))
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, &self.to_bytes()?)
    }
}

/// The header's length, held against the file's.
fn header_length(head: [u8; 8], length: u64) -> std::result::Result<usize, String> {
    let (announced, room) = (u64::from_le_bytes(head), (length - 8).min(MAX_HEADER));
    if announced > room {
        return Err(wrong("header length", format!("at most {room} bytes"), announced));
    }
    Ok(announced as usize)
}

impl Header {
    /// Validates a header over `size` bytes of data.
    fn parse(text: &[u8], size: usize) -> std::result::Result<Header, String> {
        let entries: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(text).map_err(|e| format!("header: {e}"))?;
        let metadata = entries
            .get("__metadata__")
            .and_then(|m| m.get(KEY))
            .and_then(|text| text.as_str());
        let metadata = metadata.ok_or_else(|| wrong(format!("metadata {KEY:?}"), "a text", "none"))?;
        let said = |e: &dyn std::fmt::Display| format!("metadata {KEY:?}: {e}");
        let version = serde_json::from_str::<serde_json::Value>(metadata).map_err(|e| said(&e))?;
        match version.get("version") {
            Some(version) if version.as_u64() == Some(VERSION as u64) => {}
            version => {
                let found = version.map_or("none".into(), |v| v.to_string());
                return Err(said(&wrong("version", VERSION, found)));
            }
        }
        let description: Description = serde_json::from_str(metadata).map_err(|e| said(&e))?;
        let Description {
            spec,
            quantize,
            formats,
            ..
        } = &description;
        formats.validate(spec, quantize).map_err(|e| said(&e))?;

        let mut expected: BTreeMap<String, Slot> = BTreeMap::new();
        for slot in slots(spec, quantize, formats).map_err(|e| said(&e))? {
            expected.insert(slot.name.clone(), slot);
        }
        let mut tensors = Vec::new();
        for (name, entry) in entries.iter().filter(|(name, _)| *name != "__metadata__") {
            let at = format!("tensor {name}");
            let Some(slot) = expected.remove(name) else {
                return Err(wrong(at, "no tensor of this name in the image", "one"));
            };
            let info: TensorInfo = serde_json::from_value(entry.clone()).map_err(|e| format!("{at}: {e}"))?;
            let dtype = super::words::dtype(slot.bits);
            if info.dtype != dtype {
                return Err(wrong(at, format!("type {dtype}"), info.dtype));
            }
            if info.shape != slot.shape {
                return Err(wrong(
                    at,
                    format!("shape {:?}", slot.shape),
                    format!("{:?}", info.shape),
                ));
            }
            let (begin, end) = info.data_offsets;
            let bytes = slot.size() * (dtype.bitsize() / 8);
            if end.checked_sub(begin) != Some(bytes) || end > size {
                return Err(wrong(
                    at,
                    format!("{bytes} of {size} bytes"),
                    format!("offsets {begin} to {end}"),
                ));
            }
            if !description.tensors.contains_key(name) {
                return Err(wrong(at, "a SHA-256 in the metadata", "none"));
            }
            tensors.push((slot, begin, end));
        }
        if let Some(name) = expected.keys().next() {
            return Err(wrong(format!("tensor {name}"), "a tensor of this name", "none"));
        }
        let known = |name: &String| tensors.iter().any(|(slot, ..)| slot.name == *name);
        if let Some(name) = description.tensors.keys().find(|name| !known(name)) {
            return Err(wrong(
                format!("metadata {KEY:?}, tensors.{name}"),
                "a tensor of this name",
                "none",
            ));
        }
        tensors.sort_by_key(|(_, begin, _)| *begin);
        let mut next = 0;
        for (slot, begin, end) in &tensors {
            if *begin != next {
                let what = format!("tensor {}", slot.name);
                return Err(wrong(
                    what,
                    format!("its bytes to begin at {next}, behind the tensor before"),
                    begin,
                ));
            }
            next = *end;
        }
        if next != size {
            return Err(wrong("data", format!("{next} bytes"), size));
        }
        // The format's own library has the last word.
        serde_json::from_slice::<Metadata>(text).map_err(|e| format!("header: {e}"))?;
        Ok(Header { description, tensors })
    }

    /// Reads, hashes and checks the data.
    fn image(self, data: &[u8]) -> std::result::Result<Image, String> {
        let Description {
            spec,
            quantize,
            formats,
            tensors: hashes,
            hash,
            ..
        } = self.description;
        let mut tensors = BTreeMap::new();
        for (slot, begin, end) in self.tensors {
            let tensor = IntTensor {
                shape: slot.shape,
                words: Words::unpack(slot.bits, &data[begin..end]),
            };
            let (expected, found) = (&hashes[&slot.name], hash::tensor(&tensor));
            if *expected != found {
                return Err(wrong(
                    format!("tensor {}", slot.name),
                    format!("SHA-256 {expected}"),
                    found,
                ));
            }
            tensors.insert(slot.name, tensor);
        }
        let image = Image {
            spec,
            quantize,
            plan: formats,
            tensors,
        };
        let found = hash::whole(&image, &hashes);
        if hash != found {
            return Err(wrong(
                format!("metadata {KEY:?}, hash"),
                format!("SHA-256 {hash}"),
                found,
            ));
        }
        image.check().map_err(|e| format!("tensor {e}"))?;
        Ok(image)
    }
}
