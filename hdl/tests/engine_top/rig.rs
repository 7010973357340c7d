//! Runs the engine in RustHDL beside the machine: output words and the words at every tap.

use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::Loaded;
use astromorph::engine::machine::Machine;
use astromorph::engine::program::{Program, Step, Tap};
use astromorph_hdl::engine::top::Engine;
use astromorph_hdl::number::{S, U};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use std::collections::BTreeMap;

/// What was seen at each tap: (step, word) in order.
pub type Seen = BTreeMap<Tap, Vec<(u64, i64)>>;

/// A program, its core and its memories.
pub struct Case {
    pub core: EngineConfig,
    pub program: Program,
    pub loaded: Loaded,
}

/// How often input and output stall, in 16ths.
#[derive(Clone, Copy)]
pub struct Stalls {
    pub input: u32,
    pub output: u32,
}

pub const NO_STALLS: Stalls = Stalls { input: 0, output: 0 };

/// Drives the ports cycle by cycle: first the loads, then the sequences one after the other.
pub struct Host {
    loads: Vec<(u8, u32, u64)>,
    input: Vec<(i32, bool)>,
    stalls: Stalls,
    loaded: usize,
    sent: usize,
    /// Words of the output with their tlast.
    pub output: Vec<(i32, bool)>,
    pub seen: Seen,
    pub slots: u64,
    pub busy_cycles: u64,
    /// Edges before the first busy cycle, its own not counted.
    pub first_busy: u64,
    cycles: u64,
    /// Busy cycles by the step in the stream.
    pub steps: BTreeMap<u64, u64>,
    pub arg_max: Vec<u64>,
}

impl Host {
    pub fn new(case: &Case, sequences: &[Vec<i32>], stalls: Stalls) -> Self {
        Self::with_loads(case.loaded.writes(&case.core).collect(), sequences, stalls)
    }

    /// For memories that are loaded otherwise.
    pub fn with_loads(loads: Vec<(u8, u32, u64)>, sequences: &[Vec<i32>], stalls: Stalls) -> Self {
        let words = |x: &Vec<i32>| {
            let last = x.len() - 1;
            x.iter()
                .enumerate()
                .map(move |(n, &w)| (w, n == last))
                .collect::<Vec<_>>()
        };
        Host {
            loads,
            input: sequences.iter().flat_map(words).collect(),
            stalls,
            loaded: 0,
            sent: 0,
            output: Vec::new(),
            seen: Seen::new(),
            slots: 0,
            busy_cycles: 0,
            first_busy: 0,
            cycles: 0,
            steps: BTreeMap::new(),
            arg_max: Vec::new(),
        }
    }

    pub fn done(&self, e: &Engine) -> bool {
        self.sent == self.input.len() && !e.busy.val() && !e.m_axis_tvalid.val()
    }

    /// Takes note of what the settled ports show in this cycle.
    pub fn look(&mut self, e: &Engine) {
        if e.load_valid.val() && e.load_ready.val() {
            self.loaded += 1;
        }
        if e.s_axis_tvalid.val() && e.s_axis_tready.val() {
            self.sent += 1;
        }
        if e.m_axis_tvalid.val() && e.m_axis_tready.val() {
            self.output
                .push((e.m_axis_tdata.val().get() as i32, e.m_axis_tlast.val()));
        }
        if e.argmax_valid.val() {
            self.arg_max.push(e.argmax.val().get());
        }
        self.slots += e.slots.val().get();
        if e.busy.val() && self.busy_cycles == 0 {
            self.first_busy = self.cycles;
        }
        self.cycles += 1;
        self.busy_cycles += e.busy.val() as u64;
        *self.steps.entry(e.step.val().get()).or_default() += e.busy.val() as u64;
        let (step, norm) = (e.step.val().get(), e.norm_step.val().get());
        for (tap, valid, word, step) in [
            (Tap::Sum, e.tap_sum_valid.val(), e.tap_sum_data.val(), step),
            (Tap::Linear, e.tap_linear_valid.val(), e.tap_linear_data.val(), step),
            (
                Tap::Function,
                e.tap_function_valid.val(),
                e.tap_function_data.val(),
                step,
            ),
            (Tap::Other, e.tap_other_valid.val(), e.tap_other_data.val(), step),
            (Tap::Sums, e.tap_sums_valid.val(), e.tap_sums_data.val(), step),
            (Tap::Calcium, e.tap_calcium_valid.val(), e.tap_calcium_data.val(), step),
            (Tap::Power, e.tap_power_valid.val(), e.tap_power_data.val(), step),
            (
                Tap::Normalise,
                e.tap_normalise_valid.val(),
                e.tap_normalise_data.val(),
                step,
            ),
            (Tap::Norm, e.tap_norm_valid.val(), e.tap_norm_data.val(), norm),
        ] {
            if valid {
                self.seen.entry(tap).or_default().push((step, word.get()));
            }
        }
    }

    /// Sets the inputs of the next cycle. A word that is offered stays until it is taken.
    pub fn drive(&mut self, e: &mut Engine, rng: &mut ChaCha8Rng) {
        let load = self.loads.get(self.loaded);
        e.load_valid.next = load.is_some();
        if let Some(&(memory, address, data)) = load {
            e.load_memory.next = U::new(memory as u64);
            e.load_address.next = U::new(address as u64);
            e.load_data.next = U::new(data);
        }
        let offered = e.s_axis_tvalid.val() && !e.s_axis_tready.val();
        let word = self.input.get(self.sent).filter(|_| load.is_none());
        e.s_axis_tvalid.next = word.is_some() && (offered || rng.random_range(0..16) >= self.stalls.input);
        if let Some(&(word, last)) = word {
            e.s_axis_tdata.next = S::new(word as i64);
            e.s_axis_tlast.next = last;
        }
        e.m_axis_tready.next = rng.random_range(0..16) >= self.stalls.output;
    }
}

/// Sweeps until nothing changes.
fn settle(e: &mut Engine) {
    for _ in 0..100 {
        e.update_all();
        if !e.has_changed() {
            return;
        }
    }
    panic!("does not settle");
}

/// Runs the sequences through the engine in RustHDL, `limit` cycles at most.
pub fn run(e: &mut Engine, host: &mut Host, rng: &mut ChaCha8Rng, limit: usize) -> usize {
    for n in 0..limit {
        e.clock.next = Clock { clk: true };
        e.clock.update_all();
        e.clock.next = Clock { clk: false };
        host.look(e);
        if n > 4 && host.done(e) {
            return n;
        }
        host.drive(e, rng);
        settle(e);
    }
    panic!(
        "not done after {limit} cycles: {} of {} words taken, {} came, step {}, error {:?}",
        host.sent,
        host.input.len(),
        host.output.len(),
        e.step.val().get(),
        e.error.val()
    );
}

/// What the machine says.
pub fn expect(case: &Case, sequences: &[Vec<i32>]) -> (Vec<i32>, Seen) {
    let mut machine = Machine::new(&case.core, &case.program, &case.loaded).unwrap();
    let (mut output, mut seen) = (Vec::new(), Seen::new());
    for x in sequences {
        let words = machine.run(x, &mut |step, tap, word| {
            seen.entry(tap).or_default().push((step as u64, word));
        });
        output.extend(words.unwrap());
    }
    (output, seen)
}

/// Compares what came with what the machine says.
pub fn compare(host: &Host, case: &Case, sequences: &[Vec<i32>]) -> usize {
    let (output, seen) = expect(case, sequences);
    let mut words = output.len();
    for (tap, expected) in &seen {
        let none = Vec::new();
        let found = host.seen.get(tap).unwrap_or(&none);
        words += expected.len();
        for (n, (e, f)) in expected.iter().zip(found).enumerate() {
            let label = |step: u64| match case.program.steps.get(step as usize) {
                Some(Step::Run(run)) => run.label.as_str(),
                _ => "no run",
            };
            assert!(
                e == f,
                "{tap:?} word {n}: machine {} ({}), {}, engine {} ({}), {}",
                e.0,
                label(e.0),
                e.1,
                f.0,
                label(f.0),
                f.1
            );
        }
        assert_eq!(found.len(), expected.len(), "{tap:?}: number of words");
    }
    for tap in host.seen.keys() {
        assert!(seen.contains_key(tap), "{tap:?}: words the machine does not have");
    }
    let found: Vec<i32> = host.output.iter().map(|w| w.0).collect();
    assert_eq!(found, output, "output");
    words
}
