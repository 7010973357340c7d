//! Long work on the engine: how a run is made, and what comes out of it.

use crate::error::{Error, Result};
use std::time::Duration;

/// One beat that came out, or is expected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutBeat {
    pub data: i32,
    pub last: bool,
}

/// How to run a model.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    pub seed: u64,
    /// Probability that a side pauses in a cycle.
    pub stall: f64,
    /// Cycles without any beat on either side after which the engine counts as stuck.
    pub patience: u64,
    pub time_limit: Duration,
}

impl StreamOptions {
    /// Refuses a probability that is none, and 1, with which nothing would ever move.
    pub(crate) fn check(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.stall) {
            return Ok(());
        }
        Err(Error::Unsupported {
            item: "stall probability".into(),
            expected: "0 or more and less than 1".into(),
            found: self.stall.to_string(),
        })
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            seed: 1,
            stall: 0.0,
            patience: 10_000_000,
            time_limit: Duration::from_secs(3600),
        }
    }
}
