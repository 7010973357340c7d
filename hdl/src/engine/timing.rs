//! How long a program takes: the engine's control, cycle by cycle, without the words.
//!
//! What decides when something happens never depends on a word, only on the program, the core's sizes, the target and the number of tokens. So
//! the registers of [`fetch`](super::fetch), [`fill`](super::fill), [`array_walker`](super::array_walker), [`conveyor`](super::conveyor),
//! [`front`](super::front), [`norm`](super::norm), [`store`](super::store) and [`output`](super::output) that decide it are stepped here as there,
//! words left out: the cycles are the engine's own, to the last (`hdl/tests/engine_top`, `host/tests/estimate.rs`).
//! Input comes and output goes without stalls. `beat`, 0 to 3, is the cycle modulo 4 in which the first word waits: the engine never stops counting,
//! and some words go only in every other or every fourth cycle, so that a sequence takes a few cycles more or less after one beat than another.
//!
//! Example: a dense step of 4 rows, 2 passes and 8 products.
//!
//! ```
//! use astromorph::engine::{config::EngineConfig, program::*};
//! use astromorph_hdl::{engine::timing::timing, multiply::Target};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let stream = Stream { cols: 8, slow: false, addend: Addend::None, shift: 0, bits: 8, function: Function::None, other: Other::None,
//!     serial: Serial::None, sums: None, to: To::X { at: At::fixed(512), row: 8, column: 1 }, norm: None };
//! let mac = Mac { rows: Extent::Fixed(4), passes: 2, k: Extent::Fixed(8), x: At::fixed(0), x_stride: 8, bank: 0, bank_stride: 8 };
//! let step = |source, stream| Step::Run(Box::new(Run { label: String::new(), names: vec![], source, wait: true, wait_fill: false, stream }));
//! let program = Program { n_max: 4, steps: vec![step(Source::Input, stream), step(Source::Array(mac), stream), Step::End] };
//! let t = timing(&core, Target::Generic, &program, 4, 0).unwrap();
//! assert_eq!(t.steps[1].slots, 4 * 2 * 8);
//! assert!(t.steps[1].cycles >= 64 && t.steps[1].cycles < 64 + 120);
//! assert_eq!(t.cycles, t.before + t.steps.iter().map(|s| s.cycles).sum::<u64>());
//! ```

mod control;
mod decode;
mod program;
mod registers;
mod words;

use crate::multiply::Target;
use astromorph::engine::check::check;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{Program, Step};
use astromorph::{Error, Result};
use control::Control;
use decode::{Sizes, decode};

/// Cycles that are followed at most: some seconds here, minutes on any core.
const LONGEST: u64 = 1 << 30;

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
    /// Cycles in which the engine is busy with it.
    pub cycles: u64,
    /// Of them those before the first step's start.
    pub before: u64,
    /// Every Run step, in the program's order.
    pub steps: Vec<StepTiming>,
}

impl Timing {
    /// Slots used of all cycles.
    pub fn utilisation(&self) -> f64 {
        self.steps.iter().map(|s| s.slots).sum::<u64>() as f64 / self.cycles.max(1) as f64
    }
}

/// The time of a sequence of `tokens` tokens whose first word comes in beat `beat`.
pub fn timing(core: &EngineConfig, target: Target, program: &Program, tokens: u32, beat: u32) -> Result<Timing> {
    check(core, program)?;
    if tokens == 0 || tokens > program.n_max {
        return Err(Error::field("tokens", format!("1 to {}", program.n_max), tokens));
    }
    let mut control = Control::new(Sizes::new(core, target)?, decode(core, program), tokens, beat);
    control.offer();
    let runs = program.steps.iter().map(|s| matches!(s, Step::Run(_)));
    let mut steps: Vec<StepTiming> = runs
        .enumerate()
        .map(|(step, _)| StepTiming {
            step,
            ..StepTiming::default()
        })
        .collect();
    let mut t = Timing::default();
    control.cycle(true);
    while control.busy() {
        t.cycles += 1;
        match control.step {
            Some(step) => steps[step].cycles += 1,
            None => t.before += 1,
        }
        control.cycle(false);
        let (step, slots) = control.slots;
        steps[step].slots += slots;
        if t.cycles > LONGEST {
            return Err(Error::field("cycles", format!("{LONGEST} at most"), "more"));
        }
    }
    steps.retain(|s| matches!(program.steps[s.step], Step::Run(_)));
    t.steps = steps;
    Ok(t)
}
