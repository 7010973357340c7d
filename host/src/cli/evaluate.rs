//! `astromorph evaluate`: accuracy on the test set by form.

use super::engine::{Counts, Outputs, hardware};
use super::train::{finish, new_report};
use super::verify::verdict;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::accuracy::{accuracy, hits};
use crate::cores::for_image;
use crate::data::Example;
use crate::progress::Progress;
use crate::report::{Accuracy, Report};
use astromorph::golden::Golden;
use astromorph::image::Image;
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use clap::{Args, ValueEnum};

/// Arguments of `evaluate`.
#[derive(Args)]
pub struct Evaluate {
    #[command(flatten)]
    choice: Choice,
    /// Forms to evaluate.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Form::Golden, Form::Twin])]
    on: Vec<Form>,
    /// Test sequences for the simulated forms (golden and twin take all).
    #[arg(long, default_value_t = 200)]
    sequences: usize,
}

/// A form of the model.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Floating point.
    Golden,
    /// Integers.
    Twin,
    /// The whole model on the engine in simulated RustHDL.
    Rusthdl,
    /// The whole model on the Verilated engine.
    Verilated,
}

impl Evaluate {
    /// Evaluates and reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let mut report = new_report(&workspace, "evaluate");
        let weights = workspace.weights()?;
        let set = workspace.dataset()?;
        let wants = |form: Form| self.on.contains(&form);
        if wants(Form::Golden) {
            report.accuracy.push(golden(&workspace, &weights, &set.test, progress)?);
        }
        if wants(Form::Twin) {
            report.accuracy.push(twin(&workspace.image()?, &set.test, progress)?);
        }
        if wants(Form::Rusthdl) || wants(Form::Verilated) {
            let image = workspace.image()?;
            let n = |form: Form| if wants(form) { self.sequences } else { 0 };
            let counts = Counts {
                rusthdl: n(Form::Rusthdl),
                verilated: n(Form::Verilated),
                netlist: 0,
            };
            let inputs = super::quantize::sequences(&set.test, self.sequences);
            let core = for_image(&workspace.project, &image)?;
            let on = (&inputs[..], &[][..]);
            let outputs = hardware(&workspace, &image, &core, on, counts, progress, &mut report)?;
            simulated(&image, &set.test, &outputs, &mut report);
            finish(&report, &workspace, common)?;
            return verdict(&report);
        }
        finish(&report, &workspace, common)
    }
}

/// Accuracy in floating point, on every example.
pub fn golden(
    workspace: &Workspace,
    weights: &Weights,
    test: &[Example],
    progress: &Progress,
) -> Result<Accuracy, Failure> {
    let model = Golden::<f64>::new(&workspace.project.model, weights)?;
    accuracy("golden", "float", test, progress, |s| Ok(model.predict(s)?.classes()))
}

/// Accuracy of the integer twin, on every example.
pub fn twin(image: &Image, test: &[Example], progress: &Progress) -> Result<Accuracy, Failure> {
    let model = Twin::new(image)?;
    let width = image.quantize().activation_bits.to_string();
    accuracy("twin", &width, test, progress, |s| Ok(model.predict(s)?.classes()))
}

/// Accuracy of the simulated engine, on the sequences that were simulated.
pub fn simulated(image: &Image, test: &[Example], outputs: &Outputs, report: &mut Report) {
    let largest = |row: &[i32]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    for (form, words) in [("RustHDL", &outputs.rusthdl), ("Verilator", &outputs.verilated)] {
        if words.is_empty() {
            continue;
        }
        let mut row = Accuracy {
            form: form.into(),
            width: image.quantize().activation_bits.to_string(),
            correct: 0,
            total: 0,
            sequences: words.len(),
        };
        for (example, logits) in test.iter().zip(words) {
            let classes: Vec<usize> = logits.chunks_exact(image.spec().output.size).map(largest).collect();
            let (correct, asked) = hits(&example.target, &classes);
            row.correct += correct;
            row.total += asked;
        }
        report.accuracy.push(row);
    }
}
