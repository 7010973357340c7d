//! `astromorph emit`: the core's Verilog, one file a layer.

use super::random::random_project;
use super::verify::core_config;
use super::workspace::Workspace;
use super::{Choice, Common, Outcome};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::save;
use astromorph::Error;
use astromorph::twin::Twin;
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::emit::emit;
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `emit`.
#[derive(Args)]
pub struct Emit {
    #[command(flatten)]
    choice: Choice,
    /// What the multipliers are made of.
    #[arg(long, value_enum, default_value_t = For::Generic)]
    target: For,
    /// The engine of this description instead of each layer's attention core: a built-in core by name, or NAME.toml.
    #[arg(long, value_name = "CORE")]
    core: Option<String>,
    /// Random weights: the hardware of a model that has not been trained.
    #[arg(long)]
    random: bool,
}

/// Device family.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum For {
    /// Plain Verilog for any tool.
    Generic,
    /// Explicit SB_MAC16.
    Ice40,
    /// Multipliers that synth_ecp5 infers.
    Ecp5,
}

impl Emit {
    /// Writes `verilog/core-LAYER-TARGET.v`, and prints the paths.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let (target, name) = match self.target {
            For::Generic => (Target::Generic, "generic"),
            For::Ice40 => (Target::Ice40, "ice40"),
            For::Ecp5 => (Target::Ecp5, "ecp5"),
        };
        if let Some(which) = &self.core {
            let core = core(which)?;
            let out = common
                .out
                .clone()
                .unwrap_or_else(|| PathBuf::from("out").join(&core.name));
            let path = out.join(format!("engine-{name}.v"));
            save(&path, emit_engine(&core, target)?.as_bytes())?;
            if common.json {
                println!(
                    "{}",
                    serde_json::json!({ "verilog": [path.display().to_string()], "core": core.id() })
                );
            } else {
                println!("{}", path.display());
            }
            return Ok(());
        }
        let workspace = Workspace::open(&self.choice, common)?;
        let image = if self.random {
            random_project(&workspace, 0)?.0
        } else {
            workspace.image()?
        };
        let twin = Twin::new(&image)?;
        let config = CoreConfig {
            target,
            ..core_config(&workspace)
        };
        let mut paths = Vec::new();
        for l in 0..image.spec().layers {
            let att = twin
                .attention(l)
                .ok_or_else(|| Error::field("layer", "a layer of the image", l))?;
            let path = workspace.file("verilog").join(format!("core-{l}-{name}.v"));
            save(&path, emit(att, config, &image.hash())?.as_bytes())?;
            progress.say(&format!("layer {l}: {}", path.display()));
            paths.push(path.display().to_string());
        }
        if common.json {
            println!("{}", serde_json::json!({ "verilog": paths, "image": image.hash() }));
        } else {
            paths.iter().for_each(|p| println!("{p}"));
        }
        Ok(())
    }
}
