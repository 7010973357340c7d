//! A program as words of the main memory M, and back: `docs/engine.md` section 3, bit for bit.
//!
//! Signature: [`encode`] takes a [`Program`] to the words of its steps (the header of two words is [`Loaded`](super::load::Loaded)'s),
//! [`decode`] takes words to steps without labels. Every field is held against the range of its bits, by name; a decoded step is the only
//! one its words can mean: reserved bits and the fields of unused units are 0, or the words are refused.
//!
//! ```
//! use astromorph::engine::code::{decode, encode};
//! use astromorph::engine::program::{Fill, Program, Step};
//! let steps = vec![Step::Fill(Fill { from: 100, bank: 2, words: 64 }), Step::End];
//! let words = encode(&Program { n_max: 16, steps: steps.clone() }).unwrap();
//! assert_eq!(words, [2, 100, 64 << 16 | 2, 0]);
//! assert_eq!(decode(&words).unwrap(), steps);
//! assert!(decode(&[2, 100, 64 << 16 | 2]).is_err()); // no End
//! ```

use super::decode::decode_step;
use super::fields::{self, Field, RUN_WORDS, Words};
use super::program::*;
use crate::{Error, Result};

pub use super::listing::disassemble;

/// Most steps of a program: their number has 16 bits.
pub const MAX_STEPS: usize = 1 << 16;

/// Words that a step takes in M.
pub fn words_of(step: &Step) -> usize {
    match step {
        Step::End | Step::Blocks { .. } => 1,
        Step::Run(_) => RUN_WORDS,
        Step::Fill(_) | Step::Next { .. } => 3,
    }
}

/// Name of a step in errors: `program.steps[3] (layers.0.q)`.
pub(super) fn name_of(number: usize, step: &Step) -> String {
    match step {
        Step::Run(run) if !run.label.is_empty() => format!("program.steps[{number}] ({})", run.label),
        _ => format!("program.steps[{number}]"),
    }
}

/// The words of a program's steps.
pub fn encode(program: &Program) -> Result<Vec<u32>> {
    structure(&program.steps)?;
    let mut words = Vec::new();
    for (number, step) in program.steps.iter().enumerate() {
        words.extend(encode_step(number, step)?);
    }
    Ok(words)
}

/// The steps that words mean, up to `End`; what follows it is not read.
pub fn decode(words: &[u32]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let number = steps.len();
        let name = format!("program.steps[{number}]");
        let Some(&first) = words.get(at) else {
            return Err(Error::field(name, "a step (the last is End)", "the end of the words"));
        };
        let length = match first & 7 {
            0 | 3 => 1,
            1 => RUN_WORDS,
            2 | 4 => 3,
            op => return Err(Error::field(format!("{name}.op"), "0 to 4", op)),
        };
        let Some(own) = words.get(at..at + length) else {
            return Err(Error::field(name, format!("{length} words"), words.len() - at));
        };
        let step = decode_step(number, own)?;
        // One step has one form: what is left must be zero.
        for (i, (&found, expected)) in own.iter().zip(encode_step(number, &step)?).enumerate() {
            if found != expected {
                let expected = format!("{expected:#010x} (reserved bits and unused fields 0)");
                return Err(Error::field(
                    format!("{name}, word {i}"),
                    expected,
                    format!("{found:#010x}"),
                ));
            }
        }
        at += length;
        let end = step == Step::End;
        steps.push(step);
        if end {
            structure(&steps)?;
            return Ok(steps);
        }
        if steps.len() == MAX_STEPS {
            return Err(Error::field("program.steps", format!("at most {MAX_STEPS}"), "more"));
        }
    }
}

/// One End, at the end; loops that close and do not nest; moving registers only within one.
pub(super) fn structure(steps: &[Step]) -> Result<()> {
    crate::spec::range("program.steps", steps.len(), 1, MAX_STEPS)?;
    let mut open = None;
    for (number, step) in steps.iter().enumerate() {
        let wrong =
            |expected: &str, found: &str| Err(Error::field(format!("program.steps[{number}]"), expected, found));
        let last = number + 1 == steps.len();
        match step {
            Step::End if !last => return wrong("End as the last step only", "End"),
            Step::End => {}
            _ if last => return wrong("End as the last step", "another step"),
            Step::Blocks { .. } if open.is_some() => return wrong("loops that do not nest", "Blocks within a loop"),
            Step::Blocks { .. } => open = Some(number),
            Step::Next { .. } if open.is_none() => return wrong("Next at the end of a loop", "Next without Blocks"),
            Step::Next { .. } => open = None,
            Step::Run(run) => {
                let moving = |at: &At| matches!(at.index, Index::R1 | Index::R2);
                if open.is_none() && run.places().any(|at| moving(&at)) {
                    let name = name_of(number, step);
                    return Err(Error::field(
                        name,
                        "R1 and R2 only between Blocks and Next",
                        "one outside",
                    ));
                }
            }
            Step::Fill(_) => {}
        }
    }
    match open {
        Some(number) => Err(Error::field(
            format!("program.steps[{number}]"),
            "a loop that ends with Next",
            "none",
        )),
        None => Ok(()),
    }
}

fn encode_step(number: usize, step: &Step) -> Result<Vec<u32>> {
    let mut w = Words {
        words: vec![0; words_of(step)],
        step: name_of(number, step),
    };
    match step {
        Step::End => {}
        Step::Run(run) => {
            w.put(fields::OP, 1)?;
            w.put(fields::NUMBER, number as i64)?;
            encode_run(&mut w, run)?;
        }
        Step::Fill(fill) => {
            w.put(fields::OP, 2)?;
            w.put(fields::FILL_FROM, fill.from)?;
            w.put(fields::FILL_BANK, fill.bank)?;
            w.put(fields::FILL_WORDS, fill.words)?;
        }
        Step::Blocks { tokens } => {
            w.put(fields::OP, 3)?;
            w.put(fields::TOKENS, *tokens)?;
        }
        Step::Next { r1, r2 } => {
            w.put(fields::OP, 4)?;
            w.put(fields::NEXT_R1, *r1)?;
            w.put(fields::NEXT_R2, *r2)?;
        }
    }
    Ok(w.words)
}

fn put_at(w: &mut Words, (base, index): (Field, Field), at: At) -> Result<()> {
    w.put(base, at.base)?;
    w.put(index, at.index as i64)
}

fn put_extent(w: &mut Words, (block, count): (Field, Field), extent: Extent) -> Result<()> {
    match extent {
        Extent::Fixed(n) => w.put(count, n),
        Extent::Block => w.put(block, 1),
    }
}

fn encode_run(w: &mut Words, run: &Run) -> Result<()> {
    let s = &run.stream;
    w.put(fields::WAIT, run.wait)?;
    w.put(fields::WAIT_FILL, run.wait_fill)?;
    w.put(fields::SLOW, s.slow)?;
    let source = match run.source {
        Source::Array(mac) => {
            put_extent(w, (fields::ROWS_BLOCK, fields::ROWS), mac.rows)?;
            put_extent(w, (fields::K_BLOCK, fields::K), mac.k)?;
            w.put(fields::PASSES, mac.passes)?;
            w.put(fields::BANK_STRIDE, mac.bank_stride)?;
            put_at(w, (fields::BASE, fields::INDEX), mac.x)?;
            w.put(fields::X_STRIDE, mac.x_stride)?;
            w.put(fields::BANK, mac.bank)?;
            0
        }
        Source::Input => 1,
        Source::Sums => 2,
        Source::Count => 3,
    };
    w.put(fields::SOURCE, source)?;
    w.put(fields::COLS, s.cols)?;
    w.put(fields::SHIFT, s.shift)?;
    w.put(fields::BITS, s.bits)?;
    match s.addend {
        Addend::None => {}
        Addend::Word { at, stride } => {
            w.put(fields::ADDEND_KIND, 1)?;
            put_at(w, fields::ADDEND, at)?;
            w.put(fields::ADDEND_STRIDE, stride)?;
        }
        Addend::State { at, wide } => {
            w.put(fields::ADDEND_KIND, 2)?;
            w.put(fields::ADDEND.0, at)?;
            w.put(fields::WIDE, wide)?;
        }
    }
    encode_function(w, s.function)?;
    encode_other(w, s.other)?;
    encode_serial(w, s.serial)?;
    encode_sums(w, run.source, s.sums)?;
    encode_destination(w, s.to)?;
    s.norm.map_or(Ok(()), |norm| encode_norm(w, norm))
}

fn encode_function(w: &mut Words, function: Function) -> Result<()> {
    let (kind, table, shift) = match function {
        Function::None => (0, None, None),
        Function::Phi {
            table,
            bits,
            one,
            shift,
        } => {
            w.put(fields::ONE, one)?;
            (1, Some((table, bits)), Some(shift))
        }
        Function::Relu { shift } => (2, None, Some(shift)),
        Function::Gelu {
            table,
            bits,
            drop,
            shift,
        } => {
            w.put(fields::DROP, drop)?;
            (3, Some((table, bits)), Some(shift))
        }
        Function::Table { table, bits } => (4, Some((table, bits)), None),
        Function::Hard => (5, None, None),
    };
    w.put(fields::FUNCTION, kind)?;
    if let Some((table, bits)) = table {
        w.put(fields::FUNCTION_TABLE, table)?;
        w.put(fields::INDEX_BITS, bits)?;
    }
    shift.map_or(Ok(()), |shift| w.put(fields::FUNCTION_SHIFT, shift))
}

fn encode_other(w: &mut Words, other: Other) -> Result<()> {
    let (kind, at, stride) = match other {
        Other::None => return Ok(()),
        Other::Key { at, stride } => (1, at, stride),
        Other::Residual {
            at,
            stride,
            left,
            shift,
        } => {
            w.put(fields::LEFT, left.unsigned_abs())?;
            w.put(fields::LEFT_IS_VALUE, left > 0)?;
            w.put(fields::OTHER_SHIFT, shift)?;
            (2, at, stride)
        }
    };
    w.put(fields::OTHER_KIND, kind)?;
    put_at(w, fields::OTHER, at)?;
    w.put(fields::OTHER_STRIDE, stride)
}

fn encode_serial(w: &mut Words, serial: Serial) -> Result<()> {
    let (kind, table, bits) = match serial {
        Serial::None => return Ok(()),
        Serial::Calcium {
            g,
            read,
            minimum,
            table,
            bits,
            running,
        } => {
            w.put(fields::RUNNING, running)?;
            w.put(fields::G, g)?;
            w.put(fields::READ, read)?;
            w.put(fields::MINIMUM, minimum)?;
            (1, table, bits)
        }
        Serial::Normalise { read, offset } => {
            w.put(fields::SERIAL, 2)?;
            w.put(fields::READ, read)?;
            return w.put(fields::OFFSET, offset);
        }
        Serial::Power {
            g,
            table,
            bits,
            running,
        } => {
            w.put(fields::RUNNING, running)?;
            w.put(fields::G, g)?;
            (3, table, bits)
        }
        Serial::Count { read, table, bits } => {
            w.put(fields::READ, read)?;
            (4, table, bits)
        }
    };
    w.put(fields::SERIAL, kind)?;
    w.put(fields::MANTISSA_TABLE, table)?;
    w.put(fields::MANTISSA_BITS, bits)
}

fn encode_sums(w: &mut Words, source: Source, sums: Option<Sums>) -> Result<()> {
    let Some(sums) = sums else {
        if source == Source::Sums {
            let name = format!("{}.sums", w.step);
            return Err(Error::field(name, "where the source's sums begin", "nothing"));
        }
        return Ok(());
    };
    if (source == Source::Sums) != (sums.of == Summed::Nothing) {
        return Err(Error::field(
            format!("{}.sums.of", w.step),
            "Nothing with source sums, and with it only",
            format!("{:?}", sums.of),
        ));
    }
    w.put(fields::SUMS_OF, sums.of as i64)?;
    w.put(fields::SUMS_BASE, sums.base)
}

fn encode_destination(w: &mut Words, to: To) -> Result<()> {
    let (kind, row, column) = match to {
        To::Nowhere => return Ok(()),
        To::X { at, row, column } => {
            put_at(w, fields::TO, at)?;
            (1, row, column)
        }
        To::Bank { bank, row, pass } => {
            w.put(fields::TO_BANK, bank)?;
            (2, row, pass)
        }
        To::Output => return w.put(fields::TO_KIND, 3),
    };
    w.put(fields::TO_KIND, kind)?;
    w.put(fields::TO_ROW, row)?;
    w.put(fields::TO_COLUMN, column)
}

fn encode_norm(w: &mut Words, norm: Norm) -> Result<()> {
    w.put(fields::NORM, 1)?;
    w.put(fields::NORM_PARAMETERS, norm.parameters)?;
    w.put(fields::NORM_DROP, norm.drop)?;
    w.put(fields::NORM_OFFSET, norm.offset)?;
    w.put(fields::NORM_SHIFT, norm.shift)?;
    w.put(fields::NORM_TABLE, norm.table)?;
    w.put(fields::NORM_BITS, norm.bits)?;
    if let Some((at, row)) = norm.to {
        w.put(fields::NORM_STORE, 1)?;
        put_at(w, fields::NORM_TO, at)?;
        w.put(fields::NORM_ROW, row)?;
    }
    Ok(())
}
