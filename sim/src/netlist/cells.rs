//! Simulation models of the vendors' cells.
//!
//! Yosys' own files are taken from the installation that made the netlist, included files in place, timing
//! (`specify`) removed. Modules this crate models itself are taken out of them: Yosys has only their ports.

use super::Target;
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::path::Path;

const MULT18X18D: &str = include_str!("../../cells/mult18x18d.v");
const DP16KD: &str = include_str!("../../cells/dp16kd.v");

/// All models of a family in one text.
pub(super) fn models(yosys: &Installed, target: Target) -> Result<String> {
    let (folder, own): (_, &[_]) = match target {
        Target::Ice40 => ("ice40", &[]),
        Target::Ecp5 => ("ecp5", &[("MULT18X18D", MULT18X18D), ("DP16KD", DP16KD)]),
    };
    let folder = yosys.share().join(folder);
    let mut text = without_specify(&read_with_includes(&folder, "cells_sim.v", 0)?);
    for (module, model) in own {
        text = without_module(&text, module);
        text.push_str(model);
    }
    Ok(text)
}

/// A file with the files it includes from its own folder in their places. Files Yosys does not ship
/// (inside `ifdef`s that are never true) stay as they are.
fn read_with_includes(folder: &Path, name: &str, depth: usize) -> Result<String> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let included = line
            .trim()
            .strip_prefix("`include")
            .map(|rest| rest.trim().trim_matches('"'));
        match included {
            Some(file) if depth < 4 && folder.join(file).is_file() => {
                out.push_str(&read_with_includes(folder, file, depth + 1)?);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    Ok(out)
}

/// Drops `specify … endspecify`: delays and checks are no part of a cycle-accurate comparison.
fn without_specify(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "specify" => inside = true,
            "endspecify" => inside = false,
            _ if !inside => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
    out
}

/// Drops one module and the attribute line before it.
fn without_module(text: &str, module: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut attribute = None;
    for line in text.lines() {
        if !inside && line.starts_with("(*") {
            // Held back until it is known what it belongs to.
            out.extend(attribute.replace(format!("{line}\n")));
            continue;
        }
        let name = line
            .strip_prefix("module ")
            .map(|rest| rest.split(['(', ' ', '#']).next().unwrap_or(rest));
        inside |= name == Some(module);
        let before = attribute.take();
        if !inside {
            out.extend(before);
            out.push_str(line);
            out.push('\n');
        }
        inside &= line.trim() != "endmodule";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specify_blocks_and_named_modules_go_and_the_rest_stays() {
        let text = "(* box *)\nmodule A(input x);\n  specify\n    (x => y) = 1;\n  endspecify\nendmodule\nmodule AB(input x);\nendmodule\n";
        let clean = without_specify(text);
        assert!(!clean.contains("=>") && clean.contains("module A("));
        let one = without_module(&clean, "A");
        assert!(!one.contains("module A(") && !one.contains("box") && one.contains("module AB("));
    }
}
