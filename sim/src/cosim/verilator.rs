//! Verilated models: building (cached by content), and replay of a trace.
//!
//! | item | |
//! |---|---|
//! | cache key | SHA-256 of the Verilog, the harness, the flags and the tool's version |
//! | kept | the executable alone, in `<cache>/<key>/model` |
//! | warnings | LATCH, UNOPTFLAT, COMBDLY, MULTIDRIVEN, SELRANGE and all others stop the build; WIDTH, UNUSED and DECLFILENAME are how RustHDL prints; a size may make a comparison constant |
//! | power-on | what has no initial value starts at random |

use super::Design;
use super::replay::Layout;
use crate::activity::Activity;
use crate::compare::Comparison;
use crate::error::{Error, Result};
use crate::tools::Installed;
use crate::trace::Trace;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const REPLAY_MAIN: &str = include_str!("../../harness/replay.cpp");
const ACTIVITY: &str = include_str!("../../harness/activity.h");

/// Toggles of the nets of the top module's only instance are counted.
const COUNTING: &[&str] = &["--trace-saif", "--trace-depth", "2", "-CFLAGS", "-DACTIVITY"];

/// UNSIGNED and CMPCONST: a size may make a comparison constant.
const RTL_FLAGS: &[&str] = &[
    "-Wno-WIDTH",
    "-Wno-UNUSED",
    "-Wno-DECLFILENAME",
    "-Wno-UNSIGNED",
    "-Wno-CMPCONST",
];

/// A netlist is one module of cells: vector wires used bit by bit look like loops (UNOPTFLAT), and the
/// vendors' models leave pins open and initialise with non-blocking assignments. Its many small expressions are not worth Verilator's dataflow optimiser (minutes
/// instead of seconds, and no faster model).
const NETLIST_FLAGS: &[&str] = &[
    "-fno-dfg",
    "-Wno-WIDTH",
    "-Wno-UNUSED",
    "-Wno-DECLFILENAME",
    "-Wno-UNOPTFLAT",
    "-Wno-PINMISSING",
    "-Wno-IMPLICIT",
    "-Wno-INITIALDLY",
    "-Wno-CASEINCOMPLETE",
    "-Wno-CASEX",
    "-Wno-ASCRANGE",
];

/// Replays `trace` against `design`, comparing every output port in every cycle from the trace's
/// `compare_from` on. The model is kept in `cache`.
pub fn replay(tool: &Installed, design: &Design, trace: &Trace, cache: &Path) -> Result<Comparison> {
    Ok(run(tool, design, trace, cache, false)?.0)
}

/// The same, and the toggles of the design's nets in the compared cycles.
pub fn activity(tool: &Installed, design: &Design, trace: &Trace, cache: &Path) -> Result<(Comparison, Activity)> {
    let (comparison, counted) = run(tool, design, trace, cache, true)?;
    Ok((comparison, counted.unwrap_or_default()))
}

fn run(
    tool: &Installed,
    design: &Design,
    trace: &Trace,
    cache: &Path,
    counting: bool,
) -> Result<(Comparison, Option<Activity>)> {
    let layout = Layout::of(trace)?;
    let model = Model {
        top: "replay",
        wrapper: layout.wrapper(),
        main: REPLAY_MAIN,
        header: header(&layout),
        counting,
    };
    let exe = build(tool, design, &model, cache)?;
    let work = tempfile::tempdir().map_err(Error::io("create", "a temporary folder"))?;
    let path = work.path().join("vectors.bin");
    let mut words = Vec::new();
    for row in trace.rows() {
        Layout::packed(&layout.inputs, row, &mut words, layout.input_words);
        Layout::packed(&layout.outputs, row, &mut words, layout.output_words);
    }
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    std::fs::write(&path, bytes).map_err(Error::io("write", &path))?;
    let out = crate::process::Run::new("verilated model", &exe)
        .arg(&path)
        .arg(trace.compare_from().to_string())
        .limit(Duration::from_secs(3600))
        .run()?;
    let comparison = layout.result(&format!("verilator, {}", design.name), &out.stdout)?;
    let counted = counting.then(|| Activity::read(&Activity::beside(&path))).transpose()?;
    Ok((comparison, counted))
}

fn header(layout: &Layout) -> String {
    let mut ports = String::new();
    for s in &layout.outputs {
        let _ = write!(ports, "{{{}, {}}}, ", s.low, s.port.bits);
    }
    format!(
        "constexpr int input_words = {}, output_words = {};\nconstexpr Slice outputs[] = {{{ports}}};\n",
        layout.input_words, layout.output_words
    )
}

/// What is put around a design to make an executable of it.
pub(crate) struct Model<'a> {
    pub top: &'a str,
    pub wrapper: String,
    pub main: &'a str,
    pub header: String,
    /// Whether the nets' toggles are counted ([`Activity`]).
    pub counting: bool,
}

/// Builds the executable, or finds it in the cache.
pub(crate) fn build(tool: &Installed, design: &Design, model: &Model, cache: &Path) -> Result<PathBuf> {
    let mut flags = if design.netlist { NETLIST_FLAGS } else { RTL_FLAGS }.to_vec();
    if design.feedback {
        flags.push("-Wno-UNOPTFLAT");
    }
    if model.counting {
        flags.extend(COUNTING);
    }
    let flags = &flags[..];
    let place = cache.join(key(tool, design, model, flags));
    let exe = place.join("model");
    if exe.is_file() {
        return Ok(exe);
    }
    std::fs::create_dir_all(cache).map_err(Error::io("create", cache))?;
    // Built beside its place and renamed: what is in the cache is whole.
    let temporary = tempfile::Builder::new()
        .prefix(".building-")
        .tempdir_in(cache)
        .map_err(Error::io("create a folder in", cache))?;
    let dir = temporary.path();
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))
    };
    write("wrapper.v", &model.wrapper)?;
    write("layout.h", &model.header)?;
    write("main.cpp", model.main)?;
    write("activity.h", ACTIVITY)?;
    let mut names = vec!["wrapper.v"];
    for (name, text) in &design.sources {
        write(name, text)?;
        names.push(name);
    }
    if !design.netlist {
        lint(tool, &names[1..], flags, dir)?;
    }
    let built = dir.join("obj/model");
    tool.run()
        .args(["--cc", "--exe", "--build", "--build-jobs", "2", "-O3"])
        .args(["--x-assign", "unique", "--x-initial", "unique", "--no-timing"])
        .args(["-DNO_INCLUDES", "-Wno-TIMESCALEMOD"])
        .args(["-MAKEFLAGS", make_flags(design)])
        .args(["-CFLAGS", "-I.."])
        .args(["--Mdir", "obj", "-o", "model", "--prefix", "Vmodel"])
        .args(flags)
        .args(["--top-module", model.top])
        .args(&names)
        .arg("main.cpp")
        .dir(dir)
        .output(&built)
        .limit(Duration::from_secs(1800))
        .run()?;
    let ready = dir.join("ready");
    std::fs::create_dir(&ready).map_err(Error::io("create", &ready))?;
    std::fs::rename(&built, ready.join("model")).map_err(Error::io("move", &built))?;
    if let Err(e) = std::fs::rename(&ready, &place) {
        // Another process may have put the same model there first.
        if !exe.is_file() {
            return Err(Error::io("rename to", &place)(e));
        }
    }
    Ok(exe)
}

/// The design alone, with `top` as top: inside a wrapper its ports are inlined into vectors, and then
/// Verilator no longer finds latches on them.
fn lint(tool: &Installed, names: &[&str], flags: &[&str], dir: &Path) -> Result<()> {
    tool.run()
        .args(["--lint-only", "--no-timing", "-Wno-TIMESCALEMOD"])
        .args(flags)
        .args(["--top-module", "top"])
        .args(names)
        .dir(dir)
        .run()?;
    Ok(())
}

/// A netlist is large and flat: full optimisation of its C++ takes minutes and gains little.
/// `CFG_CXXFLAGS_PCH_I`: the wheel was configured without it, and designs of several C++ files then do
/// not build; it is what a compiler with precompiled headers is configured with anyway.
fn make_flags(design: &Design) -> &'static str {
    if design.netlist {
        "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O2 CFG_CXXFLAGS_PCH_I=-include"
    } else {
        "OPT_FAST=-O3 OPT_SLOW=-O1 OPT_GLOBAL=-O2 CFG_CXXFLAGS_PCH_I=-include"
    }
}

fn key(tool: &Installed, design: &Design, model: &Model, flags: &[&str]) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    part(tool.version());
    part(make_flags(design));
    flags.iter().for_each(|f| part(f));
    for text in [model.top, &model.wrapper, model.main, &model.header, ACTIVITY] {
        part(text);
    }
    for (name, text) in &design.sources {
        part(name);
        part(text);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
