//! The whole Transformer in burn: the golden model's equations on padded batches, with gradients.
//!
//! [`forward`] takes the leaves of a shard and a [`Batch`] and returns the logits: one row a sequence for a pooled model, one a token
//! otherwise. With a [`QuantPlan`] it rounds where the integer twin rounds and reads the same tables. It is tested against
//! `astromorph::golden` for every option of the specification, and its gradients against the golden model's finite differences.
//!
//! ```
//! use astromorph::{golden::Golden, weights::Weights};
//! use astromorph_host::{data::{self, batch::Batch}, project::Project, train::{model, ops}};
//! let project = Project::builtin("recall").unwrap();
//! let weights = Weights::random(&project.model, 1);
//! let set = data::load(&project, None).unwrap();
//! let batch = Batch::new(&[&set.test[0]]);
//! let mine = ops::values(model::predict(&project.model, &weights, &batch, None));      // 16 tokens × 16 classes
//! let golden = Golden::<f64>::new(&project.model, &weights).unwrap().predict(&set.test[0].sequence).unwrap();
//! assert!(mine.iter().zip(&golden.data).all(|(a, b)| (*a as f64 - b).abs() < 1e-5));
//! ```

use super::attention::{Attention, Sizes};
use super::kernels;
use super::leaves::{EMBEDDING, Leaves, gather};
use super::noise::Noise;
use super::ops::{constant, layer_norm, pointwise, values};
use super::quant::{self, QuantPlan};
use super::serial;
use crate::data::batch::Batch;
use astromorph::positional;
use astromorph::spec::{Absolute, Activation, AttentionKind, Input, ModelSpec, NormOrder, Pooling};
use astromorph::weights::Weights;
use burn::tensor::Tensor;

/// One pass forward.
pub struct Forward<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// Its weights in this shard's graph.
    pub leaves: &'a Leaves,
    /// The input.
    pub batch: &'a Batch,
    /// Rounding, in the quantised phase.
    pub plan: Option<&'a QuantPlan>,
    /// Dropout, in training.
    pub noise: Option<Noise>,
}

/// The input of the graph: gathered embeddings or features, (B·T) × D or width. With a plan the table's rows are rounded.
pub fn input(spec: &ModelSpec, weights: &Weights, batch: &Batch, plan: Option<&QuantPlan>) -> Tensor<2> {
    let rows = batch.size * batch.tokens;
    match spec.input {
        Input::Tokens { slots, .. } => {
            let x = match plan.and_then(|p| p.format(EMBEDDING)) {
                Some(f) => {
                    // Rounding a sum of rounded rows needs the rows apart.
                    let table = &weights.tensors[EMBEDDING].data;
                    let (up, ulp) = ((f.frac as f32).exp2(), f.ulp() as f32);
                    let (lo, hi) = (f.min() as f32, f.max() as f32);
                    let d = spec.d_model;
                    let mut x = vec![0f32; rows * d];
                    for (row, ids) in x.chunks_exact_mut(d).zip(batch.ids.chunks_exact(slots)) {
                        for &id in ids.iter().filter(|&&id| id != 0) {
                            for (x, e) in row.iter_mut().zip(&table[id as usize * d..][..d]) {
                                *x += (e * up + 0.5).floor().clamp(lo, hi) * ulp;
                            }
                        }
                    }
                    x
                }
                None => gather(&weights.tensors[EMBEDDING].data, spec.d_model, &batch.ids, slots),
            };
            constant(x, [rows, spec.d_model])
        }
        Input::Vectors { width, .. } => constant(batch.features.clone(), [rows, width]),
    }
}

/// Logits without gradients.
pub fn predict(spec: &ModelSpec, weights: &Weights, batch: &Batch, plan: Option<&QuantPlan>) -> Tensor<2> {
    let leaves = Leaves::new(weights, false);
    let x = input(spec, weights, batch, plan);
    Forward {
        spec,
        leaves: &leaves,
        batch,
        plan,
        noise: None,
    }
    .run(x)
}

impl Forward<'_> {
    /// Logits of the gathered input.
    pub fn run(mut self, input: Tensor<2>) -> Tensor<2> {
        let spec = self.spec;
        let (b, t, d) = (self.batch.size, self.batch.tokens, spec.d_model);
        let mask = self.batch.padded().then(|| {
            let row = |n: &usize| (0..t).map(|i| if i < *n { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
            constant(self.batch.lengths.iter().flat_map(row).collect(), [b, t, 1])
        });
        let mut x = self.embed(input);
        for l in 0..spec.layers {
            x = self.layer(l, x, &mask);
        }
        if spec.norm == NormOrder::Pre {
            x = self.norm("norm", &self.stream(spec.layers), "xf", x);
        }
        let x = match spec.output.pooling {
            Pooling::None => x,
            Pooling::Mean => {
                let mut kept = x.clone().reshape([b, t, d]);
                if let Some(mask) = mask {
                    kept = kept * mask;
                }
                let share = self.batch.lengths.iter().map(|n| 1.0 / *n as f32).collect();
                let pooled = kept.sum_dim(1).reshape([b, d]) * constant(share, [b, 1]);
                let from = if spec.norm == NormOrder::Pre {
                    "xf".into()
                } else {
                    self.stream(spec.layers)
                };
                match self.plan.and_then(|p| Some((p, p.format(&from)?))) {
                    Some((plan, from)) => serial::mean(plan, from, &values(x), &self.batch.lengths, pooled),
                    None => pooled,
                }
            }
            Pooling::Last => {
                let last = |n: &usize| {
                    (0..t)
                        .map(|i| if i + 1 == *n { 1.0 } else { 0.0 })
                        .collect::<Vec<f32>>()
                };
                let pick = constant(self.batch.lengths.iter().flat_map(last).collect(), [b, t, 1]);
                (x.reshape([b, t, d]) * pick).sum_dim(1).reshape([b, d])
            }
        };
        let logits = self.dense("head.weight", "head.bias", x, [d, spec.output.size]);
        self.at("logits", logits)
    }

    fn embed(&mut self, input: Tensor<2>) -> Tensor<2> {
        let spec = self.spec;
        let (b, t, d) = (self.batch.size, self.batch.tokens, spec.d_model);
        let (x, positions) = match spec.input {
            Input::Tokens { positions, .. } => (input, positions),
            Input::Vectors { width, positions } => {
                let input = self.at("input", input);
                (self.dense("input.weight", "input.bias", input, [width, d]), positions)
            }
        };
        let table = match positions {
            Absolute::None => return self.at("x0", x),
            Absolute::Learnt => self.weight("position.weight", [spec.n_max, d]),
            Absolute::Sinusoidal => {
                let table = constant(positional::sinusoidal::<f32>(spec.n_max, d), [spec.n_max, d]);
                self.at("position.weight", table)
            }
        };
        let x = x.reshape([b, t, d]) + table.narrow(0, 0, t).unsqueeze::<3>();
        self.at("x0", x.reshape([b * t, d]))
    }

    /// Name of the tensor that enters layer `l`, or leaves the last.
    fn stream(&self, l: usize) -> String {
        match (l, self.spec.norm) {
            (0, _) => "x0".into(),
            (_, NormOrder::Post) => format!("layers.{}.x", l - 1),
            (_, NormOrder::Pre) => format!("layers.{}.r2", l - 1),
        }
    }

    fn layer(&mut self, l: usize, x: Tensor<2>, mask: &Option<Tensor<3>>) -> Tensor<2> {
        let name = |part: &str| format!("layers.{l}.{part}");
        let mixes = self.spec.attention != AttentionKind::None;
        if self.spec.norm == NormOrder::Post {
            let r1 = match mixes {
                true => x.clone() + self.attention(l, x, mask),
                false => x,
            };
            let r1 = self.at(&name("r1"), r1);
            let x1 = self.norm(&name("norm1"), &name("r1"), &name("x1"), r1);
            let d = self.feed_forward(l, x1.clone());
            let r2 = self.at(&name("r2"), x1 + d);
            return self.norm(&name("norm2"), &name("r2"), &name("x"), r2);
        }
        let r1 = match mixes {
            true => {
                let n1 = self.norm(&name("norm1"), &self.stream(l), &name("n1"), x.clone());
                x + self.attention(l, n1, mask)
            }
            false => x,
        };
        let r1 = self.at(&name("r1"), r1);
        let n2 = self.norm(&name("norm2"), &name("r1"), &name("n2"), r1.clone());
        let d = self.feed_forward(l, n2);
        self.at(&name("r2"), r1 + d)
    }

    fn attention(&mut self, l: usize, x: Tensor<2>, mask: &Option<Tensor<3>>) -> Tensor<2> {
        let spec = self.spec;
        let (d, h, m, e) = (spec.d_model, spec.heads, spec.features, spec.values);
        let name = |part: &str| format!("layers.{l}.attention.{part}");
        let project = |me: &mut Self, part: &str, width: usize| {
            let y = me.dense(
                &name(&format!("w_{part}")),
                &name(&format!("b_{part}")),
                x.clone(),
                [d, width],
            );
            me.at(&format!("layers.{l}.{part}"), y)
        };
        let (q, k) = (project(self, "q", h * m), project(self, "k", h * m));
        let v = self.values(l, x, [d, h * e]);
        let w = spec.has_position().then(|| self.positional_keys(l));
        let sizes = Sizes {
            batch: self.batch.size,
            tokens: self.batch.tokens,
            heads: h,
            features: m,
            values: e,
        };
        let attention = Attention {
            spec,
            layer: l,
            sizes,
            mask: mask.clone(),
            plan: self.plan,
            alpha: spec.calcium.learnt.then(|| self.leaves.tensor(&name("alpha"), [1])),
        };
        let mut y = attention.forward(q, k, v, w);
        if spec.scale.outside {
            y = y * self.inverse_scales(l);
        }
        let o = self.dense(&name("w_o"), &name("b_o"), y, [h * e, d]);
        let o = self.at(&format!("layers.{l}.o"), o);
        self.drop(o)
    }

    /// v = (x W_V + b_V)/S: the scale is folded into the weights, and the folded weights are the ones that are rounded.
    fn values(&mut self, l: usize, x: Tensor<2>, [d, width]: [usize; 2]) -> Tensor<2> {
        let name = |part: &str| format!("layers.{l}.attention.{part}");
        let (mut w, mut b) = (
            self.leaves.tensor(&name("w_v"), [d, width]),
            self.leaves.tensor(&name("b_v"), [1, width]),
        );
        if self.spec.attention.is_hebbian() && !self.spec.scale.outside {
            let columns = self.inverse_scales(l);
            (w, b) = (w * columns.clone(), b * columns);
        }
        if let Some(format) = self.plan.and_then(|p| p.format(&name("w_v"))) {
            w = quant::round(format, w);
        }
        if let Some(format) = self.plan.and_then(|p| p.format(&name("b_v"))) {
            b = quant::round(format, b);
        }
        self.at(&format!("layers.{l}.v"), x.matmul(w) + b)
    }

    /// 1/S of the head of every column of v.
    fn inverse_scales(&self, l: usize) -> Tensor<2> {
        let (h, e) = (self.spec.heads, self.spec.values);
        let log_s = self.leaves.tensor(&format!("layers.{l}.attention.log_s"), [h, 1]);
        (-log_s).exp().expand([h, e]).reshape([1, h * e])
    }

    /// w = φ(Mᵀ (M Pd Mᵀ)), the first T rows, heads side by side: T × Hh·m.
    fn positional_keys(&mut self, l: usize) -> Tensor<2> {
        let (h, m, n) = (self.spec.heads, self.spec.features, self.spec.n_max);
        let t = self.batch.tokens;
        let big_m = self.leaves.tensor(&format!("layers.{l}.attention.M"), [h, m, n]);
        let pd = constant(positional::matrix::<f32>(&self.spec.position, n), [1, n, n]);
        let basis = big_m.clone().matmul(pd).matmul(big_m.clone().swap_dims(1, 2));
        let a = big_m.narrow(2, 0, t).swap_dims(1, 2).matmul(basis);
        let w = pointwise(a.swap_dims(0, 1).reshape([t, h * m]), kernels::phi);
        match self.plan.and_then(|p| p.format(&format!("layers.{l}.w"))) {
            Some(format) => quant::round(format, w),
            None => w,
        }
    }

    fn feed_forward(&mut self, l: usize, x: Tensor<2>) -> Tensor<2> {
        let (d, f) = (self.spec.d_model, self.spec.hidden());
        let name = |part: &str| format!("layers.{l}.feed_forward.{part}");
        let u = self.dense(&name("w_1"), &name("b_1"), x, [d, f]);
        let u = self.at(&format!("layers.{l}.u"), u);
        let y = match (self.plan, self.spec.feed_forward.activation) {
            (Some(plan), kind) => serial::activate(plan, l, kind, u),
            (None, Activation::Relu) => pointwise(u, kernels::relu),
            (None, Activation::Gelu) => pointwise(u, kernels::gelu),
        };
        let y = self.dense(&name("w_2"), &name("b_2"), y, [f, d]);
        let y = self.at(&format!("layers.{l}.d"), y);
        self.drop(y)
    }

    fn dense(&self, w: &str, b: &str, x: Tensor<2>, shape: [usize; 2]) -> Tensor<2> {
        x.matmul(self.weight(w, shape)) + self.weight(b, [1, shape[1]])
    }

    fn weight<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        let w = self.leaves.tensor(name, shape);
        match self.plan.and_then(|p| p.format(name)) {
            Some(format) => quant::round(format, w),
            None => w,
        }
    }

    /// The layer norm `name` from tensor `input` to tensor `output`.
    fn norm(&self, name: &str, input: &str, output: &str, x: Tensor<2>) -> Tensor<2> {
        let of = |part: &str| self.leaves.tensor(&format!("{name}.{part}"), [self.spec.d_model]);
        match self.plan {
            Some(plan) => serial::layer_norm(plan, [name, input, output], x, of("gamma"), of("beta")),
            None => layer_norm(x, of("gamma"), of("beta")),
        }
    }

    /// The place of a named tensor: it is rounded here in the quantised phase.
    fn at<const D: usize>(&self, name: &str, x: Tensor<D>) -> Tensor<D> {
        match self.plan.and_then(|p| p.format(name)) {
            Some(format) => quant::round(format, x),
            None => x,
        }
    }

    fn drop(&mut self, x: Tensor<2>) -> Tensor<2> {
        match self.noise.as_mut() {
            Some(noise) if noise.rate > 0.0 => {
                let shape = x.dims();
                x * constant(noise.mask(shape[0] * shape[1]), shape)
            }
            _ => x,
        }
    }
}
