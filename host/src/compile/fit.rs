//! A core made to measure: every memory doubled until a program fits.
//!
//! Signature: name, width W, lanes P × (core → program or refusal) → core. It begins with memories of a small FPGA and asks the compiler, whose refusals
//! name the size that is too small.
//!
//! ```
//! use astromorph::Error;
//! use astromorph_host::compile::fitted;
//! let core = fitted("mine", 16, 4, |core| match core.sums {
//!     ..100 => Err(Error::field("core.sums", "100 or more", core.sums)),
//!     _ => Ok(()),
//! }).unwrap();
//! assert_eq!((core.lanes, core.sums, core.acc_bits), (4, 128, 40));
//! let refused = fitted("mine", 16, 4, |_| Err::<(), _>(Error::field("model", "another", "this")));
//! assert!(refused.unwrap_err().to_string().contains("model"));
//! ```

use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};

/// Words of the deepest bank that every family builds: one bit of an ECP5 block RAM.
const BANK_WORDS: usize = 16_384;

/// The smallest core of this kind that `compile` accepts; what no core can do stays refused.
pub fn fitted<T>(
    name: &str,
    width: u32,
    lanes: usize,
    compile: impl Fn(&EngineConfig) -> Result<T>,
) -> Result<EngineConfig> {
    let mut core = EngineConfig {
        name: name.into(),
        lanes: lanes.next_multiple_of(2),
        width,
        acc_bits: (2 * width + 8).min(48),
        bank_words: 2048,
        x_words: 2048,
        m_words: 2048,
        function_words: 512,
        mantissa_words: 512,
        sums: 64,
        reads: 64,
        norm_width: 32,
        norm_words: 128,
        chunked: false,
    };
    core.validate()?;
    loop {
        let refusal = match compile(&core) {
            Ok(_) => return Ok(core),
            Err(refusal) => refusal,
        };
        let Error::Field { field, .. } = &refusal else {
            return Err(refusal);
        };
        match field.as_str() {
            "core.acc_bits" => core.acc_bits += 2,
            "core.bank_words" => core.bank_words *= 2,
            "core.x_words" => core.x_words *= 2,
            "core.m_words" => core.m_words *= 2,
            "core.function_words" => core.function_words *= 2,
            "core.mantissa_words" => core.mantissa_words *= 2,
            "core.sums" => core.sums *= 2,
            "core.reads" => core.reads *= 2,
            "core.norm_width" => core.norm_width *= 2,
            "core.norm_words" => core.norm_words *= 2,
            "core.chunked" => core.chunked = true,
            _ => return Err(refusal),
        }
        // Larger than hardware is built for: the compiler's word is the one to read.
        if core.bank_words > BANK_WORDS || core.validate().is_err() {
            return Err(refusal);
        }
    }
}
