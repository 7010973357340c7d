//! `astromorph simulate`: one sequence through the RustHDL core, with a waveform in the papers' names.

use super::random::random_project;
use super::verify::core_config;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::hardware::PHASES;
use crate::chain::vectors::stream;
use crate::progress::Progress;
use crate::report::grid;
use astromorph::Error;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph_sim::core::CoreSimulator;
use astromorph_sim::cosim::streams::StreamRun;
use astromorph_sim::stream::Stalls;
use astromorph_sim::vcd::{Selection, WaveWriter};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `simulate`.
#[derive(Args)]
pub struct Simulate {
    #[command(flatten)]
    choice: Choice,
    /// Which test sequence.
    #[arg(long, default_value_t = 0)]
    sequence: usize,
    /// Which layer.
    #[arg(long, default_value_t = 0)]
    layer: usize,
    /// The waveform (default: OUT/waves/core-LAYER.vcd).
    #[arg(long, value_name = "FILE")]
    wave: Option<PathBuf>,
    /// Every signal of the core instead of the named ones.
    #[arg(long)]
    all_signals: bool,
    /// Random weights and a random sequence.
    #[arg(long)]
    random: bool,
}

/// Period of the waveform's clock: 48 MHz, in nanoseconds.
const PERIOD_NS: u64 = 20;

impl Simulate {
    /// Simulates, compares with the twin and writes the waveform.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let (image, sequences) = if self.random {
            random_project(&workspace, self.sequence + 1)?
        } else {
            (
                workspace.image()?,
                super::quantize::sequences(&workspace.dataset()?.test, self.sequence + 1),
            )
        };
        let sequence = sequences
            .get(self.sequence)
            .ok_or_else(|| Error::field("--sequence", format!("less than {}", sequences.len()), self.sequence))?;
        let twin = Twin::new(&image)?;
        let default = workspace.file("waves").join(format!("core-{}.vcd", self.layer));
        let path = self.wave.as_ref().unwrap_or(&default);
        let run = waveform(&workspace, &twin, self.layer, sequence, path, self.all_signals)?;
        let lanes = workspace.project.core.lanes as u64;
        let rows: Vec<_> = PHASES
            .iter()
            .zip(&run.phases)
            .map(|(name, p)| {
                let share = 100.0 * p.mac_lanes as f64 / (p.cycles * lanes).max(1) as f64;
                vec![
                    name.to_string(),
                    p.cycles.to_string(),
                    p.mac_lanes.to_string(),
                    format!("{share:.1} %"),
                ]
            })
            .collect();
        progress.say(&format!(
            "{} cycles, {} words equal to the twin; waveform {}",
            run.cycles,
            run.beats.len(),
            path.display()
        ));
        if common.json {
            let phases: Vec<_> = rows
                .iter()
                .map(|r| serde_json::json!({"phase": r[0], "cycles": r[1], "multiplications": r[2]}))
                .collect();
            println!(
                "{}",
                serde_json::json!({ "cycles": run.cycles, "words": run.beats.len(), "phases": phases, "wave": path })
            );
        } else if !common.quiet {
            println!("{}", grid(&["phase", "cycles", "multiplications", "use"], &rows));
        }
        Ok(())
    }
}

/// One sequence through one layer's core; the output must equal the twin's.
pub fn waveform(
    workspace: &Workspace,
    twin: &Twin,
    layer: usize,
    sequence: &Sequence,
    path: &Path,
    all_signals: bool,
) -> Result<StreamRun, Failure> {
    let layers = twin.spec().layers;
    let att = twin
        .attention(layer)
        .ok_or_else(|| Error::field("--layer", format!("less than {layers}"), layer))?;
    let (beats, words) = stream(att, &[twin.attention_vectors(sequence, layer)?]);
    let mut core = CoreSimulator::new(att, core_config(workspace))?;
    let selection = if all_signals {
        Selection::All
    } else {
        CoreSimulator::named_waves(att)
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
    let file = std::fs::File::create(path).map_err(|e| Error::file(path, e))?;
    let mut wave = WaveWriter::new(
        std::io::BufWriter::new(file),
        core.driver().block(),
        &selection,
        PERIOD_NS,
    )?;
    let run = core.run(&beats, words.len(), [Stalls::none(), Stalls::none()], |core| {
        wave.sample(core)
    })?;
    wave.finish()?;
    let compared = run.compare(&words)?;
    match compared.is_equal() {
        true => Ok(run),
        false => Err(Failure::Different(format!("RustHDL and the twin: {compared}"))),
    }
}
