//! The part of a report that a build fills: frequency by seed, cells, the longest path.

use super::table::{grid, number};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A design placed and routed on a board's device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Routed {
    pub board: String,
    /// Device, package and speed grade.
    pub device: String,
    /// Whether the board's pins were used, or the design stood out of context.
    pub context: String,
    /// Yosys' command with its options.
    pub synthesis: String,
    /// Version by tool.
    pub tools: BTreeMap<String, String>,
    /// Frequency asked for.
    pub asked_mhz: f64,
    /// One row a seed.
    pub seeds: Vec<SeedRow>,
    /// Placed cells by type: used and available, of the fastest seed.
    pub used: BTreeMap<String, [u64; 2]>,
    /// Cells of the netlist by type.
    pub cells: BTreeMap<String, u64>,
    /// Cells of the netlist by block.
    pub blocks: Vec<BlockRow>,
    /// The longest path of the slowest seed, in words.
    pub critical: String,
    /// File of the fastest seed, where there is one.
    pub bitstream: Option<String>,
}

/// One run of place and route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeedRow {
    pub seed: u64,
    /// Highest frequency.
    pub mhz: f64,
    /// Whether it reaches the one asked for.
    pub met: bool,
    /// Wall time.
    pub seconds: f64,
}

/// Cells of one block of the design.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockRow {
    pub block: String,
    /// Copies of the block, counted together.
    pub copies: usize,
    pub cells: BTreeMap<String, u64>,
}

/// A table: its heading and its rows.
pub(super) type Table = (Vec<&'static str>, Vec<Vec<String>>);

impl Routed {
    /// Smallest, middle and largest frequency over the seeds; `None` without seeds. Of an even number the middle is the mean of two.
    ///
    /// ```
    /// use astromorph_host::report::{Routed, SeedRow};
    /// let seed = |mhz| SeedRow { seed: 1, mhz, met: true, seconds: 1.0 };
    /// let routed = Routed { seeds: [57.0, 55.0, 62.0, 58.0].map(seed).into(), ..Routed::default() };
    /// assert_eq!(routed.mhz(), Some([55.0, 57.5, 62.0]));
    /// ```
    pub fn mhz(&self) -> Option<[f64; 3]> {
        let mut all: Vec<_> = self.seeds.iter().map(|s| s.mhz).collect();
        all.sort_by(f64::total_cmp);
        let middle = all.get((all.len().checked_sub(1)?) / 2)? + all.get(all.len() / 2)?;
        Some([*all.first()?, middle / 2.0, *all.last()?])
    }

    /// "timing met", or how many seeds miss it.
    pub fn verdict(&self) -> String {
        let missed = self.seeds.iter().filter(|s| !s.met).count();
        match missed {
            0 => format!("timing met: {} MHz in every seed", number(self.asked_mhz)),
            n => format!(
                "timing not met: {n} of {} seeds miss {} MHz",
                self.seeds.len(),
                number(self.asked_mhz)
            ),
        }
    }

    /// What stands above the tables.
    pub(super) fn lines(&self) -> Vec<String> {
        let tools: Vec<_> = self.tools.iter().map(|(t, v)| format!("{t} {v}")).collect();
        let mut lines = vec![
            format!("{}, {}; {}", self.board, self.device, self.context),
            format!("{}; {}", self.synthesis, tools.join(", ")),
        ];
        if let Some([low, middle, high]) = self.mhz() {
            lines.push(format!(
                "Fmax minimum {low:.1}, median {middle:.1}, maximum {high:.1} MHz over {} seeds; {}",
                self.seeds.len(),
                self.verdict()
            ));
        }
        lines.push(format!("longest path: {}", self.critical));
        lines.push(match &self.bitstream {
            Some(file) => format!("bitstream of the fastest seed: {file}"),
            None => "no bitstream: the pins are arbitrary".into(),
        });
        lines
    }

    /// Seeds, placed cells, cells by block.
    pub(super) fn tables(&self) -> [Table; 3] {
        let seed = |s: &SeedRow| {
            let met = if s.met { "yes" } else { "no" };
            vec![
                s.seed.to_string(),
                format!("{:.1}", s.mhz),
                met.into(),
                format!("{:.0}", s.seconds),
            ]
        };
        let used = |(cell, [n, of]): (&String, &[u64; 2])| {
            let share = 100.0 * *n as f64 / (*of).max(1) as f64;
            vec![cell.clone(), n.to_string(), of.to_string(), format!("{share:.0} %")]
        };
        let block = |b: &BlockRow| {
            let kinds: Vec<_> = b.cells.iter().map(|(cell, n)| format!("{cell} {n}")).collect();
            let all: u64 = b.cells.values().sum();
            vec![b.block.clone(), b.copies.to_string(), all.to_string(), kinds.join(", ")]
        };
        [
            (
                vec!["seed", "Fmax MHz", "met", "seconds"],
                self.seeds.iter().map(seed).collect(),
            ),
            (
                vec!["placed", "used", "available", "share"],
                self.used.iter().map(used).collect(),
            ),
            (
                vec!["block", "copies", "cells", "by type"],
                self.blocks.iter().map(block).collect(),
            ),
        ]
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for line in self.lines() {
            out += &format!("\n{line}");
        }
        out.push('\n');
        for (head, rows) in self.tables() {
            out.push('\n');
            out += &grid(&head, &rows);
        }
        out
    }
}
