//! Construction of the walker.

use super::{ArrayWalker, ROW_STRIDE, WalkSettings};
use crate::engine::rows::Rows;
use crate::engine::sizes::{COUNT_BITS, Sizes};
use crate::number::{Const, Flag, Sig};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

impl ArrayWalker {
    /// For the sizes of a core.
    pub fn new(s: &Sizes) -> Result<Self> {
        let fields = WalkSettings::new(s);
        let x_bits = s.x_bits.max(ROW_STRIDE + 1);
        let b = s.bank_bits;
        Ok(ArrayWalker {
            clock: Signal::default(),
            reset: Flag::default(),
            odd: Flag::default(),
            set: Flag::default(),
            number: Sig::new(5),
            value: Sig::new(32),
            offer: Flag::default(),
            chain_free: Flag::default(),
            captured: Flag::default(),
            captured_last: Flag::default(),
            open: Flag::default(),
            taken: Flag::default(),
            pair: Flag::default(),
            last: Flag::default(),
            mac_even: Flag::default(),
            mac_odd: Flag::default(),
            read_row: Sig::new(s.x_bits - 1),
            bank_row: Sig::new(b - 1),
            slots: Sig::new(2),
            idle: Flag::default(),
            error: Flag::default(),
            fields,
            running: Reg::default(),
            pending: Reg::default(),
            pending_last: Reg::default(),
            pairs: Reg::new(b),
            pairs_left: Reg::new(b),
            passes_left: Reg::new(b),
            rows_left: Reg::new(COUNT_BITS),
            half_pair: Reg::default(),
            next_half: Reg::default(),
            last_pair: Reg::default(),
            last_pass: Reg::default(),
            last_row: Reg::default(),
            last_all: Reg::default(),
            final_row: Flag::default(),
            pair_r: Reg::default(),
            last_r: Reg::default(),
            mac_odd_r: Reg::default(),
            row_end: Reg::default(),
            load_r: Reg::default(),
            back: Reg::default(),
            x: Reg::new(x_bits),
            rows: Rows::new("walker.rows", [x_bits, b])?,
            bank: Reg::new(b),
            error_r: Reg::default(),
            issue: Flag::default(),
            pass_end: Flag::default(),
            step_end: Flag::default(),
            load: Flag::default(),
            rows_come: Flag::default(),
            again: Flag::default(),
            anew: Flag::default(),
            row_mask: Sig::new(COUNT_BITS),
            pair_mask: Sig::new(b),
            pass_mask: Sig::new(b),
            x_mask: Sig::new(x_bits),
            bank_mask: Sig::new(b),
            stride: Sig::new(ROW_STRIDE),
            k: Sig::new(COUNT_BITS),
            k_up: Sig::new(COUNT_BITS + 1),
            bank_beyond: Sig::new(17 - b),
            k_beyond: Sig::new(17 - b),
            ones: Const::natural((1 << 20) - 1),
            none: Const::natural(0),
            stride_shift: Const::natural(17),
            both: Const::natural(2),
            one: Const::natural(1),
            rows_end: Const::natural(s.x_words as u64 / 2),
            bank_end: Const::natural(s.bank_words as u64 / 2),
            bank_shift: Const::natural(16 + b as u64),
            k_shift: Const::natural(b as u64 + 1),
            activity: Default::default(),
        })
    }

    /// The same with starts in a multiplier of iCE40.
    pub fn in_multiplier(s: &Sizes) -> Result<Self> {
        let x_bits = s.x_bits.max(ROW_STRIDE + 1);
        Ok(ArrayWalker {
            rows: Rows::in_multiplier("walker.rows", [x_bits, s.bank_bits])?,
            ..Self::new(s)?
        })
    }
}
