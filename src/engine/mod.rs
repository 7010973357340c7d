//! The engine's law: what a core is ([`config`]), what it executes ([`program`]) and what it computes.
//!
//! A whole Transformer runs as a list of steps on one array of multipliers with one stream of words behind it. `docs/engine.md` is the
//! contract that this module, the hardware and the compiler share.

pub mod config;
pub mod program;
