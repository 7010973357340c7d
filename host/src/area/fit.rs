//! Logic by block as a linear function of the core's sizes, fitted by least squares to the calibration's designs.
//!
//! | block | coefficients: of 1, and of |
//! |---|---|
//! | array, what packing adds | P, P where W > 8 (a lane has a multiplier of its own), P·A |
//! | bank_port | P, W, bits of a bank address |
//! | tail | W, A, 1 where the device has a multiplier for it |
//! | all others | W, A, bits of the addresses of X, M and bank together |
//!
//! Blocks of a few cells at the top are one, `(top)`; the registers around the core (`build.md`) are `(wrapper)`. `packing` is what nextpnr's
//! packer adds to the LUTs and carries: carry chains' ends, registers and carries that share no cell with a LUT.

use super::calibration::Design;
use super::{Blocks, Logic, logic};
use crate::boards::Family;
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use astromorph_hdl::engine::top::spare_multiplier;
use std::collections::{BTreeMap, BTreeSet};

/// Coefficients of a block.
const TERMS: usize = 4;
/// Blocks with a row of their own.
const NAMED: [&str; 16] = [
    "array",
    "bank_port",
    "best",
    "bus",
    "conveyor",
    "fetch",
    "fill",
    "front",
    "intake",
    "sink",
    "store",
    "tail",
    "walker",
    "x_memory",
    "fields",
    "(wrapper)",
];
/// The row of what packing adds.
pub const PACKING: &str = "packing";
/// Sum of a row's placed cells.
pub const PLACED: &str = "placed";

/// A fitted family.
pub struct Model {
    family: Family,
    logic: Logic,
    coefficients: BTreeMap<(String, &'static str), [f64; TERMS]>,
}

fn terms(family: Family, block: &str, core: &EngineConfig) -> [f64; TERMS] {
    let (p, w, a) = (core.lanes as f64, core.width as f64, core.acc_bits as f64);
    let bits = |words: usize| (words as f64).log2().ceil();
    match block {
        "array" | PACKING => [1.0, p, if core.width > 8 { p } else { 0.0 }, p * a],
        "bank_port" => [1.0, p, w, bits(core.bank_words)],
        "tail" => {
            let spare = spare_multiplier(core, crate::build::engine::target(family));
            [1.0, w, a, spare.is_ok_and(|spare| spare) as u32 as f64]
        }
        _ => [
            1.0,
            w,
            a,
            bits(core.x_words) + bits(core.m_words) + bits(core.bank_words),
        ],
    }
}

/// The fitted cells of a design: row, cell, count.
pub(super) fn rows(logic: &Logic, design: &Design) -> Blocks {
    let mut rows = Blocks::new();
    for (block, cells) in &design.blocks {
        let name = match block.as_str() {
            "norm_fields" => "fields",
            other => NAMED.iter().copied().find(|n| *n == other).unwrap_or("(top)"),
        };
        let row = rows.entry(name.to_string()).or_default();
        for (kind, &n) in cells {
            let cell = logic.cells.iter().find(|c| *c == kind);
            let register = kind.starts_with(logic.register).then_some(&logic.cells[2]);
            if let Some(cell) = cell.or(register) {
                *row.entry(cell.to_string()).or_default() += n as f64;
            }
        }
    }
    let counted: f64 = rows.values().map(|row| taken(logic, row)).sum();
    let placed = design.placed.get(logic.placed).copied().unwrap_or(0) as f64;
    rows.insert(PACKING.into(), [(PLACED.to_string(), placed - counted)].into());
    rows
}

/// Placed cells of a row's LUTs and carries.
fn taken(logic: &Logic, row: &BTreeMap<String, f64>) -> f64 {
    let of = |n: usize| row.get(logic.cells[n]).copied().unwrap_or(0.0) * logic.takes[n];
    of(0) + of(1)
}

impl Model {
    /// Fitted to these designs.
    pub fn new(family: Family, designs: &[Design]) -> Result<Model> {
        let logic = logic(family)?;
        if designs.len() < TERMS {
            return Err(Error::field(
                "calibration",
                format!("{TERMS} designs or more"),
                designs.len(),
            ));
        }
        let all: Vec<Blocks> = designs.iter().map(|d| rows(&logic, d)).collect();
        let names: BTreeSet<&String> = all.iter().flat_map(|rows| rows.keys()).collect();
        let mut coefficients = BTreeMap::new();
        for name in names {
            for cell in logic.cells.into_iter().chain([PLACED]) {
                let x: Vec<_> = designs.iter().map(|d| terms(family, name, &d.core)).collect();
                let y: Vec<_> = all
                    .iter()
                    .map(|rows| rows.get(name).and_then(|row| row.get(cell)).copied().unwrap_or(0.0))
                    .collect();
                if y.iter().any(|&n| n != 0.0) {
                    coefficients.insert((name.clone(), cell), least_squares(&x, &y));
                }
            }
        }
        Ok(Model {
            family,
            logic,
            coefficients,
        })
    }

    /// Rows of a core, none below 0; [`PLACED`] in every one.
    pub fn blocks(&self, core: &EngineConfig) -> Blocks {
        let mut blocks = Blocks::new();
        for ((name, cell), c) in &self.coefficients {
            let n: f64 = c.iter().zip(terms(self.family, name, core)).map(|(c, t)| c * t).sum();
            blocks
                .entry(name.clone())
                .or_default()
                .insert(cell.to_string(), n.max(0.0));
        }
        for row in blocks.values_mut() {
            let placed = taken(&self.logic, row);
            row.entry(PLACED.into()).or_insert(placed);
        }
        blocks
    }
}

/// The c of least Σ(x·c − y)², by the normal equations; columns are scaled, and what the designs do not tell apart is shared out evenly.
fn least_squares(x: &[[f64; TERMS]], y: &[f64]) -> [f64; TERMS] {
    const RIDGE: f64 = 1e-6;
    let scale: [f64; TERMS] =
        std::array::from_fn(|k| x.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt().max(1e-9));
    let mut m = [[0.0; TERMS + 1]; TERMS];
    for (row, y) in x.iter().zip(y) {
        for i in 0..TERMS {
            for j in 0..TERMS {
                m[i][j] += row[i] / scale[i] * row[j] / scale[j];
            }
            m[i][TERMS] += row[i] / scale[i] * y;
        }
    }
    for (i, row) in m.iter_mut().enumerate() {
        row[i] += RIDGE;
    }
    // Gauss and Jordan; the ridge keeps every pivot above 0.
    for i in 0..TERMS {
        let pivot = m[i];
        for (j, row) in m.iter_mut().enumerate() {
            if i != j {
                let factor = row[i] / pivot[i];
                for (to, from) in row.iter_mut().zip(pivot) {
                    *to -= factor * from;
                }
            }
        }
    }
    std::array::from_fn(|k| m[k][TERMS] / m[k][k] / scale[k])
}

#[cfg(test)]
mod tests;
