//! Synthesis with Yosys to a netlist of vendor cells, and the models to simulate it with.
//!
//! | item | |
//! |---|---|
//! | iCE40 | `synth_ice40` in two parts ([`commands`]), never with `-dsp` (it builds wrong circuits): `SB_MAC16` only where instantiated |
//! | ECP5 | `synth_ecp5`: multipliers and memories are inferred |
//! | counted | cells by type, from `stat -json` |
//! | caught | exit status 0 without a netlist; "Driver-driver conflict"; crashes |
//! | simulated with | Yosys' own `cells_sim.v` of the family; `MULT18X18D` and `DP16KD` from this crate |

mod cells;

/// Flip-flops that must share a reset for a logic tile to give it to them, on iCE40; an enable too where speed counts.
const ICE40_SHARED: usize = 9;
/// An enable, where the device is nearly full: a gate instead costs a cell a flip-flop.
const ICE40_SHARED_FULL: usize = 5;
/// Steps of abc9 where the device is nearly full: `flow3` with area mapping (`-a`).
const ICE40_AREA: &str = "+&scorr,;,&sweep,;,&synch2,-K,6,-C,500,;,&if,{W},{D},-a,;,&mfs,;,&save,;,&dch,-C,500,;,&if,{W},{D},-a,;,&mfs,;,&save,;,&load,;,&st,;,\
                          &sopb,-R,10,-C,4,;,&synch2,-K,6,-C,500,;,&if,{W},{D},-a,;,&mfs,;,&save,;,&dch,-C,500,;,&if,{W},{D},-a,;,&mfs,;,&save,;,&load";
/// Longest path in picoseconds of abc9's model, which is of a faster device: two levels less than without it cost nothing in iCEBreaker's design.
const ICE40_DELAY: u32 = 8_000;

/// What synthesis looks at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// The clock.
    #[default]
    Speed,
    /// Logic cells: a design that fills the device, at a clock that is not near the device's.
    Area,
}

use crate::cosim::Design;
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A family of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Target {
    Ice40,
    Ecp5,
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Target::Ice40 => "iCE40",
            Target::Ecp5 => "ECP5",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Target::Ice40 => "synth_ice40",
            Target::Ecp5 => "synth_ecp5",
        }
    }

    /// Declarations of the family's cells, so that Verilog may instantiate them.
    fn library(self) -> &'static str {
        match self {
            Target::Ice40 => "read_verilog -lib +/ice40/cells_sim.v",
            Target::Ecp5 => "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v",
        }
    }
}

/// What the mapper may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SynthOptions {
    pub target: Target,
    /// Infer multiplier blocks (ECP5 only; iCE40 never infers).
    pub multipliers: bool,
    /// Infer block memories.
    pub block_ram: bool,
    pub goal: Goal,
    pub time_limit: Duration,
}

impl SynthOptions {
    pub fn new(target: Target) -> Self {
        SynthOptions {
            target,
            multipliers: true,
            block_ram: true,
            goal: Goal::default(),
            time_limit: Duration::from_secs(1800),
        }
    }

    fn command(&self) -> String {
        let mut command = self.target.command().to_string();
        if !self.block_ram {
            command += " -nobram";
        }
        if !self.multipliers && self.target == Target::Ecp5 {
            command += " -nodsp";
        }
        command
    }
}

/// A mapped netlist.
#[derive(Clone, Debug)]
pub struct Netlist {
    pub target: Target,
    pub verilog: String,
    /// Cells by type.
    pub cells: BTreeMap<String, u64>,
    /// Of the Yosys that made it.
    pub yosys: String,
    pub elapsed: Duration,
}

impl Netlist {
    /// Cells of one type.
    pub fn count(&self, cell: &str) -> u64 {
        self.cells.get(cell).copied().unwrap_or(0)
    }

    /// The netlist with its cells' models, ready to simulate. `yosys` gives the vendor's library.
    pub fn design(&self, yosys: &Installed) -> Result<Design> {
        let mut design = Design::rtl(&format!("{} netlist", self.target.name()), &self.verilog)
            .with_cells(cells::models(yosys, self.target, &self.verilog)?);
        design.netlist = true;
        Ok(design)
    }
}

/// For Verilog (not a netlist) that instantiates cells of `target`: the text with their models.
pub fn rtl_with_cells(yosys: &Installed, name: &str, verilog: &str, target: Target) -> Result<Design> {
    let mut design = Design::rtl(name, verilog).with_cells(cells::models(yosys, target, verilog)?);
    // The vendors' models give the same warnings as in a netlist.
    design.netlist = true;
    Ok(design)
}

/// Yosys' commands for a family's synthesis, `synth_ice40` and the like with its options, of the module `top`.
///
/// On iCE40 the eight cells of a logic tile share one enable and one reset, so each pair of them takes tiles of its own: nextpnr found no
/// placement of a core with 186 pairs, 98 of them of fewer than 8 flip-flops, at 91 % of the cells. Enables and resets of few flip-flops
/// become gates, before mapping: 83 pairs.
///
/// For area (iCE40 only) words are optimised over all cells before and after they become gates, abc9 maps for area, and fewer enables become
/// gates: 144 cells of iCEBreaker's 5,622.
pub fn commands(command: &str, top: &str, goal: Goal) -> String {
    if !command.starts_with("synth_ice40") {
        return format!("{command} -top {top}");
    }
    let run = |labels: &str| format!("{command} -top {top} -run {labels}");
    let (script, logic, shared) = match goal {
        Goal::Speed => (
            "scratchpad -copy abc9.script.flow3 abc9.script".to_string(),
            run("begin:map_ffs"),
            ICE40_SHARED,
        ),
        Goal::Area => (
            format!("scratchpad -set abc9.script {ICE40_AREA}; scratchpad -set abc9.D {ICE40_DELAY}"),
            format!(
                "{}; opt -full; {}; opt -full",
                run("begin:coarse"),
                run("coarse:map_ffs")
            ),
            ICE40_SHARED_FULL,
        ),
    };
    format!(
        "{script}; {logic}; dfflegalize -cell $_DFF_?_ 0 -cell $_DFFE_?P_ 0 -cell $_DFF_?P?_ 0 -cell $_DFFE_?P?P_ 0 -cell $_SDFF_?P?_ 0 \
         -cell $_SDFFCE_?P?P_ 0 -cell $_DLATCH_?_ x -mince {shared} -minsrst {ICE40_SHARED}; {}",
        run("map_ffs:")
    )
}

/// Synthesises `verilog` (top module `top`) in `dir`, which is made when absent.
pub fn synthesise(yosys: &Installed, verilog: &str, options: &SynthOptions, dir: &Path) -> Result<Netlist> {
    prepare(dir, verilog)?;
    let (netlist, stat) = (dir.join("netlist.v"), dir.join("stat.json"));
    let script = format!(
        "read_verilog top.v; {}; tee -q -o stat.json stat -json; splitnets; opt_clean; write_verilog -noattr netlist.v",
        commands(&options.command(), "top", options.goal)
    );
    let out = yosys
        .run()
        .args(["-q", "-p", &script])
        .dir(dir)
        .output(&netlist)
        .output(&stat)
        .forbid("Driver-driver conflict")
        .limit(options.time_limit)
        .run()?;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(Error::io("read", path));
    Ok(Netlist {
        target: options.target,
        verilog: read(&netlist)?,
        cells: cell_counts(&read(&stat)?)?,
        yosys: yosys.version().to_string(),
        elapsed: out.elapsed,
    })
}

/// Asks Yosys only whether it accepts the Verilog: hierarchy, processes, no latch, no undeclared or
/// undriven wire. `target` declares the cells it may instantiate.
pub fn accepts(yosys: &Installed, verilog: &str, target: Option<Target>, dir: &Path) -> Result<()> {
    prepare(dir, verilog)?;
    let library = target.map_or(String::new(), |t| format!("{}; ", t.library()));
    let script = format!(
        "{library}read_verilog top.v; hierarchy -check -top top; proc; opt_clean; check; tee -q -o stat.txt stat"
    );
    yosys
        .run()
        .args(["-p", &script])
        .dir(dir)
        .output(dir.join("stat.txt"))
        .forbid("Latch inferred")
        .forbid("implicitly declared")
        .forbid("is used but has no driver")
        .forbid("multiple conflicting drivers")
        .run()?;
    Ok(())
}

fn prepare(dir: &Path, verilog: &str) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let path = dir.join("top.v");
    std::fs::write(&path, verilog).map_err(Error::io("write", &path))
}

fn cell_counts(stat: &str) -> Result<BTreeMap<String, u64>> {
    let bad = |found: &str| Error::BadReport {
        item: "yosys stat -json".into(),
        expected: "design.num_cells_by_type".into(),
        found: found.to_string(),
    };
    let json: serde_json::Value = serde_json::from_str(stat).map_err(|e| bad(&format!("no JSON: {e}")))?;
    json.get("design")
        .and_then(|d| d.get("num_cells_by_type"))
        .and_then(|c| c.as_object())
        .ok_or_else(|| bad("no such key"))?
        .iter()
        // A note of where cells come from, not a cell.
        .filter(|(cell, _)| *cell != "$scopeinfo")
        .map(|(cell, n)| {
            // 0.23 gives a number, later versions also a table when areas are known.
            let count = n.as_u64().or_else(|| n.get("count")?.as_u64());
            Ok((cell.clone(), count.ok_or_else(|| bad(&n.to_string()))?))
        })
        .collect()
}
