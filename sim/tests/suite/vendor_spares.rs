//! iCE40's multipliers that lanes leave over, with the vendor's cell and as netlists: the serial units' multiplier and the holders of addresses.

use super::support::*;
use super::vendor_engine::{compare, operand, run};
use astromorph_hdl::engine::fabric::{Fabric, pace};
use astromorph_hdl::engine::rows::Rows;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::U;
use rand::RngExt;

#[test]
fn the_serial_multiplier_in_a_cell() {
    for bits in [16, 8] {
        let mut r = random(300 + bits as u64);
        let block = Fabric::with_multiplier("fabric", bits, Target::Ice40).unwrap();
        let mut stands = 0;
        let (verilog, mut trace) = run(
            block,
            |m| &mut m.clock,
            4000,
            |m, _, settled| {
                if settled {
                    return;
                }
                // Extremes too: the sum's last bit is not the cell's.
                m.addend.next = operand(&mut r, 2 * bits);
                m.valid.next = stands == 0 && r.random_range(0..4) > 0;
                if stands == 0 {
                    (m.a.next, m.b.next) = (operand(&mut r, bits), operand(&mut r, bits));
                }
                stands = match m.valid.next {
                    true => pace(Target::Ice40),
                    false => stands,
                };
                stands = stands.saturating_sub(1);
            },
        );
        trace.set_compare_from(8);
        compare("fabric", Target::Ice40, &verilog, &trace, true);
    }
}

#[test]
fn addresses_held_in_a_cell() {
    for (n, bits) in [[16, 17], [17, 17], [5, 9], [17, 10], [16, 16]].into_iter().enumerate() {
        let mut r = random(310 + n as u64);
        let block = Rows::in_multiplier("rows", bits).unwrap();
        let (verilog, mut trace) = run(
            block,
            |b| &mut b.clock,
            6000,
            |b, n, settled| {
                if settled {
                    return;
                }
                // Both have a base and a distance before they go on.
                let first = n < 4;
                let mut word = |bits: u32| {
                    let top = (1u64 << bits) - 1;
                    match r.random_range(0..4) {
                        0 => top - r.random_range(0..2),
                        1 => r.random_range(0..8) & top,
                        _ => r.random_range(0..=top),
                    }
                };
                (b.base_0.next, b.base_1.next) = (U::new(word(bits[0])), U::new(word(bits[1])));
                (b.distance_0.next, b.distance_1.next) = (U::new(word(bits[0].min(16))), U::new(word(bits[1].min(16))));
                (b.load_0.next, b.load_1.next) = (first || r.random_bool(0.02), first || r.random_bool(0.05));
                (b.set_0.next, b.set_1.next) = (first || r.random_bool(0.05), first || r.random_bool(0.02));
                b.step_0.next = !first && !b.set_0.next && r.random_bool(0.7);
                b.step_1.next = !first && !b.set_1.next && r.random_bool(0.7);
            },
        );
        trace.set_compare_from(3);
        compare("rows", Target::Ice40, &verilog, &trace, true);
    }
}
