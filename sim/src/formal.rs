//! Proofs that hold for all inputs and all time, by temporal induction with Yosys' own solver.
//!
//! | item | |
//! |---|---|
//! | proved | output `bad` of module `top` is 0 in every cycle from cycle `after` on, whatever the registers held at the start |
//! | cells | the vendors' models, as in co-simulation |
//! | refused | a counterexample, and a proof that needs more than [`STEPS`] steps: both are errors |
//!
//! A block that is to be proved equal to a law goes into `top` beside the law, and `bad` is where they differ. Write the law with the same
//! operations as the cell where these are hard for a solver (products): equal operations on equal registers are then recognised as one.

use crate::cosim::Design;
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::path::Path;
use std::time::Duration;

/// Longest induction.
pub const STEPS: u32 = 12;

/// Proves the statement above for a design, in `dir`, which is made when absent.
pub fn prove(yosys: &Installed, design: &Design, after: u32, limit: Duration, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let mut files = String::new();
    for (name, text) in &design.sources {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        files += &format!(" {name}");
    }
    // A file written after the solver has agreed: nothing else counts as a proof.
    let script = format!(
        "read_verilog -sv -DNO_ICE40_DEFAULT_ASSIGNMENTS{files}; hierarchy -check -top top; proc; flatten; async2sync; opt -full; dffunmap; \
         opt_clean; sat -tempinduct -prove bad 0 -seq {after} -maxsteps {STEPS} -verify; tee -q -o proved.txt stat"
    );
    yosys
        .run()
        .args(["-q", "-p", &script])
        .dir(dir)
        .output(dir.join("proved.txt"))
        .limit(limit)
        .run()?;
    Ok(())
}
