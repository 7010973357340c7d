//! What the Verilog is for, and how wide its multipliers are. The multiplier blocks are the engine's (`engine::dsp`).
//!
//! ```
//! use astromorph_hdl::multiply::Target;
//! assert_eq!(Target::Ice40.operand_bits(), 16);
//! ```

use serde::{Deserialize, Serialize};

/// What the Verilog is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Any tool: multiplications are `*`.
    #[default]
    Generic,
    /// Lattice iCE40 UltraPlus: `SB_MAC16` and `SB_SPRAM256KA`, instantiated. Synthesise without `-dsp`.
    Ice40,
    /// Lattice ECP5: `MULT18X18D`, instantiated.
    Ecp5,
}

impl Target {
    /// Widest operand of one multiplier.
    pub fn operand_bits(self) -> u32 {
        match self {
            Target::Generic => 32,
            Target::Ice40 => 16,
            Target::Ecp5 => 18,
        }
    }
}
