//! `astromorph run`: the whole chain in one command, resuming what an interrupted run left behind.

use super::evaluate::{golden, simulated, twin};
use super::quantize::{of_width, quantized, sequences, tensor_errors};
use super::train::{finish, new_report, trained};
use super::verify::{Counts, core_config, hardware, verdict};
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome, simulate};
use crate::chain::hardware::of;
use crate::data::Dataset;
use crate::progress::Progress;
use crate::project::TaskSpec;
use crate::report::{Report, StageRow, save};
use crate::train::bag;
use astromorph::image::Image;
use astromorph::spec::{Input, QuantizeSpec};
use astromorph::twin::Twin;
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::emit::emit;
use astromorph_hdl::multiply::Target;
use astromorph_sim::netlist;
use clap::Args;

/// Arguments of `run`.
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    counts: Counts,
}

impl Run {
    /// Trains, quantises to the project's width and to the other of 8 and 16 bits, verifies, emits, reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        workspace.claim()?;
        let set = workspace.dataset()?;
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
        report.accuracy.push(golden(workspace, &weights, &set.test, progress)?);
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
            report.accuracy.push(twin(&image, &set.test, progress)?);
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
            let outputs = hardware(workspace, &image, &inputs, counts, progress, report)?;
            simulated(&image, &set.test, &outputs, report)?;
            if primary {
                self.files(workspace, &image, set, progress)?;
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

    /// Verilog for every target, and a waveform.
    fn files(&self, workspace: &Workspace, image: &Image, set: &Dataset, progress: &Progress) -> Result<(), Failure> {
        let stage = progress.stage("Verilog and waveform");
        let twin = Twin::new(image)?;
        for l in 0..image.spec().layers {
            let Some(att) = twin.attention(l) else { continue };
            let targets = [
                (Target::Generic, "generic"),
                (of(netlist::Target::Ice40), "ice40"),
                (of(netlist::Target::Ecp5), "ecp5"),
            ];
            for (target, name) in targets {
                if target == Target::Ice40 && att.width() > 16 {
                    continue;
                }
                let path = workspace.file("verilog").join(format!("core-{l}-{name}.v"));
                save(
                    &path,
                    emit(
                        att,
                        CoreConfig {
                            target,
                            ..core_config(workspace)
                        },
                        &image.hash(),
                    )?
                    .as_bytes(),
                )?;
            }
        }
        if let Some(example) = set.test.first() {
            simulate::waveform(
                workspace,
                &twin,
                0,
                &example.sequence,
                &workspace.file("waves").join("core-0.vcd"),
                false,
            )?;
        }
        progress.say(&format!("  {:.1} s", stage.seconds()));
        Ok(())
    }
}
