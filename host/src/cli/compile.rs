//! `astromorph compile`: an image and a core become a program.

use super::{Common, Failure, Outcome};
use crate::compile::{Compiled, Options, Region, attention, compile_with};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::save;
use astromorph::engine::code::disassemble;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::Step;
use astromorph::image::Image;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

/// Arguments of `compile`.
#[derive(Args)]
pub struct Compile {
    /// The integer image.
    image: PathBuf,
    /// The core: a built-in one's name, or a description's file (`constraints/cores/*.toml`).
    #[arg(long, value_name = "CORE")]
    core: String,
    /// Most tokens of a block (default: as many as fit).
    #[arg(long)]
    tokens: Option<usize>,
    /// The attention of this layer alone: q, k, v in, y out.
    #[arg(long, value_name = "LAYER", conflicts_with = "tokens")]
    attention: Option<usize>,
}

impl Compile {
    /// Writes `program.safetensors` and `program.txt` (memory map and listing), and prints the latter.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let image = Image::load(&self.image)?;
        let core = core(&self.core)?;
        let compiled = match self.attention {
            Some(layer) if layer >= image.spec().layers => {
                let layers = image.spec().layers;
                return Err(astromorph::Error::field("--attention", format!("less than {layers}"), layer).into());
            }
            Some(layer) => attention(&image.attention(layer)?, &core, layer)?,
            None => compile_with(&image, &core, Options { tokens: self.tokens })?,
        };
        let out = match &common.out {
            Some(out) => out.clone(),
            None => PathBuf::from("out").join(&core.name),
        };
        let path = out.join("program.safetensors");
        save(&path, &compiled.package(&core)?.to_bytes()?)?;
        let text = listing(&compiled, &core)?;
        save(&out.join("program.txt"), text.as_bytes())?;
        progress.say(&format!("program: {}", path.display()));
        let steps = &compiled.program.steps;
        if common.json {
            let waits = steps
                .iter()
                .filter(|step| matches!(step, Step::Run(run) if run.wait))
                .count();
            let fills = steps.iter().filter(|step| matches!(step, Step::Fill(_))).count();
            println!(
                "{}",
                serde_json::json!({
                    "program": path.display().to_string(), "image": image.hash(), "core": core.name,
                    "steps": steps.len(), "waits": waits, "fills": fills, "m_words": compiled.loaded.m.len(),
                })
            );
        } else if !common.quiet {
            print!("{text}");
        }
        Ok(())
    }
}

/// Memory map and steps.
fn listing(compiled: &Compiled, core: &EngineConfig) -> Result<String, Failure> {
    let mut text = format!(
        "core {} ({:#010x})\n\nmemory     first  words  holds\n",
        core.name,
        core.id()
    );
    for Region {
        memory,
        first,
        words,
        holds,
    } in &compiled.map
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{memory:<9}{first:>7}{words:>7}  {holds}");
    }
    let _ = write!(text, "\n{}", disassemble(&compiled.program));
    Ok(text)
}
