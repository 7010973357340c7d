//! What the tests share: tools, folders, recorded runs.

use super::blocks::*;
use astromorph_sim::driver::Driver;
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::{Installed, Tool, Tools};
use astromorph_sim::trace::Trace;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Installed on demand, as on a user's bare machine.
pub fn tool(tool: Tool) -> Installed {
    let tools = Tools::ensure(&[tool], |_| {}).expect("tool");
    tools.get(tool).expect("just ensured").clone()
}

/// A tool that a machine may lack: then the comparison is not made, and the test says so.
pub fn optional(tool: Tool) -> Option<Installed> {
    match Tools::ensure(&[tool], |_| {}) {
        Ok(tools) => tools.get(tool).ok().cloned(),
        Err(e) if e.is_tool_missing() => {
            eprintln!("not compared: {e}");
            None
        }
        Err(e) => panic!("{e}"),
    }
}

/// Kept between runs of the tests: models are built once.
pub fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("verilated")
}

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A run of the multiply-accumulator: its Verilog and its trace.
pub fn mac_run(sizes: MacSizes, cycles: u64) -> (String, Trace) {
    let mut driver = Driver::new(Mac::new(sizes), |b| &mut b.clock).unwrap();
    let mut trace = Trace::new(driver.block());
    let mut random = random(sizes.width as u64 * 100 + sizes.shift as u64);
    for cycle in 0..cycles {
        trace.record(driver.block());
        driver
            .cycle(|b| {
                b.reset.next = cycle < 2 || random.random_bool(0.01);
                b.valid.next = random.random_bool(0.8);
                b.a.next = random_word(&mut random, 18).into();
                // Mostly small, so that the output is not always saturated.
                let small = random.random_range(0..18);
                b.b.next = (random_word(&mut random, 18) >> small).into();
            })
            .unwrap();
    }
    (driver.verilog().to_string(), trace)
}

/// A run of the memory.
pub fn scratch_run(width: u32, depth: usize, cycles: u64) -> (String, Trace) {
    let mut random = random(width as u64 * 10_000 + depth as u64);
    let words = (0..depth).map(|_| random.next_u64() & ((1 << width) - 1)).collect();
    let mut driver = Driver::new(Scratch::new(width, words), |b| &mut b.clock).unwrap();
    let mut trace = Trace::new(driver.block());
    for _ in 0..cycles {
        trace.record(driver.block());
        driver
            .cycle(|b| {
                let address = random.random_range(0..1024u64);
                b.write.next = random.random_bool(0.5);
                b.write_address.next = address.into();
                b.write_data.next = random_word(&mut random, 32).into();
                // Often the word that is being written.
                b.read_address.next = if random.random_bool(0.3) {
                    address.into()
                } else {
                    random.random_range(0..1024u64).into()
                };
            })
            .unwrap();
    }
    (driver.verilog().to_string(), trace)
}
