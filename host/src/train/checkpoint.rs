//! A checkpoint: everything a run needs to go on bit for bit, in one safetensors file that is written whole or not at all.
//!
//! Tensors `weights/…`, `first/…`, `second/…`, `average/…`, `best/…`; the metadata holds the step, the best validation and a fingerprint of
//! model and training settings. Data order and every dropout are functions of (seed, step), so no generator's state is stored.
//!
//! ```
//! use astromorph::weights::Weights;
//! use astromorph_host::{project::Project, train::{checkpoint::Checkpoint, optimiser::State}};
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("checkpoint.safetensors");
//! let project = Project::builtin("recall").unwrap();
//! let state = State::new(Weights::random(&project.model, 1));
//! let saved = Checkpoint { best: state.weights.clone(), best_score: Default::default(), state, finished: false, curve: Vec::new(), since: Default::default() };
//! saved.save(&path, &project).unwrap();
//! assert_eq!(Checkpoint::load(&path, &project).unwrap(), saved);
//! let mut other = project.clone();
//! other.train.learning_rate = 1.0;
//! assert!(Checkpoint::load(&path, &other).unwrap_err().to_string().contains("settings"));
//! ```

use super::evaluate::Score;
use super::optimiser::State;
use super::run::{Point, Since};
use crate::project::Project;
use astromorph::weights::{Tensor, Weights};
use astromorph::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Weights, moments, average and step.
    pub state: State,
    /// The averaged weights of the best validation so far.
    pub best: Weights,
    /// That validation.
    pub best_score: Score,
    /// Whether the run came to its end.
    pub finished: bool,
    /// Learning curve so far.
    pub curve: Vec<Point>,
    /// What has added up since its last point.
    pub since: Since,
}

/// What a checkpoint must agree with: the model, the task and all settings of the float phase.
fn fingerprint(project: &Project) -> Result<String> {
    let mut settings = project.clone();
    // These do not touch the float phase.
    settings.quantize = Default::default();
    settings.core = Default::default();
    settings.train.quantized = Default::default();
    settings.name.clear();
    let text = settings.to_toml()?;
    Ok(Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}

fn numbers(p: &Point) -> [f64; 5] {
    [p.step as f64, p.accuracy, p.validation, p.loss, p.norm]
}

fn point(&[step, accuracy, validation, loss, norm]: &[f64; 5]) -> Point {
    Point {
        step: step as u64,
        accuracy,
        validation,
        loss,
        norm,
    }
}

/// The bits, so that a resumed run's curve is exactly what this one's would have been.
fn bits(numbers: impl IntoIterator<Item = f64>) -> String {
    let words = numbers.into_iter().map(|x| x.to_bits().to_string());
    words.collect::<Vec<_>>().join(" ")
}

impl Checkpoint {
    fn parts(&self) -> [(&'static str, &Weights); 5] {
        let s = &self.state;
        [
            ("weights", &s.weights),
            ("first", &s.first),
            ("second", &s.second),
            ("average", &s.average),
            ("best", &self.best),
        ]
    }

    /// Writes the file in place of an older one.
    pub fn save(&self, path: &Path, project: &Project) -> Result<()> {
        let mut bytes: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (part, weights) in self.parts() {
            for (name, tensor) in &weights.tensors {
                let data = tensor.data.iter().flat_map(|x| x.to_le_bytes()).collect();
                bytes.push((format!("{part}/{name}"), tensor.shape.clone(), data));
            }
        }
        let mut views = Vec::with_capacity(bytes.len());
        for (name, shape, data) in &bytes {
            let view = TensorView::new(Dtype::F32, shape.clone(), data).map_err(|e| Error::file(path, e))?;
            views.push((name.clone(), view));
        }
        let best = &self.best_score;
        let metadata = HashMap::from([
            ("format".to_string(), "astromorph checkpoint 2".to_string()),
            ("settings".into(), fingerprint(project)?),
            ("step".into(), self.state.step.to_string()),
            ("finished".into(), self.finished.to_string()),
            // The bits, so that a resumed run compares with exactly what this one would have.
            ("best_loss".into(), best.loss.to_bits().to_string()),
            ("best_right".into(), best.right.to_string()),
            ("best_answers".into(), best.answers.to_string()),
            ("curve".into(), bits(self.curve.iter().flat_map(numbers))),
            (
                "since".into(),
                bits([self.since.loss, self.since.steps as f64, self.since.norm]),
            ),
        ]);
        let file = safetensors::serialize(views, Some(metadata)).map_err(|e| Error::file(path, e))?;
        astromorph::atomic::write(path, &file)
    }

    /// Reads a checkpoint of the same settings.
    pub fn load(path: &Path, project: &Project) -> Result<Checkpoint> {
        let file = std::fs::read(path).map_err(|e| Error::file(path, e))?;
        let (_, header) = SafeTensors::read_metadata(&file).map_err(|e| Error::file(path, e))?;
        let empty = HashMap::new();
        let metadata = header.metadata().as_ref().unwrap_or(&empty);
        let text = |key: &str| {
            metadata.get(key).ok_or_else(|| {
                Error::file(
                    path,
                    format!("expected the metadata '{key}' of a checkpoint, found none"),
                )
            })
        };
        let number = |key: &str| -> Result<u64> {
            let found = text(key)?;
            found
                .parse()
                .map_err(|_| Error::file(path, format!("{key}: expected a number, found '{found}'")))
        };
        let floats = |key: &str| -> Result<Vec<f64>> {
            let words = text(key)?
                .split_whitespace()
                .map(|word| word.parse().map(f64::from_bits));
            words
                .collect::<std::result::Result<_, _>>()
                .map_err(|_| Error::file(path, format!("{key}: expected numbers, found other text")))
        };
        let (expected, found) = (fingerprint(project)?, text("settings")?);
        if *found != expected {
            return Err(Error::file(
                path,
                format!("settings: expected the hash {expected} of this project, found {found}"),
            ));
        }
        let tensors = SafeTensors::deserialize(&file).map_err(|e| Error::file(path, e))?;
        let part = |part: &str| -> Result<Weights> {
            let mut weights = Weights::default();
            for (name, shape) in Weights::expected(&project.model) {
                let full = format!("{part}/{name}");
                let view = tensors
                    .tensor(&full)
                    .map_err(|e| Error::file(path, format!("{full}: {e}")))?;
                if view.dtype() != Dtype::F32 || view.shape() != shape {
                    let found = format!("{:?} {:?}", view.dtype(), view.shape());
                    return Err(Error::file(
                        path,
                        format!("{full}: expected F32 {shape:?}, found {found}"),
                    ));
                }
                let data = view
                    .data()
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect();
                weights.tensors.insert(name, Tensor { shape, data });
            }
            weights
                .check(&project.model)
                .map_err(|e| Error::file(path, format!("{part}: {e}")))?;
            Ok(weights)
        };
        Ok(Checkpoint {
            state: State {
                weights: part("weights")?,
                first: part("first")?,
                second: part("second")?,
                average: part("average")?,
                step: number("step")?,
            },
            best: part("best")?,
            best_score: Score {
                loss: f64::from_bits(number("best_loss")?),
                right: number("best_right")? as usize,
                answers: number("best_answers")? as usize,
            },
            finished: text("finished")? == "true",
            curve: floats("curve")?.as_chunks().0.iter().map(point).collect(),
            since: match floats("since")?[..] {
                [loss, steps, norm] => Since {
                    loss,
                    steps: steps as u64,
                    norm,
                },
                _ => return Err(Error::file(path, "since: expected three numbers, found others")),
            },
        })
    }
}
