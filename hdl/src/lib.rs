//! The astromorphic Transformer engine in RustHDL, sized at run time, and its Verilog.
//!
//! | layer | modules |
//! |---|---|
//! | numbers and blocks | [`number`], [`mod@block`], [`register`], [`delay`], [`ram`], [`multiply`] (targets), [`check`] |
//! | engine | [`engine`]: the array, its memories, the serial units behind it, sequencer and ports |
//! | link | [`link`]: the serial line, frames and requests between a board and its host |
//! | Verilog text | [`emit`] |
//!
//! The law is `docs/arithmetic.md`, the contract `docs/engine.md`, the oracle the machine that runs the same program
//! (`astromorph::engine::machine`). Every block states ports, latency, formats and a tested example; the tests compare each with its law and,
//! through the emitted Verilog, with Icarus at every output in every cycle.
//!
//! Primitives ([`register`], [`delay`], [`ram`], the engine's memories and DSP blocks) have a Rust model and a Verilog body of their own;
//! everything else is a `#[hdl_gen]` kernel, whose Verilog is printed from the very expressions that are simulated.

pub mod block;
pub mod check;
pub mod delay;
pub mod emit;
pub mod engine;
pub mod link;
pub mod multiply;
pub mod number;
pub mod ram;
pub mod register;
