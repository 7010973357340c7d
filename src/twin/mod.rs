//! The integer twin: the model as the hardware computes it, bit for bit (`docs/arithmetic.md`).
//!
//! | file | computes |
//! |---|---|
//! | [`attention`], `datapath`, `chunk`, `normalise` | one layer's attention: sizes and widths; write, seal, read; the same by chunks; num/C |
//! | [`dense`], [`embedding`], [`residual`], [`norm`], [`activation`], [`pool`] | the layers around it |
//! | [`model`], `assemble` | the whole Transformer from an [`Image`](crate::image::Image) |
//! | `kernel`, [`round`], [`width`] | the inner product, leaving an accumulator, widths by proof |
//! | [`raw`] | what an observer sees |
//! | [`speed`] | tokens a second, measured |
//!
//! Nothing here computes in floating point; features of a vector input are rounded where they enter.

pub mod activation;
mod assemble;
pub mod attention;
mod chunk;
mod datapath;
pub mod dense;
pub mod embedding;
mod kernel;
pub mod model;
pub mod norm;
mod normalise;
pub mod pool;
pub(crate) mod random;
pub mod raw;
#[cfg(test)]
mod reference;
pub mod residual;
pub mod round;
pub mod speed;
#[cfg(test)]
mod tests;
pub mod width;

pub use activation::Activate;
pub use attention::{Attention, AttentionFormats, AttentionTables, Trace};
pub use dense::Dense;
pub use embedding::Embedding;
pub use kernel::{Strided, product};
pub use model::{AttentionVectors, Logits, Twin};
pub use norm::{LayerNorm, NormFormats};
pub use pool::Mean;
pub use random::{AttentionSizes, random_inputs};
pub use raw::{Observe, Raw};
pub use residual::Residual;
pub use round::Rounder;
pub use width::signed_bits;
