//! The astromorphic (neuron–astrocyte) Transformer: its specification, its floating-point golden model and its bit-exact integer twin.
//!
//! | module | what it is |
//! |---|---|
//! | [`spec`] | what a user writes in `model.toml`: architecture and quantisation |
//! | [`atomic`] | files that are written whole or not at all |
//! | [`engine`] | cores and the programs they run: one array, the whole Transformer |
//! | [`error`] | one error type: which file or field, what was expected, what was found |
//! | [`mod@format`] | fixed-point formats, rounding and saturation |
//! | [`table`] | the non-linearities as stored tables |
//! | [`sequence`] | one input sequence |
//! | [`weights`] | the float weights and their safetensors file |
//! | [`positional`] | the positional keys w_t from the learnt M |
//! | [`golden`] | every equation in floating point, generic over `num_traits::Float` |
//! | [`plan`], [`calibrate`] | one fixed-point format a tensor, and how it is chosen |
//! | [`image`] | the quantised model as integers, and its file |
//! | [`report`] | the twin's error against the golden model, tensor by tensor |
//! | [`twin`] | the same model in integers, bit for bit what the hardware computes |
//!
//! This crate knows no hardware and no device. The law it implements is `docs/arithmetic.md`.

pub mod atomic;
pub mod calibrate;
pub mod engine;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod format;
pub mod golden;
#[cfg(test)]
mod hostile;
pub mod image;
pub mod plan;
pub mod positional;
pub mod report;
pub mod sequence;
pub mod spec;
pub mod table;
pub mod twin;
pub mod weights;

pub use error::{Error, Result};
