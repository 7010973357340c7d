//! The astromorphic (neuron–astrocyte) Transformer: its specification, its floating-point golden model and its bit-exact integer twin.
//!
//! | module | what it is |
//! |---|---|
//! | [`spec`] | what a user writes in `model.toml`: architecture and quantisation |
//! | [`error`] | one error type: which file or field, what was expected, what was found |
//! | [`format`] | fixed-point formats, rounding and saturation |
//! | [`table`] | the non-linearities as stored tables |
//! | [`golden`] | every equation in floating point, generic over `num_traits::Float` |
//! | [`twin`] | the same model in integers, bit for bit what the hardware computes |
//!
//! This crate knows no hardware and no device. The law it implements is `docs/arithmetic.md`.

pub mod error;
pub mod format;
pub mod spec;
pub mod table;
pub mod twin;

pub use error::{Error, Result};
