//! The link between a board and its host. The contract is `docs/link.md`.
//!
//! | part | modules |
//! |---|---|
//! | numbers | [`protocol`] (operations, spaces, statuses, sizes), [`registers`] (the register map and its forms), [`identity`] (the text a board gives of itself) |
//! | line | [`uart_rx`], [`uart_tx`], [`uart`] (the time of a bit) |
//! | frames | [`receiver`], [`sender`], [`crc`] |
//! | requests | [`commands`] (a machine of bytes), [`assembler`] (its instructions), [`program`] (what they say), [`bytes`] (its memories), [`pending`] (events) |
//! | streams | [`input`] (queue), [`output`] (ring), [`watchdog`] |
//! | tops | [`top`] (the link), [`station`] (link and engine), [`board`] (with line, button, lights); [`emit`] (their text) |

pub mod assembler;
pub mod board;
pub mod commands;
pub mod crc;
pub mod emit;
pub mod identity;
pub mod input;
pub mod output;
pub mod pending;
pub mod program;
pub mod protocol;
pub mod receiver;
pub mod registers;
pub mod sender;
pub mod station;
pub mod top;
pub mod uart;
pub mod uart_rx;
pub mod uart_tx;
pub mod watchdog;
