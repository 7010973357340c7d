//! Mutated files against every parser of this crate: refused with an error, never a panic. `tests/fuzz/` goes on where this stops.

use crate::fixture::{any_spec, sequences, trained_like};
use crate::image::Image;
use crate::plan::{Plan, rules};
use crate::spec::{ModelSpec, QuantizeSpec};
use crate::weights::Weights;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of a file: a byte set, cut, inserted, a bit turned, a part copied over another.
fn mutate(bytes: &[u8], kind: u8, at: Index, other: Index, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
    match kind {
        0 => bytes[at] = byte,
        1 => bytes.truncate(at),
        2 => bytes.insert(at, byte),
        3 => bytes[at] ^= 1 << (byte % 8),
        _ => bytes.copy_within(at.min(other)..at.max(other), 0),
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn mutated_files_are_refused_or_equal(
        spec in any_spec(),
        seed: u64,
        mutations in prop::collection::vec((0u8..5, any::<Index>(), any::<Index>(), any::<u8>()), 24),
    ) {
        let quantize = QuantizeSpec { power_mantissa_bits: 3, phi_index_bits: 5, ..Default::default() };
        let weights = trained_like(&spec, seed);
        let plan = Plan::calibrate(&spec, &quantize, &weights, &sequences(&spec, 2, seed)).unwrap();
        let image = Image::build(&spec, &quantize, &weights, &plan).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        weights.save(&path, &spec).unwrap();
        let (image_file, weights_file) = (image.to_bytes().unwrap(), std::fs::read(&path).unwrap());
        // Half of the mutations of a file hit its header, however much data follows.
        let header = |file: &[u8]| 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        for (kind, at, other, byte) in mutations {
            for within_header in [false, true] {
                let mutated = |file: &[u8]| {
                    let end = if within_header { header(file) } else { file.len() };
                    [&mutate(&file[..end], kind, at, other, byte), &file[end..]].concat()
                };
                if let Ok(found) = Image::from_bytes(&mutated(&image_file)) {
                    prop_assert_eq!(&found, &image);
                }
                std::fs::write(&path, mutated(&weights_file)).unwrap();
                // Weights carry no hash: a changed float is another model, but what is read must be a model.
                if let Ok((spec, weights)) = Weights::open(&path) {
                    prop_assert!(weights.check(&spec).is_ok());
                }
            }
        }
    }

    #[test]
    fn mutated_specifications_are_refused_or_valid(
        spec in any_spec(),
        mutations in prop::collection::vec((0u8..5, any::<Index>(), any::<Index>(), any::<u8>()), 40),
    ) {
        let text = toml::to_string(&spec).unwrap();
        prop_assert_eq!(&toml::from_str::<ModelSpec>(&text).unwrap(), &spec);
        for (kind, at, other, byte) in mutations {
            let Ok(text) = String::from_utf8(mutate(text.as_bytes(), kind, at, other, byte)) else { continue };
            let Ok(spec) = toml::from_str::<ModelSpec>(&text) else { continue };
            if spec.validate().is_ok() {
                prop_assert!(!rules(&spec, &QuantizeSpec::default()).is_empty());
            }
        }
    }
}
