//! Serial transmitter: 8 data bits, no parity, 1 stop bit, the lowest bit first.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | to the idle line |
//! | valid, ready, data | 1, 1, 8 | a byte is taken; `ready` is low while one is sent |
//! | line | 1 | high when idle |
//!
//! The start bit begins in the cycle after the byte is taken; ten bits later the next may be taken.
//!
//! Example: 8 cycles a bit, the byte 0x53.
//!
//! ```
//! use astromorph_hdl::{link::uart_tx::UartTx, number::*};
//! use rust_hdl::prelude::*;
//! let mut tx = UartTx::new(8_000_000, 1_000_000).unwrap();
//! tx.connect_all();
//! (tx.valid.next, tx.data.next) = (true, U::new(0x53));
//! let mut bits = 0u16;
//! for n in 0..80 {
//!     for level in [true, false] { tx.clock.next.clk = level; simulate(&mut tx, 10); }
//!     tx.valid.next = false;
//!     if n % 8 == 4 { bits |= (tx.line.val() as u16) << (n / 8); }
//!     assert!(!tx.ready.val());
//! }
//! assert_eq!(bits, 0b1_01010011_0);
//! ```

use super::uart::phase;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct UartTx {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A byte is there.
            valid: Flag<In>,
            /// It.
            data: Sig<In, U>,
        }
        outputs {
            /// It is taken.
            ready: Flag<Out>,
            /// The wire.
            line: Flag<Out>,
        }
        parts {
            phase: Reg<U>,
            left: Reg<U>,
            low: Reg<U>,
        }
        locals {
            sum: Sig<Local, U>,
            busy: Flag<Local>,
            inverted: Sig<Local, U>,
            top: Const<U>,
            step: Const<U>,
            zero: Const<U>,
            ones: Const<U>,
            start: Const<U>,
            ten: Const<U>,
        }
    }
}

impl UartTx {
    /// For a clock and a rate.
    pub fn new(clock_hz: u64, baud: u64) -> Result<Self> {
        let (bits, step) = phase(clock_hz, baud)?;

        Ok(UartTx {
            clock: Signal::default(),
            reset: Flag::default(),
            valid: Flag::default(),
            data: Sig::new(8),
            ready: Flag::default(),
            line: Flag::default(),
            phase: Reg::new(bits),
            left: Reg::new(4),
            low: Reg::new(9),
            sum: Sig::new(bits + 1),
            busy: Flag::default(),
            inverted: Sig::new(8),
            top: Const::natural(bits as u64),
            step: Const::natural(step),
            zero: Const::natural(0),
            ones: Const::natural(255),
            start: Const::natural(1),
            ten: Const::natural(10),
            activity: Default::default(),
        })
    }
}

impl Logic for UartTx {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, phase, left, low);
        self.busy.next = !(self.left.q.val() == 0);
        self.sum.next = (self.phase.q.val() + self.step.val()).into();
        // What is still to come, inverted: an idle line is zeros.
        self.inverted.next = (self.data.val() ^ self.ones.val()).into();
        if self.busy.val() {
            self.phase.d.next = (self.phase.q.val() + self.step.val()).into();
            if self.sum.val().get_bit(self.top.val().index()) {
                self.left.d.next = (self.left.q.val() - 1).into();
                self.low.d.next = (self.low.q.val() >> 1).into();
            }
        } else {
            self.phase.d.next = self.zero.val();
            if self.valid.val() {
                self.left.d.next = self.ten.val();
                self.low.d.next = ((self.inverted.val() << 1) | self.start.val()).into();
            }
        }
        if self.reset.val() {
            self.left.d.next = self.zero.val();
            self.low.d.next = self.zero.val();
        }
        self.ready.next = !self.busy.val();
        self.line.next = !self.low.q.val().get_bit(0);
    }
}
