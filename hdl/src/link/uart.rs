//! The time of a bit, for [`uart_rx`](super::uart_rx) and [`uart_tx`](super::uart_tx): a phase that grows by `step` every cycle; a bit is over
//! when it comes round. Any ratio of clock and rate from 5 on, not only whole ones.
//!
//! ```
//! use astromorph_hdl::link::uart::phase;
//! assert_eq!(phase(16_000_000, 1_000_000).unwrap(), (4, 1));   // 2^4 / 1 = 16 cycles a bit
//! let (bits, step) = phase(12_000_000, 115_200).unwrap();      // 104.17 cycles a bit
//! assert!(((step as f64 / 2f64.powi(bits as i32)) * 12e6 / 115_200.0 - 1.0).abs() < 0.002);
//! assert!(phase(4_000_000, 1_000_000).is_err());
//! ```

use astromorph::{Error, Result};

/// Cycles a bit at least: synchroniser and filter must see a bit.
const LEAST: u64 = 5;
/// Largest error of the rate, in thousandths: 2 % of a bit at a byte's end.
const ERROR: u64 = 2;
/// Widest phase.
const BITS: u32 = 24;

/// Bits of the phase, as few as are exact enough, and its step.
pub fn phase(clock_hz: u64, baud: u64) -> Result<(u32, u64)> {
    if baud == 0 || clock_hz / LEAST < baud || clock_hz > 1 << 32 {
        let most = format!("1 to {} (a {LEAST}th of the clock)", clock_hz / LEAST);
        return Err(Error::field("baud", most, baud));
    }
    for bits in 1..=BITS {
        let step = ((baud << bits) + clock_hz / 2) / clock_hz;
        let off = (step * clock_hz).abs_diff(baud << bits);
        if off * 1000 <= ERROR * (baud << bits) {
            return Ok((bits, step));
        }
    }
    Err(Error::field(
        "baud",
        format!("a rate within 2^-{BITS} of the clock"),
        baud,
    ))
}
