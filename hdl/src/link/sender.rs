//! Frames to bytes: COBS and CRC while an answer is made, room for two.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | no answer, none begun |
//! | room | 1 | an answer may begin |
//! | start | 1 | begins one; the CRC too |
//! | push, data | 1, 8 | its next byte, only when not `busy` |
//! | drain | 1 | with `push`: `data` is `crc`, whose next byte follows |
//! | finish | 1 | it is complete: code and delimiter follow; only when not `busy` |
//! | busy | 1 | 8 cycles after a `push`, 1 after `finish` |
//! | crc_start, crc_step, crc_bit, crc_drain | 1 each | the CRC, for other uses while no answer is made |
//! | crc | 8 | its lowest byte |
//! | tx_valid, tx_ready, tx_data | 1, 1, 8 | bytes out, stable while not taken |
//!
//! One pass: a zero is not written; the place of the zero before it (at first the frame's first byte) gets the distance to it. So a byte of the
//! frame is final before the next zero's is, and the whole when the delimiter is written, behind which nothing is sent.
//!
//! Example: the bytes 9, 0, 4.
//!
//! ```
//! use astromorph_hdl::{link::sender::Sender, number::*};
//! use rust_hdl::prelude::*;
//! let mut s = Sender::new().unwrap();
//! s.connect_all();
//! let mut seen = vec![];
//! s.tx_ready.next = true;
//! let mut todo = vec![9, 0, 4].into_iter();
//! s.start.next = true;
//! for n in 0..60 {
//!     if n > 0 && n % 10 == 0 && n < 40 { (s.push.next, s.data.next) = (true, U::new(todo.next().unwrap())); }
//!     s.finish.next = n == 40;
//!     simulate(&mut s, 10);
//!     if s.tx_valid.val() { seen.push(s.tx_data.val().get()); }
//!     for level in [true, false] { s.clock.next.clk = level; simulate(&mut s, 10); }
//!     (s.push.next, s.start.next) = (false, false);
//! }
//! assert_eq!(seen, [2, 9, 2, 4, 0]);
//! ```

use super::crc::Crc;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Sender {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Begin an answer.
            start: Flag<In>,
            /// Its next byte.
            push: Flag<In>,
            /// It.
            data: Sig<In, U>,
            /// It is the CRC's.
            drain: Flag<In>,
            /// The answer is complete.
            finish: Flag<In>,
            /// Begin a CRC.
            crc_start: Flag<In>,
            /// A bit for it.
            crc_step: Flag<In>,
            /// The bit.
            crc_bit: Flag<In>,
            /// Shift it out.
            crc_drain: Flag<In>,
            /// The byte is taken.
            tx_ready: Flag<In>,
        }
        outputs {
            /// An answer may begin.
            room: Flag<Out>,
            /// Not now.
            busy: Flag<Out>,
            /// Lowest byte of the CRC.
            crc: Sig<Out, U>,
            /// A byte.
            tx_valid: Flag<Out>,
            /// It.
            tx_data: Sig<Out, U>,
        }
        parts {
            memory: Ram<U>,
            check: Crc,
            /// Of the next byte.
            at: Reg<U>,
            /// Of the last zero.
            place: Reg<U>,
            /// From there to the next byte.
            code: Reg<U>,
            shifting: Reg<bool>,
            draining: Reg<bool>,
            octet: Reg<U>,
            bits: Reg<U>,
            closing: Reg<bool>,
            write_half: Reg<bool>,
            full_0: Reg<bool>,
            full_1: Reg<bool>,
            read_half: Reg<bool>,
            from: Reg<U>,
            valid_r: Reg<bool>,
        }
        locals {
            is_zero: Flag<Local>,
            back: Flag<Local>,
            write: Flag<Local>,
            to: Sig<Local, U>,
            word: Sig<Local, U>,
            sent: Flag<Local>,
            last: Flag<Local>,
            fetch: Flag<Local>,
            some: Flag<Local>,
            zero: Const<U>,
            zero_8: Const<U>,
            one: Const<U>,
            upper: Const<U>,
        }
    }
}

impl Sender {
    /// No sizes: they are the protocol's.
    pub fn new() -> Result<Self> {
        Ok(Sender {
            clock: Signal::default(),
            reset: Flag::default(),
            start: Flag::default(),
            push: Flag::default(),
            data: Sig::new(8),
            drain: Flag::default(),
            finish: Flag::default(),
            crc_start: Flag::default(),
            crc_step: Flag::default(),
            crc_bit: Flag::default(),
            crc_drain: Flag::default(),
            tx_ready: Flag::default(),
            room: Flag::default(),
            busy: Flag::default(),
            crc: Sig::new(8),
            tx_valid: Flag::default(),
            tx_data: Sig::new(8),
            memory: Ram::new("sender", 512, 8, Contents::Zero)?.bare(),
            check: Crc::new(),
            at: Reg::new(8),
            place: Reg::new(8),
            code: Reg::new(8),
            shifting: Reg::default(),
            draining: Reg::default(),
            octet: Reg::new(8),
            bits: Reg::new(3),
            closing: Reg::default(),
            write_half: Reg::default(),
            full_0: Reg::default(),
            full_1: Reg::default(),
            read_half: Reg::default(),
            from: Reg::new(8),
            valid_r: Reg::default(),
            is_zero: Flag::default(),
            back: Flag::default(),
            write: Flag::default(),
            to: Sig::new(8),
            word: Sig::new(8),
            sent: Flag::default(),
            last: Flag::default(),
            fetch: Flag::default(),
            some: Flag::default(),
            zero: Const::natural(0),
            zero_8: Const::new(8, U::new(0)),
            one: Const::natural(1),
            upper: Const::natural(256),
            activity: Default::default(),
        })
    }
}

impl Logic for Sender {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory, check);
        dff_setup!(
            self, clock, at, place, code, shifting, draining, octet, bits, closing, write_half, full_0, full_1,
            read_half, from, valid_r
        );
        self.is_zero.next = self.push.val() && (self.data.val() == 0);
        // At the last zero's place: a code. At the next: the byte, or the delimiter.
        self.back.next = self.is_zero.val() || self.finish.val();
        self.to.next = self.at.q.val();
        self.word.next = self.data.val();
        if self.back.val() {
            self.to.next = self.place.q.val();
            self.word.next = self.code.q.val();
        }
        if self.closing.q.val() {
            self.word.next = self.zero_8.val();
        }
        self.write.next = self.push.val() || self.finish.val() || self.closing.q.val();
        self.closing.d.next = self.finish.val();
        if self.push.val() {
            self.at.d.next = (self.at.q.val() + 1).into();
            self.code.d.next = (self.code.q.val() + 1).into();
            self.shifting.d.next = true;
            self.draining.d.next = self.drain.val();
            self.octet.d.next = self.data.val();
        } else {
            self.octet.d.next = (self.octet.q.val() >> 1).into();
        }
        if self.is_zero.val() {
            self.place.d.next = self.at.q.val();
            self.code.d.next = self.one.val();
        }
        if self.shifting.q.val() {
            self.bits.d.next = (self.bits.q.val() + 1).into();
            if self.bits.q.val() == 7 {
                self.shifting.d.next = false;
            }
        }
        if self.start.val() {
            self.at.d.next = self.one.val();
            self.code.d.next = self.one.val();
            self.place.d.next = self.zero.val();
        }
        self.check.start.next = self.start.val() || self.crc_start.val();
        self.check.step.next = self.shifting.q.val() || self.crc_step.val();
        self.check.message.next = self.octet.q.val().get_bit(0);
        self.check.drain.next = self.draining.q.val();
        if self.crc_step.val() {
            self.check.message.next = self.crc_bit.val();
            self.check.drain.next = self.crc_drain.val();
        }
        self.crc.next = self.check.low.val();
        self.busy.next = self.shifting.q.val() || self.closing.q.val();
        self.room.next =
            (!self.write_half.q.val() && !self.full_0.q.val()) || (self.write_half.q.val() && !self.full_1.q.val());

        // Out, a byte every two cycles.
        self.some.next =
            (!self.read_half.q.val() && self.full_0.q.val()) || (self.read_half.q.val() && self.full_1.q.val());
        self.sent.next = self.valid_r.q.val() && self.tx_ready.val();
        self.last.next = self.sent.val() && (self.memory.read_data.val() == 0);
        self.fetch.next = self.some.val() && !self.valid_r.q.val();
        self.valid_r.d.next = self.fetch.val() || (self.valid_r.q.val() && !self.tx_ready.val());
        if self.fetch.val() {
            self.from.d.next = (self.from.q.val() + 1).into();
        }
        if self.closing.q.val() {
            self.write_half.d.next = !self.write_half.q.val();
            if self.write_half.q.val() {
                self.full_1.d.next = true;
            } else {
                self.full_0.d.next = true;
            }
        }
        if self.last.val() {
            self.from.d.next = self.zero.val();
            self.read_half.d.next = !self.read_half.q.val();
            if self.read_half.q.val() {
                self.full_1.d.next = false;
            } else {
                self.full_0.d.next = false;
            }
        }
        if self.reset.val() {
            self.shifting.d.next = false;
            self.bits.d.next = self.zero.val();
            self.closing.d.next = false;
            self.write_half.d.next = false;
            self.read_half.d.next = false;
            self.full_0.d.next = false;
            self.full_1.d.next = false;
            self.from.d.next = self.zero.val();
            self.valid_r.d.next = false;
        }
        self.memory.write_enable.next = self.write.val();
        self.memory.write_address.next = self.to.val();
        if self.write_half.q.val() {
            self.memory.write_address.next = (self.to.val() + self.upper.val()).into();
        }
        self.memory.write_data.next = self.word.val();
        self.memory.read_enable.next = self.fetch.val();
        self.memory.read_address.next = self.from.q.val();
        if self.read_half.q.val() {
            self.memory.read_address.next = (self.from.q.val() + self.upper.val()).into();
        }
        self.tx_valid.next = self.valid_r.q.val();
        self.tx_data.next = self.memory.read_data.val();
    }
}
