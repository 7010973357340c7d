//! The engine in RustHDL against the machine: every output word and every word at every tap, over random programs with random stalls.

mod programs;
mod rig;

use astromorph_hdl::engine::top::Engine;
use astromorph_hdl::multiply::Target;
use programs::words;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rig::{Case, Host, NO_STALLS, Stalls};
use rust_hdl::prelude::*;

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
    let cycles = rig::run(&mut e, &mut host, rng, 2_000_000);
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
