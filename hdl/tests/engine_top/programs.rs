//! Programs for the engine with random sizes, weights and tables: what they compute means nothing, but every field is in use.

use super::rig::Case;
use super::sketch::{Sketch, even, moving};
use astromorph::engine::program::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

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
