//! The engine: a whole Transformer on one array (`docs/engine.md`).
//!
//! | layer | modules |
//! |---|---|
//! | control | [`sizes`], [`settings`], [`fetch`] (program), [`array_walker`] (pairs of slots), [`fill`] (weights) |

pub mod sizes;
pub mod settings;
pub mod array_walker;
pub mod conveyor;
pub mod fetch;
pub mod intake;
