//! The chain: every form against the next, on real sequences.
//!
//! | module | does |
//! |---|---|
//! | [`answers`] | what any form says, and where two do not say the same |
//! | [`perplexity`] | of models that predict the next word |
//! | [`engine`] | a whole model on an engine against the twin, tensor by tensor |
//! | [`job`] | any program on an engine: machine, RustHDL, Verilog, netlists |
//! | [`forms`] | the forms of an engine, each built once |

pub mod answers;
pub mod engine;
pub mod forms;
pub mod job;
pub mod perplexity;
