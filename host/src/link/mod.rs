//! The host's side of the link to a board (`docs/link.md`): nothing on the line can make a result wrong, and nothing waits for ever.
//!
//! | module | what it is |
//! |---|---|
//! | [`transport`] | a line of bytes: a serial port, or what behaves like one |
//! | [`pipe`] | a line to a board inside this process |
//! | [`faults`] | a line that damages, loses, repeats, delays and breaks, counted |
//! | [`frame`] | answers out of bytes |
//! | [`driver`], [`counters`] | requests, many under way at once: answered or lost, counted |
//! | [`session`] | identity, registers, a session |
//! | [`upload`] | an image into the memories, verified, resumable |
//! | [`sequences`] | inputs and outputs as two streams |
//! | [`device`] | whatever runs a program: boards, simulated engines, the integer machine |
//! | [`board`] | a board as a device: results after their check, recovery |
//! | [`share`] | several boards at one list of sequences |
//! | [`trial`] | results under faults, counted: the link's bench |
//! | [`error`] | trouble that a new session may mend, and errors |

pub mod board;
pub mod counters;
pub mod device;
pub mod driver;
pub mod error;
pub mod faults;
pub mod frame;
pub mod pipe;
pub mod sequences;
pub mod session;
pub mod share;
#[cfg(test)]
mod tests;
pub mod transport;
pub mod trial;
pub mod upload;

pub use board::Board;
pub use device::{Device, Item, List, Work};
pub use error::{Error, Result, Trouble};
