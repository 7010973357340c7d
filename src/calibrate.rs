//! Calibration: formats from what the golden model computes on example sequences.
//!
//! A tensor's format has as many fraction bits as hold its largest magnitude, or more when clipping a few large values costs less than the
//! finer steps gain (by the mean squared error over the calibration set, up to [`CLIP`] bits more). The choice needs no histogram: magnitudes
//! are collected by octave, and every limit is a power of two.
//!
//! ```
//! use astromorph::calibrate::Spread;
//! let mut spread = Spread::default();
//! for i in 0..100_000 { spread.add((i % 100) as f64 * 1e-3); }
//! spread.add(6.0);                                        // one outlier in a hundred thousand
//! assert_eq!(spread.format(8, 0).frac, 4);                // ±7.9 holds it, in steps of 1/16
//! assert_eq!(spread.format(8, 2).frac, 5);                // clipping it at ±4 costs less than steps of 1/32 gain; at ±2 it would cost more
//! ```

use crate::format::Format;
use crate::golden::Golden;
use crate::plan::{FRACTIONS, Flow, Frac, Plan, WIDE_BIAS, has_integer_form, rules};
use crate::sequence::Sequence;
use crate::spec::{Activation, ModelSpec, Nonlinearity, Order, QuantizeSpec};
use crate::twin::norm::{epsilon, max_n_frac};
use crate::twin::residual::MAX_ALIGNMENT;
use crate::weights::Weights;
use crate::{Error, Result, image};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Sequences that one thread sums up: fixed, so that the sums do not depend on the number of threads.
const BATCH: usize = 16;
/// Octaves of a [`Spread`]: 2^-64 to 2^64.
const OCTAVES: usize = 128;

/// Magnitudes of a tensor: count, Σ|x| and Σx² by octave, and the largest.
#[derive(Clone, Debug)]
pub struct Spread {
    octaves: Vec<[f64; 3]>,
    limit: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Spread {
            octaves: vec![[0.0; 3]; OCTAVES],
            limit: 0.0,
        }
    }
}

impl Spread {
    /// Adds one value.
    pub fn add(&mut self, x: f64) {
        let x = x.abs();
        // The exponent field of the number; zero and what is below 2^-64 share the lowest octave.
        let exponent = ((x.to_bits() >> 52) as i64 - 1023 + OCTAVES as i64 / 2).clamp(0, OCTAVES as i64 - 1);
        let octave = &mut self.octaves[exponent as usize];
        octave[0] += 1.0;
        octave[1] += x;
        octave[2] += x * x;
        self.limit = self.limit.max(x);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Spread) {
        for (x, y) in self.octaves.iter_mut().zip(&other.octaves) {
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        }
        self.limit = self.limit.max(other.limit);
    }

    /// Largest magnitude.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Expected squared error in a format: ulp²/12 within its range, x² below half a unit, the distance to the limit beyond it.
    pub fn squared_error(&self, format: Format) -> f64 {
        let (ulp, limit) = (format.ulp(), format.decode(format.max()));
        let half = OCTAVES as f64 / 2.0;
        let cost = |(o, [count, sum, square]): (usize, &[f64; 3])| {
            let low = (o as f64 - half).exp2();
            if low >= limit {
                square - 2.0 * limit * sum + limit * limit * count
            } else if 2.0 * low <= ulp / 2.0 {
                *square
            } else {
                count * ulp * ulp / 12.0
            }
        };
        self.octaves.iter().enumerate().map(cost).sum()
    }

    /// Number of values, at least 1.
    fn count(&self) -> f64 {
        self.octaves.iter().map(|[count, ..]| count).sum::<f64>().max(1.0)
    }

    /// Sum of the squares.
    fn square(&self) -> f64 {
        self.octaves.iter().map(|[_, _, square]| square).sum()
    }

    /// Their mean.
    fn mean_square(&self) -> f64 {
        self.square() / self.count()
    }

    /// The squared error relative to the tensor's own size.
    fn relative_error(&self, format: Format) -> f64 {
        self.squared_error(format) / self.square().max(f64::MIN_POSITIVE)
    }

    /// The format of `bits` bits with the least squared error among the one that holds every value and those with up to `clip` more
    /// fraction bits.
    pub fn format(&self, bits: u32, clip: i32) -> Format {
        let holding = Format::holding(bits, self.limit);
        let candidates = (0..=clip).map(|more| Format::new(bits, holding.frac + more));
        candidates
            .min_by(|x, y| self.squared_error(*x).total_cmp(&self.squared_error(*y)))
            .unwrap_or(holding)
    }
}

/// How many bits of range calibration may give up for finer steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clip {
    /// In weights and embeddings.
    pub weights: i32,
    /// In activations.
    pub activations: i32,
}

/// What [`Plan::calibrate`] uses.
pub const CLIP: Clip = Clip {
    weights: 2,
    activations: 2,
};

/// Spreads of all tensors by name, and the longest sequence.
#[derive(Clone, Debug, Default)]
struct Spreads {
    by_name: BTreeMap<String, Spread>,
    longest: usize,
}

impl Spreads {
    fn add(&mut self, name: &str, values: impl IntoIterator<Item = f64>) {
        if !self.by_name.contains_key(name) {
            self.by_name.insert(name.into(), Spread::default());
        }
        if let Some(spread) = self.by_name.get_mut(name) {
            values.into_iter().for_each(|x| spread.add(x));
        }
    }

    fn merge(&mut self, other: Spreads) {
        for (name, spread) in other.by_name {
            match self.by_name.get_mut(&name) {
                Some(sum) => sum.merge(&spread),
                None => _ = self.by_name.insert(name, spread),
            }
        }
        self.longest = self.longest.max(other.longest);
    }

    fn get(&self, name: &str) -> Spread {
        self.by_name.get(name).cloned().unwrap_or_default()
    }
}

/// What the golden model shows on some sequences, and what it does not show but formats depend on: features, x̂/√D, H between tokens or
/// between chunks of `chunk`.
fn observe(spec: &ModelSpec, chunk: usize, golden: &Golden<f64>, sequences: &[Sequence]) -> Result<Spreads> {
    let norms: BTreeMap<String, String> = Flow(spec)
        .norms()
        .into_iter()
        .map(|(prefix, input, _)| (input, format!("{prefix}.n")))
        .collect();
    let running = spec.order == Order::Causal && spec.nonlinearity == Nonlinearity::Identity;
    let gelu = spec.feed_forward.activation == Activation::Gelu;
    let mut spreads = Spreads::default();
    for sequence in sequences {
        if let Sequence::Vectors { data, .. } = sequence {
            spreads.add("input", data.iter().map(|&x| x as f64));
        }
        spreads.longest = spreads.longest.max(sequence.len());
        let mut v = Vec::new();
        golden.forward(sequence, &mut |name, rows, columns, values| {
            let last = name.rsplit('.').next().unwrap_or(name);
            if last == "v" {
                v = values.to_vec();
            }
            if last == "aw" && running {
                // After the last token Z may be smaller than it was on the way.
                let h = format!("{}H", &name[..name.len() - 2]);
                running_sums(spec, chunk, values, &v, rows, |z| spreads.add(&h, z.iter().copied()));
            }
            if gelu && last == "u" {
                // The law rounds max(u, 0) to f's format before it adds the rest, which is negative.
                let f = format!("{}f", &name[..name.len() - 1]);
                spreads.add(&f, values.iter().map(|u| u.max(0.0)));
            }
            if !(last == "H" && running) {
                spreads.add(name, values.iter().copied());
            }
            if let Some(n) = norms.get(name) {
                for row in values.chunks_exact(columns) {
                    spreads.add(n, normalised(row));
                }
            }
        })?;
    }
    Ok(spreads)
}

/// x̂/√D of one row.
fn normalised(row: &[f64]) -> impl Iterator<Item = f64> {
    let d = row.len() as f64;
    let mean = row.iter().sum::<f64>() / d;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
    let scale = 1.0 / ((variance + crate::golden::NORM_EPSILON) * d).sqrt();
    row.iter().map(move |x| (x - mean) * scale)
}

/// Z of every head after every chunk.
fn running_sums(spec: &ModelSpec, chunk: usize, aw: &[f64], v: &[f64], n: usize, mut see: impl FnMut(&[f64])) {
    let (m, e) = (spec.features, spec.values);
    for head in 0..spec.heads {
        let mut z = vec![0.0; m * e];
        for t in 0..n {
            let at = t * spec.heads + head;
            let v = &v[at * e..(at + 1) * e];
            for (z, aw) in z.chunks_exact_mut(e).zip(&aw[at * m..(at + 1) * m]) {
                z.iter_mut().zip(v).for_each(|(z, v)| *z += aw * v);
            }
            if (t + 1) % chunk == 0 || t + 1 == n {
                see(&z);
            }
        }
    }
}

impl Plan {
    /// Formats for a model from its weights and example sequences; they must look like those it will run on.
    pub fn calibrate(
        spec: &ModelSpec,
        quantize: &QuantizeSpec,
        weights: &Weights,
        sequences: &[Sequence],
    ) -> Result<Plan> {
        Self::calibrate_with(spec, quantize, weights, sequences, CLIP)
    }

    /// The same with another measure of clipping.
    pub fn calibrate_with(
        spec: &ModelSpec,
        quantize: &QuantizeSpec,
        weights: &Weights,
        sequences: &[Sequence],
        clip: Clip,
    ) -> Result<Plan> {
        spec.validate()?;
        has_integer_form(spec)?;
        quantize.validate_for(spec)?;
        let golden = Golden::<f64>::new(spec, weights)?.in_chunks_of(quantize.chunked());
        if sequences.is_empty() {
            return Err(Error::field("calibration", "at least one sequence", "none"));
        }
        let batches: Vec<Result<Spreads>> = sequences
            .par_chunks(BATCH)
            .map(|batch| observe(spec, quantize.chunk, &golden, batch))
            .collect();
        let mut spreads = Spreads::default();
        for batch in batches {
            spreads.merge(batch?);
        }
        let mut plan = Plan::default();
        for rule in rules(spec, quantize) {
            let bits = rule.bits[0];
            let weight = image::folded(spec, weights, &rule.name)?;
            let format = match &rule.frac {
                Frac::Fixed(frac) => Format::new(bits, *frac),
                Frac::Sum(of) => {
                    let frac = of
                        .iter()
                        .map(|name| plan.format(name).map(|f| f.frac))
                        .sum::<Result<i32>>()?;
                    let largest = weight.iter().flatten().fold(0f64, |m, x| m.max(x.abs()));
                    let wide = rule.bits.len() > 1 && largest * (frac as f64).exp2() >= 2f64.powi(31) - 1.0;
                    if wide && largest * (frac as f64).exp2() >= 2f64.powi(WIDE_BIAS as i32 - 1) {
                        return Err(Error::field(
                            rule.name,
                            format!("below 2^{}", WIDE_BIAS as i32 - 1 - frac),
                            largest,
                        ));
                    }
                    Format::new(if wide { WIDE_BIAS } else { bits }, frac)
                }
                Frac::Difference(of, less) => {
                    let frac = of
                        .iter()
                        .map(|name| plan.format(name).map(|f| f.frac))
                        .sum::<Result<i32>>()?;
                    Format::new(bits, frac - plan.format(less)?.frac)
                }
                Frac::Free(lo, hi) => {
                    let (spread, clip) = match &weight {
                        Some(values) => {
                            let mut spread = Spread::default();
                            values.iter().for_each(|&x| spread.add(x));
                            (spread, clip.weights)
                        }
                        None => (spreads.get(&rule.name), clip.activations),
                    };
                    let format = match rule.name.strip_suffix(".a") {
                        Some(layer) => keys(spec, weights, layer, bits, &spreads, clip)?,
                        None => free(spec, &rule.name, bits, spread, clip, spreads.longest),
                    };
                    Format::new(bits, format.frac.clamp(*lo, *hi))
                }
            };
            plan.formats.insert(rule.name.clone(), format);
            plan.tie(spec, &rule.name)?;
            if let (Some(chunk), Some(layer)) = (quantize.chunked(), rule.name.strip_suffix(".H")) {
                plan.between_chunks(layer, (spec.features, chunk, clip.activations), &spreads)?;
            }
        }
        plan.validate(spec, quantize)?;
        Ok(plan)
    }

    /// Bounds a chosen fraction by those it is tied to: the other operand of its residual sum, the ε of its layer norm.
    fn tie(&mut self, spec: &ModelSpec, name: &str) -> Result<()> {
        let flow = Flow(spec);
        let mut frac = self.format(name)?.frac;
        for [x, _] in flow.residuals().iter().filter(|[_, y]| y == name) {
            let fx = self.format(x)?.frac;
            frac = frac.clamp(fx - MAX_ALIGNMENT, fx + MAX_ALIGNMENT);
        }
        if let Some((_, input, _)) = flow.norms().iter().find(|(prefix, ..)| name == format!("{prefix}.n")) {
            frac = frac.min(epsilon(self.format(input)?, spec.d_model).map_or(frac, max_n_frac));
        }
        if let Some(format) = self.formats.get_mut(name) {
            format.frac = frac;
        }
        Ok(())
    }
}

impl Plan {
    /// H's format where p's follows from it: the one with the least error of num = b·H + p·v among those with which p holds every score of the
    /// calibration and neither p nor H is shifted to the left. The two errors count as they enter num.
    fn between_chunks(&mut self, layer: &str, (m, chunk, clip): (usize, usize, i32), spreads: &Spreads) -> Result<()> {
        let at = |x: &str| format!("{layer}.{x}");
        let [a, b, v, h] = ["a", "b", "v", "H"].map(|x| self.format(&at(x)));
        let (a, b, v, bits) = (a?.frac, b?.frac, v?.frac, h?.bits);
        let [sealed, scores, queries, values] = ["H", "p", "b", "v"].map(|x| spreads.get(&at(x)));
        let holding = Format::holding(bits, sealed.limit).frac;
        let most = (Format::holding(bits, scores.limit).frac - b + v).min(a + v);
        let error = |frac: &i32| {
            let (h, p) = (Format::new(bits, *frac), Format::new(bits, b + frac - v));
            let of_h = m as f64 * queries.mean_square() * sealed.squared_error(h) / sealed.count();
            of_h + chunk as f64 * values.mean_square() * scores.squared_error(p) / scores.count()
        };
        let candidates = (0..=clip).map(|more| (holding + more).min(most));
        if let Some(frac) = candidates.min_by(|x, y| error(x).total_cmp(&error(y))) {
            let frac = frac.clamp(FRACTIONS.0, FRACTIONS.1);
            self.formats.insert(at("H"), Format::new(bits, frac));
        }
        Ok(())
    }
}

/// The format that a, w and a + w of one layer share. Calcium sums up a and Z sums up a + w, so neither may be lost in the steps of the other:
/// the two errors count relative to their own tensors. w may be far above a, so the choice reaches further than a single tensor's.
fn keys(spec: &ModelSpec, weights: &Weights, layer: &str, bits: u32, spreads: &Spreads, clip: i32) -> Result<Format> {
    let a = spreads.get(&format!("{layer}.a"));
    let (mut fused, mut w) = (spreads.get(&format!("{layer}.aw")), Spread::default());
    if spec.has_position() {
        // w is known at every position, also at those no calibration sequence reached.
        image::positional_keys(spec, weights, layer)?
            .iter()
            .for_each(|&x| w.add(x));
        fused.merge(&w);
    }
    let holding = Format::holding(bits, a.limit + w.limit);
    let error = |f: &Format| a.relative_error(*f) + fused.relative_error(*f);
    let candidates = (0..=2 * clip).map(|more| Format::new(bits, holding.frac + more));
    Ok(candidates
        .min_by(|x, y| error(x).total_cmp(&error(y)))
        .unwrap_or(holding))
}

/// A free format from its spread.
fn free(spec: &ModelSpec, name: &str, bits: u32, mut spread: Spread, clip: i32, longest: usize) -> Format {
    match name.rsplit('.').next().unwrap_or(name) {
        // Longer sequences than the calibration's have more calcium, and nothing is lost by 16 bits with some room.
        "g" => {
            spread.limit *= (spec.n_max as f64 / longest.max(1) as f64).powf(spec.effective_alpha());
            spread.format(bits, 0)
        }
        // The winner among the logits is the largest; and these have bits to spare.
        "logits" | "n" | "gamma" => spread.format(bits, 0),
        _ => spread.format(bits, clip),
    }
}
