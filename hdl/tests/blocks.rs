//! Every block against its law and, through the emitted Verilog, against Icarus: every output, every cycle, random data.

mod common;

use astromorph::format::{Format, requant, split};
use astromorph::spec::{Nonlinearity, Order};
use astromorph::table;
use astromorph::twin::attention::Normaliser;
use astromorph::twin::{Attention, AttentionSizes};
use astromorph_hdl::block;
use astromorph_hdl::calcium::{Calcium, CalciumSize};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::delay::Delay;
use astromorph_hdl::drain::Drain;
use astromorph_hdl::fifo::Fifo;
use astromorph_hdl::lane::{Lane, LaneSize};
use astromorph_hdl::loader::Loader;
use astromorph_hdl::multiply::{Multiplier, Target};
use astromorph_hdl::normalise::{self, Normalise};
use astromorph_hdl::number::{S, Sig, U};
use astromorph_hdl::phi::{self, Phi};
use astromorph_hdl::plan::Plan;
use astromorph_hdl::positional::Positional;
use astromorph_hdl::power::{self, Power};
use astromorph_hdl::ram::{Contents, Ram};
use astromorph_hdl::reciprocal::{self, Reciprocal};
use astromorph_hdl::register::Reg;
use astromorph_hdl::rom::Rom;
use astromorph_hdl::round::{Round, Rounding};
use astromorph_hdl::seal::{self, Seal};
use astromorph_hdl::sequencer::Sequencer;
use astromorph_hdl::split::Split;
use common::{record, record_steps};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number of `bits` with sign: extremes, small and large ones.
fn number(rng: &mut impl Rng, bits: u32) -> i64 {
    let top = (1i64 << (bits - 1)) - 1;
    match rng.random_range(0..8) {
        0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
        1..=3 => rng.random_range(-top - 1..=top),
        _ => rng.random_range(-top - 1..=top) >> rng.random_range(0..bits),
    }
}

/// What a pipeline of `latency` cycles owes.
struct Line<T>(VecDeque<Option<T>>);

impl<T> Line<T> {
    fn new(latency: usize) -> Self {
        Line((0..latency).map(|_| None).collect())
    }
    fn push(&mut self, x: T) -> Option<T> {
        self.0.push_back(Some(x));
        self.0.pop_front().unwrap()
    }
}

block! {
    /// A register as it stands in blocks.
    pub struct Held {
        inputs { d: Sig<In, S> }
        outputs { q: Sig<Out, S> }
        parts { register: Reg<S> }
        locals {}
    }
}

impl Logic for Held {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, register);
        self.register.d.next = self.d.val();
        self.q.next = self.register.q.val();
    }
}

#[test]
fn register_and_delay() {
    let mut r = rng(1);
    record(
        Held {
            clock: Default::default(),
            d: Sig::new(13),
            q: Sig::new(13),
            register: Reg::new(13),
            activity: Default::default(),
        },
        |b| &mut b.clock,
        200,
        |b, _| b.d.next = S::new(number(&mut r, 13)),
        |_, _| {},
    )
    .compare("register");
    for (width, cycles) in [(1, 1), (1, 2), (1, 5), (7, 1), (7, 2), (64, 3)] {
        let line = Delay::<U>::new("line", width, cycles).unwrap();
        let mut owed = Line::new(cycles);
        let mut clean = 0;
        record(
            line,
            |b| &mut b.clock,
            200,
            |b, n| {
                b.d.next = U::new(r.random::<u64>() >> (64 - width));
                b.reset.next = n % 37 == 36;
            },
            |b, _| {
                let want = owed.push(b.d.next);
                clean = if b.reset.next { 0 } else { clean + 1 };
                if let Some(want) = want.filter(|_| clean > cycles) {
                    assert_eq!(b.q.val(), want);
                }
            },
        )
        .compare(&format!("delay-{width}-{cycles}"));
    }
}

#[test]
fn memories() {
    let mut r = rng(2);
    for (depth, width, contents) in [
        (1, 5, Contents::Zero),
        (37, 16, Contents::Zero),
        (64, 40, Contents::Zero),
        (12, 8, Contents::Unwritten),
    ] {
        let mut written = vec![contents == Contents::Zero; depth];
        let mut memory = vec![0i64; depth];
        let mut want = 0;
        record_steps(
            Ram::<S>::new("ram", depth, width, contents).unwrap(),
            |b| &mut b.clock,
            400,
            |b, _, settled| {
                if !settled {
                    let (to, from) = (r.random_range(0..depth), r.random_range(0..depth));
                    b.write_enable.next = r.random();
                    b.write_address.next = U::new(to as u64);
                    b.write_data.next = S::new(number(&mut r, width));
                    b.read_enable.next = r.random::<bool>() && written[from] && !(b.write_enable.next && to == from);
                    b.read_address.next = U::new(from as u64);
                } else {
                    assert_eq!(b.read_data.val().get(), want);
                    if b.read_enable.val() {
                        want = memory[b.read_address.val().index()];
                    }
                    if b.write_enable.val() {
                        memory[b.write_address.val().index()] = b.write_data.val().get();
                        written[b.write_address.val().index()] = true;
                    }
                }
            },
        )
        .compare(&format!("ram-{depth}"));
    }
    let words: Vec<i32> = (0..300).map(|_| number(&mut r, 12) as i32).collect();
    let mut owed = Line::new(1);
    record(
        Rom::new("rom", &words, 12).unwrap(),
        |b| &mut b.clock,
        400,
        |b, _| b.address.next = U::new(r.random_range(0..300)),
        |b, _| {
            if let Some(want) = owed.push(words[b.address.next.index()]) {
                assert_eq!(b.data.val().get(), want as i64);
            }
        },
    )
    .compare("rom");
}

/// yosys' model of the vendor's cell, where yosys is installed.
fn cell_models() -> Option<String> {
    let out = std::process::Command::new("yosys-config")
        .args(["--datdir/ice40/cells_sim.v"])
        .output()
        .ok()?;
    let path = String::from_utf8_lossy(&out.stdout).trim().to_string();
    std::path::Path::new(&path).exists().then_some(path)
}

#[test]
fn multipliers() {
    let mut r = rng(3);
    for (a, b, target) in [
        (8, 16, Target::Ice40),
        (16, 16, Target::Ice40),
        (18, 18, Target::Ecp5),
        (9, 16, Target::Generic),
    ] {
        let mut owed = Line::new(1);
        let run = record(
            Multiplier::new("multiplier", a, b, target).unwrap(),
            |m| &mut m.clock,
            500,
            |m, _| (m.a.next, m.b.next) = (S::new(number(&mut r, a)), S::new(number(&mut r, b))),
            |m, _| {
                if let Some(want) = owed.push(m.a.next.get() * m.b.next.get()) {
                    assert_eq!(m.p.val().get(), want);
                }
            },
        );
        let name = format!("multiplier-{a}-{b}");
        match (target, cell_models()) {
            (Target::Ice40, None) => println!("{name}: not compared: yosys' cell models missing"),
            (Target::Ice40, Some(models)) => run.compare_with(&name, &["-DNO_ICE40_DEFAULT_ASSIGNMENTS", &models]),
            _ => run.compare(&name),
        }
    }
}

#[test]
fn rounding() {
    let mut r = rng(4);
    for (x_bits, frac, to) in [
        (20, 12, Format::new(8, 4)),
        (16, 3, Format::new(16, 9)),
        (40, 30, Format::new(16, -2)),
        (12, 6, Format::new(12, 6)),
        (9, 40, Format::new(8, 0)),
    ] {
        let mut owed = Line::new(1);
        record(
            Round::new(Rounding::requant("round", x_bits, frac, to).unwrap()),
            |b| &mut b.clock,
            400,
            |b, _| b.x.next = S::new(number(&mut r, x_bits)),
            |b, _| {
                if let Some(want) = owed.push(requant(b.x.next.get(), frac, to)) {
                    assert_eq!(b.y.val().get(), want);
                }
            },
        )
        .compare(&format!("round-{x_bits}-{frac}"));
    }
}

#[test]
fn splitting() {
    let mut r = rng(5);
    for (bits, mantissa) in [(10, 4), (41, 9), (8, 12), (33, 1), (2, 1)] {
        let mut owed = Line::new(2);
        record(
            Split::new("split", bits, mantissa).unwrap(),
            |b| &mut b.clock,
            400,
            |b, _| b.x.next = S::new(number(&mut r, bits).unsigned_abs().min((1 << (bits - 1)) - 1) as i64),
            |b, _| {
                if let Some((e, m)) = owed.push(split(b.x.next.get().max(1), mantissa)) {
                    assert_eq!((b.exponent.val().get(), b.mantissa.val().get()), (e as u64, m as u64));
                }
            },
        )
        .compare(&format!("split-{bits}"));
    }
}

#[test]
fn phi_of_x() {
    let mut r = rng(6);
    for (fi, fo, index) in [
        (Format::new(16, 12), Format::new(16, 11), 10),
        (Format::new(8, 4), Format::new(8, 6), 7),
        (Format::new(11, 0), Format::new(11, -3), 4),
    ] {
        let words = table::phi(fi, fo, index);
        let mut owed = Line::new(phi::LATENCY);
        record(
            Phi::new("phi", fi, fo, &words).unwrap(),
            |b| &mut b.clock,
            500,
            |b, _| b.x.next = S::new(number(&mut r, fi.bits)),
            |b, _| {
                let want = Attention::phi(b.x.next.get() as i32, fi, fo, &words, words.len().ilog2());
                if let Some(want) = owed.push(want) {
                    assert_eq!(b.y.val().get(), want as i64);
                }
            },
        )
        .compare(&format!("phi-{}", fi.bits));
    }
}

fn layer(seed: u64, m: usize, e: usize, n: usize, width: u32, order: Order, f: Nonlinearity) -> Attention {
    let sizes = AttentionSizes {
        heads: 2,
        features: m,
        values: e,
        n_max: n,
        width,
        order,
        nonlinearity: f,
        alpha: 0.37,
        position: true,
    };
    Attention::random(&mut rng(seed), sizes)
}

#[test]
fn sealing() {
    let mut r = rng(7);
    for (seed, f) in [Nonlinearity::Identity, Nonlinearity::Sigmoid, Nonlinearity::HardSigmoid]
        .into_iter()
        .enumerate()
    {
        for width in [8, 13, 16] {
            let att = layer(seed as u64, 4, 4, 100, width, Order::TwoPass, f);
            let mut owed = Line::new(seal::LATENCY);
            record(
                Seal::new(
                    "seal",
                    att.z_bits(),
                    att.z_frac(),
                    att.formats.h,
                    f,
                    &att.tables.sigmoid,
                )
                .unwrap(),
                |b| &mut b.clock,
                500,
                |b, _| b.z.next = S::new(number(&mut r, att.z_bits())),
                |b, _| {
                    if let Some(want) = owed.push(att.seal(b.z.next.get())) {
                        assert_eq!(b.h.val().get(), want as i64);
                    }
                },
            )
            .compare(&format!("seal-{f:?}-{width}"));
        }
    }
}

#[test]
fn calcium_power_and_reciprocal() {
    let mut r = rng(8);
    for (seed, width) in [8, 12, 16, 18].into_iter().enumerate() {
        let att = layer(seed as u64, 30, 4, 200, width, Order::TwoPass, Nonlinearity::Identity);
        let mut owed = Line::new(power::LATENCY);
        record(
            Power::new(
                "power",
                att.s_bits(),
                &att.tables.power,
                att.tables.power_bits,
                att.serial_width(),
            )
            .unwrap(),
            |b| &mut b.clock,
            400,
            |b, _| b.s.next = S::new(number(&mut r, att.s_bits()).max(0)),
            |b, _| {
                if let Some(want) = owed.push(att.power(b.s.next.get())) {
                    assert_eq!(b.g.val().get(), want as i64);
                }
            },
        )
        .compare(&format!("power-{width}"));

        let law = att.normaliser();
        let mut owed = Line::new(reciprocal::LATENCY);
        record(
            Reciprocal::new(
                "reciprocal",
                att.c_bits(),
                att.c_min(),
                law.offset,
                &att.tables.reciprocal,
            )
            .unwrap(),
            |b| &mut b.clock,
            400,
            |b, _| (b.capture.next, b.c.next) = (true, S::new(number(&mut r, att.c_bits()).max(0))),
            |b, _| {
                let (e, m) = split(b.c.next.get().max(att.c_min()), att.tables.reciprocal_bits);
                let want = (e as i64 + law.offset as i64, att.tables.reciprocal[m] as i64);
                if let Some(want) = owed.push(want) {
                    assert_eq!((b.shift.val().get() as i64, b.r.val().get()), want);
                }
            },
        )
        .compare(&format!("reciprocal-{width}"));
    }
}

#[test]
fn normalising() {
    let mut r = rng(9);
    for (seed, width) in [8, 12, 16, 18].into_iter().enumerate() {
        let att = layer(seed as u64, 30, 4, 200, width, Order::TwoPass, Nonlinearity::Sigmoid);
        let law: Normaliser = att.normaliser();
        let target = if width > 16 { Target::Ecp5 } else { Target::Generic };
        let mut owed = Line::new(normalise::LATENCY);
        let mut late = Line::new(normalise::R_LATENCY);
        let mut want = None;
        record_steps(
            Normalise::new(&law, att.num_bits(), target).unwrap(),
            |b| &mut b.clock,
            600,
            |b, _, settled| {
                if !settled {
                    let c = number(&mut r, att.c_bits()).max(att.c_min());
                    let (e, m) = split(c, att.tables.reciprocal_bits);
                    b.num.next = S::new(number(&mut r, att.num_bits()));
                    b.shift.next = U::new((e as i64 + law.offset as i64) as u64);
                    let word = att.tables.reciprocal[m];
                    want = owed.push(law.scale(b.num.next.get(), e, word));
                    b.r.next = S::new(late.push(word).unwrap_or(0) as i64);
                } else if let Some(want) = want {
                    assert_eq!(b.y.val().get(), want as i64);
                }
            },
        )
        .compare(&format!("normalise-{width}"));
    }
}

#[test]
fn positional_key() {
    let mut r = rng(10);
    let words: Vec<i32> = (0..60).map(|_| r.random_range(0..128)).collect();
    record(
        Positional::new(&words, 20, 8).unwrap(),
        |b| &mut b.clock,
        600,
        |b, n| {
            b.reset.next = n == 300;
            b.step.next = r.random_range(0..3) > 0;
            b.restart.next = n % 83 == 82;
            b.next_head.next = n % 83 == 25;
            b.a.next = S::new(r.random_range(0..128));
        },
        |_, _| {},
    )
    .compare("positional");
}

#[test]
fn lanes() {
    let mut r = rng(11);
    for (f, width, target) in [
        (Nonlinearity::Identity, 16, Target::Ecp5),
        (Nonlinearity::Sigmoid, 8, Target::Generic),
        (Nonlinearity::HardSigmoid, 18, Target::Ecp5),
    ] {
        let att = layer(3, 4, 4, 100, width, Order::TwoPass, f);
        let size = LaneSize {
            width,
            acc_bits: att.z_bits(),
            z_bits: att.z_bits(),
            z_frac: att.z_frac(),
            h: att.formats.h,
            v_depth: 12,
            h_depth: 9,
            z_depth: 18,
        };
        record(
            Lane::new(&size, f, &att.tables.sigmoid, target).unwrap(),
            |b| &mut b.clock,
            800,
            |b, _| {
                b.v_write.next = r.random();
                b.v_write_address.next = U::new(r.random_range(0..6));
                b.v_data.next = S::new(number(&mut r, width));
                b.v_read.next = r.random();
                b.v_address.next = U::new(r.random_range(6..12));
                if r.random_range(0..2) == 0 {
                    b.v_write_address.next = U::new(r.random_range(6..12));
                    b.v_address.next = U::new(r.random_range(0..6));
                }
                b.h_read.next = r.random();
                b.h_address.next = U::new(r.random_range(0..4));
                b.h_write.next = r.random();
                b.h_write_address.next = U::new(r.random_range(4..9));
                if r.random_range(0..2) == 0 {
                    b.h_address.next = U::new(r.random_range(4..9));
                    b.h_write_address.next = U::new(r.random_range(0..4));
                }
                b.read_mode.next = r.random();
                b.x.next = S::new(number(&mut r, width));
                b.z_read.next = r.random();
                b.z_address.next = U::new(r.random_range(0..9) * 2);
                b.z_write_address.next = U::new(r.random_range(0..9) * 2 + 1);
                if r.random_range(0..2) == 0 {
                    b.z_address.next = U::new(r.random_range(0..9) * 2 + 1);
                    b.z_write_address.next = U::new(r.random_range(0..9) * 2);
                }
                b.store.next = r.random();
                b.load.next = r.random_range(0..6) == 0;
                b.fresh.next = r.random();
                b.mac.next = !b.load.next && r.random();
                b.first.next = r.random_range(0..5) == 0;
            },
            |_, _| {},
        )
        .compare(&format!("lane-{f:?}"));
    }
}

#[test]
fn calcium_unit() {
    let mut r = rng(12);
    let att = layer(5, 10, 4, 60, 12, Order::Causal, Nonlinearity::Identity);
    let size = CalciumSize {
        width: 12,
        serial_bits: 16,
        s_bits: att.s_bits(),
        c_bits: att.c_bits(),
        s_depth: 20,
        g_depth: 10,
        mantissa_bits: att.tables.power_bits,
    };
    let mut steps = 0;
    record(
        Calcium::new(&size, &att.tables.power, Target::Generic).unwrap(),
        |b| &mut b.clock,
        800,
        |b, _| {
            b.g_read.next = r.random();
            b.g_address.next = U::new(r.random_range(0..5));
            b.g_write.next = r.random();
            b.g_write_address.next = U::new(r.random_range(5..10));
            b.x.next = S::new(number(&mut r, 12).max(0));
            b.s_read.next = r.random();
            b.s_address.next = U::new(r.random_range(0..10));
            b.s_write_address.next = U::new(r.random_range(10..20));
            b.store.next = r.random();
            b.a.next = S::new(r.random_range(0..2048));
            b.load.next = steps > 40;
            steps = if steps > 40 { 0 } else { steps + 1 };
            b.fresh.next = r.random();
            b.mac.next = !b.load.next && r.random();
            b.read_mac.next = r.random();
            b.read_first.next = r.random_range(0..5) == 0;
        },
        |_, _| {},
    )
    .compare("calcium");
}

#[test]
fn drains() {
    let mut r = rng(13);
    for lanes in [1usize, 2, 3, 8, 16] {
        let mut wait = 0;
        record(
            Drain::new(lanes, 21).unwrap(),
            |b| &mut b.clock,
            400,
            |b, n| {
                for acc in b.acc.iter_mut() {
                    acc.next = S::new(number(&mut r, 21));
                }
                b.reset.next = n == 200;
                b.capture.next = wait == 0 && r.random_range(0..3) == 0;
                wait = if b.capture.next { lanes - 1 } else { wait.max(1) - 1 };
                b.words.next = U::new(r.random_range(1..=lanes as u64));
                b.last.next = r.random();
            },
            |_, _| {},
        )
        .compare(&format!("drain-{lanes}"));
    }
}

#[test]
fn fifo_keeps_order_and_credits() {
    let mut r = rng(14);
    for stall in [0, 50, 95] {
        let (mut promised, mut sent, mut received) = (0u64, VecDeque::new(), 0);
        record_steps(
            Fifo::new(32, 5, 9).unwrap(),
            |b| &mut b.clock,
            1000,
            |b, n, settled| {
                if !settled {
                    b.m_ready.next = r.random_range(0..100) >= stall;
                    b.push.next = promised > 0 && r.random();
                    b.data.next = S::new(number(&mut r, 9));
                    b.last.next = r.random();
                    if b.push.next {
                        promised -= 1;
                        sent.push_back((b.data.next, b.last.next));
                    }
                    // Reservations come four cycles apart: room knows of the one before.
                    b.reserve.next = false;
                } else {
                    if n % 4 == 0 && b.room.val() {
                        // Taken as if it had been set before this edge.
                        b.reserve.next = true;
                        b.reserve_words.next = U::new(5);
                        common::settle(b);
                        promised += 5;
                    }
                    if b.m_valid.val() && b.m_ready.val() {
                        assert_eq!(sent.pop_front(), Some((b.m_data.val(), b.m_last.val())));
                        received += 1;
                    }
                }
            },
        );
        assert!(received > 20, "stall {stall}: {received}");
    }
    let mut r = rng(15);
    record(
        Fifo::new(32, 5, 9).unwrap(),
        |b| &mut b.clock,
        1000,
        |b, n| {
            b.m_ready.next = true;
            b.reset.next = n == 500;
            b.push.next = r.random();
            b.reserve.next = b.push.next;
            b.reserve_words.next = U::new(1);
            b.data.next = S::new(number(&mut r, 9));
            b.last.next = r.random();
        },
        |_, _| {},
    )
    .compare("fifo");
}

#[test]
fn loaders_and_sequencers() {
    for (seed, order, m, e, lanes) in [
        (1, Order::TwoPass, 5, 7, 4),
        (2, Order::Causal, 6, 4, 2),
        (3, Order::TwoPass, 8, 4, 1),
    ] {
        let att = layer(seed, m, e, 7, 10, order, Nonlinearity::Identity);
        let plan = Plan::new(
            &att,
            CoreConfig {
                lanes,
                chunk: 3,
                ..Default::default()
            },
        )
        .unwrap();
        let mut r = rng(seed);
        let mut busy = 0;
        record(
            Loader::new(&att, &plan).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, n| {
                b.reset.next = n == 1700;
                b.s_valid.next = r.random_range(0..4) > 0;
                b.s_q.next = S::new(number(&mut r, 10));
                b.s_k.next = S::new(number(&mut r, 10));
                b.s_v.next = S::new(number(&mut r, 10));
                b.s_last.next = r.random_range(0..20) == 0;
                busy = if b.chunk_ready.val() { busy + 1 } else { 0 };
                b.chunk_done.next = b.chunk_ready.val() && busy > 3;
                if b.chunk_done.next {
                    busy = 0;
                }
                b.head_done.next = r.random_range(0..40) == 0;
            },
            |_, _| {},
        )
        .compare(&format!("loader-{seed}"));
        record(
            Sequencer::new(&att, &plan).unwrap(),
            |b| &mut b.clock,
            3000,
            |b, n| {
                b.reset.next = n == 1700;
                b.chunk_ready.next = r.random_range(0..3) > 0;
                if b.phase.val() == 0 {
                    b.chunk_tokens.next = U::new(r.random_range(1..=plan.chunk as u64));
                    b.chunk_last.next = r.random();
                }
                b.room.next = r.random_range(0..4) > 0;
            },
            |_, _| {},
        )
        .compare(&format!("sequencer-{seed}"));
    }
}
