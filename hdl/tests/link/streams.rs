//! Queue, ring, and the small blocks around them.

use crate::common::record_steps;
use crate::rng;
use astromorph_hdl::link::input::Input;
use astromorph_hdl::link::output::Output;
use astromorph_hdl::link::pending::Pending;
use astromorph_hdl::link::watchdog::Watchdog;
use astromorph_hdl::number::{S, U};
use astromorph_hdl::ram::Ram;
use rand::RngExt;
use std::collections::VecDeque;

#[test]
fn small_blocks() {
    let mut r = rng(7);
    let contents: Vec<u64> = (0..64).map(|_| r.random_range(0..256)).collect();
    let mut memory = contents.clone();
    let mut want = None;
    record_steps(
        Ram::holding("bytes", contents.into_iter().map(U::new).collect(), 8)
            .unwrap()
            .bare(),
        |b| &mut b.clock,
        300,
        |b, _, settled| {
            if !settled {
                let (to, from) = (r.random_range(0..64), r.random_range(0..64));
                b.write_enable.next = r.random::<bool>() && to != from;
                b.write_address.next = U::new(to);
                b.write_data.next = U::new(r.random_range(0..256));
                b.read_enable.next = true;
                b.read_address.next = U::new(from);
            } else {
                if let Some(want) = want {
                    assert_eq!(b.read_data.val().get(), want);
                }
                want = Some(memory[b.read_address.val().index()]);
                if b.write_enable.val() {
                    memory[b.write_address.val().index()] = b.write_data.val().get();
                }
            }
        },
    )
    .compare_after("bytes");

    let mut count = 0;
    record_steps(
        Pending::new(),
        |b| &mut b.clock,
        400,
        |b, n, settled| {
            if !settled {
                b.happens.next = r.random_bool(if n % 100 < 50 { 0.8 } else { 0.2 });
                b.take.next = count > 0 && r.random_bool(0.4);
                b.reset.next = n % 97 == 96;
            } else {
                assert_eq!(b.some.val(), count > 0);
                count = match (b.happens.val(), b.take.val()) {
                    _ if b.reset.val() => 0,
                    (true, false) => (count + 1).min(7),
                    (false, true) => count - 1,
                    _ => count,
                };
            }
        },
    )
    .compare("pending");

    let mut still = 0;
    record_steps(
        Watchdog::new(4).unwrap(),
        |b| &mut b.clock,
        400,
        |b, n, settled| {
            if !settled {
                b.busy.next = n % 83 > 9;
                b.moved.next = r.random_bool(0.03);
            } else {
                assert_eq!(b.bark.val(), still == 16);
                still = if !b.busy.val() || b.moved.val() || still == 16 {
                    0
                } else {
                    still + 1
                };
            }
        },
    )
    .compare("watchdog");
}

#[test]
fn queue_and_ring_against_queues() {
    let mut r = rng(8);
    let mut words: VecDeque<(i64, bool)> = VecDeque::new();
    let mut taken = 0;
    record_steps(
        Input::new(8).unwrap(),
        |b| &mut b.clock,
        3000,
        |b, n, settled| {
            if !settled {
                b.reset.next = n == 1500;
                b.push.next = words.len() < 255 && r.random_bool(if n % 1000 < 500 { 0.9 } else { 0.2 });
                b.data.next = U::new(r.random_range(0..256));
                b.last.next = r.random();
                b.s_ready.next = r.random_bool(0.5);
            } else {
                assert_eq!((b.level.val().index(), b.empty.val()), (words.len(), words.is_empty()));
                if b.s_valid.val() {
                    assert_eq!((b.s_data.val().get(), b.s_last.val()), words[0]);
                }
                if b.s_valid.val() && b.s_ready.val() {
                    words.pop_front();
                    taken += 1;
                }
                if b.push.val() {
                    words.push_back((b.data.val().get() as u8 as i8 as i64, b.last.val()));
                }
                if b.reset.val() {
                    words.clear();
                }
            }
        },
    )
    .compare_after("input");
    assert!(taken > 400);

    let (mut all, mut freed, mut asked): (Vec<i64>, usize, Option<usize>) = (Vec::new(), 0, None);
    record_steps(
        Output::new(12).unwrap(),
        |b| &mut b.clock,
        4000,
        |b, n, settled| {
            if !settled {
                b.m_valid.next = r.random_bool(0.9);
                b.m_data.next = S::new(r.random_range(-2048..2048));
                b.m_last.next = r.random();
                let to = r.random_range(freed..=all.len());
                b.free.next = n % 700 > 600 && r.random_bool(0.1);
                b.freed.next = U::new(to as u64 % 256);
                if b.free.next {
                    freed = to;
                }
                // Of a word that stays.
                b.read.next = freed + 1 < all.len();
                let at = if b.read.next {
                    r.random_range(freed..all.len())
                } else {
                    0
                };
                b.address.next = U::new(at as u64 % 256);
            } else {
                if let Some(at) = asked {
                    assert_eq!(b.word.val().get() as i64, all[at] & 0xfff);
                }
                asked = b.read.val().then(|| {
                    let low = b.address.val().index();
                    (freed..all.len()).find(|at| at % 256 == low).unwrap()
                });
                assert_eq!(b.produced.val().index(), all.len() % 256);
                if b.m_valid.val() && b.m_ready.val() {
                    all.push(b.m_data.val().get());
                    assert!(all.len() - freed <= 255);
                }
            }
        },
    )
    .compare_after("output");
    assert!(all.len() > 600, "{}", all.len());
}
