//! The control of the engine, cycle by cycle: what the blocks' `update` functions do, less the words.

use super::decode::{BANK, Fields, Op, Sizes};
use super::registers::{Registers, State};

/// Bits of the front's line in which a state is stored (the second of a wide one a bit later), a key and a residual operand asked for.
const STORE_BIT: u32 = 3;
const KEY_BIT: u32 = 7;
const RESIDUAL_BIT: u32 = 9;

/// An engine with a program.
pub(super) struct Control {
    pub r: Registers,
    pub(super) sizes: Sizes,
    pub(super) ops: Vec<Op>,
    pub(super) tokens: u32,
    /// The step whose words are in the stream, or were.
    pub step: Option<usize>,
    /// Multiplications that the walker decided on in the last cycle, and of which step.
    pub slots: (usize, u64),
    /// Fields of the step whose words 5 to 15 came last.
    pub(super) fields: Fields,
    pub(super) fields_next: Option<Fields>,
    /// Its layer norm's results are summed: a cycle later.
    pub(super) sum_norm: bool,
    /// The last layer norm's results are stored.
    pub(super) stored: bool,
    /// Source and pace of the step in the conveyor.
    pub(super) source: u8,
    pub(super) slow: bool,
}

impl Control {
    /// Asleep, its registers settled, in beat `beat` of four.
    pub fn new(sizes: Sizes, ops: Vec<Op>, tokens: u32, beat: u32) -> Self {
        let mut control = Control {
            r: Registers::default(),
            sizes,
            ops,
            tokens,
            step: None,
            slots: (0, 0),
            fields: Fields::default(),
            fields_next: None,
            sum_norm: false,
            stored: false,
            source: 0,
            slow: false,
        };
        // Both count from power-up on; the layer norm's moves by one at most, with its first word.
        control.r.beat = beat % 4;
        control.r.norm.beat = beat % 4;
        for _ in 0..8 {
            control.cycle(false);
        }
        control
    }

    pub(super) fn op(&self, at: usize) -> Fields {
        match self.ops[at] {
            Op::Run(fields) => fields,
            _ => Fields::default(),
        }
    }

    /// The words of a sequence wait at the port, `row` to a row.
    pub fn offer(&mut self) {
        let input = self.ops.iter().find_map(|op| match op {
            Op::Run(f) if f.source == 1 => Some(f.cols as u64),
            _ => None,
        });
        self.r.intake.to_send = self.tokens as u64 * input.unwrap_or(0);
        self.r.intake.to_use = self.r.intake.to_send;
    }

    /// A sequence is in work.
    pub fn busy(&self) -> bool {
        self.r.fetch.state != State::Asleep
    }

    /// One cycle; `begins`: a first word waits.
    pub fn cycle(&mut self, begins: bool) {
        let q = self.r;
        let mut d = q;
        let odd = q.beat & 1 == 1;
        let f = self.fields;

        // Who uses M and X: the stream first.
        let two = f.two;
        let bit = |n: u32| q.stream.words >> n & 1 == 1;
        let entry = match self.sizes.latency % 2 == 1 && self.source != 2 {
            true => q.conveyor.flags_1,
            false => q.conveyor.flags,
        };
        let addend = entry.valid && f.addend || !odd && q.stream.late.valid && two;
        let state_store = odd && (bit(STORE_BIT) && f.state || bit(STORE_BIT + 1) && two);
        let key = odd && bit(KEY_BIT) && f.key;
        let operand = odd && bit(RESIDUAL_BIT) && f.residual;
        let granted = q.fetch.wanted > 0 && !(addend || state_store || key);
        let blocked = f.to == BANK && !q.stream_idle;
        let fills = q.fill.asking && !blocked && q.fetch.wanted == 0 && !(addend || state_store || key);

        // Array.
        let captured = q.walker.ends >> self.sizes.latency & 1 == 1;
        let chain_free = !q.conveyor.full && (!q.conveyor.running || q.conveyor.near);
        let taken = self.walker(&q, &mut d, odd, chain_free, captured);
        self.fetch(&q, &mut d, begins, granted, taken);
        self.fill(&q, &mut d, fills);

        // Words.
        let used = self.conveyor(&q, &mut d, captured);
        super::words::intake(&q, &mut d, used, q.fetch.start && self.op(q.fetch.started).source == 1);
        let (x, unit) = self.stream(&q, &mut d, odd, entry);
        let norm_word = self.norm(&q, &mut d, entry, x, unit);
        self.store(&q, &mut d, odd, operand, norm_word);

        // The engine's own.
        d.beat = (q.beat + 1) % 4;
        let begun = q.conveyor.row_begin && f.norm;
        let ended = norm_word.valid && norm_word.row_last;
        d.rows_open = q.rows_open + begun as u32 - ended as u32;
        d.norm_room = q.rows_open & 2 == 0;
        let waiting = q.store.queue.some || q.store.queue.waiting > 0 || q.store.head_full;
        d.norm_idle = q.rows_open == 0 && q.norm.unfinished == 0 && !waiting;
        let c = &q.conveyor;
        let active = c.active || [c.flags_1, c.flags_3, c.flags_5, c.flags].iter().any(|w| w.valid);
        let comes = x.valid || entry.valid && f.looked_up || self.sum_norm && q.norm.unfinished > 0;
        let tail = comes || q.stream.came || q.stream.waiting > 0;
        let front = q.stream.words != 0 || q.stream.late.valid;
        d.stream_idle = !q.fetch.start && !active && !front && !tail;
        d.stream.came = comes;
        d.stream.waiting = match (q.stream.came, f.serial) {
            (true, true) => self.sizes.serial,
            (true, false) => self.sizes.plain,
            (false, _) => q.stream.waiting.saturating_sub(1),
        };
        let walking = q.walker.running || q.walker.pending || q.walker.pair;
        d.quiet = q.stream_idle && q.norm_idle && !walking && !q.intake.opened && !q.store.ending;
        if q.fetch.start {
            self.step = Some(q.fetch.started);
            let run = self.op(q.fetch.started);
            (self.source, self.slow) = (run.source, run.slow);
            if run.norm {
                d.norm.width = run.cols;
            }
        }
        self.sum_norm = f.sum_norm;
        if let Some(fields) = self.fields_next.take() {
            self.fields = fields;
        }
        self.r = d;
    }
}
