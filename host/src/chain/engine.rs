//! A whole model on the engine, form by form: twin, machine (the twin under the program), RustHDL, Verilog, netlists.
//!
//! | comparison | how | stalls |
//! |---|---|---|
//! | twin = program | every tensor and every logit, by the machine | |
//! | program = RustHDL | every output word, every word of every tap, as they come | none in the first half (there the multipliers are counted), random in the second |
//! | program = Verilog in Verilator, = netlist | every output word; count and hash of each tap's words, sequence by sequence | random |
//!
//! A difference names the sequence, the step, the tap, the tensor and the word.

use crate::cli::Failure;
use crate::compile::{Compiled, Feed, compile};
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{CellsRow, ComparisonRow};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph::{Error, Result};
use astromorph_hdl::multiply::Target;
use astromorph_sim::compare::{Comparison, Mismatch};
use astromorph_sim::cosim::Design;
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::engine::{Case, EngineRun, EngineSimulator, Expected, StepUse, VerilatedEngine};
use astromorph_sim::netlist::{self, SynthOptions};
use astromorph_sim::tools::{Installed, Tool, Tools};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Probability that a side pauses in a cycle, where stalls are wanted.
pub const STALL: f64 = 0.1;

/// Cycles without a word anywhere after which an engine counts as stuck: more than its longest fill or pass.
pub const PATIENCE: u64 = 1 << 21;

/// Sequences of one process of the Verilated model, and of one run in RustHDL.
const CHUNK: usize = 8;
const GROUP: usize = 4;

/// One model on one core.
pub struct Model<'a> {
    /// The model.
    pub image: &'a Image,
    /// The core.
    pub core: &'a EngineConfig,
    /// Its program and memories.
    pub compiled: Compiled,
    feed: Feed,
    /// What the rows say.
    pub label: String,
    /// Seed of the stalls.
    pub seed: u64,
}

/// What simulated hardware gave.
pub struct Ran {
    /// The comparison with the program's words.
    pub row: ComparisonRow,
    /// Simulated cycles a second.
    pub speed: f64,
    /// Simulated cycles in a second of processor time, where that is known.
    pub processor_speed: Option<f64>,
    /// Cycles and multiplications of a lane by step, where nothing stalled.
    pub steps: BTreeMap<u16, StepUse>,
}

/// The row of a comparison; the first difference goes into its text.
fn row(left: &str, right: &str, what: String, sequences: usize, c: &Comparison) -> ComparisonRow {
    let first = c.first.as_ref().map_or(String::new(), |m| {
        format!(
            "; first difference: {}, expected {}, found {}",
            m.port, m.expected, m.found
        )
    });
    ComparisonRow {
        left: left.into(),
        right: right.into(),
        what: what + &first,
        sequences,
        words: c.words,
        mismatches: c.mismatches,
        cycles: c.cycles,
        not_compared: String::new(),
    }
}

impl<'a> Model<'a> {
    /// Compiles the model; refuses by name what the core cannot hold.
    pub fn new(image: &'a Image, core: &'a EngineConfig, label: String, seed: u64) -> Result<Self> {
        Ok(Model {
            compiled: compile(image, core)?,
            feed: Feed::new(image)?,
            image,
            core,
            label,
            seed,
        })
    }

    /// A machine with the program loaded.
    pub fn machine(&self) -> Result<Machine> {
        Machine::new(self.core, &self.compiled.program, &self.compiled.loaded)
    }

    /// The words the host sends for a sequence.
    pub fn input(&self, sequence: &Sequence) -> Result<Vec<i32>> {
        self.feed.words(sequence)
    }

    /// A sequence with what the engine must show; `kept`: the words themselves, not only their hashes.
    pub fn case(&self, machine: &mut Machine, sequence: &Sequence, kept: bool) -> Result<Case> {
        let input = self.input(sequence)?;
        Ok(Case {
            expected: Expected::of(machine, &self.compiled.program, &input, kept)?,
            input,
            ends: true,
        })
    }

    fn cases(&self, machine: &mut Machine, sequences: &[Sequence], kept: bool) -> Result<Vec<Case>> {
        sequences.iter().map(|s| self.case(machine, s, kept)).collect()
    }

    /// The model's layers as the twin computes them, against the program: every tensor that a tap shows, and the logits.
    pub fn layers(&self, sequences: &[Sequence]) -> std::result::Result<ComparisonRow, Failure> {
        let twin = Twin::new(self.image)?;
        let compared: Result<Vec<Comparison>> = sequences
            .par_iter()
            .enumerate()
            .map_init(
                || self.machine(),
                |machine, (n, s)| self.one_by_layers(&twin, machine, n, s),
            )
            .collect();
        let mut total = Comparison::default();
        compared?.into_iter().for_each(|c| total.merge(c));
        let what = format!("{}, every tensor", self.label);
        Ok(row("twin", "program", what, sequences.len(), &total))
    }

    fn one_by_layers(&self, twin: &Twin, machine: &mut Result<Machine>, n: usize, s: &Sequence) -> Result<Comparison> {
        let machine = machine
            .as_mut()
            .map_err(|e| Error::field("machine", "a loaded core", &*e))?;
        let mut shown = Vec::new();
        let words = machine.run(&self.input(s)?, &mut |step, tap, word| shown.push((step, tap, word)))?;
        let found = self.compiled.tensors.gather(shown);
        let mut c = Comparison::default();
        let mut compare = |name: &str, expected: &[i64], found: &[i64]| {
            c.words += expected.len() as u64;
            if let Some(d) = self.compiled.tensors.compare(name, expected, found) {
                c.mismatches += 1;
                c.first.get_or_insert(Mismatch {
                    cycle: 0,
                    port: format!("sequence {n}, {d}"),
                    expected: "the twin's tensor".into(),
                    found: "the program's".into(),
                });
            }
        };
        let logits = twin.forward(s, &mut |name, _, _, _, raw| {
            if let Some(found) = found.get(name) {
                compare(name, &raw.iter().collect::<Vec<_>>(), found);
            }
        })?;
        let wide = |x: &[i32]| x.iter().map(|&x| x as i64).collect::<Vec<_>>();
        compare("logits", &wide(&logits.data), &wide(&words));
        Ok(c)
    }

    /// Sequences through a RustHDL engine, which is reset and loaded first.
    pub fn rusthdl(
        &self,
        engine: &mut EngineSimulator,
        sequences: &[Sequence],
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let program = &self.compiled.program;
        let mut machine = self.machine()?;
        engine.reset(4)?;
        engine.load(self.compiled.loaded.writes(self.core), PATIENCE)?;
        let half = sequences.len().div_ceil(2);
        let (mut total, mut steps, mut seconds, mut done) = (Comparison::default(), BTreeMap::new(), 0.0, 0);
        let mut processor = Some(0.0);
        let (calm, stalled) = sequences.split_at(half);
        let groups = calm
            .chunks(GROUP)
            .map(|s| (s, 0.0))
            .chain(stalled.chunks(GROUP).map(|s| (s, STALL)));
        for (some, stall) in groups {
            if interrupt::requested() {
                return Err(Failure::Interrupted("the output folder".into()));
            }
            let cases = self.cases(&mut machine, some, true)?;
            let options = StreamOptions {
                seed: self.seed.wrapping_add(2 * done as u64),
                stall,
                patience: PATIENCE,
                ..StreamOptions::default()
            };
            let run = engine.run(program, &cases, &options)?;
            let mut c = run.compare(&cases)?;
            renumber(&mut c, done);
            let equal = c.is_equal();
            total.merge(c);
            seconds += run.elapsed.as_secs_f64();
            processor = processor.zip(run.processor).map(|(sum, t)| sum + t.as_secs_f64());
            done += some.len();
            if stall == 0.0 {
                add(&mut steps, &run);
            }
            progress.at(done, sequences.len(), "RustHDL");
            if !equal {
                break;
            }
        }
        progress.finish();
        Ok(Ran {
            row: row(
                "program",
                "RustHDL",
                format!("{}, logits and every tap", self.label),
                done,
                &total,
            ),
            speed: total.cycles as f64 / seconds.max(1e-9),
            processor_speed: processor.map(|seconds| total.cycles as f64 / seconds.max(1e-9)),
            steps,
        })
    }

    /// Sequences through a built model of the Verilog or of a netlist, with random stalls, some to a process.
    pub fn verilated(
        &self,
        engine: &VerilatedEngine,
        form: &str,
        sequences: &[Sequence],
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let done = std::sync::atomic::AtomicUsize::new(0);
        let runs: std::result::Result<Vec<(Comparison, EngineRun)>, Failure> = sequences
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(chunk, some)| {
                if interrupt::requested() {
                    return Err(Failure::Interrupted("the output folder".into()));
                }
                let ran = self.chunk(engine, chunk * CHUNK, some)?;
                let so_far = done.fetch_add(some.len(), std::sync::atomic::Ordering::Relaxed) + some.len();
                progress.at(so_far, sequences.len(), form);
                Ok(ran)
            })
            .collect();
        progress.finish();
        let (mut total, mut steps, mut seconds) = (Comparison::default(), BTreeMap::new(), 0.0);
        for (c, run) in runs? {
            total.merge(c);
            seconds += run.elapsed.as_secs_f64();
            add(&mut steps, &run);
        }
        Ok(Ran {
            row: row(
                "program",
                form,
                format!("{}, logits and every tap", self.label),
                sequences.len(),
                &total,
            ),
            speed: total.cycles as f64 / seconds.max(1e-9),
            processor_speed: None,
            steps,
        })
    }

    fn chunk(
        &self,
        engine: &VerilatedEngine,
        first: usize,
        some: &[Sequence],
    ) -> std::result::Result<(Comparison, EngineRun), Failure> {
        let mut machine = self.machine()?;
        let cases = self.cases(&mut machine, some, false)?;
        let options = StreamOptions {
            seed: self.seed.wrapping_add(first as u64),
            stall: STALL,
            patience: PATIENCE,
            ..StreamOptions::default()
        };
        // What a sequence shows may depend on those before it: the machine's memories keep their contents.
        let again = |n: usize| -> Result<Expected> {
            let mut machine = self.machine()?;
            let (wanted, before) = some[..=n]
                .split_last()
                .ok_or_else(|| Error::field("sequences", "one or more", "none"))?;
            self.cases(&mut machine, before, false)?;
            Ok(self.case(&mut machine, wanted, true)?.expected)
        };
        let writes = self.compiled.loaded.writes(self.core);
        let run = engine.run(&self.compiled.program, writes, &cases, &options, |n| Ok(again(n)?))?;
        let mut c = run.compare(&cases)?;
        renumber(&mut c, first);
        Ok((c, run))
    }
}

/// The simulators count sequences from the first they are given.
fn renumber(c: &mut Comparison, first: usize) {
    let Some(m) = &mut c.first else { return };
    let numbered = m.port.strip_prefix("sequence ").and_then(|p| p.split_once(','));
    if let Some((Ok(n), rest)) = numbered.map(|(n, rest)| (n.parse::<usize>(), rest)) {
        m.port = format!("sequence {},{rest}", first + n);
    }
}

fn add(steps: &mut BTreeMap<u16, StepUse>, run: &EngineRun) {
    for (&step, u) in &run.steps {
        let sum = steps.entry(step).or_default();
        sum.cycles += u.cycles;
        sum.slots += u.slots;
    }
}

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
        let engine = EngineSimulator::new(self.core, super::hardware::of(family))?;
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
}
