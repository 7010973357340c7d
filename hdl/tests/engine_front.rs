//! The front of the engine's stream: every block against its law and, through the emitted Verilog, against Icarus.

mod common;

use astromorph::engine::config::EngineConfig;
use astromorph::format::{Format, requant, saturate};
use astromorph_hdl::engine::front::{Front, LATENCY, RESIDUAL_LATENCY, WIDE_LATENCY};
use astromorph_hdl::engine::function::Function;
use astromorph_hdl::engine::linear::Linear;
use astromorph_hdl::engine::other::Other;
use astromorph_hdl::engine::shifter::{self, Shifter};
use astromorph_hdl::engine::walker::Walker;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use common::{record, record_steps, settle};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number of `bits` with sign: extremes, small and large ones.
fn number(rng: &mut impl Rng, bits: u32) -> i64 {
    let top = (1i64 << (bits - 1)) - 1;
    match rng.random_range(0..8) {
        0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
        1 => (1 << rng.random_range(0..bits - 1)) - rng.random_range(0..2),
        2 => -(1 << rng.random_range(0..bits - 1)) + rng.random_range(0..2),
        3 => rng.random_range(-top - 1..=top),
        _ => rng.random_range(-top - 1..=top) >> rng.random_range(0..bits),
    }
}

#[test]
fn walker_steps_and_rows() {
    let mut r = rng(1);
    let (mut pointer, mut row, mut col, mut cols, mut wait) = (None, 0u64, 0u64, 0, 0u32);
    record_steps(
        Walker::new("walker", 12).unwrap(),
        |b| &mut b.clock,
        4000,
        |b, n, settled| {
            if settled {
                if let Some(pointer) = pointer {
                    assert_eq!(b.address.val().get(), pointer);
                }
                return;
            }
            wait = if n == 0 || r.random_range(0..50) == 0 {
                4
            } else {
                wait.saturating_sub(1)
            };
            // Cleared, loaded, and then the way to the next row is known.
            b.clear.next = wait == 4;
            b.load.next = wait == 3;
            b.base.next = U::new(r.random_range(0..4096));
            b.step.next = false;
            b.row_end.next = r.random();
            if wait == 3 {
                b.stride.next = U::new(r.random_range(0..1 << 16));
                cols = r.random_range(1..9);
                b.cols_not.next = S::new(!cols);
                (row, col) = (b.base.next.get(), 0);
            } else if wait == 0 {
                b.step.next = r.random_range(0..3) > 0;
                b.row_end.next = col + 1 == cols as u64;
            }
            pointer = (wait < 3).then_some((row + col) % 4096);
            if b.step.next {
                (row, col) = if b.row_end.next {
                    (row + b.stride.next.get(), 0)
                } else {
                    (row, col + 1)
                };
            }
        },
    )
    .compare("walker");
}

#[test]
fn shifter_is_requant() {
    let mut r = rng(2);
    for (x_bits, y_bits) in [(26, 17), (40, 17), (32, 17), (48, 19), (25, 17), (36, 19)] {
        let mut owed = VecDeque::new();
        let mut bits = VecDeque::new();
        let mut saturated = 0;
        record_steps(
            Shifter::new("shifter", x_bits, y_bits).unwrap(),
            |b| &mut b.clock,
            20000,
            |b, _, settled| {
                if settled {
                    if owed.len() > shifter::LATENCY {
                        assert_eq!(b.y.val().get(), owed.pop_front().unwrap());
                    }
                    return;
                }
                let (x, field, n) = (
                    number(&mut r, x_bits),
                    r.random_range(0..64),
                    r.random_range(2..=y_bits),
                );
                b.x.next = S::new(x);
                b.field.next = U::new(field);
                bits.push_back(n as u64);
                let late = bits.len() > shifter::BITS_LATENCY;
                b.bits.next = U::new(if late { bits.pop_front().unwrap() } else { 2 });
                let want = requant(x, field as i32 - 16, Format::new(n, 0));
                saturated += usize::from(want == Format::new(n, 0).max());
                owed.push_back(want);
            },
        )
        .compare(&format!("shifter-{x_bits}-{y_bits}"));
        assert!((1000..15000).contains(&saturated), "{saturated} saturated");
    }
}

fn core(width: u32, acc_bits: u32) -> EngineConfig {
    EngineConfig {
        name: "test".into(),
        lanes: 4,
        width,
        acc_bits,
        bank_words: 64,
        x_words: 4096,
        m_words: 2048,
        function_words: 512,
        mantissa_words: 64,
        sums: 16,
        reads: 16,
        norm_width: 16,
        norm_words: 64,
    }
}

const CORES: [(u32, u32); 6] = [(8, 26), (16, 40), (18, 48), (16, 32), (8, 16), (12, 34)];

/// ECP5 has other table memories; its widest words are its own.
fn target(width: u32) -> Target {
    match width {
        16 | 18 => Target::Ecp5,
        8 => Target::Ice40,
        _ => Target::Generic,
    }
}

#[test]
fn units_are_their_verilog() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut r = rng(width as u64);
        record(
            Linear::new(acc, target(width)).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, _| {
                b.even.next = r.random();
                b.line.next = U::new(r.random());
                b.late.next = r.random();
                b.word.next = S::new(number(&mut r, acc));
                b.addend_used.next = r.random();
                b.wide.next = r.random();
                b.addend.next = S::new(number(&mut r, 32));
                b.shift.next = U::new(r.random());
                b.normalise.next = r.random();
                b.offset.next = U::new(r.random());
                b.exponent.next = U::new(r.random());
            },
            |_, _| {},
        )
        .compare(&format!("linear-{width}-{acc}"));
        let target = target(width);
        record(
            Function::new(&core, target).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, n| {
                b.table_write.next = n < 1000;
                b.table_address.next = U::new(r.random());
                b.table_data.next = S::new(number(&mut r, width));
                b.even.next = r.random();
                b.line.next = U::new(if n < 1000 { 0 } else { r.random() });
                b.x.next = S::new(number(&mut r, width.max(15) + 1));
                b.x_negative.next = r.random();
                b.kind.next = U::new(r.random());
                b.one.next = U::new(r.random());
                b.index_bits.next = U::new(r.random());
                b.drop.next = U::new(r.random());
                b.first.next = U::new(r.random());
                b.y.next = S::new(number(&mut r, width.max(15) + 1));
            },
            |_, _| {},
        )
        .compare_for(&format!("function-{width}-{acc}"), target);
        record(
            Other::new(&core, target).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, _| {
                b.even.next = r.random();
                b.line.next = U::new(r.random());
                b.word.next = S::new(number(&mut r, width.max(16)));
                b.operand.next = S::new(number(&mut r, width));
                b.positional.next = S::new(number(&mut r, width));
                b.key.next = r.random();
                b.residual.next = r.random();
                b.left.next = U::new(r.random());
                b.left_is_value.next = r.random();
                b.y.next = S::new(number(&mut r, width.max(15) + 1));
            },
            |_, _| {},
        )
        .compare(&format!("other-{width}-{acc}"));
    }
}

/// One step's fields, raw as they are stored.
#[derive(Clone, Debug, Default)]
struct Fields {
    source: u64,
    addend_kind: u64,
    wide: bool,
    block_first: bool,
    addend: u64,
    addend_stride: u64,
    shift: u64,
    bits: u32,
    function: u64,
    one: u64,
    function_shift: u64,
    table: u64,
    index_bits: u32,
    drop: u64,
    other_kind: u64,
    other: u64,
    other_stride: u64,
    left: u64,
    left_is_value: bool,
    other_shift: u64,
    serial: u64,
    offset: u64,
    rows: u64,
    cols: u64,
}

impl Fields {
    fn random(r: &mut impl Rng, core: &EngineConfig) -> Self {
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

    fn slow(&self) -> bool {
        self.wide || self.other_kind == 2
    }

    fn latency(&self) -> usize {
        match (self.wide, self.other_kind) {
            (true, _) => WIDE_LATENCY,
            (_, 2) => RESIDUAL_LATENCY,
            _ => LATENCY,
        }
    }

    /// The law: linear, function, other.
    fn law(&self, core: &EngineConfig, tables: &[i64], t: i64, exponent: u64, operand: i64) -> [i64; 3] {
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
    fn apply(&self, b: &mut Front, age: usize, other: u64) {
        b.clear.next = age == 0;
        b.addend_start.next = age == 1;
        b.other_start.next = age == 4;
        b.base.next = U::new(match age {
            1 => self.addend,
            4 => self.other,
            _ => other,
        });
        if age == 1 {
            b.cols.next = U::new(self.cols);
            b.addend_kind.next = U::new(self.addend_kind);
            b.shift.next = U::new(self.shift);
            b.bits.next = U::new(self.bits as u64);
        }
        if age == 3 {
            b.addend_stride.next = U::new(self.addend_stride);
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
            b.other_stride.next = U::new(self.other_stride);
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

/// What is owed: cycle, then what shall be seen in it.
type Owed<T> = VecDeque<(usize, T)>;

fn due<T>(owed: &mut Owed<T>, n: usize) -> Option<T> {
    (owed.front()?.0 == n).then(|| owed.pop_front().unwrap().1)
}

/// The engine around the front: memories, and words that come as the array sends them.
struct World {
    r: ChaCha8Rng,
    core: EngineConfig,
    tables: Vec<i64>,
    /// Addends and states.
    m: Vec<i64>,
    /// Residual elements, or keys.
    operands: Vec<i64>,
    f: Fields,
    /// Cycle in which its first word came.
    begun: usize,
    /// Row and column of the next word; none: the step's words are in.
    place: Option<(u64, u64)>,
    next_word: usize,
    steps: usize,
    words: usize,
    addends: Owed<i64>,
    exponents: Owed<u64>,
    answers: Owed<i64>,
    positional: Owed<i64>,
    sums: Owed<i64>,
    linears: Owed<i64>,
    functions: Owed<(i64, bool)>,
    results: Owed<(i64, bool, bool)>,
    passes: Owed<()>,
    stores: Owed<(usize, i64)>,
}

impl World {
    fn new(seed: u64, core: EngineConfig) -> Self {
        let mut r = rng(seed);
        let tables = (0..512).map(|_| number(&mut r, core.width)).collect();
        World {
            tables,
            m: vec![0; core.m_words],
            operands: vec![0; 4096],
            r,
            core,
            f: Fields::default(),
            begun: 0,
            place: None,
            next_word: 0,
            steps: 0,
            words: 0,
            addends: Owed::new(),
            exponents: Owed::new(),
            answers: Owed::new(),
            positional: Owed::new(),
            sums: Owed::new(),
            linears: Owed::new(),
            functions: Owed::new(),
            results: Owed::new(),
            passes: Owed::new(),
            stores: Owed::new(),
        }
    }

    fn begin(&mut self, n: usize) {
        let (r, core) = (&mut self.r, &self.core);
        self.f = Fields::random(r, core);
        let (a, f) = (core.acc_bits, &self.f);
        // Sums have to fit A bits, a narrow state's 32.
        for word in &mut self.m {
            *word = match f.wide {
                true => r.random::<i32>() as i64,
                false => number(r, (a - 1).min(if f.addend_kind == 2 { 31 } else { 32 })),
            };
        }
        for word in &mut self.operands {
            let word_of = number(r, core.width);
            *word = if f.other_kind == 1 { word_of.max(0) } else { word_of };
        }
        self.begun = n;
        self.place = Some((0, 0));
        self.next_word = (n + 13) & !1;
        self.steps += 1;
    }

    fn word(&mut self, b: &mut Front, n: usize, (row, col): (u64, u64)) {
        let (r, core, f) = (&mut self.r, &self.core, &self.f);
        let a = core.acc_bits;
        let mut word = number(
            r,
            if f.addend_kind == 2 && !f.wide {
                (a - 1).min(31)
            } else {
                a - 1
            },
        );
        let row_last = col + 1 == f.cols;
        let last = row_last && row + 1 == f.rows;
        let number_of = (row * f.cols + col) as usize;
        let m = |address: usize| self.m[address % self.m.len()];
        let mut t = word;
        match f.addend_kind {
            1 => t += m((f.addend + row * f.addend_stride + col) as usize),
            2 if !f.block_first && !f.wide => t += m(f.addend as usize + number_of),
            2 if !f.block_first => {
                // The high word lies first; of A − 32 bits, the others mean nothing.
                let (high, low) = (
                    m(f.addend as usize + 2 * number_of),
                    m(f.addend as usize + 2 * number_of + 1),
                );
                let state = (high << 32 | (low & 0xffff_ffff)) << (64 - a) >> (64 - a);
                // No sum may leave A bits.
                while word + state != (word + state) << (64 - a) >> (64 - a) {
                    word /= 2;
                }
                t = word + state;
            }
            _ => {}
        }
        let wrapped = t << (64 - a) >> (64 - a);
        assert_eq!(t, wrapped, "the test's own sums fit");
        let (exponent, at) = (r.random_range(0..48), (f.other + row * f.other_stride + col) as usize);
        let operand = self.operands[at % self.operands.len()];
        let [x, y, z] = f.law(core, &self.tables, t, exponent, operand);
        b.entry_valid.next = true;
        b.entry_word.next = S::new(word);
        b.entry_row_last.next = row_last;
        b.entry_last.next = last;
        self.exponents.push_back((n + 3, exponent));
        let late = if f.wide { 2 } else { 0 };
        if f.source == 0 {
            self.sums.push_back((n + 5 + late, t));
        }
        if f.serial < 3 {
            self.linears.push_back((n + 10 + late, x));
        }
        self.functions.push_back((n + 19 + late, (y, row_last)));
        self.results.push_back((n + f.latency(), (z, row_last, last)));
        if f.addend_kind == 2 {
            let first = f.addend as usize + number_of * (1 + f.wide as usize);
            if f.wide {
                self.stores.push_back((n + 7, (first, t >> 32)));
                self.stores.push_back((n + 9, (first + 1, t)));
            } else {
                self.stores.push_back((n + 5, (first, t)));
            }
        }
        self.words += 1;
    }

    fn drive(&mut self, b: &mut Front, n: usize) {
        b.even.next = n.is_multiple_of(2);
        b.entry_valid.next = false;
        // A word stands for two cycles.
        if n.is_multiple_of(2) {
            b.entry_word.next = S::new(number(&mut self.r, self.core.acc_bits));
        }
        b.entry_row_last.next = false;
        b.entry_last.next = false;
        b.entry_pass_last.next = false;
        b.table_write.next = n < 512;
        if n < 512 {
            b.table_address.next = U::new(n as u64);
            b.table_data.next = S::new(self.tables[n]);
            return;
        }
        if self.place.is_none() && !b.busy.val() {
            assert!(self.results.is_empty(), "idle, but words are owed");
            self.begin(n);
        } else if n == self.next_word
            && let Some((row, col)) = self.place
        {
            self.word(b, n, (row, col));
            self.place = match (row, col) {
                _ if col + 1 < self.f.cols => Some((row, col + 1)),
                _ if row + 1 < self.f.rows => Some((row + 1, 0)),
                _ => None,
            };
            let step = if self.f.slow() { 4 } else { 2 };
            let wait = if self.r.random_range(0..6) == 0 {
                self.r.random_range(1..8)
            } else {
                0
            };
            self.next_word = n + step * (1 + wait);
        }
        let other = self.r.random();
        self.f.apply(b, n - self.begun, other);
        b.entry_soon.next = self.place.is_some() && self.next_word == n + 1;
        // A pass may end with lanes beyond the last column.
        if n.is_multiple_of(2) && self.steps > 0 && b.busy.val() && self.r.random_range(0..5) == 0 {
            b.entry_pass_last.next = true;
            self.passes.push_back((n + self.f.latency(), ()));
        }
        b.addend.next = S::new(due(&mut self.addends, n).unwrap_or(number(&mut self.r, 32)));
        b.exponent.next = U::new(due(&mut self.exponents, n).unwrap_or(self.r.random_range(0..64)));
        b.operand.next = S::new(due(&mut self.answers, n).unwrap_or(number(&mut self.r, self.core.width)));
        b.positional.next = S::new(due(&mut self.positional, n).unwrap_or(number(&mut self.r, self.core.width)));
    }

    fn look(&mut self, b: &Front, n: usize) {
        let f = &self.f;
        if b.addend_request.val() {
            assert_eq!(n % 2, 0);
            self.addends
                .push_back((n + 3, self.m[b.addend_address.val().index() % self.m.len()]));
        }
        if b.key_request.val() || b.residual_request.val() {
            assert_eq!(n % 2, 1);
            let word = self.operands[b.operand_address.val().index() % 4096];
            if f.other_kind == 2 {
                self.answers.push_back((n + 3, word));
            } else {
                self.positional.push_back((n + 5, word));
            }
        }
        let store = due(&mut self.stores, n);
        assert_eq!(b.state_store.val(), store.is_some(), "cycle {n}: store");
        if let Some((address, word)) = store {
            assert_eq!(n % 2, 1);
            assert_eq!(b.state_address.val().index(), address % self.m.len());
            // The high word has A − 32 bits.
            let high = f.wide && (address - f.addend as usize).is_multiple_of(2);
            let spare = 64 - if high { self.core.acc_bits - 32 } else { 32 };
            assert_eq!(b.state_data.val().get() << spare, word << spare, "cycle {n}: {f:?}");
        }
        let tap = |valid: bool, data: i64, want: Option<i64>, what: &str| {
            assert_eq!(valid.then_some(data), want, "cycle {n}: {what} of {f:?}");
        };
        tap(
            b.tap_sum_valid.val(),
            b.tap_sum_data.val().get(),
            due(&mut self.sums, n),
            "sum",
        );
        tap(
            b.tap_linear_valid.val(),
            b.tap_linear_data.val().get(),
            due(&mut self.linears, n),
            "linear",
        );
        let function = due(&mut self.functions, n);
        let shown = function.map(|(y, _)| y).filter(|_| f.function > 0);
        tap(
            b.tap_function_valid.val(),
            b.tap_function_data.val().get(),
            shown,
            "function",
        );
        assert_eq!(b.function_valid.val(), function.is_some());
        if let Some((y, row_last)) = function {
            let spare = 64 - self.core.width;
            assert_eq!(
                (b.function_word.val().get(), b.function_row_last.val()),
                (y << spare >> spare, row_last)
            );
        }
        let result = due(&mut self.results, n);
        let shown = result.map(|(z, ..)| z).filter(|_| f.other_kind > 0);
        tap(b.tap_other_valid.val(), b.tap_other_data.val().get(), shown, "other");
        assert_eq!(b.x_valid.val(), result.is_some());
        if let Some(result) = result {
            assert_eq!(
                (b.x.val().get(), b.x_row_last.val(), b.x_last.val()),
                result,
                "cycle {n}: {f:?}"
            );
        }
        assert_eq!(b.x_pass_last.val(), due(&mut self.passes, n).is_some());
    }
}

#[test]
fn front_is_the_law() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut world = World::new(width as u64 * 100 + acc as u64, core.clone());
        let mut front = Front::new(&core, target(width)).unwrap();
        front.connect_all();
        settle(&mut front);
        for n in 0..40_000 {
            world.drive(&mut front, n);
            front.clock.next.clk = false;
            settle(&mut front);
            world.look(&front, n);
            front.clock.next.clk = true;
            settle(&mut front);
        }
        println!("front-{width}-{acc}: {} steps, {} words", world.steps, world.words);
        assert!(world.steps > 120 && world.words > 2500);
    }
}

#[test]
fn front_is_its_verilog() {
    for (width, acc) in CORES {
        let core = core(width, acc);
        let mut world = World::new(width as u64 * 100 + acc as u64, core.clone());
        record_steps(
            Front::new(&core, target(width)).unwrap(),
            |b| &mut b.clock,
            2500,
            |b, n, settled| match settled {
                false => world.drive(b, n),
                true => world.look(b, n),
            },
        )
        .compare_for(&format!("front-{width}-{acc}"), target(width));
    }
}
