//! `astromorph verify`: golden ↔ twin ↔ program ↔ RustHDL ↔ Verilog ↔ netlists, on the test set or on random data.

use super::engine::{Counts, chosen, hardware};
use super::quantize::{sequences, tensor_errors};
use super::random::{random_models, random_project};
use super::train::{finish, new_report};
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::progress::Progress;
use crate::report::Report;
use clap::Args;

/// Arguments of `verify`.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    counts: Counts,
    /// Random weights and random sequences instead of trained ones and a data set; with --core random models, one after the other.
    #[arg(long)]
    random: bool,
    /// The engines to verify, and the program's accuracy on the whole test set: built-in cores by name, or NAME.toml (default: the project's core).
    #[arg(long, value_name = "CORE", value_delimiter = ',')]
    core: Vec<String>,
    /// Random models, with --random and --core.
    #[arg(long, default_value_t = 200, requires = "random", requires = "core")]
    specs: usize,
}

impl Verify {
    /// Compares and reports; a difference is exit code 1.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let mut report = new_report(&workspace, "verify");
        if self.random && !self.core.is_empty() {
            let seed = workspace.project.train.seed;
            return random_models(&self.core, self.specs, seed, (&workspace, common, progress), report);
        }
        let most = self.counts.most();
        let (image, inputs, test) = if self.random {
            let (image, inputs) = random_project(&workspace, most)?;
            (image, inputs, Vec::new())
        } else {
            let (image, mut set) = (workspace.image()?, workspace.dataset(progress)?);
            tensor_errors(&workspace, &image, &set, &mut report)?;
            let inputs = sequences(&set.test, most);
            // The whole test set costs time: only for a core that is asked for.
            set.test.truncate(if self.core.is_empty() { 0 } else { usize::MAX });
            (image, inputs, set.test)
        };
        let found = chosen(&workspace, &self.core, &image).and_then(|cores| {
            cores.iter().try_for_each(|core| {
                let on = (&inputs[..], &test[..]);
                hardware(&workspace, &image, core, on, self.counts, progress, &mut report).map(|_| ())
            })
        });
        finish(&report, &workspace, common)?;
        found?;
        verdict(&report)
    }
}

/// Success only when every comparison made was equal, and one was made.
pub fn verdict(report: &Report) -> Outcome {
    if report.all_equal() {
        return Ok(());
    }
    let different: Vec<_> = report
        .comparisons
        .iter()
        .filter(|c| c.verdict() == "DIFFERENT")
        .collect();
    Err(Failure::Different(match different.first() {
        Some(c) => format!(
            "{} and {} differ in {} of {} words ({})",
            c.left, c.right, c.mismatches, c.words, c.what
        ),
        None => "nothing was compared".into(),
    }))
}
