//! Frames: CRC, receiver and sender.

use crate::common::{record, record_steps};
use crate::rng;
use astromorph_hdl::link::crc::Crc;
use astromorph_hdl::link::protocol::CRC_POLYNOMIAL;
use astromorph_hdl::link::receiver::{FIRST, Receiver};
use astromorph_hdl::link::sender::Sender;
use astromorph_hdl::number::U;
use rand::{Rng, RngExt};
use std::collections::VecDeque;

/// Bit by bit, as the standard says it.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, bit: bool| (crc >> 1) ^ if (crc & 1 == 1) != bit { CRC_POLYNOMIAL } else { 0 };
    let bits = bytes.iter().flat_map(|&b| (0..8).map(move |k| b >> k & 1 == 1));
    !bits.fold(!0, step)
}

/// Code, bytes, and so on.
fn frame(body: &[u8]) -> Vec<u8> {
    let mut all = body.to_vec();
    all.extend(crc(body).to_le_bytes());
    let mut line = Vec::new();
    for group in all.split(|&b| b == 0) {
        line.push(group.len() as u8 + 1);
        line.extend(group);
    }
    line.push(0);
    line
}

fn body(r: &mut impl Rng, payload: usize) -> Vec<u8> {
    let mut body: Vec<u8> = (0..8 + payload)
        .map(|_| if r.random_bool(0.3) { 0 } else { r.random() })
        .collect();
    body[0] &= !8;
    body[4] = payload as u8;
    body
}

#[test]
fn a_crc_of_random_bytes_is_the_standards() {
    let mut r = rng(3);
    let bytes: Vec<u8> = (0..40).map(|_| r.random()).collect();
    let expected = crc(&bytes).to_le_bytes();
    record(
        Crc::new(),
        |b| &mut b.clock,
        8 * 45 + 2,
        |b, n| {
            b.start.next = n == 0;
            b.step.next = n > 0;
            let k = n.saturating_sub(1);
            b.drain.next = k >= 320;
            b.message.next = k < 320 && bytes[k / 8] >> (k % 8) & 1 == 1;
        },
        |b, n| {
            for (k, &byte) in expected.iter().enumerate() {
                if n == 321 + 8 * k {
                    assert_eq!(b.low.val().get(), byte as u64);
                }
            }
        },
    )
    .compare("crc");
}

#[test]
fn frames_come_whole_or_are_counted() {
    let mut r = rng(4);
    // Good ones of all sizes, and one of each damage. Read and dropped at once.
    let mut line: Vec<u64> = vec![0];
    let mut want = Vec::new();
    let sizes = [0, 1, 240, 3, 17];
    for n in 0..30 {
        let good = body(&mut r, sizes[n % sizes.len()]);
        let mut bytes = frame(&good);
        let end = bytes.len() - 1;
        match n % 6 {
            1 => bytes[end / 2] ^= 1 << (n % 8) | (bytes[end / 2] == 1 << (n % 8)) as u8,
            2 => bytes.truncate(end - 1),
            _ => want.push(good),
        }
        if n % 6 == 2 {
            bytes.push(0);
        }
        line.extend(bytes.into_iter().map(u64::from));
        if n % 6 == 5 {
            // Longer than a frame can be.
            line.extend([3; 300]);
            line.push(0);
        }
    }
    let (mut found, mut damaged, mut at, mut frames) = (Vec::new(), 0, None, 0);
    // The user reads a byte a cycle: the largest frame within the time of the smallest.
    let total = line.len() * 20 + 3000;
    record_steps(
        Receiver::new().unwrap(),
        |b| &mut b.clock,
        total,
        |b, n, settled| {
            if !settled {
                b.rx_valid.next = n % 20 == 0 && n / 20 < line.len();
                b.rx_data.next = U::new(*line.get(n / 20).unwrap_or(&0));
                b.address.next = U::new(FIRST + at.unwrap_or(0));
                b.done.next = false;
                if b.some.val() && at.is_none() {
                    at = Some(0);
                    b.address.next = U::new(FIRST);
                    found.push(Vec::new());
                } else if let Some(k) = at {
                    // The byte asked for a cycle ago.
                    found[frames].push(b.data.val().get() as u8);
                    let whole: &Vec<u8> = &want[frames];
                    at = Some(k + 1);
                    b.address.next = U::new(FIRST + k + 1);
                    if k + 1 == whole.len() as u64 {
                        b.done.next = true;
                        at = None;
                        frames += 1;
                    }
                }
            } else {
                damaged += b.damaged.val() as usize;
                assert!(!b.overrun.val());
            }
        },
    )
    .compare_after("receiver");
    assert_eq!(found, want);
    assert_eq!(damaged, 30 - want.len() + 5);
}

#[test]
fn a_third_frame_overruns_and_a_later_one_does_not() {
    let mut r = rng(5);
    let line: Vec<u64> = (0..4).flat_map(|_| frame(&body(&mut r, 2))).map(u64::from).collect();
    let (mut overruns, mut dones) = (0, 0);
    record_steps(
        Receiver::new().unwrap(),
        |b| &mut b.clock,
        line.len() * 12 + 40,
        |b, n, settled| {
            if !settled {
                b.rx_valid.next = n % 12 == 0 && n / 12 < line.len();
                b.rx_data.next = U::new(*line.get(n / 12).unwrap_or(&0));
                b.done.next = overruns == 1 && dones == 0;
                dones += b.done.next as usize;
            } else {
                overruns += b.overrun.val() as usize;
                assert!(!b.damaged.val());
            }
        },
    )
    .compare_after("receiver-overrun");
    assert_eq!((overruns, dones), (1, 1));
}

#[test]
fn answers_are_frames_stalled_or_not() {
    for stall in [0.0, 0.7] {
        let mut r = rng(6);
        let bodies: Vec<Vec<u8>> = [5, 0, 240, 1, 60].map(|n| body(&mut r, n)).into();
        let want: Vec<u8> = bodies.iter().flat_map(|b| frame(b)).collect();
        let mut todo: VecDeque<Option<Option<u8>>> = VecDeque::new();
        for body in &bodies {
            todo.push_back(None);
            todo.extend(body.iter().map(|&b| Some(Some(b))));
            todo.extend([Some(None); 5]);
        }
        let (mut crcs, mut seen, mut held) = (0, Vec::new(), None);
        record_steps(
            Sender::new().unwrap(),
            |b| &mut b.clock,
            12_000,
            |b, _, settled| {
                if !settled {
                    (b.start.next, b.push.next, b.finish.next, b.drain.next) = (false, false, false, false);
                    b.tx_ready.next = !r.random_bool(stall);
                } else {
                    if b.tx_valid.val() && b.tx_ready.val() {
                        seen.push(b.tx_data.val().get() as u8);
                    }
                    if held.is_some() {
                        assert_eq!(held, b.tx_valid.val().then(|| b.tx_data.val()));
                    }
                    held = (b.tx_valid.val() && !b.tx_ready.val()).then(|| b.tx_data.val());
                }
                // What the block shows decides what comes next: looked at while driving.
                if !settled && !b.busy.val() {
                    match todo.front().copied() {
                        Some(None) if b.room.val() => {
                            b.start.next = true;
                            todo.pop_front();
                        }
                        Some(Some(Some(byte))) => {
                            (b.push.next, b.data.next) = (true, U::new(byte as u64));
                            todo.pop_front();
                        }
                        Some(Some(None)) => {
                            crcs += 1;
                            if crcs % 5 == 0 {
                                b.finish.next = true;
                            } else {
                                (b.push.next, b.drain.next, b.data.next) = (true, true, b.crc.val());
                            }
                            todo.pop_front();
                        }
                        _ => {}
                    }
                }
            },
        )
        .compare_after(&format!("sender-{stall}"));
        assert_eq!(seen, want);
    }
}
