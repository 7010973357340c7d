//! The engine: one array of lanes for dense layers, WRITE and READ, with its memories.
//!
//! | layer | modules |
//! |---|---|
//! | cells | [`dsp`] (multipliers), [`memory`] (single-port memories), `accumulate` (the lanes' adder), `block_ram` (ECP5's, registered) |
//! | memories | [`xmem`] (activations), [`mmem`] (32-bit words) |
//! | array | [`array`](mod@array) (ports, model, Verilog of the blocks), `lane` (Verilog of a lane) |

mod accumulate;
pub mod array;
mod block_ram;
pub mod dsp;
mod lane;
pub mod memory;
pub mod mmem;
pub mod xmem;
