//! Weights tile by tile from M to the banks while the program runs, when the banks do not hold them all.
//!
//! A fill stands right behind the step that uses the tile before: while the array works on that one, the next is filled beside it. The
//! sequencer passes a Run only when the array has taken it, so a fill may overwrite whatever the Run before the one in front of it read;
//! where a tile must take the place of the one just used, a step that waits until all is quiet stands between ("fence").
//! In a loop the tiles follow each other in a circle: the last one's successor is the first, whose fill also stands before the loop.

use super::draft::{Draft, plain};
use super::memory::{Main, Region, pack};
use super::part::{Part, Phase, Tile, even, word};
use super::schedule::{Schedule, Scheduled, begin, end, lanes_of, place, push, region};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::*;
use astromorph::image::Image;
use astromorph::{Error, Result};
use std::collections::BTreeMap;
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

fn apart(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.end <= b.start || b.end <= a.start || a.is_empty() || b.is_empty()
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
        let few_words = self.core.weights_per_word();
        let mut words = Vec::new();
        for a in 0..tile.words(self.core.lanes) {
            let column: Vec<i32> = lanes.iter().map(|bank| bank[a]).collect();
            words.extend(column.chunks(few_words).map(|few| pack(few, few_words)));
        }
        let holds = format!("{}[{}..{}]", tile.weight, tile.first, tile.first + tile.cols);
        let from = self.main.add(&holds, words);
        self.stored.insert(tile.clone(), from);
        Ok(from)
    }

    fn fill(&mut self, tile: &Tile, at: usize) -> Result<()> {
        let words = tile.words(self.core.lanes);
        if !apart(&self.read, &(at..at + words)) {
            self.fence();
        }
        let from = self.store(tile)?;
        let fill = Fill {
            from,
            bank: word(at),
            words: word(words),
        };
        self.steps.push((Step::Fill(fill), None));
        let region = region(tile, at, self.core.lanes);
        if !self.regions.contains(&region) {
            self.regions.push(region);
        }
        Ok(())
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
                ..plain(1, 0, self.core.serial_bits())
            },
        };
        self.steps.push((Step::Run(Box::new(run)), None));
        self.read = 0..0;
    }

    fn step(&mut self, mut part: Part, at: Option<usize>) {
        if let Some(at) = at {
            place(&mut part, at);
            part.run.wait_fill = true;
        }
        if part.mac().is_some() {
            self.read = reads(&part);
        }
        push(&mut self.steps, part);
    }

    /// Where a tile goes below `free`: at the lower end, or at the upper where that is free of `beside`.
    fn choose(&self, tile: &Tile, free: usize, beside: &Range<usize>) -> Result<usize> {
        let words = tile.words(self.core.lanes);
        let Some(upper) = free.checked_sub(words) else {
            let expected = format!(
                "{} or more words for {} on {} lanes (H and V take {})",
                words + self.core.bank_words - free,
                tile.weight,
                self.core.lanes,
                self.core.bank_words - free
            );
            return Err(Error::field("core.bank_words", expected, self.core.bank_words));
        };
        Ok(if apart(&(0..words), beside) { 0 } else { upper })
    }
}

/// Weights from M, tile by tile.
pub(super) fn filled(draft: &mut Draft<'_>, phases: Vec<Phase>) -> Result<Schedule> {
    let (image, core, n_max) = (draft.image, draft.core, draft.sizes.n);
    let lanes = core.lanes;
    let count = draft.count(core.reads - 1)?;
    let phases: Vec<Phase> = phases.into_iter().map(|phase| divided(phase, n_max, lanes)).collect();
    let mut filler = Filler {
        image,
        core,
        main: &mut draft.main,
        count,
        stored: BTreeMap::new(),
        steps: Vec::new(),
        regions: Vec::new(),
        read: 0..0,
    };
    // The address of the next tile, if its fill has been issued.
    let mut ready: Option<usize> = None;
    for (p, phase) in phases.iter().enumerate() {
        let tiles: Vec<&Tile> = phase.parts.iter().filter_map(|part| part.tile.as_ref()).collect();
        let total: usize = tiles.iter().map(|tile| tile.words(lanes)).sum();
        let repeats = phase.repeats(n_max);
        if repeats && total <= phase.free {
            preload(&mut filler, phase, ready.take())?;
            continue;
        }
        if repeats && !tiles.is_empty() {
            circle(&mut filler, phase, ready.take())?;
            continue;
        }
        begin(&mut filler.steps, phase);
        for (i, part) in phase.parts.iter().enumerate() {
            let Some(tile) = &part.tile else {
                filler.step(part.clone(), None);
                continue;
            };
            let at = match ready.take() {
                Some(at) => at,
                None => {
                    let read = filler.read.clone();
                    let at = filler.choose(tile, phase.free, &read)?;
                    filler.fill(tile, at)?;
                    at
                }
            };
            let used = at..at + tile.words(lanes);
            filler.step(part.clone(), Some(at));
            ready = ahead(&mut filler, &phases, (p, i), &used, n_max)?;
        }
        end(&mut filler.steps, phase);
    }
    Ok(Schedule {
        steps: filler.steps,
        banks: Vec::new(),
        regions: filler.regions,
    })
}

/// Fills the tile used after part `i` of phase `p` now, if it fits beside the one in use.
fn ahead(
    filler: &mut Filler<'_>,
    phases: &[Phase],
    (p, i): (usize, usize),
    used: &Range<usize>,
    n_max: usize,
) -> Result<Option<usize>> {
    let mut rest = phases[p].parts[i + 1..].iter();
    let (mut next, mut free) = (rest.find_map(|part| part.tile.as_ref()), phases[p].free);
    for phase in &phases[p + 1..] {
        if next.is_some() {
            break;
        }
        free = free.min(phase.free);
        next = phase.parts.iter().find_map(|part| part.tile.as_ref());
        // What is loaded before a loop is not loaded within one.
        if phases[p].repeats(n_max) {
            return Ok(None);
        }
    }
    let Some(tile) = next else {
        return Ok(None);
    };
    let words = tile.words(filler.core.lanes);
    if words > free {
        return Ok(None);
    }
    let places = [0, free - words];
    match places.into_iter().find(|&at| apart(&(at..at + words), used)) {
        Some(at) => {
            filler.fill(tile, at)?;
            Ok(Some(at))
        }
        None => Ok(None),
    }
}

/// A loop whose tiles all fit: filled before it. `ready`: the first tile's address when it has been filled already.
fn preload(filler: &mut Filler<'_>, phase: &Phase, ready: Option<usize>) -> Result<()> {
    let lanes = filler.core.lanes;
    let first = phase
        .parts
        .iter()
        .find_map(|part| part.tile.as_ref())
        .map_or(0, |tile| tile.words(lanes));
    // The first tile stands at one end; the others follow from the other side.
    let total: usize = phase
        .parts
        .iter()
        .filter_map(|part| part.tile.as_ref())
        .map(|tile| tile.words(lanes))
        .sum();
    let (ready, at_first, mut next) = match ready {
        Some(0) => (true, 0, first),
        Some(at) if total - first <= at => (true, at, 0),
        _ => (false, 0, first),
    };
    let mut places = Vec::new();
    for part in &phase.parts {
        let Some(tile) = &part.tile else {
            places.push(None);
            continue;
        };
        let is_first = places.iter().all(Option::is_none);
        let at = if is_first { at_first } else { next };
        if !is_first {
            next += tile.words(lanes);
        }
        if !(is_first && ready) {
            filler.fill(tile, at)?;
        }
        places.push(Some(at));
    }
    begin(&mut filler.steps, phase);
    for (part, at) in phase.parts.iter().zip(places) {
        filler.step(part.clone(), at);
    }
    end(&mut filler.steps, phase);
    Ok(())
}

/// A loop whose tiles do not fit together.
fn circle(filler: &mut Filler<'_>, phase: &Phase, ready: Option<usize>) -> Result<()> {
    let lanes = filler.core.lanes;
    let users: Vec<usize> = (0..phase.parts.len())
        .filter(|&i| phase.parts[i].tile.is_some())
        .collect();
    let tile = |n: usize| phase.parts[users[n % users.len()]].tile.as_ref();
    let mut places = Vec::new();
    let mut beside = filler.read.clone();
    for n in 0..users.len() {
        let Some(tile) = tile(n) else { continue };
        let at = match (n, ready) {
            (0, Some(at)) => at,
            _ => filler.choose(tile, phase.free, &beside)?,
        };
        beside = at..at + tile.words(lanes);
        places.push(at);
    }
    if let (None, Some(tile)) = (ready, tile(0)) {
        filler.fill(tile, places[0])?;
    }
    begin(&mut filler.steps, phase);
    let mut n = 0;
    // The tile whose fill waits for the words of one that is still in use.
    let mut late: Option<usize> = None;
    for (i, part) in phase.parts.iter().enumerate() {
        let last = i + 1 == phase.parts.len();
        let is_user = part.tile.is_some();
        if is_user
            && let Some(late) = late.take()
            && let Some(tile) = tile(late)
        {
            filler.fill(tile, places[late % users.len()])?;
        }
        filler.step(part.clone(), is_user.then(|| places[n]));
        if is_user {
            n += 1;
            late = Some(n);
        }
        if let Some(next) = late
            && let Some(tile) = tile(next)
        {
            let at = places[next % users.len()];
            if last || apart(&(at..at + tile.words(lanes)), &filler.read) {
                filler.fill(tile, at)?;
                late = None;
            }
        }
    }
    end(&mut filler.steps, phase);
    // The loop comes round: what the first step overlaps with was fenced or is apart.
    Ok(())
}

/// Divisible tiles in pieces of which two fit beside each other; a loop whose tiles all fit keeps them whole.
fn divided(phase: Phase, n_max: usize, lanes: usize) -> Phase {
    let total: usize = phase
        .parts
        .iter()
        .filter_map(|part| part.tile.as_ref())
        .map(|tile| tile.words(lanes))
        .sum();
    if phase.repeats(n_max) && total <= phase.free {
        return phase;
    }
    let pieces = |part: Part| match &part.tile {
        Some(tile) if part.divisible && 2 * tile.words(lanes) > phase.free => {
            let passes = phase.free / 2 / even(tile.k);
            part.divide(passes, lanes)
        }
        _ => vec![part],
    };
    Phase {
        parts: phase.parts.clone().into_iter().flat_map(pieces).collect(),
        ..phase
    }
}
