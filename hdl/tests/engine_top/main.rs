//! The engine in RustHDL against the machine: every output word and every word at every tap, over random programs with random stalls.

#[path = "../common/mod.rs"]
mod common;
mod programs;
mod read_back;
mod rig;
mod sketch;

use astromorph_hdl::engine::timing::timing;
use astromorph_hdl::engine::top::Engine;
use astromorph_hdl::multiply::Target;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rig::{Case, Host, NO_STALLS, Stalls};
use rust_hdl::prelude::*;
use sketch::words;

fn sequences(rng: &mut ChaCha8Rng, case: &Case, d: usize, count: usize) -> Vec<Vec<i32>> {
    (0..count)
        .map(|_| {
            let n = rng.random_range(1..=case.program.n_max as usize);
            words(rng, case.core.width, n * d)
        })
        .collect()
}

fn engine(case: &Case, target: Target) -> Engine {
    let mut e = Engine::new(&case.core, target).unwrap();
    e.connect_all();
    check_all(&e).unwrap();
    e
}

/// Runs and compares; the words compared.
fn run(rng: &mut ChaCha8Rng, case: &Case, sequences: &[Vec<i32>], stalls: Stalls, target: Target) -> usize {
    let mut e = engine(case, target);
    let mut host = Host::new(case, sequences, stalls);
    let cycles = rig::run(&mut e, &mut host, rng, 200_000);
    assert_eq!(e.error.val().get(), 0, "error flags");
    let words = rig::compare(&host, case, sequences);
    println!(
        "{cycles} cycles, {} busy, {} slots, {words} words",
        host.busy_cycles, host.slots
    );
    words
}

#[test]
fn one_dense_step() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let case = programs::dense(&mut rng, 4, 8, 6, 10, 3);
    let x = sequences(&mut rng, &case, 6, 2);
    assert!(run(&mut rng, &case, &x, NO_STALLS, Target::Generic) > 0);
}

#[test]
fn dense_steps_of_many_sizes() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..20 {
        let (lanes, width) = (2 * rng.random_range(1..9), rng.random_range(8..=18));
        let (d, cols, tokens) = (rng.random_range(1..20), rng.random_range(1..30), rng.random_range(1..9));
        let case = programs::dense(&mut rng, lanes, width, d, cols, tokens);
        let x = sequences(&mut rng, &case, d, 2);
        let stalls = Stalls {
            input: rng.random_range(0..12),
            output: rng.random_range(0..12),
        };
        println!("lanes {lanes} width {width} d {d} cols {cols} tokens {tokens}");
        run(&mut rng, &case, &x, stalls, Target::Generic);
    }
}

#[test]
fn layers_of_many_sizes() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut compared = 0;
    for n in 0..20 {
        // ECP5 has other latencies at X and in the array.
        let target = [Target::Generic, Target::Ecp5][n % 2];
        let (lanes, width) = (2 * rng.random_range(1..6), rng.random_range(8..=18));
        let (d, tokens) = (rng.random_range(4..16), rng.random_range(1..9));
        let [m, e, hidden] = [3..12, 1..14, 2..20].map(|r| rng.random_range(r));
        let case = programs::layer(&mut rng, lanes, width, d, [m, e, hidden], tokens);
        let x = sequences(&mut rng, &case, d, 2);
        let stalls = Stalls {
            input: rng.random_range(0..12),
            output: rng.random_range(0..12),
        };
        println!("lanes {lanes} width {width} d {d} m {m} e {e} hidden {hidden} tokens {tokens}");
        compared += run(&mut rng, &case, &x, stalls, target);
    }
    println!("{compared} words compared");
}

/// [`timing`] against the cycles counted: equal, on every target, in whichever beat the sequence comes.
#[test]
fn the_estimate_of_many_layers_is_exact() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut beats = [0; 4];
    for n in 0..48 {
        let target = [Target::Generic, Target::Ecp5, Target::Ice40][n % 3];
        let (lanes, d) = (2 * rng.random_range(1..6), rng.random_range(4..16));
        let (width, tokens) = (rng.random_range(8..=16), rng.random_range(1..9));
        let [m, e, hidden] = [3..12, 1..14, 2..20].map(|r| rng.random_range(r));
        let case = match n % 4 {
            0 => programs::dense(&mut rng, lanes, width, d, 20, tokens),
            _ => programs::layer(&mut rng, lanes, width, d, [m, e, hidden], tokens),
        };
        let x = sequences(&mut rng, &case, d, 1);
        let mut e = engine(&case, target);
        let mut host = Host::new(&case, &x, NO_STALLS);
        rig::run(&mut e, &mut host, &mut rng, 200_000);
        let n = (x[0].len() / d) as u32;
        // The beat in which the word waited: counted with the two edges of connecting, one before the first busy cycle.
        let beat = (host.first_busy as u32 + 2) % 4;
        beats[beat as usize] += 1;
        let told = timing(&case.core, target, &case.program, n, beat).unwrap();
        println!(
            "{target:?} lanes {lanes} d {d} tokens {tokens} N {n} beat {beat}: {} cycles, estimate {}",
            host.busy_cycles, told.cycles
        );
        let slots = told.steps.iter().map(|s| s.slots).sum();
        assert_eq!((told.cycles, slots), (host.busy_cycles, host.slots));
        for step in &told.steps {
            let before = if step.step == 0 { told.before } else { 0 };
            assert_eq!(
                step.cycles + before,
                host.steps[&(step.step as u64)],
                "step {}",
                step.step
            );
        }
    }
    assert!(beats.iter().all(|&n| n > 0), "{beats:?}");
}

/// The same engine through its emitted Verilog in Icarus: every port in every cycle.
#[test]
fn a_layer_through_icarus() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (lanes, width, target) in [(4, 8, Target::Generic), (6, 12, Target::Generic)] {
        let case = programs::layer(&mut rng, lanes, width, 6, [4, 5, 6], 3);
        let x = sequences(&mut rng, &case, 6, 1);
        let mut host = Host::new(&case, &x, Stalls { input: 4, output: 4 });
        let loads = case.loaded.writes(&case.core).count();
        let e = Engine::new(&case.core, target).unwrap();
        let recorded = common::record_steps(
            e,
            |e| &mut e.clock,
            loads + 4000,
            |e, _, settled| {
                if settled {
                    host.look(e);
                } else {
                    host.drive(e, &mut rng);
                }
            },
        );
        assert!(rig::compare(&host, &case, &x) > 100);
        recorded.compare(&format!("engine-{lanes}-{width}"));
    }
}
