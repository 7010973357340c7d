//! Construction of the front: widths from the core's description.

use super::Front;
use crate::engine::flags::Flags;
use crate::engine::function::{Function, rounded_bits};
use crate::engine::linear::{ADDEND_BITS, EXPONENT_BITS, Linear, OFFSET_BITS};
use crate::engine::other::{Other, aligned_bits};
use crate::engine::rows::{Rows, STRIDE_BITS};
use crate::engine::shifter::{FIELD_BITS, Shifter, WIDTH_BITS};
use crate::engine::top::spare_multipliers;
use crate::engine::turns::Turns;
use crate::engine::walker::Walker;
use crate::multiply::Target;
use crate::number::{Const, Flag, Sig, U, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

impl Front {
    /// For a core.
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        core.validate()?;
        let (w, sw, acc) = (core.width, core.serial_bits(), core.acc_bits);
        let m_bits = natural_bits(core.m_words as u64 - 1);
        let element_bits = natural_bits((core.m_words * core.weights_per_word()).max(core.x_words) as u64 - 1);
        let rounded = rounded_bits(core);
        let unit = Function::new(core, target)?;
        let turns = Turns::new(acc, unit.turned.width(), aligned_bits(core), w);
        let table_bits = unit.table_address.width();
        // Bits 32 and up of a sum.
        let above = (acc - 1).min(32);
        Ok(Front {
            clock: Signal::default(),
            reset: Flag::default(),
            even: Flag::default(),
            addend_start: Flag::default(),
            other_start: Flag::default(),
            addend_row: Flag::default(),
            other_row: Flag::default(),
            base: Sig::new(element_bits.max(m_bits).max(STRIDE_BITS)),
            block_first: Flag::default(),
            entry_soon: Flag::default(),
            entry_valid: Flag::default(),
            entry_word: Sig::new(acc),
            entry_row_last: Flag::default(),
            entry_pass_last: Flag::default(),
            entry_last: Flag::default(),
            addend: Sig::new(ADDEND_BITS),
            exponent: Sig::new(EXPONENT_BITS),
            positional: Sig::new(w),
            operand: Sig::new(w),
            source: Sig::new(2),
            addend_kind: Sig::new(2),
            wide: Flag::default(),
            shift: Sig::new(FIELD_BITS),
            bits: Sig::new(WIDTH_BITS),
            function_kind: Sig::new(3),
            one: Sig::new(5),
            function_shift: Sig::new(FIELD_BITS),
            function_table: Sig::new(16),
            index_bits: Sig::new(4),
            drop: Sig::new(5),
            other_kind: Sig::new(2),
            left: Sig::new(5),
            left_is_value: Flag::default(),
            other_shift: Sig::new(FIELD_BITS),
            serial: Sig::new(3),
            offset: Sig::new(OFFSET_BITS),
            table_write: Flag::default(),
            table_read: Flag::default(),
            table_address: Sig::new(table_bits),
            table_data: Sig::new(w),
            table_word: Sig::new(w),
            addend_request: Flag::default(),
            addend_address: Sig::new(m_bits),
            state_store: Flag::default(),
            state_address: Sig::new(m_bits),
            state_data: Sig::new(ADDEND_BITS),
            key_request: Flag::default(),
            residual_request: Flag::default(),
            operand_address: Sig::new(element_bits),
            function_word: Sig::new(w),
            function_valid: Flag::default(),
            function_row_last: Flag::default(),
            x: Sig::new(sw),
            x_valid: Flag::default(),
            x_row_last: Flag::default(),
            x_pass_last: Flag::default(),
            x_last: Flag::default(),
            busy: Flag::default(),
            tap_sum_data: Sig::new(acc),
            tap_sum_valid: Flag::default(),
            tap_linear_data: Sig::new(sw + 1),
            tap_linear_valid: Flag::default(),
            tap_function_data: Sig::new(sw),
            tap_function_valid: Flag::default(),
            tap_other_data: Sig::new(sw),
            tap_other_valid: Flag::default(),
            asks: Reg::default(),
            ask: Reg::default(),
            store: Reg::default(),
            asks_key: Reg::default(),
            asks_residual: Reg::default(),
            two: Reg::default(),
            state: Reg::default(),
            key: Reg::default(),
            residual: Reg::default(),
            addend_used: Reg::default(),
            rows: match spare_multipliers(core, target)? {
                0 => Rows::new("front.rows", [m_bits, element_bits])?,
                _ => Rows::in_multiplier("front.rows", [m_bits, element_bits])?,
            },
            flags: Flags::new(),
            addend_walker: Walker::new("front.addend", m_bits)?,
            other_walker: Walker::new("front.other", element_bits)?,
            linear: Linear::new(acc, target)?,
            shifter: Shifter::new("front.shifter", turns.x.width(), rounded)?,
            turns,
            unit,
            other: Other::new(core, target)?,
            other_load: Flag::default(),
            other_step: Flag::default(),
            high: Sig::new(acc - above),
            has_wide: Const::new(1, acc > ADDEND_BITS),
            // The low word's bits that stay where the high word has none.
            beside: Const::new(ADDEND_BITS, U::new((1 << ADDEND_BITS) - (1 << (acc - above)))),
            above: Const::natural(above as u64),
            activity: Default::default(),
        })
    }

    /// Bits of table memory.
    pub fn table_bits(&self) -> usize {
        self.unit.table_bits()
    }
}
