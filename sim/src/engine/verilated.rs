//! The engine in Verilator: the emitted Verilog, or a netlist with its cells' models. Built once a core, used for every program.
//!
//! | item | |
//! |---|---|
//! | loaded | every memory through the load port, from a file |
//! | compared | every output word and tlast; for each sequence and channel the count and hash of its words |
//! | on a difference | the same run again, dumping the first wrong sequence: the error names step, tap, tensor and word |
//! | checked | output valid and payload hold while not ready |
//! | end | all expected words, not busy, 256 quiet cycles; or `patience` cycles without a word anywhere: never a hang |

use super::Write;
use super::case::{Case, EngineRun, StepUse};
use super::expected::{CHANNELS, Expected, Fold, NAMES};
use super::wrapper::wrapper;
use crate::activity::Activity;
use crate::compare::Mismatch;
use crate::cosim::Design;
use crate::cosim::streams::{OutBeat, StreamOptions};
use crate::cosim::verilator::{Model, build};
use crate::error::{Error, Result};
use crate::ports::Port;
use crate::tools::Installed;
use astromorph::engine::program::Program;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::time::Instant;

const MAIN: &str = include_str!("../../harness/engine.cpp");

/// A built model: any number of programs and runs use it.
#[derive(Clone, Debug)]
pub struct VerilatedEngine {
    exe: PathBuf,
}

impl VerilatedEngine {
    /// Builds the model of an engine with these ports, or finds it in `cache`.
    pub fn build(tool: &Installed, design: &Design, ports: &[Port], cache: &Path) -> Result<Self> {
        Self::built(tool, design, ports, cache, false)
    }

    /// The same with the toggles of the design's nets counted, for [`VerilatedEngine::activity`].
    pub fn counting(tool: &Installed, design: &Design, ports: &[Port], cache: &Path) -> Result<Self> {
        Self::built(tool, design, ports, cache, true)
    }

    fn built(tool: &Installed, design: &Design, ports: &[Port], cache: &Path, counting: bool) -> Result<Self> {
        let model = Model {
            top: "engine_bench",
            wrapper: wrapper(ports)?,
            main: MAIN,
            header: String::new(),
            counting,
        };
        Ok(VerilatedEngine {
            exe: build(tool, design, &model, cache)?,
        })
    }

    /// Where the executable lies.
    pub fn exe(&self) -> &Path {
        &self.exe
    }

    /// Resets the engine, loads it, and runs all cases one behind the other. The cases may hold folds alone: `words` gives a sequence's
    /// expected words when a difference is to be named.
    pub fn run(
        &self,
        program: &Program,
        writes: impl Iterator<Item = Write>,
        cases: &[Case],
        options: &StreamOptions,
        words: impl FnOnce(usize) -> Result<Expected>,
    ) -> Result<EngineRun> {
        let work = prepared(&input(writes, cases), options)?;
        let (mut run, wrong, _) = self.once(work.path(), -1, options)?;
        if let Some(wrong) = wrong {
            let (_, _, dump) = self.once(work.path(), wrong as i64, options)?;
            run.difference = Some(difference(program, &words(wrong)?, wrong, &dump));
        }
        Ok(run)
    }

    /// Resets the engine, loads it, sends any beats, right or wrong, and watches until no word has come for `patience` cycles: for what
    /// an engine does with bad input. Nothing is compared, so the run counts as stuck.
    pub fn send(
        &self,
        writes: impl Iterator<Item = Write>,
        beats: &[(i32, bool)],
        options: &StreamOptions,
    ) -> Result<EngineRun> {
        let work = prepared(&unchecked(writes, beats, 0), options)?;
        Ok(self.once(work.path(), -1, options)?.0)
    }

    /// Resets the engine, loads it, sends the beats of whole sequences and gives the `count` words they must bring, compared with nothing.
    pub fn outputs(
        &self,
        writes: impl Iterator<Item = Write>,
        beats: &[(i32, bool)],
        count: usize,
        options: &StreamOptions,
    ) -> Result<EngineRun> {
        let work = prepared(&unchecked(writes, beats, count as u64), options)?;
        Ok(self.once(work.path(), -1, options)?.0)
    }

    /// [`VerilatedEngine::outputs`] of a model that counts, with what it counted from the first cycle after loading to the last.
    pub fn activity(
        &self,
        writes: impl Iterator<Item = Write>,
        beats: &[(i32, bool)],
        count: usize,
        options: &StreamOptions,
    ) -> Result<(EngineRun, Activity)> {
        let work = prepared(&unchecked(writes, beats, count as u64), options)?;
        let run = self.once(work.path(), -1, options)?.0;
        Ok((run, Activity::read(&Activity::beside(&work.path().join("out")))?))
    }

    /// One process; `dumped` is the sequence to dump.
    fn once(&self, work: &Path, dumped: i64, options: &StreamOptions) -> Result<(EngineRun, Option<usize>, Vec<u8>)> {
        let (received, dump) = (work.join("out"), work.join("dump"));
        let start = Instant::now();
        let out = crate::process::Run::new("verilated engine", &self.exe)
            .args([work.join("in"), received.clone(), dump.clone()])
            .args([
                dumped.to_string(),
                options.seed.to_string(),
                options.stall.to_string(),
                options.patience.to_string(),
            ])
            .limit(options.time_limit)
            .run()?;
        let elapsed = start.elapsed();
        let (mut run, wrong) = report(&out.stdout)?;
        run.elapsed = elapsed;
        let bytes = std::fs::read(&received).map_err(Error::io("read", &received))?;
        run.words = bytes.as_chunks::<8>().0.iter().map(beat).collect();
        let dump = std::fs::read(&dump).map_err(Error::io("read", &dump))?;
        Ok((run, wrong, dump))
    }
}

fn beat(bytes: &[u8; 8]) -> OutBeat {
    let [a, b, c, d, last, ..] = *bytes;
    OutBeat {
        data: i32::from_le_bytes([a, b, c, d]),
        last: last != 0,
    }
}

/// A folder with the harness's input file.
fn prepared(bytes: &[u8], options: &StreamOptions) -> Result<tempfile::TempDir> {
    options.check()?;
    let work = tempfile::tempdir().map_err(Error::io("create", "a temporary folder"))?;
    let sent = work.path().join("in");
    std::fs::write(&sent, bytes).map_err(Error::io("write", &sent))?;
    Ok(work)
}

/// One sequence of the harness's input file: its words, whether the last bears tlast, how many words come out.
struct Sent {
    words: Vec<i32>,
    ends: bool,
    outputs: u64,
    folds: [Fold; CHANNELS],
}

/// The harness's input file: words are compared.
fn input(writes: impl Iterator<Item = Write>, cases: &[Case]) -> Vec<u8> {
    let sent = cases.iter().map(|case| Sent {
        words: case.input.clone(),
        ends: case.ends,
        outputs: case.expected.words.len() as u64,
        folds: std::array::from_fn(|c| case.expected.fold(c)),
    });
    file(writes, &sent.collect::<Vec<_>>(), true)
}

/// The harness's input file: nothing is compared. Every tlast ends a sequence, the end of the beats ends one without. `count` words of output, if any are awaited, end the run.
fn unchecked(writes: impl Iterator<Item = Write>, beats: &[(i32, bool)], count: u64) -> Vec<u8> {
    let sent = beats.split_inclusive(|beat| beat.1).enumerate().map(|(n, some)| Sent {
        words: some.iter().map(|beat| beat.0).collect(),
        ends: some.last().is_some_and(|beat| beat.1),
        outputs: if n == 0 { count } else { 0 },
        folds: Default::default(),
    });
    file(writes, &sent.collect::<Vec<_>>(), false)
}

fn file(writes: impl Iterator<Item = Write>, sequences: &[Sent], compared: bool) -> Vec<u8> {
    let writes: Vec<_> = writes.collect();
    let mut bytes = Vec::new();
    let mut push = |word: u64| bytes.extend_from_slice(&word.to_le_bytes());
    push(writes.len() as u64);
    push(sequences.len() as u64);
    push(compared as u64);
    for &(memory, address, data) in &writes {
        push(memory as u64);
        push(address as u64);
        push(data);
    }
    for s in sequences {
        push(s.words.len() as u64);
        push(s.ends as u64);
        push(s.outputs);
        for fold in &s.folds {
            push(fold.count);
            push(fold.hash);
        }
    }
    for s in sequences {
        bytes.extend(s.words.iter().flat_map(|w| w.to_le_bytes()));
    }
    bytes
}

/// Reads the `RESULT` line and the `STEP n cycles slots` lines; the second part is the first wrong sequence.
fn report(stdout: &str) -> Result<(EngineRun, Option<usize>)> {
    let bad = |found: &str| Error::BadReport {
        item: "result of the verilated engine".into(),
        expected: "a RESULT line and STEP lines".into(),
        found: found.to_string(),
    };
    let line = stdout
        .lines()
        .find_map(|l| l.strip_prefix("RESULT "))
        .ok_or_else(|| bad("no such line"))?;
    let signed = |key: &str| {
        line.split_whitespace()
            .filter_map(|f| f.split_once('='))
            .find(|(k, _)| *k == key)
            .and_then(|(_, v)| v.parse::<i64>().ok())
            .ok_or_else(|| bad(line))
    };
    let number = |key: &str| signed(key).and_then(|n| u64::try_from(n).map_err(|_| bad(line)));
    let refused = number("refused")?;
    if refused > 0 {
        return Err(Error::Unsupported {
            item: "load port".into(),
            expected: "every write taken".into(),
            found: format!("{refused} writes refused"),
        });
    }
    let mut run = EngineRun {
        cycles: number("cycles")?,
        load_cycles: number("load_cycles")?,
        words_in: number("words_in")?,
        observed: number("observed")?,
        violations: number("violations")?,
        first_violation: number("first_violation")?,
        stuck: number("stuck")? != 0,
        error: number("error")?,
        processor: Some(Duration::from_micros(number("processor_us")?)),
        ..EngineRun::default()
    };
    for l in stdout.lines().filter_map(|l| l.strip_prefix("STEP ")) {
        let values: Vec<u64> = l.split_whitespace().flat_map(str::parse).collect();
        let [n, cycles, slots] = values[..] else {
            return Err(bad(l));
        };
        run.steps.insert(n as u16, StepUse { cycles, slots });
    }
    Ok((run, usize::try_from(signed("wrong")?).ok()))
}

/// The earliest difference between what a sequence showed and what it must, by the machine's order.
fn difference(program: &Program, expected: &Expected, sequence: usize, dump: &[u8]) -> Mismatch {
    let mut shown: [Vec<i64>; CHANNELS] = Default::default();
    for pair in dump.as_chunks::<16>().0 {
        let [channel, word] = [0, 8].map(|at| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&pair[at..at + 8]);
            i64::from_le_bytes(bytes)
        });
        if let Some(c) = shown.get_mut(channel as usize) {
            c.push(word);
        }
    }
    let first = |c: usize| {
        let count = expected.fold(c).count as usize;
        let wrong = (0..count).find(|&n| shown[c].get(n).copied() != expected.word(c, n))?;
        Some((expected.order(c, wrong), c, wrong))
    };
    match (0..CHANNELS).filter_map(first).min() {
        Some((_, c, n)) => Mismatch {
            cycle: n as u64,
            port: format!("sequence {sequence}, {}", expected.name(program, c, n)),
            expected: expected.word(c, n).map_or("a word".into(), |w| w.to_string()),
            found: shown[c].get(n).map_or("nothing".into(), |w| w.to_string()),
        },
        None => {
            let most = (0..CHANNELS).map(|c| format!("{} {}", shown[c].len(), NAMES[c]));
            Mismatch {
                cycle: 0,
                port: format!("after sequence {sequence}, which was right"),
                expected: "nothing more".into(),
                found: format!(
                    "further words (the sequence had {})",
                    most.collect::<Vec<_>>().join(", ")
                ),
            }
        }
    }
}
