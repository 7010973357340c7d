//! Construction of the tail: every width from the core's description.

use super::{PLAIN_CYCLES, SERIAL_CYCLES, Tail};
use crate::engine::mantissa::TABLE_BITS;
use crate::engine::norm::{COLS_BITS, Norm};
use crate::engine::serial::Serial;
use crate::engine::split::EXPONENT_BITS;
use crate::engine::sums::{self, ADDRESS_BITS, Sums};
use crate::engine::top::spare_multiplier;
use crate::engine::unit::{self, Unit, UnitSize};
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

impl Tail {
    /// For a core.
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        core.validate()?;
        let (w, sw) = (core.width, core.serial_bits());
        let size = UnitSize {
            width: w,
            serial_bits: sw,
            acc_bits: core.acc_bits,
            norm_width: core.norm_width,
            mantissa_words: core.mantissa_words,
            multiplier: spare_multiplier(core, target)?,
            target,
        };
        Ok(Tail {
            clock: Signal::default(),
            reset: Flag::default(),
            start: Flag::default(),
            block_first: Flag::default(),
            serial: Sig::new(3),
            running: Flag::default(),
            g: Sig::new(ADDRESS_BITS),
            read: Sig::new(ADDRESS_BITS),
            mantissa_bits: Sig::new(4),
            mantissa_table: Sig::new(TABLE_BITS),
            minimum: Sig::new(EXPONENT_BITS),
            sums_of: Sig::new(2),
            sums_base: Sig::new(ADDRESS_BITS),
            norm: Flag::default(),
            cols: Sig::new(COLS_BITS),
            norm_drop: Sig::new(5),
            norm_parameters: Sig::new(ADDRESS_BITS),
            norm_offset: Sig::new(6),
            norm_shift: Sig::new(6),
            norm_bits: Sig::new(4),
            norm_table: Sig::new(TABLE_BITS),
            entry_word: Sig::new(core.acc_bits),
            entry_valid: Flag::default(),
            entry_row_last: Flag::default(),
            entry_last: Flag::default(),
            function_word: Sig::new(w),
            function_valid: Flag::default(),
            function_row_last: Flag::default(),
            x: Sig::new(sw),
            x_valid: Flag::default(),
            x_row_last: Flag::default(),
            x_pass_last: Flag::default(),
            x_last: Flag::default(),
            scan: Flag::default(),
            scan_column: Sig::new(ADDRESS_BITS),
            hold: Flag::default(),
            table_write: Flag::default(),
            table_read: Flag::default(),
            table_address: Sig::new(TABLE_BITS),
            table_data: Sig::new(sw),
            parameter_write: Flag::default(),
            parameter_read: Flag::default(),
            parameter_address: Sig::new(ADDRESS_BITS),
            parameter_gamma: Sig::new(sw),
            parameter_beta: Sig::new(32),
            table_word: Sig::new(sw),
            gamma: Sig::new(sw),
            beta: Sig::new(32),
            exponent: Sig::new(EXPONENT_BITS),
            result: Sig::new(sw),
            result_valid: Flag::default(),
            result_row_last: Flag::default(),
            result_pass_last: Flag::default(),
            result_last: Flag::default(),
            norm_word: Sig::new(w),
            norm_valid: Flag::default(),
            norm_row_last: Flag::default(),
            norm_last: Flag::default(),
            norm_ready: Flag::default(),
            norm_busy: Flag::default(),
            busy: Flag::default(),
            scan_word: Sig::new(sums::SUM_BITS),
            tap_sums_valid: Flag::default(),
            tap_sums_data: Sig::new(sums::SUM_BITS),
            tap_calcium_valid: Flag::default(),
            tap_calcium_data: Sig::new(unit::SUM_BITS),
            tap_power_valid: Flag::default(),
            tap_power_data: Sig::new(sw),
            tap_normalise_valid: Flag::default(),
            tap_normalise_data: Sig::new(w),
            tap_norm_valid: Flag::default(),
            tap_norm_data: Sig::new(w),
            unit: Unit::new(&size)?,
            memories: Serial::new(core.sums, core.reads, sw, target)?,
            sums: Sums::new(core.sums, sw, target)?,
            layer_norm: Norm::new(core.norm_width, core.norm_words, w, sw, target)?,
            word: Reg::new(sw),
            valid: Reg::default(),
            row_last: Reg::default(),
            pass_last: Reg::default(),
            last: Reg::default(),
            calcium: Reg::default(),
            normalise: Reg::default(),
            power: Reg::default(),
            looked_up: Reg::default(),
            running_power: Reg::default(),
            running_calcium: Reg::default(),
            uses: Reg::default(),
            some: Reg::default(),
            sum_function: Reg::default(),
            sum_result: Reg::default(),
            sum_norm: Reg::default(),
            start_r: Reg::default(),
            came: Reg::default(),
            waiting: Reg::new(natural_bits(SERIAL_CYCLES)),
            comes: Flag::default(),
            sum_enters: Flag::default(),
            entering: Sig::new(core.acc_bits),
            naught: Const::natural(0),
            zero: Const::new(1, S::new(0)),
            plain_cycles: Const::natural(PLAIN_CYCLES),
            serial_cycles: Const::natural(SERIAL_CYCLES),
            activity: Default::default(),
        })
    }
}
