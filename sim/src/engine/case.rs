//! What one run of the engine consists of: sequences with what they must show; and what a run gives back.

use super::expected::Expected;
use crate::compare::{Comparison, Mismatch};
use crate::cosim::streams::OutBeat;
use crate::error::Result;
use std::collections::BTreeMap;
use std::time::Duration;

/// One sequence: its input words row by row, and what the engine must show.
#[derive(Clone, Debug)]
pub struct Case {
    /// Input words.
    pub input: Vec<i32>,
    /// The last of them bears tlast; without it the sequence never ends.
    pub ends: bool,
    /// The machine's words.
    pub expected: Expected,
}

/// Use of one step of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct StepUse {
    /// Cycles in which the sequencer stood at the step.
    pub cycles: u64,
    /// Multiplications of one lane in these cycles: divided by cycles it is the use of the multipliers.
    pub slots: u64,
}

/// What a run of some sequences gave.
#[derive(Clone, Debug, Default)]
pub struct EngineRun {
    /// From the first offered word to the end of everything.
    pub cycles: u64,
    /// Of the load port before.
    pub load_cycles: u64,
    /// Input words taken.
    pub words_in: u64,
    /// Output words.
    pub words: Vec<OutBeat>,
    /// Words of all channels.
    pub observed: u64,
    /// Cycles in which valid or payload changed although the word was not taken, and the first of them.
    pub violations: u64,
    /// The first of them.
    pub first_violation: u64,
    /// The engine stopped moving before everything expected was there.
    pub stuck: bool,
    /// The sticky error port at the end.
    pub error: u64,
    /// Cycles and multiplications by step.
    pub steps: BTreeMap<u16, StepUse>,
    /// Cycles of the first sequence in which the engine was busy, by step (RustHDL only).
    pub busy: BTreeMap<u16, u64>,
    /// The engine's cycle modulo 4 in which its first word waited (RustHDL only).
    pub beat: u32,
    /// The first difference in a channel.
    pub difference: Option<Mismatch>,
    /// Time of the simulation.
    pub elapsed: Duration,
    /// Time of the simulation by the processor, where that is known.
    pub processor: Option<Duration>,
}

impl EngineRun {
    /// Output words and `tlast`, channels, handshake, error flags and end, against what was expected.
    pub fn compare(&self, cases: &[Case]) -> Result<Comparison> {
        let mut c = Comparison {
            cycles: self.cycles,
            words: self.observed,
            ..Comparison::default()
        };
        let mut fault = |cycle, port: &str, expected: &str, found: String| {
            c.mismatches += 1;
            c.first.get_or_insert(Mismatch {
                cycle,
                port: port.into(),
                expected: expected.into(),
                found,
            });
        };
        if let Some(d) = &self.difference {
            fault(d.cycle, &d.port, &d.expected, d.found.clone());
        }
        if self.error != 0 {
            fault(self.cycles, "error flags", "0", format!("{:#b}", self.error));
        }
        if self.violations > 0 {
            let expected = "valid and payload held while not ready";
            fault(self.first_violation, "output handshake", expected, "changed".into());
        }
        if self.stuck {
            fault(
                self.cycles,
                "end of the run",
                "every expected word",
                "the engine stands still".into(),
            );
        }
        let show = |b: Option<&OutBeat>| match b {
            Some(b) => format!("{}{}", b.data, if b.last { " last" } else { "" }),
            None => "nothing".into(),
        };
        let expected: Vec<(usize, usize, OutBeat)> = cases
            .iter()
            .enumerate()
            .flat_map(|(s, case)| case.expected.words.iter().enumerate().map(move |(n, &w)| (s, n, w)))
            .collect();
        for n in 0..expected.len().max(self.words.len()) {
            let want = expected.get(n);
            let got = self.words.get(n);
            // A stopped run shows no words after its first difference: they are not counted as compared.
            if got.is_none() && c.mismatches > 0 {
                break;
            }
            c.word(want.map(|w| &w.2) == got, || Mismatch {
                cycle: n as u64,
                port: match want {
                    Some((s, n, _)) => format!("sequence {s}, output word {n}"),
                    None => "output after the last sequence".into(),
                },
                expected: show(want.map(|w| &w.2)),
                found: show(got),
            });
        }
        c.checked("the engine's run")
    }
}
