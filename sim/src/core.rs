//! The attention core, cycle by cycle: sequences in, output words out, multiplier slots counted.
//!
//! | item | |
//! |---|---|
//! | order of beats | `docs/attention-core.md`: two-pass head by head, causal token by token |
//! | counted | cycles, and for each phase its cycles and Σ `mac_lanes` |
//! | stalls | both streams, random with a seed |
//! | end | the last expected word, or an error when nothing moves for [`PATIENCE`] cycles |

use crate::compare::Comparison;
use crate::cosim::streams::{Beats, OutBeat, PhaseUse, StreamRun};
use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::stream::{Checker, Stalls};
use crate::vcd::{Selection, Wave};
use astromorph::spec::Order;
use astromorph::twin::Attention;
use astromorph_hdl::core::{Core, CoreConfig, Observation};
use astromorph_hdl::number::S;
use std::time::{Duration, Instant};

/// Cycles without a beat on either side after which the core counts as stuck: more than the longest pass over its largest state.
pub const PATIENCE: u64 = 10_000_000;

/// Token, head and element of a stream of `n` tokens in the core's order, calling `each(token, head, last beat of a tlast unit)`.
fn order(att: &Attention, n: usize, mut each: impl FnMut(usize, usize, bool)) {
    match att.order {
        Order::TwoPass => (0..att.heads).for_each(|h| (0..n).for_each(|t| each(t, h, t + 1 == n))),
        Order::Causal => {
            (0..n).for_each(|t| (0..att.heads).for_each(|h| each(t, h, t + 1 == n && h + 1 == att.heads)));
        }
    }
}

/// Appends one sequence's beats: q, k are N × Hh·m, v is N × Hh·e.
pub fn push_beats(att: &Attention, q: &[i32], k: &[i32], v: &[i32], beats: &mut Beats) {
    let (m, e) = (att.features, att.values);
    order(att, q.len() / (att.heads * m), |token, head, last| {
        let (qk, vs) = ((token * att.heads + head) * m, (token * att.heads + head) * e);
        let width = m.max(e);
        for j in 0..width {
            let feature = |x: &[i32]| if j < m { x[qk + j] } else { 0 };
            let value = if j < e { v[vs + j] } else { 0 };
            beats.push(&[feature(q), feature(k), value], last && j + 1 == width);
        }
    });
}

/// Appends the output words the core must give for y (N × Hh·e).
pub fn push_words(att: &Attention, y: &[i32], words: &mut Vec<OutBeat>) {
    let e = att.values;
    let n = y.len() / (att.heads * e);
    order(att, n, |token, head, _| {
        let row = &y[(token * att.heads + head) * e..][..e];
        let end = token + 1 == n && head + 1 == att.heads;
        words.extend(row.iter().enumerate().map(|(j, &data)| OutBeat {
            data,
            last: end && j + 1 == e,
        }));
    });
}

/// Output words of one sequence back to y, N × Hh·e.
pub fn words_to_y(att: &Attention, words: &[OutBeat]) -> Vec<i32> {
    let e = att.values;
    let n = words.len() / (att.heads * e);
    let mut y = vec![0; n * att.heads * e];
    let mut next = words.iter();
    order(att, n, |token, head, _| {
        for (slot, word) in y[(token * att.heads + head) * e..][..e].iter_mut().zip(&mut next) {
            *slot = word.data;
        }
    });
    y
}

/// A core under simulation; it keeps its state from run to run like the hardware.
pub struct CoreSimulator {
    driver: Driver<Core>,
}

impl CoreSimulator {
    /// Builds the core of an attention layer.
    pub fn new(att: &Attention, config: CoreConfig) -> Result<Self> {
        let core = Core::new(att, config).map_err(|e| Error::Unsupported {
            item: "attention core".into(),
            expected: "sizes the core can be built for".into(),
            found: e.to_string(),
        })?;
        Ok(CoreSimulator {
            driver: Driver::new(core, |c| &mut c.clock)?,
        })
    }

    /// The driver: for its Verilog, its counters, or the waveform.
    pub fn driver(&self) -> &Driver<Core> {
        &self.driver
    }

    /// The signals a waveform shows under the papers' names, values decoded.
    pub fn named_waves(att: &Attention) -> Selection {
        let wave = |o: Observation| Wave {
            path: format!("top${}", o.path),
            name: o.name.into(),
            fraction: o.frac,
        };
        let named = Core::observations(att).into_iter().map(wave);
        let slots = Wave::bits("top$mac_lanes", "mac_lanes");
        Selection::Waves("astrocyte".into(), named.chain([slots]).collect())
    }

    /// Holds the reset for `cycles` cycles; `each` sees the settled core in every one of them.
    pub fn reset(&mut self, cycles: usize, mut each: impl FnMut(&Core)) -> Result<()> {
        for _ in 0..cycles {
            self.driver.block_mut().reset.next = true;
            self.driver.settle()?;
            self.driver.cycle(|core| each(core))?;
        }
        self.driver.block_mut().reset.next = false;
        self.driver.settle()
    }

    /// Sends all beats and collects `expected` words. `each` sees the settled core in every cycle.
    pub fn run(
        &mut self,
        beats: &Beats,
        expected: usize,
        [input, output]: [Stalls; 2],
        mut each: impl FnMut(&Core) -> Result<()>,
    ) -> Result<StreamRun> {
        let started = Instant::now();
        let mut source = crate::stream::Source::new(beats.iter(), input);
        let mut sink = Sink {
            checker: Checker::new("m_axis"),
            stalls: output,
            ready: false,
        };
        let mut run = StreamRun {
            cycles: 0,
            phases: vec![PhaseUse::default(); 4],
            beats_in: 0,
            beats: Vec::with_capacity(expected),
            violations: 0,
            first_violation: None,
            stuck: false,
            error: 0,
            elapsed: Duration::ZERO,
        };
        let (mut idle, mut failed) = (0u64, None);
        while run.beats.len() < expected {
            let before = (run.beats.len(), source.sent());
            self.driver.cycle(|core| {
                if let Err(e) = each(core) {
                    failed = Some(e);
                }
                let phase = &mut run.phases[core.phase.val().get() as usize];
                phase.cycles += 1;
                phase.mac_lanes += core.mac_lanes.val().get();
                let word = core.m_axis_tvalid.val().then(|| OutBeat {
                    data: core.m_axis_tdata.val().get() as i32,
                    last: core.m_axis_tlast.val(),
                });
                match sink.checker.step(word, sink.ready) {
                    Ok(true) => run.beats.extend(word),
                    Ok(false) => {}
                    Err(_) => {
                        run.violations += 1;
                        run.first_violation.get_or_insert(run.cycles);
                    }
                }
                sink.ready = !sink.stalls.pause();
                core.m_axis_tready.next = sink.ready;
                let offered = source.step(core.s_axis_tready.val());
                core.s_axis_tvalid.next = offered.is_some();
                if let Some((fields, last)) = offered {
                    core.s_axis_tdata_q.next = S::new(fields[0] as i64);
                    core.s_axis_tdata_k.next = S::new(fields[1] as i64);
                    core.s_axis_tdata_v.next = S::new(fields[2] as i64);
                    core.s_axis_tlast.next = *last;
                }
            })?;
            run.cycles += 1;
            if let Some(e) = failed.take() {
                return Err(e);
            }
            idle = if before == (run.beats.len(), source.sent()) {
                idle + 1
            } else {
                0
            };
            if idle > PATIENCE {
                run.stuck = true;
                break;
            }
        }
        run.beats_in = source.sent();
        run.error = self.driver.block().error.val().get();
        run.elapsed = started.elapsed();
        Ok(run)
    }

    /// Runs sequences one behind the other and compares every word.
    pub fn compare(
        &mut self,
        beats: &Beats,
        words: &[OutBeat],
        stalls: [Stalls; 2],
    ) -> Result<(Comparison, StreamRun)> {
        let run = self.run(beats, words.len(), stalls, |_| Ok(()))?;
        Ok((run.compare(words)?, run))
    }
}

struct Sink {
    checker: Checker<OutBeat>,
    stalls: Stalls,
    ready: bool,
}
