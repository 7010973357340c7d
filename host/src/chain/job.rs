//! A program on a core, form by form: machine (the twin under the program), RustHDL, Verilog, netlists.
//!
//! | comparison | how | stalls |
//! |---|---|---|
//! | program = RustHDL | every output word, every word of every tap, as they come | none in the first half (there the multipliers are counted), random in the second |
//! | program = Verilog in Verilator, = netlist | every output word; count and hash of each tap's words, sequence by sequence | random |
//! | RustHDL = Verilog in Icarus | every port in every cycle, loading included ([`Forms::ports`](super::forms::Forms::ports)) | random |
//!
//! A difference names the sequence, the step, the tap, the tensor and the word.

use crate::cli::Failure;
use crate::compile::Compiled;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{ComparisonRow, PhaseRow};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::engine::program::Step;
use astromorph_sim::compare::Comparison;
use astromorph_sim::cosim::streams::{OutBeat, StreamOptions};
use astromorph_sim::engine::{Case, EngineRun, EngineSimulator, Expected, StepUse, VerilatedEngine};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Probability that a side pauses in a cycle, where stalls are wanted.
pub const STALL: f64 = 0.1;

/// Cycles without a word anywhere after which an engine counts as stuck: more than its longest fill or pass.
pub const PATIENCE: u64 = 1 << 21;

/// Sequences of one process of the Verilated model, and of one run in RustHDL.
const CHUNK: usize = 8;
const GROUP: usize = 4;

/// The input words of sequence n.
pub type Words<'a> = &'a (dyn Fn(usize) -> Result<Vec<i32>> + Sync);

/// One program on one core.
pub struct Job<'a> {
    /// The core.
    pub core: &'a EngineConfig,
    /// Program and memories.
    pub compiled: Compiled,
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
    /// Output words, a sequence an entry.
    pub outputs: Vec<Vec<i32>>,
}

/// The row of a comparison; the first difference goes into its text.
pub(super) fn row(left: &str, right: &str, what: String, sequences: usize, c: &Comparison) -> ComparisonRow {
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

impl Job<'_> {
    /// A machine with the program loaded.
    pub fn machine(&self) -> Result<Machine> {
        Machine::new(self.core, &self.compiled.program, &self.compiled.loaded)
    }

    /// A sequence with what the engine must show; `kept`: the words themselves, not only their hashes.
    pub fn case_of(&self, machine: &mut Machine, input: Vec<i32>, kept: bool) -> Result<Case> {
        Ok(Case {
            expected: Expected::of(machine, &self.compiled.program, &input, kept)?,
            input,
            ends: true,
        })
    }

    fn cases(&self, machine: &mut Machine, words: Words<'_>, which: Range<usize>, kept: bool) -> Result<Vec<Case>> {
        which.map(|n| self.case_of(machine, words(n)?, kept)).collect()
    }

    /// `count` sequences through a RustHDL engine, which is reset and loaded first.
    pub fn simulate(
        &self,
        engine: &mut EngineSimulator,
        (count, words): (usize, Words<'_>),
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let program = &self.compiled.program;
        let mut machine = self.machine()?;
        engine.reset(4)?;
        engine.load(self.compiled.loaded.writes(self.core), PATIENCE)?;
        let half = count.div_ceil(2);
        let (mut total, mut steps, mut seconds, mut done) = (Comparison::default(), BTreeMap::new(), 0.0, 0);
        let mut processor = Some(0.0);
        let mut outputs = Vec::new();
        while done < count {
            let (end, stall) = if done < half { (half, 0.0) } else { (count, STALL) };
            let some = done..end.min(done + GROUP);
            if interrupt::requested() {
                return Err(Failure::Interrupted("the output folder".into()));
            }
            let cases = self.cases(&mut machine, words, some.clone(), true)?;
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
            done = some.end;
            outputs.extend(split(&run.words, &cases));
            if stall == 0.0 {
                add(&mut steps, &run);
            }
            progress.at(done, count, "RustHDL");
            if !equal {
                break;
            }
        }
        progress.finish();
        Ok(Ran {
            row: row(
                "program",
                "RustHDL",
                format!("{}, output and every tap", self.label),
                done,
                &total,
            ),
            speed: total.cycles as f64 / seconds.max(1e-9),
            processor_speed: processor.map(|seconds| total.cycles as f64 / seconds.max(1e-9)),
            steps,
            outputs,
        })
    }

    /// Sequences through a built model of the Verilog or of a netlist, with random stalls, some to a process.
    pub fn stream(
        &self,
        engine: &VerilatedEngine,
        form: &str,
        (count, words): (usize, Words<'_>),
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let done = std::sync::atomic::AtomicUsize::new(0);
        let runs: std::result::Result<Vec<Chunk>, Failure> = (0..count.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                if interrupt::requested() {
                    return Err(Failure::Interrupted("the output folder".into()));
                }
                let some = chunk * CHUNK..count.min((chunk + 1) * CHUNK);
                let ran = self.chunk(engine, words, some.clone())?;
                let so_far = done.fetch_add(some.len(), std::sync::atomic::Ordering::Relaxed) + some.len();
                progress.at(so_far, count, form);
                Ok(ran)
            })
            .collect();
        progress.finish();
        let (mut total, mut steps, mut seconds, mut outputs) =
            (Comparison::default(), BTreeMap::new(), 0.0, Vec::new());
        for (c, run, words) in runs? {
            outputs.extend(words);
            total.merge(c);
            seconds += run.elapsed.as_secs_f64();
            add(&mut steps, &run);
        }
        Ok(Ran {
            row: row(
                "program",
                form,
                format!("{}, output and every tap", self.label),
                count,
                &total,
            ),
            speed: total.cycles as f64 / seconds.max(1e-9),
            processor_speed: None,
            steps,
            outputs,
        })
    }

    fn chunk(
        &self,
        engine: &VerilatedEngine,
        words: Words<'_>,
        some: Range<usize>,
    ) -> std::result::Result<Chunk, Failure> {
        let mut machine = self.machine()?;
        let first = some.start;
        let cases = self.cases(&mut machine, words, some, false)?;
        let options = StreamOptions {
            seed: self.seed.wrapping_add(first as u64),
            stall: STALL,
            patience: PATIENCE,
            ..StreamOptions::default()
        };
        // What a sequence shows may depend on those before it: the machine's memories keep their contents.
        let again = |n: usize| -> Result<Expected> {
            let mut machine = self.machine()?;
            self.cases(&mut machine, words, first..first + n, false)?;
            Ok(self.case_of(&mut machine, words(first + n)?, true)?.expected)
        };
        let writes = self.compiled.loaded.writes(self.core);
        let run = engine.run(&self.compiled.program, writes, &cases, &options, |n| Ok(again(n)?))?;
        let mut c = run.compare(&cases)?;
        renumber(&mut c, first);
        let outputs = split(&run.words, &cases);
        Ok((c, run, outputs))
    }

    /// Use of the multipliers by kind of step: all heads, layers and pieces of one name together.
    pub fn phases(&self, steps: &BTreeMap<u16, StepUse>) -> Vec<PhaseRow> {
        let lanes = self.core.lanes as u64;
        let mut rows: Vec<PhaseRow> = Vec::new();
        for (&number, u) in steps {
            let phase = match self.compiled.program.steps.get(number as usize) {
                Some(Step::Run(run)) => kind(&run.label),
                _ => "between",
            };
            let at = rows.iter().position(|row| row.phase == phase).unwrap_or(rows.len());
            if at == rows.len() {
                rows.push(PhaseRow {
                    phase: phase.into(),
                    cycles: 0,
                    used: 0,
                    slots: 0,
                });
            }
            rows[at].cycles += u.cycles;
            rows[at].used += u.slots * lanes;
            rows[at].slots += u.cycles * lanes;
        }
        rows
    }
}

/// A comparison, what it compared, and the output words of each sequence.
type Chunk = (Comparison, EngineRun, Vec<Vec<i32>>);

/// `write` of `layers.0.write.h1`, `u` of `layers.3.u[16..32]`.
fn kind(label: &str) -> &str {
    let name = match label.strip_prefix("layers.").and_then(|l| l.split_once('.')) {
        Some((_, name)) => name,
        None => label,
    };
    name.split(['.', '[']).next().unwrap_or(name)
}

/// The output words of each sequence, as far as they came.
fn split(words: &[OutBeat], cases: &[Case]) -> Vec<Vec<i32>> {
    let mut rest = words.iter();
    let own = |case: &Case| rest.by_ref().take(case.expected.words.len()).map(|w| w.data).collect();
    cases.iter().map(own).collect()
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

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn steps_of_one_kind_share_a_name() {
        let labels = ["layers.0.write.h1", "layers.12.u[16..32]", "input", "layers.3.power"];
        assert_eq!(labels.map(kind), ["write", "u", "input", "power"]);
    }
}
