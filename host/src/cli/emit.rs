//! `astromorph emit`: the Verilog of an engine.

use super::random::random_project;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::cores::{core, for_image, named};
use crate::progress::Progress;
use crate::report::save;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Arguments of `emit`.
#[derive(Args)]
pub struct Emit {
    #[command(flatten)]
    choice: Choice,
    /// What the multipliers and memories are made of.
    #[arg(long, value_enum, default_value_t = For::Generic)]
    target: For,
    /// The engine of this description instead of the project's: a built-in core by name, or NAME.toml.
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
    /// Explicit SB_MAC16 and SB_SPRAM256KA.
    Ice40,
    /// Explicit MULT18X18D.
    Ecp5,
}

/// The targets that can hold a core.
pub fn targets(core: &EngineConfig) -> impl Iterator<Item = For> {
    let wide = core.width > 16;
    [For::Generic, For::Ice40, For::Ecp5]
        .into_iter()
        .filter(move |&target| !(wide && target == For::Ice40))
}

/// Writes `FOLDER/engine-TARGET.v` and gives the path.
pub fn write(core: &EngineConfig, target: For, folder: &Path) -> Result<PathBuf, Failure> {
    let (target, name) = match target {
        For::Generic => (Target::Generic, "generic"),
        For::Ice40 => (Target::Ice40, "ice40"),
        For::Ecp5 => (Target::Ecp5, "ecp5"),
    };
    let path = folder.join(format!("engine-{name}.v"));
    save(&path, emit_engine(core, target)?.as_bytes())?;
    Ok(path)
}

impl Emit {
    /// Writes `engine-TARGET.v` (of a project: in `verilog/`, with the core's description beside it), and prints the path.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let (core, folder) = match &self.core {
            Some(which) => {
                let core = core(which)?;
                let out = common.out.clone();
                let folder = out.unwrap_or_else(|| PathBuf::from("out").join(&core.name));
                (core, folder)
            }
            None => {
                let workspace = Workspace::open(&self.choice, common)?;
                (self.project_core(&workspace)?, workspace.file("verilog"))
            }
        };
        let path = write(&core, self.target, &folder)?;
        let description = folder.join("core.toml");
        let text = toml::to_string(&core).map_err(|e| astromorph::Error::file(&description, e))?;
        save(&description, text.as_bytes())?;
        progress.say(&format!(
            "{} lanes of {} bits: core {}",
            core.lanes, core.width, core.name
        ));
        if common.json {
            println!(
                "{}",
                serde_json::json!({ "verilog": [path.display().to_string()], "core": core.id() })
            );
        } else {
            println!("{}", path.display());
        }
        Ok(())
    }

    /// The project's core for its own width. One made to measure needs the image.
    fn project_core(&self, workspace: &Workspace) -> Result<EngineConfig, Failure> {
        if let Some(core) = named(&workspace.project, &workspace.project.quantize)? {
            return Ok(core);
        }
        let image = if self.random {
            random_project(workspace, 0)?.0
        } else {
            workspace.image()?
        };
        Ok(for_image(&workspace.project, &image)?)
    }
}
