//! Which steps must wait until all is quiet.
//!
//! The array of a step starts while words of earlier steps are still in the stream, and layer norms still run behind it. So it waits when it
//! would read what has not been written for certain. What is certain (`docs/engine.md` section 4):
//!
//! - words of one step enter the stream only when those of the steps before have left it, and a pass is captured only when the one before
//!   has left the chain: after two passes of later steps, a step's words are where they belong;
//! - a layer norm's rows are there only after a step that waited.
//!
//! Steps are walked in the order of execution, each loop twice; what a loop leaves behind may stand in any of its blocks. With fewest rows
//! in a block (one) and most tokens (T) everywhere, the answer holds for every sequence.

use super::part::even;
use super::schedule::Scheduled;
use astromorph::engine::program::*;
use std::ops::Range;

/// Where words stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    X,
    Bank,
    Sums,
}

/// Words that are on their way to a memory.
#[derive(Clone, Debug)]
struct Pending {
    memory: Memory,
    words: Range<usize>,
    /// What one more block adds to the address.
    moves: usize,
    /// Passes captured since; none counts for a layer norm's.
    passes: Option<usize>,
}

/// The loop a step stands in: T, increments of R1 and R2, number of the block.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    tokens: usize,
    r1: usize,
    r2: usize,
    block: usize,
}

impl Around {
    fn extent(&self, extent: Extent) -> usize {
        match extent {
            Extent::Fixed(n) => n as usize,
            Extent::Block => self.tokens,
        }
    }

    fn moves(&self, at: At) -> usize {
        match at.index {
            Index::R1 => self.r1,
            Index::R2 => self.r2,
            Index::None | Index::Last => 0,
        }
    }

    fn at(&self, at: At) -> usize {
        at.base as usize + self.block * self.moves(at)
    }
}

/// Walks a program and sets `wait` where it must be.
struct Walk {
    n: usize,
    pending: Vec<Pending>,
}

/// Sets `wait` in every Run of a program for sequences of up to `n` tokens.
pub(super) fn set_waits(steps: &mut Scheduled, n: usize) {
    let mut walk = Walk { n, pending: Vec::new() };
    let mut i = 0;
    while i < steps.len() {
        let Step::Blocks { tokens } = steps[i].0 else {
            walk.step(&mut steps[i].0, Around::default());
            i += 1;
            continue;
        };
        let length = steps[i..]
            .iter()
            .position(|(step, _)| matches!(step, Step::Next { .. }))
            .unwrap_or(0);
        let body = i + 1..i + length;
        let (r1, r2) = match steps[i + length].0 {
            Step::Next { r1, r2 } => (r1 as usize, r2 as usize),
            _ => (0, 0),
        };
        let mut left = Vec::new();
        let blocks = n.div_ceil(tokens as usize);
        for block in 0..blocks.min(2) {
            let around = Around {
                tokens: tokens as usize,
                r1,
                r2,
                block,
            };
            body.clone().for_each(|at| walk.step(&mut steps[at].0, around));
            left.extend(walk.pending.iter().cloned());
        }
        // Whatever the last block is, its words may still be on their way.
        for pending in &mut left {
            let last = pending.moves * (blocks - 1);
            pending.words.end += last;
            pending.words.start = pending.words.start.saturating_sub(pending.moves);
            pending.moves = 0;
        }
        walk.pending = left;
        i += length + 1;
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

impl Walk {
    fn step(&mut self, step: &mut Step, around: Around) {
        let Step::Run(run) = step else { return };
        if self.must_wait(run, around) {
            run.wait = true;
        }
        if run.wait {
            self.pending.clear();
        }
        if let Source::Array(mac) = run.source {
            let least = match mac.rows {
                Extent::Fixed(rows) => rows as usize,
                Extent::Block => 1,
            };
            let captured = least * mac.passes as usize;
            self.pending
                .iter_mut()
                .for_each(|p| p.passes = p.passes.map(|n| n + captured));
            self.pending.retain(|p| p.passes.is_none_or(|n| n < 2));
        }
        self.writes(run, around);
    }

    /// Rows of a step at most.
    fn rows(&self, run: &Run, around: Around) -> usize {
        match run.source {
            Source::Array(mac) => around.extent(mac.rows),
            Source::Input => self.n,
            Source::Sums | Source::Count => 1,
        }
    }

    fn must_wait(&self, run: &Run, around: Around) -> bool {
        let meets = |memory: Memory, words: Range<usize>, norms_only: bool| {
            let relevant = |p: &&Pending| p.memory == memory && !(norms_only && p.passes.is_some());
            self.pending.iter().filter(relevant).any(|p| overlap(&p.words, &words))
        };
        let rows = self.rows(run, around);
        if let Source::Array(mac) = run.source {
            let k = even(around.extent(mac.k));
            let first = around.at(mac.x);
            let reach = if mac.x.index == Index::Last { self.n } else { rows };
            let x = first..first + (reach - 1) * mac.x_stride as usize + k;
            let bank = mac.bank as usize;
            let bank = bank..bank + (mac.passes as usize - 1) * mac.bank_stride as usize + k;
            if meets(Memory::X, x, false) || meets(Memory::Bank, bank, false) {
                return true;
            }
        }
        // The stream's own reads and writes follow those of the steps before, but not the layer norm's.
        if let Other::Residual { at, stride, .. } = run.stream.other {
            let first = around.at(at);
            if meets(
                Memory::X,
                first..first + (rows - 1) * stride as usize + run.stream.cols as usize,
                true,
            ) {
                return true;
            }
        }
        if let Some(words) = self.stored(run, around)
            && meets(Memory::X, words, true)
        {
            return true;
        }
        let all = 0..usize::MAX;
        (run.source == Source::Sums || run.stream.sums.is_some_and(|s| s.of != Summed::Nothing))
            && meets(Memory::Sums, all, true)
            && !self.accumulates(run)
    }

    /// Whether a step goes on with the sums of the layer norm before it: they follow each other in the layer norm.
    fn accumulates(&self, run: &Run) -> bool {
        run.stream.norm.is_some() && run.stream.sums.is_some_and(|s| s.of == Summed::Result)
    }

    /// X words that the stream stores.
    fn stored(&self, run: &Run, around: Around) -> Option<Range<usize>> {
        let To::X { at, row, column } = run.stream.to else {
            return None;
        };
        let (first, rows) = (around.at(at), self.rows(run, around));
        Some(first..first + (rows - 1) * row as usize + (run.stream.cols as usize - 1) * column as usize + 1)
    }

    fn writes(&mut self, run: &Run, around: Around) {
        let (rows, cols) = (self.rows(run, around), run.stream.cols as usize);
        let mut add = |memory, words, moves, passes| {
            self.pending.push(Pending {
                memory,
                words,
                moves,
                passes,
            });
        };
        match run.stream.to {
            To::X { at, row, column } => {
                let first = around.at(at);
                let words = first..first + (rows - 1) * row as usize + (cols - 1) * column as usize + 1;
                add(Memory::X, words, around.moves(at), Some(0));
            }
            To::Bank { bank, row, pass } => {
                let passes = match run.source {
                    Source::Array(mac) => mac.passes as usize,
                    _ => 1,
                };
                let first = bank as usize;
                let words = first..first + (rows - 1) * row as usize + (passes - 1) * pass as usize + 1;
                add(Memory::Bank, words, 0, Some(0));
            }
            To::Nowhere | To::Output => {}
        }
        let Some(norm) = run.stream.norm else { return };
        if let Some((at, row)) = norm.to {
            let first = around.at(at);
            add(
                Memory::X,
                first..first + (rows - 1) * row as usize + cols,
                around.moves(at),
                None,
            );
        }
        if run.stream.sums.is_some_and(|s| s.of == Summed::Result) {
            add(Memory::Sums, 0..usize::MAX, 0, None);
        }
    }
}
