//! Construction of the conveyor.

use super::{Conveyor, ConveyorSize, lead};
use crate::check;
use crate::engine::sizes::COUNT_BITS;
use crate::number::{Const, Flag, Sig, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

impl Conveyor {
    /// Of the sizes given.
    pub fn new(s: &ConveyorSize) -> Result<Self> {
        check::range("conveyor.lanes", s.lanes, 2, 128)?;
        check::range("conveyor.acc_bits", s.acc_bits, 2, 64)?;
        check::range("conveyor.width", s.width, 2, 32)?;
        check::range("conveyor.sum_bits", s.sum_bits, 1, COUNT_BITS)?;
        let lane_bits = natural_bits(s.lanes as u64 - 1);
        check::range("conveyor.latency", s.latency, s.blocks + 2, 64)?;
        let odd = s.latency % 2 == 1;
        let lead = lead(s.latency, s.blocks);
        let lane = |n: usize| Const::natural(n as u64);
        Ok(Conveyor {
            clock: Signal::default(),
            reset: Flag::default(),
            beat: Sig::new(2),
            start: Flag::default(),
            source: Sig::new(2),
            slow: Flag::default(),
            cols: Sig::new(COUNT_BITS),
            capturing: Flag::default(),
            capturing_last: Flag::default(),
            array_word: Sig::new(s.acc_bits),
            available: Flag::default(),
            in_word: Sig::new(s.width),
            in_ends: Flag::default(),
            scan_word: Sig::new(32),
            tokens: Sig::new(COUNT_BITS),
            room: Flag::default(),
            norm_room: Flag::default(),
            shift: Flag::default(),
            chain_free: Flag::default(),
            take: Flag::default(),
            row_end: Flag::default(),
            scan: Flag::default(),
            scan_column: Sig::new(s.sum_bits),
            row_begin: Flag::default(),
            pushed: Flag::default(),
            entry_word: Sig::new(s.acc_bits),
            entry_soon: Flag::default(),
            entry_valid: Flag::default(),
            entry_row_last: Flag::default(),
            entry_pass_last: Flag::default(),
            entry_last: Flag::default(),
            active: Flag::default(),
            active_r: Reg::default(),
            slot: Reg::default(),
            source_r: Reg::new(2),
            from_sums: Reg::default(),
            from_input: Reg::default(),
            slow_r: Reg::default(),
            cols_left: Reg::new(COUNT_BITS),
            column: Reg::new(s.sum_bits),
            begun: Reg::default(),
            lane: Reg::new(lane_bits),
            last_column: Reg::default(),
            last_lane: Reg::default(),
            final_r: Reg::default(),
            running: Reg::default(),
            full: Reg::default(),
            near: Reg::default(),
            ready: Reg::default(),
            shift_r: Reg::default(),
            scan_r: Reg::default(),
            row_begin_r: Reg::default(),
            word: Reg::new(s.acc_bits),
            word_late: Reg::new(s.acc_bits),
            flags_1: Reg::new(4),
            flags_3: Reg::new(4),
            flags_5: Reg::new(4),
            flags: Reg::new(4),
            turn: Flag::default(),
            go: Flag::default(),
            taken: Flag::default(),
            pass_end: Flag::default(),
            step_end: Flag::default(),
            row_load: Flag::default(),
            mask: Sig::new(COUNT_BITS),
            ones: Const::natural((1 << COUNT_BITS) - 1),
            sent: Sig::new(4),
            coming: Sig::new(4),
            zero: Const::natural(0),
            odd: Const::new(1, odd),
            // The cycle before the first of four: 1 after 0, 0 after 3.
            before_first: Const::natural(if odd { 0 } else { 3 }),
            lane_top: lane(s.lanes - 1),
            lane_near: lane((s.lanes - 1).saturating_sub(lead / 2)),
            lane_near_slow: lane((s.lanes - 1).saturating_sub(lead / 4)),
            valid_bit: Const::natural(1),
            row_bit: Const::natural(2),
            pass_bit: Const::natural(4),
            last_bit: Const::natural(8),
            activity: Default::default(),
        })
    }
}
