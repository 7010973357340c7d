//! What a verb found out, as one structure: printed as a table, written as `report.json` and shown as `report.html`.
//!
//! Every verb fills the parts it knows; the HTML shows the same numbers as the JSON, with plots. Nothing is computed here.

mod disagreement;
pub mod html;
pub mod plot;
mod routed;
mod table;

pub use disagreement::Disagreement;
pub use routed::{BlockRow, Routed, SeedRow};
pub use table::{grid, text};

use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Everything a run reports.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Name of the project.
    pub name: String,
    /// The verb.
    pub verb: String,
    /// The verb with its arguments.
    pub command: String,
    /// Version of Astromorph.
    pub version: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The model in a few words (layers, heads, D, m, e, N_max, order).
    pub model: String,
    /// Accuracy of each form.
    pub accuracy: Vec<Accuracy>,
    /// Answers of the test set that two forms do not share.
    #[serde(default)]
    pub disagreements: Vec<Disagreement>,
    /// Comparisons between neighbouring forms.
    pub comparisons: Vec<ComparisonRow>,
    /// Error of the twin against golden, tensor by tensor.
    pub tensors: Vec<TensorRow>,
    /// Use of the multiplier slots by phase, counted from simulated signals.
    pub phases: Vec<PhaseRow>,
    /// One sequence's calcium over the cycles of its simulation.
    pub calcium: Option<CalciumTrace>,
    /// Cells after synthesis, by target.
    pub cells: Vec<CellsRow>,
    /// Placed and routed on a board's device.
    #[serde(default)]
    pub routed: Option<Routed>,
    /// Training curve: step, loss, validation accuracy where measured.
    pub training: Vec<TrainingRow>,
    /// Measured speeds and shares, with their goals.
    pub measures: Vec<MeasureRow>,
    /// Wall time by stage, in seconds.
    pub stages: Vec<StageRow>,
    /// What a reader must know: parts not compared, and why.
    pub notes: Vec<String>,
}

/// Accuracy of one form on the test set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accuracy {
    /// golden, twin, rusthdl, verilated, …
    pub form: String,
    /// Operand and weight widths, or "float".
    pub width: String,
    /// Predictions that hit.
    pub correct: usize,
    /// Predictions made.
    pub total: usize,
    /// Sequences they come from.
    pub sequences: usize,
}

impl Accuracy {
    /// Correct in percent, with the half-width of the 95 % Wilson interval.
    pub fn percent(&self) -> (f64, f64) {
        let (n, z) = (self.total.max(1) as f64, 1.96f64);
        let p = self.correct as f64 / n;
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        (100.0 * p, 100.0 * half)
    }
}

/// One comparison of two forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// The form taken as right.
    pub left: String,
    /// The form compared with it.
    pub right: String,
    /// What was compared: tensors, outputs, ports.
    pub what: String,
    /// Sequences.
    pub sequences: usize,
    /// Words compared.
    pub words: u64,
    /// Words that differ.
    pub mismatches: u64,
    /// Cycles simulated.
    pub cycles: u64,
    /// Empty, or why nothing was compared.
    pub not_compared: String,
}

impl ComparisonRow {
    /// A comparison that could not be made. It is never a pass.
    pub fn missing(left: &str, right: &str, what: &str, why: impl Into<String>) -> Self {
        ComparisonRow {
            left: left.into(),
            right: right.into(),
            what: what.into(),
            sequences: 0,
            words: 0,
            mismatches: 0,
            cycles: 0,
            not_compared: why.into(),
        }
    }

    /// "equal", "DIFFERENT" or "not compared".
    pub fn verdict(&self) -> &'static str {
        match (self.not_compared.is_empty(), self.words, self.mismatches) {
            (false, _, _) | (true, 0, _) => "not compared",
            (true, _, 0) => "equal",
            _ => "DIFFERENT",
        }
    }
}

/// Error of one tensor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TensorRow {
    /// Operand width of the twin it belongs to.
    pub width: String,
    /// Name (`docs/arithmetic.md` section 8).
    pub name: String,
    /// Format, as bits.frac.
    pub format: String,
    /// Values compared.
    pub count: u64,
    /// Largest absolute error.
    pub max: f64,
    /// Mean absolute error.
    pub mean: f64,
    /// Root mean square error.
    pub rms: f64,
    /// Signal to quantisation noise, dB.
    pub sqnr_db: f64,
    /// Values at the ends of the format.
    pub saturated: u64,
    /// Smallest SQNR allowed, dB.
    pub budget_db: f64,
}

/// Multiplier slots of one phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseRow {
    /// Kind of step (`write` of all heads and layers), or `between` for what the sequencer does beside them.
    pub phase: String,
    /// Cycles spent in it.
    pub cycles: u64,
    /// Multiplications done.
    pub used: u64,
    /// lanes × cycles.
    pub slots: u64,
}

/// Calcium of one head over a sequence, decoded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CalciumTrace {
    /// Tokens written so far, or the read position.
    pub token: Vec<f64>,
    /// One line a feature: s_i.
    pub s: Vec<Vec<f64>>,
    /// g_i after the seal, one a feature.
    pub g: Vec<f64>,
    /// Calcium response C of each token read.
    pub c: Vec<f64>,
}

/// Cells of one synthesised core.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellsRow {
    /// ice40 or ecp5.
    pub target: String,
    /// Synthesis tool and version.
    pub tool: String,
    /// Count by cell type.
    pub cells: BTreeMap<String, u64>,
}

/// One point of the training curve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainingRow {
    /// Optimiser step.
    pub step: usize,
    /// Training loss.
    pub loss: f64,
    /// Validation accuracy in percent, where it was measured.
    pub validation: Option<f64>,
}

/// One measured quantity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeasureRow {
    /// What was measured.
    pub what: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The goal it is held against, or empty.
    pub goal: String,
}

/// Wall time of one stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageRow {
    /// What was done.
    pub stage: String,
    /// Seconds.
    pub seconds: f64,
}

impl Report {
    /// Whether every comparison that was made found equality, and at least one was made.
    pub fn all_equal(&self) -> bool {
        let made = self
            .comparisons
            .iter()
            .filter(|c| c.verdict() != "not compared")
            .count();
        made > 0 && self.comparisons.iter().all(|c| c.verdict() != "DIFFERENT")
    }

    /// Writes `report.json` and `report.html` into `folder`, each in one step so that an interruption leaves the old one.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(folder.join("report.json"), e))?;
        save(&folder.join("report.json"), json.as_bytes())?;
        save(&folder.join("report.html"), html::html(self)?.as_bytes())
    }

    /// Reads a `report.json`.
    pub fn read(path: &Path) -> Result<Report> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        serde_json::from_str(&text).map_err(|e| Error::file(path, format!("not a report: {e}")))
    }
}

/// Writes a file whole or not at all, and makes its folder when there is none.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
    astromorph::atomic::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: u64, mismatches: u64, why: &str) -> ComparisonRow {
        ComparisonRow {
            words,
            mismatches,
            ..ComparisonRow::missing("twin", "rusthdl", "y", why)
        }
    }

    #[test]
    fn a_comparison_of_nothing_is_no_pass() {
        let mut report = Report::default();
        assert!(!report.all_equal(), "no comparison at all");
        report.comparisons.push(row(0, 0, ""));
        assert_eq!(report.comparisons[0].verdict(), "not compared");
        assert!(!report.all_equal(), "a comparison of zero words");
        report.comparisons.push(row(5, 0, ""));
        assert!(report.all_equal());
        report.comparisons.push(row(5, 1, ""));
        assert!(!report.all_equal());
    }

    #[test]
    fn disagreements_stand_in_both_reports() {
        let mut report = Report::default();
        report.disagreements.push(Disagreement {
            left: "golden".into(),
            right: "board".into(),
            item: 71,
            row: 2,
            says: (5, 6),
            target: None,
        });
        let page = html::html(&report).unwrap();
        assert!(
            page.contains("<td>golden ≠ board</td><td>71</td><td>2</td><td>5</td><td>6</td><td>-</td>"),
            "{page}"
        );
        assert!(text(&report).contains("golden ≠ board"));
    }

    #[test]
    fn wilson_interval_of_even_odds() {
        let a = Accuracy {
            form: "twin".into(),
            width: "8".into(),
            correct: 50,
            total: 100,
            sequences: 100,
        };
        let (p, half) = a.percent();
        assert_eq!(p, 50.0);
        assert!((half - 9.62).abs() < 0.01, "{half}"); // Wilson: 1.96/(1+.0384)·√(.0025+.0000960)
    }

    #[test]
    fn html_is_self_contained_and_escapes() {
        let mut report = Report {
            name: "<b>".into(),
            ..Report::default()
        };
        report.accuracy.push(Accuracy {
            form: "golden".into(),
            width: "float".into(),
            correct: 3,
            total: 4,
            sequences: 4,
        });
        report.tensors.push(TensorRow {
            width: "8".into(),
            name: "x0".into(),
            format: "8.4".into(),
            count: 9,
            max: 0.1,
            mean: 0.05,
            rms: 0.06,
            sqnr_db: 41.0,
            saturated: 0,
            budget_db: 20.0,
        });
        report.phases.push(PhaseRow {
            phase: "write".into(),
            cycles: 10,
            used: 70,
            slots: 80,
        });
        report.calcium = Some(CalciumTrace {
            token: vec![0.0, 1.0],
            s: vec![vec![0.0, 1.0]],
            g: vec![1.0],
            c: vec![2.0],
        });
        report.cells.push(CellsRow {
            target: "ice40".into(),
            tool: "yosys".into(),
            cells: [("SB_LUT4".to_string(), 7)].into(),
        });
        report.training.push(TrainingRow {
            step: 1,
            loss: 0.7,
            validation: Some(50.0),
        });
        let page = html::html(&report).unwrap();
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
        assert!(page.matches("<svg").count() >= 5, "plots");
        assert!(
            !page.contains("http://")
                || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
        );
        let json = serde_json::to_string(&report).unwrap();
        let back: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(back.tensors[0].name, "x0");
    }
}
