//! The text a board gives of itself (`docs/link.md` section 5): TOML, at most 383 bytes, behind it zeros.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::identity::Identity;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let text = Identity { board: "icebreaker", clock_hz: 24_000_000, baud: 1_000_000 }.text(&core).unwrap();
//! assert!(text.starts_with("protocol = 1\nboard = \"icebreaker\"\nclock_hz = 24000000\n"));
//! assert!(text.contains("[core]\nname = \"small\"\nlanes = 4\n"));
//! assert!(Identity { board: "a\"b", clock_hz: 1, baud: 1 }.text(&core).is_err());
//! ```

use super::protocol::{IDENTITY_BYTES, STREAM_WORDS, VERSION};
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};

/// What a board says besides its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Name of the board.
    pub board: &'a str,
    /// Of the link and the engine.
    pub clock_hz: u64,
    /// Of the serial line.
    pub baud: u64,
}

impl Identity<'_> {
    /// The text, without its zero byte. Refuses names that TOML would not give back as they are, and what is too long for the space.
    pub fn text(&self, core: &EngineConfig) -> Result<String> {
        core.validate()?;
        plain("board", self.board)?;
        plain("core.name", &core.name)?;
        let chunked = if core.chunked { "chunked = true\n" } else { "" };
        let text = format!(
            "protocol = {VERSION}\nboard = \"{}\"\nclock_hz = {}\nbaud = {}\ninput_words = {STREAM_WORDS}\noutput_words = {STREAM_WORDS}\n\
             [core]\nname = \"{}\"\nlanes = {}\nwidth = {}\nacc_bits = {}\nbank_words = {}\nx_words = {}\nm_words = {}\n\
             function_words = {}\nmantissa_words = {}\nsums = {}\nreads = {}\nnorm_width = {}\nnorm_words = {}\n{chunked}",
            self.board,
            self.clock_hz,
            self.baud,
            core.name,
            core.lanes,
            core.width,
            core.acc_bits,
            core.bank_words,
            core.x_words,
            core.m_words,
            core.function_words,
            core.mantissa_words,
            core.sums,
            core.reads,
            core.norm_width,
            core.norm_words,
        );
        if text.len() >= IDENTITY_BYTES as usize {
            let most = format!("at most {} bytes: shorter names", IDENTITY_BYTES - 1);
            return Err(Error::field("identity", most, text.len()));
        }
        Ok(text)
    }
}

fn plain(field: &str, name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\' || c == ' ';
    match name.chars().all(good) {
        true => Ok(()),
        false => Err(Error::field(
            field,
            "printable ASCII without quotes",
            format!("{name:?}"),
        )),
    }
}
