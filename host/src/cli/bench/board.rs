//! The virtual board beside the bare Verilated core, on the same sequences: what the link costs in a simulation.

use super::add;
use crate::boards::Board as Described;
use crate::chain::answers::Answers;
use crate::chain::engine::Forms;
use crate::cli::Failure;
use crate::cli::board::virtual_board;
use crate::cli::ports::{Plugged, Ports};
use crate::cores::core;
use crate::link::Device;
use crate::link::device::options;
use crate::link::trial::large;
use crate::progress::Progress;
use crate::report::Report;
use astromorph_sim::tools::{Tool, Tools};
use std::path::Path;
use std::time::Duration;

/// Enough that loading is the smaller part of the time.
const SEQUENCES: usize = 32;

/// Cycles of the board's clock in a second of the processor's time, whole runs with loading and checks; every output word is held against the
/// integer machine's.
pub fn board(name: &str, seed: u64, folder: &Path, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let described = Described::find(name)?;
    let core = core(&described.link.core)?;
    let known = large(&core, seed, SEQUENCES)?;
    report.model = format!(
        "{name} with core {}, {SEQUENCES} sequences of a model with random weights",
        core.name
    );
    let tools = Tools::ensure(&[Tool::Verilator], |line| progress.say(line))?;
    progress.stage("Verilated engine");
    let engine = Forms::new(&core, &tools, folder).verilated()?;
    let (beats, count) = known.beats();
    let run = engine.outputs(known.package.loaded().writes(&core), &beats, count, &options())?;
    let words: Vec<i32> = run.words.iter().map(|beat| beat.data).collect();
    report.comparisons.push(known.compared("Verilated engine", &words));
    let speed = |cycles: u64, processor: Duration| cycles as f64 / processor.as_secs_f64().max(1e-9);
    let bare = speed(run.cycles + run.load_cycles, run.processor.unwrap_or(run.elapsed));
    add(report, "Verilated engine", bare, "cycles/s", "");
    for (bytes, line) in [(true, "bytes"), (false, "serial line")] {
        let what = format!("virtual board, {line}");
        let built = virtual_board(&described, &core, bytes, folder, progress)?;
        progress.stage(&what);
        let plugged = Plugged::new(&built, &described)?;
        for device in &mut Ports::of_board(name, vec![plugged.path.clone()]).connect()? {
            device.deploy(&known.package, &mut |_, _| {})?;
            let inputs = known.sequences.iter().map(|(i, o)| (i.clone(), o.len())).collect();
            let found = Answers::by_device(device, inputs, 1, progress)?;
            report.comparisons.push(known.compared(&what, &found.words.concat()));
        }
        let ran = plugged
            .end()
            .ok_or_else(|| astromorph::Error::field(&what, "a board at work", "one that had ended"))?;
        let speed = speed(ran.cycles, ran.processor);
        add(report, &what, speed, "cycles/s", "");
        let goal = if bytes { "≤ 2" } else { "" };
        add(
            report,
            &format!("Verilated engine over {what}"),
            bare / speed,
            "×",
            goal,
        );
    }
    Ok(())
}
