//! One error type for the whole crate: every variant names the file, the tool or the signal, what was
//! expected and what was found.

use std::path::PathBuf;
use std::time::Duration;

/// Result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a simulation, a co-simulation or a tool run could not say "equal" or "not equal".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The block itself is wrong: open signals, logic loops, writes to inputs.
    #[error("block: expected a well-formed circuit, found {found}")]
    Block { found: String },
    /// The settle loop did not reach a fixed point.
    #[error(
        "cycle {cycle}: expected the circuit to settle within {limit} sweeps, found it still changing (a combinational loop?)"
    )]
    NoConvergence { cycle: u64, limit: usize },
    /// Verilog text that a harness cannot be built for.
    #[error("{item}: expected {expected}, found {found}")]
    Unsupported {
        item: String,
        expected: String,
        found: String,
    },
    /// Nothing was compared: never a pass.
    #[error("{what}: expected at least one compared word, found none (compared nothing)")]
    ComparedNothing { what: String },
    /// A payload or valid changed while the stream was stalled.
    #[error("stream {stream}, cycle {cycle}: expected valid and payload to hold while not ready, found {found}")]
    Protocol { stream: String, cycle: u64, found: String },
    /// A tool is not on this machine and could not be, or was not to be, installed.
    #[error("tool {tool}: expected version {expected}, found {found}")]
    ToolMissing {
        tool: String,
        expected: String,
        found: String,
    },
    /// A tool ran and did not succeed.
    #[error("tool {tool}: expected success, found {found}\n{log}")]
    ToolFailed { tool: String, found: String, log: String },
    /// A tool ran longer than allowed and was stopped.
    #[error("tool {tool}: expected an answer within {limit:?}, found it still running")]
    TimedOut { tool: String, limit: Duration },
    /// A tool was stopped because the user asked for it.
    #[error("tool {tool}: interrupted")]
    Interrupted { tool: String },
    /// A tool said success but an output file is missing or empty.
    #[error("tool {tool}: expected a new, non-empty file {path}, found {found}\n{log}")]
    NoOutput {
        tool: String,
        path: PathBuf,
        found: String,
        log: String,
    },
    /// A tool's report could not be understood.
    #[error("{item}: expected {expected}, found {found}")]
    BadReport {
        item: String,
        expected: String,
        found: String,
    },
    /// The model, the program or the machine refused something.
    #[error(transparent)]
    Model(#[from] astromorph::Error),
    /// The file system said no.
    #[error("{action} {path}: {source}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
}

impl Error {
    /// True when a tool is absent: an optional comparison is then "not compared", and never a pass.
    pub fn is_tool_missing(&self) -> bool {
        matches!(self, Error::ToolMissing { .. })
    }

    /// True when an outside tool is the cause: absent, failed, too slow, or silent about its result.
    pub fn is_tool(&self) -> bool {
        matches!(
            self,
            Error::ToolMissing { .. }
                | Error::ToolFailed { .. }
                | Error::TimedOut { .. }
                | Error::NoOutput { .. }
                | Error::BadReport { .. }
        )
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }
}
