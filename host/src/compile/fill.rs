//! Weights tile by tile from M to the banks while the program runs, when the banks do not hold them all.
//!
//! A fill stands right behind the step that uses the tile before: while the array works on that one, the next is filled beside it. The
//! sequencer passes a Run only when the array has taken it, so a fill may overwrite whatever the Run before the one in front of it read.
//! What must take the place of the words just used is filled behind the next step that reads others; if there is none, a step that waits until
//! all is quiet stands between ("fence"). Where tiles stand is `place`'s.

use super::draft::Draft;
use super::memory::{Main, Region, pack};
use super::part::{Part, Phase, Tile, even, word};
use super::place::{Unit, Way, total, ways};
use super::schedule::{Schedule, Scheduled, begin, end, lanes_of, place, push, region, zeros};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::*;
use astromorph::image::Image;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Bank words that a part's array reads.
fn reads(part: &Part) -> Range<usize> {
    let Some(mac) = part.mac() else { return 0..0 };
    let k = match mac.k {
        Extent::Fixed(k) => even(k as usize),
        Extent::Block => mac.bank_stride as usize,
    };
    let first = mac.bank as usize;
    first..first + (mac.passes as usize - 1) * mac.bank_stride as usize + k
}

/// A part of `of` before `cut`, and one behind it.
fn without(of: &Range<usize>, cut: &Range<usize>) -> [Range<usize>; 2] {
    if cut.is_empty() {
        return [of.clone(), of.end..of.end];
    }
    [
        of.start..of.end.min(cut.start.max(of.start)),
        of.start.max(cut.end.min(of.end))..of.end,
    ]
}

/// Bank words of a tile that are still to be filled.
struct Pending {
    tile: Tile,
    at: usize,
    words: Range<usize>,
}

/// The program with fills under construction.
struct Filler<'a> {
    image: &'a Image,
    core: &'a EngineConfig,
    main: &'a mut Main,
    /// Where each tile stands in M.
    stored: BTreeMap<Tile, u32>,
    steps: Scheduled,
    regions: Vec<Region>,
    /// Bank words that the last Run reads.
    read: Range<usize>,
    pending: Vec<Pending>,
    /// What a fence does: 1/N, to a word of the read memory that nobody reads.
    count: Serial,
}

impl Filler<'_> {
    /// A tile's weights in M.
    fn store(&mut self, tile: &Tile) -> Result<u32> {
        if let Some(&from) = self.stored.get(tile) {
            return Ok(from);
        }
        let lanes = lanes_of(self.image, tile, self.core.lanes)?;
        let few = self.core.weights_per_word();
        let mut words = Vec::new();
        for a in 0..tile.words(self.core.lanes) {
            let column: Vec<i32> = lanes.iter().map(|bank| bank[a]).collect();
            words.extend(column.chunks(few).map(|elements| pack(elements, few)));
        }
        let holds = format!("{}[{}..{}]", tile.weight, tile.first, tile.first + tile.cols);
        let from = self.main.add(&holds, words);
        self.stored.insert(tile.clone(), from);
        Ok(from)
    }

    /// Asks for the tiles of a unit; returns where each stands.
    fn ask(&mut self, phase: &Phase, unit: &Unit) -> Vec<usize> {
        let mut at = unit.at;
        let mut places = Vec::new();
        for tile in unit.parts.iter().filter_map(|&i| phase.parts[i].tile.clone()) {
            let words = tile.words(self.core.lanes);
            let region = region(&tile, at, self.core.lanes);
            if !self.regions.contains(&region) {
                self.regions.push(region);
            }
            self.pending.push(Pending {
                tile,
                at,
                words: at..at + words,
            });
            places.push(at);
            at += words;
        }
        places
    }

    fn fill(&mut self, tile: &Tile, at: usize, words: Range<usize>) -> Result<()> {
        let a_word = self.core.lanes.div_ceil(self.core.weights_per_word());
        let from = self.store(tile)? + word((words.start - at) * a_word);
        let fill = Fill {
            from,
            bank: word(words.start),
            words: word(words.len()),
        };
        self.steps.push((Step::Fill(fill), None));
        Ok(())
    }

    /// Fills what has been asked for, as far as it is below `free` and not what the last Run reads.
    fn early(&mut self, free: usize) -> Result<()> {
        for Pending { tile, at, words } in std::mem::take(&mut self.pending) {
            let below = words.start..words.end.min(free).max(words.start);
            let allowed = without(&below, &self.read);
            let mut left: Vec<Range<usize>> = vec![words];
            for part in allowed.into_iter().filter(|part| !part.is_empty()) {
                left = left.iter().flat_map(|range| without(range, &part)).collect();
                self.fill(&tile, at, part)?;
            }
            for words in left.into_iter().filter(|range| !range.is_empty()) {
                let tile = tile.clone();
                self.pending.push(Pending { tile, at, words });
            }
        }
        Ok(())
    }

    /// Fills the rest: now it is needed.
    fn settle(&mut self) -> Result<()> {
        let overlaps = |p: &Pending| p.words.start < self.read.end && self.read.start < p.words.end;
        if self.pending.iter().any(overlaps) {
            self.fence();
        }
        for Pending { tile, at, words } in std::mem::take(&mut self.pending) {
            self.fill(&tile, at, words)?;
        }
        Ok(())
    }

    /// The fill with zeros before a phase.
    fn zeros(&mut self, phase: &Phase) {
        let Some(fill) = phase.zeros else { return };
        let words = fill.bank as usize..(fill.bank + fill.words) as usize;
        if words.start < self.read.end && self.read.start < words.end {
            self.fence();
        }
        zeros(&mut self.steps, phase);
    }

    /// A step that does nothing once all is quiet.
    fn fence(&mut self) {
        let run = Run {
            label: "fence".into(),
            names: Vec::new(),
            source: Source::Count,
            wait: true,
            wait_fill: false,
            stream: Stream {
                serial: self.count,
                ..Stream::plain(1, 0, self.core.serial_bits())
            },
        };
        self.steps.push((Step::Run(Box::new(run)), None));
        self.read = 0..0;
    }

    fn step(&mut self, part: &Part, at: Option<usize>) {
        let mut part = part.clone();
        if let Some(at) = at {
            place(&mut part, at);
            part.run.wait_fill = true;
        }
        if part.mac().is_some() {
            self.read = reads(&part);
        }
        push(&mut self.steps, part);
    }
}

/// Weights from M, tile by tile.
pub(super) fn filled(draft: &mut Draft<'_>, phases: Vec<Phase>) -> Result<Schedule> {
    let (image, core, n_max) = (draft.image, draft.core, draft.sizes.n);
    let count = draft.count(core.reads - 1)?;
    let phases: Vec<Phase> = phases
        .into_iter()
        .map(|phase| divided(phase, n_max, core.lanes))
        .collect();
    let ways = ways(&phases, n_max, core)?;
    let mut filler = Filler {
        image,
        core,
        main: &mut draft.main,
        count,
        stored: BTreeMap::new(),
        steps: Vec::new(),
        regions: Vec::new(),
        read: 0..0,
        pending: Vec::new(),
    };
    // The units that are still to be asked for, with their phases; the last one that was stands at `places`.
    let first_units = |way: &Way| match way {
        Way::Straight(units) => units.clone(),
        Way::Block(unit) => vec![unit.clone()],
        Way::Circle(units) => units[..1].to_vec(),
    };
    let units = ways
        .iter()
        .enumerate()
        .flat_map(|(p, way)| first_units(way).into_iter().map(move |unit| (p, unit)));
    let mut ahead: VecDeque<(usize, Unit)> = units.collect();
    let mut places: Option<Vec<usize>> = None;
    for (phase, way) in phases.iter().zip(&ways) {
        // The next unit is asked for as soon as the one before is in use, but not within a loop that comes round.
        let mut next = |filler: &mut Filler<'_>| {
            let found = ahead.pop_front();
            found.map(|(p, unit)| filler.ask(&phases[p], &unit))
        };
        if places.is_none() {
            places = next(&mut filler);
            filler.early(phase.free)?;
        }
        filler.zeros(phase);
        match way {
            Way::Straight(_) => {
                begin(&mut filler.steps, phase);
                for part in &phase.parts {
                    let at = match part.tile {
                        Some(_) => {
                            filler.settle()?;
                            places.take().map(|places| places[0])
                        }
                        None => None,
                    };
                    filler.step(part, at);
                    if at.is_some() {
                        places = next(&mut filler);
                    }
                    filler.early(phase.free)?;
                }
            }
            Way::Block(unit) => {
                filler.settle()?;
                let block = places.take().unwrap_or_default();
                begin(&mut filler.steps, phase);
                for (i, part) in phase.parts.iter().enumerate() {
                    let place = unit.parts.iter().position(|&user| user == i);
                    filler.step(part, place.and_then(|k| block.get(k).copied()));
                }
            }
            Way::Circle(units) => {
                filler.settle()?;
                places = None;
                begin(&mut filler.steps, phase);
                let mut k = 0;
                for part in &phase.parts {
                    let at = part.tile.as_ref().map(|_| units[k].at);
                    if at.is_some() {
                        filler.settle()?;
                    }
                    filler.step(part, at);
                    if at.is_some() {
                        k += 1;
                        filler.ask(phase, &units[k % units.len()]);
                    }
                    filler.early(phase.free)?;
                }
                filler.settle()?;
            }
        }
        end(&mut filler.steps, phase);
    }
    Ok(Schedule {
        steps: filler.steps,
        banks: Vec::new(),
        regions: filler.regions,
    })
}

/// Divisible tiles in pieces of which two fit beside each other; a loop whose tiles all fit keeps them whole.
fn divided(phase: Phase, n_max: usize, lanes: usize) -> Phase {
    if phase.repeats(n_max) && total(&phase, lanes) <= phase.free {
        return phase;
    }
    let pieces = |part: &Part| match &part.tile {
        Some(tile) if part.divisible && 2 * tile.words(lanes) > phase.free => {
            part.divide(phase.free / 2 / even(tile.k), lanes)
        }
        _ => vec![part.clone()],
    };
    Phase {
        parts: phase.parts.iter().flat_map(pieces).collect(),
        ..phase
    }
}
