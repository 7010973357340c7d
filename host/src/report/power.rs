//! The part of a report that says what a design is estimated to draw.

use super::routed::Table;
use super::table::{grid, number};
use serde::{Deserialize, Serialize};

/// Estimated power of a core's supply. Every triple is least, typical, most: all charges at the ends of their ranges together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Power {
    /// What ran, and how long.
    pub workload: String,
    /// The clock.
    pub mhz: f64,
    /// The core supply.
    pub volts: f64,
    pub rows: Vec<CurrentRow>,
    pub total_ma: [f64; 3],
    pub total_mw: [f64; 3],
    /// Energy of a token, µJ.
    pub token_uj: [f64; 3],
    /// Energy of a multiplication with its share of everything else, pJ.
    pub multiplication_pj: [f64; 3],
    /// Every constant with its range and where it is from.
    pub assumptions: Vec<String>,
}

/// Current of one kind of block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CurrentRow {
    pub kind: String,
    /// What was counted, a cycle.
    pub counts: String,
    pub ma: [f64; 3],
}

/// "typical (least to most)".
fn range([low, typical, high]: [f64; 3], unit: &str) -> String {
    format!("{} ({} to {}) {unit}", number(typical), number(low), number(high))
}

impl Power {
    /// What stands above the tables.
    pub(super) fn lines(&self) -> Vec<String> {
        vec![
            format!(
                "power, an ESTIMATE from activity (no measurement) of the engine alone, without link, PLL, pins: {} at {} MHz, {} V",
                range(self.total_mw, "mW"),
                number(self.mhz),
                self.volts
            ),
            format!(
                "an estimated {} a token, {} a multiplication with all that goes with it",
                range(self.token_uj, "µJ"),
                range(self.multiplication_pj, "pJ")
            ),
            format!("counted on the netlist: {}", self.workload),
        ]
    }

    /// Current by kind; the constants.
    pub(super) fn tables(&self) -> [Table; 2] {
        let row = |kind: &str, ma: [f64; 3], counts: &str| {
            let mut cells = vec![kind.to_string()];
            cells.extend(ma.map(number));
            cells.push(counts.to_string());
            cells
        };
        let mut rows: Vec<_> = self.rows.iter().map(|r| row(&r.kind, r.ma, &r.counts)).collect();
        rows.push(row("all", self.total_ma, ""));
        [
            (
                vec!["estimated current, mA", "least", "typical", "most", "counted"],
                rows,
            ),
            (
                vec!["assumed: typical (least to most); source"],
                self.assumptions.iter().map(|a| vec![a.clone()]).collect(),
            ),
        ]
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut out: String = self.lines().iter().map(|line| format!("\n{line}")).collect();
        out.push('\n');
        for (head, rows) in self.tables() {
            out.push('\n');
            out += &grid(&head, &rows);
        }
        out
    }
}
