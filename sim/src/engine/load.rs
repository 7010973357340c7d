//! The writes of the load port that put a program and its image into an engine.
//!
//! | memory | number | address | data |
//! |---|---|---|---|
//! | M | 0 | word | 32 bits |
//! | function tables | 1 | word | W |
//! | mantissa tables | 2 | word | SW |
//! | norm parameters | 3 | word | β in the low 32 bits, γ' above |
//! | bank | 4 | lane · 2^16 + word | W |

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which memory.
    pub memory: u8,
    /// Which word.
    pub address: u32,
    /// 48 bits.
    pub data: u64,
}
