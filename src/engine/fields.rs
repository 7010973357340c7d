//! Where every field of a stored step stands: `docs/engine.md` section 3 as a table, read by the encoder and the decoder alike.
//!
//! A stored value is `raw − offset`; a field may allow fewer values than its bits hold.

use crate::{Error, Result};

/// Words of a stored [`Run`](super::program::Run).
pub(super) const RUN_WORDS: usize = 20;

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    word: usize,
    low: u32,
    bits: u32,
    offset: i64,
    min: i64,
    max: i64,
}

/// A field of non-negative numbers: all that `bits` hold.
const fn field(name: &'static str, word: usize, low: u32, bits: u32) -> Field {
    Field {
        name,
        word,
        low,
        bits,
        offset: 0,
        min: 0,
        max: (1 << bits) - 1,
    }
}

impl Field {
    /// Only these values, stored with `offset` added.
    const fn within(self, offset: i64, min: i64, max: i64) -> Field {
        Field {
            offset,
            min,
            max,
            ..self
        }
    }

    /// At least 1.
    const fn positive(self) -> Field {
        Field { min: 1, ..self }
    }

    /// The same field of other words.
    const fn at(self, name: &'static str, word: usize) -> Field {
        Field { name, word, ..self }
    }
}

pub(super) const OP: Field = field("op", 0, 0, 3);
pub(super) const SOURCE: Field = field("source", 0, 3, 2);
pub(super) const WAIT: Field = field("wait", 0, 5, 1);
pub(super) const WAIT_FILL: Field = field("wait_fill", 0, 6, 1);
pub(super) const ROWS_BLOCK: Field = field("rows_block", 0, 7, 1);
pub(super) const K_BLOCK: Field = field("k_block", 0, 8, 1);
pub(super) const SLOW: Field = field("slow", 0, 9, 1);
pub(super) const WIDE: Field = field("addend.wide", 0, 10, 1);
pub(super) const NUMBER: Field = field("step number", 0, 16, 16);
pub(super) const ROWS: Field = field("rows", 1, 0, 16).positive();
pub(super) const PASSES: Field = field("passes", 1, 16, 16).positive();
pub(super) const K: Field = field("k", 2, 0, 16).positive();
pub(super) const BANK_STRIDE: Field = field("bank_stride", 2, 16, 16);
pub(super) const BASE: Field = field("x.base", 3, 0, 24);
pub(super) const INDEX: Field = field("x.index", 3, 24, 2);
pub(super) const X_STRIDE: Field = field("x_stride", 4, 0, 16);
pub(super) const BANK: Field = field("bank", 4, 16, 16);
pub(super) const COLS: Field = field("cols", 5, 0, 16).positive();
pub(super) const ADDEND_KIND: Field = field("addend", 5, 16, 2).within(0, 0, 2);
pub(super) const SHIFT: Field = field("shift", 5, 20, 6).within(16, -16, 47);
pub(super) const BITS: Field = field("bits", 5, 26, 5).within(0, 2, 19);
pub(super) const ADDEND: (Field, Field) = (BASE.at("addend.at.base", 6), INDEX.at("addend.at.index", 6));
pub(super) const ADDEND_STRIDE: Field = field("addend.stride", 7, 0, 16);
pub(super) const FUNCTION: Field = field("function", 7, 16, 3).within(0, 0, 5);
pub(super) const ONE: Field = field("function.one", 7, 19, 5).within(0, 0, 17);
pub(super) const FUNCTION_SHIFT: Field = field("function.shift", 7, 24, 6).within(16, -16, 15);
pub(super) const FUNCTION_TABLE: Field = field("function.table", 8, 0, 16);
pub(super) const INDEX_BITS: Field = field("function.bits", 8, 16, 4).positive();
pub(super) const DROP: Field = field("function.drop", 8, 20, 5);
pub(super) const OTHER: (Field, Field) = (BASE.at("other.at.base", 9), INDEX.at("other.at.index", 9));
pub(super) const OTHER_KIND: Field = field("other", 9, 28, 2).within(0, 0, 2);
pub(super) const OTHER_STRIDE: Field = field("other.stride", 10, 0, 16);
pub(super) const LEFT: Field = field("other.left", 10, 16, 5).within(0, 0, 15);
pub(super) const LEFT_IS_VALUE: Field = field("other.left_is_value", 10, 21, 1);
pub(super) const OTHER_SHIFT: Field = field("other.shift", 10, 22, 6).within(8, -8, 31);
pub(super) const SERIAL: Field = field("serial", 11, 0, 3).within(0, 0, 4);
pub(super) const RUNNING: Field = field("serial.running", 11, 3, 1);
pub(super) const G: Field = field("serial.g", 11, 4, 12);
pub(super) const READ: Field = field("serial.read", 11, 16, 12);
pub(super) const OFFSET: Field = field("serial.offset", 12, 0, 8).within(16, -144, 111);
pub(super) const MANTISSA_BITS: Field = field("serial.bits", 12, 8, 4).positive();
pub(super) const MANTISSA_TABLE: Field = field("serial.table", 12, 16, 16);
pub(super) const MINIMUM: Field = field("serial.minimum", 13, 0, 6).within(0, 0, 47);
pub(super) const TO_KIND: Field = field("to", 13, 6, 2);
pub(super) const NORM: Field = field("norm", 13, 8, 1);
pub(super) const SUMS_OF: Field = field("sums.of", 13, 9, 2).within(0, 0, 2);
pub(super) const SUMS_BASE: Field = field("sums.base", 13, 16, 12);
pub(super) const TO: (Field, Field) = (BASE.at("to.at.base", 14), INDEX.at("to.at.index", 14));
pub(super) const TO_BANK: Field = field("to.bank", 14, 0, 16);
pub(super) const TO_ROW: Field = field("to.row", 15, 0, 16);
pub(super) const TO_COLUMN: Field = field("to.column", 15, 16, 16);
pub(super) const NORM_DROP: Field = field("norm.drop", 16, 11, 5);
pub(super) const NORM_PARAMETERS: Field = field("norm.parameters", 16, 16, 12);
pub(super) const NORM_STORE: Field = field("norm.to", 16, 28, 1);
pub(super) const NORM_OFFSET: Field = field("norm.offset", 17, 0, 6).within(32, -32, 31);
pub(super) const NORM_SHIFT: Field = field("norm.shift", 17, 6, 6).within(8, -8, 47);
pub(super) const NORM_BITS: Field = field("norm.bits", 17, 12, 4).positive();
pub(super) const NORM_TABLE: Field = field("norm.table", 17, 16, 16);
pub(super) const NORM_TO: (Field, Field) = (BASE.at("norm.to.base", 18), INDEX.at("norm.to.index", 18));
pub(super) const NORM_ROW: Field = field("norm.to.row", 19, 0, 16);
pub(super) const FILL_FROM: Field = field("from", 1, 0, 24);
pub(super) const FILL_BANK: Field = field("bank", 2, 0, 16);
pub(super) const FILL_WORDS: Field = field("words", 2, 16, 16).positive();
pub(super) const TOKENS: Field = field("tokens", 0, 16, 16).positive();
pub(super) const NEXT_R1: Field = field("r1", 1, 0, 24);
pub(super) const NEXT_R2: Field = field("r2", 2, 0, 24);

/// The words of one step, and its name for errors.
pub(super) struct Words {
    pub(super) words: Vec<u32>,
    pub(super) step: String,
}

impl Words {
    fn held(&self, field: Field, value: i64) -> Result<i64> {
        let name = || format!("{}.{}", self.step, field.name);
        crate::spec::range(&name(), value, field.min, field.max)?;
        Ok(value)
    }

    /// Stores a value that its field allows.
    pub(super) fn put(&mut self, field: Field, value: impl Into<i64>) -> Result<()> {
        let value = self.held(field, value.into())?;
        // An offset wraps within the field: `serial.offset` is signed.
        let raw = (value + field.offset) as u32 & ((1u64 << field.bits) - 1) as u32;
        self.words[field.word] |= raw << field.low;
        Ok(())
    }

    /// The value of a field, refused if the field does not allow it.
    pub(super) fn get(&self, field: Field) -> Result<i64> {
        let word = self.words.get(field.word).ok_or_else(|| {
            let expected = format!("{} words of the step", field.word + 1);
            Error::field(&self.step, expected, self.words.len())
        })?;
        let raw = ((word >> field.low) as u64 & ((1u64 << field.bits) - 1)) as i64;
        let value = raw - field.offset;
        let wrapped = value - (1 << field.bits);
        self.held(
            field,
            if value > field.max && wrapped >= field.min {
                wrapped
            } else {
                value
            },
        )
    }

    /// A flag.
    pub(super) fn flag(&self, field: Field) -> Result<bool> {
        Ok(self.get(field)? == 1)
    }
}
