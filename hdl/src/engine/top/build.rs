//! Construction of the engine, and what is known of one before it runs.

use super::Engine;
use crate::engine::argmax::Argmax;
use crate::engine::array::{Array, ArrayConfig};
use crate::engine::array_walker::ArrayWalker;
use crate::engine::bank_port::BankPort;
use crate::engine::bus::Bus;
use crate::engine::conveyor::{Conveyor, ConveyorSize};
use crate::engine::errors;
use crate::engine::fetch::Fetch;
use crate::engine::fields::{NormFields, StreamFields};
use crate::engine::fill::Fill;
use crate::engine::front::Front;
use crate::engine::intake::Intake;
use crate::engine::memory::Kind;
use crate::engine::output::Output;
use crate::engine::peek::Peek;
use crate::engine::rows::STRIDE_BITS;
use crate::engine::sizes::{COUNT_BITS, Sizes};
use crate::engine::store::Store;
use crate::engine::tail::{Tail, norm_in_flight};
use crate::engine::xmem::{XMemory, row_latency};
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

/// Lanes of a block of the array on a target whose nets are long.
const BLOCK: usize = 8;
/// Words that may be let in before the output's credits show it.
const LATE_CREDITS: usize = 2;
/// Bits of the load port's widest word: γ' and β of 18 and 32 bits.
const LOAD_BITS: u32 = 50;
/// A stream that waits for 2^this cycles is an error.
const LONGEST_STALL: u32 = 24;

/// The array of a core.
pub fn array_config(core: &EngineConfig, target: Target) -> Result<ArrayConfig> {
    let s = Sizes::new(core)?;
    Ok(ArrayConfig {
        lanes: s.lanes,
        width: s.width,
        acc_bits: s.acc_bits,
        bank_depth: s.bank_words,
        groups: s.group,
        block: if target == Target::Ecp5 { BLOCK } else { s.lanes },
        target,
    })
}

/// Blocks that take a spare multiplier, in this order: front, store, walker.
const ADDRESS_USERS: usize = 3;

/// `SB_MAC16` of the largest iCE40.
const ICE40_MULTIPLIERS: usize = 8;

/// Whether the array leaves a multiplier of the device to the serial units.
pub fn spare_multiplier(core: &EngineConfig, target: Target) -> Result<bool> {
    Ok(target != Target::Ice40 || array_config(core, target)?.multipliers() < ICE40_MULTIPLIERS)
}

/// Whether the array gets its slots a register later than X gets its rows.
fn late(target: Target) -> bool {
    row_latency(target) > 2
}

/// Multipliers of iCE40 that nobody multiplies with: their adders take addresses. At most as many as there are users, 0 where the addresses are too long.
pub fn spare_multipliers(core: &EngineConfig, target: Target) -> Result<usize> {
    let short = Sizes::new(core)?.at_bits <= STRIDE_BITS + 1;
    Ok(match target {
        Target::Ice40 if short => ICE40_MULTIPLIERS
            .saturating_sub(array_config(core, target)?.multipliers() + 1)
            .min(ADDRESS_USERS),
        _ => 0,
    })
}

/// Cycles from the walker's last pair of a pass to the words in the chain.
pub fn array_latency(core: &EngineConfig, target: Target) -> Result<usize> {
    Ok(Array::latency(&array_config(core, target)?) + late(target) as usize)
}

/// Words of the output that are promised together: a pass, and those let in before the credits show it.
pub fn output_group(core: &EngineConfig) -> usize {
    core.lanes + LATE_CREDITS
}

impl Engine {
    /// A core of the sizes given, whose memories are written and not read.
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        Self::sized(core, target, false)
    }

    /// The same with memories that can be read back through the load port, as a board needs them: some hundred logic cells more.
    pub fn with_read_back(core: &EngineConfig, target: Target) -> Result<Self> {
        Self::sized(core, target, true)
    }

    fn sized(core: &EngineConfig, target: Target, readable: bool) -> Result<Self> {
        let s = Sizes::new(core)?;
        let array = array_config(core, target)?;
        let conveyor = ConveyorSize {
            lanes: s.lanes,
            acc_bits: s.acc_bits,
            width: s.width,
            sum_bits: s.sum_bits,
            latency: array_latency(core, target)?,
            blocks: array.blocks(),
        };
        let spare = spare_multipliers(core, target)?;
        let front = Front::new(core, target)?;
        let tail = Tail::new(core, target)?;
        let bit = |error: u8| Const::natural(error.into());
        Ok(Engine {
            clock: Signal::default(),
            reset: Flag::default(),
            s_axis_tvalid: Flag::default(),
            s_axis_tdata: Sig::new(s.width),
            s_axis_tlast: Flag::default(),
            m_axis_tready: Flag::default(),
            load_valid: Flag::default(),
            load_read: Flag::default(),
            load_memory: Sig::new(3),
            load_address: Sig::new(24),
            load_data: Sig::new(LOAD_BITS),
            s_axis_tready: Flag::default(),
            m_axis_tvalid: Flag::default(),
            m_axis_tdata: Sig::new(s.serial_bits),
            m_axis_tlast: Flag::default(),
            load_ready: Flag::default(),
            load_word: Sig::new(LOAD_BITS),
            busy: Flag::default(),
            step: Sig::new(16),
            norm_step: Sig::new(16),
            argmax: Sig::new(COUNT_BITS),
            argmax_valid: Flag::default(),
            error: Sig::new(errors::BITS),
            slots: Sig::new(2),
            tap_sum_valid: Flag::default(),
            tap_sum_data: Sig::new(front.tap_sum_data.width()),
            tap_linear_valid: Flag::default(),
            tap_linear_data: Sig::new(front.tap_linear_data.width()),
            tap_function_valid: Flag::default(),
            tap_function_data: Sig::new(front.tap_function_data.width()),
            tap_other_valid: Flag::default(),
            tap_other_data: Sig::new(front.tap_other_data.width()),
            tap_sums_valid: Flag::default(),
            tap_sums_data: Sig::new(tail.tap_sums_data.width()),
            tap_calcium_valid: Flag::default(),
            tap_calcium_data: Sig::new(tail.tap_calcium_data.width()),
            tap_power_valid: Flag::default(),
            tap_power_data: Sig::new(tail.tap_power_data.width()),
            tap_normalise_valid: Flag::default(),
            tap_normalise_data: Sig::new(tail.tap_normalise_data.width()),
            tap_norm_valid: Flag::default(),
            tap_norm_data: Sig::new(tail.tap_norm_data.width()),
            beat: Reg::new(2),
            bus: Bus::new(&s, target)?,
            fetch: Fetch::new(core.id(), s.m_words, s.at_bits, target)?,
            fields: StreamFields::new(&s),
            norm_fields: NormFields::new(&s),
            fill: Fill::new(&s)?,
            walker: match spare {
                0..=2 => ArrayWalker::new(&s)?,
                _ => ArrayWalker::in_multiplier(&s)?,
            },
            x_memory: XMemory::new("x", s.x_words / 2, s.width, Kind::Large, target)?,
            array: Array::new(array)?,
            intake: Intake::new(s.width, s.at_bits)?,
            conveyor: Conveyor::new(&conveyor)?,
            front,
            tail,
            store: match spare {
                0 | 1 => Store::new(&s, norm_in_flight(target))?,
                _ => Store::in_multiplier(&s, norm_in_flight(target))?,
            },
            bank_port: BankPort::new(&s, target)?,
            sink: Output::new(output_group(core), s.serial_bits)?,
            best: Argmax::new(s.serial_bits),
            peek: Peek::new(s.bank_bits, s.lane_bits),
            pair_1: Reg::default(),
            last_1: Reg::default(),
            even_1: Reg::default(),
            odd_1: Reg::default(),
            bank_row_1: Reg::new(s.bank_bits - 1),
            source: Reg::new(2),
            wide: Reg::default(),
            step_r: Reg::new(16),
            norm_step_r: Reg::new(16),
            first_block: Reg::default(),
            rows_open: Reg::new(2),
            norm_room: Reg::default(),
            norm_idle: Reg::default(),
            stream_idle: Reg::default(),
            quiet: Reg::default(),
            error_r: Reg::new(errors::BITS),
            stall: Reg::new(LONGEST_STALL + 1),
            even: Flag::default(),
            loads: Flag::default(),
            asks: Flag::default(),
            readable: Const::new(1, readable),
            bank_word: Sig::new(s.width),
            gamma_word: Sig::new(s.serial_bits),
            beta_word: Sig::new(32),
            unity: Const::new(s.width, S::new(1)),
            no_word: Const::new(LOAD_BITS, U::new(0)),
            to_output: Flag::default(),
            running: Flag::default(),
            front_serial: Sig::new(3),
            chunked: Const::new(1, core.chunked),
            norm_begins: Flag::default(),
            norm_ends: Flag::default(),
            stalled: Flag::default(),
            errors: Sig::new(errors::BITS),
            lane: Sig::new(s.lane_bits),
            late: Const::new(1, late(target)),
            zero: Const::natural(0),
            stall_top: Const::natural(LONGEST_STALL.into()),
            gamma_shift: Const::natural(32),
            column_shift: Const::natural(STRIDE_BITS.into()),
            lane_shift: Const::natural(16),
            too_long: bit(errors::TOO_LONG),
            other_core: bit(errors::OTHER_CORE),
            bad_step: bit(errors::BAD_STEP),
            cut_short: bit(errors::CUT_SHORT),
            load_busy: bit(errors::LOAD_BUSY),
            bad_address: bit(errors::BAD_ADDRESS),
            stall_bit: bit(errors::STALLED),
            activity: Default::default(),
        })
    }
}
