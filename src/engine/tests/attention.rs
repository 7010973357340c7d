//! Attention by a program: projections, φ, keys, chunked write, power, seal, read, normaliser; both orders, every width, several lanes.

use super::*;
use crate::format::Format;
use crate::spec::{Nonlinearity, Order};
use crate::twin::{Attention, AttentionSizes, Dense, Trace};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One projection, and how its words are shifted.
struct Projection {
    dense: Dense,
    weight: Vec<i32>,
    bias: Vec<i64>,
    shift: i32,
}

impl Projection {
    /// D → `outputs`; the sums are brought to about the range of `out`.
    fn draw(rng: &mut ChaCha8Rng, d: usize, outputs: usize, out: Format) -> Self {
        let w = out.bits;
        let shift = w as i32 - 1 + crate::format::growth(d) as i32 / 2 - rng.random_range(0..3);
        let x = Format::new(w, w as i32 - 4);
        let wf = Format::new(w, shift + out.frac - x.frac);
        let weight = operands(rng, w, d * outputs);
        let bias: Vec<i64> = operands(rng, w, outputs)
            .iter()
            .map(|&b| (b as i64) << (w - 4))
            .collect();
        Projection {
            dense: Dense::new(
                weight.clone(),
                bias.clone(),
                Format::new(32, x.frac + wf.frac),
                x,
                wf,
                out,
            ),
            weight,
            bias,
            shift,
        }
    }

    /// Weights and bias of one head's columns.
    fn head(&self, h: usize, width: usize) -> (Vec<i32>, Vec<i64>) {
        let all = self.bias.len();
        let rows = self.weight.chunks_exact(all);
        (
            rows.flat_map(|row| row[h * width..(h + 1) * width].to_vec()).collect(),
            self.bias[h * width..(h + 1) * width].to_vec(),
        )
    }
}

/// Tables of an attention in the core, and its fields.
struct Fields {
    phi_k: Function,
    phi_q: Function,
    seal: Function,
    seal_shift: i32,
    seal_bits: u32,
    power: u32,
    reciprocal: u32,
}

fn tables(draft: &mut Draft, att: &Attention) -> Fields {
    let (f, t, w) = (&att.formats, &att.tables, att.width());
    let mut phi = |fi: Format, fo: Format, table: &[i32]| Function::Phi {
        table: draft.function(table),
        bits: t.phi_bits,
        one: fi.frac as u32,
        shift: fi.frac - fo.frac,
    };
    let (phi_k, phi_q) = (phi(f.k, f.a, &t.phi_k), phi(f.q, f.b, &t.phi_q));
    let (seal, seal_shift, seal_bits) = match att.nonlinearity {
        Nonlinearity::Identity => (Function::None, att.z_frac() - f.h.frac, w),
        Nonlinearity::Sigmoid => {
            let bits = t.sigmoid_bits;
            let table = draft.function(&t.sigmoid);
            (Function::Table { table, bits }, att.z_frac() - bits as i32 + 4, bits)
        }
        Nonlinearity::HardSigmoid => (Function::Hard, att.z_frac() + 2 - (w as i32 - 1), w + 1),
    };
    Fields {
        phi_k,
        phi_q,
        seal,
        seal_shift,
        seal_bits,
        power: draft.mantissa(&t.power),
        reciprocal: draft.mantissa(&t.reciprocal),
    }
}

/// A whole attention layer with blocks of `tokens`; y goes to the output, head by head.
fn program(draft: &mut Draft, att: &Attention, [pq, pk, pv]: &[Projection; 3], d: usize, tokens: usize, filled: bool) {
    let (m, e, w, n_max) = (att.features, att.values, att.width(), att.n_max);
    let fields = tables(draft, att);
    let (row, t, m2) = (even(d), even(tokens), even(m));
    let x = draft.x(n_max * row as usize);
    let mut input = plain("x0", Source::Input, d, w);
    input.stream.to = To::X {
        at: At::fixed(x),
        row,
        column: 1,
    };
    draft.push(input);
    let moving = |base, index| At { base, index };
    let keys = draft.elements(&att.w);
    let (aw, b) = (draft.x(m * t as usize), draft.x(tokens * m2 as usize));
    let passes = e.div_ceil(draft.lanes());
    let (v, h) = (draft.bank(passes * t as usize), draft.bank(passes * m2 as usize));
    let next = Step::Next {
        r1: tokens as u32 * row,
        r2: (tokens * m) as u32,
    };
    let blocks = Step::Blocks { tokens: tokens as u32 };
    let two_pass = att.order == Order::TwoPass;
    for head in 0..att.heads {
        let mut project = |name: &str, p: &Projection, width: usize| {
            let (weight, bias) = p.head(head, width);
            let label = format!("{name}{head}");
            let mut run = draft.dense(&label, Extent::Block, moving(x, Index::R1), row, &weight, width, filled);
            run.stream.addend = draft.bias(&bias);
            run.stream.shift = p.shift;
            run
        };
        let (mut k, mut value, mut q) = (project("k", pk, m), project("v", pv, e), project("q", pq, m));
        k.stream.function = fields.phi_k;
        k.stream.sums = Some(Sums {
            base: 0,
            of: Summed::Function,
        });
        if !att.w.is_empty() {
            k.stream.other = Other::Key {
                at: moving(keys + (head * n_max * m) as u32, Index::R2),
                stride: m as u32,
            };
        }
        k.stream.to = To::X {
            at: At::fixed(aw),
            row: 1,
            column: t,
        };
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
        let wide = att.z_bits() > 32;
        let state = draft.m(vec![0xdead_beef; m * e * (1 + usize::from(wide))]);
        let label = format!("z{head}");
        let source = mac(Extent::Fixed(m as u32), aw, t, Extent::Block, v, t);
        let mut write = plain(&label, source, e, fields.seal_bits);
        write.stream.addend = Addend::State { at: state, wide };
        write.stream.shift = fields.seal_shift;
        write.stream.function = fields.seal;
        write.stream.to = To::Bank {
            bank: h,
            row: 1,
            pass: m2,
        };
        let mut power = plain(format!("g{head}"), Source::Sums, m, w);
        power.stream.sums = Some(Sums {
            base: 0,
            of: Summed::Nothing,
        });
        power.stream.slow = true;
        power.stream.serial = Serial::Power {
            g: 0,
            table: fields.power,
            bits: att.tables.power_bits,
            running: false,
        };
        q.stream.function = fields.phi_q;
        q.stream.serial = Serial::Calcium {
            g: 0,
            read: 1,
            minimum: att.c_min().trailing_zeros(),
            table: fields.reciprocal,
            bits: att.tables.reciprocal_bits,
            running: false,
        };
        q.stream.to = To::X {
            at: At::fixed(b),
            row: m2,
            column: 1,
        };
        let source = mac(Extent::Block, b, m2, Extent::Fixed(m as u32), h, m2);
        let mut read = plain(format!("y{head}"), source, e, att.serial_width());
        let normaliser = att.normaliser();
        read.stream.serial = Serial::Normalise {
            read: 1,
            offset: normaliser.offset - normaliser.left as i32,
        };
        read.stream.to = To::Output;

        draft.program.steps.push(blocks.clone());
        draft.push(k);
        draft.push(value);
        draft.push(write);
        if two_pass {
            draft.program.steps.push(next.clone());
        }
        draft.push(power);
        if two_pass {
            draft.program.steps.push(blocks.clone());
        }
        draft.push(q);
        draft.push(read);
        draft.program.steps.push(next.clone());
    }
}

/// The last `n` words at a tap.
fn last(seen: &Seen, step: usize, tap: Tap, n: usize) -> &[i64] {
    let words = &seen[&(step, tap)];
    &words[words.len() - n..]
}

fn compare(draft: &Draft, att: &Attention, t: &Trace, n: usize, output: &[i32], seen: &Seen) {
    let (m, e, heads) = (att.features, att.values, att.heads);
    for h in 0..heads {
        let step = |name: &str| draft.step(&format!("{name}{h}"));
        // Columns of one head, token by token.
        let narrow = |x: &[i32], width: usize| -> Vec<i64> {
            let rows = x.chunks_exact(heads * width);
            rows.flat_map(|row| row[h * width..(h + 1) * width].iter().map(|&x| x as i64))
                .collect()
        };
        let wide = |x: &[i64], width: usize| -> Vec<i64> {
            let rows = x.chunks_exact(heads * width);
            rows.flat_map(|row| row[h * width..(h + 1) * width].to_vec()).collect()
        };
        assert_eq!(seen[&(step("k"), Tap::Function)], narrow(&t.a, m));
        if !att.w.is_empty() {
            assert_eq!(seen[&(step("k"), Tap::Other)], narrow(&t.aw, m));
        }
        assert_eq!(last(seen, step("k"), Tap::Sums, m), &t.s[h * m..(h + 1) * m]);
        let (z, sealed) = (&t.z[h * m * e..(h + 1) * m * e], &t.h[h * m * e..(h + 1) * m * e]);
        assert_eq!(last(seen, step("z"), Tap::Sum, m * e), z);
        let tap = if att.nonlinearity == Nonlinearity::Identity {
            Tap::Linear
        } else {
            Tap::Function
        };
        let found: Vec<i32> = last(seen, step("z"), tap, m * e).iter().map(|&x| x as i32).collect();
        assert_eq!(found, sealed);
        let g: Vec<i64> = t.g[h * m..(h + 1) * m].iter().map(|&x| x as i64).collect();
        assert_eq!(last(seen, step("g"), Tap::Power, m), g);
        assert_eq!(seen[&(step("q"), Tap::Function)], narrow(&t.b, m));
        assert_eq!(seen[&(step("q"), Tap::Calcium)], wide(&t.c, 1));
        assert_eq!(seen[&(step("y"), Tap::Sum)], wide(&t.num, e));
        assert_eq!(seen[&(step("y"), Tap::Normalise)], narrow(&t.y, e));
        let own: Vec<i64> = output[h * n * e..(h + 1) * n * e].iter().map(|&x| x as i64).collect();
        assert_eq!(own, narrow(&t.y, e));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_program_is_the_attention(seed: u64, lanes in 1usize..=9, d in 2usize..12, filled: bool) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut sizes = AttentionSizes::draw(&mut rng, 24, 18);
        (sizes.heads, sizes.features, sizes.values) = (1 + sizes.heads % 3, 4 + sizes.features % 13, 4 + sizes.values % 13);
        let att = Attention::random(&mut rng, sizes);
        let f = att.formats;
        let (hm, he) = (sizes.heads * sizes.features, sizes.heads * sizes.values);
        let projections = [(hm, f.q), (hm, f.k), (he, f.v)].map(|(n, out)| Projection::draw(&mut rng, d, n, out));
        let mut draft = Draft::new(2 * lanes, sizes.width, sizes.n_max);
        let tokens = if sizes.order == Order::Causal { 1 } else { rng.random_range(1..=sizes.n_max + 1) };
        program(&mut draft, &att, &projections, d, tokens, filled);
        let mut machine = draft.machine();
        // The memories keep what the sequence before left: nothing of it may show.
        for _ in 0..2 {
            let n = rng.random_range(1..=sizes.n_max);
            let x = operands(&mut rng, sizes.width, n * d);
            let [q, k, v] = [0, 1, 2].map(|i: usize| projections[i].dense.run(&x, &[]));
            let trace = att.run(&q, &k, &v);
            let (output, seen) = observed(&mut machine, &x);
            compare(&draft, &att, &trace, n, &output, &seen);
            prop_assert_eq!(machine.predict(&x).unwrap(), output);
        }
    }
}
