//! The float weights of a model: named tensors, their expected shapes, their start and their file.
//!
//! Dense weights are stored [in, out], so y = x W + b reads row by row. Names and shapes are listed by [`Weights::expected`] and in `docs/files.md`.
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
//! use astromorph::weights::Weights;
//! let weights = Weights::random(&spec, 1); // 2 heads, m = 4, N_max = 16
//! weights.check(&spec).unwrap();
//! assert_eq!(weights.tensors["layers.0.attention.M"].shape, [2, 4, 16]);
//! assert!((weights.tensors["layers.0.attention.log_s"].data[0] - 4f32.ln()).abs() < 1e-6); // S starts at m
//! ```

mod file;
mod init;
mod names;

use crate::spec::{Absolute, AttentionKind, Input, ModelSpec, NormOrder};
use crate::{Error, Result};
pub use names::{NameMap, Source};
use std::collections::BTreeMap;

/// Bound of |ln S|: S and 1/S stay far inside the range of an f32.
pub const MAX_LOG_S: f32 = 40.0;

/// A tensor of 32-bit floats, row by row (the last index runs fastest).
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Product of the sizes many values.
    pub data: Vec<f32>,
}

/// All weights of a model by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The tensors.
    pub tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Names and shapes that a model of `spec` has, in the order of computation.
    pub fn expected(spec: &ModelSpec) -> Vec<(String, Vec<usize>)> {
        let d = spec.d_model;
        let mut list: Vec<(String, Vec<usize>)> = Vec::new();
        let mut add = |name: String, shape: &[usize]| list.push((name, shape.to_vec()));
        let positions = match spec.input {
            Input::Tokens {
                vocabulary, positions, ..
            } => {
                add("embedding.weight".into(), &[vocabulary, d]);
                positions
            }
            Input::Vectors { width, positions } => {
                add("input.weight".into(), &[width, d]);
                add("input.bias".into(), &[d]);
                positions
            }
        };
        if positions == Absolute::Learnt {
            add("position.weight".into(), &[spec.n_max, d]);
        }
        let (qk, v, f) = (spec.heads * spec.features, spec.heads * spec.values, spec.hidden());
        for l in 0..spec.layers {
            let attention = format!("layers.{l}.attention");
            let mixes = spec.attention != AttentionKind::None;
            for (x, rows, columns) in [("q", d, qk), ("k", d, qk), ("v", d, v), ("o", v, d)] {
                if mixes {
                    add(format!("{attention}.w_{x}"), &[rows, columns]);
                    add(format!("{attention}.b_{x}"), &[columns]);
                }
            }
            if spec.has_position() {
                add(format!("{attention}.M"), &[spec.heads, spec.features, spec.n_max]);
            }
            if spec.attention.is_hebbian() {
                add(format!("{attention}.log_s"), &[spec.heads]);
            }
            if spec.calcium.learnt {
                add(format!("{attention}.alpha"), &[1]);
            }
            for norm in ["norm1", "norm2"] {
                if norm == "norm1" && !mixes && spec.norm == NormOrder::Pre {
                    continue; // nothing reads its output
                }
                add(format!("layers.{l}.{norm}.gamma"), &[d]);
                add(format!("layers.{l}.{norm}.beta"), &[d]);
            }
            for (i, rows, columns) in [(1, d, f), (2, f, d)] {
                add(format!("layers.{l}.feed_forward.w_{i}"), &[rows, columns]);
                add(format!("layers.{l}.feed_forward.b_{i}"), &[columns]);
            }
        }
        if spec.norm == NormOrder::Pre {
            add("norm.gamma".into(), &[d]);
            add("norm.beta".into(), &[d]);
        }
        add("head.weight".into(), &[d, spec.output.size]);
        add("head.bias".into(), &[spec.output.size]);
        list
    }

    /// Refuses missing, unexpected, misshapen and non-finite tensors; the error names the tensor.
    pub fn check(&self, spec: &ModelSpec) -> Result<()> {
        spec.validate()?;
        let expected: BTreeMap<String, Vec<usize>> = Self::expected(spec).into_iter().collect();
        if let Some(name) = self.tensors.keys().find(|name| !expected.contains_key(*name)) {
            return Err(Error::field(name, "no tensor of this name in the model", "one"));
        }
        for (name, shape) in &expected {
            let Some(tensor) = self.tensors.get(name) else {
                return Err(Error::field(name, format!("a tensor of shape {shape:?}"), "none"));
            };
            tensor.check(name, shape)?;
            let scale = tensor
                .data
                .iter()
                .position(|x| x.abs() > MAX_LOG_S)
                .filter(|_| name.ends_with(".log_s"));
            if let Some(at) = scale {
                let bounds = format!("ln S between −{MAX_LOG_S} and {MAX_LOG_S}");
                return Err(Error::field(format!("{name}[{at}]"), bounds, tensor.data[at]));
            }
        }
        Ok(())
    }

    /// The calcium exponent α of layer `l`: σ of its tensor where it is learnt, else the specification's.
    pub fn alpha(&self, spec: &ModelSpec, l: usize) -> Result<f64> {
        match spec.calcium.learnt {
            true => Ok(1.0 / (1.0 + (-self.get(&format!("layers.{l}.attention.alpha"))?.data[0] as f64).exp())),
            false => Ok(spec.effective_alpha()),
        }
    }

    /// A tensor by name.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::field(name, "a tensor of this name", "none"))
    }
}

impl Tensor {
    fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        if self.shape != shape {
            return Err(Error::field(
                name,
                format!("shape {shape:?}"),
                format!("{:?}", self.shape),
            ));
        }
        let size: usize = shape.iter().product();
        if self.data.len() != size {
            return Err(Error::field(name, format!("{size} values"), self.data.len()));
        }
        match self.data.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(Error::field(format!("{name}[{at}]"), "a finite number", self.data[at])),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tensor_that_does_not_fit_is_named() {
        let spec: ModelSpec = toml::from_str(
            "layers = 2\nheads = 2\nd_model = 8\nfeatures = 4\nvalues = 5\nn_max = 7\norder = \"causal\"\nnorm = \"pre\"\n\
             input = { kind = \"vectors\", width = 3, positions = \"learnt\" }\noutput = { kind = \"classes\", size = 2 }",
        )
        .unwrap();
        let good = Weights::random(&spec, 1);
        assert_eq!(good.get("layers.1.attention.w_o").unwrap().shape, [10, 8]);
        assert_eq!(good.get("position.weight").unwrap().shape, [7, 8]);
        assert_eq!(good.get("norm.gamma").unwrap().data, [1.0; 8]);
        let refused = |change: &dyn Fn(&mut BTreeMap<String, Tensor>)| {
            let mut weights = good.clone();
            change(&mut weights.tensors);
            weights.check(&spec).unwrap_err().to_string()
        };
        for (name, _) in Weights::expected(&spec) {
            let says = |error: String, rest: &str| assert!(error.starts_with(&format!("{name}{rest}")), "{error}");
            let change = |f: &dyn Fn(&mut Tensor)| refused(&|t| f(t.get_mut(&name).unwrap()));
            says(refused(&|t| drop(t.remove(&name))), ": expected a tensor of shape");
            says(change(&|t| t.shape.push(1)), ": expected shape");
            says(change(&|t| t.data.clear()), ": expected ");
            says(
                change(&|t| t.data[1] = f32::NAN),
                "[1]: expected a finite number, found NaN",
            );
        }
        let surplus = |t: &mut BTreeMap<String, Tensor>| {
            drop(t.insert(
                "x".into(),
                Tensor {
                    shape: vec![],
                    data: vec![],
                },
            ))
        };
        assert!(refused(&surplus).starts_with("x: expected no tensor of this name"));
        let scale = |t: &mut BTreeMap<String, Tensor>| t.get_mut("layers.0.attention.log_s").unwrap().data[1] = -41.0;
        assert!(refused(&scale).starts_with("layers.0.attention.log_s[1]: expected ln S between"));
    }
}
