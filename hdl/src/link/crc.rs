//! CRC-32 of IEEE 802.3, one bit a cycle.
//!
//! | port | width | |
//! |---|---|---|
//! | start | 1 | before the first bit |
//! | step, message | 1, 1 | a bit of the message; a byte's lowest first |
//! | drain | 1 | with `step`: instead, 8 of them bring the next byte of the CRC to `low` |
//! | low | 8 | the lowest byte of the CRC of what came |
//! | good | 1 | what came ends with its own CRC |
//!
//! Latency 1. `start` goes before `step`.
//!
//! ```
//! use astromorph_hdl::{link::crc::Crc, number::*};
//! use rust_hdl::prelude::*;
//! let mut crc = Crc::new();
//! crc.connect_all();
//! let mut cycle = |crc: &mut Crc| for level in [true, false] { crc.clock.next.clk = level; simulate(crc, 10); };
//! crc.start.next = true;
//! cycle(&mut crc);
//! (crc.start.next, crc.step.next) = (false, true);
//! for byte in b"123456789" {
//!     for k in 0..8 { crc.message.next = byte >> k & 1 == 1; cycle(&mut crc); }
//! }
//! crc.drain.next = true;
//! let mut bytes = vec![];
//! for _ in 0..4 {
//!     bytes.push(crc.low.val().get() as u8);
//!     for _ in 0..8 { cycle(&mut crc); }
//! }
//! assert_eq!(bytes, 0xcbf4_3926u32.to_le_bytes());
//! ```

use super::protocol::{CRC_POLYNOMIAL, CRC_RESIDUE};
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Crc {
        inputs {
            /// Begin.
            start: Flag<In>,
            /// Take a bit.
            step: Flag<In>,
            /// It.
            message: Flag<In>,
            /// Shift out.
            drain: Flag<In>,
        }
        outputs {
            /// Lowest byte.
            low: Sig<Out, U>,
            /// The message ends with its CRC.
            good: Flag<Out>,
        }
        parts {
            state: Reg<U>,
        }
        locals {
            shifted: Sig<Local, U>,
            feedback: Flag<Local>,
            inverted: Sig<Local, U>,
            ones: Const<U>,
            polynomial: Const<U>,
            residue: Const<U>,
        }
    }
}

impl Crc {
    /// No sizes.
    pub fn new() -> Self {
        Crc {
            clock: Signal::default(),
            start: Flag::default(),
            step: Flag::default(),
            message: Flag::default(),
            drain: Flag::default(),
            low: Sig::new(8),
            good: Flag::default(),
            state: Reg::new(32),
            shifted: Sig::new(32),
            feedback: Flag::default(),
            inverted: Sig::new(32),
            ones: Const::natural(0xffff_ffff),
            polynomial: Const::natural(CRC_POLYNOMIAL as u64),
            residue: Const::natural(CRC_RESIDUE as u64),
            activity: Default::default(),
        }
    }
}

impl Default for Crc {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for Crc {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        self.feedback.next = !self.drain.val() && (self.message.val() != self.state.q.val().get_bit(0));
        self.shifted.next = (self.state.q.val() >> 1).into();
        if self.step.val() {
            self.state.d.next = self.shifted.val();
            if self.feedback.val() {
                self.state.d.next = (self.shifted.val() ^ self.polynomial.val()).into();
            }
        }
        if self.start.val() {
            self.state.d.next = self.ones.val();
        }
        self.inverted.next = (self.state.q.val() ^ self.ones.val()).into();
        self.low.next = self.inverted.val();
        self.good.next = self.state.q.val() == self.residue.val();
    }
}
