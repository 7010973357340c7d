//! The pieces a program is put together from: parts (one step each, its weights not yet placed) and phases (loops of parts).

use super::tensors::Place;
use astromorph::engine::program::{Addend, Fill, Mac, Other, Run, Source, Tap, To};

/// The smallest even number that is not less.
pub(super) fn even(x: usize) -> usize {
    x.next_multiple_of(2)
}

/// A number as a field of the program; whatever would not fit has been refused or is refused by `encode`.
pub(super) fn word(x: usize) -> u32 {
    u32::try_from(x).unwrap_or(u32::MAX)
}

/// The weights of one step: columns `first`..`first + cols` of the stored matrix `weight` (k rows).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tile {
    pub weight: String,
    pub k: usize,
    pub first: usize,
    pub cols: usize,
}

impl Tile {
    /// Passes on P lanes.
    pub fn passes(&self, lanes: usize) -> usize {
        self.cols.div_ceil(lanes)
    }

    /// Bank words a lane.
    pub fn words(&self, lanes: usize) -> usize {
        self.passes(lanes) * even(self.k)
    }
}

/// One step. `Mac::bank` is decided later where `tile` is given.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub run: Run,
    pub tile: Option<Tile>,
    /// Whether the columns may be computed by several steps.
    pub divisible: bool,
    /// Where the words at the taps belong.
    pub show: Vec<(Tap, Place)>,
}

impl Part {
    /// The array's part, if the step uses it.
    pub fn mac(&self) -> Option<&Mac> {
        match &self.run.source {
            Source::Array(mac) => Some(mac),
            _ => None,
        }
    }

    /// The same step in pieces of at most `passes` passes.
    pub fn divide(&self, passes: usize, lanes: usize) -> Vec<Part> {
        let Some(tile) = &self.tile else {
            return vec![self.clone()];
        };
        let pieces = tile.passes(lanes).div_ceil(passes.max(1));
        // As even as whole passes allow.
        let width = tile.passes(lanes).div_ceil(pieces) * lanes;
        let starts = (0..tile.cols).step_by(width);
        starts
            .map(|from| self.columns(from, width.min(tile.cols - from), lanes))
            .collect()
    }

    /// The step for `cols` columns from `from`, which is a multiple of the number of lanes.
    fn columns(&self, from: usize, cols: usize, lanes: usize) -> Part {
        let mut part = self.clone();
        let step = word(from);
        if let Some(tile) = &mut part.tile {
            tile.first += from;
            tile.cols = cols;
        }
        if let Source::Array(mac) = &mut part.run.source {
            mac.passes = word(cols.div_ceil(lanes));
        }
        let stream = &mut part.run.stream;
        stream.cols = word(cols);
        if let Addend::Word { at, .. } = &mut stream.addend {
            at.base += step;
        }
        if let Other::Key { at, .. } | Other::Residual { at, .. } = &mut stream.other {
            at.base += step;
        }
        if let Some(sums) = &mut stream.sums {
            sums.base += step;
        }
        match &mut stream.to {
            To::X { at, column, .. } => at.base += step * *column,
            To::Bank { bank, pass, .. } => *bank += word(from / lanes) * *pass,
            To::Nowhere | To::Output => {}
        }
        if from > 0 || cols < self.run.stream.cols as usize {
            part.run.label = format!("{}[{from}..{}]", part.run.label, from + cols);
        }
        for (_, place) in &mut part.show {
            place.first += from;
            place.cols = cols;
        }
        part
    }
}

/// Parts that run once, or in a loop over blocks of tokens.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    /// T, R1's and R2's increments of a loop.
    pub blocks: Option<(usize, usize, usize)>,
    pub parts: Vec<Part>,
    /// Bank words below this one are free for weights.
    pub free: usize,
    /// Bank words to be filled with zeros of M before the phase.
    pub zeros: Option<Fill>,
}

impl Phase {
    /// Whether the loop may come round a second time.
    pub fn repeats(&self, n_max: usize) -> bool {
        self.blocks.is_some_and(|(tokens, ..)| tokens < n_max)
    }
}
