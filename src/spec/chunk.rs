//! T, the tokens of a chunk of causal attention (`docs/arithmetic.md` section 6): which models and widths have the chunked law.
//!
//! | T | law |
//! |---|---|
//! | 1 | none of it: the recurrence, or two-pass attention |
//! | 2 to 64 | causal, f = identity, and scores of at most [`SCORE_BITS`] bits: 2W − 1 + ⌈log2 m⌉ |
//!
//! ```
//! use astromorph::spec::{ModelSpec, QuantizeSpec};
//! let spec: ModelSpec = toml::from_str(r#"
//!     layers = 1
//!     heads = 2
//!     d_model = 32
//!     features = 16
//!     values = 16
//!     n_max = 256
//!     order = "causal"
//!     input = { kind = "tokens", vocabulary = 20000 }
//!     output = { kind = "vocabulary", size = 20000 }
//! "#).unwrap();
//! let of = |activation_bits, chunk| QuantizeSpec { activation_bits, chunk, ..Default::default() };
//! of(12, 16).validate_for(&spec).unwrap(); // 2·12 − 1 + 4 = 27 bits
//! let error = of(16, 16).validate_for(&spec).unwrap_err().to_string(); // 35 bits
//! assert!(error.contains("quantize.chunk: expected 1, the recurrence"), "{error}");
//! ```

use super::{ModelSpec, Nonlinearity, Order, QuantizeSpec};
use crate::format::growth;
use crate::{Error, Result};

/// Longest chunk.
pub const MAX_CHUNK: usize = 64;
/// Widest score with sign: the mask is an addend word of 32 bits, which must outweigh every score.
pub const SCORE_BITS: u32 = 31;

/// Width of Σ_i b_i·aw_i with sign.
pub(crate) fn score_bits(width: u32, features: usize) -> u32 {
    2 * width - 1 + growth(features)
}

/// Refuses what is no number of tokens of a chunk; `field` stands in the error.
pub(super) fn in_range(field: &str, chunk: usize) -> Result<()> {
    match chunk {
        1..=MAX_CHUNK => Ok(()),
        _ => Err(Error::field(
            field,
            format!("1 (the recurrence) or 2 to {MAX_CHUNK}"),
            chunk,
        )),
    }
}

/// Refuses a chunk that the law does not have for a model of this kind and these sizes.
pub(crate) fn check(
    field: &str,
    chunk: usize,
    (order, nonlinearity): (Order, Nonlinearity),
    (width, features): (u32, usize),
) -> Result<()> {
    let refused = |expected: String| Err(Error::field(field, expected, chunk));
    in_range(field, chunk)?;
    if chunk == 1 {
        return Ok(());
    }
    if order == Order::TwoPass {
        return refused("1 with order \"two-pass\": only causal attention has chunks".into());
    }
    if nonlinearity != Nonlinearity::Identity {
        return refused("1, the recurrence, with a non-linearity other than \"identity\"".into());
    }
    let bits = score_bits(width, features);
    if bits > SCORE_BITS {
        return refused(format!(
            "1, the recurrence, with scores of {bits} bits (W = {width}, m = {features}; chunks allow {SCORE_BITS})"
        ));
    }
    Ok(())
}

impl QuantizeSpec {
    /// Refuses widths the arithmetic is not proved for, and a chunk that it has not for this model.
    pub fn validate_for(&self, spec: &ModelSpec) -> Result<()> {
        self.validate()?;
        if self.chunk != 1 && !spec.attention.is_hebbian() {
            let expected = "1 with an attention that has no integer form";
            return Err(Error::field("quantize.chunk", expected, self.chunk));
        }
        check(
            "quantize.chunk",
            self.chunk,
            (spec.order, spec.nonlinearity),
            (self.activation_bits, spec.features),
        )
    }

    /// T where the model has chunks.
    pub fn chunked(&self) -> Option<usize> {
        (self.chunk > 1).then_some(self.chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(chunk: usize, model: &str, bits: u32) -> String {
        let mut text = "layers = 1\nheads = 1\nd_model = 8\nfeatures = 9\nvalues = 4\nn_max = 4\n\
                        input = { kind = \"tokens\", vocabulary = 5 }\noutput = { kind = \"classes\", size = 2 }\n"
            .to_string();
        text += model;
        let quantize: QuantizeSpec = toml::from_str(&format!("activation_bits = {bits}\nchunk = {chunk}")).unwrap();
        match quantize.validate_for(&toml::from_str(&text).unwrap()) {
            Ok(()) => "allowed".into(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn every_contradiction_is_named() {
        let causal = "order = \"causal\"";
        for (chunk, model, bits, said) in [
            (2, causal, 8, "allowed"),
            (64, causal, 12, "allowed"),
            (16, causal, 13, "allowed"), // 25 + 4 = 29 bits
            (16, causal, 14, "allowed"), // 31
            (16, causal, 15, "scores of 33 bits (W = 15, m = 9"),
            (1, causal, 18, "allowed"),
            (1, "order = \"two-pass\"", 16, "allowed"),
            (0, causal, 8, "1 (the recurrence) or 2 to 64, found 0"),
            (65, causal, 8, "1 (the recurrence) or 2 to 64, found 65"),
            (16, "order = \"two-pass\"", 8, "order \"two-pass\""),
            (16, "order = \"causal\"\nnonlinearity = \"sigmoid\"", 8, "non-linearity"),
            (
                16,
                "order = \"causal\"\nnonlinearity = \"hard-sigmoid\"",
                8,
                "non-linearity",
            ),
            (
                16,
                "order = \"causal\"\nattention = \"softmax\"",
                8,
                "an attention that has no integer form",
            ),
            (16, "order = \"causal\"\nattention = \"linear\"", 8, "allowed"),
        ] {
            let found = says(chunk, model, bits);
            assert!(found.contains(said), "{chunk}, {model}, {bits}: {found}");
            assert!(said == "allowed" || found.contains("quantize.chunk"), "{found}");
        }
    }

    /// A specification without the field is the recurrence, and the recurrence is written without it: images keep their identity.
    #[test]
    fn the_recurrence_leaves_no_trace() {
        let old = "activation_bits = 8\nweight_bits = 8\n";
        let read: QuantizeSpec = toml::from_str(old).unwrap();
        assert_eq!(read.chunk, 1);
        let written = serde_json::to_string(&read).unwrap();
        assert!(!written.contains("chunk"), "{written}");
        let chunked = QuantizeSpec { chunk: 16, ..read };
        let written = serde_json::to_string(&chunked).unwrap();
        assert_eq!(serde_json::from_str::<QuantizeSpec>(&written).unwrap(), chunked);
    }
}
