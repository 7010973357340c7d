//! The engine: a whole Transformer on one array. The contract is `docs/engine.md`.

pub mod fabric;
pub mod line;
pub mod mantissa;
pub mod norm;
pub mod requant;
pub mod serial;
pub mod split;
pub mod sums;
pub mod tags;
pub mod tail;
pub mod unit;
