//! The one write port of all banks: words of a fill, of the stream or of the load port, decoded to the lanes.
//!
//! | port | width | |
//! |---|---|---|
//! | fill_write, fill_address, fill_lane, fill_word | 1, B, L, 32 | a word of M for the G lanes from `fill_lane` on |
//! | store_write, store_address, store_lane, store_word | 1, B, L, W | a word for one lane |
//! | load_write, load_address, load_lane, load_word | 1, B, L, W | the same |
//! | bank_write$l, bank_address, bank_data$g | 1, B, W | 1 cycle later; of the load port 2, but on iCE40 |
//!
//! At most one of the three writes in a cycle; for the load port the later cycle counts. It comes from outside, and on large devices the way from
//! there to the decoder takes a cycle of its own; iCE40 has no cells to spare for the register. Element n of a word of M is its bits from n · 32 / G on, cut to W.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{bank_port::BankPort, sizes::Sizes}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 16, acc_bits: 40, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut b = BankPort::new(&Sizes::new(&core).unwrap(), Target::Ecp5).unwrap();
//! b.connect_all();
//! (b.fill_write.next, b.fill_address.next, b.fill_lane.next, b.fill_word.next) = (true, U::new(5), U::new(2), U::new(0x0007_ffff));
//! for level in [true, false] { b.clock.next.clk = level; simulate(&mut b, 10); }
//! assert_eq!(b.bank_write.iter().map(|f| f.val()).collect::<Vec<_>>(), [false, false, true, true]);
//! assert_eq!((b.bank_address.val().get(), b.bank_data[0].val().get(), b.bank_data[1].val().get()), (5, -1, 7));
//! b.fill_write.next = false;
//! (b.load_write.next, b.load_address.next, b.load_lane.next, b.load_word.next) = (true, U::new(6), U::new(1), S::new(-2));
//! for level in [true, false] { b.clock.next.clk = level; simulate(&mut b, 10); }
//! assert!(b.bank_write.iter().all(|f| !f.val()));
//! b.load_write.next = false;
//! for level in [true, false] { b.clock.next.clk = level; simulate(&mut b, 10); }
//! assert_eq!(b.bank_write.iter().map(|f| f.val()).collect::<Vec<_>>(), [false, true, false, false]);
//! assert_eq!((b.bank_address.val().get(), b.bank_data[1].val().get()), (6, -2));
//! ```

use super::sizes::Sizes;
use crate::block;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct BankPort {
        inputs {
            /// A word of M.
            fill_write: Flag<In>,
            /// Bank word.
            fill_address: Sig<In, U>,
            /// First lane.
            fill_lane: Sig<In, U>,
            /// Elements.
            fill_word: Sig<In, U>,
            /// A word of the stream.
            store_write: Flag<In>,
            /// Bank word.
            store_address: Sig<In, U>,
            /// Lane.
            store_lane: Sig<In, U>,
            /// The word.
            store_word: Sig<In, S>,
            /// A word of the load port.
            load_write: Flag<In>,
            /// Bank word.
            load_address: Sig<In, U>,
            /// Lane.
            load_lane: Sig<In, U>,
            /// The word.
            load_word: Sig<In, S>,
        }
        outputs {
            /// Store in this lane.
            bank_write: Vec<Flag<Out>>,
            /// Bank word.
            bank_address: Sig<Out, U>,
            /// Lane l takes word l mod G.
            bank_data: Vec<Sig<Out, S>>,
        }
        parts {
            write: Vec<Reg<bool>>,
            address: Reg<U>,
            data: Vec<Reg<S>>,
            load_write_r: Reg<bool>,
            load_address_r: Reg<U>,
            load_lane_r: Reg<U>,
            load_word_r: Reg<S>,
        }
        locals {
            loads: Flag<Local>,
            loaded_address: Sig<Local, U>,
            loaded_lane: Sig<Local, U>,
            loaded_word: Sig<Local, S>,
            registered: Const<bool>,
            any: Flag<Local>,
            word: Sig<Local, S>,
            lane: Sig<Local, U>,
            group_of: Sig<Local, U>,
            group_shift: Const<U>,
            element: Vec<Const<U>>,
            group: Vec<Const<U>>,
        }
    }
}

impl BankPort {
    /// For the sizes of a core on a device.
    pub fn new(s: &Sizes, target: Target) -> Result<Self> {
        let (b, l, w) = (s.bank_bits, s.lane_bits, s.width);
        Ok(BankPort {
            clock: Signal::default(),
            fill_write: Flag::default(),
            fill_address: Sig::new(b),
            fill_lane: Sig::new(l),
            fill_word: Sig::new(32),
            store_write: Flag::default(),
            store_address: Sig::new(b),
            store_lane: Sig::new(l),
            store_word: Sig::new(w),
            load_write: Flag::default(),
            load_address: Sig::new(b),
            load_lane: Sig::new(l),
            load_word: Sig::new(w),
            bank_write: (0..s.lanes).map(|_| Flag::default()).collect(),
            bank_address: Sig::new(b),
            bank_data: (0..s.group).map(|_| Sig::new(w)).collect(),
            write: (0..s.lanes).map(|_| Reg::default()).collect(),
            address: Reg::new(b),
            data: (0..s.group).map(|_| Reg::new(w)).collect(),
            load_write_r: Reg::default(),
            load_address_r: Reg::new(b),
            load_lane_r: Reg::new(l),
            load_word_r: Reg::new(w),
            loads: Flag::default(),
            loaded_address: Sig::new(b),
            loaded_lane: Sig::new(l),
            loaded_word: Sig::new(w),
            registered: Const::new(1, target != Target::Ice40),
            any: Flag::default(),
            word: Sig::new(w),
            lane: Sig::new(l),
            group_of: Sig::new(l),
            group_shift: Const::natural(s.group_shift.into()),
            element: (0..s.group)
                .map(|n| Const::natural((n * 32 / s.group) as u64))
                .collect(),
            group: (0..s.lanes).map(|n| Const::natural((n / s.group) as u64)).collect(),
            activity: Default::default(),
        })
    }
}

impl Logic for BankPort {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            address,
            load_write_r,
            load_address_r,
            load_lane_r,
            load_word_r
        );
        self.load_write_r.d.next = self.load_write.val();
        self.load_address_r.d.next = self.load_address.val();
        self.load_lane_r.d.next = self.load_lane.val();
        self.load_word_r.d.next = self.load_word.val();
        self.loads.next = self.load_write.val();
        self.loaded_address.next = self.load_address.val();
        self.loaded_lane.next = self.load_lane.val();
        self.loaded_word.next = self.load_word.val();
        if self.registered.val() {
            self.loads.next = self.load_write_r.q.val();
            self.loaded_address.next = self.load_address_r.q.val();
            self.loaded_lane.next = self.load_lane_r.q.val();
            self.loaded_word.next = self.load_word_r.q.val();
        }
        self.any.next = self.fill_write.val() || self.store_write.val() || self.loads.val();
        self.lane.next = self.fill_lane.val();
        self.address.d.next = self.fill_address.val();
        if self.store_write.val() {
            self.lane.next = self.store_lane.val();
            self.address.d.next = self.store_address.val();
        }
        if self.loads.val() {
            self.lane.next = self.loaded_lane.val();
            self.address.d.next = self.loaded_address.val();
        }
        self.word.next = self.store_word.val();
        if self.loads.val() {
            self.word.next = self.loaded_word.val();
        }
        for i in 0..(self.data.len()) {
            self.data[i].clock.next = self.clock.val();
            self.data[i].d.next = self.word.val();
            if self.fill_write.val() {
                self.data[i].d.next = (self.fill_word.val() >> self.element[i].val().index()).into();
            }
            self.bank_data[i].next = self.data[i].q.val();
        }
        self.group_of.next = (self.lane.val() >> self.group_shift.val().index()).into();
        for i in 0..(self.write.len()) {
            self.write[i].clock.next = self.clock.val();
            self.write[i].d.next = self.any.val()
                && (self.group_of.val() == self.group[i].val())
                && (self.fill_write.val() || (self.lane.val().index() == i));
            self.bank_write[i].next = self.write[i].q.val();
        }
        self.bank_address.next = self.address.q.val();
    }
}
