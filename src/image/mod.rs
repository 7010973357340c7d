//! The image: the whole quantised model as integers, the one file that twin, hardware and board run.
//!
//! It holds specification, formats, integer weights and the words of every table, and nothing in floating point that anything computes with.
//! The file (`image.safetensors`) is described in `docs/files.md`.
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
//! use astromorph::{image::Image, plan::Plan, sequence::Sequence, spec::QuantizeSpec, weights::Weights};
//! let quantize = QuantizeSpec { activation_bits: 8, weight_bits: 8, ..Default::default() };
//! let weights = Weights::random(&spec, 1);
//! let plan = Plan::calibrate(&spec, &quantize, &weights, &[Sequence::Tokens { slots: 1, ids: vec![3, 1, 4] }]).unwrap();
//! let image = Image::build(&spec, &quantize, &weights, &plan).unwrap();
//! assert_eq!(image.tensor("layers.0.attention.phi_k").unwrap().shape, [128]); // 7 index bits at W = 8
//! assert_eq!(Image::from_bytes(&image.to_bytes().unwrap()).unwrap(), image);
//! assert_eq!(image.hash().len(), 64);
//! ```

mod file;
mod fold;
mod hash;
mod layout;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use fold::{folded, positional_keys};
pub use layout::{Slot, slots};
pub use words::Words;

use crate::format::Format;
use crate::plan::Plan;
use crate::spec::{Activation, ModelSpec, QuantizeSpec};
use crate::twin::{Attention, AttentionTables};
use crate::weights::Weights;
use crate::{Error, Result, table};
use std::collections::BTreeMap;

/// One integer tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntTensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The words, row by row.
    pub words: Words,
}

/// A quantised model. What it holds has been checked: its fields are read through methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    spec: ModelSpec,
    quantize: QuantizeSpec,
    plan: Plan,
    tensors: BTreeMap<String, IntTensor>,
}

impl Image {
    /// Quantises a model: folds, rounds and tabulates.
    pub fn build(spec: &ModelSpec, quantize: &QuantizeSpec, weights: &Weights, plan: &Plan) -> Result<Image> {
        plan.validate(spec, quantize)?;
        weights.check(spec)?;
        let mut tensors = BTreeMap::new();
        let mut add = |name: String, shape: Vec<usize>, bits: u32, words: Vec<i64>| {
            let words = Words::pack(bits, words.into_iter());
            tensors.insert(name, IntTensor { shape, words });
        };
        for slot in slots(spec, quantize, plan)? {
            let words = match folded(spec, weights, &slot.name)? {
                Some(values) => {
                    let format = plan.format(&slot.name)?;
                    values.iter().map(|&x| format.encode(x)).collect()
                }
                None => table_words(spec, quantize, weights, plan, &slot.name)?,
            };
            add(slot.name, slot.shape, slot.bits, words);
        }
        let image = Image {
            spec: spec.clone(),
            quantize: *quantize,
            plan: plan.clone(),
            tensors,
        };
        image.check()?;
        Ok(image)
    }

    /// The model's specification.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Its widths.
    pub fn quantize(&self) -> &QuantizeSpec {
        &self.quantize
    }

    /// The format of every tensor.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Names and tensors, by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &IntTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// A tensor by name.
    pub fn tensor(&self, name: &str) -> Result<&IntTensor> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::field(name, "a tensor of this name", "none"))
    }

    /// A tensor of operands.
    pub fn narrow(&self, name: &str) -> Result<Vec<i32>> {
        Ok(self.tensor(name)?.words.iter().map(|x| x as i32).collect())
    }

    /// A tensor of addends.
    pub fn wide(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.tensor(name)?.words.iter().collect())
    }

    /// The attention of one layer, as the hardware takes it.
    pub fn attention(&self, l: usize) -> Result<Attention> {
        let (spec, quantize) = (&self.spec, &self.quantize);
        let at = |x: &str| format!("layers.{l}.attention.{x}");
        let optional = |name: String| match self.tensors.contains_key(&name) {
            true => self.narrow(&name),
            false => Ok(Vec::new()),
        };
        Ok(Attention {
            heads: spec.heads,
            features: spec.features,
            values: spec.values,
            n_max: spec.n_max,
            order: spec.order,
            chunk: quantize.chunk,
            nonlinearity: spec.nonlinearity,
            formats: self.plan.attention(l)?,
            tables: AttentionTables {
                phi_k: self.narrow(&at("phi_k"))?,
                phi_q: self.narrow(&at("phi_q"))?,
                power: self.narrow(&at("power"))?,
                reciprocal: self.narrow("tables.reciprocal")?,
                sigmoid: optional("tables.sigmoid".into())?,
                phi_bits: table::phi_index_bits(quantize.activation_bits, quantize.phi_index_bits),
                power_bits: quantize.power_mantissa_bits,
                reciprocal_bits: quantize.reciprocal_mantissa_bits,
                sigmoid_bits: quantize.sigmoid_index_bits,
            },
            w: optional(at("w"))?,
        })
    }

    /// SHA-256 over specification, widths, formats and every tensor, in hexadecimal.
    pub fn hash(&self) -> String {
        hash::whole(self, &hash::tensors(self))
    }

    /// Refuses words outside their format and what the attention does not allow. Names, shapes and formats have been checked.
    fn check(&self) -> Result<()> {
        for slot in slots(&self.spec, &self.quantize, &self.plan)? {
            let tensor = self.tensor(&slot.name)?;
            if let Some(at) = tensor.words.iter().position(|x| x < slot.low || x > slot.high) {
                return Err(Error::field(
                    format!("{}[{at}]", slot.name),
                    format!("a word in {}..={}", slot.low, slot.high),
                    tensor.words.get(at),
                ));
            }
        }
        if let Some(embedding) = self.tensors.get("embedding.weight")
            && let Some(at) = (0..self.spec.d_model).find(|&i| embedding.words.get(i) != 0)
        {
            let found = embedding.words.get(at);
            return Err(Error::field(
                format!("embedding.weight[{at}]"),
                "0 for identifier 0 (\"none\")",
                found,
            ));
        }
        (0..self.spec.layers).try_for_each(|l| self.attention(l)?.validate())
    }
}

/// The words of a table, or of the positional keys.
fn table_words(
    spec: &ModelSpec,
    quantize: &QuantizeSpec,
    weights: &Weights,
    plan: &Plan,
    name: &str,
) -> Result<Vec<i64>> {
    let words = match name {
        "tables.reciprocal" => table::reciprocal(quantize.reciprocal_mantissa_bits),
        "tables.rsqrt" => table::rsqrt(quantize.rsqrt_mantissa_bits),
        "tables.sigmoid" => table::sigmoid(quantize.sigmoid_index_bits, quantize.activation_bits),
        _ => return layer_table(spec, quantize, weights, plan, name),
    };
    Ok(words.into_iter().map(i64::from).collect())
}

/// The same of one layer.
fn layer_table(
    spec: &ModelSpec,
    quantize: &QuantizeSpec,
    weights: &Weights,
    plan: &Plan,
    name: &str,
) -> Result<Vec<i64>> {
    let unknown = || Error::field(name, "a tensor of this name", "none");
    let (l, rest) = name
        .strip_prefix("layers.")
        .and_then(|x| x.split_once('.'))
        .ok_or_else(unknown)?;
    let l: usize = l.parse().map_err(|_| unknown())?;
    let f = plan.attention(l)?;
    let words = match rest {
        "attention.phi_k" => table::phi(f.k, f.a, quantize.phi_index_bits),
        "attention.phi_q" => table::phi(f.q, f.b, quantize.phi_index_bits),
        "attention.power" => {
            let exponents = table::calcium_bits(quantize.activation_bits, spec.n_max);
            table::power(
                spec.effective_alpha(),
                f.a.frac,
                exponents,
                quantize.power_mantissa_bits,
                f.g,
            )
        }
        "feed_forward.gelu" if spec.feed_forward.activation == Activation::Gelu => {
            let of = |x: &str| -> Result<Format> { plan.format(&format!("layers.{l}.{x}")) };
            table::gelu(of("u")?, of("f")?, quantize.gelu_index_bits)
        }
        "attention.w" => {
            let keys = positional_keys(spec, weights, &format!("layers.{l}"))?;
            return Ok(keys.iter().map(|&w| f.a.encode(w).max(0)).collect());
        }
        _ => return Err(unknown()),
    };
    Ok(words.into_iter().map(i64::from).collect())
}
