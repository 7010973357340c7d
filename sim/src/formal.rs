//! Proofs that hold for all inputs and all time, with Yosys' own passes and solver.
//!
//! | | [`prove`] | [`prove_pipeline`] |
//! |---|---|---|
//! | proved | output `bad` of module `top` is 0 in every cycle from cycle `after` on; memories are not modelled: a read gives any word | the same, from the cycle on in which the pipelines are full |
//! | how | temporal induction | every register is an unknown function of what comes in: what is computed alike from alike is one, and `bad` is what is left |
//! | for | anything small, without large products | two pipelines of the same depth, with products of any size written alike |
//! | cells | the vendors' models, as in co-simulation | |
//! | refused | a counterexample; more than [`STEPS`] steps | whatever does not fold: both are errors, and no proof that it is wrong |
//!
//! A block that is to be proved goes into `top` beside its law, and `bad` is where they differ. [`prove`] may look inside: a wire of `top` that
//! nothing drives can be joined to a net of the flattened design.

use crate::cosim::Design;
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::path::Path;
use std::time::Duration;

/// Longest induction.
pub const STEPS: u32 = 12;

/// What nothing drives may be anything; Yosys would take it for whatever helps.
const FREE: &str = "setundef -undriven -anyseq";

/// A register as an unknown function; one that takes a constant holds it.
const DELAY: &str = r#"(* blackbox *) module ASTROMORPH_DELAY(input C, input D, output Q); endmodule
"#;
const DELAY_MAP: &str = r#"module \$_DFF_P_ (input C, input D, output Q);
  parameter _TECHMAP_CONSTMSK_D_ = 0;
  generate
    if (_TECHMAP_CONSTMSK_D_) assign Q = D;
    else ASTROMORPH_DELAY d(.C(C), .D(D), .Q(Q));
  endgenerate
endmodule
"#;

/// Proves by induction; `seen` joins wires of `top` to nets inside: `("pointer", "d.queue.pointer.q")`.
pub fn prove(
    yosys: &Installed,
    design: &Design,
    after: u32,
    seen: &[(&str, &str)],
    limit: Duration,
    dir: &Path,
) -> Result<()> {
    let joined: String = seen
        .iter()
        // Without -nounset Yosys also takes the wire from whatever reads it in an always block.
        .map(|(wire, net)| format!("connect -nounset -set {wire} {net}; "))
        .collect();
    let script = format!(
        "flatten; {joined}delete t:$mem*; {FREE}; async2sync; opt -full; dffunmap; opt_clean; \
         sat -tempinduct -prove bad 0 -seq {after} -maxsteps {STEPS} -verify"
    );
    solve(yosys, design, &script, limit, dir)
}

/// Proves by structure.
pub fn prove_pipeline(yosys: &Installed, design: &Design, limit: Duration, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    for (name, text) in [("delay.v", DELAY), ("delay_map.v", DELAY_MAP)] {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))?;
    }
    let script = format!(
        "flatten; {FREE}; async2sync; opt -full; dffunmap; opt -full; setattr -unset init w:*; read_verilog -lib delay.v; \
                  simplemap t:$dff; techmap -map delay_map.v; opt -full -share_all; opt -full -share_all; opt_clean; sat -prove bad 0 -verify"
    );
    solve(yosys, design, &script, limit, dir)
}

/// Runs `script` on the design; a file written after the solver has agreed, nothing else counts as a proof.
fn solve(yosys: &Installed, design: &Design, script: &str, limit: Duration, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let mut files = String::new();
    for (name, text) in &design.sources {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        files += &format!(" {name}");
    }
    let script = format!(
        "read_verilog -sv -DNO_ICE40_DEFAULT_ASSIGNMENTS{files}; hierarchy -check -top top; proc; {script}; tee -q -o proved.txt stat"
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
