//! The register map: one table, printed as Markdown, C header and JSON.
//!
//! ```
//! use astromorph_hdl::link::registers::*;
//! assert_eq!(REGISTERS[REFUSED as usize].name, "refused");
//! assert!(markdown().contains("| 4 overruns | frames lost for want of room | 15–0 |"));
//! assert!(c_header().contains("#define ASTROMORPH_STATUS_ERROR_SHIFT 8\n"));
//! assert!(json().contains("\"name\": \"watchdog\""));
//! ```

use std::fmt::Write as _;

/// Bits of a register that mean something by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// In lower case, one word or several joined by `_`.
    pub name: &'static str,
    /// Lowest bit.
    pub low: u32,
    /// How many.
    pub bits: u32,
    /// One sentence.
    pub text: &'static str,
}

/// One register of 32 bits; its number is its place in [`REGISTERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// In lower case, one word.
    pub name: &'static str,
    /// One sentence.
    pub text: &'static str,
    /// From the lowest bit up.
    pub fields: &'static [Field],
}

/// Number of `status`.
pub const STATUS: u32 = 0;
/// Number of `frames`.
pub const FRAMES: u32 = 1;
/// Number of `damaged`.
pub const DAMAGED: u32 = 2;
/// Number of `line`.
pub const LINE: u32 = 3;
/// Number of `overruns`.
pub const OVERRUNS: u32 = 4;
/// Number of `refused`.
pub const REFUSED: u32 = 5;
/// Number of `sequences`.
pub const SEQUENCES: u32 = 6;
/// Number of `watchdog`.
pub const WATCHDOG: u32 = 7;

/// Bit of `status`: a sequence is in work.
pub const STATUS_BUSY: u32 = 0;
/// Bit of `status`: there is a session.
pub const STATUS_OPEN: u32 = 1;
/// Bit of `status`: the input's queue is empty.
pub const STATUS_EMPTY: u32 = 2;
/// Lowest bit of the engine's `error` in `status`.
pub const STATUS_ERROR: u32 = 8;

const fn counter(bits: u32) -> &'static [Field] {
    match bits {
        32 => &[Field {
            name: "count",
            low: 0,
            bits: 32,
            text: "goes round",
        }],
        _ => &[Field {
            name: "count",
            low: 0,
            bits: 16,
            text: "stays at its largest value",
        }],
    }
}

const fn register(name: &'static str, text: &'static str, fields: &'static [Field]) -> Register {
    Register { name, text, fields }
}

/// All of them.
pub const REGISTERS: [Register; 8] = [
    register(
        "status",
        "state of the engine and of the link",
        &[
            Field {
                name: "busy",
                low: STATUS_BUSY,
                bits: 1,
                text: "engine busy",
            },
            Field {
                name: "open",
                low: STATUS_OPEN,
                bits: 1,
                text: "session open",
            },
            Field {
                name: "empty",
                low: STATUS_EMPTY,
                bits: 1,
                text: "input queue empty",
            },
            Field {
                name: "error",
                low: STATUS_ERROR,
                bits: 8,
                text: "error of the engine, sticky until the next session",
            },
        ],
    ),
    register("frames", "requests answered", counter(32)),
    register("damaged", "frames not answered: length, CRC, code, kind", counter(16)),
    register("line", "bytes without a stop bit", counter(16)),
    register("overruns", "frames lost for want of room", counter(16)),
    register("refused", "answers with a status other than 0", counter(16)),
    register(
        "sequences",
        "sequences whose last output word has come, in this session",
        counter(32),
    ),
    register("watchdog", "resets of the engine by the watchdog", counter(16)),
];

/// The map as a table of Markdown.
pub fn markdown() -> String {
    let mut s = String::from("| register | | bits |\n|---|---|---|\n");
    for (n, r) in REGISTERS.iter().enumerate() {
        for (k, f) in r.fields.iter().enumerate() {
            let name = if k == 0 {
                format!("{n} {}", r.name)
            } else {
                String::new()
            };
            let text = if f.name == "count" { r.text } else { f.text };
            let bits = match f.bits {
                1 => f.low.to_string(),
                _ => format!("{}–{}", f.low + f.bits - 1, f.low),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(s, "| {name} | {text} | {bits} |");
        }
    }
    s
}

/// The map as definitions of C.
pub fn c_header() -> String {
    let mut s = String::from("#ifndef ASTROMORPH_REGISTERS_H\n#define ASTROMORPH_REGISTERS_H\n\n");
    for (n, r) in REGISTERS.iter().enumerate() {
        let name = r.name.to_uppercase();
        let _ = writeln!(s, "/* {} */\n#define ASTROMORPH_{name} {n}", r.text);
        for f in r.fields {
            let field = f.name.to_uppercase();
            let mask = (((1u64 << f.bits) - 1) << f.low) as u32;
            let _ = writeln!(
                s,
                "#define ASTROMORPH_{name}_{field}_SHIFT {}\n#define ASTROMORPH_{name}_{field}_MASK {mask:#010x}u",
                f.low
            );
        }
        s.push('\n');
    }
    s.push_str("#endif\n");
    s
}

/// The map as JSON, with the names of CMSIS-SVD's elements.
pub fn json() -> String {
    let mut s = String::from("{\n  \"name\": \"astromorph\",\n  \"width\": 32,\n  \"registers\": [\n");
    for (n, r) in REGISTERS.iter().enumerate() {
        let _ = writeln!(
            s,
            "    {{\"name\": \"{}\", \"addressOffset\": {n}, \"description\": \"{}\", \"access\": \"read-only\", \"fields\": [",
            r.name, r.text
        );
        for (k, f) in r.fields.iter().enumerate() {
            let comma = if k + 1 < r.fields.len() { "," } else { "" };
            let _ = writeln!(
                s,
                "      {{\"name\": \"{}\", \"bitOffset\": {}, \"bitWidth\": {}, \"description\": \"{}\"}}{comma}",
                f.name, f.low, f.bits, f.text
            );
        }
        let comma = if n + 1 < REGISTERS.len() { "," } else { "" };
        let _ = writeln!(s, "    ]}}{comma}");
    }
    s.push_str("  ]\n}\n");
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_places_and_the_fields_do_not_overlap() {
        for (n, name) in [
            (STATUS, "status"),
            (FRAMES, "frames"),
            (DAMAGED, "damaged"),
            (LINE, "line"),
            (OVERRUNS, "overruns"),
            (REFUSED, "refused"),
            (SEQUENCES, "sequences"),
            (WATCHDOG, "watchdog"),
        ] {
            assert_eq!(REGISTERS[n as usize].name, name);
        }
        for r in REGISTERS {
            let mut free = 0;
            for f in r.fields {
                assert!(f.low >= free && f.low + f.bits <= 32, "{} {}", r.name, f.name);
                free = f.low + f.bits;
            }
        }
    }

    #[test]
    fn the_contract_prints_the_same_table() {
        let contract = include_str!("../../../docs/link.md");
        for line in markdown().lines().skip(2) {
            assert!(contract.lines().any(|l| l == line), "{line}");
        }
    }
}
