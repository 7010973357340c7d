//! A whole model on the engine: twin = program in every tensor, and the program in every form ([`Job`]).

pub use super::forms::Forms;
pub use super::job::{Job, PATIENCE, Ran, STALL};

use super::job::row;
use crate::cli::Failure;
use crate::compile::{Feed, compile};
use crate::progress::Progress;
use crate::report::ComparisonRow;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::twin::{Attention, Twin};
use astromorph::{Error, Result};
use astromorph_sim::compare::{Comparison, Mismatch};
use astromorph_sim::engine::{Case, EngineSimulator, VerilatedEngine};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Deref;

/// One model on one core.
pub struct Model<'a> {
    /// The model.
    pub image: &'a Image,
    /// Its program on the core.
    pub job: Job<'a>,
    feed: Feed,
}

impl<'a> Deref for Model<'a> {
    type Target = Job<'a>;

    fn deref(&self) -> &Job<'a> {
        &self.job
    }
}

impl<'a> Model<'a> {
    /// Compiles the model; refuses by name what the core cannot hold.
    pub fn new(image: &'a Image, core: &'a EngineConfig, label: String, seed: u64) -> Result<Self> {
        Ok(Model {
            job: Job {
                compiled: compile(image, core)?,
                core,
                label,
                seed,
            },
            feed: Feed::new(image)?,
            image,
        })
    }

    /// The words the host sends for a sequence.
    pub fn input(&self, sequence: &Sequence) -> Result<Vec<i32>> {
        self.feed.words(sequence)
    }

    /// A sequence with what the engine must show; `kept`: the words themselves, not only their hashes.
    pub fn case(&self, machine: &mut Machine, sequence: &Sequence, kept: bool) -> Result<Case> {
        self.job.case_of(machine, self.input(sequence)?, kept)
    }

    /// Fraction bits of every tensor by its name.
    pub fn fractions(&self) -> Result<BTreeMap<String, i32>> {
        let formats = self.image.plan().formats.iter();
        let mut fractions: BTreeMap<String, i32> = formats.map(|(name, f)| (name.clone(), f.frac)).collect();
        for l in 0..self.image.spec().layers {
            fractions.extend(attention_fractions(&self.image.attention(l)?, l));
        }
        Ok(fractions)
    }

    /// The model's layers as the twin computes them, against the program: every tensor that a tap shows, and the logits.
    pub fn layers(&self, sequences: &[Sequence]) -> std::result::Result<ComparisonRow, Failure> {
        let twin = Twin::new(self.image)?;
        let compared: Result<Vec<Comparison>> = sequences
            .par_iter()
            .enumerate()
            .map_init(
                || self.machine(),
                |machine, (n, s)| self.one_by_layers(&twin, machine, n, s),
            )
            .collect();
        let mut total = Comparison::default();
        compared?.into_iter().for_each(|c| total.merge(c));
        let what = format!("{}, every tensor", self.label);
        Ok(row("twin", "program", what, sequences.len(), &total))
    }

    fn one_by_layers(&self, twin: &Twin, machine: &mut Result<Machine>, n: usize, s: &Sequence) -> Result<Comparison> {
        let machine = machine
            .as_mut()
            .map_err(|e| Error::field("machine", "a loaded core", &*e))?;
        let mut shown = Vec::new();
        let words = machine.run(&self.input(s)?, &mut |step, tap, word| shown.push((step, tap, word)))?;
        let found = self.compiled.tensors.gather(shown);
        let mut c = Comparison::default();
        let mut compare = |name: &str, expected: &[i64], found: &[i64]| {
            c.words += expected.len() as u64;
            if let Some(d) = self.compiled.tensors.compare(name, expected, found) {
                c.mismatches += 1;
                c.first.get_or_insert(Mismatch {
                    cycle: 0,
                    port: format!("sequence {n}, {d}"),
                    expected: "the twin's tensor".into(),
                    found: "the program's".into(),
                });
            }
        };
        let logits = twin.forward(s, &mut |name, _, _, _, raw| {
            if let Some(found) = found.get(name) {
                compare(name, &raw.iter().collect::<Vec<_>>(), found);
            }
        })?;
        let wide = |x: &[i32]| x.iter().map(|&x| x as i64).collect::<Vec<_>>();
        compare("logits", &wide(&logits.data), &wide(&words));
        Ok(c)
    }

    /// Sequences through a RustHDL engine, which is reset and loaded first.
    pub fn rusthdl(
        &self,
        engine: &mut EngineSimulator,
        sequences: &[Sequence],
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let words = |n: usize| self.input(&sequences[n]);
        self.job.simulate(engine, (sequences.len(), &words), progress)
    }

    /// Sequences through a built model of the Verilog or of a netlist, with random stalls, some to a process.
    pub fn verilated(
        &self,
        engine: &VerilatedEngine,
        form: &str,
        sequences: &[Sequence],
        progress: &Progress,
    ) -> std::result::Result<Ran, Failure> {
        let words = |n: usize| self.input(&sequences[n]);
        self.job.stream(engine, form, (sequences.len(), &words), progress)
    }
}

/// Fraction bits of the tensors of layer `l`'s attention.
pub fn attention_fractions(att: &Attention, l: usize) -> BTreeMap<String, i32> {
    let f = &att.formats;
    [
        ("q", f.q.frac),
        ("k", f.k.frac),
        ("v", f.v.frac),
        ("a", f.a.frac),
        ("aw", f.a.frac),
        ("p", f.p().frac),
        ("s", f.a.frac),
        ("Z", att.z_frac()),
        ("H", f.h.frac),
        ("g", f.g.frac),
        ("b", f.b.frac),
        ("C", f.b.frac + f.g.frac),
        ("num", f.b.frac + f.h.frac),
        ("y", f.y.frac),
    ]
    .into_iter()
    .map(|(x, frac)| (format!("layers.{l}.{x}"), frac))
    .collect()
}
