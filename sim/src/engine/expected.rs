//! What the hardware must show for one sequence: the output words, and every word of every tap, from the machine (the twin under the program).
//!
//! | channel | words |
//! |---|---|
//! | 0..9 | the taps in the order of [`Tap`] |
//! | 9 | the index of each output row's largest word ([`ARGMAX`]) |
//!
//! Words of one channel come in a fixed order; those of different channels may come in any. Each knows its step, so that a difference
//! can be named. Long runs keep only a [`Fold`] of each channel: a count and a hash that a C++ harness folds the same way.
//!
//! ```
//! use astromorph_sim::engine::Fold;
//! let fold = |words: &[i64]| words.iter().fold(Fold::default(), |f, &w| f.then(w));
//! assert_eq!(fold(&[1, -2]).count, 2);
//! assert_ne!(fold(&[1, -2]), fold(&[-2, 1]));        // order counts
//! assert_eq!(fold(&[0]).hash, 0xf8bb_92ce_2658_5846); // the start value's one step, as in sim/harness/engine.cpp
//! ```

use crate::cosim::streams::OutBeat;
use astromorph::engine::machine::Machine;
use astromorph::engine::program::{Program, Step, Tap, To};

/// Taps, and the arg-max.
pub const CHANNELS: usize = 10;

/// The channel of the arg-max.
pub const ARGMAX: usize = 9;

/// The taps by channel.
pub const TAPS: [Tap; ARGMAX] = [
    Tap::Sum,
    Tap::Linear,
    Tap::Function,
    Tap::Other,
    Tap::Sums,
    Tap::Calcium,
    Tap::Power,
    Tap::Normalise,
    Tap::Norm,
];

/// The channels by name: port `tap_NAME_data` with `tap_NAME_valid`, and `argmax` with `argmax_valid`.
pub const NAMES: [&str; CHANNELS] = [
    "sum",
    "linear",
    "function",
    "other",
    "sums",
    "calcium",
    "power",
    "normalise",
    "norm",
    "argmax",
];

/// The channel of a tap.
pub fn channel(tap: Tap) -> usize {
    TAPS.iter().position(|&t| t == tap).unwrap_or(ARGMAX)
}

/// A count and a hash of words in their order. Every step is a bijection of the state, so one wrong word always changes the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Words.
    pub count: u64,
    /// Their hash.
    pub hash: u64,
}

impl Default for Fold {
    fn default() -> Self {
        Fold {
            count: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Fold {
    /// With one word more.
    pub fn then(self, word: i64) -> Self {
        let mixed = (self.hash ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Fold {
            count: self.count + 1,
            hash: mixed ^ mixed >> 29,
        }
    }
}

/// Words of one step in one visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Visit {
    /// The first of its words in the channel.
    first: usize,
    step: u16,
    /// Among all visits of the sequence, by time in the machine.
    order: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Channel {
    words: Vec<i64>,
    visits: Vec<Visit>,
    fold: Fold,
}

/// Everything one sequence must show. `kept` channels hold their words, the others only the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The output stream.
    pub words: Vec<OutBeat>,
    channels: [Channel; CHANNELS],
    /// The last visit: its step, and how many there were.
    now: Option<u16>,
    order: u32,
    /// Channels keep their words, not only the fold.
    kept: bool,
}

impl Expected {
    fn new(kept: bool) -> Self {
        Expected {
            kept,
            ..Expected::default()
        }
    }

    /// What the machine shows for one sequence.
    pub fn of(machine: &mut Machine, program: &Program, input: &[i32], kept: bool) -> astromorph::Result<Self> {
        let mut expected = Expected::new(kept);
        let words = machine.run(input, &mut |step, tap, word| {
            expected.push(step as u16, channel(tap), word)
        })?;
        expected.finish(program, &words);
        Ok(expected)
    }

    fn push(&mut self, step: u16, channel: usize, word: i64) {
        if self.now != Some(step) {
            self.now = Some(step);
            self.order += 1;
        }
        let c = &mut self.channels[channel];
        c.fold = c.fold.then(word);
        if self.kept {
            if c.visits.last().is_none_or(|v| v.order != self.order) {
                c.visits.push(Visit {
                    first: c.words.len(),
                    step,
                    order: self.order,
                });
            }
            c.words.push(word);
        }
    }

    /// The output words; the last one bears tlast. Adds the arg-max of each row.
    fn finish(&mut self, program: &Program, words: &[i32]) {
        let last = words.len().saturating_sub(1);
        self.words = words
            .iter()
            .enumerate()
            .map(|(n, &w)| OutBeat {
                data: w,
                last: n == last,
            })
            .collect();
        let Some((step, cols)) = output(program) else {
            return;
        };
        for row in words.chunks(cols.max(1)) {
            let largest = row.iter().copied().max().unwrap_or(0);
            let index = row.iter().position(|&w| w == largest).unwrap_or(0);
            self.push(step, ARGMAX, index as i64);
        }
    }

    /// Count and hash of a channel.
    pub fn fold(&self, channel: usize) -> Fold {
        self.channels[channel].fold
    }

    /// Words of all channels.
    pub fn observed(&self) -> u64 {
        self.channels.iter().map(|c| c.fold.count).sum()
    }

    /// Word `index` of a channel; nothing beyond the last, or when only folds are kept.
    pub fn word(&self, channel: usize, index: usize) -> Option<i64> {
        self.channels[channel].words.get(index).copied()
    }

    fn visit(&self, channel: usize, index: usize) -> Option<Visit> {
        let visits = &self.channels[channel].visits;
        let after = visits.partition_point(|v| v.first <= index);
        visits[..after].last().copied()
    }

    /// The step a word belongs to.
    pub fn step(&self, channel: usize, index: usize) -> Option<u16> {
        self.visit(channel, index).map(|v| v.step)
    }

    /// When the machine came to a word, to order differences of different channels.
    pub fn order(&self, channel: usize, index: usize) -> u32 {
        self.visit(channel, index).map_or(u32::MAX, |v| v.order)
    }

    /// "step 17 (layers.0.q.h1), tap linear, tensor q, word 44": words of one step are counted through its visits in one sequence.
    pub fn name(&self, program: &Program, channel: usize, index: usize) -> String {
        let tap = NAMES[channel];
        let Some(visit) = self.visit(channel, index) else {
            return format!("tap {tap}, word {index}");
        };
        let visits = &self.channels[channel].visits;
        let end = |n: usize| visits.get(n + 1).map_or(usize::MAX, |v| v.first);
        let before: usize = visits
            .iter()
            .enumerate()
            .filter(|(_, v)| v.step == visit.step && v.first < visit.first)
            .map(|(n, v)| end(n) - v.first)
            .sum();
        let word = before + index - visit.first;
        let (label, tensor) = match program.steps.get(visit.step as usize) {
            Some(Step::Run(run)) => {
                let named = run.names.iter().find(|(t, _)| self::channel(*t) == channel);
                (run.label.as_str(), named.map_or(tap, |(_, name)| name.as_str()))
            }
            _ => ("no run", tap),
        };
        format!("step {} ({label}), tap {tap}, tensor {tensor}, word {word}", visit.step)
    }
}

/// The step that writes the output stream and its columns.
fn output(program: &Program) -> Option<(u16, usize)> {
    program.steps.iter().enumerate().find_map(|(n, step)| match step {
        Step::Run(run) if run.stream.to == To::Output => Some((n as u16, run.stream.cols as usize)),
        _ => None,
    })
}
