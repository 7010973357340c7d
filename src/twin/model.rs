//! The whole Transformer in integers, from an [`Image`](crate::image::Image): what every device computes (`docs/arithmetic.md` section 7).
//!
//! Signature: one [`Sequence`] → [`Logits`], raw words of SW bits; an observer sees every intermediate tensor under the names and in the order of
//! section 8, the golden model's own.
//!
//! ```
//! # let spec: astromorph::spec::ModelSpec = toml::from_str(r#"
//! #     layers = 1
//! #     heads = 2
//! #     d_model = 8
//! #     features = 4
//! #     values = 4
//! #     n_max = 16
//! #     order = "two-pass"
//! #     input = { kind = "tokens", vocabulary = 10 }
//! #     output = { kind = "classes", size = 2, pooling = "mean" }
//! # "#).unwrap();
//! use astromorph::{golden::Golden, image::Image, plan::Plan, sequence::Sequence, twin::Twin, weights::Weights};
//! let (weights, quantize) = (Weights::random(&spec, 1), Default::default());
//! let review = Sequence::Tokens { slots: 1, ids: vec![3, 1, 4] };
//! let plan = Plan::calibrate(&spec, &quantize, &weights, std::slice::from_ref(&review)).unwrap();
//! let twin = Twin::new(&Image::build(&spec, &quantize, &weights, &plan).unwrap()).unwrap();
//! let (ours, exact) = (twin.predict(&review).unwrap(), Golden::<f64>::new(&spec, &weights).unwrap().predict(&review).unwrap());
//! for (x, y) in ours.decode().iter().zip(&exact.data) {
//!     assert!((x - y).abs() < 0.01);
//! }
//! ```

use super::raw::{Observe, Raw, Shown};
use super::{Activate, Attention, Dense, Embedding, LayerNorm, Mean, Residual, Trace};
use crate::Result;
use crate::format::Format;
use crate::sequence::Sequence;
use crate::spec::{ModelSpec, NormOrder, Pooling};

/// The result: one row of logits for a pooled model, one for every token otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logits {
    /// 1, or the number of tokens.
    pub rows: usize,
    /// `output.size`.
    pub columns: usize,
    /// Format of the words.
    pub format: Format,
    /// rows × columns words.
    pub data: Vec<i32>,
}

impl Logits {
    /// The logits of one row.
    pub fn row(&self, row: usize) -> &[i32] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// The largest logit's index in every row; the first of equals.
    pub fn classes(&self) -> Vec<usize> {
        let largest = |row: &[i32]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        self.data.chunks_exact(self.columns).map(largest).collect()
    }

    /// The real values.
    pub fn decode(&self) -> Vec<f64> {
        self.data.iter().map(|&x| self.format.decode(x as i64)).collect()
    }
}

/// The raw operands and results of one layer's attention: what the hardware core is driven with, and what it must return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionVectors {
    /// Number of tokens N.
    pub tokens: usize,
    /// N × Hh·m.
    pub q: Vec<i32>,
    /// N × Hh·m.
    pub k: Vec<i32>,
    /// N × Hh·e.
    pub v: Vec<i32>,
    /// N × Hh·e.
    pub y: Vec<i32>,
}

pub(super) enum Source {
    Tokens(Embedding),
    /// Format of the features, dense layer, positions at its accumulator's fraction (or none).
    Vectors(Format, Dense, Vec<i64>),
}

pub(super) struct Layer {
    pub(super) qkv: [Dense; 3],
    pub(super) attention: Attention,
    pub(super) w_o: Dense,
    pub(super) sum1: Residual,
    pub(super) norm1: LayerNorm,
    pub(super) w_1: Dense,
    pub(super) activate: Activate,
    pub(super) w_2: Dense,
    pub(super) sum2: Residual,
    pub(super) norm2: LayerNorm,
}

/// The integer model. It holds no state between sequences: share it between threads.
pub struct Twin {
    pub(super) spec: ModelSpec,
    pub(super) source: Source,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Option<LayerNorm>,
    pub(super) mean: Option<Mean>,
    pub(super) head: Dense,
    pub(super) last: Format,
}

impl Twin {
    /// The model's specification.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The attention of one layer.
    pub fn attention(&self, l: usize) -> Option<&Attention> {
        self.layers.get(l).map(|layer| &layer.attention)
    }

    /// The logits of one sequence.
    pub fn predict(&self, sequence: &Sequence) -> Result<Logits> {
        self.run(sequence, &mut Shown::default())
    }

    /// The same; `observe` sees every intermediate tensor on the way.
    pub fn forward(&self, sequence: &Sequence, observe: &mut Observe<'_>) -> Result<Logits> {
        self.run(
            sequence,
            &mut Shown {
                observe: Some(observe),
                ..Shown::default()
            },
        )
    }

    /// The operands and the result of layer `l`'s attention for one sequence.
    pub fn attention_vectors(&self, sequence: &Sequence, l: usize) -> Result<AttentionVectors> {
        crate::spec::range("layer", l, 0, self.layers.len() - 1)?;
        let mut silent = Shown::default();
        let mut x = self.embed(sequence)?;
        for layer in &self.layers[..l] {
            x = layer.forward(&x, self.spec.norm, &mut silent).0;
        }
        let layer = &self.layers[l];
        let x = if self.spec.norm == NormOrder::Pre {
            layer.norm1.run(&x)
        } else {
            x
        };
        let [q, k, v] = layer.project(&x);
        let y = layer.attention.run(&q, &k, &v).y;
        Ok(AttentionVectors {
            tokens: sequence.len(),
            q,
            k,
            v,
            y,
        })
    }

    fn embed(&self, sequence: &Sequence) -> Result<Vec<i32>> {
        sequence.check(&self.spec)?;
        Ok(match (&self.source, sequence) {
            (Source::Tokens(embedding), Sequence::Tokens { ids, .. }) => embedding.run(ids),
            (Source::Vectors(format, dense, positions), Sequence::Vectors { data, .. }) => {
                // The one place where the twin meets a float: features enter as the host would send them.
                let words: Vec<i32> = data.iter().map(|&x| format.encode(x as f64) as i32).collect();
                dense.run(&words, positions)
            }
            // `Sequence::check` has refused the wrong kind.
            _ => unreachable!("the sequence's kind has been checked against the specification"),
        })
    }

    fn run(&self, sequence: &Sequence, shown: &mut Shown<'_, '_>) -> Result<Logits> {
        let (n, d) = (sequence.len(), self.spec.d_model);
        let mut x = self.embed(sequence)?;
        let mut format = match &self.source {
            Source::Tokens(embedding) => embedding.out(),
            Source::Vectors(_, dense, _) => dense.out(),
        };
        shown.see_narrow("x0", n, format, &x);
        for (l, layer) in self.layers.iter().enumerate() {
            shown.prefix = format!("layers.{l}.");
            (x, format) = layer.forward(&x, self.spec.norm, shown);
        }
        shown.prefix.clear();
        if let Some(norm) = &self.norm {
            (x, format) = (norm.run(&x), norm.out());
            shown.see_narrow("xf", n, format, &x);
        }
        debug_assert_eq!(format, self.last);
        let rows = match (&self.mean, self.spec.output.pooling) {
            (Some(mean), _) => {
                (x, format) = (mean.run(&x, d), mean.out());
                1
            }
            (None, Pooling::Last) => {
                x.drain(..(n - 1) * d);
                1
            }
            _ => n,
        };
        if self.spec.output.pooling != Pooling::None {
            shown.see_narrow("pooled", rows, format, &x);
        }
        let data = self.head.run(&x, &[]);
        shown.see_narrow("logits", rows, self.head.out(), &data);
        Ok(Logits {
            rows,
            columns: self.spec.output.size,
            format: self.head.out(),
            data,
        })
    }
}

impl Layer {
    fn project(&self, x: &[i32]) -> [Vec<i32>; 3] {
        let [q, k, v] = &self.qkv;
        [q.run(x, &[]), k.run(x, &[]), v.run(x, &[])]
    }

    /// The next layer's x and its format.
    fn forward(&self, x: &[i32], order: NormOrder, shown: &mut Shown<'_, '_>) -> (Vec<i32>, Format) {
        let pre = order == NormOrder::Pre;
        let n = x.len() / self.width();
        let normed;
        let input = if pre {
            normed = self.norm1.run(x);
            shown.see_narrow("n1", n, self.norm1.out(), &normed);
            &normed
        } else {
            x
        };
        let r1 = self.sum1.run(x, &self.attend(input, n, shown));
        shown.see_narrow("r1", n, self.sum1.out(), &r1);
        let norm = if pre { &self.norm2 } else { &self.norm1 };
        let x1 = norm.run(&r1);
        shown.see_narrow(if pre { "n2" } else { "x1" }, n, norm.out(), &x1);

        let u = self.w_1.run(&x1, &[]);
        shown.see_narrow("u", n, self.w_1.out(), &u);
        let f = self.activate.run(&u);
        shown.see_narrow("f", n, self.activate.out(), &f);
        let d = self.w_2.run(&f, &[]);
        shown.see_narrow("d", n, self.w_2.out(), &d);
        let r2 = self.sum2.run(if pre { &r1 } else { &x1 }, &d);
        shown.see_narrow("r2", n, self.sum2.out(), &r2);
        if pre {
            return (r2, self.sum2.out());
        }
        let x = self.norm2.run(&r2);
        shown.see_narrow("x", n, self.norm2.out(), &x);
        (x, self.norm2.out())
    }

    /// D.
    fn width(&self) -> usize {
        self.norm1.width()
    }

    fn attend(&self, x: &[i32], n: usize, shown: &mut Shown<'_, '_>) -> Vec<i32> {
        let [q, k, v] = self.project(x);
        let trace = self.attention.run(&q, &k, &v);
        if shown.looked_at() {
            self.show(n, [&q, &k, &v], &trace, shown);
        }
        let o = self.w_o.run(&trace.y, &[]);
        shown.see_narrow("o", n, self.w_o.out(), &o);
        o
    }

    fn show(&self, n: usize, [q, k, v]: [&[i32]; 3], t: &Trace, shown: &mut Shown<'_, '_>) {
        let att = &self.attention;
        let f = &att.formats;
        let hm = att.heads * att.features;
        for (name, format, words) in [
            ("q", f.q, q),
            ("k", f.k, k),
            ("v", f.v, v),
            ("a", f.a, &t.a),
            ("b", f.b, &t.b),
        ] {
            shown.see_narrow(name, n, format, words);
        }
        if !att.w.is_empty() {
            let row = |t: usize| {
                (0..att.heads).flat_map(move |h| &att.w[(h * att.n_max + t) * att.features..][..att.features])
            };
            let w: Vec<i32> = (0..n).flat_map(row).copied().collect();
            shown.see_narrow("w", n, f.a, &w);
        }
        shown.see_narrow("aw", n, f.a, &t.aw);
        if att.chunked().is_some() {
            shown.see_narrow("p", n, f.p(), &t.p);
        }
        shown.see("Z", hm, Format::new(att.z_bits(), att.z_frac()), Raw::Wide(&t.z));
        shown.see("s", att.heads, Format::new(att.s_bits(), f.a.frac), Raw::Wide(&t.s));
        shown.see_narrow("H", hm, f.h, &t.h);
        shown.see_narrow("g", att.heads, f.g, &t.g);
        shown.see("C", n, Format::new(att.c_bits(), f.b.frac + f.g.frac), Raw::Wide(&t.c));
        shown.see(
            "num",
            n,
            Format::new(att.num_bits(), f.b.frac + f.h.frac),
            Raw::Wide(&t.num),
        );
        shown.see_narrow("y", n, f.y, &t.y);
    }
}
