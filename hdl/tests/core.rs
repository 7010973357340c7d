//! The whole core equals the integer twin, word for word: random sizes, formats, inputs, stalls on both streams, back-to-back sequences of
//! different lengths without a reset.

mod common;

use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_hdl::core::{Core, CoreConfig};
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::S;
use common::{record, settle, yosys_accepts};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;

/// One beat of the input stream.
#[derive(Clone, Copy, Default)]
struct Beat {
    q: i32,
    k: i32,
    v: i32,
    last: bool,
}

/// The beats of a sequence; elements beyond m or e are noise that must not matter.
fn beats(rng: &mut impl Rng, att: &Attention, q: &[i32], k: &[i32], v: &[i32]) -> Vec<Beat> {
    let (heads, m, e) = (att.heads, att.features, att.values);
    let n = q.len() / (heads * m);
    let top = 1 << (att.width() - 1);
    let mut noise = || rng.random_range(-top..top);
    let mut out = Vec::new();
    let mut token_of = |h: usize, t: usize, last: bool| {
        for j in 0..m.max(e) {
            let key = (t * heads + h) * m + j;
            out.push(Beat {
                q: if j < m { q[key] } else { noise() },
                k: if j < m { k[key] } else { noise() },
                v: if j < e { v[(t * heads + h) * e + j] } else { noise() },
                last: last && j == m.max(e) - 1,
            });
        }
    };
    match att.order {
        Order::TwoPass => (0..heads).for_each(|h| (0..n).for_each(|t| token_of(h, t, t == n - 1))),
        Order::Causal => (0..n).for_each(|t| (0..heads).for_each(|h| token_of(h, t, t == n - 1 && h == heads - 1))),
    }
    out
}

/// y in the order it leaves: like the input, head-major in two-pass order.
fn expected(att: &Attention, y: &[i32]) -> Vec<(i32, bool)> {
    let (heads, e) = (att.heads, att.values);
    let n = y.len() / (heads * e);
    let mut out: Vec<i32> = Vec::new();
    match att.order {
        Order::TwoPass => {
            for h in 0..heads {
                for t in 0..n {
                    out.extend(&y[(t * heads + h) * e..][..e]);
                }
            }
        }
        Order::Causal => out.extend(y),
    }
    let end = out.len() - 1;
    out.into_iter().enumerate().map(|(x, y)| (y, x == end)).collect()
}

/// Drives both streams with stalls and collects.
struct Streams {
    beats: Vec<Beat>,
    sent: usize,
    valid: bool,
    received: Vec<(i32, bool)>,
    stall_in: u32,
    stall_out: u32,
}

impl Streams {
    fn drive(&mut self, core: &mut Core, rng: &mut impl Rng) {
        // A beat once offered stays until it is taken.
        self.valid = self.sent < self.beats.len() && (self.valid || rng.random_range(0..100) >= self.stall_in);
        let beat = self.beats.get(self.sent).copied().unwrap_or_default();
        core.s_axis_tvalid.next = self.valid;
        core.s_axis_tdata_q.next = S::new(beat.q as i64);
        core.s_axis_tdata_k.next = S::new(beat.k as i64);
        core.s_axis_tdata_v.next = S::new(beat.v as i64);
        core.s_axis_tlast.next = beat.last;
        core.m_axis_tready.next = rng.random_range(0..100) >= self.stall_out;
    }

    fn sample(&mut self, core: &Core) {
        if core.s_axis_tvalid.val() && core.s_axis_tready.val() {
            self.sent += 1;
            self.valid = false;
        }
        if core.m_axis_tvalid.val() && core.m_axis_tready.val() {
            self.received
                .push((core.m_axis_tdata.val().get() as i32, core.m_axis_tlast.val()));
        }
    }
}

/// Input beats and expected words of several sequences, one after the other.
fn workload(rng: &mut ChaCha8Rng, att: &Attention, lengths: &[usize]) -> (Vec<Beat>, Vec<(i32, bool)>) {
    let (mut all, mut want) = (Vec::new(), Vec::new());
    for &n in lengths {
        let (q, k, v) = random_inputs(rng, att, n);
        all.extend(beats(rng, att, &q, &k, &v));
        want.extend(expected(att, &att.run(&q, &k, &v).y));
    }
    (all, want)
}

/// Runs sequences through a core and compares; returns cycles and (slots used, cycles) by phase.
fn run(
    rng: &mut ChaCha8Rng,
    att: &Attention,
    choice: CoreConfig,
    lengths: &[usize],
    stalls: (u32, u32),
) -> (usize, [(u64, u64); 4]) {
    let mut core = Core::new(att, choice).unwrap();
    core.connect_all();
    settle(&mut core);
    let (all, want) = workload(rng, att, lengths);
    let mut s = Streams {
        beats: all,
        sent: 0,
        valid: false,
        received: Vec::new(),
        stall_in: stalls.0,
        stall_out: stalls.1,
    };
    let mut use_of = [(0, 0); 4];
    let mut cycles = 0;
    let limit = 4000 + 200 * s.beats.len() + want.len() * att.features * 40;
    while s.received.len() < want.len() && cycles < limit {
        s.drive(&mut core, rng);
        core.clock.next.clk = false;
        settle(&mut core);
        s.sample(&core);
        let phase = &mut use_of[core.phase.val().get() as usize];
        phase.0 += core.mac_lanes.val().get();
        phase.1 += 1;
        core.clock.next.clk = true;
        settle(&mut core);
        cycles += 1;
    }
    assert_eq!(
        s.received.len(),
        want.len(),
        "words after {cycles} cycles, {} of {} beats taken",
        s.sent,
        s.beats.len()
    );
    if let Some(x) = (0..want.len()).find(|&x| s.received[x] != want[x]) {
        panic!("word {x}: core {:?}, twin {:?}", s.received[x], want[x]);
    }
    assert_eq!(core.error.val().get(), 0);
    (cycles, use_of)
}

#[allow(clippy::too_many_arguments)] // each is one size of the law
fn layer(
    rng: &mut ChaCha8Rng,
    heads: usize,
    m: usize,
    e: usize,
    n: usize,
    width: u32,
    order: Order,
    f: Nonlinearity,
) -> Attention {
    let sizes = AttentionSizes {
        heads,
        features: m,
        values: e,
        n_max: n,
        width,
        order,
        nonlinearity: f,
        alpha: 0.25,
        position: true,
    };
    Attention::random(rng, sizes)
}

#[test]
fn smallest() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for order in [Order::TwoPass, Order::Causal] {
        for f in [Nonlinearity::Identity, Nonlinearity::Sigmoid, Nonlinearity::HardSigmoid] {
            let att = layer(&mut rng, 2, 4, 4, 6, 8, order, f);
            run(
                &mut rng,
                &att,
                CoreConfig {
                    lanes: 2,
                    chunk: 2,
                    target: Target::Generic,
                },
                &[5, 1, 6],
                (0, 0),
            );
        }
    }
}

fn draw(rng: &mut ChaCha8Rng, n_limit: usize) {
    let mut sizes = AttentionSizes::draw(rng, n_limit, 18);
    if sizes.width == 17 {
        sizes.width = 16;
    }
    let att = Attention::random(rng, sizes);
    let choice = CoreConfig {
        lanes: [1, 2, 4, 8, 16][rng.random_range(0..5)],
        chunk: [1, 2, 3, 7, 32][rng.random_range(0..5)],
        target: if sizes.width <= 16 && rng.random_range(0..2) == 0 {
            Target::Ice40
        } else {
            Target::Ecp5
        },
    };
    let lengths: Vec<usize> = (0..rng.random_range(1..4))
        .map(|_| rng.random_range(1..=sizes.n_max))
        .collect();
    let stalls = [(0, 0), (30, 0), (0, 60), (50, 50), (90, 10), (5, 95)][rng.random_range(0..6)];
    println!("{sizes:?} {choice:?} {lengths:?} {stalls:?}");
    run(rng, &att, choice, &lengths, stalls);
}

/// Several dozen draws of small sequences over all sizes.
#[test]
fn any_size_equals_the_twin() {
    for seed in 0..48 {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        draw(&mut rng, 10);
    }
}

/// The long run: ASTROMORPH_CORE_DRAWS draws (1000) with N up to 512.
#[test]
#[ignore = "hours: set ASTROMORPH_CORE_DRAWS"]
fn any_size_equals_the_twin_long() {
    let draws = std::env::var("ASTROMORPH_CORE_DRAWS")
        .ok()
        .and_then(|x| x.parse().ok())
        .unwrap_or(1000u64);
    for seed in 0..draws {
        let mut rng = ChaCha8Rng::seed_from_u64(10_000 + seed);
        let limit = [4, 20, 60, 512][rng.random_range(0..4)];
        println!("draw {seed}");
        draw(&mut rng, limit);
    }
}

/// Write and read phases use at least 95 % of the multiplier slots for m = e = 32, 8 lanes, N = 400.
#[test]
fn slots_are_used() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let att = layer(&mut rng, 1, 32, 32, 400, 16, Order::TwoPass, Nonlinearity::Identity);
    let start = std::time::Instant::now();
    let (cycles, phases) = run(&mut rng, &att, CoreConfig::default(), &[400], (0, 0));
    let rate = cycles as f64 / start.elapsed().as_secs_f64();
    for (name, (used, all)) in ["load", "write", "seal", "read"].iter().zip(phases) {
        println!(
            "{name}: {used} of {} slots in {all} cycles, {:.2} %",
            8 * all,
            used as f64 * 100.0 / (8 * all.max(1)) as f64
        );
    }
    println!("{cycles} cycles, {rate:.0} cycles/s");
    for phase in [1, 3] {
        assert!(phases[phase].0 * 100 >= 95 * 8 * phases[phase].1);
    }
}

/// The emitted Verilog equals the RustHDL core at every port in every cycle, and yosys accepts it.
#[test]
fn verilog_equals_rusthdl() {
    let cases = [
        (2, 5, 7, 9, 10, Order::TwoPass, Nonlinearity::Sigmoid, 4, 3),
        (2, 4, 6, 5, 8, Order::Causal, Nonlinearity::HardSigmoid, 2, 1),
        (1, 6, 4, 8, 18, Order::TwoPass, Nonlinearity::Identity, 8, 2),
    ];
    for (seed, (heads, m, e, n, width, order, f, lanes, chunk)) in cases.into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
        let mut att = layer(&mut rng, heads, m, e, n, width, order, f);
        if seed == 2 {
            att.w.clear();
        }
        let choice = CoreConfig {
            lanes,
            chunk,
            target: Target::Generic,
        };
        let text = astromorph_hdl::emit::emit(&att, choice, "test").unwrap();
        yosys_accepts(&format!("core-{seed}"), &text);
        let (all, want) = workload(&mut rng, &att, &[n, 1, n - 1]);
        let mut s = Streams {
            beats: all,
            sent: 0,
            valid: false,
            received: Vec::new(),
            stall_in: 20,
            stall_out: 30,
        };
        let s = std::cell::RefCell::new(&mut s);
        let run = record(
            Core::new(&att, choice).unwrap(),
            |b| &mut b.clock,
            2500,
            |b, _| s.borrow_mut().drive(b, &mut rng),
            |b, _| s.borrow_mut().sample(b),
        );
        let received = &s.borrow().received;
        assert!(
            !received.is_empty() && received[..] == want[..received.len()],
            "{} words",
            received.len()
        );
        assert!(text.ends_with(run.verilog()));
        run.compare(&format!("core-{seed}"));
    }
}

/// Feeds raw beats, without stalls, and collects what comes out within a number of cycles after the last beat.
fn feed(core: &mut Core, rng: &mut ChaCha8Rng, beats: Vec<Beat>, after: usize) -> Vec<(i32, bool)> {
    let mut s = Streams {
        beats,
        sent: 0,
        valid: false,
        received: Vec::new(),
        stall_in: 0,
        stall_out: 0,
    };
    let mut quiet = 0;
    while quiet < after {
        s.drive(core, rng);
        core.clock.next.clk = false;
        settle(core);
        let before = (s.sent, s.received.len());
        s.sample(core);
        quiet = if before == (s.sent, s.received.len()) {
            quiet + 1
        } else {
            0
        };
        core.clock.next.clk = true;
        settle(core);
    }
    s.received
}

/// A sequence longer than N_max is reported, its tail dropped; the next one is right. A tlast in the wrong place is reported.
#[test]
fn protocol_errors_are_reported() {
    for order in [Order::TwoPass, Order::Causal] {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let att = layer(&mut rng, 1, 5, 6, 4, 10, order, Nonlinearity::Identity);
        let mut core = Core::new(
            &att,
            CoreConfig {
                lanes: 4,
                chunk: 2,
                target: Target::Generic,
            },
        )
        .unwrap();
        core.connect_all();
        settle(&mut core);
        let (first, want) = workload(&mut rng, &att, &[4]);
        let mut long = first.clone();
        long.last_mut().unwrap().last = false;
        let mut tail = first[..18].to_vec();
        tail[17].last = true;
        long.extend(tail);
        assert_eq!(feed(&mut core, &mut rng, long, 600), want);
        assert_eq!(core.error.val().get(), 1);
        let (next, want) = workload(&mut rng, &att, &[3]);
        assert_eq!(feed(&mut core, &mut rng, next.clone(), 600), want);
        let mut misplaced = next;
        misplaced[2].last = true;
        assert_eq!(feed(&mut core, &mut rng, misplaced, 600), want);
        assert_eq!(core.error.val().get(), 3);
    }
}

/// A reset in the middle of anything leaves no trace but the memories' contents.
#[test]
fn reset_starts_over() {
    for (seed, order) in (0..12).map(|s| (s, if s % 2 == 0 { Order::TwoPass } else { Order::Causal })) {
        let mut rng = ChaCha8Rng::seed_from_u64(40 + seed);
        let att = layer(&mut rng, 2, 5, 6, 4, 10, order, Nonlinearity::Identity);
        let mut core = Core::new(
            &att,
            CoreConfig {
                lanes: 4,
                chunk: 2,
                target: Target::Generic,
            },
        )
        .unwrap();
        core.connect_all();
        settle(&mut core);
        let (mut cut, _) = workload(&mut rng, &att, &[4]);
        cut.truncate(3 + 7 * seed as usize);
        feed(&mut core, &mut rng, cut, 1 + 5 * seed as usize);
        core.clock.next.clk = false;
        core.reset.next = true;
        settle(&mut core);
        core.clock.next.clk = true;
        settle(&mut core);
        core.clock.next.clk = false;
        core.reset.next = false;
        settle(&mut core);
        let (next, want) = workload(&mut rng, &att, &[4, 2]);
        assert_eq!(feed(&mut core, &mut rng, next, 700), want);
        assert_eq!(core.error.val().get(), 0);
    }
}

/// A driver may commit the edge on the top's clock alone and hand over low clock and new inputs with the same sweep.
#[test]
fn one_settle_a_cycle_is_the_same() {
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let att = layer(&mut rng, 2, 5, 6, 4, 10, Order::Causal, Nonlinearity::Sigmoid);
    let choice = CoreConfig {
        lanes: 4,
        chunk: 2,
        target: Target::Generic,
    };
    let (all, want) = workload(&mut rng, &att, &[4, 3]);
    let mut core = Core::new(&att, choice).unwrap();
    core.connect_all();
    settle(&mut core);
    let mut s = Streams {
        beats: all,
        sent: 0,
        valid: false,
        received: Vec::new(),
        stall_in: 20,
        stall_out: 20,
    };
    for _ in 0..4000 {
        s.drive(&mut core, &mut rng);
        settle(&mut core);
        s.sample(&core);
        core.clock.next.clk = true;
        core.clock.update_all();
        core.clock.next.clk = false;
    }
    assert_eq!(s.received, want);
}
