//! The attention core against the integer twin over random sizes, with random stalls, sequence after sequence without reset.

use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::compare::Comparison;
use astromorph_sim::core::{CoreSimulator, push_beats, push_words, words_to_y};
use astromorph_sim::cosim::streams::Beats;
use astromorph_sim::stream::Stalls;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random layers to draw; the long run sets the variable.
fn draws(default: u64) -> u64 {
    std::env::var("ASTROMORPH_DRAWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

#[test]
fn rusthdl_equals_the_twin_for_random_sizes() {
    let mut total = Comparison::default();
    for seed in 0..draws(60) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let longest = if seed % 10 == 0 { 80 } else { 12 };
        let sizes = AttentionSizes::draw(&mut rng, longest, 18);
        let att = Attention::random(&mut rng, sizes);
        let lanes = [1, 2, 4, 8, 16][rng.random_range(0..5)];
        let chunk = rng.random_range(1..=33);
        let config = CoreConfig {
            lanes,
            chunk,
            target: Target::Generic,
        };
        let mut core = CoreSimulator::new(&att, config).unwrap_or_else(|e| panic!("seed {seed} {sizes:?}: {e}"));
        for round in 0..2 {
            let (mut beats, mut words) = (Beats::default(), Vec::new());
            for _ in 0..2 {
                let n = rng.random_range(1..=sizes.n_max);
                let (q, k, v) = random_inputs(&mut rng, &att, n);
                let y = att.run(&q, &k, &v).y;
                push_beats(&att, &q, &k, &v, &mut beats);
                let from = words.len();
                push_words(&att, &y, &mut words);
                assert_eq!(words_to_y(&att, &words[from..]), y);
            }
            let p = [0.0, 0.3][round];
            let stalls = [Stalls::new(seed, p), Stalls::new(seed + 1000, p)];
            let (c, run) = core.compare(&beats, &words, stalls).expect("the core settles");
            assert!(
                c.is_equal() && !run.stuck && run.error == 0,
                "seed {seed} {sizes:?} {config:?}: {c} {}",
                run.error
            );
            total.merge(c);
        }
    }
    println!("{total}");
}
