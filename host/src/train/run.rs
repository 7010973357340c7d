//! A whole run: epochs of shuffled batches, validation of the averaged weights, the best of them kept, checkpoints on the way.
//!
//! A raised stop flag writes a checkpoint and returns with `interrupted`; the same call later goes on from it bit for bit. A run is a function
//! of project and data alone.
//!
//! ```
//! use astromorph_host::{data, project::Project, train::run};
//! use std::sync::atomic::AtomicBool;
//! let mut project = Project::builtin("recall").unwrap();
//! (project.train.steps, project.train.batch) = (4, 8);   // 4 steps of 8 sequences
//! let mut set = data::load(&project, None).unwrap();
//! set.validation.truncate(10);
//! let mut steps = 0;
//! let done = run::train(&project, &set, None, &AtomicBool::new(false), &mut |e| steps += usize::from(matches!(e, run::Event::Step { .. }))).unwrap();
//! assert_eq!((steps, done.steps, done.interrupted, done.best.answers), (4, 4, false, 80));
//! ```

use super::checkpoint::Checkpoint;
use super::evaluate::{Score, accuracy};
use super::optimiser::{State, learning_rate};
use super::quant::QuantPlan;
use super::step::gradients;
use crate::data::batch::epoch_order;
use crate::data::{Dataset, Example};
use crate::project::{Project, TrainSpec};
use astromorph::spec::{ModelSpec, Nonlinearity, Order};
use astromorph::weights::Weights;
use astromorph::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What an observer hears.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A step was made.
    Step {
        /// Steps done.
        step: u64,
        /// Steps in all.
        total: u64,
        /// Mean loss of its batch.
        loss: f64,
        /// Global gradient norm before clipping.
        norm: f64,
    },
    /// The averaged weights were validated.
    Validated {
        /// Steps done.
        step: u64,
        /// Steps in all.
        total: u64,
        /// What they scored.
        score: Score,
        /// Whether no earlier ones scored more.
        best: bool,
    },
}

/// A point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Steps done.
    pub step: u64,
    /// Validation accuracy of the averaged weights.
    pub accuracy: f64,
    /// Validation loss of the averaged weights, nats an answer.
    pub validation: f64,
    /// Mean training loss since the point before.
    pub loss: f64,
    /// Largest global gradient norm since the point before, before clipping.
    pub norm: f64,
}

/// Sums since the last point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Since {
    /// Sum of the training losses.
    pub loss: f64,
    /// Steps.
    pub steps: u64,
    /// Largest gradient norm.
    pub norm: f64,
}

impl Since {
    fn add(&mut self, loss: f64, norm: f64) {
        self.loss += loss;
        self.steps += 1;
        self.norm = self.norm.max(norm);
    }
}

/// What a run made.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The weights of the best validation.
    pub weights: Weights,
    /// That validation.
    pub best: Score,
    /// Steps done.
    pub steps: u64,
    /// Whether the stop flag ended it; the checkpoint holds the state.
    pub interrupted: bool,
    /// The step whose gradient was not finite, which ended the run.
    pub diverged: Option<u64>,
    /// Learning curve, that of earlier calls included.
    pub curve: Vec<Point>,
    /// Wall time of this call.
    pub seconds: f64,
}

/// The float phase. With a `checkpoint` path the run saves there, and goes on from there when the file exists.
pub fn train(
    project: &Project,
    data: &Dataset,
    checkpoint: Option<&Path>,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event),
) -> Result<Outcome> {
    project.validate()?;
    check(&project.model, &project.train, data)?;
    let start = match checkpoint.filter(|path| path.exists()) {
        Some(path) => Checkpoint::load(path, project)?,
        None => {
            let weights = initial(&project.model, &project.train);
            Checkpoint {
                best: weights.clone(),
                state: State::new(weights),
                best_score: Score::default(),
                finished: false,
                curve: Vec::new(),
                since: Since::default(),
            }
        }
    };
    let total = steps(&project.train, data.train.len());
    let save = |c: &Checkpoint| checkpoint.map_or(Ok(()), |path| c.save(path, project));
    Loop {
        spec: &project.model,
        train: &project.train,
        data,
        plan: None,
        total,
        stop,
    }
    .run(start, &save, observe)
}

/// The quantised phase: fine-tunes `weights` while the forward pass rounds as `plan` says. Step 0 counts: the result is never worse in validation.
pub fn fine_tune(
    project: &Project,
    data: &Dataset,
    weights: &Weights,
    plan: &QuantPlan,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event),
) -> Result<Outcome> {
    project.validate()?;
    weights.check(&project.model)?;
    check(&project.model, &project.train, data)?;
    let phase = project.train.quantized;
    let mut train = project.train;
    train.learning_rate = phase.learning_rate;
    train.steps = phase.steps;
    train.stop_at = 0.0;
    let started = Instant::now();
    let best_score = accuracy(
        &project.model,
        weights,
        &data.validation,
        Some(plan),
        train.shards,
        Some(stop),
    )?;
    let start = Checkpoint {
        best: weights.clone(),
        state: State::new(weights.clone()),
        best_score,
        finished: phase.steps == 0,
        curve: Vec::new(),
        since: Since::default(),
    };
    let total = phase.steps as u64;
    let looped = Loop {
        spec: &project.model,
        train: &train,
        data,
        plan: Some(plan),
        total,
        stop,
    };
    let mut outcome = looped.run(start, &|_| Ok(()), observe)?;
    outcome.seconds = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// Steps of a run over `examples` training examples.
pub fn steps(train: &TrainSpec, examples: usize) -> u64 {
    match train.steps {
        0 => (examples.div_ceil(train.batch) * train.epochs) as u64,
        n => n as u64,
    }
}

/// The start: random weights with the embeddings' spread of the settings.
pub fn initial(spec: &ModelSpec, train: &TrainSpec) -> Weights {
    let mut weights = Weights::random(spec, train.seed);
    if let Some(table) = weights.tensors.get_mut(super::leaves::EMBEDDING) {
        let factor = (train.embedding_std / 0.1) as f32; // Weights::random spreads them by 0.1
        table.data.iter_mut().for_each(|x| *x *= factor);
    }
    weights
}

/// Refuses what a run would stumble over later.
fn check(spec: &ModelSpec, train: &TrainSpec, data: &Dataset) -> Result<()> {
    for (name, split) in [("train", &data.train), ("validation", &data.validation)] {
        if split.is_empty() {
            return Err(Error::field(format!("data.{name}"), "at least one example", "none"));
        }
        split.iter().try_for_each(|e| e.sequence.check(spec))?;
    }
    if spec.order == Order::Causal && spec.nonlinearity != Nonlinearity::Identity {
        // Every token's Z_t is kept for the way back, in about six copies.
        let entries = train.batch.div_ceil(train.shards) * spec.n_max * spec.heads * spec.features * spec.values;
        if entries > 1 << 26 {
            return Err(Error::field(
                "model.nonlinearity",
                format!(
                    "\"identity\" for causal training at this size: f ≠ identity keeps B·N·Hh·m·e = {entries} states a shard, \
                     at most {} fit (lower train.batch or model.n_max)",
                    1 << 26
                ),
                format!("{:?}", spec.nonlinearity),
            ));
        }
    }
    Ok(())
}

struct Loop<'a> {
    spec: &'a ModelSpec,
    train: &'a TrainSpec,
    data: &'a Dataset,
    plan: Option<&'a QuantPlan>,
    total: u64,
    stop: &'a AtomicBool,
}

impl Loop<'_> {
    fn run(
        &self,
        mut at: Checkpoint,
        save: &dyn Fn(&Checkpoint) -> Result<()>,
        observe: &mut dyn FnMut(Event),
    ) -> Result<Outcome> {
        let started = Instant::now();
        let (train, total) = (self.train, self.total);
        let lengths: Vec<usize> = self.data.train.iter().map(|e| e.sequence.len()).collect();
        let per_epoch = lengths.len().div_ceil(train.batch) as u64;
        let validate = match train.validate_every as u64 {
            0 => (per_epoch / 4).max(total / 20).max(1),
            n => n,
        };
        let checkpoint = if train.checkpoint_every == 0 {
            validate
        } else {
            train.checkpoint_every as u64
        };
        let mut order: Option<(u64, Vec<Vec<usize>>)> = None;
        let (mut interrupted, mut diverged) = (false, None);
        // A step and its validation are two turns, so that a run that is stopped between them validates when it goes on.
        while !at.finished {
            let step = at.state.step;
            if at.since.steps > 0 && (step.is_multiple_of(validate) || step == total) {
                let Some(score) = self.validate(&at.state.average)? else {
                    interrupted = true;
                    break;
                };
                self.validated(&mut at, score, observe);
            } else if step == total {
                break;
            } else {
                if self.stop.load(Ordering::Relaxed) {
                    interrupted = true;
                    break;
                }
                let epoch = step / per_epoch;
                if order.as_ref().is_none_or(|(e, _)| *e != epoch) {
                    order = Some((epoch, epoch_order(&lengths, train.batch, train.seed, epoch)));
                }
                let picked = order.as_ref().map_or(&[][..], |(_, o)| &o[(step % per_epoch) as usize]);
                let examples: Vec<&Example> = picked.iter().map(|i| &self.data.train[*i]).collect();
                let found = gradients(self.spec, train, &at.state.weights, &examples, self.plan, step);
                let rate = learning_rate(train.learning_rate, train.warmup, train.floor, step, total);
                let Some(norm) = at.state.apply(train, rate, &found.gradients) else {
                    diverged = Some(step);
                    break;
                };
                at.since.add(found.loss, norm);
                observe(Event::Step {
                    step: step + 1,
                    total,
                    loss: found.loss,
                    norm,
                });
                if (step + 1).is_multiple_of(validate) || step + 1 == total {
                    continue;
                }
            }
            if at.finished || at.state.step.is_multiple_of(checkpoint) {
                save(&at)?;
            }
        }
        if interrupted {
            save(&at)?;
        }
        Ok(Outcome {
            weights: at.best,
            best: at.best_score,
            steps: at.state.step,
            interrupted,
            diverged,
            curve: at.curve,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Takes a validation in.
    fn validated(&self, at: &mut Checkpoint, score: Score, observe: &mut dyn FnMut(Event)) {
        let (step, total) = (at.state.step, self.total);
        let (new, old) = (&score, &at.best_score);
        // Equal accuracy: the lower loss. Nothing validated yet: anything.
        let best = old.answers == 0 || new.right > old.right || (new.right == old.right && new.loss < old.loss);
        if best {
            (at.best, at.best_score) = (at.state.average.clone(), score);
        }
        let since = std::mem::take(&mut at.since);
        at.curve.push(Point {
            step,
            accuracy: score.accuracy(),
            validation: score.loss / score.answers.max(1) as f64,
            loss: since.loss / since.steps.max(1) as f64,
            norm: since.norm,
        });
        observe(Event::Validated {
            step,
            total,
            score,
            best,
        });
        let enough = self.train.stop_at > 0.0 && score.accuracy() >= self.train.stop_at;
        at.finished = step == total || enough;
    }

    /// Validates, or nothing when the stop flag was raised meanwhile.
    fn validate(&self, weights: &Weights) -> Result<Option<Score>> {
        match accuracy(
            self.spec,
            weights,
            &self.data.validation,
            self.plan,
            self.train.shards,
            Some(self.stop),
        ) {
            Ok(score) => Ok(Some(score)),
            Err(_) if self.stop.load(Ordering::Relaxed) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
