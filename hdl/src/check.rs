//! Checks of block constructors' arguments: the error names the block's field, the range and what was given.

use astromorph::{Error, Result};

/// Refuses `value` outside `lo..=hi`.
pub fn range<T: PartialOrd + std::fmt::Display>(field: &str, value: T, lo: T, hi: T) -> Result<()> {
    if value < lo || value > hi {
        return Err(Error::field(field, format!("{lo} to {hi}"), value));
    }
    Ok(())
}

/// Refuses a width that no signal has.
pub fn width(name: &str, bits: i64) -> Result<()> {
    range(&format!("{name}.width"), bits, 1, 64)
}
