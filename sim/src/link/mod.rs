//! The board's side of the link (`docs/link.md`) in Rust: the law to which the gateware's answers are equal, byte for byte.
//!
//! | item | is |
//! |---|---|
//! | [`endpoint::Endpoint`] | bytes in, bytes out |
//! | [`core::Core`], [`core::MemoryCore`] | the engine behind it: the trait, and one that computes with the integer machine |
//! | [`frame`] | a request's and an answer's fields, and their bytes on the line |

pub mod core;
pub mod endpoint;
pub mod frame;

pub use self::core::{Core, MemoryCore};
pub use endpoint::Endpoint;
pub use frame::{Answer, Request};
