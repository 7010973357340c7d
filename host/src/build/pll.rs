//! The clock of a board's bitstream from its oscillator: the settings of the device's PLL, and its instance as Verilog.
//!
//! | family | cell | rules (MHz) |
//! |---|---|---|
//! | iCE40 | `SB_PLL40_PAD` | in / (DIVR + 1) = 10 to 133, · (DIVF + 1) = 533 to 1066, / 2^DIVQ = out; DIVR 0–15, DIVF 0–127, DIVQ 1–6 (Lattice TN1251) |
//! | ECP5 | `EHXPLLL`, feedback from CLKOP | in / CLKI = 3.125 to 400, · CLKFB = out, · CLKOP = 400 to 800; each divider 1–128 (Lattice TN1263) |
//! | Gowin | none: the oscillator's clock as it is | |
//!
//! The exact frequency is asked for: the serial line's rate and the timing report are of the clock that is there.
//!
//! ```
//! use astromorph_host::{boards::Board, build::pll::{ecp5, ice40, instance}};
//! assert_eq!(ice40(12.0, 24.0), Some([0, 63, 5])); // 12 · 64 / 32
//! assert_eq!(ecp5(25.0, 62.5), Some([2, 5, 12])); // 25 / 2 · 5, VCO at 750
//! assert_eq!(ice40(12.0, 24.7), None);
//! let board = Board::find("icebreaker").unwrap();
//! assert!(instance(&board).unwrap().contains(".DIVF(7'd63), .DIVQ(3'd5)"));
//! assert!(Board::all().unwrap().iter().all(|board| instance(board).is_ok()));
//! ```

use crate::boards::{Board, Family};
use astromorph::{Error, Result};

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * b
}

/// DIVR, DIVF, DIVQ.
pub fn ice40(oscillator: f64, mhz: f64) -> Option<[u32; 3]> {
    let all = (0..16).flat_map(|r| (0..128).flat_map(move |f| (1..=6).map(move |q| [r, f, q])));
    all.into_iter().find(|&[r, f, q]| {
        let detector = oscillator / (r + 1) as f64;
        let vco = detector * (f + 1) as f64;
        (10.0..=133.0).contains(&detector) && (533.0..=1066.0).contains(&vco) && same(vco / (1 << q) as f64, mhz)
    })
}

/// CLKI, CLKFB, CLKOP; the VCO as fast as may be.
pub fn ecp5(oscillator: f64, mhz: f64) -> Option<[u32; 3]> {
    let pairs = (1..=128).flat_map(|i| (1..=128).map(move |f| [i, f]));
    let [i, f] = pairs.into_iter().find(|&[i, f]| {
        let detector = oscillator / i as f64;
        (3.125..=400.0).contains(&detector) && same(detector * f as f64, mhz)
    })?;
    let op = (1..=128u32)
        .rev()
        .find(|&op| (400.0..=800.0).contains(&(mhz * op as f64)))?;
    Some([i, f, op])
}

/// Verilog that drives `clock` and `locked` from the board's `clk`.
pub fn instance(board: &Board) -> Result<String> {
    let (oscillator, mhz) = (board.ports.clock_mhz, board.link.clock_mhz);
    if same(oscillator, mhz) {
        return Ok("wire clock = clk;\nwire locked = 1'b1;\n".into());
    }
    let refused = |rules: &str| {
        let expected = format!("{oscillator} MHz, or what a PLL makes of it: {rules}");
        Error::field(format!("{}: link.clock_mhz", board.name), expected, mhz)
    };
    match board.family {
        Family::Ice40 => {
            let [r, f, q] = ice40(oscillator, mhz).ok_or_else(|| refused("in / (DIVR + 1) · (DIVF + 1) / 2^DIVQ"))?;
            // The loop filter goes with the phase detector's frequency.
            let detector = oscillator / (r + 1) as f64;
            let filter = [17.0, 26.0, 44.0, 66.0, 101.0]
                .iter()
                .filter(|&&top| detector >= top)
                .count()
                + 1;
            Ok(format!(
                "wire clock, locked;\nSB_PLL40_PAD #(.FEEDBACK_PATH(\"SIMPLE\"), .DIVR(4'd{r}), .DIVF(7'd{f}), .DIVQ(3'd{q}), \
                 .FILTER_RANGE(3'd{filter})) pll (.PACKAGEPIN(clk), .PLLOUTGLOBAL(clock), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0));\n"
            ))
        }
        Family::Ecp5 => {
            let [i, f, op] = ecp5(oscillator, mhz).ok_or_else(|| refused("in / CLKI · CLKFB"))?;
            Ok(format!(
                "wire clock, locked;\n(* FREQUENCY_PIN_CLKI=\"{oscillator}\", FREQUENCY_PIN_CLKOP=\"{mhz}\", ICP_CURRENT=\"12\", LPF_RESISTOR=\"8\" *)\n\
                 EHXPLLL #(.CLKI_DIV({i}), .CLKFB_DIV({f}), .CLKOP_DIV({op}), .CLKOP_ENABLE(\"ENABLED\"), .CLKOP_CPHASE({phase}), .CLKOP_FPHASE(0), \
                 .FEEDBK_PATH(\"CLKOP\"), .PLLRST_ENA(\"DISABLED\"), .STDBY_ENABLE(\"DISABLED\"), .DPHASE_SOURCE(\"DISABLED\"), \
                 .INTFB_WAKE(\"DISABLED\"), .OUTDIVIDER_MUXA(\"DIVA\")) pll (.CLKI(clk), .CLKFB(clock), .CLKOP(clock), .LOCK(locked), \
                 .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b0), .PHASESTEP(1'b0), .PHASELOADREG(1'b0), \
                 .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0));\n",
                phase = op - 1
            ))
        }
        Family::Gowin => Err(refused("none is used on this family")),
    }
}
