//! A [`Twin`] from an [`Image`]: which stored tensors and formats make which block.

use super::model::{Layer, Source};
use super::{Activate, Dense, Embedding, LayerNorm, Mean, NormFormats, Residual, Twin};
use crate::format::Format;
use crate::image::Image;
use crate::plan::Flow;
use crate::spec::{Activation, Input, NormOrder, Pooling};
use crate::{Error, Result};

/// Makes the parts of a model from an image.
struct Parts<'a>(&'a Image);

impl Parts<'_> {
    fn format(&self, name: &str) -> Result<Format> {
        self.0.plan().format(name)
    }

    fn dense(&self, weight: &str, bias: &str, x: &str, out: &str) -> Result<Dense> {
        let formats = [
            self.format(bias)?,
            self.format(x)?,
            self.format(weight)?,
            self.format(out)?,
        ];
        let [b, x, w, out] = formats;
        Ok(Dense::new(self.0.narrow(weight)?, self.0.wide(bias)?, b, x, w, out))
    }

    fn residual(&self, x: &str, y: &str, out: &str) -> Result<Residual> {
        Ok(Residual::new(self.format(x)?, self.format(y)?, self.format(out)?))
    }

    fn norm(&self, prefix: &str) -> Result<LayerNorm> {
        let (gamma, beta) = (format!("{prefix}.gamma"), format!("{prefix}.beta"));
        let flow = Flow(self.0.spec());
        let ends = flow.norms().into_iter().find(|(p, ..)| p == prefix);
        let (_, input, out) = ends.ok_or_else(|| Error::field(prefix, "a layer norm of the model", "none"))?;
        let formats = NormFormats {
            x: self.format(&input)?,
            n: self.format(&format!("{prefix}.n"))?,
            gamma: self.format(&gamma)?,
            beta: self.format(&beta)?,
            out: self.format(&out)?,
        };
        let bits = self.0.quantize().rsqrt_mantissa_bits;
        Ok(LayerNorm::new(
            self.0.narrow(&gamma)?,
            self.0.wide(&beta)?,
            formats,
            self.0.narrow("tables.rsqrt")?,
            bits,
        ))
    }

    fn source(&self) -> Result<Source> {
        let position = match self.0.plan().formats.get("position.weight") {
            Some(&format) => Some((format, self.0.wide("position.weight")?)),
            None => None,
        };
        let out = self.format("x0")?;
        Ok(match self.0.spec().input {
            Input::Tokens { slots, .. } => {
                let name = "embedding.weight";
                let width = self.0.spec().d_model;
                Source::Tokens(Embedding::new(
                    self.0.narrow(name)?,
                    width,
                    self.format(name)?,
                    position,
                    slots,
                    out,
                ))
            }
            Input::Vectors { .. } => Source::Vectors(
                self.format("input")?,
                self.dense("input.weight", "input.bias", "input", "x0")?,
                position.map_or(Vec::new(), |(_, words)| words),
            ),
        })
    }

    fn layer(&self, l: usize) -> Result<Layer> {
        let flow = Flow(self.0.spec());
        let at = |x: &str| format!("layers.{l}.{x}");
        let project = |x: &str, input: &str| {
            self.dense(
                &at(&format!("attention.w_{x}")),
                &at(&format!("attention.b_{x}")),
                input,
                &at(x),
            )
        };
        let (from, activation) = (flow.attention(l), self.0.spec().feed_forward.activation);
        let (fu, ff) = (self.format(&at("u"))?, self.format(&at("f"))?);
        let forward = |i: usize, x: &str, out: &str| {
            self.dense(
                &at(&format!("feed_forward.w_{i}")),
                &at(&format!("feed_forward.b_{i}")),
                x,
                &at(out),
            )
        };
        Ok(Layer {
            qkv: [project("q", &from)?, project("k", &from)?, project("v", &from)?],
            attention: self.0.attention(l)?,
            w_o: project("o", &at("y"))?,
            sum1: self.residual(&flow.stream(l), &at("o"), &at("r1"))?,
            norm1: self.norm(&at("norm1"))?,
            w_1: forward(1, &flow.feed_forward(l), "u")?,
            activate: match activation {
                Activation::Relu => Activate::relu(fu, ff),
                Activation::Gelu => {
                    let words = self.0.narrow(&at("feed_forward.gelu"))?;
                    Activate::gelu(fu, ff, words, self.0.quantize().gelu_index_bits)
                }
            },
            w_2: forward(2, &at("f"), "d")?,
            sum2: self.residual(&flow.middle(l), &at("d"), &at("r2"))?,
            norm2: self.norm(&at("norm2"))?,
        })
    }
}

impl Twin {
    /// Makes the model of an image ready to run.
    pub fn new(image: &Image) -> Result<Twin> {
        let (parts, spec) = (Parts(image), image.spec());
        let last = parts.format(&Flow(spec).last())?;
        let pooled = if spec.output.pooling == Pooling::None {
            Flow(spec).last()
        } else {
            "pooled".into()
        };
        Ok(Twin {
            source: parts.source()?,
            layers: (0..spec.layers).map(|l| parts.layer(l)).collect::<Result<_>>()?,
            norm: if spec.norm == NormOrder::Pre {
                Some(parts.norm("norm")?)
            } else {
                None
            },
            mean: match spec.output.pooling {
                Pooling::Mean => {
                    let bits = image.quantize().reciprocal_mantissa_bits;
                    let words = image.narrow("tables.reciprocal")?;
                    Some(Mean::new(last, parts.format("pooled")?, spec.n_max, words, bits))
                }
                _ => None,
            },
            head: parts.dense("head.weight", "head.bias", &pooled, "logits")?,
            last,
            spec: spec.clone(),
        })
    }
}
