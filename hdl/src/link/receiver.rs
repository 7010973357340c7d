//! Frames from bytes: COBS, CRC and length checked, room for two.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | no frame, none begun |
//! | rx_valid, rx_data | 1, 8 | a byte; the next 10 cycles later at the earliest |
//! | rx_error | 1 | instead: a byte without a stop bit |
//! | some | 1 | there is a frame |
//! | address, data | 8, 8 | its byte [`FIRST`] + k (modulo 256) is the body's byte k; latency 1 |
//! | done | 1 | drops it |
//! | damaged, overrun | 1, 1 | one cycle: a frame that is not one; a good one for which there was no room when it began |
//!
//! A frame is there 2 cycles after its delimiter. The body's byte k stands at address k − 12: so the address behind a good body is its own length
//! field, and no adder is needed. After a delimiter the receiver is where it was after reset, whatever came before it (`sim/tests/suite/link_proofs.rs`).
//!
//! Example: the frame that opens session 0 with number 7.
//!
//! ```
//! use astromorph_hdl::{link::receiver::*, number::*};
//! use rust_hdl::prelude::*;
//! let mut r = Receiver::new().unwrap();
//! r.connect_all();
//! let mut cycle = |r: &mut Receiver| for level in [true, false] { r.clock.next.clk = level; simulate(r, 10); };
//! // 00 07 00 00 00 00 00 00, CRC-32 0xa085e1e7.
//! let line = [1, 2, 7, 1, 1, 1, 1, 1, 5, 0xe7, 0xe1, 0x85, 0xa0, 0];
//! for byte in line {
//!     (r.rx_valid.next, r.rx_data.next) = (true, U::new(byte));
//!     cycle(&mut r);
//!     r.rx_valid.next = false;
//!     for _ in 0..9 { cycle(&mut r); }
//!     assert!(!r.damaged.val());
//! }
//! assert!(r.some.val());
//! r.address.next = U::new(FIRST + 1);
//! cycle(&mut r);
//! assert_eq!(r.data.val(), U::new(7));
//! ```

use super::crc::Crc;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Address of a body's first byte.
pub const FIRST: u64 = 256 - 12;

block! {
    /// See the module's text.
    pub struct Receiver {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A byte.
            rx_valid: Flag<In>,
            /// It.
            rx_data: Sig<In, U>,
            /// A byte without its stop bit.
            rx_error: Flag<In>,
            /// Of the frame's byte.
            address: Sig<In, U>,
            /// Drop the frame.
            done: Flag<In>,
        }
        outputs {
            /// There is a frame.
            some: Flag<Out>,
            /// Its byte.
            data: Sig<Out, U>,
            /// One cycle: not a frame.
            damaged: Flag<Out>,
            /// One cycle: no room.
            overrun: Flag<Out>,
        }
        parts {
            memory: Ram<U>,
            crc: Crc,
            /// Something has come since the delimiter.
            begun: Reg<bool>,
            /// It cannot be a frame.
            bad: Reg<bool>,
            /// No room when it began.
            late: Reg<bool>,
            /// Bytes up to the next code.
            left: Reg<U>,
            /// Address of the next byte.
            at: Reg<U>,
            /// The length field.
            length: Reg<U>,
            shifting: Reg<bool>,
            octet: Reg<U>,
            bits: Reg<U>,
            write_half: Reg<bool>,
            read_half: Reg<bool>,
            full_0: Reg<bool>,
            full_1: Reg<bool>,
            damaged_r: Reg<bool>,
            overrun_r: Reg<bool>,
        }
        locals {
            take: Flag<Local>,
            put: Flag<Local>,
            value: Sig<Local, U>,
            ends: Flag<Local>,
            good: Flag<Local>,
            room: Flag<Local>,
            commit: Flag<Local>,
            half: Sig<Local, U>,
            zero: Const<U>,
            zero_8: Const<U>,
            first: Const<U>,
            most: Const<U>,
            length_at: Const<U>,
            upper: Const<U>,
        }
    }
}

impl Receiver {
    /// No sizes: they are the protocol's.
    pub fn new() -> Result<Self> {
        Ok(Receiver {
            clock: Signal::default(),
            reset: Flag::default(),
            rx_valid: Flag::default(),
            rx_data: Sig::new(8),
            rx_error: Flag::default(),
            address: Sig::new(8),
            done: Flag::default(),
            some: Flag::default(),
            data: Sig::new(8),
            damaged: Flag::default(),
            overrun: Flag::default(),
            memory: Ram::new("receiver", 512, 8, Contents::Zero)?.bare(),
            crc: Crc::new(),
            begun: Reg::default(),
            bad: Reg::default(),
            late: Reg::default(),
            left: Reg::new(8),
            at: Reg::new(8),
            length: Reg::new(8),
            shifting: Reg::default(),
            octet: Reg::new(8),
            bits: Reg::new(3),
            write_half: Reg::default(),
            read_half: Reg::default(),
            full_0: Reg::default(),
            full_1: Reg::default(),
            damaged_r: Reg::default(),
            overrun_r: Reg::default(),
            take: Flag::default(),
            put: Flag::default(),
            value: Sig::new(8),
            ends: Flag::default(),
            good: Flag::default(),
            room: Flag::default(),
            commit: Flag::default(),
            half: Sig::new(9),
            zero: Const::natural(0),
            zero_8: Const::new(8, U::new(0)),
            first: Const::natural(FIRST),
            most: Const::natural(240),
            length_at: Const::natural(FIRST + 4),
            upper: Const::natural(256),
            activity: Default::default(),
        })
    }
}

impl Logic for Receiver {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory, crc);
        dff_setup!(
            self, clock, begun, bad, late, left, at, length, shifting, octet, bits, write_half, read_half, full_0,
            full_1, damaged_r, overrun_r
        );
        // A byte of the line is at most one of the body: the zero that a code stands for, or itself.
        self.take.next = self.rx_valid.val() && !(self.rx_data.val() == 0);
        self.ends.next = self.rx_valid.val() && (self.rx_data.val() == 0);
        self.value.next = self.rx_data.val();
        self.put.next = self.take.val();
        if self.left.q.val() == 0 {
            self.value.next = self.zero_8.val();
            self.put.next = self.take.val() && self.begun.q.val();
        }
        self.room.next =
            (!self.write_half.q.val() && !self.full_0.q.val()) || (self.write_half.q.val() && !self.full_1.q.val());
        if self.take.val() {
            self.left.d.next = (self.left.q.val() - 1).into();
            if self.left.q.val() == 0 {
                self.left.d.next = (self.rx_data.val() - 1).into();
            }
        }
        if (self.take.val() || self.rx_error.val()) && !self.begun.q.val() {
            self.begun.d.next = true;
            self.late.d.next = !self.room.val();
        }
        if self.rx_error.val() {
            self.bad.d.next = true;
        }
        if self.put.val() {
            self.at.d.next = (self.at.q.val() + 1).into();
            if self.at.q.val() == self.length_at.val() {
                self.length.d.next = self.value.val();
            }
            if (self.at.q.val() == self.most.val())
                || ((self.at.q.val() == self.first.val()) && self.value.val().get_bit(3))
            {
                self.bad.d.next = true;
            }
        }
        // The CRC follows bit by bit.
        self.crc.step.next = self.shifting.q.val();
        self.crc.message.next = self.octet.q.val().get_bit(0);
        self.crc.drain.next = false;
        self.octet.d.next = (self.octet.q.val() >> 1).into();
        if self.shifting.q.val() {
            self.bits.d.next = (self.bits.q.val() + 1).into();
            if self.bits.q.val() == 7 {
                self.shifting.d.next = false;
            }
        }
        if self.put.val() {
            self.shifting.d.next = true;
            self.octet.d.next = self.value.val();
        }
        self.good.next = !self.bad.q.val()
            && (self.left.q.val() == 0)
            && self.crc.good.val()
            && (self.at.q.val() == self.length.q.val());
        self.commit.next = self.ends.val() && self.begun.q.val() && self.good.val() && !self.late.q.val();
        self.damaged_r.d.next = self.ends.val() && self.begun.q.val() && !self.good.val();
        self.overrun_r.d.next = self.ends.val() && self.begun.q.val() && self.good.val() && self.late.q.val();
        if self.ends.val() {
            self.begun.d.next = false;
            self.bad.d.next = false;
            self.left.d.next = self.zero.val();
            self.at.d.next = self.first.val();
        }
        if !self.begun.q.val() {
            self.at.d.next = self.first.val();
        }
        self.crc.start.next = !self.begun.q.val();
        if self.commit.val() {
            self.write_half.d.next = !self.write_half.q.val();
            if self.write_half.q.val() {
                self.full_1.d.next = true;
            } else {
                self.full_0.d.next = true;
            }
        }
        self.some.next =
            (!self.read_half.q.val() && self.full_0.q.val()) || (self.read_half.q.val() && self.full_1.q.val());
        if self.done.val() {
            self.read_half.d.next = !self.read_half.q.val();
            if self.read_half.q.val() {
                self.full_1.d.next = false;
            } else {
                self.full_0.d.next = false;
            }
        }
        if self.reset.val() {
            self.begun.d.next = false;
            self.bad.d.next = false;
            self.left.d.next = self.zero.val();
            self.shifting.d.next = false;
            self.bits.d.next = self.zero.val();
            self.write_half.d.next = false;
            self.read_half.d.next = false;
            self.full_0.d.next = false;
            self.full_1.d.next = false;
        }
        self.half.next = self.at.q.val();
        if self.write_half.q.val() {
            self.half.next = (self.at.q.val() + self.upper.val()).into();
        }
        self.memory.write_enable.next = self.put.val() && self.begun.q.val() && !self.late.q.val();
        self.memory.write_address.next = self.half.val();
        self.memory.write_data.next = self.value.val();
        self.memory.read_enable.next = self.some.val();
        self.memory.read_address.next = self.address.val();
        if self.read_half.q.val() {
            self.memory.read_address.next = (self.address.val() + self.upper.val()).into();
        }
        self.data.next = self.memory.read_data.val();
        self.damaged.next = self.damaged_r.q.val();
        self.overrun.next = self.overrun_r.q.val();
    }
}
