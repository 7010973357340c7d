//! Everything between the model and the person: data sets, training, and the projects they belong to.
//!
//! | module | what it is |
//! |---|---|
//! | [`project`] | `model.toml`: model, quantisation, core, task, training |
//! | [`data`] | data sets, tokeniser, batches |
//! | [`train`] | training in burn, with and without the hardware's rounding |

pub mod data;
pub mod project;
pub mod train;
