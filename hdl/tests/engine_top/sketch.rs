//! A program in the making: steps, and what they find in the memories, drawn at random.

use super::rig::Case;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::Loaded;
use astromorph::engine::program::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// First word of M behind the longest program of these tests.
const DATA: usize = 1024;

/// Numbers of `bits` bits, small ones more often than large ones.
pub fn words(rng: &mut ChaCha8Rng, bits: u32, n: usize) -> Vec<i32> {
    let top = (1i32 << (bits - 1)) - 1;
    let one = |rng: &mut ChaCha8Rng| match rng.random_range(0..8) {
        0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
        _ => rng.random_range(-top - 1..=top) >> rng.random_range(0..bits),
    };
    (0..n).map(|_| one(rng)).collect()
}

pub fn even(n: usize) -> u32 {
    n.next_multiple_of(2) as u32
}

pub fn moving(base: u32, index: Index) -> At {
    At { base, index }
}

/// A program and the contents of its memories in the making.
pub struct Sketch<'a> {
    pub rng: &'a mut ChaCha8Rng,
    pub core: EngineConfig,
    pub program: Program,
    data: Vec<u32>,
    loaded: Loaded,
    x: u32,
    bank: u32,
}

impl<'a> Sketch<'a> {
    pub fn new(rng: &'a mut ChaCha8Rng, lanes: usize, width: u32, n_max: usize) -> Self {
        let core = EngineConfig {
            name: "test".into(),
            lanes,
            width,
            acc_bits: 48.min(2 * width + 16),
            bank_words: 1024,
            x_words: 2048,
            m_words: 8192,
            function_words: 1024,
            mantissa_words: 2048,
            sums: 128,
            reads: 64,
            norm_width: 32,
            norm_words: 128,
            chunked: true,
        };
        Sketch {
            rng,
            program: Program {
                n_max: n_max as u32,
                steps: Vec::new(),
            },
            data: Vec::new(),
            loaded: Loaded {
                banks: vec![Vec::new(); core.lanes],
                ..Loaded::default()
            },
            x: 0,
            bank: 0,
            core,
        }
    }

    /// Room in X.
    pub fn x(&mut self, n: usize) -> u32 {
        self.x += even(n);
        self.x - even(n)
    }

    /// Room in the banks, loaded with random words.
    pub fn bank(&mut self, n: usize) -> u32 {
        let (at, w) = (self.bank, self.core.width);
        self.bank += even(n);
        for lane in 0..self.core.lanes {
            let more = words(self.rng, w, even(n) as usize);
            self.loaded.banks[lane].extend(more);
        }
        at
    }

    /// Random words in M; their address.
    pub fn m(&mut self, bits: u32, n: usize) -> u32 {
        let at = DATA + self.data.len();
        let more = words(self.rng, bits, n);
        self.data.extend(more.iter().map(|&x| x as u32));
        at as u32
    }

    /// Positional keys, which are never negative, packed into M; the address of the first, in elements.
    pub fn keys(&mut self, n: usize) -> u32 {
        let (per_word, w) = (self.core.weights_per_word(), self.core.width);
        let at = DATA + self.data.len();
        for _ in 0..n.div_ceil(per_word) {
            let elements = words(self.rng, w, per_word);
            let parts = elements.iter().enumerate();
            let part = |(i, &x): (usize, &i32)| (x.unsigned_abs() & ((1 << (w - 1)) - 1)) << (i * 32 / per_word);
            self.data.push(parts.map(part).sum());
        }
        (at * per_word) as u32
    }

    pub fn function(&mut self, bits: u32) -> u32 {
        let more = words(self.rng, self.core.width, 1 << bits);
        self.loaded.function.extend(more);
        (self.loaded.function.len() - (1 << bits)) as u32
    }

    /// Words of 1 to 2^15 − 1.
    pub fn mantissa(&mut self, n: usize) -> u32 {
        let more: Vec<i32> = (0..n).map(|_| self.rng.random_range(1..1 << 15)).collect();
        self.loaded.mantissa.extend(more);
        (self.loaded.mantissa.len() - n) as u32
    }

    pub fn push(&mut self, run: Run) {
        self.program.steps.push(Step::Run(Box::new(run)));
    }

    /// A step that passes words on, rounded by `shift` to W bits.
    pub fn run(&mut self, label: &str, source: Source, cols: usize, shift: i32) -> Run {
        Run {
            label: label.into(),
            names: Vec::new(),
            source,
            wait: true,
            wait_fill: true,
            stream: Stream {
                slow: self.rng.random(),
                ..Stream::plain(cols as u32, shift, self.core.width)
            },
        }
    }

    /// Rows of X times weights, which are loaded, or filled when the dice say so.
    pub fn dense(&mut self, label: &str, rows: Extent, x: At, stride: u32, k: usize, cols: usize) -> Run {
        let (passes, w) = (cols.div_ceil(self.core.lanes), self.core.width);
        let bank = self.bank(passes * even(k) as usize);
        if self.rng.random() {
            let a_word = self.core.lanes.div_ceil(self.core.weights_per_word());
            let n = passes * even(k) as usize;
            let from = self.m(32, n * a_word);
            self.program.steps.push(Step::Fill(Fill {
                from,
                bank,
                words: n as u32,
            }));
        }
        let mac = Mac {
            rows,
            passes: passes as u32,
            k: Extent::Fixed(k as u32),
            x,
            x_stride: stride,
            bank,
            bank_stride: even(k),
        };
        let shift = self.rng.random_range(0..w as i32 + 2);
        let mut run = self.run(label, Source::Array(mac), cols, shift);
        if self.rng.random() {
            let at = At::fixed(self.m(w + 6, cols));
            run.stream.addend = Addend::Word { at, stride: 0 };
        }
        run
    }

    /// Any non-linearity; sets the rounding's width as it needs it.
    pub fn function_of(&mut self, run: &mut Run) {
        let (w, shift) = (self.core.width, self.rng.random_range(-3..8));
        let bits = self.rng.random_range(2..w.min(8));
        run.stream.function = match self.rng.random_range(0..6) {
            0 => Function::None,
            1 => Function::Relu { shift },
            2 => Function::Gelu {
                table: self.function(bits),
                bits,
                drop: self.rng.random_range(0..w),
                shift,
            },
            3 => {
                run.stream.bits = bits;
                let table = self.function(bits);
                Function::Table { table, bits }
            }
            4 => {
                run.stream.bits = w + 1;
                Function::Hard
            }
            _ => self.phi(),
        };
    }

    pub fn phi(&mut self) -> Function {
        let bits = self.rng.random_range(2..self.core.width.min(8));
        Function::Phi {
            table: self.function(bits),
            bits,
            one: self.rng.random_range(0..self.core.width - 1),
            shift: self.rng.random_range(-2..5),
        }
    }

    pub fn norm(&mut self, d: usize, to: Option<(At, u32)>) -> Norm {
        let serial = self.core.serial_bits();
        let parameters = self.loaded.norm.len() as u32;
        for _ in 0..d {
            let pair = (words(self.rng, serial, 1)[0], words(self.rng, 31, 1)[0]);
            self.loaded.norm.push(pair);
        }
        let epsilon = self.rng.random_range(1..1 << 20);
        self.loaded.norm.push((0, epsilon));
        let bits = self.rng.random_range(3..8);
        Norm {
            parameters,
            drop: self.rng.random_range(0..8),
            offset: self.rng.random_range(0..4),
            shift: self.rng.random_range(10..24),
            table: self.mantissa(2 << bits),
            bits,
            to,
        }
    }

    pub fn finish(mut self) -> Case {
        self.program.steps.push(Step::End);
        let mut loaded = Loaded::new(&self.core, &self.program).unwrap();
        assert!(loaded.m.len() <= DATA, "{} words of program", loaded.m.len());
        loaded.m.resize(DATA, 0);
        loaded.m.extend(&self.data);
        Case {
            core: self.core,
            program: self.program,
            loaded: Loaded {
                m: loaded.m,
                ..self.loaded
            },
        }
    }
}
