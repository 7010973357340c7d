//! Use of the multiplier slots by phase of the model.

use astromorph::engine::program::{Addend, Program, Serial, Source, Step};
use astromorph_hdl::engine::timing::Timing;

/// Of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Words come from outside.
    Input,
    /// Weights times activations.
    Dense,
    /// awᵀ·V into the states: the table's writing.
    Write,
    /// b·H, normalised: its reading.
    Read,
    /// No multiplication in the array: g = s^α, 1/N, pooling.
    Serial,
}

const ALL: [(Phase, &str); 5] = [
    (Phase::Input, "input"),
    (Phase::Dense, "dense"),
    (Phase::Write, "table write"),
    (Phase::Read, "table read"),
    (Phase::Serial, "serial"),
];

/// Name, cycles and slots of each.
#[derive(Clone, Debug)]
pub struct Phases(pub Vec<(&'static str, u64, u64)>);

fn phase(source: &Source, addend: &Addend, serial: &Serial) -> Phase {
    match (source, addend, serial) {
        (Source::Input, ..) => Phase::Input,
        (Source::Array(_), Addend::State { .. }, _) => Phase::Write,
        (Source::Array(_), _, Serial::Normalise { .. }) => Phase::Read,
        (Source::Array(_), ..) => Phase::Dense,
        _ => Phase::Serial,
    }
}

impl Phases {
    /// Sums over a program's steps.
    pub fn of(program: &Program, time: &Timing) -> Phases {
        let of_step = |n: usize| match program.steps.get(n) {
            Some(Step::Run(r)) => phase(&r.source, &r.stream.addend, &r.stream.serial),
            _ => Phase::Serial,
        };
        let sum = |(which, name): (Phase, &'static str)| {
            let steps = time.steps.iter().filter(|s| of_step(s.step) == which);
            let (cycles, slots) = steps.fold((0, 0), |sum, s| (sum.0 + s.cycles, sum.1 + s.slots));
            (name, cycles, slots)
        };
        Phases(ALL.map(sum).into_iter().filter(|row| row.1 > 0).collect())
    }
}
