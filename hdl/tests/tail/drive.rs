//! Drives a [`Tail`] through steps as the engine does: words on even cycles, the front as a delay, gaps, holds.

use super::{Loads, Step, Words};
use astromorph::engine::config::EngineConfig;
use astromorph::format::{Format, requant};
use astromorph_hdl::engine::tail::Tail;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// A word on its way through the front.
struct Word {
    entered: usize,
    word: i64,
    row_last: bool,
    last: bool,
}

/// See the module's text.
pub struct Driver {
    steps: Vec<Step>,
    loads: Loads,
    serial_bits: u32,
    rng: ChaCha8Rng,
    /// Entry to function and to x.
    function_latency: usize,
    front_latency: usize,
    /// Next load.
    target: Target,
    loaded: usize,
    /// Present step, and where it is: row, column of the next word.
    present: Option<usize>,
    row: usize,
    column: usize,
    /// Cycle in which the step's words may begin.
    from: usize,
    scans: usize,
    functions: VecDeque<Word>,
    front: VecDeque<Word>,
    scanned: VecDeque<usize>,
    held: usize,
    after_hold: usize,
    pub seen: Words,
}

impl Driver {
    pub fn new(core: &EngineConfig, target: Target, loads: Loads, steps: Vec<Step>, mut rng: ChaCha8Rng) -> Self {
        Driver {
            target,
            steps,
            loads,
            serial_bits: core.serial_bits(),
            function_latency: rng.random_range(5..8),
            front_latency: rng.random_range(8..14),
            rng,
            loaded: 0,
            present: None,
            row: 0,
            column: 0,
            from: 0,
            scans: 0,
            functions: VecDeque::new(),
            front: VecDeque::new(),
            scanned: VecDeque::new(),
            held: 0,
            after_hold: 0,
            seen: Words::default(),
        }
    }

    /// Enough cycles.
    pub fn cycles(&self) -> usize {
        let words = |s: &Step| {
            s.rows
                .iter()
                .map(|r| r.len() * if s.norm.is_some() { 16 } else { 8 } + 110)
                .sum::<usize>()
        };
        self.loads.table.len() + self.loads.parameters.len() + self.steps.iter().map(|s| words(s) + 80).sum::<usize>()
    }

    pub fn done(&self) -> bool {
        self.present == Some(self.steps.len()) && self.front.is_empty()
    }

    pub fn place(&self) -> String {
        format!("step {:?} row {} column {}", self.present, self.row, self.column)
    }

    pub fn step(&mut self, t: &mut Tail, n: usize, settled: bool) {
        if settled {
            self.look(t, n);
        } else {
            self.drive(t, n);
        }
    }

    fn drive(&mut self, t: &mut Tail, n: usize) {
        (t.start.next, t.entry_valid.next, t.x_valid.next, t.function_valid.next) = (false, false, false, false);
        (
            t.table_write.next,
            t.parameter_write.next,
            t.scan.next,
            t.x_pass_last.next,
        ) = (false, false, false, false);
        if self.held == 0 && self.rng.random_range(0..40) == 0 {
            self.held = self.rng.random_range(1..60);
        }
        t.hold.next = self.held > 0;
        self.held = self.held.saturating_sub(1);
        let Some(present) = self.present else {
            let k = self.loaded;
            if k < self.loads.table.len() {
                t.table_write.next = true;
                (t.table_address.next, t.table_data.next) = (U::new(k as u64), S::new(self.loads.table[k]));
            } else if k - self.loads.table.len() < self.loads.parameters.len() {
                let k = k - self.loads.table.len();
                let (gamma, beta) = self.loads.parameters[k];
                t.parameter_write.next = true;
                t.parameter_address.next = U::new(k as u64);
                (t.parameter_gamma.next, t.parameter_beta.next) = (S::new(gamma), S::new(beta));
            } else {
                self.begin(t, n, 0);
            }
            self.loaded += 1;
            return;
        };
        if let Some(word) = self
            .functions
            .front()
            .filter(|w| w.entered + self.function_latency == n)
        {
            t.function_valid.next = true;
            t.function_word.next = S::new(word.word);
            t.function_row_last.next = word.row_last;
            self.functions.pop_front();
        }
        if let Some(word) = self.front.front().filter(|w| w.entered + self.front_latency == n) {
            t.x_valid.next = true;
            t.x.next = S::new(word.word);
            (t.x_row_last.next, t.x_last.next) = (word.row_last, word.last);
            t.x_pass_last.next = word.word % 3 == 0;
            self.front.pop_front();
        }
        let Some(step) = self.steps.get(present) else {
            return;
        };
        if self.row == step.rows.len() {
            let idle = self.front.is_empty()
                && self.functions.is_empty()
                && !t.x_valid.next
                && !t.busy.val()
                && n > self.from + 4;
            if idle && self.scans < step.scan {
                t.scan.next = true;
                t.scan_column.next = U::new(self.scans as u64);
                self.scanned.push_back(n + 3);
                self.scans += 1;
            } else if idle && self.scanned.is_empty() {
                let next = self.steps.get(present + 1);
                let free = next.is_none_or(|s| s.serial == 0 && s.norm.is_none()) || !t.norm_busy.val();
                if free && (next.is_some() || !t.norm_busy.val()) && self.rng.random_range(0..3) > 0 {
                    self.begin(t, n, present + 1);
                }
            }
            return;
        }
        let pace = if step.slow { 4 } else { 2 };
        let waits = step.norm.is_some() && self.column == 0 && !t.norm_ready.val();
        if n < self.from || !(n - self.from).is_multiple_of(pace) || waits || self.rng.random_range(0..6) == 0 {
            return;
        }
        let (word, cols) = (step.rows[self.row][self.column], step.rows[self.row].len());
        let (row_last, last) = (self.column + 1 == cols, self.row + 1 == step.rows.len());
        t.entry_valid.next = true;
        t.entry_word.next = S::new(word);
        (t.entry_row_last.next, t.entry_last.next) = (row_last, row_last && last);
        // Power and Count leave nothing behind in the front; the words of the others are what the front's units make of them.
        if step.serial < 3 || step.running {
            let on_its_way = || Word {
                entered: n,
                word,
                row_last,
                last: row_last && last,
            };
            self.front.push_back(on_its_way());
            if step.sums_of == 1 {
                self.functions.push_back(on_its_way());
            }
        }
        self.column += 1;
        if row_last {
            (self.row, self.column) = (self.row + 1, 0);
        }
        if self.row == step.rows.len() {
            self.from = n;
        }
    }

    fn begin(&mut self, t: &mut Tail, n: usize, number: usize) {
        self.present = Some(number);
        (self.row, self.column, self.scans) = (0, 0, 0);
        // Even cycles, after the start.
        self.from = (n + 2 + self.rng.random_range(0..4)) / 2 * 2;
        if self.from < n + 1 {
            self.from += 2;
        }
        let Some(s) = self.steps.get(number) else {
            return;
        };
        t.start.next = true;
        t.block_first.next = s.block_first;
        t.serial.next = U::new(s.serial);
        (t.g.next, t.read.next) = (U::new(s.g), U::new(s.read));
        (t.mantissa_bits.next, t.mantissa_table.next) = (U::new(s.bits), U::new(s.table));
        t.minimum.next = U::new(s.minimum);
        t.running.next = s.running;
        (t.sums_of.next, t.sums_base.next) = (U::new(s.sums_of), U::new(s.sums_base));
        t.norm.next = s.norm.is_some();
        t.cols.next = U::new(s.rows[0].len() as u64);
        if let Some(f) = s.norm {
            (t.norm_drop.next, t.norm_parameters.next) = (U::new(f.drop), U::new(f.parameters));
            (t.norm_offset.next, t.norm_shift.next) = (U::new(f.offset), U::new(f.shift));
            (t.norm_bits.next, t.norm_table.next) = (U::new(f.bits), U::new(f.table));
        }
    }

    fn look(&mut self, t: &Tail, n: usize) {
        // The front's first rounding, with the E that comes 3 cycles after the word has entered.
        if let Some(present) = self.present.and_then(|p| self.steps.get(p)).filter(|s| s.serial == 2) {
            for word in self.front.iter_mut().filter(|w| w.entered + 3 == n) {
                let shift = t.exponent.val().get() as i32 + present.offset;
                word.word = requant(word.word, shift, Format::new(self.serial_bits, 0));
            }
        }
        let mut take = |valid: bool, data: i64, to: fn(&mut Words) -> &mut Vec<i64>| {
            if valid {
                to(&mut self.seen).push(data);
            }
        };
        take(t.result_valid.val(), t.result.val().get(), |w| &mut w.results);
        take(t.tap_calcium_valid.val(), t.tap_calcium_data.val().get(), |w| {
            &mut w.calcium
        });
        take(t.tap_power_valid.val(), t.tap_power_data.val().get(), |w| &mut w.power);
        take(t.tap_normalise_valid.val(), t.tap_normalise_data.val().get(), |w| {
            &mut w.normalise
        });
        take(t.tap_norm_valid.val(), t.tap_norm_data.val().get(), |w| &mut w.norm);
        take(t.tap_sums_valid.val(), t.tap_sums_data.val().get(), |w| &mut w.sums);
        take(self.scanned.front() == Some(&n), t.scan_word.val().get(), |w| {
            &mut w.scanned
        });
        if self.scanned.front() == Some(&n) {
            self.scanned.pop_front();
        }
        assert_eq!(t.norm_valid.val(), t.tap_norm_valid.val());
        self.after_hold = if t.hold.next {
            self.after_hold + usize::from(t.norm_valid.val())
        } else {
            0
        };
        assert!(self.after_hold <= astromorph_hdl::engine::tail::norm_in_flight(self.target));
    }
}
