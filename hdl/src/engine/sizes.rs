//! Widths of addresses and counts, all from the core's description.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::engine::sizes::Sizes;
//! let core = EngineConfig { name: "small".into(), lanes: 6, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let s = Sizes::new(&core).unwrap();
//! assert_eq!((s.x_bits, s.m_bits, s.bank_bits, s.at_bits), (10, 12, 6, 15));
//! assert_eq!((s.lane_bits, s.group, s.groups), (3, 4, 2));
//! ```

use crate::number::natural_bits;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;

/// Bits of rows, columns, products and tokens.
pub const COUNT_BITS: u32 = 16;

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Lanes P.
    pub lanes: usize,
    /// W.
    pub width: u32,
    /// SW.
    pub serial_bits: u32,
    /// A.
    pub acc_bits: u32,
    /// Elements of X.
    pub x_words: usize,
    /// Words of M.
    pub m_words: usize,
    /// Words of a bank.
    pub bank_words: usize,
    /// Address of an element of X.
    pub x_bits: u32,
    /// Address of a word of M.
    pub m_bits: u32,
    /// Address of a bank word.
    pub bank_bits: u32,
    /// Address of anything an `At` may mean, elements of M included, and one bit more that tells of overflow.
    pub at_bits: u32,
    /// Address of a word of the function tables.
    pub function_bits: u32,
    /// Of the mantissa tables.
    pub mantissa_bits: u32,
    /// Of a sum or g.
    pub sum_bits: u32,
    /// Of the read memory.
    pub read_bits: u32,
    /// Of the norm parameters.
    pub norm_bits: u32,
    /// Number of a lane.
    pub lane_bits: u32,
    /// Lanes that one word of M fills, G.
    pub group: usize,
    /// log2 of it.
    pub group_shift: u32,
    /// Groups, ⌈P / G⌉.
    pub groups: usize,
}

impl Sizes {
    /// Of a core; refuses what its description refuses.
    pub fn new(core: &EngineConfig) -> Result<Self> {
        core.validate()?;
        let address = |words: usize| natural_bits(words as u64 - 1);
        let group = core.weights_per_word();
        let (x_bits, m_bits) = (address(core.x_words), address(core.m_words));
        let group_shift = group.trailing_zeros();
        Ok(Sizes {
            lanes: core.lanes,
            width: core.width,
            serial_bits: core.serial_bits(),
            acc_bits: core.acc_bits,
            x_words: core.x_words,
            m_words: core.m_words,
            bank_words: core.bank_words,
            x_bits,
            m_bits,
            bank_bits: address(core.bank_words),
            at_bits: x_bits.max(m_bits + group_shift) + 1,
            function_bits: address(core.function_words),
            mantissa_bits: address(core.mantissa_words),
            sum_bits: address(core.sums),
            read_bits: address(core.reads),
            norm_bits: address(core.norm_words),
            lane_bits: address(core.lanes),
            group,
            group_shift,
            groups: core.lanes.div_ceil(group),
        })
    }
}
