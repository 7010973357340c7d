//! Sizes nobody tried before through every tool: emitted Verilog is accepted and equals the twin, and so do the netlists.

use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::emit::emit;
use astromorph_hdl::multiply::Target;
use astromorph_sim::compare::Comparison;
use astromorph_sim::core::{CoreSimulator, push_beats, push_words};
use astromorph_sim::cosim::streams::{Beats, OutBeat, StreamOptions, StreamPorts, VerilatedCore};
use astromorph_sim::cosim::{Design, icarus};
use astromorph_sim::netlist::{self, SynthOptions};
use astromorph_sim::stream::Stalls;
use astromorph_sim::tools::{Tool, Tools};
use astromorph_sim::trace::Trace;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Random layers to draw; a long run sets the variable.
fn draws(default: u64) -> u64 {
    std::env::var("ASTROMORPH_DRAWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

struct Drawn {
    att: Attention,
    config: CoreConfig,
    beats: Beats,
    words: Vec<OutBeat>,
    what: String,
}

/// A layer of random sizes with a few random sequences.
fn draw(seed: u64, n_limit: usize, width_limit: u32, target: Target) -> Drawn {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sizes = AttentionSizes::draw(&mut rng, n_limit, width_limit);
    let att = Attention::random(&mut rng, sizes);
    let lanes = [1, 2, 4, 8, 16][rng.random_range(0..5)];
    let config = CoreConfig {
        lanes,
        chunk: rng.random_range(1..=33),
        target,
    };
    let (mut beats, mut words) = (Beats::default(), Vec::new());
    for _ in 0..3 {
        let n = rng.random_range(1..=sizes.n_max);
        let (q, k, v) = random_inputs(&mut rng, &att, n);
        push_beats(&att, &q, &k, &v, &mut beats);
        push_words(&att, &att.run(&q, &k, &v).y, &mut words);
    }
    let what = format!("seed {seed}, {sizes:?}, {config:?}");
    Drawn {
        att,
        config,
        beats,
        words,
        what,
    }
}

fn verilated(d: &Drawn, design: &Design, tools: &Tools, cache: &Path) -> Comparison {
    let ports = StreamPorts::attention_core(d.att.width() as usize, d.config.lanes);
    let tool = tools.get(Tool::Verilator).expect("asked for");
    let model = VerilatedCore::build(tool, design, &ports, cache).unwrap_or_else(|e| panic!("{}: {e}", d.what));
    let options = StreamOptions {
        seed: 5,
        stall: 0.2,
        patience: 1_000_000,
        ..StreamOptions::default()
    };
    let run = model
        .run(&d.beats, d.words.len() as u64, &options)
        .expect("the model runs");
    run.compare(&d.words).expect("words were compared")
}

#[test]
fn emitted_verilog_of_new_sizes_is_accepted_and_equals_the_twin() {
    let tools =
        Tools::ensure(&[Tool::Verilator, Tool::Yosys], |line| eprintln!("{line}")).expect("the tools can be had");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut total = Comparison::default();
    for seed in 0..draws(2) {
        let d = draw(1000 + seed, 12, 18, Target::Generic);
        let text = emit(&d.att, d.config, "chain").unwrap_or_else(|e| panic!("{}: {e}", d.what));
        let yosys = tools.get(Tool::Yosys).expect("asked for");
        netlist::accepts(yosys, &text, None, &folder.path().join("accept"))
            .unwrap_or_else(|e| panic!("{}: {e}", d.what));
        match Tools::find(Tool::Yosys023) {
            Ok(old) => netlist::accepts(&old, &text, None, &folder.path().join("old"))
                .unwrap_or_else(|e| panic!("{}: {e}", d.what)),
            Err(e) => eprintln!("not compared: {e}"),
        }
        let c = verilated(&d, &Design::rtl("core", &text), &tools, folder.path());
        assert!(c.is_equal(), "{}: {c}", d.what);
        total.merge(c);
        match Tools::ensure(&[Tool::Icarus], |_| {}) {
            Ok(found) => {
                let c = ports(&d, found.get(Tool::Icarus).expect("asked for"), folder.path());
                assert!(c.is_equal(), "{}: {c}", d.what);
                total.merge(c);
            }
            Err(e) => eprintln!("not compared: {e}"),
        }
    }
    eprintln!("{total}");
}

/// Every port in every cycle, RustHDL against Icarus.
fn ports(d: &Drawn, tool: &astromorph_sim::tools::Installed, folder: &Path) -> Comparison {
    let mut core = CoreSimulator::new(&d.att, d.config).expect("the core is built");
    let mut trace = Trace::new(core.driver().block());
    let stalls = [Stalls::new(1, 0.2), Stalls::new(2, 0.2)];
    let run = core.run(&d.beats, d.words.len(), stalls, |core| {
        trace.record(core);
        Ok(())
    });
    let c = run
        .expect("the core settles")
        .compare(&d.words)
        .expect("words were compared");
    assert!(c.is_equal(), "{}: {c}", d.what);
    let design = Design::rtl("core", core.driver().verilog());
    icarus::replay(tool, &design, &trace, &folder.join("icarus")).unwrap_or_else(|e| panic!("{}: {e}", d.what))
}

#[test]
fn netlists_of_both_families_equal_the_twin() {
    let tools =
        Tools::ensure(&[Tool::Verilator, Tool::Yosys], |line| eprintln!("{line}")).expect("the tools can be had");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let yosys = tools.get(Tool::Yosys).expect("asked for");
    for (seed, family, target) in [
        (11, netlist::Target::Ice40, Target::Ice40),
        (12, netlist::Target::Ecp5, Target::Ecp5),
    ] {
        let mut d = draw(seed, 8, 16, target);
        d.config.lanes = 2;
        let text = emit(&d.att, d.config, "chain").unwrap_or_else(|e| panic!("{}: {e}", d.what));
        let mapped = netlist::synthesise(
            yosys,
            &text,
            &SynthOptions::new(family),
            &folder.path().join(family.name()),
        );
        let mapped = mapped.unwrap_or_else(|e| panic!("{}: {e}", d.what));
        let cell = if target == Target::Ice40 {
            "SB_MAC16"
        } else {
            "MULT18X18D"
        };
        assert_eq!(
            mapped.count(cell),
            4,
            "two lanes, the calcium unit and the normaliser: {} {:?}",
            d.what,
            mapped.cells
        );
        let design = mapped.design(yosys).expect("the cells have models");
        let c = verilated(&d, &design, &tools, folder.path());
        assert!(c.is_equal(), "{}: {c}", d.what);
        eprintln!("{} netlist: {c}", family.name());
    }
}
