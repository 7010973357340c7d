//! Construction of the destination.

use super::{Store, WAITING, queue_depth};
use crate::engine::queue::Queue;
use crate::engine::rows::Rows;
use crate::engine::sizes::{COUNT_BITS, Sizes};
use crate::number::{Const, Flag, Sig};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

impl Store {
    /// For the sizes of a core and a layer norm of which `in_flight` results may come after `hold`.
    pub fn new(s: &Sizes, in_flight: usize) -> Result<Self> {
        let (a, w) = (s.at_bits, s.width);
        Ok(Store {
            clock: Signal::default(),
            reset: Flag::default(),
            odd: Flag::default(),
            start: Flag::default(),
            aim: Flag::default(),
            norm_aim: Flag::default(),
            base: Sig::new(a),
            to: Sig::new(2),
            aim_row: Flag::default(),
            norm_aim_row: Flag::default(),
            column: Sig::new(COUNT_BITS),
            row: Sig::new(COUNT_BITS),
            norm_used: Flag::default(),
            word: Sig::new(s.serial_bits),
            valid: Flag::default(),
            row_last: Flag::default(),
            pass_last: Flag::default(),
            last: Flag::default(),
            final_block: Flag::default(),
            norm_word: Sig::new(w),
            norm_valid: Flag::default(),
            norm_row_last: Flag::default(),
            operand_request: Flag::default(),
            operand_address: Sig::new(s.x_bits),
            serial: Flag::default(),
            serial_write: Flag::default(),
            serial_address: Sig::new(s.x_bits),
            serial_data: Sig::new(w),
            bank_valid: Flag::default(),
            bank_lane: Sig::new(s.lane_bits),
            bank_address: Sig::new(s.bank_bits),
            out_valid: Flag::default(),
            out_row_last: Flag::default(),
            out_last: Flag::default(),
            data: Sig::new(s.serial_bits),
            hold: Flag::default(),
            waiting: Flag::default(),
            error: Flag::default(),
            final_r: Reg::default(),
            to_x: Reg::default(),
            to_bank: Reg::default(),
            word_1: Reg::new(s.serial_bits),
            valid_1: Reg::default(),
            row_1: Reg::default(),
            pass_1: Reg::default(),
            last_1: Reg::default(),
            rows: Rows::new("store.rows", [a, a])?,
            row_start: Reg::new(a),
            row_r: Reg::new(a),
            first: Reg::default(),
            back: Reg::default(),
            lane: Reg::new(s.lane_bits),
            queue: Queue::new("store.queue", queue_depth(in_flight), WAITING, w + 1)?,
            head: Reg::new(w + 1),
            head_full: Reg::default(),
            norm_pointer: Reg::new(a),
            norm_back: Reg::default(),
            error_r: Reg::default(),
            distance: Sig::new(COUNT_BITS),
            row_step: Flag::default(),
            norm_row_step: Flag::default(),
            pointer: Sig::new(a),
            norm_row_start: Sig::new(a),
            mask: Sig::new(a),
            ones: Const::natural((1 << a) - 1),
            write: Flag::default(),
            pop: Flag::default(),
            advance: Flag::default(),
            step: Flag::default(),
            queued: Sig::new(w + 1),
            zero: Const::natural(0),
            row_bit: Const::natural(1 << w),
            top: Const::natural(w.into()),
            x_end: Const::natural(s.x_words as u64),
            bank_end: Const::natural(s.bank_words as u64),
            activity: Default::default(),
        })
    }

    /// The same with addresses in a multiplier of iCE40.
    pub fn in_multiplier(s: &Sizes, in_flight: usize) -> Result<Self> {
        Ok(Store {
            rows: Rows::in_multiplier("store.rows", [s.at_bits; 2])?,
            ..Self::new(s, in_flight)?
        })
    }
}
