//! Construction of the layer norm: every width from the sizes.

use super::{COLS_BITS, Norm};
use crate::check;
use crate::engine::sums::ADDRESS_BITS;
use crate::engine::table_ram::{TableRam, direct_latency};
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

impl Norm {
    /// For rows of at most `norm_width` words of `width` bits, `norm_words` parameters, a unit of `serial_bits`.
    pub fn new(norm_width: usize, norm_words: usize, width: u32, serial_bits: u32, target: Target) -> Result<Self> {
        check::range("norm.width", norm_width, 2, 1 << 10)?;
        check::range("norm.parameters", norm_words, 2, 1 << ADDRESS_BITS)?;
        let index = natural_bits(norm_width as u64 - 1);
        // Nobody looks at their words before one is read. Powers of two: no address of a program leaves the memories' models.
        let rows = TableRam::direct("norm.rows", 2 << index, serial_bits, target)?;
        let parameters = norm_words.next_power_of_two();
        let gammas = TableRam::direct("norm.gamma", parameters, serial_bits, target)?;
        let betas = TableRam::direct("norm.beta", parameters, 32, target)?;
        let address = gammas.read_address.width();
        let count = natural_bits(norm_width as u64);
        let sum = width + index;
        Ok(Norm {
            clock: Signal::default(),
            reset: Flag::default(),
            start: Flag::default(),
            norm: Flag::default(),
            cols: Sig::new(COLS_BITS),
            entry_valid: Flag::default(),
            entry_row_last: Flag::default(),
            word: Sig::new(serial_bits),
            word_valid: Flag::default(),
            word_row_last: Flag::default(),
            word_last: Flag::default(),
            hold: Flag::default(),
            parameters: Sig::new(ADDRESS_BITS),
            parameter_write: Flag::default(),
            parameter_read: Flag::default(),
            parameter_address: Sig::new(ADDRESS_BITS),
            parameter_gamma: Sig::new(serial_bits),
            parameter_beta: Sig::new(32),
            q: Sig::new(serial_bits),
            q_valid: Flag::default(),
            q_row_last: Flag::default(),
            q_second: Flag::default(),
            second_begins: Flag::default(),
            second_row_last: Flag::default(),
            done: Flag::default(),
            ready: Flag::default(),
            busy: Flag::default(),
            working: Flag::default(),
            scaling: Flag::default(),
            element: Flag::default(),
            element_last: Flag::default(),
            row_word: Sig::new(serial_bits),
            width: Sig::new(count),
            row_sum: Sig::new(sum),
            gamma: Sig::new(serial_bits),
            beta: Sig::new(32),
            valid: Flag::default(),
            row_last: Flag::default(),
            last: Flag::default(),
            rows,
            store: Reg::default(),
            store_address: Reg::new(index + 1),
            store_data: Reg::new(serial_bits),
            stored_word: Reg::default(),
            stored_row_last: Reg::default(),
            stored_last: Reg::default(),
            primed: Reg::default(),
            fresh: Reg::default(),
            gammas,
            betas,
            beat: Reg::new(2),
            unfinished: Reg::new(2),
            midway: Reg::default(),
            width_r: Reg::new(count),
            column: Reg::new(index),
            word_slot: Reg::default(),
            coming_sum: Reg::new(sum),
            coming_last: Reg::default(),
            complete: Reg::default(),
            working_r: Reg::default(),
            squares: Reg::default(),
            epsilon: Reg::default(),
            scales: Reg::default(),
            scaling_r: Reg::default(),
            slot: Reg::default(),
            sum: Reg::new(sum),
            last_r: Reg::default(),
            next: Reg::new(index),
            width_less: Reg::new(count),
            at_end: Reg::default(),
            centred: Reg::new(index),
            element_r: Reg::default(),
            element_last_r: Reg::default(),
            element_2: Reg::default(),
            element_last_2: Reg::default(),
            gamma_pointer: Reg::new(address),
            beta_pointer: Reg::new(address),
            opens: Flag::default(),
            finish: Flag::default(),
            arrive: Flag::default(),
            issue: Flag::default(),
            centre: Flag::default(),
            turn: Flag::default(),
            fast: Const::new(1, super::pace(target) == 2),
            goes: Sig::new(address),
            late: Const::new(1, direct_latency(target) > 1),
            after: Sig::new(count),
            from_slot: Sig::new(index + 1),
            to_slot: Sig::new(index + 1),
            to_column: Sig::new(index),
            minus_one: Const::new(1, S::new(-1)),
            naught: Const::natural(0),
            one: Const::natural(1),
            two: Const::natural(2),
            index_bits: Const::natural(index as u64),
            activity: Default::default(),
        })
    }
}
