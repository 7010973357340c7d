//! The front of the engine's stream: every block against its law and, through the emitted Verilog, against Icarus.

mod common;

use astromorph::format::{Format, requant};
use astromorph_hdl::engine::shifter::{self, Shifter};
use astromorph_hdl::engine::walker::Walker;
use astromorph_hdl::number::{S, U};
use common::{record, record_steps};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number of `bits` with sign: extremes, small and large ones.
fn number(rng: &mut impl Rng, bits: u32) -> i64 {
    let top = (1i64 << (bits - 1)) - 1;
    match rng.random_range(0..8) {
        0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
        1 => (1 << rng.random_range(0..bits - 1)) - rng.random_range(0..2),
        2 => -(1 << rng.random_range(0..bits - 1)) + rng.random_range(0..2),
        3 => rng.random_range(-top - 1..=top),
        _ => rng.random_range(-top - 1..=top) >> rng.random_range(0..bits),
    }
}

#[test]
fn walker_steps_and_rows() {
    let mut r = rng(1);
    let (mut pointer, mut row) = (0u64, 0u64);
    record(
        Walker::new("walker", 12).unwrap(),
        |b| &mut b.clock,
        2000,
        |b, _| {
            b.load.next = r.random_range(0..50) == 0;
            b.base.next = U::new(r.random_range(0..4096));
            b.step.next = r.random_range(0..3) > 0;
            b.row_end.next = r.random_range(0..5) == 0;
            b.stride.next = U::new(r.random_range(0..1 << 16));
        },
        |b, _| {
            assert_eq!(b.address.val().get(), pointer);
            if b.load.val() {
                pointer = b.base.val().get();
                row = pointer;
            } else if b.step.val() && b.row_end.val() {
                row = (row + b.stride.val().get()) % 4096;
                pointer = row;
            } else if b.step.val() {
                pointer = (pointer + 1) % 4096;
            }
        },
    )
    .compare("walker");
}

#[test]
fn shifter_is_requant() {
    let mut r = rng(2);
    for (x_bits, y_bits) in [(26, 17), (40, 17), (32, 17), (48, 19), (25, 17), (36, 19)] {
        let mut owed = VecDeque::new();
        let mut bits = VecDeque::new();
        let mut saturated = 0;
        record_steps(
            Shifter::new("shifter", x_bits, y_bits).unwrap(),
            |b| &mut b.clock,
            20000,
            |b, _, settled| {
                if settled {
                    if owed.len() > shifter::LATENCY {
                        assert_eq!(b.y.val().get(), owed.pop_front().unwrap());
                    }
                    return;
                }
                let (x, field, n) = (
                    number(&mut r, x_bits),
                    r.random_range(0..64),
                    r.random_range(2..=y_bits),
                );
                b.x.next = S::new(x);
                b.field.next = U::new(field);
                bits.push_back(n as u64);
                let late = bits.len() > shifter::BITS_LATENCY;
                b.bits.next = U::new(if late { bits.pop_front().unwrap() } else { 2 });
                let want = requant(x, field as i32 - 16, Format::new(n, 0));
                saturated += usize::from(want == Format::new(n, 0).max());
                owed.push_back(want);
            },
        )
        .compare(&format!("shifter-{x_bits}-{y_bits}"));
        assert!((1000..15000).contains(&saturated), "{saturated} saturated");
    }
}
