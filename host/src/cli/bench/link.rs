//! The link under faults: each fault alone at a thousandth a byte, and all together.

use super::add;
use crate::boards::Board as Described;
use crate::cli::Failure;
use crate::cli::board::virtual_board;
use crate::cli::ports::{Plugged, Ports};
use crate::cores::core;
use crate::interrupt;
use crate::link::driver::Timing;
use crate::link::faults::{FAULTS, Faulty, Rates};
use crate::link::trial::{CORE, efficiency, known, trial, trial_over};
use crate::progress::Progress;
use crate::report::{ComparisonRow, Report};
use std::path::Path;
use std::time::Duration;

/// Probability of a fault, a byte.
const RATE: f64 = 1e-3;

/// A board in Verilator is slower than its clock says; faults must not take minutes to be seen.
const TIMING: Timing = Timing {
    latency: Duration::from_millis(100),
    patience: Duration::from_secs(60),
    stuck: Duration::from_secs(300),
};

/// `frames` under each fault. Every result is held against the machine's; what a fault cost stands in the measures.
/// With the name of a board the trials' core and its link in Verilator instead of the link's model in this process.
pub fn link(
    frames: u64,
    board: Option<&str>,
    seed: u64,
    folder: &Path,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), Failure> {
    let gateware = match board {
        None => None,
        Some(name) => {
            let described = Described::find(name)?;
            Some((
                virtual_board(&described, &core(CORE)?, true, folder, progress)?,
                described,
            ))
        }
    };
    let programs = [known(seed)?, known(seed.wrapping_add(1))?];
    let (upload, stream, bytes) = efficiency(seed)?;
    let what = format!("link without faults: payload of an upload ({bytes} bytes)");
    add(report, &what, upload, "% of the line", "≥ 90");
    let what = "link without faults: payload of input sequences, checks included";
    add(report, what, stream, "% of the line", "≥ 90");
    let single = FAULTS.map(|(fault, name)| (name, Rates::only(fault, RATE)));
    let none = ("none", Rates::default());
    for (name, rates) in [none]
        .into_iter()
        .chain(single)
        .chain([("all together", Rates::all(RATE))])
    {
        if interrupt::requested() {
            return Err(Failure::Interrupted("the output folder".into()));
        }
        let stage = progress.stage(&format!("link under fault: {name}"));
        let found = match &gateware {
            None => trial(&programs, rates, frames, seed)?,
            Some((built, described)) => {
                let plugged = Plugged::new(built, described)?;
                let line = Ports::of_board(&described.name, Vec::new()).open(&plugged.path)?;
                trial_over(Faulty::new(line, rates, seed), TIMING, &programs, frames)?
            }
        };
        let (made, c) = (&found.made, &found.counters);
        progress.say(&format!(
            "  {} frames, {} bytes, {} faults, {} sequences, {} wrong, {} deployments, {:.1} s",
            made.frames,
            made.bytes,
            made.total(),
            found.sequences,
            found.wrong,
            found.deployments,
            stage.seconds()
        ));
        let mut row = ComparisonRow::missing("machine", "link", &format!("results under fault: {name}"), "");
        row.sequences = found.sequences;
        row.words = found.sequences as u64;
        row.mismatches = found.wrong as u64;
        report.comparisons.push(row);
        let mut add =
            |what: &str, value: f64, unit: &str| add(report, &format!("fault {name}: {what}"), value, unit, "");
        add("frames", made.frames as f64, "");
        for (fault, kind) in FAULTS {
            if made.of(fault) > 0 {
                add(&format!("{kind}, to the board"), made.down[fault as usize] as f64, "");
                add(&format!("{kind}, from the board"), made.up[fault as usize] as f64, "");
            }
        }
        add("requests lost", (c.overtaken + c.late) as f64, "");
        add("answers damaged", c.damaged as f64, "");
        add("answers stale", c.stale as f64, "");
        add("lines opened again", c.reconnects as f64, "");
        add("sessions", c.sessions as f64, "");
        let line = found.line.as_secs_f64().max(1e-9);
        add(
            "sequences in a second of the line",
            found.sequences as f64 / line,
            "1/s",
        );
        add(
            "frames in a second",
            made.frames as f64 / found.elapsed.as_secs_f64(),
            "1/s",
        );
    }
    Ok(())
}
