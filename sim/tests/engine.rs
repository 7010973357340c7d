//! The engine under a program written by hand: words, taps and ends against the machine, in RustHDL and in Verilator; bad input; faults found.

use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::{HEADER, Loaded};
use astromorph::engine::machine::Machine;
use astromorph::engine::program::*;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::Design;
use astromorph_sim::cosim::streams::{OutBeat, StreamOptions};
use astromorph_sim::engine::{Case, EngineSimulator, Expected, VerilatedEngine};
use astromorph_sim::netlist::{self, SynthOptions};
use astromorph_sim::tools::{Tool, Tools};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

const COLS: usize = 6;
const N_MAX: usize = 20;
const PATIENCE: u64 = 20_000;

fn core() -> EngineConfig {
    EngineConfig {
        name: "tiny".into(),
        lanes: 2,
        width: 8,
        acc_bits: 24,
        bank_words: 64,
        x_words: 512,
        m_words: 512,
        function_words: 16,
        mantissa_words: 64,
        sums: 8,
        reads: 32,
        norm_width: 8,
        norm_words: 16,
        chunked: false,
    }
}

fn stream(cols: u32, shift: i32, bits: u32, to: To) -> Stream {
    Stream {
        cols,
        slow: false,
        addend: Addend::None,
        shift,
        bits,
        function: Function::None,
        other: Other::None,
        serial: Serial::None,
        sums: None,
        to,
        norm: None,
    }
}

fn run(label: &str, tap: Tap, tensor: &str, source: Source, stream: Stream) -> Step {
    Step::Run(Box::new(Run {
        label: label.into(),
        names: vec![(tap, tensor.into())],
        source,
        wait: true,
        wait_fill: false,
        stream,
    }))
}

/// x (6 words a row) → relu(x·W + b) (5 words) → in blocks of 8 tokens: plus the first five of x, to X; then three logits of each row.
fn program(bias: u32) -> Program {
    let moving = |base: u32| At { base, index: Index::R1 };
    let rows = |at| To::X { at, row: 6, column: 1 };
    let hidden = Stream {
        addend: Addend::Word {
            at: At::fixed(bias),
            stride: 0,
        },
        function: Function::Relu { shift: 1 },
        ..stream(5, 4, 8, rows(moving(128)))
    };
    let summed = Stream {
        slow: true,
        other: Other::Residual {
            at: moving(0),
            stride: 6,
            left: -1,
            shift: 1,
        },
        ..stream(5, 5, 8, rows(moving(256)))
    };
    let mac = |rows, passes, k, x, bank| {
        Source::Array(Mac {
            rows,
            passes,
            k: Extent::Fixed(k),
            x,
            x_stride: 6,
            bank,
            bank_stride: 6,
        })
    };
    Program {
        n_max: N_MAX as u32,
        steps: vec![
            run(
                "input",
                Tap::Linear,
                "x0",
                Source::Input,
                stream(6, 0, 8, rows(At::fixed(0))),
            ),
            Step::Blocks { tokens: 8 },
            run(
                "hidden",
                Tap::Function,
                "f",
                mac(Extent::Block, 3, 6, moving(0), 0),
                hidden,
            ),
            run(
                "sum",
                Tap::Other,
                "r",
                mac(Extent::Block, 3, 5, moving(128), 18),
                summed,
            ),
            run(
                "head",
                Tap::Linear,
                "logits",
                mac(Extent::Block, 2, 5, moving(256), 36),
                stream(3, 2, 16, To::Output),
            ),
            Step::Next { r1: 48, r2: 0 },
            Step::End,
        ],
    }
}

/// The program with random weights and biases.
fn tiny(seed: u64) -> (Program, Loaded) {
    let core = core();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let length = Loaded::new(&core, &program(0)).expect("encodes").m.len() as u32;
    let program = program(length);
    let mut loaded = Loaded::new(&core, &program).expect("encodes");
    loaded.m.extend((0..6).map(|_| rng.random_range(-500..500i32) as u32));
    loaded.banks = (0..2)
        .map(|_| (0..64).map(|_| rng.random_range(-128..128)).collect())
        .collect();
    (program, loaded)
}

fn input(rng: &mut ChaCha8Rng, rows: usize) -> Vec<i32> {
    (0..rows * COLS).map(|_| rng.random_range(-128..128)).collect()
}

fn cases(program: &Program, loaded: &Loaded, seed: u64, count: usize, kept: bool) -> Vec<Case> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut machine = Machine::new(&core(), program, loaded).expect("loads");
    (0..count)
        .map(|_| {
            let rows = rng.random_range(1..=N_MAX);
            let input = input(&mut rng, rows);
            Case {
                expected: Expected::of(&mut machine, program, &input, kept).expect("runs"),
                input,
                ends: true,
            }
        })
        .collect()
}

fn options(seed: u64, stall: f64) -> StreamOptions {
    StreamOptions {
        seed,
        stall,
        patience: PATIENCE,
        ..StreamOptions::default()
    }
}

fn engine(loaded: &Loaded) -> EngineSimulator {
    let mut engine = EngineSimulator::new(&core(), Target::Generic).expect("builds");
    engine.reset(4).expect("settles");
    engine.load(loaded.writes(&core()), PATIENCE).expect("loads");
    engine
}

/// After whatever went before: reset, load, and a right sequence.
fn recovers(engine: &mut EngineSimulator, program: &Program, loaded: &Loaded) {
    engine.reset(4).expect("settles");
    assert_eq!(engine.error(), 0, "a reset clears the flags");
    engine.load(loaded.writes(&core()), PATIENCE).expect("loads");
    let cases = cases(program, loaded, 77, 2, true);
    let c = engine
        .run(program, &cases, &options(3, 0.2))
        .expect("settles")
        .compare(&cases)
        .expect("words");
    assert!(c.is_equal(), "{c}");
}

#[test]
fn rusthdl_equals_the_machine_with_and_without_stalls() {
    let (program, loaded) = tiny(1);
    let mut engine = engine(&loaded);
    for (seed, stall) in [(1, 0.0), (2, 0.3), (3, 0.8)] {
        let cases = cases(&program, &loaded, seed, 6, true);
        let run = engine.run(&program, &cases, &options(seed, stall)).expect("settles");
        let c = run.compare(&cases).expect("words");
        assert!(c.is_equal() && c.words > 1000, "stall {stall}: {c}");
        let macs: u64 = run.steps.values().map(|s| s.slots).sum();
        let rows: u64 = cases.iter().map(|c| (c.input.len() / COLS) as u64).sum();
        assert_eq!(macs, rows * (3 * 6 + 3 * 5 + 2 * 5), "multiplications of a lane");
    }
}

#[test]
fn a_wrong_weight_is_found_and_named() {
    let (program, loaded) = tiny(2);
    let mut wrong = loaded.clone();
    wrong.banks[1][18 + 7] ^= 64; // pass 1, lane 1 of step 3: column 3, the second product
    let mut engine = engine(&wrong);
    let all = cases(&program, &loaded, 5, 3, true);
    let run = engine.run(&program, &all, &options(1, 0.0)).expect("settles");
    let c = run.compare(&all).expect("words");
    let first = c.first.expect("a difference");
    assert!(first.port.contains("step 3 (sum), tap sum"), "{first:?}");
}

#[test]
fn a_program_for_another_core_is_flagged_and_gives_no_word() {
    let (program, loaded) = tiny(3);
    let mut other = loaded.clone();
    other.m[0] ^= 1;
    let mut engine = engine(&other);
    let beats: Vec<_> = (0..3 * COLS).map(|n| (n as i32, n + 1 == 3 * COLS)).collect();
    let run = engine.send(&beats, &options(1, 0.0), |_, _| {}).expect("settles");
    assert_eq!((run.error & 2, run.words.len(), run.words_in), (2, 0, 18), "{run:?}");
    recovers(&mut engine, &program, &loaded);
}

#[test]
fn an_illegal_step_is_flagged_and_gives_no_word() {
    let (program, loaded) = tiny(4);
    let mut bad = loaded.clone();
    bad.m[HEADER] |= 7;
    let mut engine = engine(&bad);
    let beats: Vec<_> = (0..3 * COLS).map(|n| (n as i32, n + 1 == 3 * COLS)).collect();
    let run = engine.send(&beats, &options(1, 0.0), |_, _| {}).expect("settles");
    assert_eq!((run.error & 4, run.words.len(), run.words_in), (4, 0, 18), "{run:?}");
    recovers(&mut engine, &program, &loaded);
}

#[test]
fn a_sequence_too_long_is_cut_and_flagged() {
    let (program, loaded) = tiny(5);
    let mut engine = engine(&loaded);
    let long = input(&mut ChaCha8Rng::seed_from_u64(1), N_MAX + 3);
    let beats: Vec<_> = long
        .iter()
        .enumerate()
        .map(|(n, &w)| (w, n + 1 == long.len()))
        .collect();
    let run = engine.send(&beats, &options(1, 0.1), |_, _| {}).expect("settles");
    assert_eq!((run.error, run.words_in), (1, long.len() as u64));
    let mut machine = Machine::new(&core(), &program, &loaded).expect("loads");
    let words = machine.predict(&long[..N_MAX * COLS]).expect("runs");
    let found: Vec<i32> = run.words.iter().map(|w| w.data).collect();
    assert_eq!(found, words, "what is left after the cut");
    recovers(&mut engine, &program, &loaded);
}

#[test]
fn a_row_cut_short_is_flagged_and_nothing_hangs() {
    let (program, loaded) = tiny(6);
    let mut engine = engine(&loaded);
    for last in [1, COLS + 2, 3 * COLS - 1] {
        let beats: Vec<_> = (0..last).map(|n| (n as i32, n + 1 == last)).collect();
        let run = engine.send(&beats, &options(1, 0.0), |_, _| {}).expect("settles");
        assert_eq!(
            (run.error & 8, run.words_in),
            (8, last as u64),
            "tlast after {last} words"
        );
        recovers(&mut engine, &program, &loaded);
    }
}

/// A reset clears all control and leaves the memories alone: nothing of the sequence cut off comes out, and nothing has to be loaded again.
#[test]
fn a_reset_in_the_middle_starts_over() {
    let (program, loaded) = tiny(8);
    let mut engine = engine(&loaded);
    let words = input(&mut ChaCha8Rng::seed_from_u64(3), 12);
    let all = cases(&program, &loaded, 9, 3, true);
    for taken in [1, COLS + 2, 12 * COLS - 1, 12 * COLS] {
        let beats: Vec<_> = (0..taken).map(|n| (words[n], n + 1 == words.len())).collect();
        // Whatever is under way after so few cycles is cut off.
        let few = StreamOptions {
            patience: 7,
            ..options(1, 0.0)
        };
        engine.send(&beats, &few, |_, _| {}).expect("settles");
        engine.reset(2).expect("settles");
        let run = engine
            .run(&program, &all, &options(taken as u64, 0.2))
            .expect("settles");
        let c = run.compare(&all).expect("words");
        assert!(c.is_equal(), "after {taken} words: {c}");
    }
}

#[test]
fn a_write_while_busy_is_flagged_and_changes_nothing() {
    let (program, loaded) = tiny(7);
    let mut engine = engine(&loaded);
    let words = input(&mut ChaCha8Rng::seed_from_u64(2), 9);
    let beats: Vec<_> = words
        .iter()
        .enumerate()
        .map(|(n, &w)| (w, n + 1 == words.len()))
        .collect();
    let run = engine
        .send(&beats, &options(1, 0.0), |e, cycle| {
            // A bank word and a step, in the middle of the work.
            e.load_valid.next = (60..64).contains(&cycle);
            e.load_memory.next = astromorph_hdl::number::U::new(if cycle < 62 { 4 } else { 0 });
            e.load_address.next = astromorph_hdl::number::U::new(4);
            e.load_data.next = astromorph_hdl::number::U::new(0x55);
        })
        .expect("settles");
    assert_eq!(run.error, 16);
    let mut machine = Machine::new(&core(), &program, &loaded).expect("loads");
    let expected = machine.predict(&words).expect("runs");
    assert_eq!(run.words.iter().map(|w| w.data).collect::<Vec<_>>(), expected);
    recovers(&mut engine, &program, &loaded);
}

fn built(design: &Design, engine: &EngineSimulator) -> VerilatedEngine {
    let tools = Tools::ensure(&[Tool::Verilator], |_| {}).expect("tool");
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verilated");
    let tool = tools.get(Tool::Verilator).expect("asked for");
    VerilatedEngine::build(tool, design, &engine.ports(), &cache).expect("builds")
}

#[test]
fn verilator_equals_the_machine_and_names_what_differs() {
    let simulator = EngineSimulator::new(&core(), Target::Generic).expect("builds");
    let model = built(&Design::rtl("engine", simulator.driver().verilog()), &simulator);
    for seed in [11, 12] {
        let (program, loaded) = tiny(seed);
        let folded = cases(&program, &loaded, seed, 40, false);
        let kept = |n: usize| Ok(cases(&program, &loaded, seed, 40, true).swap_remove(n).expected);
        for stall in [0.0, 0.4] {
            let writes = loaded.writes(&core());
            let run = model
                .run(&program, writes, &folded, &options(seed, stall), kept)
                .expect("runs");
            let c = run.compare(&folded).expect("words");
            assert!(c.is_equal() && c.words > 10_000, "{c}");
        }
        // A bias that the machine does not have: the first block's step 2, and nothing before it.
        let mut wrong = loaded.clone();
        let last = wrong.m.len() - 3;
        wrong.m[last] ^= 16;
        let run = model
            .run(&program, wrong.writes(&core()), &folded, &options(seed, 0.2), kept)
            .expect("runs");
        let first = run.compare(&folded).expect("words").first.expect("a difference");
        let place = "sequence 0, step 2 (hidden), tap sum, tensor sum, word 3";
        assert_eq!(first.port, place, "{first:?}");
        // One output word more than the engine gives.
        let mut more = folded.clone();
        more[39].expected.words.push(OutBeat { data: 1, last: true });
        let run = model
            .run(&program, loaded.writes(&core()), &more, &options(seed, 0.0), kept)
            .expect("ends");
        assert!(run.stuck && !run.compare(&more).expect("words").is_equal());
    }
}

/// An input that stops for ever: flagged after 2^24 cycles, and nothing comes out.
#[test]
fn an_input_that_stops_for_ever_is_flagged_in_verilator() {
    let simulator = EngineSimulator::new(&core(), Target::Generic).expect("builds");
    let model = built(&Design::rtl("engine", simulator.driver().verilog()), &simulator);
    let (_, loaded) = tiny(13);
    let beats: Vec<_> = (0..COLS as i32 + 3).map(|n| (n, false)).collect();
    let patient = |patience| StreamOptions {
        patience,
        ..options(1, 0.0)
    };
    let send = |patience| {
        model
            .send(loaded.writes(&core()), &beats, &patient(patience))
            .expect("ends")
    };
    let (early, late) = (send((1 << 24) - 1000), send((1 << 24) + 1000));
    assert_eq!(
        (early.stuck, early.error, early.words.len(), early.words_in),
        (true, 0, 0, 9)
    );
    assert_eq!(
        (late.stuck, late.error, late.words.len(), late.words_in),
        (true, 64, 0, 9)
    );
    assert!(late.cycles > 1 << 24, "{}", late.cycles);
    // The same beats in RustHDL show the same taps.
    let run = engine(&loaded)
        .send(&beats, &options(1, 0.0), |_, _| {})
        .expect("settles");
    assert_eq!((run.observed, run.words_in), (late.observed, 9));
}

/// Both families' netlists with their cells: SPRAM and SB_MAC16, DP16KD and MULT18X18D.
#[test]
fn netlists_equal_the_machine() {
    let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |_| {}).expect("tools");
    let yosys = tools.get(Tool::Yosys).expect("asked for");
    let (program, loaded) = tiny(21);
    let folded = cases(&program, &loaded, 21, 10, false);
    let kept = |n: usize| Ok(cases(&program, &loaded, 21, 10, true).swap_remove(n).expected);
    for (family, target) in [
        (netlist::Target::Ice40, Target::Ice40),
        (netlist::Target::Ecp5, Target::Ecp5),
    ] {
        let simulator = EngineSimulator::new(&core(), target).expect("builds");
        let dir = tempfile::tempdir().expect("a folder");
        let options_of = SynthOptions::new(family);
        let netlist = netlist::synthesise(yosys, simulator.driver().verilog(), &options_of, dir.path()).expect("maps");
        let design = netlist.design(yosys).expect("cells");
        let model = built(&design, &simulator);
        let run = model
            .run(&program, loaded.writes(&core()), &folded, &options(1, 0.3), kept)
            .expect("runs");
        let c = run.compare(&folded).expect("words");
        assert!(c.is_equal() && c.words > 2000, "{family:?}: {c}");
        println!(
            "{family:?}: {c}, {:.0} cycles/s",
            run.cycles as f64 / run.elapsed.as_secs_f64()
        );
    }
}
