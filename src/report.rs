//! How far the integer twin is from the golden model, tensor by tensor.
//!
//! For every tensor of `docs/arithmetic.md` section 8 over a set of sequences: largest, mean and root-mean-square error, the signal-to-error
//! ratio SQNR = 20 log10(rms of golden / rms of error), and the words that stand at an end of their format. The sums are streamed: nothing but
//! one sequence's tensors is held.
//!
//! ```
//! # let spec: astromorph::spec::ModelSpec = toml::from_str(r#"
//! #     layers = 1
//! #     heads = 2
//! #     d_model = 8
//! #     features = 4
//! #     values = 4
//! #     n_max = 16
//! #     order = "two-pass"
//! #     input = { kind = "tokens", vocabulary = 10 }
//! #     output = { kind = "classes", size = 2, pooling = "mean" }
//! # "#).unwrap();
//! use astromorph::report::{Budget, compare};
//! use astromorph::{golden::Golden, image::Image, plan::Plan, sequence::Sequence, twin::Twin, weights::Weights};
//! let (weights, quantize) = (Weights::random(&spec, 1), Default::default());
//! let reviews = [Sequence::Tokens { slots: 1, ids: vec![3, 1, 4, 1, 5] }];
//! let plan = Plan::calibrate(&spec, &quantize, &weights, &reviews).unwrap();
//! let twin = Twin::new(&Image::build(&spec, &quantize, &weights, &plan).unwrap()).unwrap();
//! let report = compare(&Golden::new(&spec, &weights).unwrap(), &twin, &reviews).unwrap();
//! assert_eq!(report.tensors[0].name, "x0");
//! assert!(report.tensors[0].sqnr.unwrap() > 70.0); // 16 bits
//! assert!(report.over(&Budget::new(&quantize)).is_empty());
//! ```

use crate::format::Format;
use crate::golden::Golden;
use crate::sequence::Sequence;
use crate::spec::QuantizeSpec;
use crate::twin::{Raw, Twin};
use crate::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sequences that one thread sums up: fixed, so that the sums do not depend on the number of threads.
const BATCH: usize = 16;

/// The error of one tensor over all sequences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorError {
    /// Its name.
    pub name: String,
    /// Its format in the twin.
    pub format: Format,
    /// Words compared.
    pub count: u64,
    /// Largest |twin − golden|.
    pub max: f64,
    /// Mean of |twin − golden|.
    pub mean: f64,
    /// Root of the mean of (twin − golden)².
    pub rms: f64,
    /// Root of the mean of golden².
    pub signal: f64,
    /// 20 log10(signal/rms) in decibels; none when one of them is zero.
    pub sqnr: Option<f64>,
    /// Words at either end of the format.
    pub saturated: u64,
}

/// The errors of all tensors in order of computation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Sequences compared.
    pub sequences: usize,
    /// Rows of logits compared.
    pub rows: u64,
    /// Rows whose largest logit is another one in the twin.
    pub flips: u64,
    /// One entry a tensor.
    pub tensors: Vec<TensorError>,
}

/// Running sums of one tensor.
#[derive(Clone, Debug)]
struct Sums {
    name: String,
    format: Format,
    count: u64,
    max: f64,
    error: f64,
    square: f64,
    signal: f64,
    saturated: u64,
}

impl Sums {
    fn add(&mut self, words: &[i64], values: &[f64]) {
        let (low, high) = (self.format.min(), self.format.max());
        for (&word, &value) in words.iter().zip(values) {
            let error = (self.format.decode(word) - value).abs();
            self.max = self.max.max(error);
            self.error += error;
            self.square += error * error;
            self.signal += value * value;
            self.saturated += u64::from(word <= low || word >= high);
        }
        self.count += words.len() as u64;
    }

    fn merge(&mut self, other: &Sums) {
        self.count += other.count;
        self.max = self.max.max(other.max);
        self.error += other.error;
        self.square += other.square;
        self.signal += other.signal;
        self.saturated += other.saturated;
    }

    fn finish(self) -> TensorError {
        let n = self.count.max(1) as f64;
        let (rms, signal) = ((self.square / n).sqrt(), (self.signal / n).sqrt());
        TensorError {
            sqnr: (rms > 0.0 && signal > 0.0).then(|| 20.0 * (signal / rms).log10()),
            name: self.name,
            format: self.format,
            count: self.count,
            max: self.max,
            mean: self.error / n,
            rms,
            signal,
            saturated: self.saturated,
        }
    }
}

/// Sums over some sequences.
#[derive(Default)]
struct Batch {
    tensors: Vec<Sums>,
    rows: u64,
    flips: u64,
}

impl Batch {
    fn add(&mut self, golden: &Golden<f64>, twin: &Twin, sequence: &Sequence) -> Result<()> {
        let mut raw: Vec<(String, Format, Vec<i64>)> = Vec::new();
        let ours = twin.forward(sequence, &mut |name: &str, _, _, format, words: Raw<'_>| {
            raw.push((name.into(), format, words.iter().collect()));
        })?;
        let (mut at, mut other) = (0, None);
        let exact = golden.forward(sequence, &mut |name, _, _, values| {
            match raw.get(at) {
                Some((ours, format, words)) if ours == name && words.len() == values.len() => {
                    if self.tensors.len() == at {
                        let (name, format) = (name.into(), *format);
                        let zero = Sums {
                            name,
                            format,
                            count: 0,
                            max: 0.0,
                            error: 0.0,
                            square: 0.0,
                            signal: 0.0,
                            saturated: 0,
                        };
                        self.tensors.push(zero);
                    }
                    self.tensors[at].add(words, values);
                }
                found => {
                    let found = found.map_or("none".into(), |(ours, _, words)| {
                        format!("{ours} of {} words", words.len())
                    });
                    other.get_or_insert((format!("{name} of {} words", values.len()), found));
                }
            }
            at += 1;
        })?;
        if let Some((expected, found)) = other {
            return Err(Error::field(format!("the twin's tensor {at}"), expected, found));
        }
        if at != raw.len() {
            return Err(Error::field("the twin's tensors", at.to_string(), raw.len()));
        }
        let (ours, exact) = (ours.classes(), exact.classes());
        self.rows += ours.len() as u64;
        self.flips += ours.iter().zip(&exact).filter(|(x, y)| x != y).count() as u64;
        Ok(())
    }
}

/// Runs both models over the sequences and sums up every tensor's error.
pub fn compare(golden: &Golden<f64>, twin: &Twin, sequences: &[Sequence]) -> Result<ErrorReport> {
    if sequences.is_empty() {
        return Err(Error::field("sequences to compare", "at least one", "none"));
    }
    let batches: Vec<Result<Batch>> = sequences
        .par_chunks(BATCH)
        .map(|sequences| {
            let mut batch = Batch::default();
            sequences
                .iter()
                .try_for_each(|sequence| batch.add(golden, twin, sequence))?;
            Ok(batch)
        })
        .collect();
    let mut total = Batch::default();
    for batch in batches {
        let batch = batch?;
        if total.tensors.is_empty() {
            total.tensors = batch.tensors;
        } else {
            total
                .tensors
                .iter_mut()
                .zip(&batch.tensors)
                .for_each(|(sum, x)| sum.merge(x));
        }
        total.rows += batch.rows;
        total.flips += batch.flips;
    }
    Ok(ErrorReport {
        sequences: sequences.len(),
        rows: total.rows,
        flips: total.flips,
        tensors: total.tensors.into_iter().map(Sums::finish).collect(),
    })
}

/// The least SQNR a tensor must have, in decibels, by the last part of its name; `*` stands for all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Budget {
    /// Floors by name.
    pub floors: BTreeMap<String, f64>,
}

/// A tensor below its floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excess {
    /// The tensor.
    pub name: String,
    /// Its floor.
    pub floor: f64,
    /// Its SQNR.
    pub sqnr: f64,
}

impl Budget {
    /// Floors that a sound quantisation of a sound model keeps: a bit is worth 6.02 dB.
    ///
    /// - `x0`, rounded once: 6·bits − 28 (68 dB at 16 bits, 20 at 8);
    /// - `w` none of its own: it is judged in `aw`;
    /// - all others, up to 3 layers deep: 6·bits − 42, but no more than the tables resolve, 4 + 6·mantissa bits of the calcium power
    ///   (40 dB at 16 bits with the default of 6 mantissa bits, 6 at 8).
    ///
    /// bits is the smaller of activation and weight bits. Over 300 random small models each (heavy-tailed weights, every option of the
    /// specification, D ≥ 8) the lowest seen were 46 dB at 16 bits, 34 at 12 and 8 at 8, the medians of the logits 61, 49 and 27. A floor catches
    /// a wrong format or table, not a loss of accuracy: that is for the task's own measure.
    pub fn new(quantize: &QuantizeSpec) -> Budget {
        let bits = 6.0 * quantize.activation_bits.min(quantize.weight_bits) as f64;
        let index = |bits: u32| bits.saturating_sub(3);
        let mantissa = quantize
            .power_mantissa_bits
            .min(index(quantize.reciprocal_mantissa_bits))
            .min(index(quantize.rsqrt_mantissa_bits));
        let tables = 4.0 + 6.0 * mantissa as f64;
        Budget {
            floors: BTreeMap::from([("x0".into(), bits - 28.0), ("*".into(), tables.min(bits - 42.0))]),
        }
    }

    /// The floor of one tensor; none when neither its name nor `*` has one.
    pub fn floor(&self, name: &str) -> Option<f64> {
        let last = name.rsplit('.').next().unwrap_or(name);
        // w shares a's fraction, however small a trained w is: its error counts in aw, where it is added.
        if last == "w" {
            return None;
        }
        self.floors.get(last).or(self.floors.get("*")).copied()
    }
}

impl ErrorReport {
    /// The tensors below their floor. Exact tensors and those without a signal are never.
    pub fn over(&self, budget: &Budget) -> Vec<Excess> {
        let below = |t: &TensorError| {
            let (sqnr, floor) = (t.sqnr?, budget.floor(&t.name)?);
            (sqnr < floor).then(|| Excess {
                name: t.name.clone(),
                floor,
                sqnr,
            })
        };
        self.tensors.iter().filter_map(below).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definitions() {
        let format = Format::new(8, 1);
        let zero = Sums {
            name: "t".into(),
            format,
            count: 0,
            max: 0.0,
            error: 0.0,
            square: 0.0,
            signal: 0.0,
            saturated: 0,
        };
        let (mut one, mut two) = (zero.clone(), zero);
        one.add(&[2, 127], &[1.5, 63.5]); // errors 0.5 and 0
        two.add(&[-128, 0], &[-67.0, 1.0]); // 3 and 1
        one.merge(&two);
        let found = one.finish();
        assert_eq!(
            (found.count, found.saturated, found.max, found.mean),
            (4, 2, 3.0, 4.5 / 4.0)
        );
        assert!((found.rms - (10.25f64 / 4.0).sqrt()).abs() < 1e-12);
        let signal: f64 = (2.25 + 63.5 * 63.5 + 67.0 * 67.0 + 1.0) / 4.0;
        assert!((found.sqnr.unwrap() - 10.0 * (signal / (10.25 / 4.0)).log10()).abs() < 1e-9);
    }

    #[test]
    fn the_budget_names_what_is_below_it() {
        let tensor = |name: &str, sqnr| TensorError {
            name: name.into(),
            format: Format::new(8, 0),
            count: 1,
            max: 0.0,
            mean: 0.0,
            rms: 0.0,
            signal: 0.0,
            sqnr,
            saturated: 0,
        };
        let tensors = vec![
            tensor("x0", Some(67.0)),
            tensor("layers.0.q", Some(41.0)),
            tensor("layers.0.y", None),
        ];
        let report = ErrorReport {
            sequences: 1,
            rows: 1,
            flips: 0,
            tensors,
        };
        let over = report.over(&Budget::new(&QuantizeSpec::default()));
        assert_eq!(
            over,
            [Excess {
                name: "x0".into(),
                floor: 68.0,
                sqnr: 67.0
            }]
        );
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<ErrorReport>(&json).unwrap(), report);
    }
}
