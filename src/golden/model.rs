//! The whole Transformer: embedding, layers, pooling, head.
//!
//! - tokens: x0_t = Σ_slots E[id] + pos_t, identifier 0 contributing nothing
//! - vectors: x0 = features · W + b + pos
//! - pre-norm models end in one more layer norm, xf
//! - pooling: the mean of all tokens, the last token, or none (a row of logits for every token)

use super::dense::Dense;
use super::function::{Norm, convert};
use super::layer::Layer;
use super::{Real, real};
use crate::sequence::Sequence;
use crate::spec::{Absolute, Input, ModelSpec, NormOrder, Pooling};
use crate::weights::Weights;
use crate::{Result, positional};

/// Who looks on: name, rows, columns, values row by row.
pub type Observe<'a, T> = dyn FnMut(&str, usize, usize, &[T]) + 'a;

/// The result: one row of logits for a pooled model, one for every token otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits<T> {
    /// 1, or the number of tokens.
    pub rows: usize,
    /// `output.size`.
    pub columns: usize,
    /// rows × columns values.
    pub data: Vec<T>,
}

impl<T: Real> Logits<T> {
    /// The logits of one row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// The largest logit's index in every row; the first of equals.
    pub fn classes(&self) -> Vec<usize> {
        let largest = |row: &[T]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        self.data.chunks_exact(self.columns).map(largest).collect()
    }
}

/// The golden model. It holds no state between sequences: share it between threads.
pub struct Golden<T> {
    spec: ModelSpec,
    input: Embedding<T>,
    /// N_max × D.
    positions: Option<Vec<T>>,
    layers: Vec<Layer<T>>,
    norm: Option<Norm<T>>,
    head: Dense<T>,
}

enum Embedding<T> {
    Tokens(Vec<T>),
    Vectors(Dense<T>),
}

impl<T: Real> Golden<T> {
    /// A model of checked weights.
    pub fn new(spec: &ModelSpec, weights: &Weights) -> Result<Golden<T>> {
        weights.check(spec)?;
        let (input, positions) = match spec.input {
            Input::Tokens { positions, .. } => (
                Embedding::Tokens(convert(&weights.get("embedding.weight")?.data)),
                positions,
            ),
            Input::Vectors { positions, .. } => (
                Embedding::Vectors(Dense::new(weights, "input.weight", "input.bias")?),
                positions,
            ),
        };
        Ok(Golden {
            spec: spec.clone(),
            input,
            positions: match positions {
                Absolute::None => None,
                Absolute::Learnt => Some(convert(&weights.get("position.weight")?.data)),
                Absolute::Sinusoidal => Some(positional::sinusoidal(spec.n_max, spec.d_model)),
            },
            layers: (0..spec.layers)
                .map(|l| Layer::new(spec, weights, l))
                .collect::<Result<_>>()?,
            norm: match spec.norm {
                NormOrder::Post => None,
                NormOrder::Pre => Some(Norm::new(weights, "norm")?),
            },
            head: Dense::new(weights, "head.weight", "head.bias")?,
        })
    }

    /// Shows the scores `p` of chunks of `chunk` tokens as well, as the twin of such a model does. Everything else is the same.
    pub fn in_chunks_of(mut self, chunk: Option<usize>) -> Golden<T> {
        self.layers.iter_mut().for_each(|layer| layer.show_chunks(chunk));
        self
    }

    /// The model's specification.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The logits of one sequence; `observe` sees every intermediate tensor on the way.
    pub fn forward(&self, sequence: &Sequence, observe: &mut Observe<'_, T>) -> Result<Logits<T>> {
        sequence.check(&self.spec)?;
        let n = sequence.len();
        let d = self.spec.d_model;
        let mut shown = Shown {
            observe,
            name: String::new(),
            prefix: 0,
        };

        let mut x = self.embed(sequence);
        shown.see("x0", n, &x);
        for (l, layer) in self.layers.iter().enumerate() {
            shown.enter(&format!("layers.{l}."));
            x = layer.forward(&x, n, &mut shown);
        }
        shown.enter("");
        if let Some(norm) = &self.norm {
            x = norm.apply(&x);
            shown.see("xf", n, &x);
        }
        let rows = match self.spec.output.pooling {
            Pooling::None => n,
            Pooling::Mean => {
                let mut mean = vec![T::zero(); d];
                for row in x.chunks_exact(d) {
                    mean.iter_mut().zip(row).for_each(|(m, &x)| *m = *m + x);
                }
                mean.iter_mut().for_each(|m| *m = *m / real(n as f64));
                x = mean;
                1
            }
            Pooling::Last => {
                x.drain(..(n - 1) * d);
                1
            }
        };
        if self.spec.output.pooling != Pooling::None {
            shown.see("pooled", rows, &x);
        }
        let data = self.head.apply(&x, rows);
        shown.see("logits", rows, &data);
        Ok(Logits {
            rows,
            columns: self.spec.output.size,
            data,
        })
    }

    /// The logits of one sequence, unobserved.
    pub fn predict(&self, sequence: &Sequence) -> Result<Logits<T>> {
        self.forward(sequence, &mut |_, _, _, _| {})
    }

    fn embed(&self, sequence: &Sequence) -> Vec<T> {
        let d = self.spec.d_model;
        let mut x = match (&self.input, sequence) {
            (Embedding::Tokens(table), Sequence::Tokens { slots, ids }) => {
                let mut x = vec![T::zero(); sequence.len() * d];
                for (row, ids) in x.chunks_exact_mut(d).zip(ids.chunks_exact(*slots)) {
                    for &id in ids.iter().filter(|&&id| id != 0) {
                        row.iter_mut()
                            .zip(&table[id as usize * d..])
                            .for_each(|(x, &e)| *x = *x + e);
                    }
                }
                x
            }
            (Embedding::Vectors(dense), Sequence::Vectors { data, .. }) => dense.apply(&convert(data), sequence.len()),
            // `Sequence::check` has refused the wrong kind.
            _ => unreachable!("the sequence's kind has been checked against the specification"),
        };
        if let Some(positions) = &self.positions {
            x.iter_mut().zip(positions).for_each(|(x, &p)| *x = *x + p);
        }
        x
    }
}

/// Hands tensors to the observer under their full names.
pub(crate) struct Shown<'a, T> {
    observe: &'a mut Observe<'a, T>,
    name: String,
    prefix: usize,
}

impl<T> Shown<'_, T> {
    /// Sets the prefix of the names that follow.
    fn enter(&mut self, prefix: &str) {
        self.name.clear();
        self.name.push_str(prefix);
        self.prefix = prefix.len();
    }

    /// Shows a tensor of `rows` rows.
    pub(crate) fn see(&mut self, name: &str, rows: usize, data: &[T]) {
        self.name.truncate(self.prefix);
        self.name.push_str(name);
        (self.observe)(&self.name, rows, data.len() / rows, data);
    }
}
