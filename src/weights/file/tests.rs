use super::*;
use crate::weights::Source;
use proptest::prelude::*;
use std::path::PathBuf;

fn spec() -> ModelSpec {
    toml::from_str(
        "layers = 1\nheads = 1\nd_model = 4\nfeatures = 4\nvalues = 4\nn_max = 3\norder = \"two-pass\"\n\
         input = { kind = \"vectors\", width = 2 }\noutput = { kind = \"classes\", size = 2 }",
    )
    .unwrap()
}

/// A folder with one file of the given bytes.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The file of random weights, as bytes.
fn saved() -> Vec<u8> {
    let (_folder, path) = file(b"");
    Weights::random(&spec(), 1).save(&path, &spec()).unwrap();
    std::fs::read(&path).unwrap()
}

/// A file of a given header and data.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &vec![0; data],
    ]
    .concat()
}

/// Random weights with some tensors encoded by hand, under other names and types.
fn encoded(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)], without: &[&str]) -> Vec<u8> {
    let weights = Weights::random(&spec(), 1);
    let mut all: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = weights
        .tensors
        .into_iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, t)| {
            (
                name,
                Dtype::F32,
                t.shape,
                t.data.iter().flat_map(|x| x.to_le_bytes()).collect(),
            )
        })
        .collect();
    all.extend(
        tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| (name.to_string(), *dtype, shape.clone(), bytes.clone())),
    );
    let views = all
        .iter()
        .map(|(name, dtype, shape, b)| (name, TensorView::new(*dtype, shape.clone(), b).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let (_folder, path) = file(bytes);
    let error = Weights::load(&path, &spec()).unwrap_err().to_string();
    assert!(error.contains("w.safetensors: "), "{error}");
    error
}

#[test]
fn what_is_saved_is_loaded_and_the_bytes_are_reproducible() {
    let weights = Weights::random(&spec(), 1);
    let (_folder, path) = file(b"older");
    weights.save(&path, &spec()).unwrap();
    assert_eq!(Weights::load(&path, &spec()).unwrap(), weights);
    assert_eq!(Weights::open(&path).unwrap(), (spec(), weights));
    assert_eq!(std::fs::read(&path).unwrap(), saved());
}

#[test]
fn a_diverged_model_does_not_replace_a_good_one() {
    let mut weights = Weights::random(&spec(), 1);
    let (_folder, path) = file(b"");
    weights.save(&path, &spec()).unwrap();
    weights.tensors.get_mut("input.bias").unwrap().data[2] = f32::INFINITY;
    let error = weights.save(&path, &spec()).unwrap_err().to_string();
    assert!(
        error.ends_with("not written: input.bias[2]: expected a finite number, found inf"),
        "{error}"
    );
    Weights::load(&path, &spec()).unwrap();
}

#[test]
fn other_float_types_are_converted() {
    let x = [0.5f64, -2.0, 1.25, 96.0]; // exact in all of them
    let cases: [(Dtype, Vec<u8>); 3] = [
        (Dtype::F64, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
        (
            Dtype::F16,
            x.iter().flat_map(|&x| half::f16::from_f64(x).to_le_bytes()).collect(),
        ),
        (
            Dtype::BF16,
            x.iter().flat_map(|&x| half::bf16::from_f64(x).to_le_bytes()).collect(),
        ),
    ];
    for (dtype, bytes) in cases {
        let (_folder, path) = file(&encoded(&[("input.bias", dtype, vec![4], bytes)], &["input.bias"]));
        assert_eq!(
            Weights::load(&path, &spec()).unwrap().tensors["input.bias"].data,
            [0.5, -2.0, 1.25, 96.0]
        );
    }
    let integers = refusal(&encoded(
        &[("input.bias", Dtype::I32, vec![4], vec![0; 16])],
        &["input.bias"],
    ));
    assert!(
        integers.contains("tensor input.bias: expected type F32, F16, BF16 or F64, found I32"),
        "{integers}"
    );
    let huge = 1e300f64.to_le_bytes().repeat(4);
    let error = refusal(&encoded(&[("input.bias", Dtype::F64, vec![4], huge)], &["input.bias"]));
    assert!(
        error.contains("tensor input.bias[0]: expected a finite number, found inf"),
        "{error}"
    );
}

#[test]
fn foreign_names_and_layouts_are_imported() {
    // PyTorch's layout [out, in] of a 2 × 4 matrix: column by column of ours.
    let bytes: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let extra = [
        ("theirs.weight", Dtype::F32, vec![4, 2], bytes),
        ("mask", Dtype::BOOL, vec![1], vec![1]),
    ];
    let (_folder, path) = file(&encoded(&extra, &["input.weight"]));
    let source = |transpose| Source {
        name: "input.weight".into(),
        transpose,
    };
    let mut names = NameMap {
        ignore: vec!["mask".into()],
        ..Default::default()
    };
    names.tensors.insert("theirs.weight".into(), source(true));
    let weights = Weights::import(&path, &spec(), &names).unwrap();
    assert_eq!(
        weights.tensors["input.weight"].data,
        [0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]
    );

    let error = |names: &NameMap| Weights::import(&path, &spec(), names).unwrap_err().to_string();
    names.tensors.insert("theirs.weight".into(), source(false));
    assert!(error(&names).contains("tensor theirs.weight (for input.weight): expected shape [2, 4], found [4, 2]"));
    names.tensors.insert(
        "head.bias".into(),
        Source {
            name: "head.bias".into(),
            transpose: true,
        },
    );
    assert!(error(&names).contains("tensor head.bias: expected a matrix to transpose"));
    names.tensors.insert(
        "head.bias".into(),
        Source {
            name: "input.bias".into(),
            transpose: false,
        },
    );
    assert!(error(&names).contains("tensor head.bias (for input.bias)"));
    names.tensors.remove("head.bias");
    names.tensors.insert("theirs.weight".into(), source(true));
    let twice = Source {
        name: "layers.0.attention.w_k".into(),
        transpose: false,
    };
    names.tensors.insert("layers.0.attention.w_q".into(), twice);
    assert!(error(&names).ends_with("expected one tensor of this name, found two"));
}

#[test]
fn wrong_tensors_are_named() {
    let f32s = |n: usize| vec![0u8; 4 * n];
    let missing = refusal(&encoded(&[], &["head.bias"]));
    assert!(
        missing.contains("tensor head.bias: expected a tensor of shape [2], found none"),
        "{missing}"
    );
    let unexpected = refusal(&encoded(&[("tail.bias", Dtype::F32, vec![1], f32s(1))], &[]));
    assert!(
        unexpected.contains("tensor tail.bias: expected no such tensor"),
        "{unexpected}"
    );
    let shape = refusal(&encoded(&[("head.bias", Dtype::F32, vec![3], f32s(3))], &["head.bias"]));
    assert!(
        shape.contains("tensor head.bias: expected shape [2], found [3]"),
        "{shape}"
    );
    let nan = [f32::NAN.to_le_bytes(), 1f32.to_le_bytes()].concat();
    let nan = refusal(&encoded(&[("head.bias", Dtype::F32, vec![2], nan)], &["head.bias"]));
    assert!(
        nan.contains("tensor head.bias[0]: expected a finite number, found NaN"),
        "{nan}"
    );
}

#[test]
fn another_specification_is_refused_by_field() {
    let (_folder, path) = file(&saved());
    let other = ModelSpec { alpha: 1.0, ..spec() };
    let error = Weights::load(&path, &other).unwrap_err().to_string();
    assert!(
        error.ends_with("metadata \"spec\", model.alpha: expected 1.0, found 0.25"),
        "{error}"
    );
    let (_folder, path) = file(&encoded(&[], &[]));
    Weights::load(&path, &spec()).unwrap();
    let error = Weights::open(&path).unwrap_err().to_string();
    assert!(error.contains("expected the specification under \"spec\""), "{error}");
    let invalid = "{\"__metadata__\":{\"spec\":\"{\\\"layers\\\":0}\"}}";
    assert!(refusal(&with_header(invalid, 0)).contains("metadata \"spec\": "));
}

#[test]
fn hostile_headers_are_refused() {
    let one = |info: &str| format!("{{\"head.bias\":{{{info}}}}}");
    let info = |shape: &str, offsets: &str| {
        one(&format!(
            "\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}"
        ))
    };
    for (bytes, said) in [
        (vec![], "header length: expected 8 bytes, found 0"),
        (vec![1, 2, 3], "header length: expected 8 bytes, found 3"),
        (
            u64::MAX.to_le_bytes().to_vec(),
            "header length: expected at most 0 bytes, found 18446744073709551615",
        ),
        (
            [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(),
            "header length: expected at most 2 bytes",
        ),
        (with_header("[]", 0), "header: "),
        (with_header("{", 0), "header: "),
        (with_header("\u{fffd}", 0), "header: "),
        (
            with_header(&info("[2]", "[0,4]"), 4),
            "header: tensor head.bias of shape [2] at bytes 0 to 4",
        ),
        (
            with_header(&info("[2]", "[8,0]"), 8),
            "header: tensor head.bias of shape [2] at bytes 8 to 0",
        ),
        (
            with_header(&info("[4611686018427387904,4]", "[0,8]"), 8),
            "header: tensor head.bias of shape [46116",
        ),
        (
            with_header(&info("[2]", "[18446744073709551608,18446744073709551615]"), 8),
            "header: tensor head.bias",
        ),
        (with_header(&info("[-1]", "[0,8]"), 8), "header: tensor head.bias: "),
        (
            with_header(&one("\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]"), 8),
            "header: tensor head.bias: ",
        ),
        (with_header(&one("\"shape\":[2]"), 8), "header: tensor head.bias: "),
        (with_header(&info("[2]", "[4,12]"), 12), "`head.bias`"),
        (
            with_header(&info("[2]", "[0,8]"), 7),
            "data: expected 8 bytes, to the end of tensor head.bias, found 7",
        ),
        (with_header(&info("[2]", "[0,8]"), 9), "data: expected 8 bytes"),
        (
            with_header(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\
                 \"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                12,
            ),
            "`b`",
        ),
    ] {
        let error = refusal(&bytes);
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
    let error = Weights::load(Path::new("missing/w.safetensors"), &spec())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("missing/w.safetensors: "), "{error}");
    let (folder, _) = file(b"");
    assert!(Weights::load(folder.path(), &spec()).is_err(), "a folder");
}

proptest! {
    /// Any damage is an error with the file's name, or weights that pass every check; never a panic.
    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), with: Vec<u8>, cut in any::<prop::sample::Index>(), truncate: bool) {
        let mut bytes = saved();
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&with[..end - at]);
        if truncate {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (_folder, path) = file(&bytes);
        match Weights::load(&path, &spec()) {
            Ok(weights) => weights.check(&spec()).unwrap(),
            Err(error) => prop_assert!(error.to_string().contains("w.safetensors: "), "{}", error),
        }
    }
}
