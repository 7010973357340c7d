//! The engine's law: what a core is ([`config`]), what it executes ([`program`]) and what it computes ([`machine`]).
//!
//! A whole Transformer runs as a list of steps on one array of multipliers with one stream of words behind it. `docs/engine.md` is the
//! contract that this module, the hardware and the compiler share.
//!
//! | file | is |
//! |---|---|
//! | [`config`] | the sizes of a core |
//! | [`program`] | steps |
//! | [`code`], `fields`, `decode` | steps as words of M, and back |
//! | `listing` | steps as text |
//! | [`load`] | the contents of the memories |
//! | [`package`] | a program with all that is loaded, as a file |
//! | [`check`] | what a program must keep on a core |
//! | [`machine`], `row`, `place`, [`arithmetic`], `normed` | executing a program: steps, rows of words, the units' arithmetic |

pub mod arithmetic;
pub mod check;
pub mod code;
pub mod config;
mod decode;
mod fields;
mod listing;
pub mod load;
pub mod machine;
mod normed;
pub mod package;
mod place;
pub mod program;
mod row;

#[cfg(test)]
mod tests;
