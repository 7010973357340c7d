//! The link between a board and its host. The contract is `docs/link.md`.
//!
//! | part | modules |
//! |---|---|
//! | numbers | [`protocol`] (operations, spaces, statuses, sizes), [`registers`] (the register map and its forms), [`identity`] (the text a board gives of itself) |

pub mod identity;
pub mod protocol;
pub mod registers;
