//! A board's gateware as Verilog text, top module `top`: serial line, link and engine. Pins and clock are the board's own file's.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{link::{board::Pins, emit::{emit_board, emit_station}}, multiply::Target};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let pins = Pins { name: "icebreaker", clock_hz: 24_000_000, baud: 1_000_000, button_low: true, leds: 2, led_low: true };
//! let text = emit_board(&core, Target::Generic, &pins).unwrap();
//! assert!(text.contains("module top(") && text.contains("uart_rx"));
//! assert!(!emit_station(&core, Target::Generic, &pins).unwrap().contains("uart_rx"));
//! ```

use super::board::{Board, Pins};
use super::station::Station;
use crate::emit::verilog;
use crate::multiply::Target;
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

/// Verilog-2001 of a core on a board. The text depends on the arguments alone.
pub fn emit_board(core: &EngineConfig, target: Target, pins: &Pins<'_>) -> Result<String> {
    text(Board::new(core, target, pins)?)
}

/// The same without the serial line: bytes at the ports of [`Station`].
pub fn emit_station(core: &EngineConfig, target: Target, pins: &Pins<'_>) -> Result<String> {
    text(Station::new(core, target, &pins.identity().text(core)?)?)
}

fn text<B: Block>(mut block: B) -> Result<String> {
    block.connect_all();
    check_all(&block).map_err(|e| Error::field("board.connections", "every signal driven once", format!("{e:?}")))?;
    Ok(verilog(&block))
}
