//! `astromorph simulate`: one sequence through the RustHDL engine, with a waveform in the tensors' names.

use super::engine::chosen;
use super::random::random_project;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::engine::{Job, Model, PATIENCE, attention_fractions};
use crate::compile::{attention, attention_words, fitted};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::grid;
use astromorph::Error;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::engine::{EngineRun, EngineSimulator, TensorWave};
use astromorph_sim::vcd::{Selection, WaveWriter};
use clap::Args;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Arguments of `simulate`.
#[derive(Args)]
pub struct Simulate {
    #[command(flatten)]
    choice: Choice,
    /// Which test sequence.
    #[arg(long, default_value_t = 0)]
    sequence: usize,
    /// The attention of this layer alone instead of the whole model.
    #[arg(long, value_name = "LAYER")]
    attention: Option<usize>,
    /// The engine: a built-in core by name, or NAME.toml (default: the project's, or one made to measure).
    #[arg(long, value_name = "CORE")]
    core: Option<String>,
    /// The waveform (default: OUT/waves/engine.vcd, or attention-LAYER.vcd).
    #[arg(long, value_name = "FILE")]
    wave: Option<PathBuf>,
    /// Every signal of the engine instead of the ports and tensors.
    #[arg(long)]
    all_signals: bool,
    /// Random weights and a random sequence.
    #[arg(long)]
    random: bool,
}

/// Period of the waveform's clock: 50 MHz, in nanoseconds.
const PERIOD_NS: u64 = 20;

impl Simulate {
    /// Simulates, compares with the program's words and writes the waveform.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let (image, sequences) = if self.random {
            random_project(&workspace, self.sequence + 1)?
        } else {
            (
                workspace.image()?,
                super::quantize::sequences(&workspace.dataset(progress)?.test, self.sequence + 1),
            )
        };
        let sequence = sequences
            .get(self.sequence)
            .ok_or_else(|| Error::field("--sequence", format!("less than {}", sequences.len()), self.sequence))?;
        match self.attention {
            Some(layer) => self.alone(&workspace, &image, layer, sequence, common, progress),
            None => {
                let names: Vec<String> = self.core.iter().cloned().collect();
                let core = &chosen(&workspace, &names, &image)?[0];
                let model = Model::new(&image, core, "whole model".into(), workspace.project.train.seed)?;
                let input = model.input(sequence)?;
                self.show(
                    &model,
                    &model.fractions()?,
                    input,
                    &workspace.file("waves/engine.vcd"),
                    common,
                    progress,
                )
            }
        }
    }

    /// One layer's attention with the twin's q, k and v.
    fn alone(
        &self,
        workspace: &Workspace,
        image: &Image,
        layer: usize,
        sequence: &Sequence,
        common: &Common,
        progress: &Progress,
    ) -> Outcome {
        let layers = image.spec().layers;
        if layer >= layers {
            return Err(Error::field("--attention", format!("less than {layers}"), layer).into());
        }
        let att = image.attention(layer)?;
        let x = Twin::new(image)?.attention_vectors(sequence, layer)?;
        let core = match &self.core {
            Some(which) => core(which)?,
            None => {
                let lanes = workspace.project.core.lanes;
                fitted("attention", att.width(), lanes, |core| attention(&att, core, layer))?
            }
        };
        let job = Job {
            compiled: attention(&att, &core, layer)?,
            core: &core,
            label: format!("attention of layer {layer}"),
            seed: 0,
        };
        let input = attention_words(&att, &x.q, &x.k, &x.v);
        // The program's words are the twin's: what equals them equals the twin.
        if job.machine()?.predict(&input)? != x.y {
            return Err(Failure::Different("the program and the twin's attention".into()));
        }
        let path = workspace.file("waves").join(format!("attention-{layer}.vcd"));
        self.show(&job, &attention_fractions(&att, layer), input, &path, common, progress)
    }

    fn show(
        &self,
        job: &Job,
        fractions: &BTreeMap<String, i32>,
        input: Vec<i32>,
        default: &Path,
        common: &Common,
        progress: &Progress,
    ) -> Outcome {
        let path = self.wave.as_deref().unwrap_or(default);
        let run = waveform(job, fractions, input, path, self.all_signals)?;
        progress.say(&format!(
            "{} on core {}: {} cycles, {} output words and {} at the taps equal to the twin's; waveform {}",
            job.label,
            job.core.name,
            run.cycles,
            run.words.len(),
            run.observed,
            path.display()
        ));
        let phases = job.phases(&run.steps);
        if common.json {
            let phases: Vec<_> = phases
                .iter()
                .map(|p| serde_json::json!({"phase": p.phase, "cycles": p.cycles, "multiplications": p.used}))
                .collect();
            println!(
                "{}",
                serde_json::json!({ "cycles": run.cycles, "words": run.words.len(), "phases": phases, "wave": path })
            );
        } else if !common.quiet {
            let row = |p: &crate::report::PhaseRow| {
                let share = 100.0 * p.used as f64 / p.slots.max(1) as f64;
                vec![
                    p.phase.clone(),
                    p.cycles.to_string(),
                    p.used.to_string(),
                    format!("{share:.1} %"),
                ]
            };
            let rows: Vec<_> = phases.iter().map(row).collect();
            println!("{}", grid(&["phase", "cycles", "multiplications", "use"], &rows));
        }
        Ok(())
    }
}

/// Either kind of waveform.
enum Waves {
    Tensors(TensorWave<BufWriter<File>>),
    All(WaveWriter<BufWriter<File>>, astromorph_sim::Result<()>),
}

/// One sequence through a RustHDL engine; everything it shows must equal the program's words.
pub fn waveform(
    job: &Job,
    fractions: &BTreeMap<String, i32>,
    input: Vec<i32>,
    path: &Path,
    all_signals: bool,
) -> Result<EngineRun, Failure> {
    let mut engine = EngineSimulator::new(job.core, Target::Generic)?;
    engine.reset(4)?;
    engine.load(job.compiled.loaded.writes(job.core), PATIENCE)?;
    let case = job.case_of(&mut job.machine()?, input, true)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
    let file = BufWriter::new(File::create(path).map_err(|e| Error::file(path, e))?);
    let program = &job.compiled.program;
    let waves = match all_signals {
        true => Waves::All(
            WaveWriter::new(file, engine.driver().block(), &Selection::All, PERIOD_NS)?,
            Ok(()),
        ),
        false => {
            let expected = vec![case.expected.clone()];
            Waves::Tensors(TensorWave::new(file, program, expected, fractions, PERIOD_NS)?)
        }
    };
    let waves = Rc::new(RefCell::new(waves));
    let written = waves.clone();
    engine.observe(Some(Box::new(move |engine| match &mut *written.borrow_mut() {
        Waves::Tensors(wave) => wave.sample(engine),
        Waves::All(wave, found) => {
            if found.is_ok() {
                *found = wave.sample(engine);
            }
        }
    })));
    let options = StreamOptions {
        patience: PATIENCE,
        ..StreamOptions::default()
    };
    let run = engine.run(program, std::slice::from_ref(&case), &options)?;
    // The observer holds the other handle.
    engine.observe(None);
    match Rc::into_inner(waves).map(RefCell::into_inner) {
        Some(Waves::Tensors(wave)) => wave.finish()?,
        Some(Waves::All(wave, found)) => {
            found?;
            wave.finish()?;
        }
        None => {}
    }
    let compared = run.compare(std::slice::from_ref(&case))?;
    match compared.is_equal() {
        true => Ok(run),
        false => Err(Failure::Different(format!("RustHDL and the program: {compared}"))),
    }
}
