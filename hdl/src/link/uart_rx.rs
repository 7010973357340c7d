//! Serial receiver: 8 data bits, no parity, 1 stop bit, the lowest bit first.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | to the idle line |
//! | line | 1 | asynchronous; high when idle |
//! | valid, data | 1, 8 | one cycle: a byte |
//! | error | 1 | one cycle: a byte whose stop bit did not come, instead of `valid` |
//!
//! Two registers against metastability; then the level follows when two samples agree, so that a pulse of one cycle is not seen. A start bit is
//! looked at again in its middle; each bit is taken in its middle, and the byte is there in the middle of its stop bit (4 cycles late). After an error the next byte begins
//! with a falling edge: a line held low gives one error.
//!
//! Example: 8 cycles a bit, the byte 0x53.
//!
//! ```
//! use astromorph_hdl::{link::uart_rx::UartRx, number::*};
//! use rust_hdl::prelude::*;
//! let mut rx = UartRx::new(8_000_000, 1_000_000).unwrap();
//! rx.connect_all();
//! let mut seen = vec![];
//! for n in 0..120 {
//!     let bits = 0b1_01010011_0_1u16;                     // stop, 0x53, start, idle
//!     rx.line.next = n >= 88 || bits >> (n / 8) & 1 == 1;
//!     for level in [true, false] { rx.clock.next.clk = level; simulate(&mut rx, 10); }
//!     if rx.valid.val() { seen.push(rx.data.val()); }
//!     assert!(!rx.error.val());
//! }
//! assert_eq!(seen, [U::new(0x53)]);
//! ```

use super::uart::phase;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct UartRx {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// The wire.
            line: Flag<In>,
        }
        outputs {
            /// A byte.
            valid: Flag<Out>,
            /// It.
            data: Sig<Out, U>,
            /// A byte without a stop bit.
            error: Flag<Out>,
        }
        parts {
            sync_1: Reg<bool>,
            sync_2: Reg<bool>,
            earlier: Reg<bool>,
            level: Reg<bool>,
            was: Reg<bool>,
            busy: Reg<bool>,
            fresh: Reg<bool>,
            phase: Reg<U>,
            bits_in: Reg<U>,
            valid_r: Reg<bool>,
            error_r: Reg<bool>,
        }
        locals {
            sum: Sig<Local, U>,
            tick: Flag<Local>,
            high: Sig<Local, U>,
            top: Const<U>,
            step: Const<U>,
            half: Const<U>,
            marker: Const<U>,
            set: Const<U>,
        }
    }
}

impl UartRx {
    /// For a clock and a rate.
    pub fn new(clock_hz: u64, baud: u64) -> Result<Self> {
        let (bits, step) = phase(clock_hz, baud)?;

        Ok(UartRx {
            clock: Signal::default(),
            reset: Flag::default(),
            line: Flag::default(),
            valid: Flag::default(),
            data: Sig::new(8),
            error: Flag::default(),
            sync_1: Reg::default(),
            sync_2: Reg::default(),
            earlier: Reg::default(),
            level: Reg::default(),
            was: Reg::default(),
            busy: Reg::default(),
            fresh: Reg::default(),
            phase: Reg::new(bits),
            bits_in: Reg::new(9),
            valid_r: Reg::default(),
            error_r: Reg::default(),
            sum: Sig::new(bits + 1),
            tick: Flag::default(),
            high: Sig::new(9),
            top: Const::natural(bits as u64),
            step: Const::natural(step),
            half: Const::new(bits, U::new(1 << (bits - 1))),
            marker: Const::natural(256),
            set: Const::natural(256),
            activity: Default::default(),
        })
    }
}

impl Logic for UartRx {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, sync_1, sync_2, earlier, level, was, busy, fresh, phase, bits_in, valid_r, error_r
        );
        // The line idles high and registers start at 0: they hold its complement.
        self.sync_1.d.next = !self.line.val();
        self.sync_2.d.next = self.sync_1.q.val();
        self.earlier.d.next = self.sync_2.q.val();
        if self.earlier.q.val() == self.sync_2.q.val() {
            self.level.d.next = self.sync_2.q.val();
        }
        self.was.d.next = self.level.q.val();
        self.sum.next = (self.phase.q.val() + self.step.val()).into();
        self.tick.next = self.busy.q.val() && self.sum.val().get_bit(self.top.val().index());
        self.valid_r.d.next = false;
        self.error_r.d.next = false;
        self.phase.d.next = self.half.val();
        if self.busy.q.val() {
            self.phase.d.next = (self.phase.q.val() + self.step.val()).into();
        } else if self.level.q.val() && !self.was.q.val() {
            self.busy.d.next = true;
            self.fresh.d.next = true;
            self.bits_in.d.next = self.marker.val();
        }
        self.high.next = (self.bits_in.q.val() >> 1).into();
        if self.tick.val() {
            self.fresh.d.next = false;
            if self.fresh.q.val() {
                // Not a start bit after all.
                self.busy.d.next = self.level.q.val();
            } else if self.bits_in.q.val().get_bit(0) {
                self.busy.d.next = false;
                self.valid_r.d.next = !self.level.q.val();
                self.error_r.d.next = self.level.q.val();
            } else {
                self.bits_in.d.next = self.high.val();
                if !self.level.q.val() {
                    self.bits_in.d.next = (self.high.val() | self.set.val()).into();
                }
            }
        }
        if self.reset.val() {
            self.busy.d.next = false;
            self.valid_r.d.next = false;
            self.error_r.d.next = false;
        }
        self.valid.next = self.valid_r.q.val();
        self.error.next = self.error_r.q.val();
        self.data.next = (self.bits_in.q.val() >> 1).into();
    }
}
