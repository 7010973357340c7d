//! The machine against the twin's own blocks, on programs written by hand; programs as words; refusals.

mod attention;
mod files;
mod layers;
mod refusals;
mod words;

use super::config::EngineConfig;
use super::load::Loaded;
use super::machine::Machine;
use super::program::*;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

/// First word of M behind the longest program of these tests.
const DATA: usize = 4096;

/// A program and its memories in the making.
pub(super) struct Draft {
    pub core: EngineConfig,
    pub program: Program,
    pub data: Vec<u32>,
    pub loaded: Loaded,
    x: u32,
    bank: u32,
}

pub(super) fn even(n: usize) -> u32 {
    n.next_multiple_of(2) as u32
}

/// A step that passes words on; its fields are then set one by one.
pub(super) fn plain(label: impl Into<String>, source: Source, cols: usize, bits: u32) -> Run {
    Run {
        label: label.into(),
        names: Vec::new(),
        source,
        wait: true,
        wait_fill: true,
        stream: Stream {
            slow: true,
            ..Stream::plain(cols as u32, 0, bits)
        },
    }
}

impl Draft {
    pub fn new(lanes: usize, width: u32, n_max: usize) -> Self {
        let core = EngineConfig {
            name: "test".into(),
            lanes,
            width,
            acc_bits: 48,
            bank_words: 1 << 13,
            x_words: 1 << 16,
            m_words: 1 << 16,
            function_words: 1 << 14,
            mantissa_words: 1 << 14,
            sums: 64,
            reads: 64,
            norm_width: 64,
            norm_words: 256,
            chunked: false,
        };
        core.validate().unwrap();
        Draft {
            program: Program {
                n_max: n_max as u32,
                steps: Vec::new(),
            },
            data: Vec::new(),
            loaded: Loaded {
                banks: vec![Vec::new(); lanes],
                ..Loaded::default()
            },
            x: 0,
            bank: 0,
            core,
        }
    }

    pub fn lanes(&self) -> usize {
        self.core.lanes
    }

    /// Room in X.
    pub fn x(&mut self, words: usize) -> u32 {
        let at = self.x;
        self.x += even(words);
        at
    }

    /// Room in the banks.
    pub fn bank(&mut self, words: usize) -> u32 {
        let at = self.bank;
        self.bank += even(words);
        at
    }

    /// Words into M; their address.
    pub fn m(&mut self, words: impl IntoIterator<Item = u32>) -> u32 {
        let at = DATA + self.data.len();
        self.data.extend(words);
        at as u32
    }

    /// Elements packed into M; the address of the first, in elements.
    pub fn elements(&mut self, elements: &[i32]) -> u32 {
        let (k, per_word) = (self.core.weights_per_word(), self.core.weights_per_word());
        let part = 32 / k;
        let mask = if part == 32 { u32::MAX } else { (1 << part) - 1 };
        let words: Vec<u32> = elements
            .chunks(per_word)
            .map(|c| {
                c.iter()
                    .enumerate()
                    .fold(0, |word, (i, &x)| word | (x as u32 & mask) << (i * part))
            })
            .collect();
        self.m(words) * k as u32
    }

    pub fn function(&mut self, table: &[i32]) -> u32 {
        self.loaded.function.extend(table);
        (self.loaded.function.len() - table.len()) as u32
    }

    pub fn mantissa(&mut self, table: &[i32]) -> u32 {
        self.loaded.mantissa.extend(table);
        (self.loaded.mantissa.len() - table.len()) as u32
    }

    /// γ', β and ε of one layer norm.
    pub fn norm(&mut self, gamma: &[i32], beta: &[i64], epsilon: i64) -> u32 {
        let at = self.loaded.norm.len();
        let words = gamma.iter().zip(beta).map(|(&g, &b)| (g, b as i32));
        self.loaded.norm.extend(words);
        self.loaded.norm.push(((epsilon >> 32) as i16 as i32, epsilon as i32));
        at as u32
    }

    pub fn push(&mut self, run: Run) {
        self.program.steps.push(Step::Run(Box::new(run)));
    }

    /// An array step that multiplies rows of X by weights (inputs × outputs), loaded with the core or filled from M.
    #[allow(clippy::too_many_arguments)] // the sizes of a matrix product
    pub fn dense(
        &mut self,
        label: &str,
        rows: Extent,
        x: At,
        x_stride: u32,
        weight: &[i32],
        outputs: usize,
        filled: bool,
    ) -> Run {
        let (inputs, lanes) = (weight.len() / outputs, self.lanes());
        let (passes, stride) = (outputs.div_ceil(lanes), even(inputs));
        let bank = self.bank(passes * stride as usize);
        let tile = |a: usize, l: usize| {
            let (pass, i) = (a / stride as usize, a % stride as usize);
            let j = pass * lanes + l;
            if i < inputs && j < outputs {
                weight[i * outputs + j]
            } else {
                0
            }
        };
        let words = passes * stride as usize;
        if filled {
            let padded = lanes.next_multiple_of(self.core.weights_per_word());
            let elements: Vec<i32> = (0..words)
                .flat_map(|a| (0..padded).map(move |l| (a, l)))
                .map(|(a, l)| if l < lanes { tile(a, l) } else { -1 })
                .collect();
            let from = self.elements(&elements) / self.core.weights_per_word() as u32;
            self.program.steps.push(Step::Fill(Fill {
                from,
                bank,
                words: words as u32,
            }));
        }
        for (l, memory) in self.loaded.banks.iter_mut().enumerate() {
            memory.resize(bank as usize + words, 0);
            if !filled {
                memory[bank as usize..]
                    .iter_mut()
                    .enumerate()
                    .for_each(|(a, w)| *w = tile(a, l));
            }
        }
        let mac = Mac {
            rows,
            passes: passes as u32,
            k: Extent::Fixed(inputs as u32),
            x,
            x_stride,
            bank,
            bank_stride: stride,
        };
        plain(label, Source::Array(mac), outputs, self.core.width)
    }

    /// A bias at the accumulator's fraction.
    pub fn bias(&mut self, bias: &[i64]) -> Addend {
        let base = self.m(bias.iter().map(|&b| b as i32 as u32));
        Addend::Word {
            at: At::fixed(base),
            stride: 0,
        }
    }

    pub fn loaded(&mut self) -> Loaded {
        self.program.steps.push(Step::End);
        let mut loaded = Loaded::new(&self.core, &self.program).unwrap();
        assert!(loaded.m.len() <= DATA);
        loaded.m.resize(DATA, 0);
        loaded.m.extend(&self.data);
        Loaded {
            m: loaded.m,
            ..self.loaded.clone()
        }
    }

    pub fn machine(&mut self) -> Machine {
        let loaded = self.loaded();
        Machine::new(&self.core, &self.program, &loaded).unwrap()
    }

    /// Number of the step with this label.
    pub fn step(&self, label: &str) -> usize {
        let labelled = |step: &Step| matches!(step, Step::Run(run) if run.label == label);
        self.program.steps.iter().position(labelled).unwrap()
    }
}

/// What was seen at each step's taps.
pub(super) type Seen = BTreeMap<(usize, Tap), Vec<i64>>;

pub(super) fn observed(machine: &mut Machine, input: &[i32]) -> (Vec<i32>, Seen) {
    let mut seen = Seen::new();
    let output = machine.run(input, &mut |step, tap, word| {
        seen.entry((step, tap)).or_default().push(word)
    });
    (output.unwrap(), seen)
}

/// Operands of `bits`: full range mixed with small ones and the extremes.
pub(super) fn operands(rng: &mut impl Rng, bits: u32, n: usize) -> Vec<i32> {
    let top = (1i32 << (bits - 1)) - 1;
    (0..n)
        .map(|_| match rng.random_range(0..8) {
            0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
            1..=3 => rng.random_range(-top - 1..=top),
            _ => rng.random_range(-top - 1..=top) >> rng.random_range(1..bits),
        })
        .collect()
}
