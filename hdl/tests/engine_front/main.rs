//! The front of the engine's stream: every block against its law and, through the emitted Verilog, against Icarus.

#[path = "../common/mod.rs"]
mod common;
mod fields;
mod units;
mod world;

use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::front::Front;
use astromorph_hdl::multiply::Target;
use common::{record_steps, settle};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use world::World;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn core(width: u32, acc_bits: u32) -> EngineConfig {
    EngineConfig {
        name: "test".into(),
        lanes: 4,
        width,
        acc_bits,
        bank_words: 64,
        x_words: 4096,
        m_words: 2048,
        function_words: 512,
        mantissa_words: 64,
        sums: 16,
        reads: 16,
        norm_width: 16,
        norm_words: 64,
        chunked: false,
    }
}

const CORES: [(u32, u32); 6] = [(8, 26), (16, 40), (18, 48), (16, 32), (8, 16), (12, 34)];

/// ECP5 has other table memories; its widest words are its own.
fn target(width: u32) -> Target {
    match width {
        16 | 18 => Target::Ecp5,
        8 => Target::Ice40,
        _ => Target::Generic,
    }
}

#[test]
fn front_is_the_law() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut world = World::new(width as u64 * 100 + acc as u64, core.clone());
        let mut front = Front::new(&core, target(width)).unwrap();
        front.connect_all();
        settle(&mut front);
        for n in 0..40_000 {
            world.drive(&mut front, n);
            front.clock.next.clk = false;
            settle(&mut front);
            world.look(&front, n);
            front.clock.next.clk = true;
            settle(&mut front);
        }
        println!("front-{width}-{acc}: {} steps, {} words", world.steps, world.words);
        assert!(world.steps > 120 && world.words > 2500);
    }
}

#[test]
fn front_is_its_verilog() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut world = World::new(width as u64 * 100 + acc as u64, core.clone());
        record_steps(
            Front::new(&core, target(width)).unwrap(),
            |b| &mut b.clock,
            2500,
            |b, n, settled| match settled {
                false => world.drive(b, n),
                true => world.look(b, n),
            },
        )
        .compare_for(&format!("front-{width}-{acc}"), target(width));
    }
}
