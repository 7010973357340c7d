//! Synthesis with Yosys to a netlist for nextpnr.
//!
//! Multipliers and memories are what the text instantiates and what the family's command infers by default; `-dsp` is never given.

use super::cache;
use crate::cli::Failure;
use crate::interrupt;
use astromorph::Error;
use astromorph_sim::netlist::{Goal, commands};
use astromorph_sim::tools::Installed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The netlist, under the build's folder.
pub const NETLIST: &str = "synthesis/netlist.json";
const STAT: &str = "synthesis/stat.json";
const LIMIT: Duration = Duration::from_secs(2 * 3600);

/// What to synthesise.
pub struct Synthesis<'a> {
    /// Files that stand in the folder, with their texts.
    pub sources: &'a [(&'static str, String)],
    pub top: &'a str,
    /// `synth_ice40` and the like.
    pub command: &'a str,
    /// Further options of the command.
    pub options: &'a [String],
    pub goal: Goal,
}

/// A netlist on disk, and what it was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Netlist {
    /// Hash of all that went in.
    pub key: String,
    /// Hash of the file.
    pub sha256: String,
    /// Cells by type.
    pub cells: BTreeMap<String, u64>,
    pub seconds: f64,
}

impl Synthesis<'_> {
    /// The command with its options, without the top module.
    pub fn script_command(&self) -> String {
        let options: String = self.options.iter().map(|o| format!(" {o}")).collect();
        format!("{}{options}", self.command)
    }

    /// The netlist: the one on disk when it was made from the same, else a new one.
    pub fn run(&self, yosys: &Installed, folder: &Path) -> Result<Netlist, Failure> {
        let files: Vec<_> = self.sources.iter().map(|(name, _)| *name).collect();
        let script = format!(
            "read_verilog {}; {}; write_json {NETLIST}; tee -q -o {STAT} stat -json",
            files.join(" "),
            commands(&self.script_command(), self.top, self.goal),
        );
        let mut parts = vec![yosys.version(), script.as_str()];
        parts.extend(self.sources.iter().map(|(_, text)| text.as_str()));
        let key = cache::key(&parts);
        let stored = folder.join("synthesis/result.json");
        let netlist = folder.join(NETLIST);
        if let Some(old) = cache::read::<Netlist>(&stored)
            && old.key == key
            && cache::of_file(&netlist).is_ok_and(|sha256| sha256 == old.sha256)
        {
            return Ok(old);
        }
        let made = folder.join("synthesis");
        std::fs::create_dir_all(&made).map_err(|e| Error::file(&made, e))?;
        let out = yosys
            .run()
            .args(["-q", "-p", &script])
            .dir(folder)
            .output(&netlist)
            .output(folder.join(STAT))
            .forbid("Driver-driver conflict")
            .forbid("multiple conflicting drivers")
            .limit(LIMIT)
            .stop_when(interrupt::flag())
            .run()?;
        let new = Netlist {
            key,
            sha256: cache::of_file(&netlist)?,
            cells: counts(&folder.join(STAT))?,
            seconds: out.elapsed.as_secs_f64(),
        };
        cache::write(&stored, &new)?;
        Ok(new)
    }
}

fn counts(path: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    #[derive(Deserialize)]
    struct Stat {
        design: Design,
    }
    #[derive(Deserialize)]
    struct Design {
        num_cells_by_type: BTreeMap<String, u64>,
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    let stat: Stat = serde_json::from_str(&text).map_err(|e| astromorph_sim::Error::BadReport {
        item: format!("yosys, {}", path.display()),
        expected: "design.num_cells_by_type".into(),
        found: e.to_string(),
    })?;
    let mut cells = stat.design.num_cells_by_type;
    // A note of where cells come from, not a cell.
    cells.remove("$scopeinfo");
    Ok(cells)
}
