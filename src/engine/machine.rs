//! The twin under the program: a core that executes its steps word by word, bit for bit what the hardware does (`docs/engine.md`).
//!
//! Signature: rows of W-bit words of one sequence → the words of the output stream, SW bits; an observer sees (step number, tap, word) for
//! every word at every tap, the same sequence at each tap as the hardware's. The memories keep their contents between sequences.
//! Every address is held against its memory and every exact sum against A bits: the error names the step.
//!
//! Worked example: a core of two lanes computes 3·5 + 4·6 and 3·1 + 4·2 of each row of two inputs.
//!
//! ```
//! use astromorph::engine::{config::EngineConfig, load::Loaded, machine::Machine, program::*};
//! let core: EngineConfig = toml::from_str("name = 'small'\nlanes = 2\nwidth = 8\nacc_bits = 24\nbank_words = 16\nx_words = 64\nm_words = 64\n\
//!     function_words = 16\nmantissa_words = 16\nsums = 8\nreads = 8\nnorm_width = 8\nnorm_words = 16").unwrap();
//! let through = |cols, bits, to| Stream { cols, slow: false, addend: Addend::None, shift: 0, bits, function: Function::None,
//!     other: Other::None, serial: Serial::None, sums: None, to, norm: None };
//! let run = |label: &str, source, stream| Step::Run(Box::new(Run { label: label.into(), names: vec![], source, wait: true, wait_fill: false, stream }));
//! let mac = Mac { rows: Extent::Block, passes: 1, k: Extent::Fixed(2), x: At::fixed(0), x_stride: 2, bank: 0, bank_stride: 0 };
//! let program = Program { n_max: 8, steps: vec![
//!     run("x0", Source::Input, through(2, 8, To::X { at: At::fixed(0), row: 2, column: 1 })),
//!     Step::Blocks { tokens: 8 },
//!     run("logits", Source::Array(mac), through(2, 16, To::Output)),
//!     Step::Next { r1: 0, r2: 0 },
//!     Step::End,
//! ] };
//! let mut loaded = Loaded::new(&core, &program).unwrap();
//! loaded.banks = vec![vec![5, 6], vec![1, 2]];
//! let mut machine = Machine::new(&core, &program, &loaded).unwrap();
//! assert_eq!(machine.predict(&[3, 4, 1, 0]).unwrap(), [39, 11, 5, 1]);
//! ```

use super::arithmetic::{Cut, fits};
use super::check::check;
use super::code::words_of;
use super::config::EngineConfig;
use super::load::{HEADER, Loaded};
use super::place::{Place, Registers};
use super::program::*;
use super::row::Memories;
use crate::twin::{Strided, product};
use crate::{Error, Result};

/// Who looks on: step number, tap, word.
pub type Look<'a> = dyn FnMut(usize, Tap, i64) + 'a;

/// Rows whose sums are computed at once: as many as keep the sums in a cache.
const ROWS: usize = 16;

/// A loaded core.
pub struct Machine {
    core: EngineConfig,
    steps: Vec<Step>,
    n_max: usize,
    memories: Memories,
}

impl Machine {
    /// A core with its memories loaded, the rest of them zero.
    pub fn new(core: &EngineConfig, program: &Program, loaded: &Loaded) -> Result<Self> {
        loaded.check(core, program)?;
        check(core, program)?;
        let end = HEADER + program.steps.iter().map(words_of).sum::<usize>();
        Ok(Machine {
            core: core.clone(),
            steps: program.steps.clone(),
            n_max: program.n_max as usize,
            memories: Memories::new(core, loaded, end),
        })
    }

    /// The output of one sequence.
    pub fn predict(&mut self, input: &[i32]) -> Result<Vec<i32>> {
        self.execute(input, None)
    }

    /// The same; `observe` sees every word.
    pub fn run(&mut self, input: &[i32], observe: &mut Look<'_>) -> Result<Vec<i32>> {
        self.execute(input, Some(observe))
    }

    fn execute(&mut self, input: &[i32], mut look: Option<&mut Look<'_>>) -> Result<Vec<i32>> {
        let (mut at, mut registers, mut output) = (0, Registers::default(), Vec::new());
        let mut first = 0; // of the loop
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match step {
                Step::End => break,
                Step::Fill(fill) => {
                    let number = at - 1;
                    let place = Place {
                        number,
                        step,
                        registers,
                    };
                    self.memories.fill(&place, fill)?;
                }
                Step::Blocks { tokens } => {
                    (registers.tokens, first) = (*tokens as usize, at);
                }
                Step::Next { r1, r2 } => {
                    registers.t0 += registers.tokens;
                    registers.r1 += *r1 as usize;
                    registers.r2 += *r2 as usize;
                    if registers.t0 < registers.n {
                        at = first;
                    } else {
                        registers = Registers {
                            n: registers.n,
                            last: registers.last,
                            ..Registers::default()
                        };
                    }
                }
                Step::Run(run) => {
                    let place = Place {
                        number: at - 1,
                        step,
                        registers,
                    };
                    match run.source {
                        Source::Array(mac) => array(
                            &self.core,
                            &mut self.memories,
                            &mac,
                            run,
                            &place,
                            &mut look,
                            &mut output,
                        )?,
                        Source::Input => {
                            let rows = self.accept(input, run, &place)?;
                            registers.n = rows;
                            if let To::X { row, .. } = run.stream.to {
                                registers.last = (rows - 1) * row as usize;
                            }
                            let mut cut = Cut::new(run, &self.core);
                            for (r, row) in input.chunks_exact(run.stream.cols as usize).enumerate() {
                                let word = |j: usize| row[j] as i64;
                                self.memories
                                    .row(&mut cut, run, &place, r, word, &mut look, &mut output)?;
                            }
                        }
                        Source::Sums => {
                            let base = run.stream.sums.map_or(0, |s| s.base) as usize;
                            let cols = run.stream.cols as usize;
                            place.within("sums", base, cols, self.memories.sums.len())?;
                            let sums = self.memories.sums[base..base + cols].to_vec();
                            let mut cut = Cut::new(run, &self.core);
                            self.memories
                                .row(&mut cut, run, &place, 0, |j| sums[j], &mut look, &mut output)?;
                        }
                        Source::Count => {
                            let n = registers.n as i64;
                            let mut cut = Cut::new(run, &self.core);
                            self.memories
                                .row(&mut cut, run, &place, 0, |_| n, &mut look, &mut output)?;
                        }
                    }
                }
            }
        }
        Ok(output)
    }

    /// Rows of the input; refuses what the hardware flags.
    fn accept(&self, input: &[i32], run: &Run, place: &Place<'_>) -> Result<usize> {
        let cols = run.stream.cols as usize;
        if !input.len().is_multiple_of(cols) {
            let name = format!("{}: input", place.name());
            return Err(Error::field(name, format!("whole rows of {cols} words"), input.len()));
        }
        let rows = input.len() / cols;
        crate::spec::range(&format!("{}: sequence length", place.name()), rows, 1, self.n_max)?;
        if let Some(at) = input.iter().position(|&x| !fits(x as i64, self.core.width)) {
            let name = format!("{}: input[{at}]", place.name());
            return Err(Error::field(
                name,
                format!("a word of {} bits", self.core.width),
                input[at],
            ));
        }
        Ok(rows)
    }
}

/// One array step: the exact sums of a few rows, pass by pass, then their words through the stream.
fn array(
    core: &EngineConfig,
    memories: &mut Memories,
    mac: &Mac,
    run: &Run,
    place: &Place<'_>,
    look: &mut Option<&mut Look<'_>>,
    output: &mut Vec<i32>,
) -> Result<()> {
    let registers = &place.registers;
    let (rows, k) = (registers.extent(mac.rows), registers.extent(mac.k));
    let (lanes, passes) = (core.lanes, mac.passes as usize);
    let (x, stride) = (registers.at(mac.x), mac.x_stride as usize);
    if x % 2 == 1 {
        return Err(Error::field(format!("{}.x", place.name()), "an even address", x));
    }
    // The array reads pairs.
    let pairs = k.next_multiple_of(2);
    place.within("x", x, (rows - 1) * stride + pairs, core.x_words)?;
    let (bank, bank_stride) = (mac.bank as usize, mac.bank_stride as usize);
    place.within("bank", bank, (passes - 1) * bank_stride + pairs, core.bank_words)?;
    let mut cut = Cut::new(run, core);
    let mut sums = std::mem::take(&mut memories.array_sums);
    for first in (0..rows).step_by(ROWS) {
        let some = ROWS.min(rows - first);
        sums.clear();
        sums.resize(some * passes * lanes, 0);
        for (pass, sums) in sums.chunks_exact_mut(some * lanes).enumerate() {
            let x = Strided {
                words: &memories.x[x + first * stride..],
                row: stride,
                column: 1,
            };
            let weights = Strided {
                words: &memories.banks[(bank + pass * bank_stride) * lanes..],
                row: lanes,
                column: 1,
            };
            product(sums, some, k, x, weights);
        }
        for r in 0..some {
            let word = |j: usize| sums[((j / lanes) * some + r) * lanes + j % lanes];
            memories.row(&mut cut, run, place, first + r, word, look, output)?;
        }
    }
    memories.array_sums = sums;
    Ok(())
}
