//! A core with a program that runs sequences, whatever it is made of.
//!
//! | device | is |
//! |---|---|
//! | [`Board`](super::board::Board) | a board at the end of a line |
//! | [`Integers`] | the integer machine (the twin under the program) |
//! | [`RustHdl`] | the engine in simulated RustHDL |
//! | [`Verilated`] | the emitted Verilog in Verilator |
//!
//! All give the same words for the same sequences, and take them in any order.

use super::error::{Error, Result};
use super::upload::{Deployed, segments};
use crate::chain::engine::PATIENCE;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::engine::package::Package;
use astromorph_sim::cosim::streams::{OutBeat, StreamOptions};
use astromorph_sim::engine::{EngineSimulator, VerilatedEngine};
use std::collections::VecDeque;

/// Sequences of one process of a Verilated engine.
const GROUP: usize = 16;

/// One sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which of them.
    pub number: usize,
    /// Words of W bits, row by row.
    pub input: Vec<i32>,
    /// Words that come out.
    pub outputs: usize,
}

/// Where a device has its sequences from, and where its results go.
pub trait Work {
    /// One more sequence. `wait`: until it is known whether there is one; else a device that has some shall finish them first.
    fn next(&mut self, wait: bool) -> Option<Item>;
    /// The outputs of one, which are right.
    fn done(&mut self, item: Item, outputs: Vec<i32>);
    /// One that a device could not finish.
    fn back(&mut self, item: Item);
}

/// A core with its memories.
pub trait Device {
    /// What a person calls it.
    fn name(&self) -> String;
    /// Its core.
    fn core(&self) -> &EngineConfig;
    /// Loads a program with all its data. `progress` sees bytes, and how many there are.
    fn deploy(&mut self, package: &Package, progress: &mut dyn FnMut(usize, usize)) -> Result<Deployed>;
    /// Runs sequences until there are no more. When it cannot go on, what it could not finish has gone back.
    fn run(&mut self, work: &mut dyn Work) -> Result<()>;
    /// What it has counted, with names.
    fn counted(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// A list of sequences, and their results.
pub struct List<'a> {
    todo: VecDeque<Item>,
    /// Results by number.
    pub results: Vec<Option<Vec<i32>>>,
    done: usize,
    progress: &'a dyn Fn(usize, usize),
}

impl<'a> List<'a> {
    /// Of inputs, each with the number of its outputs. `progress` sees how many are done, and how many there are.
    pub fn new(inputs: Vec<(Vec<i32>, usize)>, progress: &'a dyn Fn(usize, usize)) -> Self {
        let number = |(number, (input, outputs))| Item { number, input, outputs };
        List {
            results: vec![None; inputs.len()],
            todo: inputs.into_iter().enumerate().map(number).collect(),
            done: 0,
            progress,
        }
    }
}

impl Work for List<'_> {
    fn next(&mut self, _: bool) -> Option<Item> {
        self.todo.pop_front()
    }

    fn done(&mut self, item: Item, outputs: Vec<i32>) {
        self.results[item.number] = Some(outputs);
        self.done += 1;
        (self.progress)(self.done, self.results.len());
    }

    fn back(&mut self, item: Item) {
        self.todo.push_back(item);
    }
}

/// Bytes of a package's memories.
fn size(package: &Package) -> Deployed {
    let bytes = segments(package.core(), package.loaded()).iter().map(|s| s.len()).sum();
    Deployed { bytes, written: bytes }
}

fn empty(name: &str) -> Error {
    Error::Model(astromorph::Error::field(name, "a deployed program", "none"))
}

/// The integer machine.
pub struct Integers {
    core: EngineConfig,
    machine: Option<Machine>,
}

impl Integers {
    /// With nothing in its memories.
    pub fn new(core: &EngineConfig) -> Integers {
        Integers {
            core: core.clone(),
            machine: None,
        }
    }
}

impl Device for Integers {
    fn name(&self) -> String {
        "integer machine".into()
    }

    fn core(&self) -> &EngineConfig {
        &self.core
    }

    fn deploy(&mut self, package: &Package, progress: &mut dyn FnMut(usize, usize)) -> Result<Deployed> {
        package.meant_for(&self.core)?;
        self.machine = Some(Machine::new(&self.core, package.program(), package.loaded())?);
        let deployed = size(package);
        progress(deployed.bytes, deployed.bytes);
        Ok(deployed)
    }

    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        let name = self.name();
        let machine = self.machine.as_mut().ok_or_else(|| empty(&name))?;
        while let Some(item) = work.next(true) {
            match machine.predict(&item.input) {
                Ok(outputs) => work.done(item, outputs),
                Err(e) => {
                    work.back(item);
                    return Err(e.into());
                }
            }
        }
        Ok(())
    }
}

/// The engine in RustHDL.
pub struct RustHdl {
    core: EngineConfig,
    engine: EngineSimulator,
    deployed: bool,
}

impl RustHdl {
    /// Of this core.
    pub fn new(core: &EngineConfig, engine: EngineSimulator) -> RustHdl {
        RustHdl {
            core: core.clone(),
            engine,
            deployed: false,
        }
    }
}

/// Sequences that a simulated engine takes one behind the other, each by its words and how many words come out: all beats, and all words out.
pub(crate) fn beats<'a>(sequences: impl IntoIterator<Item = (&'a [i32], usize)>) -> (Vec<(i32, bool)>, usize) {
    let (mut beats, mut words) = (Vec::new(), 0);
    for (input, outputs) in sequences {
        let last = input.len().saturating_sub(1);
        beats.extend(input.iter().enumerate().map(|(n, &word)| (word, n == last)));
        words += outputs;
    }
    (beats, words)
}

impl Item {
    fn sizes(&self) -> (&[i32], usize) {
        (&self.input, self.outputs)
    }
}

/// Hands out what a simulated engine gave, or says what is wrong with it.
fn outputs(name: &str, items: Vec<Item>, words: &[OutBeat], error: u64, work: &mut dyn Work) -> Result<()> {
    let expected: usize = items.iter().map(|i| i.outputs).sum();
    let ends = items.iter().scan(0, |end, item| {
        *end += item.outputs;
        Some(*end)
    });
    let right = words.len() == expected && error == 0 && ends.into_iter().all(|end| end > 0 && words[end - 1].last);
    if !right {
        let found = format!("{}, error flags {error:#b}", words.len());
        items.into_iter().for_each(|item| work.back(item));
        let expected = format!("{expected} output words with tlast at each sequence's end");
        return Err(Error::Model(astromorph::Error::field(name, expected, found)));
    }
    let mut rest = words.iter().map(|beat| beat.data);
    for item in items {
        let outputs = rest.by_ref().take(item.outputs).collect();
        work.done(item, outputs);
    }
    Ok(())
}

pub(crate) fn options() -> StreamOptions {
    StreamOptions {
        patience: PATIENCE,
        ..StreamOptions::default()
    }
}

/// Some sequences.
fn group(work: &mut dyn Work) -> Vec<Item> {
    let mut items: Vec<Item> = work.next(true).into_iter().collect();
    while !items.is_empty()
        && items.len() < GROUP
        && let Some(item) = work.next(false)
    {
        items.push(item);
    }
    items
}

impl Device for RustHdl {
    fn name(&self) -> String {
        "RustHDL".into()
    }

    fn core(&self) -> &EngineConfig {
        &self.core
    }

    fn deploy(&mut self, package: &Package, progress: &mut dyn FnMut(usize, usize)) -> Result<Deployed> {
        package.meant_for(&self.core)?;
        self.engine.reset(4)?;
        self.engine.load(package.loaded().writes(package.core()), PATIENCE)?;
        self.deployed = true;
        let deployed = size(package);
        progress(deployed.bytes, deployed.bytes);
        Ok(deployed)
    }

    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        if !self.deployed {
            return Err(empty(&self.name()));
        }
        while let Some(item) = work.next(true) {
            let items = vec![item];
            let (beats, count) = beats(items.iter().map(Item::sizes));
            let run = match self.engine.outputs(&beats, count, &options()) {
                Ok(run) => run,
                Err(e) => {
                    items.into_iter().for_each(|item| work.back(item));
                    return Err(e.into());
                }
            };
            outputs("RustHDL", items, &run.words, run.error, work)?;
        }
        Ok(())
    }
}

/// The emitted Verilog in Verilator; every group of sequences begins with a reset and loading.
pub struct Verilated {
    core: EngineConfig,
    engine: VerilatedEngine,
    package: Option<Package>,
}

impl Verilated {
    /// Of this core.
    pub fn new(core: &EngineConfig, engine: VerilatedEngine) -> Verilated {
        Verilated {
            core: core.clone(),
            engine,
            package: None,
        }
    }
}

impl Device for Verilated {
    fn name(&self) -> String {
        "Verilator".into()
    }

    fn core(&self) -> &EngineConfig {
        &self.core
    }

    fn deploy(&mut self, package: &Package, progress: &mut dyn FnMut(usize, usize)) -> Result<Deployed> {
        package.meant_for(&self.core)?;
        self.package = Some(package.clone());
        let deployed = size(package);
        progress(deployed.bytes, deployed.bytes);
        Ok(deployed)
    }

    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        let package = self.package.as_ref().ok_or_else(|| empty("Verilator"))?;
        loop {
            let items = group(work);
            if items.is_empty() {
                return Ok(());
            }
            let (beats, count) = beats(items.iter().map(Item::sizes));
            let writes = package.loaded().writes(&self.core);
            let run = match self.engine.outputs(writes, &beats, count, &options()) {
                Ok(run) => run,
                Err(e) => {
                    items.into_iter().for_each(|item| work.back(item));
                    return Err(e.into());
                }
            };
            outputs("Verilator", items, &run.words, run.error, work)?;
        }
    }
}
