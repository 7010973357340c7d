//! Weights as leaves of one shard's graph, and their gradients out of it.
//!
//! Every shard makes leaves of its own from the weights, so no two graphs share a node and their backward passes run side by side (burn keeps
//! one lock a graph). The embedding stands outside: its rows are gathered before the graph and its gradient is added up behind it, so a step
//! never makes a V × D tensor.
//!
//! ```
//! # use astromorph::weights::Weights;
//! # let spec = astromorph_host::project::Project::builtin("recall").unwrap().model;
//! use astromorph_host::train::leaves::{Leaves, gather};
//! let weights = Weights::random(&spec, 1);
//! let leaves = Leaves::new(&weights, true);
//! assert_eq!(leaves.tensor("head.weight", [32, 16]).dims(), [32, 16]);
//! let table = vec![0.0, 0.0, 1.0, 2.0, 10.0, 20.0];      // three rows of two
//! assert_eq!(gather(&table, 2, &[1, 2, 1, 0], 2), [11.0, 22.0, 1.0, 2.0]); // two slots a token; 0 is "none"
//! ```

use super::ops::{constant, values};
use astromorph::weights::Weights;
use burn::tensor::{Gradients, Tensor};
use std::collections::BTreeMap;

/// The embedding's name: the one tensor outside the graph.
pub const EMBEDDING: &str = "embedding.weight";

/// Leaves by name, flat.
pub struct Leaves(BTreeMap<String, Tensor<1>>);

impl Leaves {
    /// All weights but the embedding; with `learn` they collect gradients.
    pub fn new(weights: &Weights, learn: bool) -> Leaves {
        let leaf = |data: &Vec<f32>| {
            let leaf = constant(data.clone(), [data.len()]);
            if learn { leaf.require_grad() } else { leaf }
        };
        let inside = weights.tensors.iter().filter(|(name, _)| *name != EMBEDDING);
        Leaves(
            inside
                .map(|(name, tensor)| (name.clone(), leaf(&tensor.data)))
                .collect(),
        )
    }

    /// A leaf in its shape. The weights have been checked against the specification, so the name is there.
    pub fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Tensor<D> {
        self.0[name].clone().reshape(shape)
    }

    /// Gradients by name; a weight the loss does not depend on has none.
    pub fn gradients(&self, grads: &mut Gradients) -> BTreeMap<String, Vec<f32>> {
        let mut found = BTreeMap::new();
        for (name, leaf) in &self.0 {
            if let Some(grad) = leaf.grad_remove(grads) {
                found.insert(name.clone(), values(grad));
            }
        }
        found
    }
}

/// Sums the rows of `slots` identifiers a token; row 0 contributes nothing.
pub fn gather(table: &[f32], d: usize, ids: &[u32], slots: usize) -> Vec<f32> {
    let mut x = vec![0f32; ids.len() / slots * d];
    for (row, ids) in x.chunks_exact_mut(d).zip(ids.chunks_exact(slots)) {
        for &id in ids.iter().filter(|&&id| id != 0) {
            super::kernels::accumulate(row, &table[id as usize * d..][..d]);
        }
    }
    x
}

/// The way back through [`gather`]: adds the gradient of every token to the rows of its identifiers.
pub fn scatter(gradient: &mut [f32], d: usize, ids: &[u32], slots: usize, dx: &[f32]) {
    for (row, ids) in dx.chunks_exact(d).zip(ids.chunks_exact(slots)) {
        for &id in ids.iter().filter(|&&id| id != 0) {
            super::kernels::accumulate(&mut gradient[id as usize * d..][..d], row);
        }
    }
}
