//! The engine, cycle by cycle: memories loaded through the load port, sequences in, words out, every tap compared with the machine's words.
//!
//! | item | |
//! |---|---|
//! | expected | [`Expected`]: the words of the machine (the twin under the program) for one sequence |
//! | compared | every output word and tlast, every word of every tap and the arg-max, as they come, in order tap by tap |
//! | a difference | names sequence, step, its label, tap, tensor, word, expected, found; the run then stops |
//! | counted | cycles, and for each step its cycles and the multiplications of a lane |
//! | stalls | both streams, random with a seed |
//! | end | all expected words and not busy, or `patience` cycles without a word anywhere: never a hang |
//!
//! [`VerilatedEngine`] does the same with the emitted Verilog and with netlists.

mod case;
mod expected;
mod follow;
mod verilated;
mod wave;
mod wrapper;

pub use case::{Case, EngineRun, StepUse};
pub use expected::{ARGMAX, CHANNELS, Expected, Fold, NAMES, TAPS, channel};
pub use verilated::VerilatedEngine;
pub use wave::TensorWave;

use crate::cosim::streams::{OutBeat, StreamOptions};
use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::ports::{Port, ports};
use crate::stream::{Checker, Source, Stalls};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::Program;
use astromorph_hdl::engine::top::Engine;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use follow::Follow;
use std::time::{Duration, Instant};

/// Cycles after the last expected word in which nothing more may come.
const TAIL: u64 = 256;

/// Edges of connecting and settling, which the engine's own count of cycles is ahead of the driver's (modulo 4), less the cycle from a word's coming to
/// busy.
const CONNECTING: u64 = 3;

/// A write of the load port: memory, address, data (`astromorph::engine::load`).
pub type Write = (u8, u32, u64);

/// Sees the settled engine in every cycle, those of reset and loading too.
pub type Observer = Box<dyn FnMut(&Engine)>;

/// An engine under simulation; it keeps its state from run to run like the hardware.
pub struct EngineSimulator {
    driver: Driver<Engine>,
    observer: Option<Observer>,
}

impl EngineSimulator {
    /// Builds an engine.
    pub fn new(config: &EngineConfig, target: Target) -> Result<Self> {
        let engine = Engine::new(config, target).map_err(|e| Error::Unsupported {
            item: "engine".into(),
            expected: "sizes an engine can be built for".into(),
            found: e.to_string(),
        })?;
        Ok(EngineSimulator {
            driver: Driver::new(engine, |e| &mut e.clock)?,
            observer: None,
        })
    }

    /// Shows every cycle from now on to `observer`, or to nobody.
    pub fn observe(&mut self, observer: Option<Observer>) {
        self.observer = observer;
    }

    /// One cycle: first the observer, then `act`.
    fn cycle(&mut self, act: impl FnOnce(&mut Engine)) -> Result<()> {
        let EngineSimulator { driver, observer } = self;
        driver.cycle(|engine| {
            if let Some(see) = observer {
                see(engine);
            }
            act(engine);
        })
    }

    /// The driver: for its Verilog, its counters, or a waveform.
    pub fn driver(&self) -> &Driver<Engine> {
        &self.driver
    }

    /// The ports, for [`VerilatedEngine::build`].
    pub fn ports(&self) -> Vec<Port> {
        ports(self.driver.block())
    }

    /// The sticky error flags.
    pub fn error(&self) -> u64 {
        self.driver.block().error.val().get()
    }

    /// Holds the reset for `cycles` cycles.
    pub fn reset(&mut self, cycles: usize) -> Result<()> {
        self.driver.block_mut().reset.next = true;
        self.driver.block_mut().s_axis_tvalid.next = false;
        self.driver.block_mut().load_valid.next = false;
        self.driver.settle()?;
        for _ in 0..cycles {
            self.cycle(|_| {})?;
        }
        self.driver.block_mut().reset.next = false;
        self.driver.settle()
    }

    /// Writes memories; gives the cycles it took. An engine that takes no write for `patience` cycles is an error.
    pub fn load(&mut self, writes: impl Iterator<Item = Write>, patience: u64) -> Result<u64> {
        let mut cycles = 0;
        for (memory, address, data) in writes {
            let engine = self.driver.block_mut();
            engine.load_valid.next = true;
            engine.load_memory.next = U::new(memory as u64);
            engine.load_address.next = U::new(address as u64);
            engine.load_data.next = U::new(data);
            self.driver.settle()?;
            let (mut taken, mut waited) = (false, 0);
            while !taken {
                self.cycle(|engine| taken = engine.load_ready.val())?;
                cycles += 1;
                waited += 1;
                if waited > patience {
                    self.driver.block_mut().load_valid.next = false;
                    self.driver.settle()?;
                    return Err(Error::Unsupported {
                        item: "load port".into(),
                        expected: "every write taken".into(),
                        found: format!("no answer to the write of memory {memory}, address {address}"),
                    });
                }
            }
        }
        self.driver.block_mut().load_valid.next = false;
        self.driver.settle()?;
        Ok(cycles)
    }

    /// Runs sequences one behind the other and compares everything. The first difference ends the run.
    pub fn run(&mut self, program: &Program, cases: &[Case], options: &StreamOptions) -> Result<EngineRun> {
        let beats = cases.iter().flat_map(|case| {
            let last = case.input.len().saturating_sub(1);
            case.input
                .iter()
                .enumerate()
                .map(move |(n, &w)| (w, case.ends && n == last))
        });
        let expected = cases.iter().map(|c| c.expected.words.len()).sum();
        let mut follow = Follow::new(program, cases);
        let mut run = self.stream(beats, Some(&mut follow), expected, options, |_, _| {})?;
        run.difference = follow.difference.take();
        if run.stuck && run.difference.is_none() {
            run.difference = follow.missing();
        }
        Ok(run)
    }

    /// Sends any beats, right or wrong, and watches until nothing moves for `patience` cycles: for what an engine does with bad input.
    /// `each` sees the engine in every cycle and may drive the load port.
    pub fn send(
        &mut self,
        beats: &[(i32, bool)],
        options: &StreamOptions,
        each: impl FnMut(&mut Engine, u64),
    ) -> Result<EngineRun> {
        self.stream(beats.iter().copied(), None, 0, options, each)
    }

    /// Sends the beats of whole sequences and gives the `count` words they must bring, compared with nothing.
    pub fn outputs(&mut self, beats: &[(i32, bool)], count: usize, options: &StreamOptions) -> Result<EngineRun> {
        self.stream(beats.iter().copied(), None, count, options, |_, _| {})
    }

    fn stream(
        &mut self,
        beats: impl Iterator<Item = (i32, bool)>,
        mut follow: Option<&mut Follow>,
        expected: usize,
        options: &StreamOptions,
        mut each: impl FnMut(&mut Engine, u64),
    ) -> Result<EngineRun> {
        let (started, processor) = (Instant::now(), processor_time());
        let stalls = |seed| Stalls::new(seed, options.stall);
        let mut source = Source::new(beats, stalls(options.seed));
        let mut pauses = stalls(options.seed.wrapping_add(1));
        let mut checker = Checker::new("m_axis");
        let mut run = EngineRun::default();
        let (mut ready, mut idle) = (self.driver.block().m_axis_tready.val(), 0u64);
        let mut first = true;
        loop {
            let (sent, now) = (source.sent(), self.driver.cycles());
            let (mut moved, mut busy) = (false, false);
            self.cycle(|engine| {
                each(engine, run.cycles);
                let use_of = run.steps.entry(engine.step.val().get() as u16).or_default();
                use_of.cycles += 1;
                use_of.slots += engine.slots.val().get();
                busy = engine.busy.val();
                if busy && first {
                    if run.busy.is_empty() {
                        run.beat = ((now + CONNECTING) % 4) as u32;
                    }
                    *run.busy.entry(engine.step.val().get() as u16).or_default() += 1;
                }
                first &= busy || run.busy.is_empty();
                channels(engine, |channel, word| {
                    moved = true;
                    run.observed += 1;
                    if let Some(follow) = &mut follow {
                        follow.word(channel, word, run.cycles);
                    }
                });
                let word = engine.m_axis_tvalid.val().then(|| OutBeat {
                    data: engine.m_axis_tdata.val().get() as i32,
                    last: engine.m_axis_tlast.val(),
                });
                match checker.step(word, ready) {
                    Ok(true) => {
                        moved = true;
                        run.words.extend(word);
                    }
                    Ok(false) => {}
                    Err(_) => {
                        if run.violations == 0 {
                            run.first_violation = run.cycles;
                        }
                        run.violations += 1;
                    }
                }
                ready = !pauses.pause();
                engine.m_axis_tready.next = ready;
                let offered = source.step(engine.s_axis_tready.val());
                engine.s_axis_tvalid.next = offered.is_some();
                if let Some(&(word, last)) = offered {
                    engine.s_axis_tdata.next = S::new(word as i64);
                    engine.s_axis_tlast.next = last;
                }
            })?;
            run.cycles += 1;
            idle = if moved || source.sent() != sent { 0 } else { idle + 1 };
            let complete = match &follow {
                Some(f) if f.difference.is_some() => break,
                Some(f) => source.is_done() && f.is_done() && run.words.len() >= expected && !busy,
                // Beats without a count are watched to the end of all patience.
                None => expected > 0 && source.is_done() && run.words.len() >= expected && !busy,
            };
            if complete && idle >= TAIL {
                break;
            }
            if idle >= options.patience || run.words.len() > 2 * expected + 1024 && follow.is_some() {
                run.stuck = !complete;
                break;
            }
        }
        // An offered word must not stay on the port for whoever comes next.
        self.driver.block_mut().s_axis_tvalid.next = false;
        self.driver.settle()?;
        run.words_in = source.sent();
        run.error = self.error();
        run.elapsed = started.elapsed();
        run.processor = processor_time()
            .zip(processor)
            .map(|(now, then)| now.saturating_sub(then));
        Ok(run)
    }
}

/// Time that processors have given to this thread; Linux says.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Calls `each(channel, word)` for every channel that shows a word.
fn channels(engine: &Engine, mut each: impl FnMut(usize, i64)) {
    let mut show = |channel: usize, valid: bool, word: i64| {
        if valid {
            each(channel, word);
        }
    };
    show(0, engine.tap_sum_valid.val(), engine.tap_sum_data.val().get());
    show(1, engine.tap_linear_valid.val(), engine.tap_linear_data.val().get());
    show(2, engine.tap_function_valid.val(), engine.tap_function_data.val().get());
    show(3, engine.tap_other_valid.val(), engine.tap_other_data.val().get());
    show(4, engine.tap_sums_valid.val(), engine.tap_sums_data.val().get());
    show(5, engine.tap_calcium_valid.val(), engine.tap_calcium_data.val().get());
    show(6, engine.tap_power_valid.val(), engine.tap_power_data.val().get());
    show(
        7,
        engine.tap_normalise_valid.val(),
        engine.tap_normalise_data.val().get(),
    );
    show(8, engine.tap_norm_valid.val(), engine.tap_norm_data.val().get());
    show(ARGMAX, engine.argmax_valid.val(), engine.argmax.val().get() as i64);
}
