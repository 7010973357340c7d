//! `astromorph tools`: which outside tools there are, and a private, pinned installation of those that are missing.

use super::{Common, Failure, Outcome};
use crate::progress::Progress;
use crate::report::grid;
use astromorph_sim::tools::{Tool, Tools as Found};
use clap::{Args, ValueEnum};

/// Arguments of `tools`.
#[derive(Args)]
pub struct Tools {
    /// What to do.
    #[arg(value_enum, default_value_t = Action::List)]
    action: Action,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Action {
    /// Say which are there.
    List,
    /// Install what is missing.
    Install,
}

/// The tools the chain can use; a missing optional one makes its comparison "not compared".
pub const ALL: [(Tool, bool); 4] = [
    (Tool::Yosys, true),
    (Tool::Verilator, true),
    (Tool::Icarus, false),
    (Tool::Yosys023, false),
];

impl Tools {
    /// Prints a table; a required tool that cannot be had is a failure.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let mut rows = Vec::new();
        let mut failure = None;
        for (tool, required) in ALL {
            let found = match self.action {
                Action::Install => Found::ensure(&[tool], |line| progress.say(line)).and_then(|t| t.get(tool).cloned()),
                Action::List => Found::find(tool),
            };
            let version = match &found {
                Ok(tool) => tool.version().to_string(),
                Err(e) => e.to_string(),
            };
            let need = if required { "required" } else { "optional" };
            rows.push(vec![
                tool.name().to_string(),
                need.to_string(),
                tool.expected().to_string(),
                version,
            ]);
            if let (Err(e), true) = (found, required) {
                failure = Some(e);
            }
        }
        if common.json {
            let list: Vec<_> = rows
                .iter()
                .map(|r| serde_json::json!({"tool": r[0], "need": r[1], "expected": r[2], "found": r[3]}))
                .collect();
            println!("{}", serde_json::Value::from(list));
        } else {
            println!("{}", grid(&["tool", "need", "expected", "found"], &rows));
        }
        failure.map_or(Ok(()), |e| Err(Failure::Simulation(e)))
    }
}
