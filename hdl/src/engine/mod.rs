//! The engine: a whole Transformer on one array. The contract is `docs/engine.md`.
//!
//! | part | modules |
//! |---|---|
//! | front of the stream | [`front`]: [`linear`], [`function`], [`other`], which share one [`shifter`]; addresses by [`walker`] |

pub mod front;
pub mod function;
pub mod linear;
pub mod other;
pub mod shifter;
pub mod walker;

/// Width of the front's line: bit k is set while a word is 2k − 1 and 2k cycles old; bit 0 never.
pub const LINE_BITS: u32 = 16;
