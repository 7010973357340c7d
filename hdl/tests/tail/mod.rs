//! Random steps for a [`Tail`], what they must give, and who drives them.

mod drive;

use crate::common::number;
use astromorph::engine::config::EngineConfig;
use astromorph::format::{Format, split};
use astromorph::table;
use astromorph::twin::attention::Normaliser;
use astromorph::twin::norm::{centre_shift, epsilon, max_n_frac};
use astromorph::twin::{LayerNorm, NormFormats};
use astromorph_hdl::engine::serial::{CALCIUM, COUNT, NORMALISE, POWER};
use astromorph_hdl::engine::tail::Tail;
use astromorph_hdl::multiply::Target;
use drive::Driver;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The fields of a layer norm as they are stored.
#[derive(Clone, Copy, Default)]
pub struct NormFields {
    pub drop: u64,
    pub parameters: u64,
    pub offset: u64,
    pub shift: u64,
    pub bits: u64,
    pub table: u64,
}

/// One step and its words.
#[derive(Clone, Default)]
pub struct Step {
    pub serial: u64,
    /// Every row has its own g.
    pub running: bool,
    pub g: u64,
    pub read: u64,
    pub table: u64,
    pub bits: u64,
    pub minimum: u64,
    pub sums_of: u64,
    pub sums_base: u64,
    pub block_first: bool,
    pub norm: Option<NormFields>,
    /// κ of Normalise.
    pub offset: i32,
    pub slow: bool,
    /// Words as they enter the front; it rounds with E for Normalise and hands the others on.
    pub rows: Vec<Vec<i64>>,
    /// Sums to be read after the step.
    pub scan: usize,
}

/// The words of every tap in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    pub results: Vec<i64>,
    pub calcium: Vec<i64>,
    pub power: Vec<i64>,
    pub normalise: Vec<i64>,
    pub norm: Vec<i64>,
    pub sums: Vec<i64>,
    pub scanned: Vec<i64>,
}

/// What is loaded before the first step.
#[derive(Default)]
pub struct Loads {
    pub table: Vec<i64>,
    pub parameters: Vec<(i64, i64)>,
}

/// The memories as the law has them.
struct Model {
    sums: Vec<i64>,
    g: Vec<i64>,
    reads: Vec<(u32, i32)>,
}

impl Model {
    fn sum(&mut self, step: &Step, rows: &[Vec<i64>], words: &mut Words) {
        for (r, row) in rows.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                let sum = &mut self.sums[step.sums_base as usize + j];
                *sum = if r == 0 && step.block_first { *x } else { *sum + x };
                words.sums.push(*sum);
            }
        }
    }
}

/// Runs random steps on a core of the given sizes and compares everything.
pub fn random_steps(seed: u64, width: u32, acc_bits: u32, d: usize, target: Target) {
    let mut r = ChaCha8Rng::seed_from_u64(seed);
    let core = EngineConfig {
        name: "tail".into(),
        // On iCE40 all multipliers are the lanes', so that the one of the serial units is made of adders.
        lanes: 16,
        width,
        acc_bits,
        bank_words: 16,
        x_words: 64,
        m_words: 64,
        function_words: 16,
        mantissa_words: 1024,
        sums: 128,
        reads: 32,
        norm_width: 96,
        norm_words: 256,
        chunked: true,
    };
    let sw = core.serial_bits();
    // Tables: power of 36 exponents, reciprocal, 1/√, one after another.
    let (power_bits, reciprocal_bits, root_bits) = (r.random_range(1..4), r.random_range(1..8), r.random_range(1..8));
    let power: Vec<i64> = (0..36 << power_bits)
        .map(|_| r.random_range(0..1 << (sw - 1)))
        .collect();
    let reciprocal = table::reciprocal(reciprocal_bits);
    let root = table::rsqrt(root_bits);
    let reciprocal_at = power.len() + r.random_range(0..5);
    let root_at = reciprocal_at + reciprocal.len();
    let mut loads = Loads::default();
    loads.table.clone_from(&power);
    loads.table.resize(reciprocal_at, 0);
    loads.table.extend(reciprocal.iter().chain(&root).map(|&x| x as i64));
    assert!(loads.table.len() <= core.mantissa_words);

    // Two layer norms.
    let mut norms = Vec::new();
    for _ in 0..2 {
        let x = Format::new(width, r.random_range(0..width as i32));
        let gamma_format = Format::new(sw, r.random_range(8..14));
        let least = max_n_frac(epsilon(x, d).unwrap());
        let n = Format::new(sw, least.min(sw as i32 - 1) - r.random_range(0..3));
        let out = Format::new(width, r.random_range(0..width as i32));
        let gamma: Vec<i32> = (0..d).map(|_| number(&mut r, sw) as i32).collect();
        let beta: Vec<i64> = (0..d).map(|_| number(&mut r, 32)).collect();
        let fields = NormFields {
            drop: centre_shift(width, d) as u64,
            parameters: loads.parameters.len() as u64,
            offset: (15 - n.frac + 32) as u64,
            shift: (n.frac + gamma_format.frac - out.frac + 8) as u64,
            bits: root_bits as u64,
            table: root_at as u64,
        };
        loads
            .parameters
            .extend(gamma.iter().map(|&g| g as i64).zip(beta.iter().copied()));
        let e = epsilon(x, d).unwrap();
        let high = e >> 32;
        // 16 bits as they stand.
        let sign = |x: i64, bits: u32| x << (64 - bits) >> (64 - bits);
        loads.parameters.push((sign(high, sw), sign(e, 32)));
        let beta_format = Format::new(32, n.frac + gamma_format.frac);
        let formats = NormFormats {
            x,
            n,
            gamma: gamma_format,
            beta: beta_format,
            out,
        };
        norms.push((fields, LayerNorm::new(gamma, beta, formats, root.clone(), root_bits)));
    }

    let mut model = Model {
        sums: vec![0; 128],
        g: vec![0; 128],
        reads: vec![(0, 0); 32],
    };
    let mut steps = Vec::new();
    let mut words = Words::default();
    let x_word = |r: &mut ChaCha8Rng| number(r, width);
    for n in 0..16 {
        let mut step = Step {
            block_first: r.random(),
            slow: r.random_range(0..3) == 0,
            ..Default::default()
        };
        // First the sums, then g, then C, then y: so that there is something to read; then anything.
        let kind = if n < 5 {
            n
        } else if n < 7 {
            n + 2
        } else {
            r.random_range(0..9)
        };
        let m = r.random_range(3..20);
        match kind {
            0 => {
                step.sums_of = 1;
                step.sums_base = r.random_range(0..8);
                let rows = r.random_range(1..4);
                step.rows = (0..rows).map(|_| (0..30).map(|_| x_word(&mut r)).collect()).collect();
                step.scan = 9;
                model.sum(&step, &step.rows.clone(), &mut words);
                words.scanned.extend(&model.sums[step.sums_base as usize..][..9]);
                words.results.extend(step.rows.iter().flatten());
            }
            1 => {
                step.serial = POWER;
                step.slow = true;
                step.g = r.random_range(0..8);
                step.bits = power_bits as u64;
                step.rows = vec![(0..40).map(|_| number(&mut r, acc_bits.min(36))).collect()];
                for (j, &s) in step.rows[0].iter().enumerate() {
                    let (e, mant) = split(s.max(1), power_bits);
                    model.g[step.g as usize + j] = power[((e as usize) << power_bits) + mant];
                    words.power.push(model.g[step.g as usize + j]);
                }
            }
            2 => {
                step.serial = CALCIUM;
                (step.g, step.read) = (r.random_range(0..20), r.random_range(0..8));
                (step.table, step.bits) = (reciprocal_at as u64, reciprocal_bits as u64);
                step.minimum = r.random_range(0..20);
                let rows = r.random_range(1..12);
                step.rows = (0..rows).map(|_| (0..m).map(|_| x_word(&mut r)).collect()).collect();
                for (i, row) in step.rows.iter().enumerate() {
                    let c: i64 = row.iter().zip(&model.g[step.g as usize..]).map(|(x, g)| x * g).sum();
                    let c = c.max(1 << step.minimum);
                    words.calcium.push(c);
                    let (e, mant) = split(c, reciprocal_bits);
                    model.reads[step.read as usize + i] = (e, reciprocal[mant]);
                }
                words.results.extend(step.rows.iter().flatten());
            }
            3 => {
                step.serial = COUNT;
                step.read = r.random_range(20..32);
                (step.table, step.bits) = (reciprocal_at as u64, reciprocal_bits as u64);
                let n = r.random_range(1..4000);
                step.rows = vec![vec![n]];
                let (e, mant) = split(n, reciprocal_bits);
                model.reads[step.read as usize] = (e, reciprocal[mant]);
            }
            4 => {
                step.serial = NORMALISE;
                step.read = r.random_range(0..12);
                let y = Format::new(width, r.random_range(0..width as i32));
                let law = Normaliser::new(r.random_range(8..20), r.random_range(8..24), y, 1);
                step.offset = law.offset - law.left as i32;
                step.sums_of = if r.random() { 2 } else { 0 };
                let rows = r.random_range(1..8);
                step.rows = (0..rows)
                    .map(|_| (0..m).map(|_| number(&mut r, acc_bits.min(40))).collect())
                    .collect();
                let mut ys = Vec::new();
                for (i, row) in step.rows.iter().enumerate() {
                    let (e, read) = model.reads[step.read as usize + i];
                    ys.push(
                        row.iter()
                            .map(|&num| law.scale(num, e, read) as i64)
                            .collect::<Vec<_>>(),
                    );
                }
                words.normalise.extend(ys.iter().flatten());
                words.results.extend(ys.iter().flatten());
                if step.sums_of == 2 {
                    model.sum(&step, &ys, &mut words);
                }
            }
            5 | 6 => {
                let (fields, law) = &norms[r.random_range(0..2)];
                step.norm = Some(*fields);
                step.sums_of = if r.random() { 2 } else { 0 };
                step.sums_base = r.random_range(0..8);
                let rows = r.random_range(1..5);
                let mut row = || match r.random_range(0..3) {
                    // A constant row: only ε is left.
                    0 => vec![x_word(&mut r); d],
                    _ => (0..d).map(|_| x_word(&mut r)).collect(),
                };
                step.rows = (0..rows).map(|_| row()).collect();
                words.results.extend(step.rows.iter().flatten());
                let flat: Vec<i32> = step.rows.iter().flatten().map(|&x| x as i32).collect();
                let out: Vec<i64> = law.run(&flat).into_iter().map(i64::from).collect();
                words.norm.extend(&out);
                if step.sums_of == 2 && d > 1 {
                    let rows: Vec<Vec<i64>> = out.chunks(d).map(<[i64]>::to_vec).collect();
                    model.sum(&step, &rows, &mut words);
                }
            }
            7 => {
                (step.serial, step.running, step.slow) = (POWER, true, true);
                (step.g, step.bits) = (r.random_range(0..8), power_bits as u64);
                (step.sums_of, step.sums_base) = (1, r.random_range(0..8));
                let rows = r.random_range(1..6);
                step.rows = (0..rows).map(|_| (0..m).map(|_| x_word(&mut r)).collect()).collect();
                let from = words.sums.len();
                model.sum(&step, &step.rows.clone(), &mut words);
                for (n, &s) in words.sums[from..].iter().enumerate() {
                    let (e, mant) = split(s.max(1), power_bits);
                    model.g[step.g as usize + n] = power[((e as usize) << power_bits) + mant];
                    words.power.push(model.g[step.g as usize + n]);
                }
                words.results.extend(step.rows.iter().flatten());
            }
            8 => {
                (step.serial, step.running) = (CALCIUM, true);
                (step.g, step.read) = (r.random_range(0..20), r.random_range(0..8));
                (step.table, step.bits) = (reciprocal_at as u64, reciprocal_bits as u64);
                step.minimum = r.random_range(0..20);
                let rows = r.random_range(1..6);
                step.rows = (0..rows).map(|_| (0..m).map(|_| x_word(&mut r)).collect()).collect();
                for (i, row) in step.rows.iter().enumerate() {
                    let g = &model.g[step.g as usize + i * m..];
                    let c = row
                        .iter()
                        .zip(g)
                        .map(|(x, g)| x * g)
                        .sum::<i64>()
                        .max(1 << step.minimum);
                    words.calcium.push(c);
                    let (e, mant) = split(c, reciprocal_bits);
                    model.reads[step.read as usize + i] = (e, reciprocal[mant]);
                }
                words.results.extend(step.rows.iter().flatten());
            }
            _ => unreachable!(),
        }
        steps.push(step);
    }
    let name = format!("tail-{seed}-{width}-{d}");
    let mut driver = Driver::new(&core, target, loads, steps, r);
    let cycles = driver.cycles();
    let run = crate::common::record_steps(
        Tail::new(&core, target).unwrap(),
        |t| &mut t.clock,
        cycles,
        |t, n, settled| driver.step(t, n, settled),
    );
    assert!(driver.done(), "{name}: not done in {cycles} cycles: {}", driver.place());
    let Words {
        results,
        calcium,
        power,
        normalise,
        norm,
        sums,
        scanned,
    } = &driver.seen;
    assert_eq!(results, &words.results, "{name}: results");
    assert_eq!(calcium, &words.calcium, "{name}: calcium");
    assert_eq!(power, &words.power, "{name}: power");
    assert_eq!(normalise, &words.normalise, "{name}: normalise");
    assert_eq!(norm, &words.norm, "{name}: norm");
    assert_eq!(sums, &words.sums, "{name}: sums");
    assert_eq!(scanned, &words.scanned, "{name}: scanned");
    println!("{name}: {} results, {} norm words", results.len(), norm.len());
    run.compare_for(&name, target);
}
