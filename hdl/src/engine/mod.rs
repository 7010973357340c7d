//! The engine: a whole Transformer on one array. The contract is `docs/engine.md`.

pub mod shifter;
pub mod walker;
