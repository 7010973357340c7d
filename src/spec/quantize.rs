//! The widths of the integer model.
//!
//! ```
//! let widths: astromorph::spec::QuantizeSpec = toml::from_str("activation_bits = 8").unwrap();
//! assert_eq!((widths.weight_bits, widths.chunk), (16, 1)); // everything else has a default
//! assert!(astromorph::spec::QuantizeSpec { weight_bits: 3, ..widths }.validate().is_err());
//! ```

use super::{chunk, range};
use crate::Result;
use serde::{Deserialize, Serialize};

/// Widths of the integer model: what stands under `[quantize]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuantizeSpec {
    /// Operand width W of activations, φ, w and H: 8 to 18 bits.
    pub activation_bits: u32,
    /// Width of weights and embeddings, 4 to 18 bits.
    pub weight_bits: u32,
    /// Index bits of the exponential table of φ.
    pub phi_index_bits: u32,
    /// Mantissa bits of the calcium power table.
    pub power_mantissa_bits: u32,
    /// Mantissa bits of the reciprocal table.
    pub reciprocal_mantissa_bits: u32,
    /// Mantissa bits of the 1/√ table.
    pub rsqrt_mantissa_bits: u32,
    /// Index bits of the sigmoid table.
    pub sigmoid_index_bits: u32,
    /// Index bits of the GELU table.
    pub gelu_index_bits: u32,
    /// T, tokens of a chunk of causal attention, 2 to 64; 1 is the recurrence. Not written when it is 1.
    #[serde(skip_serializing_if = "is_one")]
    pub chunk: usize,
}

fn is_one(x: &usize) -> bool {
    *x == 1
}

impl Default for QuantizeSpec {
    fn default() -> Self {
        QuantizeSpec {
            activation_bits: 16,
            weight_bits: 16,
            phi_index_bits: 10,
            power_mantissa_bits: 6,
            reciprocal_mantissa_bits: 9,
            rsqrt_mantissa_bits: 9,
            sigmoid_index_bits: 10,
            gelu_index_bits: 9,
            chunk: 1,
        }
    }
}

impl QuantizeSpec {
    /// Refuses widths the arithmetic is not proved for, whatever the model ([`Self::validate_for`] knows it).
    pub fn validate(&self) -> Result<()> {
        range("quantize.activation_bits", self.activation_bits, 8, 18)?;
        range("quantize.weight_bits", self.weight_bits, 4, 18)?;
        range("quantize.phi_index_bits", self.phi_index_bits, 4, 12)?;
        range("quantize.power_mantissa_bits", self.power_mantissa_bits, 2, 10)?;
        range(
            "quantize.reciprocal_mantissa_bits",
            self.reciprocal_mantissa_bits,
            4,
            12,
        )?;
        range("quantize.rsqrt_mantissa_bits", self.rsqrt_mantissa_bits, 4, 12)?;
        range("quantize.sigmoid_index_bits", self.sigmoid_index_bits, 6, 12)?;
        range("quantize.gelu_index_bits", self.gelu_index_bits, 4, 12)?;
        chunk::in_range("quantize.chunk", self.chunk)
    }
}
