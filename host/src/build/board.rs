//! A board's own bitstream: serial line, link and engine at the board's pins, behind its PLL.
//!
//! ```text
//! clk ── PLL ── clock          module board_top(clk, uart_rx, uart_tx, button, led)
//!          └ not locked: reset
//! uart_rx ─ receiver ─ link ─ engine          (astromorph_hdl::link::board)
//! uart_tx ─ sender ──┘
//! ```

use super::engine::target;
use super::{Source, pll, ports};
use crate::boards::{Board, Level};
use crate::cli::Failure;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::board::Pins;
use astromorph_hdl::link::emit::emit_board;
use astromorph_sim::tools::Installed;
use std::path::Path;

/// The board as the gateware knows it.
pub fn pins(board: &Board) -> Pins<'_> {
    Pins {
        name: &board.name,
        clock_hz: (board.link.clock_mhz * 1e6).round() as u64,
        baud: board.link.baud,
        button_low: board.ports.button_pressed == Level::Low,
        leds: board.ports.leds as u32,
        led_low: board.ports.led_lit == Level::Low,
    }
}

/// What is built for the board's pins.
pub fn source(core: &EngineConfig, board: &Board, yosys: &Installed, folder: &Path) -> Result<Source, Failure> {
    let leds = board.ports.leds;
    let pressed = if board.ports.button_pressed == Level::Low {
        "0"
    } else {
        "1"
    };
    let text = format!(
        "{}\n// {} on {}: {} MHz, {} baud.\nmodule board_top(input clk, input uart_rx, output uart_tx, input button, output [{}:0] led);\n{}\
         top board (.clock(clock), .uart_rx(uart_rx), .uart_tx(uart_tx), .button(locked ? button : 1'b{pressed}), .led(led));\nendmodule\n",
        emit_board(core, target(board.family), &pins(board))?,
        core.name,
        board.title,
        board.link.clock_mhz,
        board.link.baud,
        leds - 1,
        pll::instance(board)?,
    );
    Ok(Source {
        name: format!("{}-{}", board.name, core.name),
        ports: ports::of(yosys, &text, "board_top", Some("clk"), folder)?,
        open: Vec::new(),
        top: "board_top".into(),
        verilog: text,
    })
}
