//! Compares the words of all channels with the expected ones as they come, each channel by itself.

use super::case::Case;
use super::expected::{CHANNELS, NAMES};
use crate::compare::Mismatch;
use astromorph::engine::program::Program;

/// Where every channel stands, and the first difference.
pub(super) struct Follow<'a> {
    program: &'a Program,
    cases: &'a [Case],
    /// Sequence and word that comes next.
    at: [(usize, usize); CHANNELS],
    /// Channels with nothing left to come.
    done: usize,
    pub observed: u64,
    pub difference: Option<Mismatch>,
}

impl<'a> Follow<'a> {
    pub(super) fn new(program: &'a Program, cases: &'a [Case]) -> Self {
        let mut follow = Follow {
            program,
            cases,
            at: [(0, 0); CHANNELS],
            done: 0,
            observed: 0,
            difference: None,
        };
        (0..CHANNELS).for_each(|c| follow.skip(c));
        follow
    }

    /// To the next sequence with words in this channel.
    fn skip(&mut self, channel: usize) {
        let (sequence, word) = &mut self.at[channel];
        if *sequence == self.cases.len() {
            return;
        }
        while let Some(case) = self.cases.get(*sequence) {
            if (*word as u64) < case.expected.fold(channel).count {
                return;
            }
            (*sequence, *word) = (*sequence + 1, 0);
        }
        self.done += 1;
    }

    /// Every expected word has come.
    pub(super) fn is_done(&self) -> bool {
        self.done == CHANNELS
    }

    /// A word of a channel, seen in `cycle`.
    pub(super) fn word(&mut self, channel: usize, word: i64, cycle: u64) {
        self.observed += 1;
        let (sequence, index) = self.at[channel];
        let wanted = self.cases.get(sequence).and_then(|c| c.expected.word(channel, index));
        if wanted != Some(word) && self.difference.is_none() {
            self.difference = Some(Mismatch {
                cycle,
                port: self.place(channel),
                expected: wanted.map_or("nothing".into(), |w| w.to_string()),
                found: word.to_string(),
            });
        }
        self.at[channel].1 += 1;
        self.skip(channel);
    }

    fn place(&self, channel: usize) -> String {
        let (sequence, index) = self.at[channel];
        match self.cases.get(sequence) {
            Some(case) => format!(
                "sequence {sequence}, {}",
                case.expected.name(self.program, channel, index)
            ),
            None => format!("after the last sequence, tap {}", NAMES[channel]),
        }
    }

    /// The earliest word that did not come, by the machine's order: for an engine that stands still.
    pub(super) fn missing(&self) -> Option<Mismatch> {
        let open = (0..CHANNELS).filter(|&c| self.at[c].0 < self.cases.len());
        let order = |c: &usize| {
            let (sequence, index) = self.at[*c];
            (sequence, self.cases[sequence].expected.order(*c, index))
        };
        open.min_by_key(order).map(|c| {
            let (sequence, index) = self.at[c];
            let wanted = self.cases[sequence].expected.word(c, index);
            Mismatch {
                cycle: index as u64,
                port: self.place(c),
                expected: wanted.map_or("a word".into(), |w| w.to_string()),
                found: "nothing".into(),
            }
        })
    }
}
