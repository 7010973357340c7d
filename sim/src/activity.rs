//! How often the nets of a simulated netlist change: what dynamic power is estimated from.
//!
//! | item | |
//! |---|---|
//! | counted | changes of each net's settled value from cycle to cycle, and the cycles in which it is 1 |
//! | not counted | glitches: values within a cycle before it settles |
//! | start, end | a net that is 1 in the first cycle counts one change more (SAIF begins at 0); the change at the end of the last cycle counts |
//! | nets | those called `n` and a number: a netlist written for counting names all so |
//!
//! Verilator writes SAIF, a file as long as the list of nets, whatever the run's length.
//!
//! ```
//! let saif = "(DURATION 4)\n(INSTANCE dut\n(NET\n(y\\[0\\] (T0 1) (T1 3) (TC 9))\n(n7 (T0 1) (T1 3) (TZ 0) (TX 0) (TB 0) (TC 2))\n)";
//! let activity = astromorph_sim::activity::Activity::parse(saif).unwrap();
//! assert_eq!(activity.cycles, 4);
//! let n7 = activity.net(7);
//! assert_eq!((n7.toggles, n7.high), (2, 3));
//! assert!(!activity.has(8) && activity.net(8).toggles == 0);
//! ```

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// Changes.
    pub toggles: u64,
    /// Cycles in which it is 1.
    pub high: u64,
}

/// What a run counted.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    pub cycles: u64,
    nets: HashMap<u64, Net>,
}

impl Activity {
    /// Whether the file has the net `n7`.
    pub fn has(&self, number: u64) -> bool {
        self.nets.contains_key(&number)
    }

    /// The net `n7` by its number; one that the file does not have never changes.
    pub fn net(&self, number: u64) -> Net {
        self.nets.get(&number).copied().unwrap_or_default()
    }

    /// Where the harness puts the SAIF of a run with this file.
    pub(crate) fn beside(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".saif");
        name.into()
    }

    pub(crate) fn read(path: &Path) -> Result<Activity> {
        Activity::parse(&std::fs::read_to_string(path).map_err(Error::io("read", path))?)
    }

    /// From the text of a SAIF file.
    pub fn parse(saif: &str) -> Result<Activity> {
        let bad = |expected: &str, found: &str| Error::BadReport {
            item: "SAIF of the verilated model".into(),
            expected: expected.into(),
            found: found.to_string(),
        };
        let mut activity = Activity::default();
        for line in saif.lines().map(str::trim) {
            if let Some(cycles) = value(line, "(DURATION ") {
                activity.cycles = cycles;
                continue;
            }
            let number = line
                .strip_prefix("(n")
                .and_then(|rest| rest.split_once(' '))
                .and_then(|(number, _)| number.parse().ok());
            if let Some(number) = number {
                let counts = value(line, "(TC ").zip(value(line, "(T1 "));
                let (toggles, high) = counts.ok_or_else(|| bad("T1 and TC of every net", line))?;
                activity.nets.insert(number, Net { toggles, high });
            }
        }
        match (activity.cycles, activity.nets.len()) {
            (0, _) | (_, 0) => Err(bad("a duration and nets", saif.lines().next().unwrap_or("nothing"))),
            _ => Ok(activity),
        }
    }
}

/// The number behind `key`.
fn value(line: &str, key: &str) -> Option<u64> {
    let (_, rest) = line.split_once(key)?;
    rest.split(')').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_nets_or_counts_is_refused() {
        for (text, named) in [
            ("", "a duration and nets"),
            ("(DURATION 9)", "a duration and nets"),
            ("(DURATION 9)\n(n1 (T0 9) (TC 1))", "T1 and TC"),
        ] {
            let error = Activity::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
