//! A program as a listing a person can read: one line a step, with its word address in M, number, label, sizes, addresses and roundings.
//!
//! `r` and `j` are a word's row and column, `p` its pass, `B` the tokens of the present block; `>>s:b` is a rounding by s to b bits.
//!
//! ```
//! use astromorph::engine::code::disassemble;
//! use astromorph::engine::program::{Program, Step};
//! let listing = disassemble(&Program { n_max: 400, steps: vec![Step::Blocks { tokens: 32 }, Step::Next { r1: 64, r2: 0 }, Step::End] });
//! assert_eq!(listing, "n_max 400\n     2    0 blocks of 32 tokens\n     3    1 next: R1 += 64, R2 += 0\n     6    2 end\n");
//! ```

use super::code::words_of;
use super::load::HEADER;
use super::program::*;
use std::fmt::Write;

/// The listing.
pub fn disassemble(program: &Program) -> String {
    let mut text = format!("n_max {}\n", program.n_max);
    let mut address = HEADER;
    for (number, step) in program.steps.iter().enumerate() {
        let line = match step {
            Step::End => "end".to_string(),
            Step::Run(run) => listed(run),
            Step::Fill(f) => format!(
                "fill bank[{}..{}] <- M[{}..]",
                f.bank,
                f.bank as u64 + f.words as u64,
                f.from
            ),
            Step::Blocks { tokens } => format!("blocks of {tokens} tokens"),
            Step::Next { r1, r2 } => format!("next: R1 += {r1}, R2 += {r2}"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{address:>6} {number:>4} {line}");
        address += words_of(step);
    }
    text
}

fn place(at: At) -> String {
    match at.index {
        Index::None => at.base.to_string(),
        index => format!("{}+{index:?}", at.base),
    }
}

fn count(extent: Extent) -> String {
    match extent {
        Extent::Fixed(n) => n.to_string(),
        Extent::Block => "B".into(),
    }
}

fn listed(run: &Run) -> String {
    let s = &run.stream;
    let mut parts = vec![source(run)];
    match s.addend {
        Addend::None => {}
        Addend::Word { at, stride } => parts.push(format!("+ M[{} + {stride}r + j]", place(at))),
        Addend::State { at, wide } => parts.push(format!("state M[{at}..]{}", if wide { " 64 bits" } else { "" })),
    }
    if !matches!(s.serial, Serial::Power { running: false, .. } | Serial::Count { .. }) {
        parts.push(match s.serial {
            Serial::Normalise { offset, .. } => format!(">>(E{offset:+}):{}", s.bits),
            _ => format!(">>{}:{}", s.shift, s.bits),
        });
    }
    parts.extend(function(s.function));
    match s.other {
        Other::None => {}
        Other::Key { at, stride } => parts.push(format!("+ key M[{} + {stride}r + j]", place(at))),
        Other::Residual {
            at,
            stride,
            left,
            shift,
        } => {
            let (own, theirs) = (left.max(0), (-left).max(0));
            parts.push(format!(
                "<<{own} + X[{} + {stride}r + j]<<{theirs} >>{shift}",
                place(at)
            ));
        }
    }
    parts.extend(serial(s.serial));
    match s.sums {
        Some(Sums { base, of }) if of != Summed::Nothing => {
            parts.push(format!("sums[{base} + j] += {}", format!("{of:?}").to_lowercase()))
        }
        _ => {}
    }
    parts.extend(match s.to {
        To::Nowhere => None,
        To::X { at, row, column } => Some(format!("-> X[{} + {row}r + {column}j]", place(at))),
        To::Bank { bank, row, pass } => Some(format!("-> bank[{bank} + {row}r + {pass}p]")),
        To::Output => Some("-> output".into()),
    });
    parts.extend(s.norm.map(norm));
    for (set, word) in [(s.slow, "slow"), (run.wait, "wait"), (run.wait_fill, "wait fill")] {
        if set {
            parts.push(word.into());
        }
    }
    let label = if run.label.is_empty() { "run" } else { &run.label };
    format!("{label}: {}", parts.join(" | "))
}

fn source(run: &Run) -> String {
    let cols = run.stream.cols;
    match run.source {
        Source::Array(m) => format!(
            "{} x {cols} ({} passes) of {}: X[{} + {}r] . bank[{} + {}p]",
            count(m.rows),
            m.passes,
            count(m.k),
            place(m.x),
            m.x_stride,
            m.bank,
            m.bank_stride
        ),
        Source::Input => format!("input, {cols} columns"),
        Source::Sums => format!("sums[{}..], {cols} columns", run.stream.sums.map_or(0, |s| s.base)),
        Source::Count => "N".into(),
    }
}

fn function(function: Function) -> Option<String> {
    Some(match function {
        Function::None => return None,
        Function::Phi {
            table,
            bits,
            one,
            shift,
        } => format!("phi f[{table}..] {bits} bits, one 2^{one} >>{shift}"),
        Function::Relu { shift } => format!("relu >>{shift}"),
        Function::Gelu {
            table,
            bits,
            drop,
            shift,
        } => format!("gelu f[{table}..] {bits} bits of |x|>>{drop} >>{shift}"),
        Function::Table { table, bits } => format!("table f[{table}..] {bits} bits"),
        Function::Hard => "hard sigmoid".into(),
    })
}

/// Of a g that every row has its own of.
fn own_row(running: bool) -> &'static str {
    if running { " + cols r" } else { "" }
}

fn serial(serial: Serial) -> Option<String> {
    Some(match serial {
        Serial::None => return None,
        Serial::Calcium {
            g,
            read,
            minimum,
            table,
            bits,
            running,
        } => format!(
            "C = . g[{g}{}..] >= 2^{minimum}, 1/C to reads[{read} + r] by m[{table}..] {bits} bits",
            own_row(running)
        ),
        Serial::Normalise { read, .. } => format!("* R of reads[{read} + r]"),
        Serial::Power {
            g,
            table,
            bits,
            running,
        } => format!("power by m[{table}..] {bits} bits to g[{g}{} + j]", own_row(running)),
        Serial::Count { read, table, bits } => format!("1/N to reads[{read}] by m[{table}..] {bits} bits"),
    })
}

fn norm(n: Norm) -> String {
    let mut text = format!(
        "norm p[{}..] drop {} h{:+} >>{} by m[{}..] {} bits",
        n.parameters, n.drop, n.offset, n.shift, n.table, n.bits
    );
    if let Some((at, row)) = n.to {
        // Writing to a String cannot fail.
        let _ = write!(text, " -> X[{} + {row}r + j]", place(at));
    }
    text
}
