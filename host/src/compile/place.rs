//! Where tiles stand in the banks when not all fit: at the lower or the upper end, so that as little as possible of a tile overlaps the one used
//! just before it. What does not overlap is filled while that one is in use; the rest must wait for its end.
//!
//! A unit is what is filled together: one tile, or all tiles of a loop that fits ("block"). The tiles of a loop that does not fit follow each
//! other in a circle. With two places each, the cheapest choice is found by going through the units once, keeping the best way to either place.

use super::part::{Part, Phase, Tile};
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use std::ops::Range;

/// What is filled together, before its phase's parts in `parts`.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Indices of the phase's parts that use its tiles.
    pub parts: Vec<usize>,
    /// First bank word.
    pub at: usize,
}

/// How a phase gets its weights.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// One tile after the other, once.
    Straight(Vec<Unit>),
    /// All before the loop.
    Block(Unit),
    /// One tile after the other, around and around.
    Circle(Vec<Unit>),
}

/// One unit while places are chosen.
struct Choice {
    words: usize,
    free: usize,
    /// Whether it may overlap the unit before it at no cost: nothing is filled beside that one, or another step comes between.
    apart: bool,
}

impl Choice {
    fn place(&self, upper: bool) -> Range<usize> {
        let at = if upper { self.free - self.words } else { 0 };
        at..at + self.words
    }
}

/// Words that two ranges share.
fn shared(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

/// The cheapest places in a row of units, the first one's given or free; with their cost.
fn cheapest(units: &[Choice], first: Option<bool>) -> (usize, Vec<bool>) {
    const NEVER: usize = usize::MAX / 2;
    let mut ways: [(usize, Vec<bool>); 2] = [false, true].map(|upper| {
        let barred = first.is_some_and(|first| first != upper);
        (if barred { NEVER } else { 0 }, vec![upper])
    });
    for pair in units.windows(2) {
        ways = [false, true].map(|upper| {
            let cost = |from: bool| match pair[1].apart {
                true => 0,
                false => shared(&pair[0].place(from), &pair[1].place(upper)),
            };
            let by = [false, true].map(|from| ways[usize::from(from)].0 + cost(from));
            let from = usize::from(by[1] < by[0]);
            let mut way = ways[from].1.clone();
            way.push(upper);
            (by[from], way)
        });
    }
    let [lower, upper] = ways;
    if upper.0 < lower.0 { upper } else { lower }
}

/// The cheapest places in a circle.
fn around(units: &[Choice]) -> Vec<bool> {
    let closed = [false, true].map(|first| {
        let (cost, way) = cheapest(units, Some(first));
        let (last, end) = (&units[units.len() - 1], way[way.len() - 1]);
        let closing = if units[0].apart {
            0
        } else {
            shared(&last.place(end), &units[0].place(first))
        };
        (cost + closing, way)
    });
    let [lower, upper] = closed;
    if upper.0 < lower.0 { upper.1 } else { lower.1 }
}

fn words(part: &Part, lanes: usize) -> usize {
    part.tile.as_ref().map_or(0, |tile| tile.words(lanes))
}

/// Words of all tiles of a phase.
pub(super) fn total(phase: &Phase, lanes: usize) -> usize {
    phase.parts.iter().map(|part| words(part, lanes)).sum()
}

/// Refuses a tile that the banks do not hold beside H and V.
fn fits(tile: &Tile, free: usize, core: &EngineConfig) -> Result<()> {
    let (words, beside) = (tile.words(core.lanes), core.bank_words - free);
    if words > free {
        let expected = format!(
            "{} or more words for {} on {} lanes (H and V take {beside})",
            words + beside,
            tile.weight,
            core.lanes
        );
        return Err(Error::field("core.bank_words", expected, core.bank_words));
    }
    Ok(())
}

/// The way of every phase, with all places.
pub(super) fn ways(phases: &[Phase], n_max: usize, core: &EngineConfig) -> Result<Vec<Way>> {
    let lanes = core.lanes;
    let mut ways = Vec::new();
    // Units of straight phases that follow each other, and blocks before which nothing else is used: (phase, parts).
    let mut row: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut choices: Vec<Choice> = Vec::new();
    let mut follows = false;
    for (p, phase) in phases.iter().enumerate() {
        let users: Vec<usize> = (0..phase.parts.len())
            .filter(|&i| phase.parts[i].tile.is_some())
            .collect();
        for tile in phase.parts.iter().filter_map(|part| part.tile.as_ref()) {
            fits(tile, phase.free, core)?;
        }
        // Whether another array step comes between the users.
        let between = |from: usize, to: usize| phase.parts[from..to].iter().any(|part| part.mac().is_some());
        let repeats = phase.repeats(n_max) && !users.is_empty();
        if repeats && total(phase, lanes) > phase.free {
            let gap = |k: usize| match k {
                0 => between(users[users.len() - 1] + 1, phase.parts.len()) || between(0, users[0]),
                _ => between(users[k - 1] + 1, users[k]),
            };
            let circle = users.iter().enumerate().map(|(k, &i)| Choice {
                words: words(&phase.parts[i], lanes),
                free: phase.free,
                apart: gap(k),
            });
            let circle: Vec<Choice> = circle.collect();
            let places = around(&circle)
                .into_iter()
                .zip(&circle)
                .map(|(upper, choice)| choice.place(upper).start);
            let units = users.iter().zip(places).map(|(&i, at)| Unit { parts: vec![i], at });
            ways.push(Way::Circle(units.collect()));
            follows = false;
            continue;
        }
        let groups: Vec<Vec<usize>> = if repeats {
            vec![users]
        } else {
            users.into_iter().map(|i| vec![i]).collect()
        };
        let mut from = 0;
        for group in groups {
            choices.push(Choice {
                words: group.iter().map(|&i| words(&phase.parts[i], lanes)).sum(),
                free: phase.free,
                apart: !follows || between(from, group[0]),
            });
            from = group[group.len() - 1] + 1;
            row.push((p, group));
            follows = !repeats;
        }
        // Its places are filled in below.
        ways.push(Way::Straight(Vec::new()));
        if between(from, phase.parts.len()) && !repeats {
            follows = false;
        }
    }
    if choices.is_empty() {
        return Ok(ways);
    }
    let places = cheapest(&choices, None).1;
    for (((p, parts), choice), upper) in row.into_iter().zip(&choices).zip(places) {
        let unit = Unit {
            parts,
            at: choice.place(upper).start,
        };
        match &mut ways[p] {
            Way::Straight(units) if !phases[p].repeats(n_max) => units.push(unit),
            way => *way = Way::Block(unit),
        }
    }
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(words: usize, free: usize, apart: bool) -> Choice {
        Choice { words, free, apart }
    }

    #[test]
    fn neighbours_stand_at_different_ends() {
        let row = [
            choice(4, 10, true),
            choice(6, 10, false),
            choice(4, 10, false),
            choice(8, 10, false),
        ];
        let (cost, places) = cheapest(&row, None);
        assert_eq!(cost, 2);
        assert!(places[0] != places[1] && places[1] != places[2]);
        assert!(cheapest(&row, Some(true)).1[0]);
    }

    /// Two tiles of 2 and one of 4 in 6 words: the big one may overlap the second, because another step comes between.
    #[test]
    fn a_circle_closes() {
        let circle = [choice(2, 6, false), choice(2, 6, false), choice(4, 6, true)];
        let places: Vec<Range<usize>> = around(&circle)
            .into_iter()
            .zip(&circle)
            .map(|(u, c)| c.place(u))
            .collect();
        assert_eq!((shared(&places[0], &places[1]), shared(&places[2], &places[0])), (0, 0));
    }
}
