//! Asking the tools on PATH what they are.

use super::{Installed, Launcher, Tool};
use crate::error::Result;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first executable file of that name on PATH.
pub(super) fn which(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|p| {
            p.metadata()
                .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
}

/// Verilator's output is C++: without a compiler it is of no use.
pub(super) fn build_tools() -> Result<()> {
    for program in ["perl", "make", "g++"] {
        if which(program).is_none() {
            return Err(Tool::Verilator.missing(format!("no {program} on PATH")));
        }
    }
    Ok(())
}

/// The tool on PATH, when its version is one we know to be good.
pub(super) fn on_path(tool: Tool) -> Result<Installed> {
    match tool {
        Tool::Yosys | Tool::Yosys023 => yosys(tool),
        Tool::Verilator => single(tool, "verilator", "--version", "Verilator ", |v| v.0 == 5 && v.1 >= 6),
        Tool::Icarus => {
            let mut icarus = single(tool, "iverilog", "-V", "Icarus Verilog version ", |v| v.0 >= 10)?;
            let vvp = which("vvp").ok_or_else(|| tool.missing("iverilog without vvp"))?;
            icarus.launchers.push(plain(vvp));
            Ok(icarus)
        }
        Tool::OpenFpgaLoader => single(tool, "openFPGALoader", "-V", "openFPGALoader v", |v| v >= (0, 12)),
        Tool::NextpnrIce40 | Tool::NextpnrEcp5 | Tool::NextpnrGowin => Err(tool.missing("it is never taken from PATH")),
    }
}

fn yosys(tool: Tool) -> Result<Installed> {
    let wanted = if tool == Tool::Yosys { 70 } else { 23 };
    let mut found = single(tool, "yosys", "-V", "Yosys ", |v| v == (0, wanted))?;
    let program = &found.launchers[0].program;
    let beside = program
        .parent()
        .map(|bin| bin.join("../share/yosys"))
        .filter(|p| p.is_dir());
    found.share = beside.ok_or_else(|| tool.missing("no share/yosys folder beside it"))?;
    Ok(found)
}

fn plain(program: PathBuf) -> Launcher {
    Launcher {
        program,
        args: Vec::new(),
        env: Vec::new(),
    }
}

/// A tool of one program whose version follows `prefix` in what it prints.
fn single(tool: Tool, program: &str, flag: &str, prefix: &str, good: impl Fn((u32, u32)) -> bool) -> Result<Installed> {
    let path = which(program).ok_or_else(|| tool.missing("nothing on PATH"))?;
    let version = ask(tool, &path, flag, prefix)?;
    match numbers(&version) {
        Some(v) if good(v) => Ok(Installed {
            tool,
            version,
            share: PathBuf::new(),
            launchers: vec![plain(path)],
        }),
        _ => Err(tool.missing(format!("{} version {version}", path.display()))),
    }
}

fn ask(tool: Tool, path: &Path, flag: &str, prefix: &str) -> Result<String> {
    // Icarus 11 says its version and then fails over its own helpers: the text decides, not the status.
    let script = format!("{} {flag} 2>/dev/null || true", quote(path));
    let out = crate::process::Run::new(tool.name(), "sh")
        .args(["-c", &script])
        .limit(Duration::from_secs(60))
        .run()?;
    let version = out
        .stdout
        .lines()
        .find_map(|l| l.trim().strip_prefix(prefix))
        .and_then(|rest| rest.split_whitespace().next());
    match version {
        Some(v) => Ok(v.to_string()),
        None => Err(tool.missing(format!("{}, which does not say its version", path.display()))),
    }
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The first two numbers of a version ("5.006" is 5 and 6, "11.0" 11 and 0).
pub(super) fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(|c: char| !c.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|p| p.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_read_as_numbers() {
        assert_eq!(numbers("5.006"), Some((5, 6)));
        assert_eq!(numbers("0.23"), Some((0, 23)));
        assert_eq!(numbers("11.0"), Some((11, 0)));
        assert_eq!(numbers("0.70+12"), Some((0, 70)));
        assert_eq!(numbers("devel"), None);
    }
}
