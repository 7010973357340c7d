//! Sizes of the array and what follows from them.
//!
//! ```
//! use astromorph_hdl::{engine::array::*, multiply::Target};
//! let config = ArrayConfig { lanes: 16, width: 8, acc_bits: 26, bank_depth: 512, groups: 4, block: 16, target: Target::Ice40 };
//! assert_eq!((config.multipliers(), config.sum_stage(), Array::latency(&config)), (8, 5, 9));
//! let odd = ArrayConfig { lanes: 15, ..config };
//! assert!(odd.check().unwrap_err().to_string().contains("array.lanes"));
//! ```

use crate::check;
use crate::engine::{block_ram, dsp};
use crate::multiply::Target;
use crate::number::natural_bits;
use astromorph::{Error, Result};

/// On iCE40 accumulators up to this width are one carry chain.
pub const ONE_CHAIN: u32 = 24;

/// Sizes of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayConfig {
    /// Lanes P, even, 2 to 128.
    pub lanes: usize,
    /// Operand width W.
    pub width: u32,
    /// Accumulator width A, 2W to 64.
    pub acc_bits: u32,
    /// Words of a bank, even, 4 or more.
    pub bank_depth: usize,
    /// Words G of bank data a cycle: 1, 2 or 4.
    pub groups: usize,
    /// Lanes per block, even; `lanes` or more for one block.
    pub block: usize,
    /// What the Verilog is for.
    pub target: Target,
}

impl ArrayConfig {
    /// Refuses what cannot be built.
    pub fn check(&self) -> Result<()> {
        check::range("array.lanes", self.lanes, 2, 128)?;
        check::range("array.width", self.width, 2, self.target.operand_bits().min(18))?;
        check::range("array.acc_bits", self.acc_bits, 2 * self.width, 64)?;
        let deepest = match self.target {
            Target::Ecp5 => block_ram::WORDS,
            _ => 1 << 16,
        };
        check::range("array.bank_depth", self.bank_depth, 4, deepest)?;
        check::range("array.block", self.block, 2, 1 << 16)?;
        for (field, value) in [
            ("array.lanes", self.lanes),
            ("array.bank_depth", self.bank_depth),
            ("array.block", self.block),
        ] {
            if value % 2 == 1 {
                return Err(Error::field(field, "an even number", value));
            }
        }
        if ![1, 2, 4].contains(&self.groups) {
            return Err(Error::field("array.groups", "1, 2 or 4", self.groups));
        }
        Ok(())
    }

    /// Bits of a bank address.
    pub fn address_bits(&self) -> u32 {
        natural_bits(self.bank_depth as u64 - 1)
    }

    /// Blocks of lanes.
    pub fn blocks(&self) -> usize {
        self.lanes.div_ceil(self.block)
    }

    /// Cycle after the pair's issue in which slot 0's product stands before the accumulators of the first block.
    pub fn sum_stage(&self) -> usize {
        3 + self.bank_register() as usize + self.product_latency() + self.product_register() as usize
    }

    /// Multiplier cells (`SB_MAC16`, `MULT18X18D`).
    pub fn multipliers(&self) -> usize {
        match self.target {
            Target::Ecp5 => self.lanes,
            _ => self.lanes / self.lanes_per_cell() as usize,
        }
    }

    /// Lanes in one module of the Verilog: two when they share a multiplier cell.
    pub(in crate::engine) fn lanes_per_cell(&self) -> u32 {
        1 + (self.width <= dsp::PAIR_BITS) as u32
    }

    pub(in crate::engine) fn product_latency(&self) -> usize {
        match self.lanes_per_cell() {
            1 => dsp::PRODUCT_LATENCY,
            _ => dsp::PAIR_LATENCY,
        }
    }

    /// The bank's output register: without it `DP16KD` answers late.
    pub(in crate::engine) fn bank_register(&self) -> bool {
        self.target == Target::Ecp5
    }

    /// A register between the ports and the first block's bank writes: many lanes stand far away.
    pub fn write_register(&self) -> bool {
        self.target == Target::Ecp5
    }

    /// A register between multiplier and accumulator: `MULT18X18D` answers late, and stands far away.
    pub(in crate::engine) fn product_register(&self) -> bool {
        self.target == Target::Ecp5
    }

    /// Bits of an accumulator's halves, the high one 0 where one chain is short enough. What of the product the high half adds waits in registers, so the low half takes the whole product
    /// where its carry is fast enough.
    pub(in crate::engine) fn halves(&self) -> (u32, u32) {
        let low = match self.target {
            Target::Ecp5 => self.acc_bits / 2,
            Target::Ice40 if self.acc_bits <= ONE_CHAIN => self.acc_bits,
            _ => (2 * self.width).min(24).min(self.acc_bits - 2).max(self.acc_bits / 2),
        };
        (low, self.acc_bits - low)
    }
}
