//! Attention in burn, in every form of the specification, differentiable.
//!
//! | form | computed as | memory a head |
//! |---|---|---|
//! | two-pass | Z = (φ(K) + W)ᵀ V, H = f(Z), Y = φ(Q) H / C | m·e |
//! | causal, f = identity, in float | chunks of 64 tokens: masked products inside, Z and s between (`model.md` 12.4) | 64² + m·e |
//! | causal, rounded, in chunks of T | the same, p and H rounded as in the integer law | T² + m·e |
//! | causal, f ≠ identity, or the recurrence rounded | Z_t for every token at once | N·m·e |
//! | softmax | masked softmax(Q Kᵀ/√m) V | N² |
//!
//! q, k, v and y are (B·T) × (heads side by side), as everywhere in this project. S is folded into W_V, so H = f(Z). A padded token is never
//! written; what it reads is never used. Equations 8–17 of arXiv 2312.10925 v3; ε of s and C as in the golden model.
//!
//! ```
//! use astromorph_host::train::{attention::{Sizes, lower_triangle}, ops};
//! assert_eq!(ops::values(lower_triangle(2)), [1.0, 0.0, 1.0, 1.0]);
//! let sizes = Sizes { batch: 4, tokens: 16, heads: 1, features: 32, values: 32 };
//! assert_eq!(sizes.states(), 4 * 16 * 32 * 32);      // entries of Z_t when every token's state is kept
//! ```

use super::kernels;
use super::ops::{constant, pointwise};
use super::quant::{self, QuantPlan};
use astromorph::spec::{AttentionKind, ModelSpec, Nonlinearity, Order};
use burn::tensor::{Tensor, activation};

/// ε below which neither s (before the power) nor C falls.
pub const EPSILON: f32 = 1.0 / 1024.0;

/// Tokens of a causal chunk in float.
const CHUNK: usize = 64;

/// Sizes of a batch's attention.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Sequences B.
    pub batch: usize,
    /// Tokens T, padding included.
    pub tokens: usize,
    /// Heads Hh.
    pub heads: usize,
    /// Features m of a head.
    pub features: usize,
    /// Values e of a head.
    pub values: usize,
}

impl Sizes {
    /// Entries of all Z_t, when each is kept.
    pub fn states(&self) -> usize {
        self.batch * self.tokens * self.heads * self.features * self.values
    }
}

/// One layer's attention.
pub struct Attention<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// Index of the layer.
    pub layer: usize,
    /// Sizes of the batch.
    pub sizes: Sizes,
    /// B × T × 1, 0 for padded tokens; none when nothing is padded.
    pub mask: Option<Tensor<3>>,
    /// Rounding, in the quantised phase.
    pub plan: Option<&'a QuantPlan>,
    /// The tensor of a learnt α.
    pub alpha: Option<Tensor<1>>,
}

/// A T × T lower triangle of ones.
pub fn lower_triangle(t: usize) -> Tensor<2> {
    constant(
        (0..t * t).map(|i| if i % t <= i / t { 1.0 } else { 0.0 }).collect(),
        [t, t],
    )
}

impl Attention<'_> {
    /// y from q, k, v and the positional keys (T × Hh·m), if the model has any.
    pub fn forward(&self, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>, w: Option<Tensor<2>>) -> Tensor<2> {
        let Sizes {
            batch,
            tokens,
            heads,
            features,
            values,
        } = self.sizes;
        if self.spec.attention == AttentionKind::Softmax {
            return self.softmax(q, k, v);
        }
        let mut a = self.phi(k, true).reshape([batch, tokens, heads * features]);
        let b = self.phi(q, false).reshape([batch, tokens, heads * features]);
        let mut aw = match w {
            Some(w) => self.round("aw", a.clone() + w.unsqueeze::<3>()),
            None => a.clone(),
        };
        if let Some(mask) = &self.mask {
            a = a * mask.clone();
            aw = aw * mask.clone();
        }
        let split = |x: Tensor<3>, width| x.reshape([batch, tokens, heads, width]).swap_dims(1, 2);
        let v = split(v.reshape([batch, tokens, heads * values]), values);
        let aw = split(aw, features);
        let (num, c) = if self.spec.order == Order::TwoPass {
            let h = self.seal(aw.swap_dims(2, 3).matmul(v));
            let s = a.sum_dim(1).reshape([batch, heads, 1, features]);
            let g = self.power(s).reshape([batch, 1, heads * features]);
            let c = (b.clone() * g).reshape([batch, tokens, heads, features]).sum_dim(3);
            (split(b, features).matmul(h), c.swap_dims(1, 2))
        } else {
            let (a, b) = (split(a, features), split(b, features));
            match self.chunk() {
                Some(chunk) => self.chunked(chunk, a, aw, b, v),
                None => self.every_state(a, aw, b, v),
            }
        };
        let y = num * self.reciprocal(c);
        self.round("y", y.swap_dims(1, 2).reshape([batch * tokens, heads * values]))
    }

    /// Tokens of a chunk where the form has chunks: in float any number gives the same, rounded it is the image's.
    fn chunk(&self) -> Option<usize> {
        match self.plan {
            Some(plan) => plan.chunk,
            None => (self.spec.nonlinearity == Nonlinearity::Identity).then_some(CHUNK),
        }
    }

    /// Causal and linear in Z: inside a chunk the masked products, between chunks the state.
    fn chunked(&self, chunk: usize, a: Tensor<4>, aw: Tensor<4>, b: Tensor<4>, v: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let tokens = self.sizes.tokens;
        let (mut nums, mut cs) = (Vec::new(), Vec::new());
        let mut state: Option<(Tensor<4>, Tensor<4>)> = None;
        let mut start = 0;
        while start < tokens {
            let n = chunk.min(tokens - start);
            let part = |x: &Tensor<4>| {
                if n == tokens {
                    x.clone()
                } else {
                    x.clone().narrow(2, start, n)
                }
            };
            let (a, aw, b, v) = (part(&a), part(&aw), part(&b), part(&v));
            let past = lower_triangle(n).unsqueeze::<4>();
            let scores = b.clone().matmul(aw.clone().swap_dims(2, 3)) * past.clone();
            let mut num = self.round("p", scores).matmul(v.clone());
            let mut s = past.matmul(a.clone());
            if let Some((z, sum)) = &state {
                num = num + b.clone().matmul(self.seal(z.clone()));
                s = s + sum.clone();
            }
            start += n;
            if start < tokens {
                let z = aw.swap_dims(2, 3).matmul(v);
                let last = s.clone().narrow(2, n - 1, 1);
                state = Some((state.map_or(z.clone(), |(before, _)| before + z), last));
            }
            cs.push((b * self.power(s)).sum_dim(3));
            nums.push(num);
        }
        if nums.len() == 1 {
            return (nums.remove(0), cs.remove(0));
        }
        (Tensor::cat(nums, 2), Tensor::cat(cs, 2))
    }

    /// Causal with every token's Z_t in memory: any f, and any rounding of H_t.
    fn every_state(&self, a: Tensor<4>, aw: Tensor<4>, b: Tensor<4>, v: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let Sizes {
            batch,
            tokens,
            heads,
            features,
            values,
        } = self.sizes;
        let past = lower_triangle(tokens).unsqueeze::<4>();
        let outer = aw.reshape([batch * heads, tokens, features, 1]) * v.reshape([batch * heads, tokens, 1, values]);
        let written = outer.reshape([batch, heads, tokens, features * values]);
        let h = self.seal(past.clone().matmul(written));
        let g = self.power(past.matmul(a));
        let rows = batch * heads * tokens;
        let column = b.clone().reshape([rows, features, 1]);
        let num = (column * h.reshape([rows, features, values])).sum_dim(1);
        (num.reshape([batch, heads, tokens, values]), (b * g).sum_dim(3))
    }

    fn softmax(&self, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>) -> Tensor<2> {
        let Sizes {
            batch,
            tokens,
            heads,
            features,
            values,
        } = self.sizes;
        let split = |x: Tensor<2>, width| x.reshape([batch, tokens, heads, width]).swap_dims(1, 2);
        let (q, k, v) = (split(q, features), split(k, features), split(v, values));
        let mut scores = q.matmul(k.swap_dims(2, 3)) / (features as f32).sqrt();
        // Far below every score and still finite: a row of nothing but padding must not become NaN.
        let forbid = |allowed: Tensor<4>| (allowed - 1.0) * 1e9;
        if let Some(mask) = &self.mask {
            scores = scores + forbid(mask.clone().reshape([batch, 1, 1, tokens]));
        }
        if self.spec.order == Order::Causal {
            scores = scores + forbid(lower_triangle(tokens).unsqueeze::<4>());
        }
        let y = activation::softmax(scores, 3).matmul(v);
        y.swap_dims(1, 2).reshape([batch * tokens, heads * values])
    }

    fn round<const D: usize>(&self, name: &str, x: Tensor<D>) -> Tensor<D> {
        match self
            .plan
            .and_then(|p| p.format(&format!("layers.{}.{name}", self.layer)))
        {
            Some(format) => quant::round(format, x),
            None => x,
        }
    }

    fn phi(&self, x: Tensor<2>, key: bool) -> Tensor<2> {
        let Some((f, t)) = self.plan.map(|p| &p.attention[self.layer]) else {
            return pointwise(x, kernels::phi);
        };
        match key {
            true => quant::phi(f.k, f.a, &t.phi_k, t.phi_bits, x),
            false => quant::phi(f.q, f.b, &t.phi_q, t.phi_bits, x),
        }
    }

    /// g from s, B × Hh × rows × m.
    fn power(&self, s: Tensor<4>) -> Tensor<4> {
        let s = self.diffuse(s);
        if let Some(theta) = &self.alpha {
            // s^α = exp(α ln s), both ways differentiable; below ε it stands still as with a fixed α.
            let ln = s.clamp_min(EPSILON).log();
            return (ln * activation::sigmoid(theta.clone()).reshape([1, 1, 1, 1])).exp();
        }
        let alpha = self.spec.effective_alpha() as f32;
        match self.plan.map(|p| &p.attention[self.layer]) {
            Some((f, t)) => quant::power(t, f.a.frac, f.g, alpha, s),
            None => pointwise(s, |s, y, d| {
                for i in 0..s.len() {
                    let x = s[i].max(EPSILON);
                    y[i] = if alpha == 0.25 { x.sqrt().sqrt() } else { x.powf(alpha) };
                    d[i] = if s[i] > EPSILON { alpha * y[i] / x } else { 0.0 };
                }
            }),
        }
    }

    /// Calcium of neighbouring heads, on a ring.
    fn diffuse(&self, s: Tensor<4>) -> Tensor<4> {
        let (kappa, heads) = (self.spec.calcium.neighbours, self.sizes.heads);
        if kappa == 0.0 {
            return s;
        }
        let part = |from: usize, n: usize| s.clone().narrow(1, from, n);
        let left = Tensor::cat(vec![part(heads - 1, 1), part(0, heads - 1)], 1);
        let right = Tensor::cat(vec![part(1, heads - 1), part(0, 1)], 1);
        (left + right) * (0.5 * kappa) + s * (1.0 - kappa)
    }

    fn reciprocal(&self, c: Tensor<4>) -> Tensor<4> {
        match self.plan.map(|p| &p.attention[self.layer]) {
            Some((f, t)) => quant::reciprocal(t, f.b.frac + f.g.frac, c),
            None => pointwise(c, |c, y, d| {
                for i in 0..c.len() {
                    y[i] = 1.0 / c[i].max(EPSILON);
                    d[i] = if c[i] > EPSILON { -y[i] * y[i] } else { 0.0 };
                }
            }),
        }
    }

    fn seal(&self, z: Tensor<4>) -> Tensor<4> {
        let f = self.spec.nonlinearity;
        if let Some((formats, tables)) = self.plan.map(|p| &p.attention[self.layer]) {
            return quant::seal(f, formats.h, tables, z);
        }
        match f {
            Nonlinearity::Identity => z,
            Nonlinearity::Sigmoid => activation::sigmoid(z),
            Nonlinearity::HardSigmoid => pointwise(z, |z, y, d| {
                for i in 0..z.len() {
                    let x = z[i] * 0.25 + 0.5;
                    y[i] = x.clamp(0.0, 1.0);
                    d[i] = if x > 0.0 && x < 1.0 { 0.25 } else { 0.0 };
                }
            }),
        }
    }
}
