//! The engine's array and memories against their laws and, through the emitted Verilog, against Icarus: every output, every cycle, random
//! data. (With the vendors' cells: the simulation crate's tests.)

mod common;

use astromorph_hdl::engine::array::{Array, ArrayConfig};
use astromorph_hdl::engine::dsp::{DspMultiplier, DspPair};
use astromorph_hdl::engine::memory::{Kind, Memory};
use astromorph_hdl::engine::mmem::MMemory;
use astromorph_hdl::engine::xmem::XMemory;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use common::array::Traffic;
use common::{number, record, record_steps};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[test]
fn multipliers() {
    let mut r = rng(1);
    for (a, b) in [(9, 18), (16, 16), (18, 18), (2, 5)] {
        let mut owed: VecDeque<i64> = vec![0; 3].into();
        record(
            DspMultiplier::new("m", a, b, Target::Generic).unwrap(),
            |m| &mut m.clock,
            300,
            |m, _| (m.a.next, m.b.next) = (S::new(number(&mut r, a)), S::new(number(&mut r, b))),
            |m, _| {
                owed.push_back(m.a.next.get() * m.b.next.get());
                assert_eq!(Some(m.p.val().get()), owed.pop_front());
            },
        )
        .compare(&format!("dsp-{a}-{b}"));
    }
    for width in [2, 7, 8] {
        let mut owed: VecDeque<[i64; 2]> = vec![[0; 2]; 2].into();
        record(
            DspPair::new("m", width, Target::Generic).unwrap(),
            |m| &mut m.clock,
            300,
            |m, _| {
                (m.a0.next, m.b0.next) = (S::new(number(&mut r, width)), S::new(number(&mut r, width)));
                (m.a1.next, m.b1.next) = (S::new(number(&mut r, width)), S::new(number(&mut r, width)));
            },
            |m, _| {
                owed.push_back([m.a0.next.get() * m.b0.next.get(), m.a1.next.get() * m.b1.next.get()]);
                assert_eq!(Some([m.p0.val().get(), m.p1.val().get()]), owed.pop_front());
            },
        )
        .compare(&format!("dsp-pair-{width}"));
    }
}

/// Reads only what was written: the rest is undefined.
#[test]
fn single_port_memories() {
    let mut r = rng(2);
    for (depth, width, kind) in [(1, 7, Kind::Block), (37, 16, Kind::Block), (300, 33, Kind::Large)] {
        let mut words: Vec<Option<i64>> = vec![None; depth];
        let mut want = 0;
        record_steps(
            Memory::<S>::new("memory", depth, width, kind, Target::Generic).unwrap(),
            |m| &mut m.clock,
            500,
            |m, _, settled| {
                if !settled {
                    let at = r.random_range(0..depth);
                    m.address.next = U::new(at as u64);
                    m.data.next = S::new(number(&mut r, width));
                    m.write.next = r.random();
                    m.enable.next = r.random::<bool>() && (m.write.next || words[at].is_some());
                } else {
                    assert_eq!(m.q.val().get(), want);
                    let at = m.address.next.index();
                    if m.enable.next && m.write.next {
                        words[at] = Some(m.data.next.get());
                    } else if m.enable.next {
                        want = words[at].unwrap();
                    }
                }
            },
        )
        .compare(&format!("memory-{depth}"));
    }
    let mut words: Vec<Option<u64>> = vec![None; 50];
    let mut owed: VecDeque<Option<u64>> = vec![None; 3].into();
    record_steps(
        MMemory::new("m", 50, Kind::Large, Target::Generic).unwrap(),
        |m| &mut m.clock,
        500,
        |m, _, settled| {
            if settled {
                // The queue is one longer here: what was asked for in this cycle is in it.
                if let Some(want) = owed.pop_front().unwrap() {
                    assert_eq!(m.q.val().get(), want);
                }
                return;
            }
            let at = r.random_range(0..50);
            m.address.next = U::new(at as u64);
            m.data.next = U::new(r.random::<u32>() as u64);
            m.write.next = r.random();
            m.enable.next = r.random::<bool>() && (m.write.next || words[at].is_some());
            owed.push_back(words[at].filter(|_| m.enable.next && !m.write.next));
            if m.enable.next && m.write.next {
                words[at] = Some(m.data.next.get());
            }
        },
    )
    .compare("m-memory");
}

#[test]
fn activation_memory() {
    let mut r = rng(3);
    for (rows, width) in [(1, 8), (29, 8), (64, 16), (40, 18), (33, 11)] {
        let mut elements: Vec<Option<i64>> = vec![None; 2 * rows];
        let mut owed_rows: VecDeque<Option<[i64; 2]>> = vec![None; 2].into();
        let mut owed_elements: VecDeque<Option<i64>> = vec![None; 3].into();
        let mut checked = 0;
        record_steps(
            XMemory::new("x", rows, width, Kind::Large, Target::Generic).unwrap(),
            |m| &mut m.clock,
            1000,
            |m, _, settled| {
                if settled {
                    if let Some(want) = owed_rows.pop_front().unwrap() {
                        assert_eq!([m.row_even.val().get(), m.row_odd.val().get()], want);
                        checked += 1;
                    }
                    if let Some(want) = owed_elements.pop_front().unwrap() {
                        assert_eq!(m.serial_element.val().get(), want);
                        checked += 1;
                    }
                    return;
                }
                let (row, at) = (r.random_range(0..rows), r.random_range(0..2 * rows));
                let whole = |row: usize| elements[2 * row].zip(elements[2 * row + 1]);
                m.read_row.next = U::new(row as u64);
                m.read.next = r.random::<bool>() && whole(row).is_some();
                m.serial_address.next = U::new(at as u64);
                m.serial_data.next = S::new(number(&mut r, width));
                m.serial_write.next = r.random();
                m.serial.next = !m.read.next && r.random() && (m.serial_write.next || whole(at / 2).is_some());
                owed_rows.push_back(whole(row).filter(|_| m.read.next).map(|(a, b)| [a, b]));
                owed_elements.push_back(elements[at].filter(|_| m.serial.next && !m.serial_write.next));
                if m.serial.next && m.serial_write.next {
                    elements[at] = Some(m.serial_data.next.get());
                }
            },
        )
        .compare(&format!("x-memory-{rows}-{width}"));
        assert!(checked > 200, "{checked}");
    }
}

#[test]
fn array_against_integer_sums() {
    for seed in 0..24 {
        let mut r = rng(100 + seed);
        let config = common::array::config(&mut r, Target::Generic, seed);
        let mut traffic = Traffic::new(config, r);
        record_steps(
            Array::new(config).unwrap(),
            |m| &mut m.clock,
            1500,
            |m, n, settled| {
                if settled {
                    traffic.check(m, n)
                } else {
                    traffic.drive(m, n)
                }
            },
        )
        .compare(&format!("array-{seed}"));
        traffic.finish();
    }
}

/// A pass a pair, the shortest there is, and pairs without a gap.
#[test]
fn passes_follow_each_other_without_a_gap() {
    let config = ArrayConfig {
        lanes: 2,
        width: 9,
        acc_bits: 18,
        bank_depth: 8,
        groups: 1,
        block: 2,
        target: Target::Generic,
    };
    let mut captured = 0;
    record_steps(
        Array::new(config).unwrap(),
        |m| &mut m.clock,
        200,
        |m, n, settled| {
            if settled {
                // Pass k ends with the pair of cycle 20 + 2k.
                let since = n as i64 - 20 - Array::latency(&config) as i64;
                assert_eq!(m.captured.val(), since >= 0 && since % 2 == 0);
                if m.captured.val() {
                    let k = since / 2;
                    assert_eq!(m.word.val().get(), 5 * k - 3);
                    captured += 1;
                }
                return;
            }
            m.reset.next = n == 0;
            for l in 0..2 {
                m.bank_write[l].next = (4..8).contains(&n) && l == n % 2;
            }
            m.bank_address.next = U::new((n >= 6) as u64);
            m.bank_data[0].next = S::new([[5, -5], [1, -1]][(n >= 6) as usize][n % 2]);
            m.pair.next = n >= 20 && n % 2 == 0;
            (m.mac_even.next, m.mac_odd.next, m.last.next) = (true, true, true);
            m.x_even.next = S::new((n as i64 - 22) / 2);
            m.x_odd.next = S::new(-3);
        },
    )
    .compare("array-short");
    assert!(captured > 70);
}
