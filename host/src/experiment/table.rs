//! Cells to tables: mean ± standard deviation over the seeds, learning curves, a page.
//!
//! `table.json` and `table.md` hold what was found and nothing of when or where, so that a run that was killed and resumed writes the same bytes;
//! `page.html` and `times.json` name the machine and the times.
//!
//! ```
//! use astromorph_host::experiment::table::Spread;
//! let s = Spread::of(&[Some(1.0), None, Some(3.0)]).unwrap();
//! assert_eq!((s.mean, s.deviation, s.count), (2.0, 2f64.sqrt(), 2)); // of a sample: n − 1
//! assert_eq!(Spread::of(&[Some(0.1); 3]).unwrap().deviation, 0.0);         // nothing of a sum's rounding
//! assert_eq!(s.text(3), "2.000 ± 1.414 (2 of 3)");
//! ```

use super::cell::Cell;
use super::definition::{Definition, Job};
use super::measure::Measure;
use super::response::Trace;
use serde::Serialize;

/// Mean and standard deviation of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation; 0 of a single value.
    pub deviation: f64,
    /// Values.
    pub count: usize,
}

impl Spread {
    /// Of those there are.
    pub fn of(values: &[Option<f64>]) -> Option<Spread> {
        let found: Vec<f64> = values.iter().flatten().copied().collect();
        let n = found.len() as f64;
        // From the first value on: values that are all equal have no deviation, whatever their sum rounds to.
        let first = found.first().copied().unwrap_or_default();
        let mean = first + found.iter().map(|x| x - first).sum::<f64>() / n;
        let squares: f64 = found.iter().map(|x| (x - mean).powi(2)).sum();
        (!found.is_empty()).then(|| Spread {
            mean,
            deviation: (squares / (n - 1.0).max(1.0)).sqrt(),
            count: found.len(),
        })
    }

    /// For a table's cell; `seeds` is how many values there could be.
    pub fn text(&self, seeds: usize) -> String {
        let digits = |x: f64| match x.abs() {
            a if a >= 1000.0 => 0,
            a if a >= 10.0 => 2,
            _ => 3,
        };
        let (places, mean) = (digits(self.mean), self.mean);
        let mut text = match (mean.is_finite() && mean != 0.0 && mean.abs() < 1e-3) || mean.abs() >= 1e6 {
            true => format!("{mean:.2e}"),
            false => format!("{mean:.places$}"),
        };
        if self.count > 1 && self.deviation > 0.0 {
            text += &match self.deviation < 1e-3 || self.deviation >= 1e6 {
                true => format!(" ± {:.1e}", self.deviation),
                false => format!(" ± {:.places$}", self.deviation),
            };
        }
        if self.count < seeds {
            text += &format!(" ({} of {seeds})", self.count);
        }
        text
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableRow {
    /// Its name.
    pub name: String,
    /// Values by column and seed.
    pub values: Vec<Vec<Option<f64>>>,
    /// Spreads by column.
    pub spreads: Vec<Option<Spread>>,
    /// Mean validation accuracy by epoch: of the seeds' curves, point by point as far as all go.
    pub curve: Vec<(f64, f64)>,
    /// The astrocyte's response of the first seed, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// The table of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The group.
    pub name: String,
    /// The built-in project behind it.
    pub project: String,
    /// Validation accuracy of the column of epochs, %.
    pub threshold: f64,
    /// Items of the splits.
    pub items: [usize; 3],
    /// Seeds.
    pub seeds: Vec<u64>,
    /// What the columns are.
    pub columns: Vec<Measure>,
    /// Rows.
    pub rows: Vec<TableRow>,
}

/// All tables.
pub fn tables(definition: &Definition, cells: &[(Job, Cell)]) -> Vec<Table> {
    let of_group = |g: usize| cells.iter().filter(move |(job, _)| job.group == g);
    let table = |g: usize| {
        let group = &definition.groups[g];
        let mut seeds: Vec<u64> = of_group(g).map(|(job, _)| job.seed).collect();
        seeds.sort();
        seeds.dedup();
        let row = |r: usize| {
            let found: Vec<&Cell> = of_group(g)
                .filter(|(job, _)| job.row == r)
                .map(|(_, cell)| cell)
                .collect();
            let values: Vec<Vec<Option<f64>>> = definition
                .measures
                .iter()
                .map(|m| found.iter().map(|c| c.measures.get(m).copied()).collect())
                .collect();
            let points = found.iter().map(|c| c.curve.len()).min().unwrap_or(0);
            let mean = |p: usize| found.iter().map(|c| c.curve[p].validation).sum::<f64>() / found.len() as f64;
            TableRow {
                name: group.rows[r].name.clone(),
                spreads: values.iter().map(|v| Spread::of(v)).collect(),
                values,
                trace: found.first().and_then(|c| c.trace.clone()),
                curve: (0..points).map(|p| (found[0].curve[p].epoch, mean(p))).collect(),
            }
        };
        Table {
            name: group.name.clone(),
            project: group.project.clone(),
            threshold: group.threshold,
            items: of_group(g).next().map(|(_, c)| c.items).unwrap_or_default(),
            seeds,
            columns: definition.measures.clone(),
            rows: (0..group.rows.len()).map(row).collect(),
        }
    };
    (0..definition.groups.len()).map(table).collect()
}

impl Table {
    /// Columns that any row has.
    pub fn grid(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&c| self.rows.iter().any(|row| row.spreads[c].is_some()))
            .collect();
        let heading = |&c: &usize| match self.columns[c] {
            Measure::Epochs => format!("epochs to {} %", self.threshold),
            column => column.heading().to_string(),
        };
        let head = std::iter::once(self.name.clone())
            .chain(shown.iter().map(heading))
            .collect();
        let cell = |row: &TableRow, c: usize| row.spreads[c].map_or("–".into(), |s| s.text(self.seeds.len()));
        let rows = self.rows.iter().map(|row| {
            let cells = shown.iter().map(|&c| cell(row, c));
            std::iter::once(row.name.clone()).chain(cells).collect()
        });
        (head, rows.collect())
    }

    /// Items and seeds in words.
    pub fn words(&self) -> String {
        let [train, validation, test] = self.items;
        let seeds = self.seeds.len();
        format!(
            "{train} training, {validation} validation, {test} test items; {seeds} seeds; project {}",
            self.project
        )
    }
}
