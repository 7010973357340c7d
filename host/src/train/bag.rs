//! A bag of words: mean of learnt embeddings and a linear head. The baseline beside every text result, since it mixes no tokens in order.
//!
//! logits = mean_t(Σ_slots E[id]) W + b (a second slot: bigrams), learnt by the same optimiser and label smoothing as the model, in plain loops. It makes at least five passes and
//! forgets at most a tenth of the words: a bag learns slower and needs less noise than the model, and a weak baseline would flatter it.
//!
//! ```
//! use astromorph::sequence::Sequence;
//! use astromorph_host::{data::{Example, Target}, project::TrainSpec, train::bag};
//! let example = |id, class| Example { sequence: Sequence::Tokens { slots: 1, ids: vec![id, 4] }, target: Target::Class(class) };
//! let set: Vec<Example> = (0..64).map(|i| example(2 + i % 2, i % 2)).collect(); // word 2 means class 0, word 3 class 1
//! let train = TrainSpec { epochs: 20, batch: 8, learning_rate: 0.05, ..TrainSpec::default() };
//! let model = bag::train(&train, 5, 8, 2, &set).unwrap();
//! assert_eq!(model.accuracy(&set), 1.0);
//! ```

use super::leaves::{EMBEDDING, scatter};
use super::noise::Noise;
use super::optimiser::{Gradients, State, diverged, learning_rate};
use super::run::steps;
use super::step::cross_entropy;
use crate::data::batch::epoch_order;
use crate::data::{Example, Target};
use crate::project::TrainSpec;
use astromorph::sequence::Sequence;
use astromorph::weights::{Tensor, Weights};
use astromorph::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A trained bag of words.
pub struct Bag {
    weights: Weights,
    width: usize,
    classes: usize,
}

/// Fewest passes over the training split.
const PASSES: usize = 5;
/// Most word dropout.
const FORGET: f64 = 0.1;

/// Trains a bag of `width` embeddings over `vocabulary` identifiers.
pub fn train(train: &TrainSpec, vocabulary: usize, width: usize, classes: usize, examples: &[Example]) -> Result<Bag> {
    let mut rng = ChaCha8Rng::seed_from_u64(train.seed);
    let mut random = |shape: &[usize], spread: f32| Tensor {
        shape: shape.to_vec(),
        data: (0..shape.iter().product())
            .map(|_| (rng.random::<f32>() - 0.5) * spread)
            .collect(),
    };
    let spread = train.embedding_std as f32 * 12f32.sqrt(); // a uniform distribution of that deviation
    let mut weights = Weights::default();
    weights
        .tensors
        .insert(EMBEDDING.into(), random(&[vocabulary, width], spread));
    weights
        .tensors
        .insert("head.weight".into(), random(&[width, classes], 1.0));
    weights.tensors.insert("head.bias".into(), random(&[classes], 0.0));
    let mut state = State::new(weights);
    let lengths: Vec<usize> = examples.iter().map(|e| e.sequence.len()).collect();
    let train = &TrainSpec {
        steps: 0,
        epochs: train.epochs.max(PASSES),
        word_dropout: train.word_dropout.min(FORGET),
        ..*train
    };
    let total = steps(train, examples.len());
    while state.step < total {
        let epoch = state.step / lengths.len().div_ceil(train.batch) as u64;
        for picked in epoch_order(&lengths, train.batch, train.seed, epoch) {
            let mut noise = Noise::new(train.seed, state.step, 0, 0.0);
            let bag = Bag {
                weights: std::mem::take(&mut state.weights),
                width,
                classes,
            };
            let gradients = bag.gradients(
                train,
                &picked.iter().map(|i| &examples[*i]).collect::<Vec<_>>(),
                &mut noise,
            )?;
            state.weights = bag.weights;
            let rate = learning_rate(train.learning_rate, train.warmup, train.floor, state.step, total);
            state
                .apply(train, rate, &gradients)
                .ok_or_else(|| diverged(state.step))?;
        }
    }
    Ok(Bag {
        weights: state.average,
        width,
        classes,
    })
}

impl Bag {
    fn tensor(&self, name: &str) -> &[f32] {
        self.weights.tensors.get(name).map_or(&[], |t| &t.data)
    }

    fn mean(&self, (ids, slots): (&[u32], usize)) -> Vec<f32> {
        let table = self.tensor(EMBEDDING);
        let mut mean = vec![0f32; self.width];
        for &id in ids.iter().filter(|&&id| id != 0) {
            super::kernels::accumulate(&mut mean, &table[id as usize * self.width..][..self.width]);
        }
        mean.iter_mut().for_each(|x| *x /= (ids.len() / slots).max(1) as f32);
        mean
    }

    fn logits(&self, mean: &[f32]) -> Vec<f32> {
        let mut z = self.tensor("head.bias").to_vec();
        for (x, row) in mean.iter().zip(self.tensor("head.weight").chunks_exact(self.classes)) {
            z.iter_mut().zip(row).for_each(|(z, w)| *z += x * w);
        }
        z
    }

    fn gradients(&self, train: &TrainSpec, examples: &[&Example], noise: &mut Noise) -> Result<Gradients> {
        let mut table = vec![0f32; self.tensor(EMBEDDING).len()];
        let (mut weight, mut bias) = (vec![0f32; self.width * self.classes], vec![0f32; self.classes]);
        for example in examples {
            let (mut ids, slots, class) = text(example)?;
            noise.forget_words(&mut ids, slots, train.word_dropout);
            let mean = self.mean((&ids, slots));
            let logits = self.logits(&mean);
            let dz = cross_entropy(
                &logits,
                self.classes,
                &[Some(class)],
                train.label_smoothing,
                examples.len(),
            )
            .gradient;
            let share = slots as f32 / ids.len() as f32;
            let mut dx = vec![0f32; self.width];
            let rows = self
                .tensor("head.weight")
                .chunks_exact(self.classes)
                .zip(weight.chunks_exact_mut(self.classes));
            for ((w, dw), (x, dx)) in rows.zip(mean.iter().zip(&mut dx)) {
                for c in 0..self.classes {
                    dw[c] += x * dz[c];
                    *dx += w[c] * dz[c] * share;
                }
            }
            super::kernels::accumulate(&mut bias, &dz);
            for id in &ids {
                scatter(&mut table, self.width, std::slice::from_ref(id), 1, &dx);
            }
        }
        Ok(Gradients::from([
            (EMBEDDING.into(), table),
            ("head.weight".into(), weight),
            ("head.bias".into(), bias),
        ]))
    }

    /// Share of right answers.
    pub fn accuracy(&self, examples: &[Example]) -> f64 {
        let right = |e: &&Example| {
            text(e).is_ok_and(|(ids, slots, class)| {
                let z = self.logits(&self.mean((&ids, slots)));
                (1..z.len()).fold(0, |best, c| if z[c] > z[best] { c } else { best }) == class as usize
            })
        };
        examples.iter().filter(right).count() as f64 / examples.len().max(1) as f64
    }
}

/// Identifiers, slots a token, class.
fn text(example: &Example) -> Result<(Vec<u32>, usize, u32)> {
    match (&example.sequence, &example.target) {
        (Sequence::Tokens { slots, ids }, Target::Class(class)) => Ok((ids.clone(), *slots, *class)),
        _ => Err(Error::field(
            "bag of words",
            "sequences of words with one class",
            "another kind of example",
        )),
    }
}
