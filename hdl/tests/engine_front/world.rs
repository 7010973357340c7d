//! The engine around the front: its memories and the array's words, and what each cycle owes.

use crate::common::number;
use crate::fields::Fields;
use crate::rng;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::front::Front;
use astromorph_hdl::number::{S, U};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// What is owed: cycle, then what shall be seen in it.
type Owed<T> = VecDeque<(usize, T)>;

fn due<T>(owed: &mut Owed<T>, n: usize) -> Option<T> {
    (owed.front()?.0 == n).then(|| owed.pop_front().unwrap().1)
}

/// The engine around the front: memories, and words that come as the array sends them.
pub struct World {
    pub r: ChaCha8Rng,
    pub core: EngineConfig,
    pub tables: Vec<i64>,
    /// Addends and states.
    pub m: Vec<i64>,
    /// Residual elements, or keys.
    pub operands: Vec<i64>,
    pub f: Fields,
    /// Cycle in which its first word came.
    pub begun: usize,
    /// Row and column of the next word; none: the step's words are in.
    pub place: Option<(u64, u64)>,
    pub next_word: usize,
    pub steps: usize,
    pub words: usize,
    pub addends: Owed<i64>,
    pub exponents: Owed<u64>,
    pub answers: Owed<i64>,
    pub positional: Owed<i64>,
    pub sums: Owed<i64>,
    pub linears: Owed<i64>,
    pub functions: Owed<(i64, bool)>,
    pub results: Owed<(i64, bool, bool)>,
    pub passes: Owed<()>,
    pub stores: Owed<(usize, i64)>,
}

impl World {
    pub fn new(seed: u64, core: EngineConfig) -> Self {
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

    pub fn drive(&mut self, b: &mut Front, n: usize) {
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

    pub fn look(&mut self, b: &Front, n: usize) {
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
