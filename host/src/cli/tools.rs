//! `astromorph tools`: which outside tools there are, and a private, pinned installation of those that are missing.

use super::{Common, Failure, Outcome};
use crate::boards::Board;
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
    /// Install place and route for this board too.
    #[arg(long)]
    board: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Action {
    /// Say which are there.
    List,
    /// Install what is missing.
    Install,
}

/// What a tool is to the chain.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Required,
    /// A missing one makes its comparison "not compared".
    Optional,
    /// `build` installs it for the board that needs it.
    Board,
    /// `flash` installs it.
    Flash,
}

/// The tools.
const ALL: [(Tool, Need); 8] = [
    (Tool::Yosys, Need::Required),
    (Tool::Verilator, Need::Required),
    (Tool::Icarus, Need::Optional),
    (Tool::Yosys023, Need::Optional),
    (Tool::NextpnrIce40, Need::Board),
    (Tool::NextpnrEcp5, Need::Board),
    (Tool::NextpnrGowin, Need::Board),
    (Tool::OpenFpgaLoader, Need::Flash),
];

impl Tools {
    /// Prints a table; a required tool that cannot be had is a failure.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let mut rows = Vec::new();
        let mut failure = None;
        let board = self.board.as_deref().map(Board::find).transpose()?;
        for (tool, need) in ALL {
            let asked = board.as_ref().is_some_and(|b| b.family.tool() == tool);
            let required = need == Need::Required || asked;
            let found = match self.action {
                Action::Install if !matches!(need, Need::Board | Need::Flash) || asked => {
                    Found::ensure(&[tool], |line| progress.say(line)).and_then(|t| t.get(tool).cloned())
                }
                _ => Found::find(tool),
            };
            let version = match &found {
                Ok(tool) => tool.version().to_string(),
                Err(e) => e.to_string(),
            };
            let need = match need {
                Need::Required => "required",
                Need::Optional => "optional",
                Need::Board => "build",
                Need::Flash => "flash",
            };
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
