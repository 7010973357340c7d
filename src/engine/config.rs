//! The description of a core: every size the generator, the compiler, the twin and the host agree on.
//!
//! ```
//! let core: astromorph::engine::config::EngineConfig = toml::from_str(r#"
//!     name = "up5k-int8"
//!     lanes = 16
//!     width = 8
//!     acc_bits = 26
//!     bank_words = 512
//!     x_words = 65536
//!     m_words = 32768
//!     function_words = 512
//!     mantissa_words = 512
//!     sums = 256
//!     reads = 256
//!     norm_width = 64
//!     norm_words = 256
//! "#).unwrap();
//! core.validate().unwrap();
//! assert_eq!(core.serial_bits(), 16);
//! assert_eq!(core.weights_per_word(), 4);
//! ```

use crate::Result;
use crate::spec::range;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Sizes of one core. Depths are in words of the memory they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// A name for reports.
    pub name: String,
    /// Lanes P of the array, even, 2 to 128.
    pub lanes: usize,
    /// Width W of operands, activations and bank words, 8 to 18.
    pub width: u32,
    /// Width A of a lane's accumulator, 2W to 48. The compiler refuses a step whose exact sum may need more.
    pub acc_bits: u32,
    /// Words of W bits in every lane's bank (weights, values V, sealed H), even.
    pub bank_words: usize,
    /// Elements of W bits in the activation memory X, even.
    pub x_words: usize,
    /// Words of 32 bits in the main memory M: program, weights, addends, positional keys, Hebbian state Z.
    pub m_words: usize,
    /// Words of W bits of the function tables (φ, GELU, sigmoid).
    pub function_words: usize,
    /// Words of SW bits of the mantissa tables (power, reciprocal, 1/√).
    pub mantissa_words: usize,
    /// Words of the sums s (and pooled sums), and of the sealed calcium g: at least Hh·m and D.
    pub sums: usize,
    /// Words of the read memory (exponent and reciprocal of C): at least tokens of a block × heads.
    pub reads: usize,
    /// Widest layer norm D.
    pub norm_width: usize,
    /// Words (γ', β) of all layer norms: D + 1 for each.
    pub norm_words: usize,
    /// Whether the core runs chunked causal attention (`running` of `docs/engine.md`): then `sums` is at least T·Hh·m for chunks of T tokens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chunked: bool,
}

impl EngineConfig {
    /// Refuses sizes no hardware is built for.
    pub fn validate(&self) -> Result<()> {
        range("core.lanes", self.lanes, 2, 128)?;
        if self.lanes % 2 == 1 {
            return Err(crate::Error::field("core.lanes", "an even number", self.lanes));
        }
        range("core.width", self.width, 8, 18)?;
        range("core.acc_bits", self.acc_bits, 2 * self.width, 48)?;
        for (field, words, most) in [
            ("core.bank_words", self.bank_words, 1 << 16),
            ("core.x_words", self.x_words, 1 << 20),
            ("core.m_words", self.m_words, 1 << 20),
            ("core.function_words", self.function_words, 1 << 16),
            ("core.mantissa_words", self.mantissa_words, 1 << 16),
            ("core.sums", self.sums, 1 << 12),
            ("core.reads", self.reads, 1 << 12),
            ("core.norm_width", self.norm_width, 1 << 10),
            ("core.norm_words", self.norm_words, 1 << 12),
        ] {
            range(field, words, 4, most)?;
            if words % 2 == 1 {
                return Err(crate::Error::field(field, "an even number", words));
            }
        }
        Ok(())
    }

    /// SW, the width of the serial units' operands.
    pub fn serial_bits(&self) -> u32 {
        self.width.max(16)
    }

    /// Weights in one word of M: 4 at W = 8, 2 up to 16, 1 beyond.
    pub fn weights_per_word(&self) -> usize {
        match self.width {
            ..=8 => 4,
            9..=16 => 2,
            _ => 1,
        }
    }

    /// The number that stands in word 0 of M when a program is meant for this core: 32 bits of a SHA-256 over every size but the name.
    pub fn id(&self) -> u32 {
        let sizes = EngineConfig {
            name: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_string(&sizes).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes());
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}
