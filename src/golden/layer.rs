//! One layer: attention and feed-forward network, each with its residual, and the layer norms.
//!
//! - post-norm (arXiv 2312.10925, Algorithm 1): r1 = x + o(x), x1 = LN1(r1), r2 = x1 + d(x1), x = LN2(r2)
//! - pre-norm: n1 = LN1(x), r1 = x + o(n1), n2 = LN2(r1), r2 = r1 + d(n2), x = r2
//!
//! The control without attention has o = 0, and pre-norm no LN1.
//!
//! with u = · W1 + b1, f = act(u), d = f W2 + b2.

use super::Real;
use super::attention::Attention;
use super::dense::Dense;
use super::function::{Norm, activate};
use super::model::Shown;
use crate::Result;
use crate::spec::{Activation, AttentionKind, ModelSpec, NormOrder};
use crate::weights::Weights;
use num_traits::Float;

/// One layer of the Transformer.
pub(crate) struct Layer<T> {
    order: NormOrder,
    activation: Activation,
    /// None: the control without attention.
    attention: Option<Attention<T>>,
    /// None where nothing reads it: pre-norm without attention.
    norm1: Option<Norm<T>>,
    norm2: Norm<T>,
    w_1: Dense<T>,
    w_2: Dense<T>,
}

impl<T: Real> Layer<T> {
    pub(crate) fn new(spec: &ModelSpec, weights: &Weights, l: usize) -> Result<Self> {
        let dense = |i| {
            let prefix = format!("layers.{l}.feed_forward");
            Dense::new(weights, &format!("{prefix}.w_{i}"), &format!("{prefix}.b_{i}"))
        };
        Ok(Layer {
            order: spec.norm,
            activation: spec.feed_forward.activation,
            attention: match spec.attention {
                AttentionKind::None => None,
                _ => Some(Attention::new(spec, weights, l)?),
            },
            norm1: match (spec.attention, spec.norm) {
                (AttentionKind::None, NormOrder::Pre) => None,
                _ => Some(Norm::new(weights, &format!("layers.{l}.norm1"))?),
            },
            norm2: Norm::new(weights, &format!("layers.{l}.norm2"))?,
            w_1: dense(1)?,
            w_2: dense(2)?,
        })
    }

    /// Shows p of chunks of `chunk` tokens.
    pub(crate) fn show_chunks(&mut self, chunk: Option<usize>) {
        if let Some(attention) = &mut self.attention {
            attention.chunk = chunk;
        }
    }

    /// The next layer's x from this layer's, N × D.
    pub(crate) fn forward(&self, x: &[T], n: usize, shown: &mut Shown<'_, T>) -> Vec<T> {
        match self.order {
            NormOrder::Post => {
                let r1 = self.attend(x, x, n, shown);
                let x1 = self.norm1.as_ref().map_or(r1.clone(), |norm| norm.apply(&r1));
                shown.see("x1", n, &x1);
                let r2 = sum(&x1, &self.feed_forward(&x1, n, shown));
                shown.see("r2", n, &r2);
                let x = self.norm2.apply(&r2);
                shown.see("x", n, &x);
                x
            }
            NormOrder::Pre => {
                let n1 = self.norm1.as_ref().map(|norm| norm.apply(x)).unwrap_or_default();
                if !n1.is_empty() {
                    shown.see("n1", n, &n1);
                }
                let r1 = self.attend(x, &n1, n, shown);
                let n2 = self.norm2.apply(&r1);
                shown.see("n2", n, &n2);
                let r2 = sum(&r1, &self.feed_forward(&n2, n, shown));
                shown.see("r2", n, &r2);
                r2
            }
        }
    }

    /// r1 = x + o(input).
    fn attend(&self, x: &[T], input: &[T], n: usize, shown: &mut Shown<'_, T>) -> Vec<T> {
        let r1 = match &self.attention {
            Some(attention) => sum(x, &attention.forward(input, n, shown)),
            None => x.to_vec(),
        };
        shown.see("r1", n, &r1);
        r1
    }

    fn feed_forward(&self, x: &[T], n: usize, shown: &mut Shown<'_, T>) -> Vec<T> {
        let u = self.w_1.apply(x, n);
        shown.see("u", n, &u);
        let f: Vec<T> = u.iter().map(|&u| activate(self.activation, u)).collect();
        shown.see("f", n, &f);
        let d = self.w_2.apply(&f, n);
        shown.see("d", n, &d);
        d
    }
}

fn sum<T: Float>(x: &[T], y: &[T]) -> Vec<T> {
    x.iter().zip(y).map(|(&x, &y)| x + y).collect()
}
