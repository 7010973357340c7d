//! The link's blocks against plain models and, through the emitted Verilog, against Icarus: every output, every cycle, random stimuli.

mod common;

use astromorph_hdl::block;
use astromorph_hdl::link::bytes::Bytes;
use astromorph_hdl::link::crc::Crc;
use astromorph_hdl::link::input::Input;
use astromorph_hdl::link::output::Output;
use astromorph_hdl::link::pending::Pending;
use astromorph_hdl::link::protocol::CRC_POLYNOMIAL;
use astromorph_hdl::link::receiver::{FIRST, Receiver};
use astromorph_hdl::link::sender::Sender;
use astromorph_hdl::link::uart_rx::UartRx;
use astromorph_hdl::link::uart_tx::UartTx;
use astromorph_hdl::link::watchdog::Watchdog;
use astromorph_hdl::number::{Flag, S, Sig, U};
use common::{record, record_steps};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

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
fn bytes_sent_are_received_at_any_ratio() {
    for (clock, baud) in [(5, 1), (16, 3), (7, 1), (125, 12), (12_000_000, 115_200)] {
        let scale = if clock < 1000 { 10_000 } else { 1 };
        let (clock, baud) = (clock * scale, baud * scale);
        let mut r = rng(clock);
        let bytes: Vec<u8> = (0..12).map(|_| r.random()).collect();
        // The line, cycle by cycle, from the transmitter.
        let (mut at, mut line) = (0, Vec::new());
        let cycles = (bytes.len() as u64 * 11 * clock / baud + 100) as usize;
        record_steps(
            UartTx::new(clock, baud).unwrap(),
            |b| &mut b.clock,
            cycles,
            |b, n, settled| {
                if !settled {
                    b.valid.next = at < bytes.len() && n > 3;
                    b.data.next = U::new(*bytes.get(at).unwrap_or(&0) as u64);
                } else {
                    at += (b.valid.val() && b.ready.val()) as usize;
                    line.push(b.uart());
                }
            },
        )
        .compare(&format!("uart-tx-{clock}-{baud}"));
        // A pulse of one cycle before it is not seen.
        let mut seen = Vec::new();
        let idle = 20;
        record(
            UartRx::new(clock, baud).unwrap(),
            |b| &mut b.clock,
            cycles + idle,
            |b, n| b.line.next = n != 8 && (n < idle || line[n - idle]),
            |b, _| {
                assert!(!b.error.val());
                if b.valid.val() {
                    seen.push(b.data.val().get() as u8);
                }
            },
        )
        .compare(&format!("uart-rx-{clock}-{baud}"));
        assert_eq!(seen, bytes, "{clock} Hz, {baud} baud");
    }
}

/// What the test reads of a transmitter.
trait Level {
    fn uart(&self) -> bool;
}
impl Level for UartTx {
    fn uart(&self) -> bool {
        self.line.val()
    }
}

#[test]
fn a_missing_stop_bit_is_one_error_and_the_next_byte_is_right() {
    // 8 cycles a bit: 0x5a without a stop bit, the line low for three bits more, high for two, 0xa7.
    let mut line = vec![true; 16];
    for bit in [
        0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1,
    ] {
        line.extend([bit == 1; 8]);
    }
    let mut seen = Vec::new();
    record(
        UartRx::new(8_000_000, 1_000_000).unwrap(),
        |b| &mut b.clock,
        line.len() + 40,
        |b, n| b.line.next = *line.get(n).unwrap_or(&true),
        |b, _| {
            if b.valid.val() || b.error.val() {
                seen.push((b.error.val(), b.data.val().get()));
            }
        },
    )
    .compare("uart-rx-error");
    assert_eq!((seen.len(), seen[0].0, seen[1]), (2, true, (false, 0xa7)));
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

#[test]
fn small_blocks() {
    let mut r = rng(7);
    let contents: Vec<u64> = (0..64).map(|_| r.random_range(0..256)).collect();
    let mut memory = contents.clone();
    let mut want = None;
    record_steps(
        Bytes::new(contents, 8),
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

block! {
    /// Both ends of a line in one clock: any byte goes through.
    pub struct Loopback {
        inputs { valid: Flag<In>, data: Sig<In, U> }
        outputs { ready: Flag<Out>, came: Flag<Out>, octet: Sig<Out, U>, error: Flag<Out> }
        parts { sends: UartTx, takes: UartRx }
        locals {}
    }
}

impl Logic for Loopback {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, sends, takes);
        self.sends.reset.next = false;
        self.takes.reset.next = false;
        self.sends.valid.next = self.valid.val();
        self.sends.data.next = self.data.val();
        self.takes.line.next = self.sends.line.val();
        self.ready.next = self.sends.ready.val();
        self.came.next = self.takes.valid.val();
        self.octet.next = self.takes.data.val();
        self.error.next = self.takes.error.val();
    }
}

#[test]
fn every_byte_goes_through_a_line_whose_clocks_differ_by_a_hundredth() {
    let loopback = Loopback {
        clock: Default::default(),
        valid: Flag::default(),
        data: Sig::new(8),
        ready: Flag::default(),
        came: Flag::default(),
        octet: Sig::new(8),
        error: Flag::default(),
        sends: UartTx::new(10_100_000, 1_000_000).unwrap(),
        takes: UartRx::new(10_000_000, 1_000_000).unwrap(),
        activity: Default::default(),
    };
    let (mut next, mut seen) = (0, Vec::new());
    record_steps(
        loopback,
        |b| &mut b.clock,
        256 * 103 + 200,
        |b, _, settled| {
            if !settled {
                (b.valid.next, b.data.next) = (next < 256, U::new(next));
            } else {
                next += (b.valid.val() && b.ready.val()) as u64;
                assert!(!b.error.val());
                if b.came.val() {
                    seen.push(b.octet.val().get());
                }
            }
        },
    )
    .compare_after("loopback");
    assert_eq!(seen, (0..256).collect::<Vec<u64>>());
}
