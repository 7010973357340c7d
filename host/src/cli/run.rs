//! `astromorph run`: the whole chain in one command, resuming what an interrupted run left behind.

use super::engine::{Counts, hardware};
use super::evaluate::{on_boards, simulated};
use super::quantize::{of_width, quantized, sequences, tensor_errors};
use super::train::{finish, new_report, trained};
use super::verify::verdict;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome, emit, simulate};
use crate::boards::Board;
use crate::chain::answers::Answers;
use crate::chain::engine::Model;
use crate::cores::for_image;
use crate::data::Dataset;
use crate::progress::Progress;
use crate::project::TaskSpec;
use crate::report::{Report, StageRow, save};
use crate::train::bag;
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::spec::{Input, QuantizeSpec};
use clap::Args;

/// Arguments of `run`.
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    counts: Counts,
    /// Ends on virtual boards of this name: deployed, and evaluated item by item.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Test sequences for the boards.
    #[arg(long, default_value_t = 500)]
    on_board: usize,
}

impl Run {
    /// Trains, quantises to the project's width and to the other of 8 and 16 bits, verifies, emits, reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        // A wrong name must not show after hours.
        self.board.as_deref().map(Board::find).transpose()?;
        workspace.claim()?;
        let set = workspace.dataset(progress)?;
        let mut report = new_report(&workspace, "run");
        let found = self.chain(&workspace, &set, progress, &mut report);
        // Whatever was found before something failed is worth reading.
        finish(&report, &workspace, common)?;
        found?;
        verdict(&report)
    }

    fn chain(&self, workspace: &Workspace, set: &Dataset, progress: &Progress, report: &mut Report) -> Outcome {
        let weights = trained(workspace, set, progress, report)?;
        let stage = progress.stage("accuracy in floating point");
        let golden = Answers::golden(&workspace.project.model, &weights, &set.test, progress)?;
        report.accuracy.push(golden.accuracy(&set.test));
        self.baseline(workspace, set, progress, report)?;
        report.stages.push(StageRow {
            stage: "floating-point accuracy".into(),
            seconds: stage.seconds(),
        });
        for (k, widths) in self.widths(workspace).iter().enumerate() {
            let image = quantized(workspace, set, &weights, widths, progress, report)?;
            let stage = progress.stage(&format!(
                "the {}-bit twin on the whole test set",
                widths.activation_bits
            ));
            tensor_errors(workspace, &image, set, report)?;
            let twin = Answers::twin(&image, &set.test, 0, progress)?;
            report.accuracy.push(twin.accuracy(&set.test));
            let stage_name = format!("twin, {} bits", widths.activation_bits);
            report.stages.push(StageRow {
                stage: stage_name,
                seconds: stage.seconds(),
            });
            let primary = k == 0;
            let counts = if primary {
                self.counts
            } else {
                Counts {
                    netlist: 0,
                    ..self.counts
                }
            };
            let inputs = sequences(&set.test, counts.rusthdl.max(counts.verilated).max(counts.netlist));
            let core = for_image(&workspace.project, &image)?;
            let outputs = hardware(workspace, &image, &core, (&inputs, &[]), counts, progress, report)?;
            simulated(&image, &set.test, &outputs, report);
            if let Some(board) = self.board.as_deref().filter(|_| primary) {
                let some = &set.test[..self.on_board.min(set.test.len())];
                on_boards(workspace, &image, board, some, progress, report)?;
            }
            if primary {
                self.files(workspace, &image, &core, set, progress)?;
            }
        }
        Ok(())
    }

    /// The project's widths first, then the other of the two that every report shows.
    fn widths(&self, workspace: &Workspace) -> Vec<QuantizeSpec> {
        let own = workspace.project.quantize;
        let other = if own.activation_bits == 8 { 16 } else { 8 };
        vec![own, of_width(own, other)]
    }

    /// A bag of words, which text classifiers must be compared with.
    fn baseline(&self, workspace: &Workspace, set: &Dataset, progress: &Progress, report: &mut Report) -> Outcome {
        if matches!(workspace.project.task, TaskSpec::Recall { .. }) {
            return Ok(());
        }
        let Input::Tokens { vocabulary, .. } = workspace.project.model.input else {
            return Ok(());
        };
        progress.say("  baseline: a bag of words");
        let model = &workspace.project.model;
        let bag = bag::train(
            &workspace.project.train,
            vocabulary,
            model.d_model,
            model.output.size,
            &set.train,
        )?;
        let hit = bag.accuracy(&set.test);
        report.accuracy.push(crate::report::Accuracy {
            form: "bag of words".into(),
            width: "float".into(),
            correct: (hit * set.test.len() as f64).round() as usize,
            total: set.test.len(),
            sequences: set.test.len(),
        });
        Ok(())
    }

    /// Verilog for every target, the program, and a waveform.
    fn files(
        &self,
        workspace: &Workspace,
        image: &Image,
        core: &EngineConfig,
        set: &Dataset,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let stage = progress.stage("Verilog, program and waveform");
        for target in emit::targets(core) {
            emit::write(core, target, &workspace.file("verilog"))?;
        }
        let model = Model::new(image, core, "whole model".into(), workspace.project.train.seed)?;
        save(
            &workspace.file("program.safetensors"),
            &model.compiled.package(core)?.to_bytes()?,
        )?;
        if let Some(example) = set.test.first() {
            let path = workspace.file("waves").join("engine.vcd");
            simulate::waveform(
                &model,
                &model.fractions()?,
                model.input(&example.sequence)?,
                &path,
                false,
            )?;
        }
        progress.say(&format!("  {:.1} s", stage.seconds()));
        Ok(())
    }
}
