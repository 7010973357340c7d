//! All weights in the banks from the start, one tile behind the other; and what both ways of placing weights share.

use super::attention::IDENTITY;
use super::memory::Region;
use super::part::{Part, Phase, Tile, even, word};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{Source, Step};
use astromorph::image::Image;
use std::collections::BTreeMap;

/// Steps with the part each Run came from.
pub(super) type Scheduled = Vec<(Step, Option<Part>)>;

/// What the schedule makes of the phases.
pub(super) struct Schedule {
    pub steps: Scheduled,
    /// One vector a lane; none when weights are filled.
    pub banks: Vec<Vec<i32>>,
    pub regions: Vec<Region>,
}

/// Element (k, lane) of every pass of a tile, as bank words of each lane.
pub(super) fn lanes_of(image: &Image, tile: &Tile, lanes: usize) -> Result<Vec<Vec<i32>>> {
    let (words, cols) = match tile.weight.as_str() {
        IDENTITY => (
            (0..tile.k * tile.cols)
                .map(|n| i32::from(n / tile.cols == n % tile.cols))
                .collect(),
            tile.cols,
        ),
        weight => (image.narrow(weight)?, image.tensor(weight)?.shape[1]),
    };
    let (stride, mut banks) = (even(tile.k), vec![vec![0; tile.words(lanes)]; lanes]);
    for j in 0..tile.cols {
        for i in 0..tile.k {
            banks[j % lanes][j / lanes * stride + i] = words[i * cols + tile.first + j];
        }
    }
    Ok(banks)
}

/// All weights in the banks, one behind the other.
pub(super) fn resident(image: &Image, core: &EngineConfig, phases: Vec<Phase>) -> Result<Schedule> {
    let lanes = core.lanes;
    let mut banks: Vec<Vec<i32>> = vec![Vec::new(); lanes];
    let mut regions = Vec::new();
    let mut steps = Vec::new();
    // What several steps read stands once.
    let mut stands: BTreeMap<Tile, usize> = BTreeMap::new();
    for phase in phases {
        zeros(&mut steps, &phase);
        begin(&mut steps, &phase);
        for mut part in phase.parts.iter().cloned() {
            if let Some(tile) = part.tile.clone() {
                let at = *stands.entry(tile.clone()).or_insert(banks[0].len());
                place(&mut part, at);
                if at < banks[0].len() {
                    push(&mut steps, part);
                    continue;
                }
                regions.push(region(&tile, at, lanes));
                for (bank, words) in banks.iter_mut().zip(lanes_of(image, &tile, lanes)?) {
                    bank.extend(words);
                }
            }
            push(&mut steps, part);
        }
        end(&mut steps, &phase);
    }
    Ok(Schedule { steps, banks, regions })
}

/// A tile in the memory map.
pub(super) fn region(tile: &Tile, first: usize, lanes: usize) -> Region {
    Region {
        memory: "bank",
        first: word(first),
        words: word(tile.words(lanes)),
        holds: format!("{}[{}..{}]", tile.weight, tile.first, tile.first + tile.cols),
    }
}

/// Decides where a part's weights stand.
pub(super) fn place(part: &mut Part, at: usize) {
    if let Source::Array(mac) = &mut part.run.source {
        mac.bank = word(at);
    }
}

/// Appends a part's step.
pub(super) fn push(steps: &mut Scheduled, part: Part) {
    steps.push((Step::Run(Box::new(part.run.clone())), Some(part)));
}

/// The fill with zeros before a phase, if it has one.
pub(super) fn zeros(steps: &mut Scheduled, phase: &Phase) {
    steps.extend(phase.zeros.map(|fill| (Step::Fill(fill), None)));
}

/// Begins a phase's loop, if it is one.
pub(super) fn begin(steps: &mut Scheduled, phase: &Phase) {
    if let Some((tokens, ..)) = phase.blocks {
        steps.push((Step::Blocks { tokens: word(tokens) }, None));
    }
}

/// Ends it.
pub(super) fn end(steps: &mut Scheduled, phase: &Phase) {
    if let Some((_, r1, r2)) = phase.blocks {
        steps.push((
            Step::Next {
                r1: word(r1),
                r2: word(r2),
            },
            None,
        ));
    }
}
