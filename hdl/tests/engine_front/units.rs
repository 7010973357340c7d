//! The front's units by themselves.

use crate::common::{number, record, record_steps};
use crate::{CORES, core, rng, target};
use astromorph::format::{Format, requant};
use astromorph_hdl::engine::function::Function;
use astromorph_hdl::engine::linear::Linear;
use astromorph_hdl::engine::other::Other;
use astromorph_hdl::engine::shifter::{self, Shifter};
use astromorph_hdl::engine::walker::Walker;
use astromorph_hdl::number::{S, U};
use rand::RngExt;
use std::collections::VecDeque;

#[test]
fn walker_steps_and_rows() {
    let mut r = rng(1);
    let (mut pointer, mut row, mut col, mut cols, mut stride, mut wait) = (None, 0u64, 0u64, 0u64, 0u64, 0u32);
    let (mut stepped, mut turned) = (false, false);
    record_steps(
        Walker::new("walker", 12).unwrap(),
        |b| &mut b.clock,
        4000,
        |b, n, settled| {
            if settled {
                if let Some(pointer) = pointer {
                    assert_eq!(b.address.val().get(), pointer);
                }
                return;
            }
            // A base and the first row's start a cycle later; words two cycles apart.
            wait = match n == 0 || r.random_range(0..50) == 0 {
                true => 3,
                false => wait.saturating_sub(1),
            };
            b.load.next = wait == 3;
            if wait == 3 {
                (row, col, cols, stepped) = (r.random_range(0..4096), 0, r.random_range(1..9), true);
                stride = r.random_range(0..1 << 16);
            } else {
                b.start.next = U::new(row);
            }
            b.step.next = wait == 0 && !stepped && r.random_range(0..3) > 0;
            b.row_end.next = if b.step.next { col + 1 == cols } else { r.random() };
            // Behind a row's end the address follows a cycle later.
            pointer = (wait < 2 && !turned).then_some((row + col) % 4096);
            turned = b.step.next && b.row_end.next;
            if b.step.next {
                (row, col) = if turned {
                    ((row + stride) % 4096, 0)
                } else {
                    (row, col + 1)
                };
            }
            stepped = b.step.next || wait > 0;
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

#[test]
fn units_are_their_verilog() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut r = rng(width as u64);
        record(
            Linear::new(acc, target(width)).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, _| {
                b.even.next = r.random();
                b.line.next = U::new(r.random());
                b.late.next = r.random();
                b.word.next = S::new(number(&mut r, acc));
                b.addend_used.next = r.random();
                b.wide.next = r.random();
                b.addend.next = S::new(number(&mut r, 32));
                b.shift.next = U::new(r.random());
                b.normalise.next = r.random();
                b.offset.next = U::new(r.random());
                b.exponent.next = U::new(r.random());
            },
            |_, _| {},
        )
        .compare(&format!("linear-{width}-{acc}"));
        let target = target(width);
        record(
            Function::new(&core, target).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, n| {
                b.table_write.next = n < 1000;
                b.table_address.next = U::new(r.random());
                b.table_data.next = S::new(number(&mut r, width));
                b.even.next = r.random();
                b.line.next = U::new(if n < 1000 { 0 } else { r.random() });
                b.x.next = S::new(number(&mut r, width.max(15) + 1));
                b.x_negative.next = r.random();
                b.kind.next = U::new(r.random());
                b.one.next = U::new(r.random());
                b.index_bits.next = U::new(r.random());
                b.drop.next = U::new(r.random());
                b.first.next = U::new(r.random());
                b.y.next = S::new(number(&mut r, width.max(15) + 1));
            },
            |_, _| {},
        )
        .compare_for(&format!("function-{width}-{acc}"), target);
        record(
            Other::new(&core, target).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, _| {
                b.even.next = r.random();
                b.line.next = U::new(r.random());
                b.word.next = S::new(number(&mut r, width.max(16)));
                b.operand.next = S::new(number(&mut r, width));
                b.positional.next = S::new(number(&mut r, width));
                b.key.next = r.random();
                b.residual.next = r.random();
                b.left.next = U::new(r.random());
                b.left_is_value.next = r.random();
                b.y.next = S::new(number(&mut r, width.max(15) + 1));
            },
            |_, _| {},
        )
        .compare(&format!("other-{width}-{acc}"));
    }
}
