//! The serial line: bytes at any ratio of clock and rate, a missing stop bit, clocks that differ.

use crate::common::{record, record_steps};
use crate::rng;
use astromorph_hdl::block;
use astromorph_hdl::link::uart_rx::UartRx;
use astromorph_hdl::link::uart_tx::UartTx;
use astromorph_hdl::number::{Flag, Sig, U};
use rand::RngExt;
use rust_hdl::prelude::*;

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
