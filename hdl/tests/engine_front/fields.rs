//! One step's fields as the front gets them, and the law of its words.

use astromorph::engine::config::EngineConfig;
use astromorph::format::{Format, requant, saturate};
use astromorph_hdl::engine::front::{Front, LATENCY, RESIDUAL_LATENCY, WIDE_LATENCY};
use astromorph_hdl::number::U;
use rand::{Rng, RngExt};

/// One step's fields, raw as they are stored.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub source: u64,
    pub addend_kind: u64,
    pub wide: bool,
    pub block_first: bool,
    pub addend: u64,
    pub addend_stride: u64,
    pub shift: u64,
    pub bits: u32,
    pub function: u64,
    pub one: u64,
    pub function_shift: u64,
    pub table: u64,
    pub index_bits: u32,
    pub drop: u64,
    pub other_kind: u64,
    pub other: u64,
    pub other_stride: u64,
    pub left: u64,
    pub left_is_value: bool,
    pub other_shift: u64,
    pub serial: u64,
    pub offset: u64,
    pub rows: u64,
    pub cols: u64,
}

impl Fields {
    pub fn random(r: &mut impl Rng, core: &EngineConfig) -> Self {
        let (w, sw) = (core.width, core.serial_bits());
        let mut f = Fields {
            source: r.random_range(0..4),
            addend_kind: r.random_range(0..3),
            block_first: r.random_range(0..4) == 0,
            addend: r.random_range(0..1000) * 2,
            addend_stride: [0, 9, 20][r.random_range(0..3)],
            // The whole range, and around what brings A bits to W.
            shift: match r.random_range(0..3) {
                0 => r.random_range(0..64),
                _ => 16 + r.random_range(0..=(core.acc_bits - w + 2) as u64),
            },
            function: r.random_range(0..6),
            one: r.random_range(0..18),
            function_shift: r.random_range(0..32),
            table: r.random_range(0..512),
            index_bits: r.random_range(1..=(w - 1).min(9)),
            drop: r.random_range(0..w as u64 + 2),
            other_kind: r.random_range(0..3),
            other: r.random_range(0..4096),
            other_stride: r.random_range(0..100),
            left: r.random_range(0..16),
            left_is_value: r.random(),
            other_shift: r.random_range(0..40),
            serial: [0, 0, 1, 2, 3, 4][r.random_range(0..6)],
            offset: 0,
            rows: r.random_range(1..6),
            cols: r.random_range(1..14),
            ..Default::default()
        };
        if f.serial == 2 {
            (f.function, f.other_kind, f.addend_kind) = (0, 0, 0);
            f.offset = r.random_range(0..256);
        }
        if f.addend_kind == 2 {
            f.wide = core.acc_bits > 32 && r.random();
            f.other_kind = 0;
        }
        f.index_bits = match f.function {
            4 => f.index_bits.max(2),
            _ => f.index_bits,
        };
        f.bits = match f.function {
            _ if f.serial == 2 => sw,
            0 if f.other_kind > 0 => r.random_range(2..=w),
            0 => r.random_range(2..=sw),
            4 => f.index_bits,
            5 => w + 1,
            _ => w,
        };
        // Fields of units that do nothing hold 0.
        if ![1, 2, 3].contains(&f.function) {
            f.function_shift = 0;
        }
        if f.other_kind != 2 {
            (f.left, f.left_is_value, f.other_shift) = (0, false, 0);
        }
        f
    }

    pub fn slow(&self) -> bool {
        self.wide || self.other_kind == 2
    }

    pub fn latency(&self) -> usize {
        match (self.wide, self.other_kind) {
            (true, _) => WIDE_LATENCY,
            (_, 2) => RESIDUAL_LATENCY,
            _ => LATENCY,
        }
    }

    /// The law: linear, function, other.
    pub fn law(&self, core: &EngineConfig, tables: &[i64], t: i64, exponent: u64, operand: i64) -> [i64; 3] {
        let w = core.width;
        let cut = |x: i64, shift: i64, bits: u32| requant(x, shift as i32, Format::new(bits, 0));
        let code = if self.serial == 2 {
            // E + offset, clamped to −16..47.
            (exponent as i64 + self.offset as u8 as i8 as i64).clamp(0, 63) as u64
        } else {
            self.shift
        };
        let x = cut(t, code as i64 - 16, self.bits);
        let shift = self.function_shift as i64 - 16;
        let word = |index: i64| tables[(self.table as i64 + index) as usize % tables.len()];
        let y = match self.function {
            1 if x >= 0 => cut(x + (1 << self.one), shift, w),
            1 => word((x + (1 << (w - 1))) >> (w - 1 - self.index_bits)),
            2 => cut(x.max(0), shift, w),
            3 => {
                let index = (x.abs() >> self.drop).min((1 << self.index_bits) - 1);
                saturate(cut(x.max(0), shift, w) + word(index), w)
            }
            4 => word(x + (1 << (self.index_bits - 1))),
            5 => (x + (1 << (w - 2))).clamp(0, (1 << (w - 1)) - 1),
            _ => x,
        };
        let left = |x: i64, on: bool| if on { x << self.left } else { x };
        let z = match self.other_kind {
            1 => (y + operand).min((1 << (w - 1)) - 1),
            2 => cut(
                left(y, self.left_is_value) + left(operand, !self.left_is_value),
                self.other_shift as i64 - 8,
                w,
            ),
            _ => y,
        };
        [x, y, z]
    }

    /// The program's words as they come: word 5 in cycle 0, 6 in cycle 1, …; the step's start in cycle 10.
    pub fn apply(&self, b: &mut Front, age: usize, other: u64) {
        b.addend_start.next = age == 1;
        b.addend_row.next = age == 2;
        b.other_start.next = age == 4;
        b.other_row.next = age == 5;
        b.base.next = U::new(match age {
            1 => self.addend,
            2 => self.addend_stride,
            4 => self.other,
            5 => self.other_stride,
            _ => other,
        });
        if age == 1 {
            b.addend_kind.next = U::new(self.addend_kind);
            b.shift.next = U::new(self.shift);
            b.bits.next = U::new(self.bits as u64);
        }
        if age == 3 {
            b.function_kind.next = U::new(self.function);
            b.one.next = U::new(self.one);
            b.function_shift.next = U::new(self.function_shift);
        }
        if age == 4 {
            b.function_table.next = U::new(self.table);
            b.index_bits.next = U::new(self.index_bits as u64);
            b.drop.next = U::new(self.drop);
        }
        if age == 6 {
            b.other_kind.next = U::new(self.other_kind);
            b.left.next = U::new(self.left);
            b.left_is_value.next = self.left_is_value;
            b.other_shift.next = U::new(self.other_shift);
        }
        if age == 8 {
            b.serial.next = U::new(self.serial);
            b.offset.next = U::new(self.offset);
        }
        if age == 10 {
            b.source.next = U::new(self.source);
            b.wide.next = self.wide;
            b.block_first.next = self.block_first;
        }
    }
}
