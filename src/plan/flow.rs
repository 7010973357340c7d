//! How the blocks of a model follow each other: names of the tensors between them, in both orders of the norm.

use crate::spec::{ModelSpec, NormOrder};

/// Names of the stream between the blocks of a model.
pub(crate) struct Flow<'a>(pub &'a ModelSpec);

impl Flow<'_> {
    fn post(&self) -> bool {
        self.0.norm == NormOrder::Post
    }

    /// What enters layer l; for l = layers, what leaves the last.
    pub(crate) fn stream(&self, l: usize) -> String {
        match l {
            0 => "x0".into(),
            _ if self.post() => format!("layers.{}.x", l - 1),
            _ => format!("layers.{}.r2", l - 1),
        }
    }

    /// What q, k and v are computed from.
    pub(crate) fn attention(&self, l: usize) -> String {
        if self.post() {
            self.stream(l)
        } else {
            format!("layers.{l}.n1")
        }
    }

    /// What the feed-forward network's sum is added to.
    pub(crate) fn middle(&self, l: usize) -> String {
        format!("layers.{l}.{}", if self.post() { "x1" } else { "r1" })
    }

    /// What the feed-forward network computes from.
    pub(crate) fn feed_forward(&self, l: usize) -> String {
        format!("layers.{l}.{}", if self.post() { "x1" } else { "n2" })
    }

    /// What is pooled, or read by the head.
    pub(crate) fn last(&self) -> String {
        if self.post() {
            self.stream(self.0.layers)
        } else {
            "xf".into()
        }
    }

    /// Prefix, input and output of every layer norm, in order.
    pub(crate) fn norms(&self) -> Vec<(String, String, String)> {
        let mut norms = Vec::new();
        for l in 0..self.0.layers {
            let at = |x: &str| format!("layers.{l}.{x}");
            if self.post() {
                norms.push((at("norm1"), at("r1"), at("x1")));
                norms.push((at("norm2"), at("r2"), at("x")));
            } else {
                norms.push((at("norm1"), self.stream(l), at("n1")));
                norms.push((at("norm2"), at("r1"), at("n2")));
            }
        }
        if !self.post() {
            norms.push(("norm".into(), self.stream(self.0.layers), "xf".into()));
        }
        norms
    }

    /// The two operands of every residual sum, in order.
    pub(crate) fn residuals(&self) -> Vec<[String; 2]> {
        (0..self.0.layers)
            .flat_map(|l| {
                [
                    [self.stream(l), format!("layers.{l}.o")],
                    [self.middle(l), format!("layers.{l}.d")],
                ]
            })
            .collect()
    }
}
