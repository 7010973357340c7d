//! The engine of a core's description as something to build.
//!
//! What serves observation in simulation only (the taps, the counts of slots, the step's number) is left open: a design that uses the engine
//! leaves it open too, and a frequency measured with it would be that of another circuit.

use super::ports;
use super::{Family, Source};
use crate::boards::Board;
use crate::cli::Failure;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use astromorph_sim::tools::Installed;
use std::path::Path;

/// The multipliers that the family's netlist is made of. On Gowin they are inferred.
pub fn target(family: Family) -> Target {
    match family {
        Family::Ice40 => Target::Ice40,
        Family::Ecp5 => Target::Ecp5,
        Family::Gowin => Target::Generic,
    }
}

/// Whether a port of the engine serves observation only.
fn is_tap(port: &str) -> bool {
    port.starts_with("tap_") || ["slots", "step", "norm_step"].contains(&port)
}

/// The engine for a board's device.
pub fn source(core: &EngineConfig, board: &Board, yosys: &Installed, folder: &Path) -> Result<Source, Failure> {
    let verilog = emit_engine(core, target(board.family))?;
    let ports = ports::of(yosys, &verilog, "top", None, folder)?;
    let open = ports.iter().filter(|p| is_tap(&p.name)).map(|p| p.name.clone());
    Ok(Source {
        name: core.name.clone(),
        open: open.collect(),
        top: "top".into(),
        verilog,
        ports,
    })
}
