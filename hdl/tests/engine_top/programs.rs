//! Programs for the engine with random sizes, weights and tables: what they compute means nothing, but every field is in use.

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

fn even(n: usize) -> u32 {
    n.next_multiple_of(2) as u32
}

fn moving(base: u32, index: Index) -> At {
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
                cols: cols as u32,
                slow: self.rng.random(),
                addend: Addend::None,
                shift,
                bits: self.core.width,
                function: Function::None,
                other: Other::None,
                serial: Serial::None,
                sums: None,
                to: To::Nowhere,
                norm: None,
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

/// Input, one dense step in blocks, output.
pub fn dense(rng: &mut ChaCha8Rng, lanes: usize, width: u32, d: usize, cols: usize, tokens: usize) -> Case {
    let n_max = 8;
    let mut s = Sketch::new(rng, lanes, width, n_max);
    let x = s.x(n_max * even(d) as usize);
    let row = even(d);
    let mut input = s.run("x0", Source::Input, d, 0);
    input.stream.to = To::X {
        at: At::fixed(x),
        row,
        column: 1,
    };
    s.push(input);
    let mut out = s.dense("logits", Extent::Block, moving(x, Index::R1), row, d, cols);
    out.stream.to = To::Output;
    out.stream.bits = s.core.serial_bits();
    s.program.steps.push(Step::Blocks { tokens: tokens as u32 });
    s.push(out);
    s.program.steps.push(Step::Next {
        r1: tokens as u32 * row,
        r2: 0,
    });
    s.finish()
}

/// A layer with attention and feed-forward, two-pass, mean pooling or a logit row for every token.
pub fn layer(
    rng: &mut ChaCha8Rng,
    lanes: usize,
    width: u32,
    d: usize,
    [m, e, hidden]: [usize; 3],
    tokens: usize,
) -> Case {
    let n_max = 7;
    let mut s = Sketch::new(rng, lanes, width, n_max);
    let (w, serial) = (width, s.core.serial_bits());
    let (row, t, m2, e2, hidden2) = (even(d), even(tokens), even(m), even(e), even(hidden));
    let [x, x1, y_at] = [row, row, e2].map(|n| s.x(n_max * n as usize));
    let (aw, b, f, pooled_at) = (
        s.x(m * t as usize),
        s.x(tokens * m2 as usize),
        s.x(tokens * hidden2 as usize),
        s.x(d.max(m)),
    );
    let passes = e.div_ceil(lanes);
    let (v, h) = (s.bank(passes * t as usize), s.bank(passes * m2 as usize));
    let (block, next) = (
        Step::Blocks { tokens: tokens as u32 },
        Step::Next {
            r1: tokens as u32 * row,
            r2: (tokens * m) as u32,
        },
    );
    let to_x = |at: At, row: u32| To::X { at, row, column: 1 };
    let at_x = moving(x, Index::R1);

    let mut input = s.run("x0", Source::Input, d, 0);
    input.stream.to = to_x(At::fixed(x), row);
    if s.rng.random() {
        let at = At::fixed(s.m(w, n_max * d));
        input.stream.addend = Addend::Word { at, stride: d as u32 };
    }

    let mut k = s.dense("k", Extent::Block, at_x, row, d, m);
    k.stream.function = s.phi();
    k.stream.sums = Some(Sums {
        base: 0,
        of: Summed::Function,
    });
    if s.rng.random() {
        let at = s.keys(n_max * m);
        k.stream.other = Other::Key {
            at: moving(at, Index::R2),
            stride: m as u32,
        };
    }
    k.stream.to = To::X {
        at: At::fixed(aw),
        row: 1,
        column: t,
    };
    let mut value = s.dense("v", Extent::Block, at_x, row, d, e);
    value.stream.to = To::Bank {
        bank: v,
        row: 1,
        pass: t,
    };
    let mac = |rows, x, x_stride, k, bank, bank_stride| {
        Source::Array(Mac {
            rows,
            passes: passes as u32,
            k,
            x: At::fixed(x),
            x_stride,
            bank,
            bank_stride,
        })
    };
    let mut z = s.run("z", mac(Extent::Fixed(m as u32), aw, t, Extent::Block, v, t), e, 6);
    s.function_of(&mut z);
    let wide = s.core.acc_bits > 32;
    z.stream.slow |= wide;
    let states = s.m(31, m * e * (1 + wide as usize));
    z.stream.addend = Addend::State { at: states, wide };
    z.stream.to = To::Bank {
        bank: h,
        row: 1,
        pass: m2,
    };

    let mut power = s.run("g", Source::Sums, m, 0);
    power.stream.sums = Some(Sums {
        base: 0,
        of: Summed::Nothing,
    });
    let bits = 3;
    power.stream.slow = true;
    power.stream.serial = Serial::Power {
        g: 0,
        table: s.mantissa(32 << bits),
        bits,
        running: false,
    };

    let mut q = s.dense("q", Extent::Block, at_x, row, d, m);
    q.stream.function = s.phi();
    q.stream.serial = Serial::Calcium {
        g: 0,
        read: 1,
        minimum: s.rng.random_range(0..8),
        table: s.mantissa(1 << bits),
        bits,
        running: false,
    };
    // Of the sums as they run, a g for every row, which the q of the same row reads.
    let own: bool = s.rng.random();
    if let (true, Serial::Power { running, .. }) = (own, &mut power.stream.serial) {
        *running = true;
        (k.stream.serial, k.stream.slow) = (power.stream.serial, true);
    }
    if let Serial::Calcium { running, .. } = &mut q.stream.serial {
        *running = own;
    }
    q.stream.to = to_x(At::fixed(b), m2);
    let mut y = s.run("y", mac(Extent::Block, b, m2, Extent::Fixed(m as u32), h, m2), e, 0);
    y.stream.bits = serial;
    y.stream.serial = Serial::Normalise {
        read: 1,
        offset: s.rng.random_range(-16..4),
    };
    y.stream.to = to_x(At::fixed(y_at), e2);

    let residual = |s: &mut Sketch<'_>, run: &mut Run, at: At| {
        run.stream.slow = true;
        run.stream.other = Other::Residual {
            at,
            stride: row,
            left: s.rng.random_range(-4..=4),
            shift: s.rng.random_range(-2..8),
        };
    };
    let mut o = s.dense("o", Extent::Block, At::fixed(y_at), e2, e, d);
    residual(&mut s, &mut o, at_x);
    let at_x1 = moving(x1, Index::R1);
    o.stream.norm = Some(s.norm(d, Some((at_x1, row))));
    let mut u = s.dense("u", Extent::Block, at_x1, row, d, hidden);
    s.function_of(&mut u);
    u.stream.to = to_x(At::fixed(f), hidden2);
    let mut down = s.dense("d", Extent::Block, At::fixed(f), hidden2, hidden, d);
    if s.rng.random() {
        residual(&mut s, &mut down, at_x1);
    }
    // Over the input, which the next block does not read again.
    let pooled: bool = s.rng.random();
    down.stream.norm = Some(s.norm(d, (!pooled).then_some((at_x, row))));
    if pooled {
        down.stream.sums = Some(Sums {
            base: m as u32,
            of: Summed::Result,
        });
    }

    let (mut count, mut pool) = (
        s.run("count", Source::Count, 1, 0),
        s.run("pooled", Source::Sums, if pooled { d } else { m }, 0),
    );
    let table = s.mantissa(1 << bits);
    // Counted early, the pooled sums' Normalise comes while the layer norm before it still works.
    let early: bool = s.rng.random();
    let read = if early { 0 } else { 7 };
    count.stream.serial = Serial::Count { read, table, bits };
    pool.stream.bits = serial;
    // Without a pooled layer norm the sums are those of the keys: nothing of the step waits for that layer norm.
    pool.stream.sums = Some(Sums {
        base: if pooled { m as u32 } else { 0 },
        of: Summed::Nothing,
    });
    pool.stream.serial = Serial::Normalise {
        read,
        offset: s.rng.random_range(-16..4),
    };
    pool.stream.to = to_x(At::fixed(pooled_at), 0);
    let (rows, at, stride) = if pooled {
        (Extent::Fixed(1), At::fixed(pooled_at), 0)
    } else if s.rng.random() {
        (Extent::Fixed(1), moving(x, Index::Last), 0)
    } else {
        (Extent::Block, At::fixed(x), row)
    };
    let classes = s.rng.random_range(1..12);
    let mut logits = s.dense("logits", rows, at, stride, d, classes);
    logits.stream.to = To::Output;
    logits.stream.bits = serial;

    s.push(input);
    s.program.steps.push(block.clone());
    for run in [k, value, z] {
        s.push(run);
    }
    s.program.steps.push(next.clone());
    if !own {
        s.push(power);
    }
    if early {
        s.push(count.clone());
    }
    s.program.steps.push(block);
    for run in [q, y, o, u, down] {
        s.push(run);
    }
    s.program.steps.push(next);
    if early {
        pool.wait = false;
    }
    if pooled && !early {
        s.push(count);
    }
    if pooled || early {
        s.push(pool);
    }
    s.push(logits);
    s.finish()
}
