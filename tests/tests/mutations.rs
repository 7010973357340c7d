//! Faults put into the emitted Verilog must be found: one in a table, a rounding, a width, an address and a handshake.
//!
//! The unmutated text is compared the same way first: a test that always fails would find every fault.

use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::emit::emit;
use astromorph_hdl::multiply::Target;
use astromorph_sim::core::{push_beats, push_words};
use astromorph_sim::cosim::Design;
use astromorph_sim::cosim::streams::{Beats, OutBeat, StreamOptions, StreamPorts, VerilatedCore};
use astromorph_sim::tools::{Tool, Tools};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

struct Case {
    verilog: String,
    beats: Beats,
    words: Vec<OutBeat>,
    ports: StreamPorts,
    /// Entry of φ's table for keys that the first negative key reads.
    entry: usize,
}

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

fn case() -> Case {
    let (att, inputs) = layer();
    let config = CoreConfig {
        lanes: 2,
        chunk: 4,
        target: Target::Generic,
    };
    let (mut beats, mut words, mut entry) = (Beats::default(), Vec::new(), None);
    for [q, k, v] in &inputs {
        let index = |&x: &i32| (x as i64 - att.formats.k.min()) as usize >> (7 - att.tables.phi_bits);
        entry = entry.or(k.iter().find(|&&x| (-40..0).contains(&x)).map(index));
        push_beats(&att, q, k, v, &mut beats);
        push_words(&att, &att.run(q, k, v).y, &mut words);
    }
    Case {
        verilog: emit(&att, config, "mutations").expect("the core is emitted"),
        beats,
        words,
        ports: StreamPorts::attention_core(8, 2),
        entry: entry.expect("some key is a little below zero"),
    }
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

/// Replaces what stands between `from` and the next semicolon.
fn set(from: String, value: impl Fn(&str) -> String) -> impl Fn(&str) -> String {
    move |body| {
        let at = body.find(&from).unwrap_or_else(|| panic!("no {from}")) + from.len();
        let end = at + body[at..].find(';').expect("a statement ends");
        format!("{}{}{}", &body[..at], value(&body[at..end]), &body[end..])
    }
}

/// Whether the Verilated text gives the twin's words.
fn equal(case: &Case, verilog: &str, tools: &Tools, cache: &Path) -> bool {
    let tool = tools.get(Tool::Verilator).expect("asked for");
    let design = Design::rtl("mutant", verilog);
    // A mutant that a linter refuses has been found as well.
    let Ok(model) = VerilatedCore::build(tool, &design, &case.ports, cache) else {
        return false;
    };
    let options = StreamOptions {
        seed: 3,
        stall: 0.3,
        patience: 20_000,
        ..StreamOptions::default()
    };
    let run = model
        .run(&case.beats, case.words.len() as u64, &options)
        .expect("the model runs");
    run.compare(&case.words).expect("words were compared").is_equal()
}

#[test]
fn one_fault_of_each_kind_is_found() {
    let tools = Tools::ensure(&[Tool::Verilator], |line| eprintln!("{line}")).expect("Verilator can be had");
    let cache = tempfile::tempdir().expect("a temporary folder");
    let case = case();
    assert!(
        equal(&case, &case.verilog, &tools, cache.path()),
        "the emitted Verilog itself must be equal"
    );
    let table = set(format!("table_[{}] = 8'h", case.entry), |word| {
        let word = u8::from_str_radix(word.trim(), 16).expect("a table word is hexadecimal");
        format!("{:x}", word ^ 0x10)
    });
    let mutants = [
        ("table", in_module(&case.verilog, "top$loader$phi_k$lookup", table)),
        (
            "rounding",
            in_module(
                &case.verilog,
                "top$lanes$0$seal$round",
                set("bias = ".into(), |_| "1'b0".into()),
            ),
        ),
        (
            "width",
            in_module(
                &case.verilog,
                "top$lanes$0$sum",
                set("output reg signed ".into(), |_| "[9:0] q".into()),
            ),
        ),
        (
            "address",
            in_module(
                &case.verilog,
                "top$lanes$1$bank_h",
                replace("memory[read_address]", "memory[read_address ^ 1]"),
            ),
        ),
        (
            "handshake",
            in_module(
                &case.verilog,
                "top$fifo",
                replace("pop = full$q && m_ready", "pop = full$q"),
            ),
        ),
    ];
    for (name, text) in &mutants {
        assert!(
            !equal(&case, text, &tools, cache.path()),
            "the fault in a {name} was not found"
        );
    }
}
