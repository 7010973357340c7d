//! The chain: every form against the next, on real sequences.
//!
//! | module | does |
//! |---|---|
//! | [`accuracy`] | predictions of any form against the answers |
//! | [`engine`] | a whole model on the engine against the twin, tensor by tensor |
//! | [`vectors`] | the words that enter and leave a layer's attention in the twin |
//! | [`hardware`] | RustHDL, Verilog and netlists against those words |

pub mod accuracy;
pub mod engine;
pub mod hardware;
pub mod vectors;
