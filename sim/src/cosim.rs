//! Co-simulation: the emitted Verilog, or a netlist made from it, against what RustHDL or the twin says.
//!
//! | way | against | unit compared | for |
//! |---|---|---|---|
//! | [`icarus`], [`verilator`] | a recorded [`Trace`](crate::trace::Trace) | every output port, every cycle | blocks, netlists; four-state in Icarus |
//! | [`engine`](crate::engine) | the machine's words | every output word with its `tlast`, every tap | long work, under random stalls |
//!
//! An `x` or `z` in a compared output is a mismatch (Icarus). Verilator has two states: there, everything
//! without an initial value starts at random, so that what depends on it is found too.

pub mod icarus;
mod replay;
pub mod streams;
pub mod verilator;

/// Verilog to simulate, with everything it instantiates. The top module is called `top`.
#[derive(Clone, Debug)]
pub struct Design {
    pub(crate) name: String,
    /// File names and texts.
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) netlist: bool,
    pub(crate) feedback: bool,
}

impl Design {
    /// In this text an output of a part may lead through its parent to an input of the same part, on which it does not depend. Verilator takes that for a
    /// loop, sweeps twice, and would stop; Icarus, which replays the same text, does not.
    pub fn with_feedback(self) -> Self {
        Design { feedback: true, ..self }
    }

    /// The Verilog that RustHDL emitted.
    pub fn rtl(name: &str, verilog: &str) -> Self {
        Design {
            name: name.to_string(),
            sources: vec![("top.v".into(), verilog.to_string())],
            netlist: false,
            feedback: false,
        }
    }

    /// Verilog that instantiates cells of a vendor, with the cells' models.
    pub fn with_cells(mut self, cells: String) -> Self {
        self.sources.push(("cells.v".into(), cells));
        self
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}
