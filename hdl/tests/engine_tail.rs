//! The end of the engine's stream: every block against its law and against Icarus, and the whole of it in random steps.

mod common;
mod tail;

use astromorph::format::{Format, requant, split};
use astromorph_hdl::engine::fabric::{self, Fabric};
use astromorph_hdl::engine::requant::{LATENCY as REQUANT, LEFT, Requant};
use astromorph_hdl::engine::split::{LATENCY as SPLIT, Split};
use astromorph_hdl::engine::sums::Sums;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use common::{number, record};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use tail::random_steps;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// What a pipeline of `latency` cycles owes.
struct Line<T>(VecDeque<Option<T>>);

impl<T> Line<T> {
    fn new(latency: usize) -> Self {
        Line((0..latency).map(|_| None).collect())
    }
    fn push(&mut self, x: T) -> Option<T> {
        self.0.push_back(Some(x));
        self.0.pop_front().unwrap()
    }
}

#[test]
fn the_multiplier_multiplies() {
    let mut r = rng(1);
    type Make = fn(&str, u32, Target) -> astromorph::Result<Fabric>;
    for (bits, target, make) in [
        (16, Target::Ice40, Fabric::new as Make),
        // (iCE40's cell itself: `netlists_equal_the_machine` in the simulation crate's tests, whose cores leave one free.)
        (16, Target::Generic, Fabric::with_multiplier),
        (18, Target::Ecp5, Fabric::new),
    ] {
        let mut products = Line::new(3);
        let mut sums = Line::new(fabric::LATENCY - 3);
        let mut stands = 0;
        let mut expected = 0;
        let top = 1 << (bits - 1);
        let mut corners = [
            (-top, -top),
            (-top, top - 1),
            (top - 1, -top),
            (top - 1, top - 1),
            (0, -top),
            (-1, 0x2aab),
        ]
        .into_iter();
        record(
            make("fabric", bits, target).unwrap(),
            |m| &mut m.clock,
            20_000,
            |m, _| {
                m.addend.next = S::new(number(&mut r, 2 * bits));
                m.valid.next = stands == 0 && r.random_range(0..4) > 0;
                if m.valid.next {
                    stands = fabric::pace(target);
                    let (a, b) = corners.next().unwrap_or((number(&mut r, bits), number(&mut r, bits)));
                    (m.a.next, m.b.next) = (S::new(a), S::new(b));
                } else if stands == 0 {
                    (m.a.next, m.b.next) = (S::new(number(&mut r, bits)), S::new(number(&mut r, bits)));
                }
                stands = stands.saturating_sub(1);
            },
            |m, _| {
                let product = m.valid.next.then(|| m.a.next.get() * m.b.next.get());
                let product = products.push(product).flatten();
                let sum = sums.push(product.map(|p| p + m.addend.next.get())).flatten();
                if let Some(sum) = sum {
                    expected = sum;
                }
                assert_eq!(m.sum.val().get(), expected);
            },
        )
        .compare_for(&format!("fabric-{bits}-{target:?}"), target);
    }
}

#[test]
fn the_rounding_rounds() {
    let mut r = rng(2);
    for (x, wide, narrow) in [(33, 16, 8), (33, 16, 16), (37, 18, 18), (35, 17, 17), (33, 16, 13)] {
        let mut owed = Line::new(REQUANT);
        record(
            Requant::new("requant", x, wide, narrow).unwrap(),
            |b| &mut b.clock,
            20_000,
            |b, _| {
                b.x.next = S::new(number(&mut r, x));
                b.amount.next = U::new(r.random_range(0..64));
                b.narrow.next = r.random();
            },
            |b, _| {
                let to = if b.narrow.next { narrow } else { wide };
                let want = requant(
                    b.x.next.get(),
                    b.amount.next.get() as i32 - LEFT as i32,
                    Format::new(to, 0),
                );
                if let Some(want) = owed.push(want) {
                    assert_eq!(b.y.val().get(), want);
                }
            },
        )
        .compare(&format!("requant-{x}-{wide}-{narrow}"));
    }
    assert!(Requant::new("requant", 48, 16, 8).is_err());
}

#[test]
fn the_split_splits() {
    let mut r = rng(3);
    for (bits, fraction) in [(26, 9), (48, 15), (40, 12), (33, 3), (2, 1)] {
        let mut owed = Line::new(SPLIT);
        let (mut clock, mut x, mut at_once) = (0, 0i64, false);
        let loaded = std::cell::Cell::new(None);
        let mut last = None;
        record(
            Split::new("split", bits, fraction).unwrap(),
            |b| &mut b.clock,
            10_000,
            |b, _| {
                if clock == 0 {
                    at_once = r.random();
                    x = number(&mut r, if at_once { bits } else { 49 });
                    clock = r.random_range(5..8);
                }
                clock -= 1;
                (b.low.next, b.high.next) = (U::new(r.random::<u32>() as u64), U::new(r.random_range(0..1 << 17)));
                b.word.next = S::new(number(&mut r, bits));
                b.load.next = at_once && clock == 3;
                b.load_low.next = !at_once && clock == 4;
                b.load_high.next = !at_once && clock == 3;
                loaded.set((clock == 3).then_some(x));
                if b.load.next {
                    b.word.next = S::new(x);
                }
                if b.load_low.next {
                    b.low.next = U::new(x as u64 & 0xffff_ffff);
                }
                if b.load_high.next {
                    b.high.next = U::new((x >> 32) as u64 & 0x1_ffff);
                }
            },
            |b, _| {
                let found = owed.push(loaded.get().map(|x| split(x.max(1), fraction))).flatten();
                // It stands for two cycles.
                for (e, mantissa) in found.into_iter().chain(last.take()) {
                    assert_eq!(
                        (b.exponent.val().get(), b.fraction.val().get()),
                        (e as u64, mantissa as u64)
                    );
                }
                last = found;
            },
        )
        .compare(&format!("split-{fraction}"));
    }
}

#[test]
fn sums_are_summed_and_scanned() {
    for target in [Target::Generic, Target::Ecp5] {
        summed_and_scanned(target);
    }
}

fn summed_and_scanned(target: Target) {
    let mut r = rng(4);
    let (words, bits) = (24, 17);
    let mut sums = vec![0i64; words];
    let (mut base, mut cols, mut row, mut column, mut fresh) = (0, 2, 0, 0, false);
    let mut owed = Line::new(3);
    let mut scanned = Line::new(3);
    // A step: start, rows of words with gaps, silence, scans, silence.
    let mut clock = 0;
    let want = std::cell::RefCell::new((None, None));
    record(
        Sums::new(words, bits, target).unwrap(),
        |b| &mut b.clock,
        6_000,
        |b, _| {
            (b.start.next, b.valid.next, b.scan.next) = (false, false, false);
            let mut sum = None;
            let mut scan = None;
            match clock {
                0 => {
                    (base, cols) = (r.random_range(0..8), r.random_range(2..9));
                    (row, column, fresh) = (0, 0, r.random());
                    b.start.next = true;
                    b.base.next = U::new(base as u64);
                    b.fresh.next = fresh;
                }
                2..=99 if clock % 2 == 0 && (row < 2 || r.random_range(0..3) > 0) => {
                    let x = number(&mut r, bits);
                    b.valid.next = true;
                    b.word.next = S::new(x);
                    b.row_last.next = column + 1 == cols;
                    let old = if row == 0 && fresh { 0 } else { sums[base + column] };
                    sums[base + column] = old + x;
                    sum = Some(old + x);
                    column += 1;
                    if column == cols {
                        (row, column) = (row + 1, 0);
                    }
                }
                105..=115 => {
                    let n = r.random_range(0..8);
                    b.scan.next = true;
                    b.scan_column.next = U::new(n as u64);
                    scan = Some(sums[base + n]);
                }
                _ => {}
            }
            clock = if clock == 120 { 0 } else { clock + 1 };
            want.replace((owed.push(sum), scanned.push(scan)));
        },
        |b, _| {
            let (sum, scan) = *want.borrow();
            if let Some(sum) = sum {
                assert_eq!(b.sum_valid.val().then(|| b.sum.val().get()), sum);
            }
            if let Some(Some(scan)) = scan {
                assert_eq!(b.scan_word.val().get(), scan);
            }
        },
    )
    .compare_for("sums", target);
}

/// Random steps of every kind on cores of every width: every tap, every result, every sum, and every output against Icarus.
#[test]
fn steps_follow_the_law() {
    for (seed, width, acc, d, target) in [
        (10, 8, 26, 12, Target::Ice40),
        (11, 16, 40, 24, Target::Ice40),
        (12, 12, 34, 7, Target::Generic),
        (13, 18, 48, 16, Target::Ecp5),
        (14, 16, 44, 96, Target::Ice40),
        (15, 17, 44, 33, Target::Generic),
        (16, 8, 26, 64, Target::Ice40),
        (17, 9, 30, 4, Target::Generic),
    ] {
        random_steps(seed, width, acc, d, target);
    }
}
