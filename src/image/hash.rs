//! SHA-256 of every tensor, and one over all that the image is.

use super::{Image, IntTensor};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// In hexadecimal.
fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of one tensor's bytes as they stand in the file.
pub(super) fn tensor(tensor: &IntTensor) -> String {
    hex(Sha256::digest(tensor.words.bytes()))
}

/// Of every tensor by name.
pub(super) fn tensors(image: &Image) -> BTreeMap<String, String> {
    image
        .tensors
        .iter()
        .map(|(name, t)| (name.clone(), tensor(t)))
        .collect()
}

/// Over format version, specification, widths and formats as JSON, and each tensor's name, type, shape and hash, line by line.
pub(super) fn whole(image: &Image, tensors: &BTreeMap<String, String>) -> String {
    let mut text = format!("astromorph image {}\n", super::file::VERSION);
    // Serialising these plain structures cannot fail; should it ever, the line is empty and the hash still well defined.
    let mut line = |json: serde_json::Result<String>| text += &(json.unwrap_or_default() + "\n");
    line(serde_json::to_string(&image.spec));
    line(serde_json::to_string(&image.quantize));
    line(serde_json::to_string(&image.plan));
    for (name, hash) in tensors {
        if let Some(tensor) = image.tensors.get(name) {
            text += &format!("{name} {} {:?} {hash}\n", tensor.words.dtype(), tensor.shape);
        }
    }
    hex(Sha256::digest(text))
}
