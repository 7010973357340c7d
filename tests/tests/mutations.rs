//! Faults put into the emitted Verilog must be found: one in a table, a rounding, a width, an address and a handshake.
//!
//! The unmutated text is compared the same way first: a test that always fails would find every fault.

use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::multiply::Target;
use astromorph_host::chain::job::Job;
use astromorph_host::compile::{attention, attention_words, fitted};
use astromorph_host::progress::Progress;
use astromorph_sim::cosim::Design;
use astromorph_sim::engine::{EngineSimulator, VerilatedEngine};
use astromorph_sim::ports::Port;
use astromorph_sim::tools::{Tool, Tools};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// A layer and its inputs that seldom saturate: a saturated word hides what happened to it on the way.
fn layer() -> (Attention, Vec<[Vec<i32>; 3]>) {
    let sizes = AttentionSizes {
        heads: 2,
        features: 5,
        values: 6,
        n_max: 9,
        width: 8,
        order: Order::TwoPass,
        nonlinearity: Nonlinearity::Identity,
        alpha: 0.25,
        position: true,
        chunk: 1,
    };
    let drawn = (0..1000).map(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let att = Attention::random(&mut rng, sizes);
        let inputs: Vec<[Vec<i32>; 3]> = [9, 1, 6, 8, 9, 7]
            .map(|n| random_inputs(&mut rng, &att, n).into())
            .into();
        (att, inputs)
    });
    let saturated = |words: &[i32]| words.iter().filter(|w| w.abs() >= 127).count() * 20 > words.len();
    drawn
        .into_iter()
        .find(|(att, inputs)| {
            let traces = inputs.iter().map(|[q, k, v]| att.run(q, k, v));
            traces.into_iter().all(|t| !saturated(&t.h) && !saturated(&t.y))
        })
        .expect("some layer of a thousand seldom saturates")
}

/// The text with `change` applied inside one module.
fn in_module(verilog: &str, module: &str, change: impl Fn(&str) -> String) -> String {
    let start = verilog
        .find(&format!("module {module}("))
        .unwrap_or_else(|| panic!("no module {module}"));
    let end = start + verilog[start..].find("endmodule").expect("a module ends");
    let body = change(&verilog[start..end]);
    assert_ne!(body, verilog[start..end], "the mutation of {module} changes nothing");
    format!("{}{body}{}", &verilog[..start], &verilog[end..])
}

fn replace(from: &'static str, to: &'static str) -> impl Fn(&str) -> String {
    move |body| body.replacen(from, to, 1)
}

/// Whether the Verilated text gives the program's words.
fn equal(job: &Job, inputs: &[Vec<i32>], (verilog, ports): (&str, &[Port]), tools: &Tools, cache: &Path) -> bool {
    let tool = tools.get(Tool::Verilator).expect("asked for");
    let design = Design::rtl("mutant", verilog);
    // A mutant that a linter refuses has been found as well.
    let Ok(model) = VerilatedEngine::build(tool, &design, ports, cache) else {
        return false;
    };
    let words = |n: usize| Ok(inputs[n].clone());
    let ran = job.stream(&model, "mutant", (inputs.len(), &words), &Progress::new(true));
    // An engine that does not even load has been found as well.
    ran.is_ok_and(|ran| ran.row.verdict() == "equal")
}

#[test]
fn one_fault_of_each_kind_is_found() {
    let tools = Tools::ensure(&[Tool::Verilator], |line| eprintln!("{line}")).expect("Verilator can be had");
    let cache = tempfile::tempdir().expect("a temporary folder");
    let (att, inputs) = layer();
    let inputs: Vec<Vec<i32>> = inputs.iter().map(|[q, k, v]| attention_words(&att, q, k, v)).collect();
    let core = fitted("mutated", att.width(), 2, |core| attention(&att, core, 0)).expect("fits");
    let job = Job {
        compiled: attention(&att, &core, 0).expect("fits"),
        core: &core,
        label: "attention".into(),
        seed: 3,
    };
    let engine = EngineSimulator::new(&core, Target::Generic).expect("builds");
    let (verilog, ports) = (engine.driver().verilog(), engine.ports());
    let found = |text: &str| !equal(&job, &inputs, (text, &ports), &tools, cache.path());
    assert!(!found(verilog), "the emitted Verilog itself must be equal");
    let lanes = format!(
        "astromorph_lanes_2x{}x{}x{}",
        core.width, core.acc_bits, core.bank_words
    );
    let mutants: [(&str, &str, _); 5] = [
        (
            "table",
            "top$tail$unit$mantissa$words",
            replace("memory[read_address]", "memory[read_address ^ 1]"),
        ),
        ("rounding", "top$front$shifter", replace("one = 2'b1", "one = 2'b0")),
        ("width", &lanes, replace(".carry(carry_0)", ".carry(1'b0)")),
        (
            "address",
            "top$array",
            replace("row1 <= bank_row", "row1 <= bank_row ^ 1"),
        ),
        (
            "handshake",
            "top$sink",
            replace("pop = queue$some && m_ready", "pop = queue$some"),
        ),
    ];
    for (name, module, change) in &mutants {
        let text = in_module(verilog, module, change);
        assert!(found(&text), "the fault in a {name} was not found");
    }
}
