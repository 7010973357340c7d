//! The engine: a whole Transformer on one array. The contract is `docs/engine.md`.
//!
//! | part | modules |
//! |---|---|
//! | cells | [`dsp`] (multipliers), [`memory`] (single-port memories), [`table_ram`] (tables), `accumulate` (the lanes' adder), `block_ram` (ECP5's, registered) |
//! | memories | [`xmem`] (activations), [`mmem`] (32-bit words) |
//! | array | [`array`](mod@array) (ports, model, Verilog of the blocks), `lane` (Verilog of a lane) |
//! | front of the stream | [`front`]: [`linear`], [`function`], [`other`], which share one [`shifter`] by [`turns`]; [`flags`]; addresses by [`walker`] |
//! | end of the stream | [`tail`]: [`unit`] (the serial arithmetic: [`fabric`], [`requant`], [`mod@split`], [`mantissa`], [`tags`]), [`serial`] (g, reads), [`sums`], [`norm`]; [`line`](mod@line) |
//! | control | [`sizes`], [`settings`], [`fetch`] (program) with [`loops`], [`array_walker`] (pairs of slots), [`conveyor`] (words into the stream), [`intake`] (input), [`store`] with [`queue`] (destinations), [`bank_port`], [`output`], [`argmax`], [`fill`] (weights), [`bus`] (the memory M), [`peek`] (words read back) |
//! | time | [`timing`]: the control's decisions without the words |

mod accumulate;
pub mod argmax;
pub mod array;
pub mod array_walker;
pub mod bank_port;
pub mod block_ram;
pub mod bus;
pub mod conveyor;
pub mod dsp;
pub mod emit;
pub mod errors;
pub mod fabric;
pub mod fetch;
pub mod fields;
pub mod fill;
pub mod flags;
pub mod front;
pub mod function;
pub mod intake;
mod lane;
pub mod line;
pub mod linear;
pub mod loops;
pub mod mantissa;
pub mod memories;
pub mod memory;
pub mod mmem;
pub mod norm;
pub mod other;
pub mod output;
pub mod peek;
pub mod queue;
pub mod requant;
pub mod rows;
pub mod serial;
pub mod settings;
pub mod shifter;
pub mod sizes;
pub mod split;
pub mod store;
pub mod sums;
pub mod table_ram;
pub mod tags;
pub mod tail;
pub mod timing;
pub mod top;
pub mod turns;
pub mod unit;
pub mod walker;
pub mod xmem;

/// Width of the front's line: bit k is set while a word is 2k − 1 and 2k cycles old; bit 0 never.
pub const LINE_BITS: u32 = 16;
