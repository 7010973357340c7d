//! An adversary for waits and fills: every word arrives as late, and every fill as early, as `docs/engine.md` section 4 allows.
//!
//! It knows nothing of how the compiler decided: it runs the steps of one sequence, element by element.

use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::*;
use std::collections::HashSet;

/// Who wrote a word last, and how many passes had been captured when its step's array was done.
#[derive(Clone, Copy)]
struct Stamp {
    run: usize,
    passes: usize,
    norm: bool,
}

pub struct Late<'a> {
    program: &'a Program,
    n: usize,
    x: Vec<Option<Stamp>>,
    bank: Vec<Option<Stamp>>,
    filling: Vec<bool>,
    /// Bank words that the last array step reads.
    last_read: HashSet<usize>,
    /// Runs so far, the last one that waited, passes captured so far, the last run with a layer norm's sums.
    runs: usize,
    quiet: usize,
    passes: usize,
    norm_sums: Option<usize>,
    registers: [usize; 3],
    block: usize,
}

impl<'a> Late<'a> {
    pub fn new(core: &EngineConfig, program: &'a Program, n: usize) -> Self {
        Late {
            program,
            n,
            x: vec![None; core.x_words],
            bank: vec![None; core.bank_words],
            filling: vec![false; core.bank_words],
            last_read: HashSet::new(),
            runs: 0,
            quiet: 0,
            passes: 0,
            norm_sums: None,
            registers: [0; 3],
            block: n,
        }
    }

    /// Runs one sequence; the error says which step comes too early.
    pub fn run(&mut self) -> Result<(), String> {
        let (mut at, mut first, mut t0, mut tokens) = (0, 0, 0, self.n);
        while let Some(step) = self.program.steps.get(at) {
            let (number, n, from) = (at, self.n, t0);
            let said = |e: String| format!("step {number} of {n} tokens, t0 = {from}: {e}: {step:?}");
            at += 1;
            match step {
                Step::End => break,
                Step::Blocks { tokens: t } => {
                    (first, t0, tokens) = (at, 0, *t as usize);
                    (self.registers[0], self.registers[1]) = (0, 0);
                    self.block = tokens.min(self.n);
                }
                Step::Next { r1, r2 } => {
                    t0 += tokens;
                    self.registers[0] += *r1 as usize;
                    self.registers[1] += *r2 as usize;
                    if t0 < self.n {
                        at = first;
                        self.block = tokens.min(self.n - t0);
                    }
                }
                Step::Fill(fill) => self.fill(fill).map_err(said)?,
                Step::Run(run) => self.step(run).map_err(said)?,
            }
        }
        Ok(())
    }

    fn fill(&mut self, fill: &Fill) -> Result<(), String> {
        for word in fill.bank as usize..(fill.bank + fill.words) as usize {
            if self.last_read.contains(&word) {
                return Err(format!("fills bank word {word}, which the step before may still read"));
            }
            if !self.arrived(self.bank[word]) {
                return Err(format!("fills bank word {word}, on its way from the stream"));
            }
            self.filling[word] = true;
            self.bank[word] = None;
        }
        Ok(())
    }

    /// Whether a word is where it belongs before the next step's array reads it.
    fn arrived(&self, stamp: Option<Stamp>) -> bool {
        stamp.is_none_or(|s| s.run < self.quiet || (!s.norm && self.passes - s.passes >= 2))
    }

    fn at(&self, at: At) -> usize {
        at.base as usize
            + match at.index {
                Index::None => 0,
                Index::R1 => self.registers[0],
                Index::R2 => self.registers[1],
                Index::Last => self.registers[2],
            }
    }

    fn extent(&self, extent: Extent) -> usize {
        match extent {
            Extent::Fixed(n) => n as usize,
            Extent::Block => self.block,
        }
    }

    fn step(&mut self, run: &Run) -> Result<(), String> {
        if run.wait {
            self.quiet = self.runs;
            self.last_read.clear();
        }
        if run.wait_fill {
            self.filling.fill(false);
        }
        let stream = &run.stream;
        let cols = stream.cols as usize;
        let (mut rows, mut read_x, mut read_bank) = (1, HashSet::new(), HashSet::new());
        match run.source {
            Source::Array(mac) => {
                let k = self.extent(mac.k);
                rows = self.extent(mac.rows);
                let x = self.at(mac.x);
                read_x = (0..rows)
                    .flat_map(|r| (0..k).map(move |i| x + r * mac.x_stride as usize + i))
                    .collect();
                let word = |c: usize, i: usize| mac.bank as usize + c * mac.bank_stride as usize + i;
                read_bank = (0..mac.passes as usize)
                    .flat_map(|c| (0..k).map(move |i| word(c, i)))
                    .collect();
                if let Some(at) = read_x.iter().find(|&&at| !self.arrived(self.x[at])) {
                    return Err(format!("reads X[{at}] before it is there"));
                }
                if let Some(at) = read_bank
                    .iter()
                    .find(|&&at| self.filling[at] || !self.arrived(self.bank[at]))
                {
                    return Err(format!("reads bank word {at} before it is there"));
                }
                self.last_read = read_bank.clone();
                self.passes += rows * mac.passes as usize;
            }
            Source::Input => rows = self.n,
            Source::Sums => {
                if self.norm_sums.is_some_and(|run| run >= self.quiet) {
                    return Err("reads sums before the layer norm has ended".into());
                }
            }
            Source::Count => {}
        }
        let norm_on_its_way = |s: Option<Stamp>| s.is_some_and(|s| s.norm && s.run >= self.quiet);
        if let Other::Residual { at, stride, .. } = stream.other {
            let first = self.at(at);
            for r in 0..rows {
                let words = first + r * stride as usize..first + r * stride as usize + cols;
                if self.x[words].iter().any(|&s| norm_on_its_way(s)) {
                    return Err(format!("row {r} of the residual operand is not there"));
                }
            }
        }
        let stamp = Stamp {
            run: self.runs,
            passes: self.passes,
            norm: false,
        };
        match stream.to {
            To::X { at, row, column } => {
                let first = self.at(at);
                for n in 0..rows * cols {
                    let at = first + n / cols * row as usize + n % cols * column as usize;
                    if norm_on_its_way(self.x[at]) || read_x.contains(&at) {
                        return Err(format!("stores X[{at}] while it is read or a layer norm stores it"));
                    }
                    self.x[at] = Some(stamp);
                }
                if run.source == Source::Input {
                    self.registers[2] = (self.n - 1) * row as usize;
                }
            }
            To::Bank { bank, row, pass } => {
                let Source::Array(mac) = run.source else {
                    return Err("stores in a bank".into());
                };
                for n in 0..rows * mac.passes as usize {
                    let (r, c) = (n / mac.passes as usize, n % mac.passes as usize);
                    let at = (bank + r as u32 * row + c as u32 * pass) as usize;
                    if self.filling[at] || read_bank.contains(&at) {
                        return Err(format!("stores bank word {at} while it is read or filled"));
                    }
                    self.bank[at] = Some(stamp);
                }
            }
            To::Nowhere | To::Output => {}
        }
        if let Some(norm) = stream.norm {
            if let Some((at, row)) = norm.to {
                let first = self.at(at);
                for n in 0..rows * cols {
                    let at = first + n / cols * row as usize + n % cols;
                    if read_x.contains(&at) {
                        return Err(format!("normalises into X[{at}], which it reads"));
                    }
                    self.x[at] = Some(Stamp { norm: true, ..stamp });
                }
            }
            if stream.sums.is_some_and(|s| s.of == Summed::Result) {
                self.norm_sums = Some(self.runs);
            }
        }
        self.runs += 1;
        Ok(())
    }
}
