//! Models of the two ends of a valid/ready stream, with random stalls, and a checker of the rules.
//!
//! They hold no block: call `step` once a cycle inside [`Driver::cycle`](crate::driver::Driver::cycle)'s
//! closure, where the block shows the settled values that the edge captures, and write what it returns to
//! the block's inputs for the next cycle.
//!
//! | item | |
//! |---|---|
//! | [`Source`] | drives valid and payload; a beat once offered stays until taken |
//! | [`Sink`] | drives ready; collects beats; holds a [`Checker`] |
//! | [`Checker`] | valid and payload must hold while not ready |
//! | randomness | ChaCha with a seed: the same run everywhere |

use crate::error::{Error, Result};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Decides in which cycles a side pauses.
#[derive(Clone, Debug)]
pub struct Stalls {
    random: ChaCha8Rng,
    probability: f64,
}

impl Stalls {
    /// `probability` is forced into 0..=0.99: a side that pauses for ever tests nothing.
    pub fn new(seed: u64, probability: f64) -> Self {
        Stalls {
            random: ChaCha8Rng::seed_from_u64(seed),
            probability: if probability.is_nan() {
                0.0
            } else {
                probability.clamp(0.0, 0.99)
            },
        }
    }

    /// Never pauses.
    pub fn none() -> Self {
        Stalls::new(0, 0.0)
    }

    /// Whether the side pauses in the next cycle.
    pub fn pause(&mut self) -> bool {
        self.probability > 0.0 && self.random.random_bool(self.probability)
    }
}

/// The sending end: beats wait in a queue.
#[derive(Clone, Debug)]
pub struct Source<T> {
    queue: VecDeque<T>,
    offered: bool,
    stalls: Stalls,
    sent: u64,
}

impl<T> Source<T> {
    pub fn new(beats: impl IntoIterator<Item = T>, stalls: Stalls) -> Self {
        Source {
            queue: beats.into_iter().collect(),
            offered: false,
            stalls,
            sent: 0,
        }
    }

    /// More beats behind those still waiting.
    pub fn push(&mut self, beat: T) {
        self.queue.push_back(beat);
    }

    /// One cycle: `ready` is the settled ready of the block. Returns the beat to offer in the next cycle;
    /// `None` is valid low.
    pub fn step(&mut self, ready: bool) -> Option<&T> {
        if self.offered && ready {
            self.queue.pop_front();
            self.offered = false;
            self.sent += 1;
        }
        if !self.offered && !self.queue.is_empty() && !self.stalls.pause() {
            self.offered = true;
        }
        if self.offered { self.queue.front() } else { None }
    }

    /// Beats the block has taken.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    pub fn is_done(&self) -> bool {
        self.queue.is_empty()
    }
}

/// Remembers a beat that was offered and not taken, and demands to see it again.
#[derive(Clone, Debug)]
pub struct Checker<T> {
    name: String,
    held: Option<T>,
    cycle: u64,
}

impl<T: PartialEq + std::fmt::Debug> Checker<T> {
    pub fn new(name: &str) -> Self {
        Checker {
            name: name.into(),
            held: None,
            cycle: 0,
        }
    }

    /// One cycle of a stream: the payload if valid, and ready. True when the beat is taken.
    pub fn step(&mut self, payload: Option<T>, ready: bool) -> Result<bool> {
        let cycle = self.cycle;
        self.cycle += 1;
        if let Some(held) = &self.held
            && payload.as_ref() != Some(held)
        {
            let error = Error::Protocol {
                stream: self.name.clone(),
                cycle,
                found: format!("{held:?} replaced by {payload:?}"),
            };
            self.held = payload;
            return Err(error);
        }
        let taken = payload.is_some() && ready;
        self.held = if ready { None } else { payload };
        Ok(taken)
    }
}

/// The receiving end.
#[derive(Clone, Debug)]
pub struct Sink<T> {
    checker: Checker<T>,
    stalls: Stalls,
    ready: bool,
    received: Vec<T>,
}

impl<T: Clone + PartialEq + std::fmt::Debug> Sink<T> {
    /// Ready starts low, like the block's input.
    pub fn new(name: &str, stalls: Stalls) -> Self {
        Sink {
            checker: Checker::new(name),
            stalls,
            ready: false,
            received: Vec::new(),
        }
    }

    /// One cycle: the settled payload if the block says valid. Returns ready for the next cycle.
    pub fn step(&mut self, payload: Option<T>) -> Result<bool> {
        if self.checker.step(payload.clone(), self.ready)? {
            self.received.extend(payload);
        }
        self.ready = !self.stalls.pause();
        Ok(self.ready)
    }

    pub fn received(&self) -> &[T] {
        &self.received
    }
}

/// A uniformly random word of `bits` bits, corners more often: for stimuli.
pub fn random_word(random: &mut impl Rng, bits: u32) -> u64 {
    let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
    match random.random_range(0..8) {
        0 => 0,
        1 => mask,
        2 => mask >> 1,
        3 => ((mask >> 1) + 1) & mask,
        _ => random.random::<u64>() & mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_holds_its_beat_and_a_sink_gets_all_in_order() {
        for stall in [0.0, 0.5, 0.9] {
            let mut source = Source::new(0..100u32, Stalls::new(1, stall));
            let mut sink = Sink::new("s", Stalls::new(2, stall));
            let (mut offered, mut ready) = (None, false);
            for _ in 0..20_000 {
                let next_ready = sink.step(offered).unwrap();
                let next = source.step(ready).copied();
                (offered, ready) = (next, next_ready);
            }
            assert!(source.is_done() && source.sent() == 100);
            assert_eq!(sink.received(), (0..100).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn a_changed_or_withdrawn_beat_is_an_error() {
        let mut c = Checker::new("m_axis");
        assert!(!c.step(Some(1), false).unwrap());
        assert!(c.step(Some(2), true).is_err());
        let mut c = Checker::new("m_axis");
        assert!(!c.step(Some(1), false).unwrap());
        assert!(matches!(c.step(None, true), Err(Error::Protocol { cycle: 1, .. })));
    }
}
