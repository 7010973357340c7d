//! Attention alone: every tensor of random layers of any size, and what does not fit.

use super::super::{attention, attention_words, fitted};
use super::late::Late;
use astromorph::engine::machine::Machine;
use astromorph::engine::program::Tap;
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn wide(x: &[i32]) -> Vec<i64> {
    x.iter().map(|&x| x as i64).collect()
}

/// Sizes over all the law allows; formats that no field holds are refused by name and drawn again.
fn drawn(rng: &mut ChaCha8Rng, refused: &mut Vec<String>) -> (Attention, astromorph::engine::config::EngineConfig) {
    loop {
        let sizes = match rng.random_range(0..3) {
            0 => AttentionSizes::draw_chunked(rng, 40, 15),
            _ => AttentionSizes::draw(rng, 40, 18),
        };
        let att = Attention::random(rng, sizes);
        let lanes = [2, 4, 8, 16][rng.random_range(0..4)];
        match fitted("drawn", sizes.width, lanes, |core| attention(&att, core, 0)) {
            Ok(core) => return (att, core),
            Err(e) => refused.push(e.to_string()),
        }
    }
}

#[test]
fn sixty_random_layers_are_the_twins_attention() {
    let (mut words, mut refused) = (0, Vec::new());
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (att, core) = drawn(&mut rng, &mut refused);
        let compiled = attention(&att, &core, 3).unwrap();
        for n in [1, 2, att.n_max] {
            let late = Late::new(&core, &compiled.program, n.min(att.n_max)).run();
            late.unwrap_or_else(|e| panic!("{seed}: {e}\n{core:?}"));
        }
        let mut machine = Machine::new(&core, &compiled.program, &compiled.loaded).unwrap();
        for _ in 0..3 {
            let n = rng.random_range(1..=att.n_max);
            let (q, k, v) = random_inputs(&mut rng, &att, n);
            let mut taps = Vec::new();
            let mut look = |step: usize, tap: Tap, word: i64| taps.push((step, tap, word));
            let y = machine.run(&attention_words(&att, &q, &k, &v), &mut look).unwrap();
            let found = compiled.tensors.gather(taps);
            let t = att.run(&q, &k, &v);
            assert_eq!(y, t.y, "seed {seed}, {n} tokens, {core:?}");
            let expected = [
                ("q", wide(&q)),
                ("k", wide(&k)),
                ("v", wide(&v)),
                ("a", wide(&t.a)),
                ("b", wide(&t.b)),
                ("aw", wide(&t.aw)),
                ("p", wide(&t.p)),
                ("Z", t.z),
                ("s", t.s),
                ("H", wide(&t.h)),
                ("g", wide(&t.g)),
                ("C", t.c),
                ("num", t.num),
                ("y", wide(&t.y)),
            ];
            for (name, expected) in expected {
                let name = format!("layers.3.{name}");
                let found = found.get(&name).map_or(&[][..], Vec::as_slice);
                let difference = compiled.tensors.compare(&name, &expected, found);
                assert!(difference.is_none(), "seed {seed}: {}", difference.unwrap());
                words += expected.len();
            }
        }
    }
    println!("{words} words equal; refused: {refused:#?}");
    assert!(words > 100_000 && refused.len() < 60, "{words} {}", refused.len());
}

#[test]
fn what_does_not_fit_is_named() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sizes = AttentionSizes {
        heads: 2,
        features: 16,
        values: 16,
        n_max: 100,
        width: 16,
        order: astromorph::spec::Order::TwoPass,
        nonlinearity: astromorph::spec::Nonlinearity::Identity,
        alpha: 0.25,
        position: true,
        chunk: 1,
    };
    let att = Attention::random(&mut rng, sizes);
    let core = fitted("fits", 16, 4, |core| attention(&att, core, 0)).unwrap();
    type Change = fn(&mut astromorph::engine::config::EngineConfig);
    let changes: [(&str, Change); 7] = [
        ("core.x_words", |c| c.x_words = 512),
        ("core.m_words", |c| c.m_words = 512),
        ("core.bank_words", |c| c.bank_words = 256),
        ("core.sums", |c| c.sums = 30),
        ("core.function_words", |c| c.function_words = 4),
        ("core.mantissa_words", |c| c.mantissa_words = 4),
        ("attention.formats.k.bits", |c| (c.width, c.acc_bits) = (8, 24)),
    ];
    for (field, change) in changes {
        let mut small = core.clone();
        change(&mut small);
        let found = attention(&att, &small, 0).unwrap_err().to_string();
        assert!(found.contains(field), "{found}");
    }
    // Four words hold two tokens of two heads: slower, but it fits.
    let few = astromorph::engine::config::EngineConfig { reads: 4, ..core };
    assert!(attention(&att, &few, 0).is_ok());
}
