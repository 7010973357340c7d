//! `weights.safetensors`: whatever is accepted is a complete model of finite weights.
#![no_main]

use astromorph::weights::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("room for the input");
    if let Ok((spec, weights)) = Weights::open(file.path()) {
        weights
            .check(&spec)
            .expect("accepted weights are those of their specification");
    }
});
