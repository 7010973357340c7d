//! RustHDL, emitted Verilog and netlists of one layer's core, each against the twin's words.
//!
//! | comparison | how | stalls |
//! |---|---|---|
//! | twin = RustHDL | every output word of every sequence | none in the first half (there the slots are counted), random in the second |
//! | RustHDL = Verilog in Icarus, in Verilator | every port in every cycle of a recorded trace | random |
//! | twin = Verilog in Verilator | every output word of every sequence | random |
//! | twin = RustHDL = netlist | the same trace, its words compared with the twin's, replayed on the mapped netlist | random |

use super::vectors::stream;
use crate::cli::Failure;
use crate::progress::Progress;
use crate::report::{CellsRow, ComparisonRow, PhaseRow};
use astromorph::twin::{Attention, AttentionVectors};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::compare::Comparison;
use astromorph_sim::core::{CoreSimulator, words_to_y};
use astromorph_sim::cosim::streams::{OutBeat, StreamOptions, StreamPorts, StreamRun, VerilatedCore};
use astromorph_sim::cosim::{Design, icarus, verilator};
use astromorph_sim::netlist::{self, Netlist, SynthOptions};
use astromorph_sim::stream::Stalls;
use astromorph_sim::tools::{Installed, Tool, Tools};
use astromorph_sim::trace::Trace;
use std::path::{Path, PathBuf};

/// Probability that a side pauses in a cycle, where stalls are wanted.
const STALL: f64 = 0.1;

/// One layer's core with what it is compared on.
pub struct Bench<'a> {
    /// Sizes, formats and tables.
    pub att: &'a Attention,
    /// Lanes and chunk.
    pub config: CoreConfig,
    /// Words of the twin, a sequence an entry.
    pub vectors: &'a [AttentionVectors],
    /// Folder for built models and netlists.
    pub work: &'a Path,
    /// Seed of the stalls.
    pub seed: u64,
    /// What the rows say: layer and width.
    pub label: String,
}

/// What simulated hardware gave.
pub struct Ran {
    /// The comparison with the twin.
    pub row: ComparisonRow,
    /// y of every sequence, from the hardware.
    pub y: Vec<Vec<i32>>,
    /// Use of the slots.
    pub phases: Vec<PhaseRow>,
    /// Simulated cycles a second.
    pub speed: f64,
}

const PORTS: &str = "every port, every cycle";

/// Names of the values of the port `phase`.
pub const PHASES: [&str; 4] = ["load", "write", "seal", "read"];

impl Bench<'_> {
    fn row(&self, left: &str, right: &str, what: &str, sequences: usize, c: &Comparison) -> ComparisonRow {
        ComparisonRow {
            left: left.into(),
            right: right.into(),
            what: format!("{}, {what}", self.label),
            sequences,
            words: c.words,
            mismatches: c.mismatches,
            cycles: c.cycles,
            not_compared: String::new(),
        }
    }

    fn with_target(&self, target: Target) -> CoreConfig {
        CoreConfig { target, ..self.config }
    }

    /// y of each sequence out of one long stream.
    fn split(&self, words: &[OutBeat], vectors: &[AttentionVectors]) -> Vec<Vec<i32>> {
        let mut rest = words;
        vectors
            .iter()
            .map_while(|x| {
                let (mine, others) = rest.split_at_checked(x.y.len())?;
                rest = others;
                Some(words_to_y(self.att, mine))
            })
            .collect()
    }

    fn phases(&self, run: &StreamRun) -> Vec<PhaseRow> {
        let lanes = self.config.lanes as u64;
        let row = |(p, name): (&astromorph_sim::cosim::streams::PhaseUse, &&str)| PhaseRow {
            phase: name.to_string(),
            cycles: p.cycles,
            used: p.mac_lanes,
            slots: p.cycles * lanes,
        };
        run.phases.iter().zip(&PHASES).map(row).collect()
    }

    /// The first `count` sequences through the RustHDL core.
    pub fn rusthdl(&self, count: usize, progress: &Progress) -> Result<Ran, Failure> {
        let vectors = &self.vectors[..count.min(self.vectors.len())];
        let mut core = CoreSimulator::new(self.att, self.config)?;
        let half = vectors.len().div_ceil(2);
        let mut total = Comparison::default();
        let (mut y, mut phases, mut seconds) = (Vec::new(), Vec::new(), 0.0);
        for (k, x) in vectors.chunks(8.min(half).max(1)).enumerate() {
            if crate::interrupt::requested() {
                return Err(Failure::Interrupted(self.work.display().to_string()));
            }
            let stalled = y.len() >= half;
            let seed = self.seed.wrapping_add(2 * k as u64);
            let p = if stalled { STALL } else { 0.0 };
            let (beats, words) = stream(self.att, x);
            let (c, run) = core.compare(&beats, &words, [Stalls::new(seed, p), Stalls::new(seed + 1, p)])?;
            if !stalled {
                add_phases(&mut phases, self.phases(&run));
            }
            seconds += run.elapsed.as_secs_f64();
            y.extend(self.split(&run.beats, x));
            total.merge(c);
            progress.at(y.len(), vectors.len(), "RustHDL");
        }
        progress.finish();
        let speed = total.cycles as f64 / seconds.max(1e-9);
        Ok(Ran {
            row: self.row("twin", "RustHDL", "every output word", y.len(), &total),
            y,
            phases,
            speed,
        })
    }

    /// The emitted Verilog for a target.
    pub fn verilog(&self, target: Target) -> Result<String, Failure> {
        Ok(CoreSimulator::new(self.att, self.with_target(target))?
            .driver()
            .verilog()
            .to_string())
    }

    /// The first `count` sequences through the Verilated core, with random stalls.
    pub fn verilated(&self, tool: &Installed, count: usize) -> Result<Ran, Failure> {
        let design = Design::rtl("core", &self.verilog(Target::Generic)?);
        self.streamed(tool, &design, "Verilog in Verilator", count)
    }

    fn streamed(&self, tool: &Installed, design: &Design, form: &str, count: usize) -> Result<Ran, Failure> {
        let vectors = &self.vectors[..count.min(self.vectors.len())];
        let ports = StreamPorts::attention_core(self.att.width() as usize, self.config.lanes);
        let model = VerilatedCore::build(tool, design, &ports, &self.work.join("verilated"))?;
        let (beats, words) = stream(self.att, vectors);
        let options = StreamOptions {
            seed: self.seed,
            stall: STALL,
            ..StreamOptions::default()
        };
        let run = model.run(&beats, words.len() as u64, &options)?;
        let c = run.compare(&words)?;
        Ok(Ran {
            row: self.row("twin", form, "every output word", vectors.len(), &c),
            y: self.split(&run.beats, vectors),
            phases: self.phases(&run),
            speed: run.cycles as f64 / run.elapsed.as_secs_f64().max(1e-9),
        })
    }

    /// Every port in every cycle of the first `count` sequences under random stalls, from reset on. The words that come out have been
    /// compared with the twin's: what then equals this trace equals the twin.
    pub fn trace(&self, target: Target, count: usize) -> Result<(Trace, String), Failure> {
        let vectors = &self.vectors[..count.min(self.vectors.len())];
        let mut core = CoreSimulator::new(self.att, self.with_target(target))?;
        let mut trace = Trace::new(core.driver().block());
        core.reset(2, |core| trace.record(core))?;
        trace.set_compare_from(trace.cycles());
        let (beats, words) = stream(self.att, vectors);
        let stalls = [Stalls::new(self.seed, STALL), Stalls::new(self.seed + 1, STALL)];
        let run = core.run(&beats, words.len(), stalls, |core| {
            trace.record(core);
            Ok(())
        })?;
        let compared = run.compare(&words)?;
        if !compared.is_equal() {
            return Err(Failure::Different(format!(
                "RustHDL for {target:?} and the twin, {}: {compared}",
                self.label
            )));
        }
        Ok((trace, core.driver().verilog().to_string()))
    }

    /// RustHDL against the emitted Verilog, port by port, in Verilator and (when there is one) Icarus.
    pub fn ports(&self, tools: &Tools, count: usize) -> Result<Vec<ComparisonRow>, Failure> {
        let (trace, verilog) = self.trace(Target::Generic, count)?;
        let design = Design::rtl("core", &verilog);
        let tool = tools.get(Tool::Verilator)?;
        let c = verilator::replay(tool, &design, &trace, &self.work.join("verilated"))?;
        let mut rows = vec![self.row("RustHDL", "Verilog in Verilator", PORTS, count, &c)];
        rows.push(match Tools::ensure(&[Tool::Icarus], |_| {}) {
            Ok(found) => {
                let c = icarus::replay(found.get(Tool::Icarus)?, &design, &trace, &self.work.join("icarus"))?;
                self.row("RustHDL", "Verilog in Icarus", PORTS, count, &c)
            }
            Err(e) => {
                let what = format!("{}, {PORTS}", self.label);
                ComparisonRow::missing("RustHDL", "Verilog in Icarus", &what, e.to_string())
            }
        });
        Ok(rows)
    }

    /// Synthesises for a device family and replays the trace of `count` sequences on the netlist.
    pub fn netlist(
        &self,
        tools: &Tools,
        target: netlist::Target,
        count: usize,
    ) -> Result<(ComparisonRow, CellsRow), Failure> {
        let (yosys, tool) = (tools.get(Tool::Yosys)?, tools.get(Tool::Verilator)?);
        let count = count.min(self.vectors.len());
        let (trace, verilog) = self.trace(of(target), count)?;
        let netlist = self.synthesised(yosys, target, &verilog)?;
        let c = verilator::replay(tool, &netlist.design(yosys)?, &trace, &self.work.join("verilated"))?;
        let row = self.row(
            "twin = RustHDL",
            &format!("{} netlist", target.name()),
            PORTS,
            count,
            &c,
        );
        let cells = CellsRow {
            target: target.name().into(),
            tool: format!("Yosys {}", netlist.yosys),
            cells: netlist.cells,
        };
        Ok((row, cells))
    }

    fn synthesised(&self, yosys: &Installed, target: netlist::Target, verilog: &str) -> Result<Netlist, Failure> {
        let folder: PathBuf = self.work.join(format!("netlist-{}", target.name()));
        Ok(netlist::synthesise(
            yosys,
            verilog,
            &SynthOptions::new(target),
            &folder,
        )?)
    }
}

/// The generator's target for a device family.
pub fn of(target: netlist::Target) -> Target {
    match target {
        netlist::Target::Ice40 => Target::Ice40,
        netlist::Target::Ecp5 => Target::Ecp5,
    }
}

fn add_phases(total: &mut Vec<PhaseRow>, more: Vec<PhaseRow>) {
    if total.is_empty() {
        *total = more;
        return;
    }
    for (t, m) in total.iter_mut().zip(more) {
        t.cycles += m.cycles;
        t.used += m.used;
        t.slots += m.slots;
    }
}
