//! The engine's sticky errors: a bit each on the port `error`, until reset (`docs/engine.md` section 4).
//!
//! ```
//! use astromorph_hdl::engine::errors::*;
//! assert_eq!(names(OTHER_CORE | STALLED), ["program for another core", "stream stalled"]);
//! assert_eq!(ERRORS.iter().map(|(bit, _)| bit).sum::<u8>(), (1 << BITS) - 1);
//! ```

/// The sequence is longer than the program's n_max.
pub const TOO_LONG: u8 = 1;
/// The program's header names another core.
pub const OTHER_CORE: u8 = 1 << 1;
/// No such step.
pub const BAD_STEP: u8 = 1 << 2;
/// tlast was not on a row's last word: zeros fill the row.
pub const CUT_SHORT: u8 = 1 << 3;
/// The load port was used while a sequence was in work.
pub const LOAD_BUSY: u8 = 1 << 4;
/// An address left its memory.
pub const BAD_ADDRESS: u8 = 1 << 5;
/// A stream stood still for 2^24 cycles.
pub const STALLED: u8 = 1 << 6;

/// Every bit, from bit 0 on, with its name for people.
pub const ERRORS: [(u8, &str); BITS as usize] = [
    (TOO_LONG, "sequence too long"),
    (OTHER_CORE, "program for another core"),
    (BAD_STEP, "illegal step"),
    (CUT_SHORT, "tlast within a row"),
    (LOAD_BUSY, "load while busy"),
    (BAD_ADDRESS, "address beyond its memory"),
    (STALLED, "stream stalled"),
];

/// Width of the port.
pub const BITS: u32 = 7;

/// Names of the bits that are set.
pub fn names(errors: u8) -> Vec<&'static str> {
    let set = |(bit, _): &&(u8, &str)| errors & bit != 0;
    ERRORS.iter().filter(set).map(|(_, name)| *name).collect()
}
