//! Every shown tensor again from those shown before it, each by its formula written plainly.

use super::*;
use crate::positional;

/// Tokens of a chunk: p of every draw.
const CHUNK: usize = 3;

/// The observed tensors of one forward pass and the weights behind them.
struct Pass {
    spec: ModelSpec,
    weights: Weights,
    seen: BTreeMap<String, Seen>,
}

impl Pass {
    fn weight(&self, name: &str) -> Vec<f64> {
        self.weights.tensors[name].data.iter().map(|&x| x as f64).collect()
    }

    fn dense(&self, x: &[f64], weight: &str, bias: &str) -> Vec<f64> {
        let (w, b) = (self.weight(weight), self.weight(bias));
        let (outputs, inputs) = (b.len(), w.len() / b.len());
        let entry = |row: &[f64], o: usize| b[o] + (0..inputs).map(|i| row[i] * w[i * outputs + o]).sum::<f64>();
        x.chunks(inputs)
            .flat_map(|row| (0..outputs).map(|o| entry(row, o)).collect::<Vec<_>>())
            .collect()
    }

    fn norm(&self, x: &[f64], name: &str) -> Vec<f64> {
        let (gamma, beta) = (
            self.weight(&format!("{name}.gamma")),
            self.weight(&format!("{name}.beta")),
        );
        x.chunks(gamma.len())
            .flat_map(|row| {
                let d = row.len() as f64;
                let mean = row.iter().sum::<f64>() / d;
                // E[x²] − E[x]², another way to the variance.
                let variance = row.iter().map(|x| x * x).sum::<f64>() / d - mean * mean;
                let entry = |i: usize| gamma[i] * (row[i] - mean) / (variance + 1e-5).sqrt() + beta[i];
                (0..row.len()).map(entry).collect::<Vec<_>>()
            })
            .collect()
    }

    fn is(&self, name: &str, expected: &[f64]) {
        let apart = distance(&self.seen[name].data, expected);
        assert!(apart < 1e-9, "{name} is {apart} off");
    }

    fn get(&self, name: &str) -> &[f64] {
        &self.seen[name].data
    }

    fn check_layer(&self, l: usize, x: &[f64]) -> Vec<f64> {
        let at = |name: &str| format!("layers.{l}.{name}");
        let get = |name: &str| self.get(&at(name));
        let pre = self.spec.norm == NormOrder::Pre;
        let sum = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x + y).collect() };
        let mixes = self.spec.attention != AttentionKind::None;
        let input = if pre && mixes {
            self.norm(x, &at("norm1"))
        } else {
            x.to_vec()
        };
        if self.spec.attention == AttentionKind::None {
            self.is(&at("r1"), x);
            return self.check_feed_forward(l);
        }
        if pre {
            self.is(&at("n1"), &input);
        }
        let project = |name: &str, x: &[f64]| {
            self.dense(
                x,
                &at(&format!("attention.w_{name}")),
                &at(&format!("attention.b_{name}")),
            )
        };
        self.is(&at("q"), &project("q", &input));
        self.is(&at("k"), &project("k", &input));
        let mut v = project("v", &input);
        if self.spec.attention.is_hebbian() {
            if !self.spec.scale.outside {
                v.iter_mut().enumerate().for_each(|(c, v)| *v /= self.scale(l, c));
            }
            self.check_heads(l);
        }
        self.is(&at("v"), &v);
        self.is(&at("o"), &project("o", get("y")));
        self.is(&at("r1"), &sum(x, get("o")));
        self.check_feed_forward(l)
    }

    /// S of the head of column `c` of v.
    fn scale(&self, l: usize, c: usize) -> f64 {
        let log_s = self.weight(&format!("layers.{l}.attention.log_s"));
        log_s[c / self.spec.values % self.spec.heads].exp()
    }

    /// From r1 to the layer's output.
    fn check_feed_forward(&self, l: usize) -> Vec<f64> {
        let at = |name: &str| format!("layers.{l}.{name}");
        let get = |name: &str| self.get(&at(name));
        let pre = self.spec.norm == NormOrder::Pre;
        let sum = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x + y).collect() };
        let middle = self.norm(get("r1"), &at(if pre { "norm2" } else { "norm1" }));
        self.is(&at(if pre { "n2" } else { "x1" }), &middle);
        let u = self.dense(&middle, &at("feed_forward.w_1"), &at("feed_forward.b_1"));
        self.is(&at("u"), &u);
        let f: Vec<f64> = u.into_iter().map(|u| self.activate(u)).collect();
        self.is(&at("f"), &f);
        self.is(
            &at("d"),
            &self.dense(&f, &at("feed_forward.w_2"), &at("feed_forward.b_2")),
        );
        self.is(&at("r2"), &sum(if pre { get("r1") } else { &middle }, get("d")));
        if pre {
            return get("r2").to_vec();
        }
        let x = self.norm(get("r2"), &at("norm2"));
        self.is(&at("x"), &x);
        x
    }

    /// a, b, w, aw, the state after the last token, and y = num / C.
    fn check_heads(&self, l: usize) {
        let at = |name: &str| format!("layers.{l}.{name}");
        let get = |name: &str| self.get(&at(name));
        let (heads, m, e) = (self.spec.heads, self.spec.features, self.spec.values);
        let phi = |x: &[f64]| -> Vec<f64> { x.iter().map(|&x| x.max(0.0) + x.min(0.0).exp()).collect() };
        self.is(&at("a"), &phi(get("k")));
        self.is(&at("b"), &phi(get("q")));
        let mut aw = get("a").to_vec();
        if self.spec.has_position() {
            let m_tensor = self.weight(&at("attention.M"));
            let w = positional::table(&self.spec.position, &m_tensor, heads, m, self.spec.n_max);
            self.is(&at("w"), &w[..aw.len()]);
            aw.iter_mut().zip(&w).for_each(|(a, w)| *a += w);
        }
        self.is(&at("aw"), &aw);
        let n = aw.len() / (heads * m);
        self.is(&at("p"), &self.scores(get("b"), &aw, n));
        let (mut z, mut s) = (Vec::new(), Vec::new());
        for hi in 0..heads * m {
            s.push((0..n).map(|t| get("a")[t * heads * m + hi]).sum::<f64>());
            for j in 0..e {
                z.push(
                    (0..n)
                        .map(|t| aw[t * heads * m + hi] * get("v")[(t * heads + hi / m) * e + j])
                        .sum::<f64>(),
                );
            }
        }
        self.is(&at("Z"), &z);
        self.is(&at("s"), &s);
        let h = z.iter().map(|&z| match self.spec.nonlinearity {
            Nonlinearity::Identity => z,
            Nonlinearity::Sigmoid => 0.5 + 0.5 * (z / 2.0).tanh(),
            Nonlinearity::HardSigmoid => (z / 4.0 + 0.5).clamp(0.0, 1.0),
        });
        self.is(&at("H"), &h.collect::<Vec<_>>());
        let alpha = match self.spec.calcium.learnt {
            true => (1.0 + (-self.weight(&at("attention.alpha"))[0]).exp()).recip(),
            false => self.spec.effective_alpha(),
        };
        let kappa = self.spec.calcium.neighbours;
        let diffused = |hi: usize| {
            let of = |head: usize| s[head % heads * m + hi % m];
            (1.0 - kappa) * s[hi] + kappa * 0.5 * (of(hi / m + 1) + of(hi / m + heads - 1))
        };
        let g: Vec<f64> = (0..heads * m)
            .map(|hi| diffused(hi).max(1.0 / 1024.0).powf(alpha))
            .collect();
        self.is(&at("g"), &g);
        let y: Vec<f64> = get("num")
            .iter()
            .enumerate()
            .map(|(c, num)| {
                let outside = self.spec.scale.outside;
                num / get("C")[c / e] / if outside { self.scale(l, c) } else { 1.0 }
            })
            .collect();
        self.is(&at("y"), &y);
    }

    /// p, column by column of every head's chunk.
    fn scores(&self, b: &[f64], aw: &[f64], n: usize) -> Vec<f64> {
        let (heads, m) = (self.spec.heads, self.spec.features);
        let entry = |t: usize, column: usize| {
            let (h, tau) = (column / CHUNK, t / CHUNK * CHUNK + column % CHUNK);
            let dot = |i: usize| b[(t * heads + h) * m + i] * aw[(tau * heads + h) * m + i];
            if tau <= t { (0..m).map(dot).sum() } else { 0.0 }
        };
        (0..n * heads * CHUNK)
            .map(|at| entry(at / (heads * CHUNK), at % (heads * CHUNK)))
            .collect()
    }

    fn activate(&self, u: f64) -> f64 {
        match self.spec.feed_forward.activation {
            Activation::Relu => {
                if u > 0.0 {
                    u
                } else {
                    0.0
                }
            }
            // Φ by Simpson's rule from 0 to u.
            Activation::Gelu => {
                let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let steps = 2000;
                let part = |i: usize| density(u * i as f64 / steps as f64) * [2.0, 4.0][i % 2];
                let inner: f64 = (1..steps).map(part).sum();
                u * (0.5 + (density(0.0) + inner + density(u)) * u / steps as f64 / 3.0)
            }
        }
    }
}

proptest! {
    #[test]
    fn every_tensor_follows_from_those_before(spec in any_spec(), seed: u64) {
        let weights = any_weights(&spec, seed);
        let sequence = any_sequence(&spec, spec.n_max, seed);
        let golden = Golden::new(&spec, &weights).unwrap().in_chunks_of(Some(CHUNK));
        let seen = observed(&golden, &sequence).2;
        let pass = Pass { spec, weights, seen };
        let (spec, d, n) = (&pass.spec, pass.spec.d_model, pass.spec.n_max);

        let (mut x, positions) = match (&sequence, &spec.input) {
            (Sequence::Vectors { data, .. }, Input::Vectors { positions, .. }) => {
                let data: Vec<f64> = data.iter().map(|&x| x as f64).collect();
                (pass.dense(&data, "input.weight", "input.bias"), positions)
            }
            (Sequence::Tokens { slots, ids }, Input::Tokens { positions, .. }) => {
                let table = pass.weight("embedding.weight");
                let entry = |t: usize, c: usize| -> f64 {
                    ids[t * slots..(t + 1) * slots].iter().filter(|&&id| id > 0).map(|&id| table[id as usize * d + c]).sum()
                };
                ((0..n * d).map(|i| entry(i / d, i % d)).collect(), positions)
            }
            _ => unreachable!("one specification has one kind of sequence"),
        };
        let added = match positions {
            Absolute::None => vec![0.0; n * d],
            Absolute::Learnt => pass.weight("position.weight"),
            Absolute::Sinusoidal => positional::sinusoidal(n, d),
        };
        x.iter_mut().zip(&added).for_each(|(x, p)| *x += p);
        pass.is("x0", &x);
        for l in 0..spec.layers {
            x = pass.check_layer(l, &x);
        }
        if spec.norm == NormOrder::Pre {
            x = pass.norm(&x, "norm");
            pass.is("xf", &x);
        }
        match spec.output.pooling {
            Pooling::None => {}
            Pooling::Last => x = x[(n - 1) * d..].to_vec(),
            Pooling::Mean => x = (0..d).map(|c| x.iter().skip(c).step_by(d).sum::<f64>() / n as f64).collect(),
        }
        if spec.output.pooling != Pooling::None {
            pass.is("pooled", &x);
        }
        pass.is("logits", &pass.dense(&x, "head.weight", "head.bias"));
    }
}
