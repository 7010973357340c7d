//! How long a program takes: the times at which the control's decisions fall, pass by pass, without the words.
//!
//! The rules are those of [`fetch`](super::fetch), [`array_walker`](super::array_walker), [`conveyor`](super::conveyor) and
//! [`norm`](super::norm); the comments name the registers. Input comes and output goes without stalls. Left out: a fetch that waits for a
//! word of M because the stream or a fill reads it in that cycle, and a layer norm held because its stores find no free cycle.
//!
//! Example: a dense step of 4 rows, 2 passes and 8 products.
//!
//! ```
//! use astromorph::engine::{config::EngineConfig, program::*};
//! use astromorph_hdl::{engine::timing::timing, multiply::Target};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128 };
//! let stream = Stream { cols: 8, slow: false, addend: Addend::None, shift: 0, bits: 8, function: Function::None, other: Other::None,
//!     serial: Serial::None, sums: None, to: To::X { at: At::fixed(512), row: 8, column: 1 }, norm: None };
//! let mac = Mac { rows: Extent::Fixed(4), passes: 2, k: Extent::Fixed(8), x: At::fixed(0), x_stride: 8, bank: 0, bank_stride: 8 };
//! let step = |source, stream| Step::Run(Box::new(Run { label: String::new(), names: vec![], source, wait: true, wait_fill: false, stream }));
//! let program = Program { n_max: 4, steps: vec![step(Source::Input, stream), step(Source::Array(mac), stream), Step::End] };
//! let t = timing(&core, Target::Generic, &program, 4).unwrap();
//! assert_eq!(t.steps[1].slots, 4 * 2 * 8);
//! assert!(t.steps[1].cycles >= 64 && t.steps[1].cycles < 64 + 120);
//! ```

use super::conveyor::lead;
use super::fetch::word_latency;
use super::top::{array_config, array_latency};
use super::{front, norm, tail};
use crate::multiply::Target;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{Addend, Extent, Fill, Mac, Other, Program, Run, Serial, Source, Step, Summed, To};
use astromorph::{Error, Result};

/// One step's share of the time, over all blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepTiming {
    /// Its number in the program.
    pub step: usize,
    /// Cycles from its stream's start to the next one's.
    pub cycles: u64,
    /// Slots in which the lanes multiply.
    pub slots: u64,
}

/// A sequence's time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Cycles from the first word's arrival to the end.
    pub cycles: u64,
    /// Every Run step, in the program's order.
    pub steps: Vec<StepTiming>,
}

impl Timing {
    /// Slots used of all cycles.
    pub fn utilisation(&self) -> f64 {
        self.steps.iter().map(|s| s.slots).sum::<u64>() as f64 / self.cycles.max(1) as f64
    }
}

struct Model {
    /// Cycles from a request on M to the word in the fetch's last register.
    word: u64,
    latency: u64,
    near: u64,
    near_slow: u64,
    /// Cycles of a layer norm's row: for each element, and besides.
    norm_pace: u64,
    norm_overhead: u64,
    /// Parity of the conveyor's slots.
    odd: bool,
    groups: u64,
    /// When the fetch asks for the next step's first word.
    fetch: u64,
    /// First odd cycle in which the walker may load; its last pass's last word taken.
    walker_free: u64,
    /// First cycle in which it takes the next step's words: two after its last pass has begun.
    walker_open: u64,
    /// First cycle in which a pass may end.
    chain_free: u64,
    stream_idle: u64,
    norm_idle: u64,
    /// Ends of the layer norm's last two rows.
    rows: [u64; 2],
    fill_idle: u64,
}

/// The time of a sequence of `tokens` tokens.
pub fn timing(core: &EngineConfig, target: Target, program: &Program, tokens: u32) -> Result<Timing> {
    if tokens == 0 || tokens > program.n_max {
        return Err(Error::field("tokens", format!("1 to {}", program.n_max), tokens));
    }
    let array = array_config(core, target)?;
    let cycles = array_latency(core, target)?;
    let (latency, lead) = (cycles as u64, lead(cycles, array.blocks()) as u64);
    let word = word_latency(target) as u64;
    let mut m = Model {
        word,
        latency,
        near: (core.lanes as u64 - 1).saturating_sub(lead / 2),
        near_slow: (core.lanes as u64 - 1).saturating_sub(lead / 4),
        norm_pace: 2 * norm::pace(target) as u64,
        norm_overhead: norm::overhead(target) as u64,
        odd: latency % 2 == 1,
        groups: (core.lanes as u64).div_ceil(core.weights_per_word() as u64),
        // Idle, header: two words and their check.
        fetch: 1 + 1 + word + 1,
        walker_free: 0,
        walker_open: 0,
        chain_free: 0,
        stream_idle: 0,
        norm_idle: 0,
        rows: [0; 2],
        fill_idle: 0,
    };
    let mut steps: Vec<StepTiming> = Vec::new();
    let mut started: Option<(usize, u64)> = None;
    let (mut at, mut first, mut left, mut span) = (0, 0, tokens, tokens);
    loop {
        match &program.steps[at] {
            Step::End => break,
            Step::Fill(fill) => m.fill(fill),
            Step::Blocks { tokens: t } => {
                (first, left, span) = (at, tokens, *t);
                m.fetch += word + 1;
            }
            Step::Next { .. } => {
                // Two words more, then the block's registers.
                m.fetch += word + 1 + 1 + word + 2;
                if span < left {
                    left -= span;
                    at = first;
                } else {
                    (left, span) = (tokens, tokens);
                }
            }
            Step::Run(run) => {
                let (start, slots) = m.run(core, run, span.min(left), tokens);
                close(&mut steps, &mut started, start);
                started = Some((at, start));
                let found = steps.iter().position(|s| s.step == at);
                let k = found.unwrap_or_else(|| {
                    steps.push(StepTiming {
                        step: at,
                        ..StepTiming::default()
                    });
                    steps.len() - 1
                });
                steps[k].slots += slots;
            }
        }
        at += 1;
    }
    let end = m.quiet().max(m.fetch + word + 1) + 2;
    close(&mut steps, &mut started, end);
    Ok(Timing { cycles: end, steps })
}

fn close(steps: &mut [StepTiming], started: &mut Option<(usize, u64)>, now: u64) {
    if let Some((at, since)) = started.take()
        && let Some(step) = steps.iter_mut().find(|s| s.step == at)
    {
        step.cycles += now.saturating_sub(since);
    }
}

/// The first cycle from `t` on of this parity.
fn parity(t: u64, odd: bool) -> u64 {
    t + ((t % 2 == 1) != odd) as u64
}

impl Model {
    /// Registers of registers: everything before has ended.
    fn quiet(&self) -> u64 {
        self.stream_idle.max(self.norm_idle).max(self.walker_free) + 1
    }

    fn fill(&mut self, fill: &Fill) {
        let gate = (self.fetch + self.word + 1).max(self.fill_idle);
        let start = gate + 1 + 1 + self.word + 1;
        self.fill_idle = start + 1 + fill.words as u64 * self.groups + 3;
        self.fetch = start;
    }

    /// Start of the step's stream, and its slots.
    fn run(&mut self, core: &EngineConfig, run: &Run, block: u32, tokens: u32) -> (u64, u64) {
        let s = &run.stream;
        let mut gate = (self.fetch + self.word + 1).max(self.walker_open) + 1 + 3 + self.word + 1;
        if run.wait {
            gate = gate.max(self.quiet());
        }
        if run.wait_fill {
            gate = gate.max(self.fill_idle);
        }
        let mut words = gate + 1;
        let mut load = 0;
        if let Source::Array(_) = run.source {
            load = parity(words.max(self.walker_free), true);
            words = load + 1;
        }
        // Eleven words when the stream is idle, four more when the layer norm is.
        let mut start = words.max(self.stream_idle) + 1 + 10 + self.word + 1;
        if s.norm.is_some() {
            start = (start.max(self.norm_idle)) + 1 + 3 + self.word;
        }
        start += 1;
        if s.serial != Serial::None {
            start = start.max(self.norm_idle);
        }
        let streaming = start + 1;
        self.fetch = start + 1;
        let (last, slots) = match run.source {
            Source::Array(mac) => self.array(core, run, &mac, block, load, streaming),
            Source::Input => (self.plain(run, tokens as u64, streaming), 0),
            Source::Sums | Source::Count => (self.plain(run, 1, streaming), 0),
        };
        self.stream_idle = last + self.tail(core, run);
        if run.stream.norm.is_some() && run.stream.sums.is_some_and(|s| s.of == Summed::Result) {
            // The last row's results are summed by the stream's end.
            self.stream_idle = self.stream_idle.max(self.rows[1] + tail::PLAIN_CYCLES + 4);
        }
        if let Source::Input = run.source {
            self.fetch = last + 3;
        }
        (streaming, slots)
    }

    /// Cycles from the last word's take to an idle stream.
    fn tail(&self, core: &EngineConfig, run: &Run) -> u64 {
        let wide = matches!(run.stream.addend, Addend::State { wide: true, .. }) && core.acc_bits > 32;
        let front = match run.stream.other {
            Other::Residual { .. } => front::RESIDUAL_LATENCY,
            _ if wide => front::WIDE_LATENCY,
            _ => front::LATENCY,
        } as u64;
        let scan = matches!(run.source, Source::Sums) as u64 * 4;
        let behind = match run.stream.serial {
            Serial::None => tail::PLAIN_CYCLES,
            Serial::Count { .. } => tail::SERIAL_CYCLES,
            _ => tail::SERIAL_CYCLES + 2,
        };
        2 + scan + front + behind + 2
    }

    /// Words of a row from anywhere but the array; gives the last one's take.
    fn plain(&mut self, run: &Run, rows: u64, streaming: u64) -> u64 {
        let period = if run.stream.slow { 4 } else { 2 };
        let mut t = parity(streaming + 2, self.odd);
        let mut last = t;
        for _ in 0..rows {
            t = parity(t.max(self.row_gate(run)), self.odd);
            last = t + period * (run.stream.cols as u64 - 1);
            self.row_end(run, last);
            t = last + period;
        }
        last
    }

    /// When a row's first word may be taken.
    fn row_gate(&self, run: &Run) -> u64 {
        if run.stream.norm.is_some() { self.rows[0] + 3 } else { 0 }
    }

    /// The row's last word was taken at `last`.
    fn row_end(&mut self, run: &Run, last: u64) {
        if run.stream.norm.is_none() {
            return;
        }
        let front = match run.stream.other {
            Other::Residual { .. } => front::RESIDUAL_LATENCY,
            _ => front::LATENCY,
        } as u64;
        let opens = (last + 2 + front + tail::PLAIN_LATENCY as u64 + 1).max(self.rows[1] + 1);
        let end = opens + self.norm_pace * run.stream.cols as u64 + self.norm_overhead - 1;
        self.rows = [self.rows[1], end];
        self.norm_idle = end + 5;
    }

    fn array(
        &mut self,
        core: &EngineConfig,
        run: &Run,
        mac: &Mac,
        block: u32,
        load: u64,
        streaming: u64,
    ) -> (u64, u64) {
        let extent = |e: Extent| match e {
            Extent::Fixed(n) => n as u64,
            Extent::Block => block as u64,
        };
        let (rows, k) = (extent(mac.rows), extent(mac.k));
        let pairs = k.div_ceil(2);
        let slow = run.stream.slow;
        let period = if slow { 4 } else { 2 };
        let near = if slow { self.near_slow } else { self.near };
        let odd = self.odd;
        let align = |t: u64| {
            if slow {
                t + (4 + odd as u64 - t % 4) % 4
            } else {
                parity(t, odd)
            }
        };
        let to_output = run.stream.to == To::Output;
        let lanes = core.lanes as u64;
        // Decision of the last pair, in odd cycles; the first pair's is at load + 2.
        let mut decided = load;
        let mut ready = streaming + 2;
        let mut last = 0;
        for _ in 0..rows {
            let mut cols = run.stream.cols as u64;
            for pass in 0..mac.passes {
                self.walker_open = decided + 2;
                decided = parity((decided + 2 * pairs).max(self.chain_free), true);
                let captured = decided + 1 + self.latency;
                let gate = if pass == 0 { self.row_gate(run) } else { 0 };
                let first = align(captured.max(ready).max(gate));
                let words = cols.min(lanes);
                cols -= words;
                last = first + period * (words - 1);
                ready = last + period;
                self.chain_free = (captured + 1).max(first + period * near.min(words - 1) + 1);
                if to_output {
                    // The output's room is promised a pass at a time; words leave as they come.
                    ready = ready.max(last + 1);
                }
            }
            self.row_end(run, last);
        }
        self.walker_free = decided;
        (last, rows * mac.passes as u64 * k)
    }
}
