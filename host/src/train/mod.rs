//! Training: the model in burn, its optimiser, its loop, and the phase that rounds as the hardware does.
//!
//! | module | what it is |
//! |---|---|
//! | [`run`](mod@run) | a whole run: steps, validation, checkpoints, the best weights |
//! | [`step`] | one step: shards, loss, gradients |
//! | [`model`], [`attention`] | the Transformer and its attention in burn |
//! | [`quant`] | rounding and tables with gradients |
//! | [`serial`] | layer norm, activation and mean as the twin computes them, with gradients |
//! | [`ops`], [`kernels`] | fused operations with a way back, and their loops |
//! | [`leaves`] | weights as leaves of a graph; the embedding's gather and scatter |
//! | [`optimiser`] | AdamW, clipping, averaging, the learning rate |
//! | [`noise`] | dropout as a function of seed and step |
//! | [`checkpoint`] | all of it in a file |
//! | [`evaluate`] | accuracy over a split |
//! | [`bag`] | a bag of words, the baseline text must be compared with |
//! | [`bench`] | the time of one step of the standard workload |
//! | [`allocator`] | why a training program keeps its memory |
//!
//! How to reproduce the figures: `docs/training.md`.

pub mod allocator;
pub mod attention;
pub mod bag;
pub mod bench;
pub mod checkpoint;
pub mod evaluate;
pub mod kernels;
pub mod leaves;
pub mod model;
pub mod noise;
pub mod ops;
pub mod optimiser;
pub mod quant;
pub mod run;
pub mod serial;
pub mod step;
#[cfg(test)]
mod tests;
