//! Every memory of an engine, as its blocks build them: for whoever counts block RAMs before there is a netlist.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::memories::memories, multiply::Target};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let all = memories(&core, Target::Ice40).unwrap();
//! let x = all.iter().find(|m| m.name == "x").unwrap();
//! assert_eq!((x.words, x.bits, x.copies, x.large_blocks), (512, 8, 2, 1));
//! ```

use super::memory::{Kind, Shape};
use super::sizes::Sizes;
use super::split::EXPONENT_BITS;
use super::{output, store, sums, tail};
use crate::multiply::Target;
use crate::number::natural_bits;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;

/// Memories of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What it holds.
    pub name: &'static str,
    /// Words of one.
    pub words: usize,
    /// Bits of a word.
    pub bits: u32,
    /// How many of them.
    pub copies: usize,
    /// Made of blocks with output registers, which are at most 18 bits wide.
    pub registered: bool,
    /// `SB_SPRAM256KA` of all copies: then no block RAM.
    pub large_blocks: usize,
}

/// All memories that are not registers.
pub fn memories(core: &EngineConfig, target: Target) -> Result<Vec<Memory>> {
    let s = Sizes::new(core)?;
    let two = |words: usize| words.next_power_of_two();
    let ecp5 = target == Target::Ecp5;
    let block = |name, words, bits, copies, registered| Memory {
        name,
        words,
        bits,
        copies,
        registered,
        large_blocks: 0,
    };
    let large = |name, words, bits, columns: u32| {
        let shape = Shape {
            depth: words,
            width: bits,
            columns,
            kind: Kind::Large,
            target,
        };
        Memory {
            large_blocks: shape.large_blocks(),
            ..block(name, words, bits, columns as usize, ecp5)
        }
    };
    let parameters = two(core.norm_words);
    let group = super::top::output_group(core);
    Ok(vec![
        block("bank", core.bank_words, s.width, s.lanes, ecp5),
        large("x", s.x_words / 2, s.width, 2),
        large("m", s.m_words, 32, 1),
        block("function tables", two(core.function_words), s.width, 1, false),
        block("mantissa tables", two(core.mantissa_words), s.serial_bits, 1, false),
        block("sums", two(core.sums), sums::SUM_BITS, 1, false),
        block("g and R", 2 * two(core.sums.max(core.reads)), s.serial_bits, 1, false),
        block("E", two(core.reads), EXPONENT_BITS, 1, false),
        block(
            "norm rows",
            2 << natural_bits(core.norm_width as u64 - 1),
            s.serial_bits,
            1,
            false,
        ),
        block("norm gamma", parameters, s.serial_bits, 1, false),
        block("norm beta", parameters, 32, 1, false),
        block(
            "norm results",
            store::queue_depth(tail::norm_in_flight(target)),
            s.width + 1,
            1,
            false,
        ),
        block("output", output::depth(group), s.serial_bits, 1, false),
    ])
}
