//! `[model]` and `[quantize]` of `model.toml`: whatever is accepted has a list of format rules.
#![no_main]

use astromorph::plan::rules;
use astromorph::spec::{ModelSpec, QuantizeSpec};
use libfuzzer_sys::fuzz_target;

#[derive(serde::Deserialize)]
struct File {
    model: ModelSpec,
    #[serde(default)]
    quantize: QuantizeSpec,
}

fuzz_target!(|text: &str| {
    if let Ok(File { model, quantize }) = toml::from_str(text)
        && model.validate().is_ok()
        && quantize.validate_for(&model).is_ok()
    {
        assert!(!rules(&model, &quantize).is_empty());
    }
});
