//! The program as the control sees it: of every step what decides when something happens.

use crate::engine::table_ram::direct_latency;
use crate::engine::top::{array_config, array_latency, output_group};
use crate::engine::{conveyor, fetch, front, norm, output, tail, unit};
use crate::multiply::Target;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::{Addend, Extent, Other, Program, Run, Serial, Source, Step, Summed, To};

/// A step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    End,
    Run(Fields),
    /// Words of M.
    Fill(u64),
    Blocks(u32),
    Next,
}

/// A Run step's fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    /// array, input, sums, count.
    pub source: u8,
    pub wait: bool,
    pub wait_fill: bool,
    pub slow: bool,
    /// States of two words.
    pub two: bool,
    /// 0: the block's tokens.
    pub rows: u32,
    pub k: u32,
    pub passes: u32,
    pub cols: u32,
    pub addend: bool,
    pub state: bool,
    pub key: bool,
    pub residual: bool,
    pub serial: bool,
    pub normalise: bool,
    /// Power, Count: the number enters with the word.
    pub looked_up: bool,
    /// The layer norm's results are summed.
    pub sum_norm: bool,
    /// nowhere, X, bank, output.
    pub to: u8,
    pub norm: bool,
    pub stored: bool,
}

/// 2 of [`Fields::to`].
pub(super) const BANK: u8 = 2;
/// 3 of it.
pub(super) const OUTPUT: u8 = 3;

fn extent(e: Extent) -> u32 {
    match e {
        Extent::Fixed(n) => n,
        Extent::Block => 0,
    }
}

fn fields(run: &Run, wide: bool) -> Fields {
    let s = &run.stream;
    let mac = match run.source {
        Source::Array(mac) => Some(mac),
        _ => None,
    };
    Fields {
        source: match run.source {
            Source::Array(_) => 0,
            Source::Input => 1,
            Source::Sums => 2,
            Source::Count => 3,
        },
        wait: run.wait,
        wait_fill: run.wait_fill,
        slow: s.slow,
        two: wide && matches!(s.addend, Addend::State { wide: true, .. }),
        rows: mac.map_or(1, |m| extent(m.rows)),
        k: mac.map_or(1, |m| extent(m.k)),
        passes: mac.map_or(1, |m| m.passes),
        cols: s.cols,
        addend: s.addend != Addend::None,
        state: matches!(s.addend, Addend::State { .. }),
        key: matches!(s.other, Other::Key { .. }),
        residual: matches!(s.other, Other::Residual { .. }),
        serial: s.serial != Serial::None,
        normalise: matches!(s.serial, Serial::Normalise { .. }),
        looked_up: matches!(s.serial, Serial::Power { running: false, .. } | Serial::Count { .. }),
        sum_norm: s.norm.is_some() && s.sums.is_some_and(|sums| sums.of == Summed::Result),
        to: match s.to {
            To::Nowhere => 0,
            To::X { .. } => 1,
            To::Bank { .. } => BANK,
            To::Output => OUTPUT,
        },
        norm: s.norm.is_some(),
        stored: s.norm.is_some_and(|norm| norm.to.is_some()),
    }
}

/// All steps of a program.
pub(super) fn decode(core: &EngineConfig, program: &Program) -> Vec<Op> {
    let groups = core.lanes.div_ceil(core.weights_per_word()) as u64;
    let op = |step: &Step| match step {
        Step::End => Op::End,
        Step::Run(run) => Op::Run(fields(run, core.acc_bits > 32)),
        Step::Fill(fill) => Op::Fill(fill.words as u64 * groups),
        Step::Blocks { tokens } => Op::Blocks(*tokens),
        Step::Next { .. } => Op::Next,
    };
    program.steps.iter().map(op).collect()
}

/// What of a core and its target decides when something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub lanes: u32,
    /// Cycles from the walker's last pair of a pass to the words in the chain.
    pub latency: u32,
    /// Lanes from which on the next pass's end is safe.
    pub near: u32,
    pub near_slow: u32,
    /// Cycles from element to element of the layer norm.
    pub pace: u32,
    /// Cycles from a grant of M to the fetch's value.
    pub word: u32,
    /// The layer norm's elements come a cycle later from its memory.
    pub element_late: bool,
    /// A register between an element's two passes.
    pub again_late: bool,
    /// Bits of the front's line in which a word leaves it.
    pub out: u32,
    pub residual_out: u32,
    /// Cycles until words in the tail are through.
    pub plain: u64,
    pub serial: u64,
    /// Words the output may promise.
    pub most: u32,
}

impl Sizes {
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        let latency = array_latency(core, target)?;
        let lead = conveyor::lead(latency, array_config(core, target)?.blocks());
        let lanes = core.lanes as u32;
        let bit = |cycles: usize| cycles.div_ceil(2) as u32;
        Ok(Sizes {
            lanes,
            latency: latency as u32,
            near: (lanes - 1).saturating_sub(lead as u32 / 2),
            near_slow: (lanes - 1).saturating_sub(lead as u32 / 4),
            pace: norm::pace(target) as u32,
            word: fetch::word_latency(target) as u32,
            element_late: direct_latency(target) > 1,
            again_late: unit::again(target) > unit::LATENCY,
            out: bit(front::LATENCY),
            residual_out: bit(front::RESIDUAL_LATENCY),
            plain: tail::PLAIN_CYCLES,
            serial: tail::SERIAL_CYCLES,
            most: output::most(output_group(core)) as u32,
        })
    }
}
