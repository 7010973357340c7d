//! The link under faults: each fault alone at a thousandth a byte, and all together.

use super::add;
use crate::cli::Failure;
use crate::interrupt;
use crate::link::faults::{FAULTS, Rates};
use crate::link::trial::{efficiency, known, trial};
use crate::progress::Progress;
use crate::report::{ComparisonRow, Report};

/// Probability of a fault, a byte.
const RATE: f64 = 1e-3;

/// `frames` under each fault. Every result is held against the machine's; what a fault cost stands in the measures.
pub fn link(frames: u64, seed: u64, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
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
        let found = trial(&programs, rates, frames, seed)?;
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
