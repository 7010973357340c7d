//! Simulation models of the vendors' cells.
//!
//! Yosys' own files are taken from the installation that made the netlist, included files in place, timing
//! (`specify`) removed, and only the modules that are used: some others are beyond Icarus. Modules this
//! crate models itself are taken from here: Yosys has only their ports, or a slower model.
//!
//! Yosys' iCE40 models give inputs default values. Verilator 5.48 then simulates some *connected* inputs wrong, silently, in large netlists (seen on
//! `SB_LUT4`: the same netlist is right with the same model without defaults). The defaults are switched off; a pin left open reads 0.

use super::Target;
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::collections::{HashMap, HashSet};
use std::path::Path;

const MULT18X18D: &str = include_str!("../../cells/mult18x18d.v");
const SB_LUT4: &str = include_str!("../../cells/sb_lut4.v");
const DP16KD: &str = include_str!("../../cells/dp16kd.v");

/// The models of the cells that `verilog` instantiates, in one text.
pub(super) fn models(yosys: &Installed, target: Target, verilog: &str) -> Result<String> {
    let (folder, own): (_, &[_]) = match target {
        Target::Ice40 => ("ice40", &[("SB_LUT4", SB_LUT4)]),
        Target::Ecp5 => ("ecp5", &[("MULT18X18D", MULT18X18D), ("DP16KD", DP16KD)]),
    };
    let folder = yosys.share().join(folder);
    let library = without_specify(&read_with_includes(&folder, "cells_sim.v", 0)?);
    let mut used = used_modules(&library, verilog);
    for (module, _) in own {
        used.remove(*module);
    }
    let mut text = String::from("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n");
    text += &powered_up(&only_modules(&library, &used));
    for (_, model) in own {
        text.push_str(model);
    }
    Ok(text)
}

/// Yosys' `SB_MAC16` has no state at power-up; the device's has 0 in all registers (Lattice TN1295).
fn powered_up(library: &str) -> String {
    let mut text = library.to_string();
    for names in ["rC, rA", "rB, rD", "rF, rJ", "rK, rG", "rQ", "rS", "rH"] {
        for bits in ["[15:0]", "[31:0]"] {
            let set: Vec<_> = names.split(", ").map(|n| format!("{n} = 0")).collect();
            text = text.replace(
                &format!("reg {bits} {names};"),
                &format!("reg {bits} {};", set.join(", ")),
            );
        }
    }
    text
}

/// Names that a text mentions: more than it instantiates, never less.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
}

/// The modules of the library that `verilog` needs, with those they need themselves.
fn used_modules<'a>(library: &'a str, verilog: &str) -> HashSet<&'a str> {
    let mut bodies: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut module = None;
    for line in library.lines() {
        module = module_name(line).or(module);
        if let Some(name) = module {
            bodies.entry(name).or_default().push(line);
        }
    }
    let mut used = HashSet::new();
    let mut open: Vec<&str> = words(verilog)
        .filter_map(|w| bodies.get_key_value(w).map(|(k, _)| *k))
        .collect();
    while let Some(name) = open.pop() {
        if used.insert(name) {
            let lines = bodies.get(name).into_iter().flatten();
            let inside = lines.flat_map(|l| words(l));
            open.extend(inside.filter_map(|w| bodies.get_key_value(w).map(|(k, _)| *k)));
        }
    }
    used
}

fn module_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("module ")?.trim_start();
    rest.trim_start_matches('\\').split(['(', ' ', '#', ';']).next()
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

/// Drops all modules but the named ones, with the attribute line before them.
fn only_modules(text: &str, keep: &HashSet<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut dropping = false;
    let mut held = Vec::new();
    for line in text.lines() {
        let (attribute, directive) = (line.starts_with("(*"), line.starts_with('`'));
        if !dropping && (attribute || directive && !held.is_empty()) {
            // Held back until it is known what it belongs to; directives may enclose it.
            held.push(line);
            continue;
        }
        dropping |= module_name(line).is_some_and(|name| !keep.contains(name));
        let stays = |held: &&str| !dropping || held.starts_with('`');
        for line in held.drain(..).filter(stays).chain((!dropping).then_some(line)) {
            out.push_str(line);
            out.push('\n');
        }
        // A module may stand on one line.
        dropping &= !line.trim_end().ends_with("endmodule");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_modules_stay_and_timing_and_the_rest_go() {
        let text = "`ifdef X\n(* box *)\n`endif\nmodule A(input x);\n  specify\n    (x => y) = 1;\n  endspecify\nendmodule\n`define KEPT\nmodule \\$B (input x);\n  C c();\nendmodule\nmodule C; endmodule\n";
        let clean = without_specify(text);
        assert!(!clean.contains("=>"));
        let used = used_modules(&clean, "module top; \\$B b(); endmodule");
        assert_eq!(used, HashSet::from(["$B", "C"]));
        let kept = only_modules(&clean, &used);
        assert!(!kept.contains("module A") && !kept.contains("box"));
        assert!(kept.starts_with("`ifdef X\n`endif\n`define KEPT") && kept.contains("module C"));
    }
}
