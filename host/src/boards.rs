//! The boards (`constraints/BOARD/`): device, pins, clock, and what the tools need to be told.
//!
//! | field of `board.toml` | meaning |
//! |---|---|
//! | `name`, `title` | on the command line; in reports |
//! | `family`, `device`, `package`, `speed` | tools to use; counts in `constraints/devices.toml`; housing; speed grade |
//! | `constraints` | file with the pins, for the ports `clk`, `uart_rx`, `uart_tx`, `button`, `led[0]`, … |
//! | `ports` | oscillator in MHz; the level of a pressed button and of a lit LED |
//! | `link` | core of the board's bitstream, its clock in MHz (a PLL makes it where the oscillator has another), rate of the serial line |
//! | `tools` | Yosys' command, options of nextpnr and of the packer, openFPGALoader's name of the board |
//! | `out_of_context` | frequency asked for where a bare core is measured, MHz |
//!
//! ```
//! use astromorph_host::boards::{Board, Family};
//! let board = Board::find("icebreaker").unwrap();
//! assert_eq!((board.family, board.ports.clock_mhz), (Family::Ice40, 12.0));
//! let has = board.resources().unwrap();
//! assert_eq!((has.luts, has.block_rams, has.sprams, has.dsps), (5280, 30, 4, 8));
//! assert_eq!(has.block_ram_bits, 4096);
//! assert!(Board::find("de10").unwrap_err().to_string().contains("icebreaker, ulx3s"));
//! ```

use crate::devices;
use astromorph::{Error, Result};
use astromorph_sim::tools::Tool;
use serde::Deserialize;

/// Every board: its folder, its description and its pins, as they stand in the binary.
const FILES: [(&str, &str, &str); 4] = [
    (
        "constraints/icebreaker/board.toml",
        include_str!("../../constraints/icebreaker/board.toml"),
        include_str!("../../constraints/icebreaker/pins.pcf"),
    ),
    (
        "constraints/ulx3s/board.toml",
        include_str!("../../constraints/ulx3s/board.toml"),
        include_str!("../../constraints/ulx3s/pins.lpf"),
    ),
    (
        "constraints/colorlight-i5/board.toml",
        include_str!("../../constraints/colorlight-i5/board.toml"),
        include_str!("../../constraints/colorlight-i5/pins.lpf"),
    ),
    (
        "constraints/tang-nano-20k/board.toml",
        include_str!("../../constraints/tang-nano-20k/board.toml"),
        include_str!("../../constraints/tang-nano-20k/pins.cst"),
    ),
];

/// A family of devices with open tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ice40,
    Ecp5,
    Gowin,
}

impl Family {
    /// Place and route with its packer.
    pub fn tool(self) -> Tool {
        match self {
            Family::Ice40 => Tool::NextpnrIce40,
            Family::Ecp5 => Tool::NextpnrEcp5,
            Family::Gowin => Tool::NextpnrGowin,
        }
    }

    /// Cell types (`constraints/devices.toml`) of LUTs, block RAMs, single-port RAMs and multipliers, and bits in a block RAM.
    fn cells(self) -> ([&'static str; 4], u64) {
        match self {
            Family::Ice40 => (["SB_LUT4", "SB_RAM40_4K", "SB_SPRAM256KA", "SB_MAC16"], 4096),
            Family::Ecp5 => (["LUT4", "DP16KD", "", "MULT18X18D"], 18432),
            Family::Gowin => (["LUT4", "BSRAM", "", "MULT18X18"], 18432),
        }
    }
}

/// One board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    pub name: String,
    pub title: String,
    pub family: Family,
    /// Its entry in `constraints/devices.toml`.
    pub device: String,
    pub package: String,
    /// Speed grade; empty where there is one only.
    pub speed: String,
    /// Name of the file with the pins.
    pub constraints: String,
    pub ports: Ports,
    pub link: Link,
    pub tools: Options,
    pub out_of_context: OutOfContext,
    /// Text of the file with the pins.
    #[serde(skip)]
    pub pins: &'static str,
}

/// What hangs at the pins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ports {
    /// The oscillator at `clk`.
    pub clock_mhz: f64,
    /// Level of `button` while it is pressed.
    pub button_pressed: Level,
    /// Number of LEDs.
    pub leds: usize,
    /// Level that lights an LED.
    pub led_lit: Level,
}

/// What the board's own bitstream holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// A built-in core.
    pub core: String,
    /// Clock of core and link.
    pub clock_mhz: f64,
    /// Bits a second of the serial line.
    pub baud: u64,
}

/// Level of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Low,
    High,
}

/// What each tool is told of the device.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Yosys' command, without the top module. Never with `-dsp`.
    pub synthesis: String,
    pub place_and_route: Vec<String>,
    pub pack: Vec<String>,
    /// openFPGALoader's name of the board.
    pub loader: String,
}

/// Where a core is measured by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfContext {
    /// Frequency asked for.
    pub mhz: f64,
}

/// What a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    pub luts: u64,
    pub block_rams: u64,
    /// Bits of one block RAM, parity bits included.
    pub block_ram_bits: u64,
    /// Single-port RAMs of 256 kbit.
    pub sprams: u64,
    /// Multipliers of 16 × 16 bits or more.
    pub dsps: u64,
}

impl Board {
    /// Every board, in the order of the table in the README.
    pub fn all() -> Result<Vec<Board>> {
        FILES
            .iter()
            .map(|&(path, text, pins)| {
                let board: Board = toml::from_str(text).map_err(|e| Error::file(path, e))?;
                Ok(Board { pins, ..board })
            })
            .collect()
    }

    /// The board of that name.
    pub fn find(name: &str) -> Result<Board> {
        let mut all = Board::all()?;
        match all.iter().position(|b| b.name == name) {
            Some(k) => Ok(all.swap_remove(k)),
            None => {
                let names: Vec<_> = all.iter().map(|b| b.name.as_str()).collect();
                Err(Error::field("board", format!("one of {}", names.join(", ")), name))
            }
        }
    }

    /// The board of that title, as reports call it.
    pub fn titled(title: &str) -> Result<Board> {
        let found = Board::all()?.into_iter().find(|b| b.title == title);
        found.ok_or_else(|| Error::field("board", "a board's title", title))
    }

    /// What its device has.
    pub fn resources(&self) -> Result<Resources> {
        let counts = devices::counts(&self.device)?;
        let (names, block_ram_bits) = self.family.cells();
        let [luts, block_rams, sprams, dsps] = names.map(|n| counts.get(n).copied().unwrap_or(0));
        Ok(Resources {
            luts,
            block_rams,
            block_ram_bits,
            sprams,
            dsps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Port and pin of each line that places one, in any of the three syntaxes.
    fn placed(board: &Board) -> Vec<(String, String)> {
        let words = |line: &str| -> Vec<String> {
            let clean = line.replace(['"', ';'], " ");
            clean.split_whitespace().map(String::from).collect()
        };
        board
            .pins
            .lines()
            .map(words)
            .filter_map(|w| match (board.family, w.first().map(String::as_str)) {
                (Family::Ice40, Some("set_io")) => Some((w[w.len() - 2].clone(), w[w.len() - 1].clone())),
                (Family::Ecp5, Some("LOCATE")) => Some((w[2].clone(), w[4].clone())),
                (Family::Gowin, Some("IO_LOC")) => Some((w[1].clone(), w[2].clone())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn every_board_places_the_ports_it_says_it_has_once() {
        for board in Board::all().unwrap() {
            let pairs = placed(&board);
            let ports: BTreeSet<_> = pairs.iter().map(|p| p.0.clone()).collect();
            let pins: BTreeSet<_> = pairs.iter().map(|p| p.1.clone()).collect();
            let mut expected: BTreeSet<String> = ["clk", "uart_rx", "uart_tx", "button"].map(String::from).into();
            expected.extend((0..board.ports.leds).map(|k| format!("led[{k}]")));
            assert_eq!(ports, expected, "{}", board.name);
            assert_eq!((pairs.len(), pins.len()), (ports.len(), ports.len()), "{}", board.name);
        }
    }

    #[test]
    fn every_board_has_a_device_with_real_counts() {
        let expected: BTreeMap<_, _> = [
            ("icebreaker", (5280, 30, 4, 8)),
            ("ulx3s", (83640, 208, 0, 156)),
            ("colorlight-i5", (24288, 56, 0, 28)),
            ("tang-nano-20k", (20736, 46, 0, 48)),
        ]
        .into();
        let boards = Board::all().unwrap();
        assert_eq!(boards.len(), expected.len());
        for board in boards {
            let r = board.resources().unwrap();
            assert_eq!(
                (r.luts, r.block_rams, r.sprams, r.dsps),
                expected[board.name.as_str()],
                "{}",
                board.name
            );
            assert!(board.out_of_context.mhz > board.ports.clock_mhz);
            assert!(!board.tools.synthesis.contains("-dsp"));
        }
    }
}
