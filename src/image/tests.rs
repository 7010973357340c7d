//! The image file: identical after a round trip; every kind of damage refused by name; no input makes the parser panic.

use super::*;
use crate::fixture::{any_spec, sequences, trained_like};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

fn image(spec: &ModelSpec, bits: u32, seed: u64) -> Image {
    let mut quantize = QuantizeSpec {
        activation_bits: bits,
        weight_bits: bits.min(12),
        phi_index_bits: 5,
        power_mantissa_bits: 3,
        reciprocal_mantissa_bits: 5,
        rsqrt_mantissa_bits: 5,
        sigmoid_index_bits: 6,
        gelu_index_bits: 5,
        chunk: 2 + seed as usize % 63,
    };
    if quantize.validate_for(spec).is_err() {
        quantize.chunk = 1;
    }
    let weights = trained_like(spec, seed);
    let plan = Plan::calibrate(spec, &quantize, &weights, &sequences(spec, 4, seed)).unwrap();
    Image::build(spec, &quantize, &weights, &plan).unwrap()
}

/// A small model with every kind of tensor.
fn sample() -> &'static (Image, Vec<u8>) {
    static SAMPLE: OnceLock<(Image, Vec<u8>)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let spec: ModelSpec = toml::from_str(
            "layers = 1\nheads = 2\nd_model = 8\nfeatures = 4\nvalues = 4\nn_max = 6\norder = \"two-pass\"\n\
             nonlinearity = \"sigmoid\"\nnorm = \"pre\"\nfeed-forward = { activation = \"gelu\" }\n\
             input = { kind = \"tokens\", vocabulary = 9, positions = \"sinusoidal\" }\n\
             output = { kind = \"classes\", size = 3, pooling = \"mean\" }",
        )
        .unwrap();
        let image = image(&spec, 12, 5);
        let bytes = image.to_bytes().unwrap();
        (image, bytes)
    })
}

/// Header as JSON and data of a file.
fn open(bytes: &[u8]) -> (Value, Vec<u8>) {
    let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (
        serde_json::from_slice(&bytes[8..8 + n]).unwrap(),
        bytes[8 + n..].to_vec(),
    )
}

fn close(header: &Value, data: &[u8]) -> Vec<u8> {
    let text = serde_json::to_vec(header).unwrap();
    [&(text.len() as u64).to_le_bytes()[..], &text, data].concat()
}

/// The file after a change of its header and data; the description in the metadata is opened for it.
fn changed(change: impl FnOnce(&mut Value, &mut Value, &mut Vec<u8>)) -> Vec<u8> {
    let (mut header, mut data) = open(&sample().1);
    let mut description: Value = serde_json::from_str(header["__metadata__"]["astromorph"].as_str().unwrap()).unwrap();
    change(&mut header, &mut description, &mut data);
    if header["__metadata__"]["astromorph"].is_string() {
        header["__metadata__"]["astromorph"] = Value::String(description.to_string());
    }
    close(&header, &data)
}

fn refused(bytes: &[u8], said: &[&str]) {
    let error = Image::from_bytes(bytes).unwrap_err().to_string();
    for said in said {
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
    // The same from a file, under its name.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.safetensors");
    std::fs::write(&path, bytes).unwrap();
    let from_file = Image::load(&path).unwrap_err().to_string();
    assert!(from_file.contains("image.safetensors: "), "{from_file}");
    assert_eq!(
        error.split_once(": ").unwrap().1,
        from_file.split_once("image.safetensors: ").unwrap().1
    );
}

const PHI: &str = "layers.0.attention.phi_k";

#[test]
fn every_kind_of_damage_is_refused_by_name() {
    let bytes = &sample().1;
    let (header, data) = open(bytes);
    refused(&[], &["header length: expected 8 bytes, found 0"]);
    refused(&bytes[..5], &["header length: expected 8 bytes, found 5"]);
    refused(&bytes[..100], &["header length", "expected at most 92 bytes"]);
    refused(&u64::MAX.to_le_bytes(), &["header length", "18446744073709551615"]);
    refused(&[&2u64.to_le_bytes()[..], b"{]"].concat(), &["header: "]);
    refused(
        &close(&json!({}), &[]),
        &["metadata \"astromorph\": expected a text, found none"],
    );
    refused(&bytes[..bytes.len() - 1], &["tensor ", "bytes"]);
    refused(&[bytes, &[0u8][..]].concat(), &["data: expected", "bytes"]);

    // Tensors that do not fit the header's own words.
    let tensor = |field: &'static str, value: Value| changed(|h, _, _| h[PHI][field] = value);
    refused(&tensor("dtype", json!("I32")), &[PHI, "expected type I16, found I32"]);
    refused(&tensor("dtype", json!("X")), &[PHI]);
    refused(
        &tensor("shape", json!([16, 2])),
        &[PHI, "expected shape [32], found [16, 2]"],
    );
    refused(&tensor("shape", json!([u64::MAX])), &[PHI, "expected shape"]);
    refused(&tensor("data_offsets", json!([8, 4])), &[PHI, "offsets 8 to 4"]);
    refused(&tensor("data_offsets", json!([0, u64::MAX])), &[PHI, "offsets"]);
    let overlap = changed(|h, _, _| h[PHI]["data_offsets"] = h["layers.0.attention.phi_q"]["data_offsets"].clone());
    refused(&overlap, &["layers.0.attention.ph", "its bytes to begin at"]);
    let missing = changed(|h, _, _| _ = h.as_object_mut().unwrap().remove(PHI));
    refused(&missing, &[PHI, "expected a tensor of this name, found none"]);
    let extra = changed(|h, _, _| h["layers.0.more"] = h[PHI].clone());
    refused(&extra, &["layers.0.more: expected no tensor of this name"]);
    refused(
        &close(&json!({"__metadata__": header["__metadata__"]}), &[]),
        &["a tensor of this name, found none"],
    );

    // The description.
    let described = |change: &dyn Fn(&mut Value)| changed(|_, d, _| change(d));
    refused(
        &changed(|h, _, _| h["__metadata__"]["astromorph"] = json!(1)),
        &["metadata \"astromorph\""],
    );
    refused(
        &described(&|d| d["version"] = json!(2)),
        &["version: expected 1, found 2"],
    );
    refused(
        &described(&|d| d["spec"]["heads"] = json!(9)),
        &["model.heads: expected 1 to 8, found 9"],
    );
    refused(
        &described(&|d| d["spec"]["attention"] = json!("softmax")),
        &["nonlinearity"],
    );
    refused(
        &described(&|d| d["spec"]["n_max"] = json!(7)),
        &["tensor layers.0.attention.w: expected shape [2, 7, 4], found [2, 6, 4]"],
    );
    refused(
        &described(&|d| d["quantize"]["activation_bits"] = json!(40)),
        &["quantize.activation_bits"],
    );
    refused(
        &described(&|d| d["quantize"]["chunk"] = json!(16)),
        &["quantize.chunk: expected 1 with order \"two-pass\"", "found 16"],
    );
    refused(
        &described(&|d| d["tensors"] = json!({})),
        &["expected a SHA-256 in the metadata, found none"],
    );
    refused(&described(&|d| d["tensors"]["x"] = json!("")), &["tensors.x"]);
    refused(&described(&|d| d["more"] = json!(1)), &["more"]);
    refused(&described(&|d| d["hash"] = json!("00")), &["hash: expected SHA-256 00"]);

    // Formats that the law does not allow.
    let format = |name: &'static str, field: &'static str, value: i64| {
        described(&move |d| d["formats"][name][field] = json!(value))
    };
    refused(
        &format("layers.0.q", "frac", -1),
        &["formats.layers.0.q.frac: expected 0 to 24, found -1"],
    );
    refused(
        &format("layers.0.q", "bits", 13),
        &["formats.layers.0.q.bits: expected 12, found 13"],
    );
    refused(&format("layers.0.aw", "frac", 3), &["formats.layers.0.aw.frac"]);
    refused(
        &format("layers.0.H", "frac", 3),
        &["formats.layers.0.H.frac: expected 11 to 11, found 3"],
    );
    refused(
        &format("head.bias", "frac", i32::MAX as i64),
        &["formats.head.bias.frac"],
    );
    refused(&format("x0", "frac", i32::MIN as i64), &["formats.x0.frac"]);
    let fine_norm = described(&|d| {
        let more = 40 - d["formats"]["norm.n"]["frac"].as_i64().unwrap();
        for name in ["norm.n", "norm.beta"] {
            d["formats"][name]["frac"] = json!(d["formats"][name]["frac"].as_i64().unwrap() + more);
        }
    });
    refused(&fine_norm, &["formats.norm.n.frac: expected -24 to ", "found 40"]);
    refused(&format("pooled", "frac", 40), &["formats.head.bias.frac"]);
    refused(
        &described(&|d| _ = d["formats"].as_object_mut().unwrap().remove("x0")),
        &["formats.x0: expected a format, found none"],
    );
    refused(
        &described(&|d| d["formats"]["zz"] = d["formats"]["x0"].clone()),
        &["formats.zz"],
    );

    // A table, and every other tensor, whose words are not those that were hashed.
    for name in [
        "layers.0.attention.power",
        "layers.0.attention.w",
        "tables.rsqrt",
        "tables.sigmoid",
        "embedding.weight",
    ] {
        let begin = header[name]["data_offsets"][0].as_u64().unwrap() as usize;
        let mut damaged = data.clone();
        damaged[begin + 2] ^= 1;
        refused(
            &close(&header, &damaged),
            &[&format!("tensor {name}: expected SHA-256 "), ", found "],
        );
    }
}

/// Words that the formats do not allow, with hashes that are right.
#[test]
fn words_out_of_range_are_refused_by_name() {
    let with = |name: &str, at: usize, word: i64| {
        let mut image = sample().0.clone();
        let bits = slots(&image.spec, &image.quantize, &image.plan)
            .unwrap()
            .into_iter()
            .find(|s| s.name == name)
            .unwrap()
            .bits;
        let tensor = image.tensors.get_mut(name).unwrap();
        let words: Vec<i64> = tensor
            .words
            .iter()
            .enumerate()
            .map(|(i, x)| if i == at { word } else { x })
            .collect();
        tensor.words = Words::pack(bits, words.into_iter());
        image.to_bytes().unwrap()
    };
    refused(
        &with(PHI, 3, -1),
        &["tensor layers.0.attention.phi_k[3]: expected a word in 0..=2047, found -1"],
    );
    refused(&with(PHI, 3, 2048), &["phi_k[3]", "found 2048"]);
    refused(
        &with("layers.0.attention.w_q", 1, -3000),
        &["layers.0.attention.w_q[1]", "-2048..=2047"],
    );
    refused(&with("tables.reciprocal", 0, -5), &["tables.reciprocal[0]"]);
    refused(
        &with("embedding.weight", 2, 1),
        &["embedding.weight[2]: expected 0 for identifier 0"],
    );
    assert!(Image::from_bytes(&with(PHI, 3, 2047)).is_ok());
}

#[test]
fn hashes_tell_images_apart_and_files_are_reproducible() {
    let (image, bytes) = sample();
    assert_eq!(image.to_bytes().unwrap(), *bytes);
    let mut other = image.clone();
    other.plan.formats.get_mut("logits").unwrap().frac -= 1;
    assert_ne!(other.hash(), image.hash());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.safetensors");
    image.save(&path).unwrap();
    assert_eq!(Image::load(&path).unwrap(), *image);
    assert!(Image::load(folder.path()).is_err());
    let error = Image::load(&folder.path().join("none")).unwrap_err().to_string();
    assert!(error.contains("none"), "{error}");
}

/// Nothing is left to saturate when weights are rounded: every stored weight is within a unit and a half of its float.
#[test]
fn scales_are_folded_before_rounding() {
    let (image, _) = sample();
    let weights = trained_like(&image.spec, 5);
    let tensor = image.tensor("layers.0.attention.b_v").unwrap();
    let format = image.plan.format("layers.0.attention.b_v").unwrap();
    let (b, log_s) = (
        &weights.tensors["layers.0.attention.b_v"],
        &weights.tensors["layers.0.attention.log_s"],
    );
    for (j, &b) in b.data.iter().enumerate() {
        let expected = b as f64 / (log_s.data[j / 4] as f64).exp();
        assert!((format.decode(tensor.words.get(j)) - expected).abs() <= format.ulp());
    }
    let gamma = image.plan.format("layers.0.norm1.gamma").unwrap();
    let expected = weights.tensors["layers.0.norm1.gamma"].data[3] as f64 * 8f64.sqrt();
    let found = gamma.decode(image.tensor("layers.0.norm1.gamma").unwrap().words.get(3));
    assert!((found - expected).abs() <= gamma.ulp());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_round_trip_is_identical(spec in any_spec(), bits in 8u32..=18, seed: u64) {
        let image = image(&spec, bits, seed);
        let back = Image::from_bytes(&image.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(back.hash(), image.hash());
        prop_assert_eq!(back, image);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// Bytes changed, cut, repeated and inserted: refused, or (in the padding of the header) the same image. Never a panic.
    #[test]
    fn mutated_files_are_refused(at: prop::sample::Index, kind in 0..5, byte: u8, other: prop::sample::Index) {
        let (image, bytes) = sample();
        let mut mutated = bytes.clone();
        let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
        match kind {
            0 => mutated[at] = byte,
            1 => mutated.truncate(at),
            2 => mutated.insert(at, byte),
            3 => mutated[at] ^= 1 << (byte % 8),
            _ => mutated.copy_within(at.min(other)..at.max(other), 0),
        }
        if let Ok(found) = Image::from_bytes(&mutated) {
            prop_assert_eq!(&found, image);
        }
    }

    /// Changes within the header's JSON that keep it JSON: numbers and names.
    #[test]
    fn mutated_headers_are_refused(pick: prop::sample::Index, number: i64) {
        let (image, _) = sample();
        let bytes = changed(|header, description, _| {
            let mut places = Vec::new();
            collect(header, String::new(), &mut places);
            let mut inner = Vec::new();
            collect(description, String::new(), &mut inner);
            let at = pick.index(places.len() + inner.len());
            let (root, place) = match at.checked_sub(places.len()) {
                None => (header, &places[at]),
                Some(at) => (description, &inner[at]),
            };
            *root.pointer_mut(place).unwrap() = json!(number);
        });
        if let Ok(found) = Image::from_bytes(&bytes) {
            prop_assert_eq!(&found, image);
        }
    }
}

/// JSON pointers of all leaves.
fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(k, v)| collect(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), places));
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, v)| collect(v, format!("{at}/{i}"), places)),
        _ => places.push(at),
    }
}
