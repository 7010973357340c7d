//! Simulation, waveforms and co-simulation of RustHDL blocks and of the engine.
//!
//! | what | where |
//! |---|---|
//! | run a block, one clock, one thread | [`driver::Driver`] |
//! | record every port in every cycle | [`trace::Trace`] |
//! | ends of a valid/ready stream with random stalls | [`stream::Source`], [`stream::Sink`] |
//! | waveforms with decoded values | [`vcd::WaveWriter`] |
//! | emitted Verilog against a trace | [`cosim::icarus::replay`], [`cosim::verilator::replay`] |
//! | the engine on long work | [`engine::EngineSimulator`], [`engine::VerilatedEngine`] |
//! | netlists for iCE40 and ECP5, with the cells' models | [`netlist::synthesise`], [`netlist::Netlist::design`] |
//! | toggles of a netlist's nets | [`cosim::verilator::activity`], [`engine::VerilatedEngine::activity`] |
//! | proofs for all inputs and all time | [`formal::prove`] |
//! | the board side of the link to a host | [`link::Endpoint`] |
//! | outside tools, installed on demand | [`tools::Tools::ensure`] |
//!
//! | rule | |
//! |---|---|
//! | pass | at least one word compared and none different ([`compare::Comparison`]); comparing nothing is an error |
//! | not compared | a tool is missing: [`error::Error::is_tool_missing`] |
//! | quiet | nothing is printed; progress goes to a closure |
//!
//! The block is any RustHDL `Block`; only [`engine`] knows the ports of the engine.
//!
//! A run of a block against its Verilog:
//! ```no_run
//! # use astromorph_sim::{cosim::{Design, verilator}, driver::Driver, error::Result, tools::*, trace::Trace};
//! # fn f<B: rust_hdl::prelude::Block>(block: B, clock: astromorph_sim::driver::ClockOf<B>) -> Result<()> {
//! let mut driver = Driver::new(block, clock)?;
//! let mut trace = Trace::new(driver.block());
//! for _ in 0..1000 {
//!     trace.record(driver.block());
//!     driver.cycle(|block| { /* read outputs, set inputs */ })?;
//! }
//! let tools = Tools::ensure(&[Tool::Verilator], |line| eprintln!("{line}"))?;
//! let design = Design::rtl("block", driver.verilog());
//! let result = verilator::replay(tools.get(Tool::Verilator)?, &design, &trace, "models".as_ref())?;
//! assert!(result.is_equal(), "{result}");
//! # Ok(()) }
//! ```

pub mod activity;
pub mod board;
pub mod compare;
pub mod cosim;
pub mod driver;
pub mod engine;
pub mod error;
pub mod formal;
pub mod link;
pub mod netlist;
pub mod ports;
pub mod process;
pub mod stream;
pub mod tools;
pub mod trace;
pub mod vcd;

pub use error::{Error, Result};
