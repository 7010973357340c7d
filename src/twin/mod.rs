//! The integer twin: the model as the hardware computes it, bit for bit (`docs/arithmetic.md`).

pub mod attention;
mod kernel;
pub(crate) mod random;

pub use attention::{Attention, AttentionFormats, AttentionTables, Trace};
pub use kernel::accumulate;
pub use random::{AttentionSizes, random_inputs};
