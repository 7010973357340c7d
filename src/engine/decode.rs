//! The fields of one stored step as a [`Step`]; [`decode`](super::code::decode) holds the whole against its words.

use super::fields::{self, Field, Words};
use super::program::*;
use crate::Result;

pub(super) fn decode_step(number: usize, words: &[u32]) -> Result<Step> {
    let w = Words {
        words: words.to_vec(),
        step: format!("program.steps[{number}]"),
    };
    Ok(match w.get(fields::OP)? {
        0 => Step::End,
        1 => Step::Run(Box::new(run(&w)?)),
        2 => Step::Fill(Fill {
            from: number_of(&w, fields::FILL_FROM)?,
            bank: number_of(&w, fields::FILL_BANK)?,
            words: number_of(&w, fields::FILL_WORDS)?,
        }),
        3 => Step::Blocks {
            tokens: number_of(&w, fields::TOKENS)?,
        },
        _ => Step::Next {
            r1: number_of(&w, fields::NEXT_R1)?,
            r2: number_of(&w, fields::NEXT_R2)?,
        },
    })
}

fn number_of(w: &Words, field: Field) -> Result<u32> {
    Ok(w.get(field)? as u32)
}

fn shift_of(w: &Words, field: Field) -> Result<i32> {
    Ok(w.get(field)? as i32)
}

fn at(w: &Words, (base, index): (Field, Field)) -> Result<At> {
    let index = match w.get(index)? {
        0 => Index::None,
        1 => Index::R1,
        2 => Index::R2,
        _ => Index::Last,
    };
    Ok(At {
        base: number_of(w, base)?,
        index,
    })
}

fn extent(w: &Words, (block, count): (Field, Field)) -> Result<Extent> {
    Ok(if w.flag(block)? {
        Extent::Block
    } else {
        Extent::Fixed(number_of(w, count)?)
    })
}

fn run(w: &Words) -> Result<Run> {
    let source = match w.get(fields::SOURCE)? {
        0 => Source::Array(Mac {
            rows: extent(w, (fields::ROWS_BLOCK, fields::ROWS))?,
            passes: number_of(w, fields::PASSES)?,
            k: extent(w, (fields::K_BLOCK, fields::K))?,
            x: at(w, (fields::BASE, fields::INDEX))?,
            x_stride: number_of(w, fields::X_STRIDE)?,
            bank: number_of(w, fields::BANK)?,
            bank_stride: number_of(w, fields::BANK_STRIDE)?,
        }),
        1 => Source::Input,
        2 => Source::Sums,
        _ => Source::Count,
    };
    Ok(Run {
        label: String::new(),
        names: Vec::new(),
        source,
        wait: w.flag(fields::WAIT)?,
        wait_fill: w.flag(fields::WAIT_FILL)?,
        stream: Stream {
            cols: number_of(w, fields::COLS)?,
            slow: w.flag(fields::SLOW)?,
            addend: match w.get(fields::ADDEND_KIND)? {
                0 => Addend::None,
                1 => Addend::Word {
                    at: at(w, fields::ADDEND)?,
                    stride: number_of(w, fields::ADDEND_STRIDE)?,
                },
                _ => Addend::State {
                    at: number_of(w, fields::ADDEND.0)?,
                    wide: w.flag(fields::WIDE)?,
                },
            },
            shift: shift_of(w, fields::SHIFT)?,
            bits: number_of(w, fields::BITS)?,
            function: function(w)?,
            other: other(w)?,
            serial: serial(w)?,
            sums: sums(w, source)?,
            to: match w.get(fields::TO_KIND)? {
                0 => To::Nowhere,
                1 => To::X {
                    at: at(w, fields::TO)?,
                    row: number_of(w, fields::TO_ROW)?,
                    column: number_of(w, fields::TO_COLUMN)?,
                },
                2 => To::Bank {
                    bank: number_of(w, fields::TO_BANK)?,
                    row: number_of(w, fields::TO_ROW)?,
                    pass: number_of(w, fields::TO_COLUMN)?,
                },
                _ => To::Output,
            },
            norm: if w.flag(fields::NORM)? { Some(norm(w)?) } else { None },
        },
    })
}

fn function(w: &Words) -> Result<Function> {
    let table = || number_of(w, fields::FUNCTION_TABLE);
    let bits = || number_of(w, fields::INDEX_BITS);
    let shift = || shift_of(w, fields::FUNCTION_SHIFT);
    Ok(match w.get(fields::FUNCTION)? {
        0 => Function::None,
        1 => Function::Phi {
            table: table()?,
            bits: bits()?,
            one: number_of(w, fields::ONE)?,
            shift: shift()?,
        },
        2 => Function::Relu { shift: shift()? },
        3 => Function::Gelu {
            table: table()?,
            bits: bits()?,
            drop: number_of(w, fields::DROP)?,
            shift: shift()?,
        },
        4 => Function::Table {
            table: table()?,
            bits: bits()?,
        },
        _ => Function::Hard,
    })
}

fn other(w: &Words) -> Result<Other> {
    let kind = w.get(fields::OTHER_KIND)?;
    if kind == 0 {
        return Ok(Other::None);
    }
    let (at, stride) = (at(w, fields::OTHER)?, number_of(w, fields::OTHER_STRIDE)?);
    if kind == 1 {
        return Ok(Other::Key { at, stride });
    }
    let left = shift_of(w, fields::LEFT)?;
    Ok(Other::Residual {
        at,
        stride,
        left: if w.flag(fields::LEFT_IS_VALUE)? { left } else { -left },
        shift: shift_of(w, fields::OTHER_SHIFT)?,
    })
}

fn serial(w: &Words) -> Result<Serial> {
    let (g, read) = (number_of(w, fields::G)?, number_of(w, fields::READ)?);
    let table = || number_of(w, fields::MANTISSA_TABLE);
    let bits = || number_of(w, fields::MANTISSA_BITS);
    let running = w.flag(fields::RUNNING)?;
    Ok(match w.get(fields::SERIAL)? {
        0 => Serial::None,
        1 => Serial::Calcium {
            g,
            read,
            minimum: number_of(w, fields::MINIMUM)?,
            table: table()?,
            bits: bits()?,
            running,
        },
        2 => Serial::Normalise {
            read,
            offset: shift_of(w, fields::OFFSET)?,
        },
        3 => Serial::Power {
            g,
            table: table()?,
            bits: bits()?,
            running,
        },
        _ => Serial::Count {
            read,
            table: table()?,
            bits: bits()?,
        },
    })
}

fn sums(w: &Words, source: Source) -> Result<Option<Sums>> {
    let of = match w.get(fields::SUMS_OF)? {
        0 => Summed::Nothing,
        1 => Summed::Function,
        _ => Summed::Result,
    };
    let base = number_of(w, fields::SUMS_BASE)?;
    Ok((source == Source::Sums || of != Summed::Nothing).then_some(Sums { base, of }))
}

fn norm(w: &Words) -> Result<Norm> {
    Ok(Norm {
        parameters: number_of(w, fields::NORM_PARAMETERS)?,
        drop: number_of(w, fields::NORM_DROP)?,
        offset: shift_of(w, fields::NORM_OFFSET)?,
        shift: shift_of(w, fields::NORM_SHIFT)?,
        table: number_of(w, fields::NORM_TABLE)?,
        bits: number_of(w, fields::NORM_BITS)?,
        to: if w.flag(fields::NORM_STORE)? {
            Some((at(w, fields::NORM_TO)?, number_of(w, fields::NORM_ROW)?))
        } else {
            None
        },
    })
}
