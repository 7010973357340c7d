//! The astrocyte attention core in RustHDL, sized at run time, and its Verilog.
//!
//! | layer | modules |
//! |---|---|
//! | numbers and blocks | [`number`], [`mod@block`], [`register`], [`delay`], [`ram`], [`rom`], [`multiply`], [`check`] |
//! | arithmetic | [`round`], [`split`], [`phi`], [`positional`], [`seal`], [`power`], [`reciprocal`], [`normalise`] |
//! | datapath | [`lane`], [`calcium`], [`drain`], [`fifo`] |
//! | control | [`loader`], [`sequencer`] |
//! | engine | [`engine`]: the array and its memories |
//! | core | [`plan`] (sizes), [`core`](mod@core) (top), [`emit`] (Verilog text) |
//!
//! The law is `docs/arithmetic.md`, the ports are `docs/attention-core.md`, the oracle is `astromorph::twin::Attention`. Every block states
//! ports, latency, formats and a tested example; `tests/blocks.rs` compares each with its law and, through the emitted Verilog, with Icarus
//! at every output in every cycle; `tests/core.rs` does so with the core over random sizes.
//!
//! Primitives ([`register`], [`delay`], [`ram`], [`rom`], [`multiply`], the shift chain of [`drain`]) have a Rust model and a Verilog body of
//! their own; everything else is a `#[hdl_gen]` kernel, whose Verilog is printed from the very expressions that are simulated.

pub mod block;
pub mod calcium;
pub mod check;
pub mod core;
pub mod delay;
pub mod drain;
pub mod emit;
pub mod engine;
pub mod fifo;
pub mod lane;
pub mod loader;
pub mod multiply;
pub mod normalise;
pub mod number;
pub mod phi;
pub mod plan;
pub mod positional;
pub mod power;
pub mod ram;
pub mod reciprocal;
pub mod register;
pub mod rom;
pub mod round;
pub mod seal;
pub mod sequencer;
pub mod split;
