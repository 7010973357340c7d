//! The link's blocks against plain models and, through the emitted Verilog, against Icarus: every output, every cycle, random stimuli.

#[path = "../common/mod.rs"]
mod common;
mod frames;
mod line;
mod streams;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
