//! `astromorph estimate`: how long a model takes on a core and what it fills, before anything is synthesised; `--simulate` beside the truth.
//!
//! Cycles come from [`astromorph_hdl::engine::timing`], which follows the control pass by pass. With `--simulate` the same sequence runs through the
//! RustHDL engine, and the table shows both.

use super::random::random_project;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::engine::{Forms, Model, PATIENCE};
use crate::compile::Compiled;
use crate::cores::core;
use crate::progress::Progress;
use astromorph::Error;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{Source, Step};
use astromorph::sequence::Sequence;
use astromorph_hdl::engine::timing::{Timing, timing};
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::engine::EngineRun;
use astromorph_sim::tools::Tools;
use clap::Args;
use std::fmt::Write;

/// Arguments of `estimate`.
#[derive(Args)]
pub struct Estimate {
    #[command(flatten)]
    choice: Choice,
    /// A built-in core by name, or NAME.toml.
    #[arg(long, value_name = "CORE")]
    core: String,
    /// Tokens of the sequence (default: the longest).
    #[arg(long)]
    tokens: Option<u32>,
    /// Clock in MHz, for tokens a second.
    #[arg(long, default_value_t = 48.0)]
    freq: f64,
    /// Random weights: the model has not been trained.
    #[arg(long)]
    random: bool,
    /// Run the sequence through the RustHDL engine as well.
    #[arg(long)]
    simulate: bool,
}

impl Estimate {
    /// Prints the table, or JSON.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let core = core(&self.core)?;
        let image = match self.random {
            true => random_project(&workspace, 0)?.0,
            false => workspace.image()?,
        };
        let model = Model::new(&image, &core, image.hash(), workspace.project.train.seed)?;
        let tokens = self.tokens.unwrap_or(image.spec().n_max as u32);
        let program = &model.compiled.program;
        let time = timing(&core, Target::Generic, program, tokens)?;
        let run = match self.simulate {
            true => Some(simulated(&model, tokens, progress)?),
            false => None,
        };
        if common.json {
            println!("{}", self.json(&core, tokens, &time, run.as_ref()));
        } else if !common.quiet {
            print!("{}", self.table(&core, &model.compiled, tokens, &time, run.as_ref()));
        }
        Ok(())
    }

    fn json(&self, core: &EngineConfig, tokens: u32, time: &Timing, run: Option<&EngineRun>) -> serde_json::Value {
        serde_json::json!({
            "core": core.name, "tokens": tokens, "cycles": time.cycles, "slots": time.utilisation(),
            "tokens_per_second": tokens as f64 * self.freq * 1e6 / time.cycles as f64,
            "simulated_cycles": run.map(cycles),
        })
    }

    fn table(
        &self,
        core: &EngineConfig,
        compiled: &Compiled,
        tokens: u32,
        time: &Timing,
        run: Option<&EngineRun>,
    ) -> String {
        let mut s = format!(
            "{}: {} lanes of {} bits, {tokens} tokens\n\n",
            core.name, core.lanes, core.width
        );
        let _ = writeln!(
            s,
            "{:>5} {:<34} {:>10} {:>10} {:>7} {:>10}",
            "step", "label", "cycles", "slots", "used", "simulated"
        );
        for step in &time.steps {
            let Some(Step::Run(r)) = compiled.program.steps.get(step.step) else {
                continue;
            };
            let simulated = run
                .and_then(|r| r.steps.get(&(step.step as u16)))
                .map_or(String::new(), |u| u.cycles.to_string());
            let used = match r.source {
                Source::Array(_) => format!("{:.1} %", 100.0 * step.slots as f64 / step.cycles.max(1) as f64),
                _ => String::new(),
            };
            let _ = writeln!(
                s,
                "{:>5} {:<34} {:>10} {:>10} {:>7} {:>10}",
                step.step, r.label, step.cycles, step.slots, used, simulated
            );
        }
        let _ = writeln!(
            s,
            "\ncycles {}, a token {:.1}",
            time.cycles,
            time.cycles as f64 / tokens as f64
        );
        if let Some(run) = run {
            let _ = writeln!(s, "simulated in RustHDL {}", cycles(run));
        }
        let (loading, all) = self.input(compiled, time);
        let _ = writeln!(
            s,
            "slots used {:.2} % of all cycles, {:.2} % without the input",
            100.0 * time.utilisation(),
            100.0 * all as f64 / (time.cycles - loading).max(1) as f64
        );
        let _ = writeln!(
            s,
            "at {} MHz: {:.0} tokens/s",
            self.freq,
            tokens as f64 * self.freq * 1e6 / time.cycles as f64
        );
        let room = |memory: &str, words: usize| {
            let used: u32 = compiled
                .map
                .iter()
                .filter(|r| r.memory == memory)
                .map(|r| r.first + r.words)
                .max()
                .unwrap_or(0);
            format!("{memory} {used}/{words}")
        };
        let _ = writeln!(
            s,
            "memory: {}, {}, {}, {}, {}",
            room("X", core.x_words),
            room("M", core.m_words),
            room("bank", core.bank_words),
            room("function", core.function_words),
            room("mantissa", core.mantissa_words)
        );
        s
    }

    /// Cycles of the input step, and all slots.
    fn input(&self, compiled: &Compiled, time: &Timing) -> (u64, u64) {
        let input = |n: usize| matches!(compiled.program.steps.get(n), Some(Step::Run(r)) if r.source == Source::Input);
        let loading = time.steps.iter().filter(|s| input(s.step)).map(|s| s.cycles).sum();
        (loading, time.steps.iter().map(|s| s.slots).sum())
    }
}

/// Cycles of the steps in a simulation.
fn cycles(run: &EngineRun) -> u64 {
    run.steps.values().map(|u| u.cycles).sum()
}

fn simulated(model: &Model, tokens: u32, progress: &Progress) -> Result<EngineRun, Failure> {
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(model.seed);
    let sequence = Sequence::random_of(model.image.spec(), tokens as usize, &mut rng);
    let mut machine = model.machine()?;
    let case = model.case(&mut machine, &sequence, true)?;
    let tools = Tools::default();
    let mut engine = Forms::new(model.core, &tools, std::path::Path::new("")).rusthdl()?;
    progress.say("simulating");
    engine.reset(4)?;
    engine.load(model.compiled.loaded.writes(model.core), PATIENCE)?;
    let options = StreamOptions {
        patience: PATIENCE,
        ..StreamOptions::default()
    };
    let run = engine.run(&model.compiled.program, std::slice::from_ref(&case), &options)?;
    let compared = run.compare(std::slice::from_ref(&case))?;
    match compared.is_equal() {
        true => Ok(run),
        false => Err(Error::field("RustHDL", "the program's words", compared).into()),
    }
}
