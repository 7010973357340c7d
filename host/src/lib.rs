//! Everything between the model and the person: data sets, training, and the projects they belong to.
//!
//! | module | what it is |
//! |---|---|
//! | [`project`] | `model.toml`: model, quantisation, core, task, training |
//! | [`data`] | data sets, tokeniser, batches |
//! | [`area`] | what a core takes of a device, told from its sizes |
//! | [`boards`] | boards with their pins, clocks and tools |
//! | [`build`] | synthesis, place and route over seeds, bitstream |
//! | [`chain`] | every form against the next |
//! | [`report`] | what was found: table, JSON, HTML |
//! | [`cli`] | the verbs |
//! | [`cores`] | descriptions of engines |
//! | [`compile`] | an image and a core become a program |
//! | [`devices`] | what FPGAs have, and how full a core makes them |
//! | [`link`] | boards: deployment, sequences, whatever the line does |
//! | [`train`] | training in burn, with and without the hardware's rounding |

pub mod area;
pub mod boards;
pub mod build;
pub mod chain;
pub mod cli;
pub mod compile;
pub mod cores;
pub mod data;
pub mod devices;
pub mod experiment;
pub mod interrupt;
pub mod link;
pub mod progress;
pub mod project;
pub mod report;
pub mod train;
