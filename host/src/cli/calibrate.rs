//! `astromorph calibrate`: synthesises and packs the designs of `constraints/calibration.toml` and writes what they take to
//! `constraints/calibration/FAMILY.json`, from which `estimate` tells cells and clock.
//!
//! Synthesis of what has not changed is not repeated. Clocks are those of reports of `astromorph build --core` given with `--report`; without,
//! those on file stay for cores that have not changed.

use super::{Common, Outcome};
use crate::area::calibration::{self, Calibration, Clock, Design};
use crate::boards::{Board, Family};
use crate::build::{self, engine, pack, synth, wrapper};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::{Report, save};
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use astromorph_sim::netlist::Goal;
use astromorph_sim::tools::Tool;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Arguments of `calibrate`.
#[derive(Args)]
pub struct Calibrate {
    /// The boards whose designs are measured (default: all in the list).
    #[arg(long, value_name = "BOARD", value_delimiter = ',')]
    board: Vec<String>,
    /// A report.json of `astromorph build --core`: its frequencies are taken over, and only they.
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// The list of designs.
    #[arg(long, value_name = "FILE", default_value = "constraints/calibration.toml")]
    designs: PathBuf,
    /// Folder of the files written.
    #[arg(long, value_name = "DIR", default_value = "constraints/calibration")]
    into: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    design: Vec<Entry>,
}

/// A board, a core, and sizes in which it differs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    board: String,
    core: String,
    #[serde(default)]
    sizes: toml::Table,
}

impl Entry {
    fn core(&self) -> Result<EngineConfig> {
        let base = core(&self.core)?;
        if self.sizes.is_empty() {
            return Ok(base);
        }
        let wrong = |e: &dyn std::fmt::Display| Error::field("sizes", "sizes of a core", e);
        let mut table = toml::Table::try_from(base).map_err(|e| wrong(&e))?;
        for (size, value) in &self.sizes {
            table.insert(size.clone(), value.clone());
        }
        let text: Vec<String> = self.sizes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        table.insert("name".into(), format!("{} {}", self.core, text.join(" ")).into());
        let core: EngineConfig = table.try_into().map_err(|e| wrong(&e))?;
        core.validate()?;
        Ok(core)
    }
}

fn file(family: Family) -> Result<&'static str> {
    let (path, _) = calibration::file(family)?;
    path.rsplit('/')
        .next()
        .ok_or_else(|| Error::field("calibration", "a file", path))
}

impl Calibrate {
    /// Measures, and writes a file a family.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        if !self.report.is_empty() {
            return self.clocks();
        }
        let text = std::fs::read_to_string(&self.designs).map_err(|e| Error::file(&self.designs, e))?;
        let list: List = toml::from_str(&text).map_err(|e| Error::file(&self.designs, e))?;
        let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/calibrate"));
        for family in [Family::Ice40, Family::Ecp5] {
            let mut found = self.read(family)?;
            found.designs.clear();
            for entry in &list.design {
                let board = Board::find(&entry.board)?;
                if board.family == family && (self.board.is_empty() || self.board.contains(&board.name)) {
                    let core = entry.core()?;
                    progress.stage(&format!("{} for {}", core.name, board.name));
                    found
                        .designs
                        .push(measure(core, &board, &mut found.tools, &out, progress)?);
                }
            }
            let cores: Vec<u32> = found.designs.iter().map(|d| d.core.id()).collect();
            if !cores.is_empty() {
                found.clocks.retain(|c| cores.contains(&c.id));
                self.write(family, &found)?;
            }
        }
        Ok(())
    }

    fn clocks(&self) -> Outcome {
        for path in &self.report {
            let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
            let report: Report = serde_json::from_str(&text).map_err(|e| Error::file(path, e))?;
            let routed = report
                .routed
                .ok_or_else(|| Error::file(path, "a report of astromorph build"))?;
            let (core, board) = (core(&report.name)?, Board::titled(&routed.board)?);
            if !report.model.ends_with(&format!("id {:#010x}", core.id())) {
                return Err(Error::field(
                    path.display().to_string(),
                    format!("a report of core {} with id {:#010x}", core.name, core.id()),
                    report.model,
                )
                .into());
            }
            let clock = Clock {
                board: board.name.clone(),
                core: core.name.clone(),
                id: core.id(),
                asked_mhz: routed.asked_mhz,
                mhz: routed.seeds.iter().map(|s| s.mhz).collect(),
            };
            let mut found = self.read(board.family)?;
            found.clocks.retain(|c| (&c.board, c.id) != (&clock.board, clock.id));
            found.clocks.push(clock);
            self.write(board.family, &found)?;
        }
        Ok(())
    }

    /// What stands in the folder, or else in the program: clocks of cores that have not changed stay.
    fn read(&self, family: Family) -> Result<Calibration> {
        let (path, built_in) = (self.into.join(file(family)?), calibration::file(family)?.1);
        let text = match std::fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => built_in.into(),
            text => text.map_err(|e| Error::file(&path, e))?,
        };
        serde_json::from_str(&text).map_err(|e| Error::file(&path, e))
    }

    fn write(&self, family: Family, found: &Calibration) -> Outcome {
        let path = self.into.join(file(family)?);
        let text = serde_json::to_string_pretty(found).map_err(|e| Error::file(&path, e))?;
        save(&path, format!("{text}\n").as_bytes())?;
        Ok(())
    }
}

/// Synthesis and packing of one core.
fn measure(
    core: EngineConfig,
    board: &Board,
    versions: &mut std::collections::BTreeMap<String, String>,
    out: &Path,
    progress: &Progress,
) -> std::result::Result<Design, super::Failure> {
    let folder = out.join(format!("{}-{:08x}", board.name, core.id()));
    let tools = build::tools(board, progress)?;
    let (yosys, nextpnr) = (tools.get(Tool::Yosys)?, tools.get(board.family.tool())?);
    for tool in [yosys, nextpnr] {
        versions.insert(tool.tool().name().into(), tool.version().into());
    }
    let source = engine::source(&core, board, yosys, &folder)?;
    let (sources, top) = build::out_of_context(&source)?;
    for (name, text) in &sources {
        save(&folder.join(name), text.as_bytes())?;
    }
    let synthesis = synth::Synthesis {
        sources: &sources,
        top,
        command: &board.tools.synthesis,
        options: &[],
        goal: Goal::Speed,
    };
    synthesis.run(yosys, &folder)?;
    let placed = pack::packed(nextpnr, board, &folder)?;
    let blocks = build::by_block(&folder.join(synth::NETLIST), top, Some(wrapper::INSTANCE))?;
    Ok(Design {
        board: board.name.clone(),
        core,
        blocks: blocks.into_iter().map(|row| (row.block, row.cells)).collect(),
        placed,
    })
}
