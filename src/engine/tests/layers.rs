//! The layers around attention by programs: dense, residual, layer norm, activations, pooling, output.

use super::*;
use crate::format::Format;
use crate::table;
use crate::twin::norm::{centre_shift, epsilon, max_n_frac};
use crate::twin::{Activate, Dense, LayerNorm, Mean, NormFormats, Residual};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How the logits are made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pooled {
    Every,
    Mean,
    Last,
}

/// The blocks of a feed-forward half layer, as the twin has them.
struct Blocks {
    o: Dense,
    sum: Residual,
    norm: LayerNorm,
    u: Dense,
    activate: Activate,
    d: Dense,
    last: LayerNorm,
    mean: Mean,
    head: Dense,
}

/// The same in a program, as it is built.
struct Draw<'a> {
    rng: &'a mut ChaCha8Rng,
    draft: &'a mut Draft,
    w: u32,
}

impl Draw<'_> {
    fn near(&mut self, slack: i32) -> Format {
        Format::new(self.w, self.w as i32 - 4 + self.rng.random_range(-slack..=slack))
    }

    /// A dense step and its block.
    fn dense(
        &mut self,
        label: &str,
        rows: Extent,
        (at, stride): (At, u32),
        (x, out): (Format, Format),
        [inputs, outputs]: [usize; 2],
    ) -> (Run, Dense) {
        let w = self.w;
        let shift = w as i32 - 1 + crate::format::growth(inputs) as i32 / 2 + self.rng.random_range(-3..2);
        let shift = if out.bits > w { shift - 8 } else { shift };
        let wf = Format::new(w, shift + out.frac - x.frac);
        let weight = operands(self.rng, w, inputs * outputs);
        let bias: Vec<i64> = operands(self.rng, w, outputs)
            .iter()
            .map(|&b| (b as i64) << (w - 5))
            .collect();
        let filled = self.rng.random();
        let mut run = self.draft.dense(label, rows, at, stride, &weight, outputs, filled);
        run.stream.addend = self.draft.bias(&bias);
        (run.stream.shift, run.stream.bits) = (shift, out.bits);
        (
            run,
            Dense::new(weight, bias, Format::new(32, x.frac + wf.frac), x, wf, out),
        )
    }

    /// A layer norm and its block, from `x` to `out`.
    fn norm(&mut self, x: Format, out: Format, d: usize, to: Option<(At, u32)>) -> (Norm, LayerNorm) {
        let serial = self.w.max(16);
        let epsilon = epsilon(x, d).unwrap();
        let gamma = Format::new(serial, serial as i32 - 6);
        let n = Format::new(
            serial,
            (serial as i32 - 1 - self.rng.random_range(0..3)).min(max_n_frac(epsilon)),
        );
        let beta = Format::new(32, n.frac + gamma.frac);
        let words: Vec<i32> = operands(self.rng, serial, d);
        let betas: Vec<i64> = operands(self.rng, 31, d).iter().map(|&b| b as i64).collect();
        let (bits, rsqrt) = (self.rng.random_range(3..10), table::rsqrt);
        let norm = Norm {
            parameters: self.draft.norm(&words, &betas, epsilon),
            drop: centre_shift(self.w, d),
            offset: 15 - n.frac,
            shift: n.frac + gamma.frac - out.frac,
            table: self.draft.mantissa(&rsqrt(bits)),
            bits,
            to,
        };
        let formats = NormFormats { x, n, gamma, beta, out };
        (norm, LayerNorm::new(words, betas, formats, rsqrt(bits), bits))
    }
}

/// x → o = dense(x), r = x + o, x1 = norm(r); u = dense(x1), f = activation(u); d = dense(f), y = norm(d); pooling; logits = dense.
fn program(draw: &mut Draw<'_>, [d, hidden, classes]: [usize; 3], tokens: usize, pooled: Pooled) -> Blocks {
    let (w, n_max) = (draw.w, draw.draft.program.n_max as usize);
    let serial = w.max(16);
    let rows = Extent::Block;
    let (row, wide_row) = (even(d), even(hidden));
    let moving = |base| At { base, index: Index::R1 };
    let [x_at, x1_at, y_at] = [(); 3].map(|()| draw.draft.x(n_max * row as usize));
    let (f_at, pooled_at) = (draw.draft.x(tokens * wide_row as usize), draw.draft.x(d));
    let [fx, fo, fr, f1, fu, ff, fd, fy] = [(); 8].map(|()| draw.near(2));

    let mut input = plain("x0", Source::Input, d, w);
    input.stream.to = To::X {
        at: At::fixed(x_at),
        row,
        column: 1,
    };
    draw.draft.push(input);

    let (mut o, dense_o) = draw.dense("o", rows, (moving(x_at), row), (fx, fo), [d, d]);
    let sum = Residual::new(fx, fo, fr);
    o.stream.other = Other::Residual {
        at: moving(x_at),
        stride: row,
        left: fx.frac - fo.frac,
        shift: fx.frac.max(fo.frac) - fr.frac,
    };
    let (norm, norm_1) = draw.norm(fr, f1, d, Some((moving(x1_at), row)));
    o.stream.norm = Some(norm);

    let (mut u, dense_u) = draw.dense("u", rows, (moving(x1_at), row), (f1, fu), [d, hidden]);
    let (shift, gelu): (i32, bool) = (fu.frac - ff.frac, draw.rng.random());
    let bits = draw.rng.random_range(4..9);
    let words = table::gelu(fu, ff, bits);
    let activate = if gelu {
        let table = draw.draft.function(&words);
        let drop = table::gelu_shift(fu, bits);
        u.stream.function = Function::Gelu {
            table,
            bits,
            drop,
            shift,
        };
        Activate::gelu(fu, ff, words, bits)
    } else {
        u.stream.function = Function::Relu { shift };
        Activate::relu(fu, ff)
    };
    u.stream.to = To::X {
        at: At::fixed(f_at),
        row: wide_row,
        column: 1,
    };

    let (mut down, dense_d) = draw.dense("d", rows, (At::fixed(f_at), wide_row), (ff, fd), [hidden, d]);
    let keep = pooled != Pooled::Mean;
    let (norm, last) = draw.norm(fd, fy, d, keep.then_some((moving(y_at), row)));
    down.stream.norm = Some(norm);
    if pooled == Pooled::Mean {
        down.stream.sums = Some(Sums {
            base: 3,
            of: Summed::Result,
        });
    }

    draw.draft.program.steps.push(Step::Blocks { tokens: tokens as u32 });
    for run in [o, u, down] {
        draw.draft.push(run);
    }
    draw.draft.program.steps.push(Step::Next {
        r1: tokens as u32 * row,
        r2: 0,
    });

    let (fp, bits) = (draw.near(1), draw.rng.random_range(4..10));
    let reciprocal = table::reciprocal(bits);
    let mean = Mean::new(fy, fp, n_max, reciprocal.clone(), bits);
    let fl = Format::new(serial, serial as i32 - 6);
    let (place, format) = match pooled {
        Pooled::Every => ((At::fixed(y_at), row), fy),
        Pooled::Last => (
            (
                At {
                    base: y_at,
                    index: Index::Last,
                },
                0,
            ),
            fy,
        ),
        Pooled::Mean => {
            let mut count = plain("count", Source::Count, 1, w);
            let table = draw.draft.mantissa(&reciprocal);
            count.stream.serial = Serial::Count { read: 7, table, bits };
            let mut pool = plain("pooled", Source::Sums, d, serial);
            pool.stream.sums = Some(Sums {
                base: 3,
                of: Summed::Nothing,
            });
            let gamma = serial as i32 - 1 - w as i32;
            pool.stream.serial = Serial::Normalise {
                read: 7,
                offset: fy.frac - fp.frac - gamma,
            };
            pool.stream.to = To::X {
                at: At::fixed(pooled_at),
                row: 0,
                column: 1,
            };
            draw.draft.push(count);
            draw.draft.push(pool);
            ((At::fixed(pooled_at), 0), fp)
        }
    };
    // Outside loops all tokens are one block.
    let rows = if pooled == Pooled::Every {
        Extent::Block
    } else {
        Extent::Fixed(1)
    };
    let (mut logits, head) = draw.dense("logits", rows, place, (format, fl), [d, classes]);
    logits.stream.to = To::Output;
    draw.draft.push(logits);
    Blocks {
        o: dense_o,
        sum,
        norm: norm_1,
        u: dense_u,
        activate,
        d: dense_d,
        last,
        mean,
        head,
    }
}

fn wide(x: &[i32]) -> Vec<i64> {
    x.iter().map(|&x| x as i64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_program_is_the_layer(seed: u64, w in 8u32..=18, lanes in 1usize..=9, d in 3usize..30, hidden in 2usize..40, pooled in 0usize..3) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n_max = rng.random_range(1..20);
        let tokens = rng.random_range(1..=n_max);
        let pooled = [Pooled::Every, Pooled::Mean, Pooled::Last][pooled];
        let mut draft = Draft::new(2 * lanes, w, n_max);
        let mut draw = Draw { rng: &mut rng, draft: &mut draft, w };
        let b = program(&mut draw, [d, hidden, 5], tokens, pooled);
        let mut machine = draft.machine();
        for _ in 0..2 {
            let n = rng.random_range(1..=n_max);
            let x = operands(&mut rng, w, n * d);
            let o = b.o.run(&x, &[]);
            let r = b.sum.run(&x, &o);
            let x1 = b.norm.run(&r);
            let u = b.u.run(&x1, &[]);
            let f = b.activate.run(&u);
            let down = b.d.run(&f, &[]);
            let y = b.last.run(&down);
            let p = match pooled {
                Pooled::Every => y.clone(),
                Pooled::Mean => b.mean.run(&y, d),
                Pooled::Last => y[(n - 1) * d..].to_vec(),
            };
            let (output, seen) = observed(&mut machine, &x);
            let at = |label: &str, tap: Tap| &seen[&(draft.step(label), tap)];
            prop_assert_eq!(at("o", Tap::Linear), &wide(&o));
            prop_assert_eq!(at("o", Tap::Sum), &b.o.accumulate(&x, &[]));
            prop_assert_eq!(at("o", Tap::Other), &wide(&r));
            prop_assert_eq!(at("o", Tap::Norm), &wide(&x1));
            prop_assert_eq!(at("u", Tap::Linear), &wide(&u));
            prop_assert_eq!(at("u", Tap::Function), &wide(&f));
            prop_assert_eq!(at("d", Tap::Norm), &wide(&y));
            if pooled == Pooled::Mean {
                let sums = at("d", Tap::Sums);
                prop_assert_eq!(&sums[(n - 1) * d..], &b.mean.accumulate(&y, d));
                prop_assert_eq!(at("pooled", Tap::Normalise), &wide(&p));
            }
            prop_assert_eq!(&output, &b.head.run(&p, &[]));
            prop_assert_eq!(at("logits", Tap::Linear), &wide(&output));
        }
    }
}
