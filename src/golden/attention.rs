//! The attention of one layer: projections, heads, output projection.
//!
//! q, k, v = x W + b; a = φ(k), b = φ(q), aw = a + w; each head writes, seals and reads ([`super::stream`]); o = y W_O + b_O.
//! S is folded into W_V and b_V at construction, so that `v` and `Z` are those of the integer law.

use super::batch::{self, Head};
use super::dense::Dense;
use super::function::{convert, phi};
use super::model::Shown;
use super::stream::Stream;
use super::{Real, real};
use crate::spec::{AttentionKind, ModelSpec, Nonlinearity, Order};
use crate::weights::Weights;
use crate::{Result, positional};

/// One layer's attention.
pub(crate) struct Attention<T> {
    softmax: bool,
    heads: usize,
    head: Head,
    alpha: f64,
    /// κ of the diffusion between heads.
    neighbours: f64,
    nonlinearity: Nonlinearity,
    /// S of every head where it is not folded into W_V: f(Z)/S.
    outside: Option<Vec<T>>,
    w_q: Dense<T>,
    w_k: Dense<T>,
    w_v: Dense<T>,
    w_o: Dense<T>,
    /// w_t of all heads side by side, N_max × Hh·m.
    position: Option<Vec<T>>,
    /// T, where the model is one of chunks.
    pub(crate) chunk: Option<usize>,
}

impl<T: Real> Attention<T> {
    pub(crate) fn new(spec: &ModelSpec, weights: &Weights, l: usize) -> Result<Self> {
        let prefix = format!("layers.{l}.attention");
        let dense = |x: &str| Dense::new(weights, &format!("{prefix}.w_{x}"), &format!("{prefix}.b_{x}"));
        let mut w_v = dense("v")?;
        let softmax = spec.attention == AttentionKind::Softmax;
        let mut outside = None;
        if !softmax {
            let log_s: Vec<T> = convert(&weights.get(&format!("{prefix}.log_s"))?.data);
            let scales: Vec<T> = log_s.iter().map(|x| x.exp()).collect();
            match spec.scale.outside {
                true => outside = Some(scales),
                false => w_v.divide(&scales, spec.values),
            }
        }
        let position = match spec.has_position() {
            true => {
                let m: Vec<T> = convert(&weights.get(&format!("{prefix}.M"))?.data);
                Some(positional::table(
                    &spec.position,
                    &m,
                    spec.heads,
                    spec.features,
                    spec.n_max,
                ))
            }
            false => None,
        };
        Ok(Attention {
            softmax,
            heads: spec.heads,
            head: Head {
                features: spec.features,
                values: spec.values,
                order: spec.order,
            },
            alpha: weights.alpha(spec, l)?,
            neighbours: spec.calcium.neighbours,
            nonlinearity: spec.nonlinearity,
            outside,
            w_q: dense("q")?,
            w_k: dense("k")?,
            w_v,
            w_o: dense("o")?,
            position,
            chunk: None,
        })
    }

    /// o of N tokens.
    pub(crate) fn forward(&self, x: &[T], n: usize, shown: &mut Shown<'_, T>) -> Vec<T> {
        let q = self.w_q.apply(x, n);
        let k = self.w_k.apply(x, n);
        let v = self.w_v.apply(x, n);
        shown.see("q", n, &q);
        shown.see("k", n, &k);
        shown.see("v", n, &v);
        let y = if self.softmax {
            self.softmax(&q, &k, &v, n)
        } else {
            self.hebbian(&q, &k, &v, n, shown)
        };
        shown.see("y", n, &y);
        let o = self.w_o.apply(&y, n);
        shown.see("o", n, &o);
        o
    }

    fn hebbian(&self, q: &[T], k: &[T], v: &[T], n: usize, shown: &mut Shown<'_, T>) -> Vec<T> {
        let Head {
            features: m,
            values: e,
            order,
        } = self.head;
        let a: Vec<T> = k.iter().map(|&x| phi(x)).collect();
        let b: Vec<T> = q.iter().map(|&x| phi(x)).collect();
        shown.see("a", n, &a);
        shown.see("b", n, &b);
        let aw = match &self.position {
            Some(w) => {
                let w = &w[..a.len()];
                shown.see("w", n, w);
                a.iter().zip(w).map(|(&a, &w)| a + w).collect()
            }
            None => a.clone(),
        };
        shown.see("aw", n, &aw);
        if let Some(chunk) = self.chunk {
            shown.see("p", n, &self.scores(&b, &aw, n, chunk));
        }

        let mut num = vec![T::zero(); v.len()];
        let mut c = vec![T::zero(); n * self.heads];
        let mut state = vec![Stream::new(m, e, self.alpha, self.nonlinearity); self.heads];
        let of = |t: usize, h: usize, width: usize| (t * self.heads + h) * width..(t * self.heads + h + 1) * width;
        let mut read = |state: &[Stream<T>], t: usize| {
            for (h, head) in state.iter().enumerate() {
                c[t * self.heads + h] = head.read(&b[of(t, h, m)], &mut num[of(t, h, e)]);
            }
        };
        for t in 0..n {
            for (h, head) in state.iter_mut().enumerate() {
                head.write(&a[of(t, h, m)], &aw[of(t, h, m)], &v[of(t, h, e)]);
            }
            if order == Order::Causal {
                self.seal(&mut state);
                read(&state, t);
            }
        }
        if order == Order::TwoPass {
            self.seal(&mut state);
            (0..n).for_each(|t| read(&state, t));
        }
        let joined = |part: fn(&Stream<T>) -> &[T]| state.iter().flat_map(part).copied().collect::<Vec<T>>();
        shown.see("Z", self.heads * m, &joined(|s| &s.z));
        shown.see("s", self.heads, &joined(|s| &s.s));
        shown.see("H", self.heads * m, &joined(|s| &s.h));
        shown.see("g", self.heads, &joined(|s| &s.g));
        shown.see("C", n, &c);
        shown.see("num", n, &num);
        let s = |h: usize| self.outside.as_ref().map_or(T::one(), |s| s[h]);
        num.chunks_exact(e)
            .zip(&c)
            .enumerate()
            .flat_map(|(at, (num, &c))| num.iter().map(move |&x| x / c / s(at % self.heads)))
            .collect()
    }

    /// Seals every head, calcium of neighbouring heads (on a ring) mixed before the power.
    fn seal(&self, heads: &mut [Stream<T>]) {
        let (n, kappa) = (heads.len(), real::<T>(self.neighbours));
        if self.neighbours == 0.0 {
            heads.iter_mut().for_each(Stream::seal);
            return;
        }
        let own: Vec<Vec<T>> = heads.iter().map(|head| head.s.clone()).collect();
        for (h, head) in heads.iter_mut().enumerate() {
            let (left, right) = (&own[(h + n - 1) % n], &own[(h + 1) % n]);
            let around = left.iter().zip(right).map(|(&l, &r)| (l + r) / real(2.0));
            let mixed: Vec<T> = own[h]
                .iter()
                .zip(around)
                .map(|(&s, around)| s + kappa * (around - s))
                .collect();
            head.seal_calcium(&mixed);
        }
    }

    /// p: row t holds b_t · aw_τ of the tokens τ ≤ t of t's own chunk, 0 in the chunk's other columns. What the chunked law reads past H;
    /// here a part of num and nothing of its own.
    fn scores(&self, b: &[T], aw: &[T], n: usize, chunk: usize) -> Vec<T> {
        let (heads, m) = (self.heads, self.head.features);
        let mut p = vec![T::zero(); n * heads * chunk];
        for (at, row) in p.chunks_exact_mut(chunk).enumerate() {
            let (t, h) = (at / heads, at % heads);
            for (tau, p) in (t - t % chunk..=t).zip(row) {
                let (b, aw) = (&b[at * m..][..m], &aw[(tau * heads + h) * m..][..m]);
                *p = b.iter().zip(aw).fold(T::zero(), |sum, (&b, &aw)| sum + b * aw);
            }
        }
        p
    }

    fn softmax(&self, q: &[T], k: &[T], v: &[T], n: usize) -> Vec<T> {
        let Head {
            features: m, values: e, ..
        } = self.head;
        let mut y = vec![T::zero(); v.len()];
        for h in 0..self.heads {
            let column = |x: &[T], width: usize| -> Vec<T> {
                x.chunks_exact(self.heads * width)
                    .flat_map(|row| &row[h * width..][..width])
                    .copied()
                    .collect()
            };
            let own = batch::softmax(self.head, &column(q, m), &column(k, m), &column(v, e));
            for t in 0..n {
                y[(t * self.heads + h) * e..][..e].copy_from_slice(&own[t * e..][..e]);
            }
        }
        y
    }
}
