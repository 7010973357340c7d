//! Attention of sizes nobody tried before, as a program on a core made to measure, through every tool: the emitted Verilog is accepted and equals
//! the twin, and so do the netlists.

use astromorph::engine::config::EngineConfig;
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use astromorph_host::chain::forms::Forms;
use astromorph_host::chain::job::Job;
use astromorph_host::compile::{attention, attention_words, fitted};
use astromorph_host::progress::Progress;
use astromorph_sim::netlist;
use astromorph_sim::tools::{Tool, Tools};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random layers to draw; a long run sets the variable.
fn draws(default: u64) -> u64 {
    std::env::var("ASTROMORPH_DRAWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

struct Drawn {
    att: Attention,
    core: EngineConfig,
    /// Input words of each sequence.
    inputs: Vec<Vec<i32>>,
    what: String,
}

/// A layer of random sizes with a few random sequences; the program's words are the twin's.
fn draw(seed: u64, n_limit: usize, width_limit: u32) -> Drawn {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    loop {
        let sizes = AttentionSizes::draw(&mut rng, n_limit, width_limit);
        let att = Attention::random(&mut rng, sizes);
        let lanes = [2, 4, 8][rng.random_range(0..3)];
        // Formats that no field of a program holds are refused by name.
        let Ok(core) = fitted("drawn", sizes.width, lanes, |core| attention(&att, core, 0)) else {
            continue;
        };
        let compiled = attention(&att, &core, 0).expect("fits");
        let mut machine =
            astromorph::engine::machine::Machine::new(&core, &compiled.program, &compiled.loaded).expect("loads");
        let inputs = (0..3).map(|_| {
            let n = rng.random_range(1..=sizes.n_max);
            let (q, k, v) = random_inputs(&mut rng, &att, n);
            let words = attention_words(&att, &q, &k, &v);
            assert_eq!(machine.predict(&words).expect("runs"), att.run(&q, &k, &v).y);
            words
        });
        let inputs = inputs.collect();
        let what = format!("seed {seed}, {sizes:?}, {lanes} lanes");
        return Drawn {
            att,
            core,
            inputs,
            what,
        };
    }
}

fn job(d: &Drawn) -> Job<'_> {
    Job {
        core: &d.core,
        compiled: attention(&d.att, &d.core, 0).expect("fits"),
        label: d.what.clone(),
        seed: 5,
    }
}

#[test]
fn emitted_verilog_of_new_sizes_is_accepted_and_equals_the_twin() {
    let tools =
        Tools::ensure(&[Tool::Verilator, Tool::Yosys], |line| eprintln!("{line}")).expect("the tools can be had");
    let (folder, progress) = (tempfile::tempdir().expect("a temporary folder"), Progress::new(true));
    for seed in 0..draws(2) {
        let d = draw(1000 + seed, 12, 18);
        let text = emit_engine(&d.core, Target::Generic).unwrap_or_else(|e| panic!("{}: {e}", d.what));
        let yosys = tools.get(Tool::Yosys).expect("asked for");
        netlist::accepts(yosys, &text, None, &folder.path().join("accept"))
            .unwrap_or_else(|e| panic!("{}: {e}", d.what));
        match Tools::find(Tool::Yosys023) {
            Ok(old) => netlist::accepts(&old, &text, None, &folder.path().join("old"))
                .unwrap_or_else(|e| panic!("{}: {e}", d.what)),
            Err(e) => eprintln!("not compared: {e}"),
        }
        let (job, work) = (job(&d), folder.path().join(seed.to_string()));
        let forms = Forms::new(&d.core, &tools, &work);
        let words = |n: usize| Ok(d.inputs[n].clone());
        let mut engine = forms.rusthdl().expect("builds");
        let rusthdl = job.simulate(&mut engine, (3, &words), &progress).expect("runs");
        let model = forms.verilated().expect("builds");
        let verilated = job.stream(&model, "Verilator", (3, &words), &progress).expect("runs");
        for row in [rusthdl.row, verilated.row] {
            assert_eq!(row.verdict(), "equal", "{row:?}");
        }
        let ports = forms.ports(&job, d.inputs[0].clone()).expect("runs");
        assert_ne!(ports.verdict(), "DIFFERENT", "{ports:?}");
        eprintln!("{}: {} port values, {}", d.what, ports.words, ports.not_compared);
    }
}

#[test]
fn netlists_of_both_families_equal_the_twin() {
    let tools =
        Tools::ensure(&[Tool::Verilator, Tool::Yosys], |line| eprintln!("{line}")).expect("the tools can be had");
    let (folder, progress) = (tempfile::tempdir().expect("a temporary folder"), Progress::new(true));
    for (seed, family) in [(11, netlist::Target::Ice40), (12, netlist::Target::Ecp5)] {
        let d = draw(seed, 8, 16);
        let job = job(&d);
        let forms = Forms::new(&d.core, &tools, folder.path());
        let (model, cells) = forms.netlist(family).unwrap_or_else(|e| panic!("{}: {e}", d.what));
        let words = |n: usize| Ok(d.inputs[n].clone());
        let row = job
            .stream(&model, family.name(), (3, &words), &progress)
            .expect("runs")
            .row;
        assert_eq!(row.verdict(), "equal", "{row:?}");
        eprintln!("{}: {} words; {:?}", family.name(), row.words, cells.cells);
    }
}
