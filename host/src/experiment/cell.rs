//! One cell of an experiment: a configuration with a seed, trained and measured.
//!
//! A cell is a function of its job and the data alone; its file holds a fingerprint of the job, so that a changed definition never reads another's
//! cells. An interrupted training goes on from its checkpoint bit for bit.
//!
//! ```
//! use astromorph_host::{data, experiment::{cell, definition::Definition, measure::Measure}};
//! let text = r#"
//!     title = "t"
//!     question = "q"
//!     source = "s"
//!     seeds = 1
//!     measures = ["test", "parameters"]
//!     reduced = { seeds = 1 }
//!     [[group]]
//!     name = "recall"
//!     project = "recall"
//!     set = { train = { steps = 2, batch = 4 } }
//!     items = { train = 40, validation = 5, test = 5 }
//!     [[group.row]]
//!     name = "astromorphic"
//! "#;
//! let experiment = Definition::parse("e.toml", text).unwrap();
//! let job = &experiment.jobs(false).unwrap()[0];
//! let set = cell::thinned(data::load(&job.project, None).unwrap(), job.items);
//! assert_eq!((set.train.len(), set.test.len()), (40, 5));
//! let stop = std::sync::atomic::AtomicBool::new(false);
//! let folder = tempfile::tempdir().unwrap();
//! let found = cell::measured(job, &set, &experiment.measures, &folder.path().join("c"), &stop).unwrap().unwrap();
//! assert!(found.measures[&Measure::Test] <= 100.0 && found.measures[&Measure::Parameters] > 4e3);
//! assert_eq!(found.curve.len(), 1);                               // validated at the end
//! ```

use super::definition::{Form, Items, Job};
use super::measure::{Measure, epochs};
use super::response::{self, Trace};
use super::{memory, probe, search, twin};
use crate::data::{Dataset, Example, evenly};
use crate::train::bag;
use crate::train::evaluate::accuracy;
use crate::train::leaves::EMBEDDING;
use crate::train::run;
use astromorph::spec::Input;
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Passes over the training split.
    pub epoch: f64,
    /// Validation accuracy, percent.
    pub validation: f64,
    /// Mean training loss since the point before.
    pub loss: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Of the job.
    pub fingerprint: String,
    /// What the configuration does not have, or what is no finite number, is absent.
    pub measures: BTreeMap<Measure, f64>,
    /// Learning curve.
    pub curve: Vec<Point>,
    /// Items of the training, validation and test splits used.
    pub items: [usize; 3],
    /// The astrocyte's response over a sequence, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Wall time of the call that finished it.
    pub seconds: f64,
}

impl Cell {
    /// Reads the cell of a job, if it is there.
    pub fn load(path: &Path, fingerprint: &str) -> Result<Option<Cell>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read(path).map_err(|e| Error::file(path, e))?;
        let cell: Cell = serde_json::from_slice(&text).map_err(|e| Error::file(path, e))?;
        match cell.fingerprint == fingerprint {
            true => Ok(Some(cell)),
            false => Err(Error::file(
                path,
                "expected a cell of this experiment as it is defined now, found another's; choose another --out or remove the folder",
            )),
        }
    }
}

/// What a cell depends on: project, items and measures.
pub fn fingerprint(job: &Job, measures: &[Measure]) -> Result<String> {
    let text = format!(
        "{}{:?}{:?}{measures:?}{}",
        job.project.to_toml()?,
        job.items,
        job.options,
        job.threshold
    );
    Ok(Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}

/// A data set with the most items of each split, evenly spread over it (splits may be sorted by class).
pub fn thinned(mut set: Dataset, items: Items) -> Dataset {
    let thin = |split: &mut Vec<Example>, most: usize| {
        if most > 0 && most < split.len() {
            let all = split.len();
            *split = evenly(all, most).map(|i| split[i].clone()).collect();
        }
    };
    thin(&mut set.train, items.train);
    thin(&mut set.validation, items.validation);
    thin(&mut set.test, items.test);
    set
}

/// Trains and measures; nothing when `stop` was raised: `checkpoint` then holds the state.
pub fn measured(
    job: &Job,
    set: &Dataset,
    measures: &[Measure],
    checkpoint: &Path,
    stop: &AtomicBool,
) -> Result<Option<Cell>> {
    let started = Instant::now();
    let mut cell = Cell {
        fingerprint: fingerprint(job, measures)?,
        measures: BTreeMap::new(),
        curve: Vec::new(),
        items: [set.train.len(), set.validation.len(), set.test.len()],
        trace: None,
        seconds: 0.0,
    };
    let found = match job.options.form {
        Form::Model => model(job, set, measures, checkpoint, stop, &mut cell)?,
        Form::Bag => bag(job, set, &mut cell)?,
        Form::Dense(power) => {
            let found = memory::accuracy(&job.project, &set.test, power, job.seed);
            cell.measures.insert(Measure::Test, 100.0 * found);
            true
        }
    };
    cell.seconds = started.elapsed().as_secs_f64();
    Ok(found.then_some(cell))
}

fn bag(job: &Job, set: &Dataset, cell: &mut Cell) -> Result<bool> {
    let (model, train) = (&job.project.model, &job.project.train);
    let Input::Tokens { vocabulary, .. } = model.input else {
        return Err(Error::field("form", "\"model\" for vectors", "\"bag\""));
    };
    let found = bag::train(train, vocabulary, model.d_model, model.output.size, &set.train)?;
    let mut put = |measure: Measure, value: f64| cell.measures.insert(measure, value);
    put(Measure::Test, 100.0 * found.accuracy(&set.test));
    put(Measure::Validation, 100.0 * found.accuracy(&set.validation));
    put(Measure::Diverged, 0.0);
    put(Measure::Parameters, ((model.d_model + 1) * model.output.size) as f64);
    Ok(true)
}

fn model(
    job: &Job,
    set: &Dataset,
    measures: &[Measure],
    checkpoint: &Path,
    stop: &AtomicBool,
    cell: &mut Cell,
) -> Result<bool> {
    let (project, spec) = (&job.project, &job.project.model);
    let outcome = run::train(project, set, Some(checkpoint), stop, &mut |_| {})?;
    if outcome.interrupted {
        return Ok(false);
    }
    let per_epoch = set.train.len() as f64 / project.train.batch as f64;
    cell.curve = outcome
        .curve
        .iter()
        .map(|p| Point {
            epoch: p.step as f64 / per_epoch,
            validation: 100.0 * p.accuracy,
            loss: p.loss,
        })
        .collect();
    let curve: Vec<(f64, f64)> = cell.curve.iter().map(|p| (p.epoch, p.validation)).collect();
    let weights = &outcome.weights;
    let scored = |spec: &_, weights: &_| accuracy(spec, weights, &set.test, None, project.train.shards, Some(stop));
    let widths = match (job.options.search, outcome.diverged) {
        (Some(budget), None) => search::smallest(project, weights, set, outcome.best.accuracy(), budget / 100.0)?,
        _ => project.quantize,
    };
    let response = match (job.options.response, outcome.diverged) {
        (Some(features), None) => Some(response::measured(spec, weights, set, features, job.seed)?),
        _ => None,
    };
    cell.trace = response.as_ref().map(|r| r.trace.clone());
    let (mut test, mut image) = (None, None);
    let mut value = |measure: Measure| -> Result<Option<f64>> {
        Ok(match measure {
            Measure::Test | Measure::Perplexity | Measure::WordPerplexity => {
                let score = match test {
                    Some(score) => score,
                    None => *test.insert(scored(spec, weights)?),
                };
                let perplexity = (score.loss / score.answers as f64).exp();
                match measure {
                    Measure::Test => Some(100.0 * score.accuracy()),
                    Measure::Perplexity => Some(perplexity),
                    _ => set.words.map(|words| words.of_a_word(perplexity)),
                }
            }
            Measure::Validation => Some(100.0 * outcome.best.accuracy()),
            Measure::Epochs => epochs(&curve, job.threshold),
            Measure::Zeroed => match probe::without_attention(weights) {
                Some(zeroed) => Some(100.0 * scored(spec, &zeroed)?.accuracy()),
                None => None,
            },
            Measure::Variation => probe::variation(spec, weights, &set.test)?,
            Measure::Causal => {
                let score = scored(&probe::causal(spec), weights)?;
                Some((score.loss / score.answers as f64).exp())
            }
            Measure::Leak => probe::leak(spec, weights, &set.test)?,
            Measure::Gradient => outcome.curve.iter().map(|p| p.norm).reduce(f64::max),
            Measure::Diverged => Some(f64::from(u8::from(outcome.diverged.is_some()))),
            Measure::Alpha => probe::alpha(spec, weights)?,
            Measure::Parameters => {
                let learnt = weights.tensors.iter().filter(|(name, _)| *name != EMBEDDING);
                Some(learnt.map(|(_, t)| t.data.len()).sum::<usize>() as f64)
            }
            Measure::Twin | Measure::Kilobits => {
                let image = match &image {
                    Some(image) => image,
                    None => &*image.insert(twin::image(project, &widths, weights, set)?),
                };
                Some(match measure {
                    Measure::Twin => 100.0 * twin::accuracy(image, &set.test)?,
                    _ => twin::kilobits(image)?,
                })
            }
            Measure::OperandBits => Some(widths.activation_bits.into()),
            Measure::WeightBits => Some(widths.weight_bits.into()),
            Measure::PhiBits => Some(widths.phi_index_bits.into()),
            Measure::PowerBits => Some(widths.power_mantissa_bits.into()),
            Measure::ReciprocalBits => Some(widths.reciprocal_mantissa_bits.into()),
            Measure::RsqrtBits => Some(widths.rsqrt_mantissa_bits.into()),
            Measure::Correlation => response.as_ref().map(|r| r.correlation),
            Measure::Error => response.as_ref().map(|r| r.error),
        })
    };
    for &measure in measures {
        match value(measure) {
            Ok(Some(value)) if value.is_finite() => {
                cell.measures.insert(measure, value);
            }
            Ok(_) => {}
            // The checkpoint is that of the finished training: the same call measures it later.
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
