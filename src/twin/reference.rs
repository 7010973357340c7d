//! The attention a second time, straight from `docs/arithmetic.md`: one index at a time, in 128 bits, sharing nothing with the twin but its
//! stored words. It also measures how much of each accumulator was used.

use super::attention::Attention;
use super::{AttentionSizes, Trace, random_inputs, signed_bits};
use crate::spec::{Nonlinearity, Order};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Section 1: add half, shift, saturate.
fn requant(acc: i128, from: i32, bits: u32, frac: i32) -> i128 {
    let s = from - frac;
    let x = if s > 0 { (acc + (1 << (s - 1))) >> s } else { acc << -s };
    x.max(-(1 << (bits - 1))).min((1 << (bits - 1)) - 1)
}

fn log2(x: i128) -> u32 {
    let mut e = 0;
    while x >> (e + 1) > 0 {
        e += 1;
    }
    e
}

/// Section 1: the T bits after the leading one.
fn mantissa(x: i128, t: u32) -> (u32, usize) {
    let e = log2(x);
    let rest = x - (1 << e);
    (e, if e >= t { rest >> (e - t) } else { rest << (t - e) } as usize)
}

/// Section 2.
fn phi(x: i32, fi: (u32, i32), fo: (u32, i32), table: &[i32], t: u32) -> i128 {
    if x >= 0 {
        requant(x as i128 + (1i128 << fi.1), fi.1, fo.0, fo.1)
    } else {
        table[((x as i128 + (1i128 << (fi.0 - 1))) >> (fi.0 - 1 - t)) as usize] as i128
    }
}

/// Section 4.
fn seal(att: &Attention, z: i128) -> i128 {
    let (w, fz) = (att.formats.k.bits, att.formats.a.frac + att.formats.v.frac);
    match att.nonlinearity {
        Nonlinearity::Identity => requant(z, fz, w, att.formats.h.frac),
        Nonlinearity::Sigmoid => {
            let u = att.tables.sigmoid_bits;
            att.tables.sigmoid[(requant(z, fz, u, u as i32 - 4) + (1 << (u - 1))) as usize] as i128
        }
        Nonlinearity::HardSigmoid => {
            let u = requant(z, fz + 2, w + 1, w as i32 - 1);
            (u + (1 << (w - 2))).max(0).min((1 << (w - 1)) - 1)
        }
    }
}

/// Section 5.
fn normalise(
    (num, num_frac): (i128, i32),
    (c, c_frac): (i128, i32),
    c_min: i128,
    y: (u32, i32),
    table: &[i32],
    t: u32,
) -> i128 {
    let serial = if y.0 > 16 { y.0 } else { 16 };
    let gamma = serial as i32 - 1 - y.0 as i32;
    let kappa = num_frac - c_frac - y.1 - gamma;
    let left = std::cmp::max(0, -(kappa + log2(c_min) as i32));
    let (e, mant) = mantissa(c, t);
    let shift = e as i32 + kappa + left;
    assert!(shift >= 0);
    let n = ((((num << left) * 2) >> shift) + 1) >> 1;
    let n = n.max(-(1 << (serial - 1))).min((1 << (serial - 1)) - 1);
    requant(n * table[mant] as i128, 15 + gamma + y.1, y.0, y.1)
}

/// Sections 3 to 6 for one sequence.
fn run(att: &Attention, q: &[i32], k: &[i32], v: &[i32]) -> Trace {
    let (hh, m, e, f, tables) = (att.heads, att.features, att.values, &att.formats, &att.tables);
    let n = k.len() / (hh * m);
    let w_bits = f.k.bits;
    let pair = |x: crate::format::Format| (x.bits, x.frac);
    let mut t = Trace {
        z: vec![0; hh * m * e],
        s: vec![0; hh * m],
        h: vec![0; hh * m * e],
        g: vec![0; hh * m],
        c: vec![0; n * hh],
        num: vec![0; n * hh * e],
        y: vec![0; n * hh * e],
        ..Trace::default()
    };
    for token in 0..n {
        for column in 0..hh * m {
            let at = token * hh * m + column;
            let a = phi(k[at], pair(f.k), pair(f.a), &tables.phi_k, tables.phi_bits);
            let key = |head: usize, i: usize| att.w.get((head * att.n_max + token) * m + i).copied().unwrap_or(0);
            t.a.push(a as i32);
            t.aw.push((a + key(column / m, column % m) as i128).min((1 << (w_bits - 1)) - 1) as i32);
            t.b.push(phi(q[at], pair(f.q), pair(f.b), &tables.phi_q, tables.phi_bits) as i32);
        }
    }
    let write = |t: &mut Trace, token: usize| {
        for head in 0..hh {
            for i in 0..m {
                let row = head * m + i;
                for j in 0..e {
                    let product = t.aw[token * hh * m + row] as i128 * v[(token * hh + head) * e + j] as i128;
                    t.z[row * e + j] = (t.z[row * e + j] as i128 + product) as i64;
                }
            }
        }
    };
    let calcium = |t: &mut Trace, token: usize| {
        for row in 0..hh * m {
            t.s[row] += t.a[token * hh * m + row] as i64;
        }
    };
    let seal_z = |t: &mut Trace| {
        for at in 0..t.z.len() {
            t.h[at] = seal(att, t.z[at] as i128) as i32;
        }
    };
    let seal_s = |t: &mut Trace| {
        for at in 0..t.s.len() {
            let (exponent, mant) = mantissa((t.s[at] as i128).max(1), tables.power_bits);
            t.g[at] = tables.power[exponent as usize * (1 << tables.power_bits) + mant];
        }
    };
    // p of tokens `first` to `token`, for each head, and zeros up to T.
    let score = |t: &mut Trace, token: usize, first: usize| {
        for head in 0..hh {
            for tau in first..first + att.chunk {
                let b = |i: usize| t.b[(token * hh + head) * m + i] as i128;
                let sum = |tau: usize| -> i128 { (0..m).map(|i| b(i) * t.aw[(tau * hh + head) * m + i] as i128).sum() };
                let frac = f.b.frac + f.h.frac - f.v.frac;
                let p = match tau <= token {
                    true => requant(sum(tau), f.b.frac + f.a.frac, w_bits, frac),
                    false => 0,
                };
                t.p.push(p as i32);
            }
        }
    };
    let read = |t: &mut Trace, token: usize, first: usize| {
        for head in 0..hh {
            let b = |i: usize| t.b[(token * hh + head) * m + i] as i128;
            let c_frac = f.b.frac + f.g.frac;
            let c_min = if c_frac > 10 { 1i128 << (c_frac - 10) } else { 1 };
            let c: i128 = (0..m).map(|i| b(i) * t.g[head * m + i] as i128).sum();
            let c = c.max(c_min);
            let past = |j: usize| -> i128 { (0..m).map(|i| b(i) * t.h[(head * m + i) * e + j] as i128).sum() };
            let within = |j: usize| -> i128 {
                let p = |tau: usize| t.p[(token * hh + head) * att.chunk + tau - first] as i128;
                (first..=token)
                    .map(|tau| p(tau) * v[(tau * hh + head) * e + j] as i128)
                    .sum()
            };
            let num = |j: usize| past(j) + if t.p.is_empty() { 0 } else { within(j) };
            let nums: Vec<i128> = (0..e).map(num).collect();
            t.c[token * hh + head] = c as i64;
            for (j, &num) in nums.iter().enumerate() {
                let at = (token * hh + head) * e + j;
                t.num[at] = num as i64;
                let (num_frac, bits) = (f.b.frac + f.h.frac, tables.reciprocal_bits);
                t.y[at] = normalise((num, num_frac), (c, c_frac), c_min, pair(f.y), &tables.reciprocal, bits) as i32;
            }
        }
    };
    match (att.order, att.chunk) {
        (Order::TwoPass, _) => {
            for token in 0..n {
                write(&mut t, token);
                calcium(&mut t, token);
            }
            seal_z(&mut t);
            seal_s(&mut t);
            (0..n).for_each(|token| read(&mut t, token, 0));
        }
        (Order::Causal, 1) => {
            for token in 0..n {
                write(&mut t, token);
                calcium(&mut t, token);
                seal_z(&mut t);
                seal_s(&mut t);
                read(&mut t, token, token);
            }
        }
        (Order::Causal, chunk) => {
            for token in 0..n {
                let first = token - token % chunk;
                if token == first {
                    // H of the chunks before; the first chunk finds zeros, whatever seal makes of them.
                    (first.saturating_sub(chunk)..first).for_each(|past| write(&mut t, past));
                    seal_z(&mut t);
                }
                calcium(&mut t, token);
                seal_s(&mut t);
                score(&mut t, token, first);
                read(&mut t, token, first);
            }
            (n - 1 - (n - 1) % chunk..n).for_each(|token| write(&mut t, token));
            seal_z(&mut t);
        }
    }
    t
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_twin_is_the_law(seed: u64, chunked: bool) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sizes = match chunked {
            true => AttentionSizes::draw_chunked(&mut rng, 48, 18),
            false => AttentionSizes::draw(&mut rng, 48, 18),
        };
        let att = Attention::random(&mut rng, sizes);
        prop_assert!(att.validate().is_ok(), "{:?}", att.validate());
        let n = 1 + seed as usize % sizes.n_max;
        let (q, k, v) = random_inputs(&mut rng, &att, n);
        prop_assert_eq!(att.run(&q, &k, &v), run(&att, &q, &k, &v), "{:?}", sizes);
    }

    /// The scalar functions that hardware blocks are tested against are those of the whole path.
    #[test]
    fn scalar_functions_agree(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let sizes = AttentionSizes::draw(&mut rng, 6, 18);
        let att = Attention::random(&mut rng, sizes);
        let (q, k, v) = random_inputs(&mut rng, &att, sizes.n_max);
        let (t, f) = (att.run(&q, &k, &v), &att.formats);
        for (&k, &a) in k.iter().zip(&t.a) {
            prop_assert_eq!(Attention::phi(k, f.k, f.a, &att.tables.phi_k, att.tables.phi_bits), a);
        }
        for (&z, &h) in t.z.iter().zip(&t.h) {
            prop_assert_eq!(att.seal(z), h);
        }
        for (&s, &g) in t.s.iter().zip(&t.g) {
            prop_assert_eq!(att.power(s), g);
        }
    }
}

/// Every operand at its extreme for N_max tokens. Each declared width holds, and one bit less does not, except where the sizes leave a
/// remainder: N = 257 products of 8 bits stay just below the next power of two because the operand's top is 2^7 − 1.
#[test]
fn the_worst_cases_fill_the_accumulators() {
    use crate::format::Format;
    for (width, n, m, chunk) in [
        (8, 1, 4, 1),
        (8, 300, 64, 1),
        (8, 256, 33, 1),
        (12, 100, 5, 1),
        (16, 512, 64, 1),
        (16, 400, 32, 1),
        (18, 512, 64, 1),
        (8, 64, 16, 16),
        (8, 96, 33, 32),
        (12, 32, 5, 16),
    ] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sizes = AttentionSizes {
            heads: 1,
            features: m,
            values: 4,
            n_max: n,
            width,
            order: if chunk > 1 { Order::Causal } else { Order::TwoPass },
            nonlinearity: Nonlinearity::Identity,
            alpha: 1.0,
            position: false,
            chunk,
        };
        let mut att = Attention::random(&mut rng, sizes);
        // φ saturates at its top for the largest k and q when it has more fraction bits than they have.
        let top = att.formats.a.max() as i32;
        att.formats.k.frac = 4;
        att.formats.q.frac = 4;
        att.formats.a.frac = width as i32;
        att.formats.b.frac = width as i32;
        att.formats.v.frac = 0;
        att.formats.h.frac = 20; // every Z saturates, downwards, and every score upwards
        att.tables.power.fill(att.formats.g.max() as i32);
        let low = -top - 1;
        let t = att.run(&vec![top; n * m], &vec![top; n * m], &vec![low; n * 4]);
        assert!(t.a[0] == top && t.b[0] == top && t.h[0] == low && t.g[0] == att.formats.g.max() as i32);
        assert!(t.p.last().is_none_or(|&p| p == top));
        // The last token of the last chunk reads T scores and H of every chunk before.
        let num = t.num[(n - 1) * 4];
        for (name, declared, value) in [
            ("Z", att.z_bits(), t.z[0]),
            ("s", att.s_bits(), t.s[0]),
            ("C", att.c_bits(), t.c[n - 1]),
            ("num", att.num_bits(), num),
        ] {
            let used = signed_bits(value.min(0) as i128, value.max(0) as i128);
            assert!(value <= Format::new(declared, 0).max() && value >= Format::new(declared, 0).min());
            assert_eq!(
                used, declared,
                "{name} of W = {width}, N = {n}, m = {m}, T = {chunk}: {value}"
            );
        }
        assert!(att.z_bits() <= 44 && att.c_bits() <= 41 && att.num_bits() <= 41 && att.s_bits() <= 27);
    }
}
