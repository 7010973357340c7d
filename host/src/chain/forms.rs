//! A core in all its forms; each is built once and serves every program.

use super::job::{Job, PATIENCE, STALL};
use crate::cli::Failure;
use crate::report::{CellsRow, ComparisonRow};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::cosim::{Design, icarus};
use astromorph_sim::engine::{EngineSimulator, VerilatedEngine};
use astromorph_sim::netlist::{self, SynthOptions};
use astromorph_sim::tools::{Installed, Tool, Tools};
use astromorph_sim::trace::Trace;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Most writes of the load port in a comparison of every port in every cycle: Icarus takes about a millisecond for each.
const MOST_WRITES: usize = 40_000;

const PORTS: &str = "every port, every cycle";

/// A core in all its forms; each is built once and serves every program.
pub struct Forms<'a> {
    core: &'a EngineConfig,
    tools: &'a Tools,
    /// Folder of built models and netlists.
    work: PathBuf,
}

impl<'a> Forms<'a> {
    /// `work` is where built models and netlists are kept.
    pub fn new(core: &'a EngineConfig, tools: &'a Tools, work: &Path) -> Self {
        Forms {
            core,
            tools,
            work: work.join(&core.name),
        }
    }

    /// The RustHDL engine.
    pub fn rusthdl(&self) -> std::result::Result<EngineSimulator, Failure> {
        Ok(EngineSimulator::new(self.core, Target::Generic)?)
    }

    /// The emitted Verilog in Verilator.
    pub fn verilated(&self) -> std::result::Result<VerilatedEngine, Failure> {
        let engine = self.rusthdl()?;
        let design = Design::rtl("engine", engine.driver().verilog());
        self.build(&design, &engine)
    }

    fn build(&self, design: &Design, engine: &EngineSimulator) -> std::result::Result<VerilatedEngine, Failure> {
        let tool = self.tools.get(Tool::Verilator)?;
        Ok(VerilatedEngine::build(
            tool,
            design,
            &engine.ports(),
            &self.work.join("verilated"),
        )?)
    }

    /// The netlist for a device family in Verilator, with its cells.
    pub fn netlist(&self, family: netlist::Target) -> std::result::Result<(VerilatedEngine, CellsRow), Failure> {
        let yosys: &Installed = self.tools.get(Tool::Yosys)?;
        let engine = EngineSimulator::new(self.core, target(family))?;
        let folder = self.work.join(format!("netlist-{}", family.name()));
        let options = SynthOptions::new(family);
        let netlist = netlist::synthesise(yosys, engine.driver().verilog(), &options, &folder)?;
        let model = self.build(&netlist.design(yosys)?, &engine)?;
        let cells = CellsRow {
            target: family.name().into(),
            tool: format!("Yosys {}", netlist.yosys),
            cells: netlist.cells,
        };
        Ok((model, cells))
    }

    /// RustHDL against the Verilog in Icarus: every port in every cycle of reset, loading and one sequence under random stalls.
    pub fn ports(&self, job: &Job, input: Vec<i32>) -> std::result::Result<ComparisonRow, Failure> {
        let what = format!("{}, {PORTS}", job.label);
        let missing = |why: String| Ok(ComparisonRow::missing("RustHDL", "Verilog in Icarus", &what, why));
        let writes = job.compiled.loaded.writes(self.core).count();
        if writes > MOST_WRITES {
            return missing(format!("loading alone takes {writes} cycles"));
        }
        let tools = match Tools::ensure(&[Tool::Icarus], |_| {}) {
            Ok(tools) => tools,
            Err(e) => return missing(e.to_string()),
        };
        let mut engine = self.rusthdl()?;
        let trace = Rc::new(RefCell::new(Trace::new(engine.driver().block())));
        let seen = trace.clone();
        engine.observe(Some(Box::new(move |e| seen.borrow_mut().record(e))));
        engine.reset(4)?;
        let settled = trace.borrow().cycles();
        trace.borrow_mut().set_compare_from(settled);
        engine.load(job.compiled.loaded.writes(self.core), PATIENCE)?;
        let cases = [job.case_of(&mut job.machine()?, input, true)?];
        let options = StreamOptions {
            seed: job.seed,
            stall: STALL,
            patience: PATIENCE,
            ..StreamOptions::default()
        };
        let run = engine.run(&job.compiled.program, &cases, &options)?;
        engine.observe(None);
        let compared = run.compare(&cases)?;
        if !compared.is_equal() {
            return Err(Failure::Different(format!(
                "RustHDL and the program, {}: {compared}",
                job.label
            )));
        }
        let design = Design::rtl("engine", engine.driver().verilog());
        let c = icarus::replay(
            tools.get(Tool::Icarus)?,
            &design,
            &trace.borrow(),
            &self.work.join("icarus"),
        )?;
        Ok(super::job::row("RustHDL", "Verilog in Icarus", what, 1, &c))
    }
}

/// The generator's target for a device family.
pub fn target(family: netlist::Target) -> Target {
    match family {
        netlist::Target::Ice40 => Target::Ice40,
        netlist::Target::Ecp5 => Target::Ecp5,
    }
}
