//! `astromorph compile` from outside: the file it writes runs as the twin does; what does not fit is refused by name.

use astromorph::engine::package::Package;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, QuantizeSpec};
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use astromorph_tests::astromorph;
use rand::SeedableRng;
use std::path::Path;

/// A model whose input are its features, so that what enters the core is in the image.
fn image() -> Image {
    let spec = spec();
    let quantize = QuantizeSpec {
        activation_bits: 8,
        weight_bits: 8,
        power_mantissa_bits: 3,
        reciprocal_mantissa_bits: 6,
        rsqrt_mantissa_bits: 6,
        ..Default::default()
    };
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
    let sequences: Vec<Sequence> = (0..8).map(|_| Sequence::random(&spec, &mut rng)).collect();
    let weights = Weights::random(&spec, 2);
    let plan = Plan::calibrate(&spec, &quantize, &weights, &sequences).unwrap();
    Image::build(&spec, &quantize, &weights, &plan).unwrap()
}

fn spec() -> ModelSpec {
    serde_json::from_str(
        r#"{"layers": 2, "heads": 2, "d_model": 12, "features": 4, "values": 5, "n_max": 20, "order": "two-pass",
            "input": {"kind": "vectors", "width": 9}, "output": {"kind": "classes", "size": 3, "pooling": "mean"}}"#,
    )
    .unwrap()
}

fn core(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../constraints/cores")
        .join(name)
        .display()
        .to_string()
}

#[test]
fn the_program_file_runs_as_the_twin() {
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name).display().to_string();
    let image = image();
    image.save(Path::new(&at("image.safetensors"))).unwrap();
    let folder = at("program");
    let done = astromorph(&[
        "compile",
        &at("image.safetensors"),
        "--core",
        &core("up5k-int8.toml"),
        "--out",
        &folder,
    ]);
    let (said, error) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert_eq!(done.status.code(), Some(0), "{error}");
    assert!(
        said.contains("core up5k-int8") && said.contains("layers.1.write.h1"),
        "{said}"
    );
    assert_eq!(
        said,
        std::fs::read_to_string(out.path().join("program/program.txt")).unwrap()
    );

    let package = Package::load(&out.path().join("program/program.safetensors")).unwrap();
    let mut machine = package.machine().unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let (twin, format) = (Twin::new(&image).unwrap(), image.plan().format("input").unwrap());
    for _ in 0..5 {
        let sequence = Sequence::random(image.spec(), &mut rng);
        let Sequence::Vectors { data, .. } = &sequence else {
            panic!("a vector model")
        };
        let words: Vec<i32> = data.iter().map(|&x| format.encode(x as f64) as i32).collect();
        assert_eq!(machine.predict(&words).unwrap(), twin.predict(&sequence).unwrap().data);
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name).display().to_string();
    image().save(Path::new(&at("image.safetensors"))).unwrap();
    let small = std::fs::read_to_string(core("up5k-int8.toml"))
        .unwrap()
        .replace("bank_words = 512", "bank_words = 16");
    std::fs::write(at("small.toml"), small).unwrap();
    std::fs::write(at("broken.toml"), "lanes = 4\n").unwrap();
    for (core, needles) in [
        (
            at("small.toml"),
            &["core.bank_words", "or more words for", "found 16"][..],
        ),
        (
            core("up5k-int16.toml"),
            &["quantize.activation_bits: expected 16", "found 8"],
        ),
        (at("broken.toml"), &["broken.toml", "missing field"]),
        (at("none.toml"), &["none.toml"]),
    ] {
        let done = astromorph(&["compile", &at("image.safetensors"), "--core", &core, "--out", &at("x")]);
        let error = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{error}");
        for needle in needles {
            assert!(error.contains(needle), "{error:?} does not say {needle:?}");
        }
        assert!(!out.path().join("x").exists(), "a refused program left a folder");
    }
}
