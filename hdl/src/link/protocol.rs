//! The numbers of `docs/link.md`, for gateware, model and driver alike.
//!
//! | item | is |
//! |---|---|
//! | [`Operation`], [`Space`], [`Status`] | what a request does, where, and how it ended |
//! | [`kind`] | byte 0 of a request; an answer's is [`ANSWER`] more |
//! | [`BODY_MIN`], [`BODY_MAX`], [`MAX_PAYLOAD`] | sizes of a request's body in bytes |
//! | [`newer`], [`ahead`] | arithmetic of sessions (modulo 2^16) and positions (modulo 2^24) |
//! | [`Space::word_bytes`], [`Space::holds`] | words of a space on a core |
//!
//! ```
//! use astromorph_hdl::link::protocol::*;
//! assert_eq!(kind(Operation::WriteLast, Space::Input), 0x83);
//! assert_eq!(split(0x83), Some((Operation::WriteLast, Space::Input)));
//! assert_eq!(split(0x03), None);                       // M has no last word
//! assert!(newer(65535, 0) && !newer(0, 65535) && !newer(7, 7));
//! assert_eq!(ahead(2, POSITIONS - 1), 3);
//! ```

use astromorph::engine::config::EngineConfig;

/// An enumeration with the list of all its values.
macro_rules! listed {
    ($(#[$text:meta])* $name:ident, $(#[$list:meta])* $all:ident: $($(#[$of:meta])* $value:ident = $number:literal,)+) => {
        $(#[$text])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$of])* $value = $number,)+
        }

        $(#[$list])*
        pub const $all: &[$name] = &[$($name::$value),+];
    };
}

/// Of the protocol; stands in the identity.
pub const VERSION: u32 = 1;
/// Ends a frame, and occurs nowhere within one.
pub const DELIMITER: u8 = 0;
/// Added to a request's kind in its answer.
pub const ANSWER: u8 = 8;
/// Bytes of a request before its payload.
pub const REQUEST_HEADER: usize = 8;
/// Bytes of an answer before its payload.
pub const ANSWER_HEADER: usize = 9;
/// Bytes of the CRC-32 at a body's end.
pub const CRC_BYTES: usize = 4;
/// Most bytes of a payload.
pub const MAX_PAYLOAD: usize = 240;
/// Shortest body of a request.
pub const BODY_MIN: usize = REQUEST_HEADER + CRC_BYTES;
/// Longest body of a request.
pub const BODY_MAX: usize = BODY_MIN + MAX_PAYLOAD;
/// Positions of a stream go round after so many words.
pub const POSITIONS: u32 = 1 << 24;
/// Words that the input's queue and the output's ring hold.
pub const STREAM_WORDS: u32 = 255;
/// Bytes of the identity's space: the text, its zero byte, and zeros.
pub const IDENTITY_BYTES: u32 = 384;
/// Cycles from a request's delimiter to its answer's first byte, at most, besides those for its words.
pub const CYCLES: u64 = 1000;
/// Cycles of a check a byte of its words.
pub const CHECK_BYTE_CYCLES: u64 = 24;
/// Cycles without a word in or out after which a sequence in work counts as hung: 2 to this.
pub const WATCHDOG_BITS: u32 = 26;
/// What a CRC-32 stands at after a message with its own CRC behind it, before the last inversion.
pub const CRC_RESIDUE: u32 = 0xdebb_20e3;
/// The reflected polynomial of CRC-32.
pub const CRC_POLYNOMIAL: u32 = 0xedb8_8320;

listed! {
    /// What a request does: bits 2–0 of its kind.
    Operation,
    /// Every operation.
    OPERATIONS:
    /// Begin a session.
    Open = 0,
    /// Words from an address on.
    Read = 1,
    /// Words to an address and on.
    Write = 2,
    /// The same; the last word ends its sequence.
    WriteLast = 3,
    /// CRC-32 of words read back.
    Check = 4,
}

listed! {
    /// What an address counts: bits 7–4 of a kind. The numbers of memories are the load port's.
    Space,
    /// Every space.
    SPACES:
    /// Main memory; also the space of `Open`.
    M = 0,
    /// Function tables.
    Function = 1,
    /// Mantissa tables.
    Mantissa = 2,
    /// Norm parameters.
    Norm = 3,
    /// Banks: lane · 2^16 + word.
    Bank = 4,
    /// The input's queue.
    Input = 8,
    /// The output's ring.
    Output = 9,
    /// Registers.
    Registers = 10,
    /// The text a board gives of itself.
    Identity = 11,
}

listed! {
    /// How a request ended: byte 8 of its answer.
    Status,
    /// Every status.
    STATUSES:
    /// As asked.
    Done = 0,
    /// Another session than the present one.
    Session = 1,
    /// No room in the input, or a sequence is in work.
    Busy = 2,
    /// Not a position where words are.
    Position = 3,
    /// The words have been freed.
    Freed = 4,
    /// No such operation, space or address.
    Unknown = 5,
    /// No whole number of words, none, or more than an answer holds.
    Length = 6,
}

/// The memories behind the load port.
pub const MEMORIES: [Space; 5] = [Space::M, Space::Function, Space::Mantissa, Space::Norm, Space::Bank];

/// Byte 0 of a request.
pub const fn kind(operation: Operation, space: Space) -> u8 {
    (space as u8) << 4 | operation as u8
}

/// Operation and space of byte 0 of a request; `None` where there is no such pair, and for an answer's.
pub fn split(kind: u8) -> Option<(Operation, Space)> {
    let operation = *OPERATIONS.iter().find(|&&o| o as u8 == kind & 15)?;
    let space = *SPACES.iter().find(|&&s| s as u8 == kind >> 4)?;
    space.allows(operation).then_some((operation, space))
}

/// The status with this number.
pub fn status(byte: u8) -> Option<Status> {
    STATUSES.iter().copied().find(|&s| s as u8 == byte)
}

impl Space {
    /// A memory behind the load port.
    pub fn is_memory(self) -> bool {
        MEMORIES.contains(&self)
    }

    /// Whether the operation exists here.
    pub fn allows(self, operation: Operation) -> bool {
        match operation {
            Operation::Open => self == Space::M,
            Operation::Read => matches!(self, Space::Output | Space::Registers | Space::Identity),
            Operation::Write => self.is_memory() || self == Space::Input,
            Operation::WriteLast => self == Space::Input,
            Operation::Check => self.is_memory(),
        }
    }

    /// Bits of a word on this core.
    pub fn word_bits(self, core: &EngineConfig) -> u32 {
        match self {
            Space::M | Space::Registers => 32,
            Space::Function | Space::Bank | Space::Input => core.width,
            Space::Mantissa | Space::Output => core.serial_bits(),
            Space::Norm => core.serial_bits() + 32,
            Space::Identity => 8,
        }
    }

    /// Bytes of a word on this core.
    pub fn word_bytes(self, core: &EngineConfig) -> usize {
        self.word_bits(core).div_ceil(8) as usize
    }

    /// Most words that one payload holds.
    pub fn words_a_payload(self, core: &EngineConfig) -> usize {
        MAX_PAYLOAD / self.word_bytes(core)
    }

    /// Words from an address that starts a part of the space on; a bank is a part of its own. Streams have none.
    pub fn size(self, core: &EngineConfig) -> u32 {
        let words = match self {
            Space::M => core.m_words,
            Space::Function => core.function_words,
            Space::Mantissa => core.mantissa_words,
            Space::Norm => core.norm_words,
            Space::Bank => core.bank_words,
            Space::Registers => super::registers::REGISTERS.len(),
            Space::Identity => IDENTITY_BYTES as usize,
            Space::Input | Space::Output => 0,
        };
        words as u32
    }

    /// Most cycles that a check of `count` words takes (`docs/link.md` section 3).
    pub fn check_cycles(self, core: &EngineConfig, count: u32) -> u64 {
        let lanes = if self == Space::Bank { core.lanes as u64 } else { 0 };
        CYCLES + count as u64 * (CHECK_BYTE_CYCLES * self.word_bytes(core) as u64 + lanes)
    }

    /// Whether all of `count` words from `address` on are there: of a bank all in the same.
    pub fn holds(self, core: &EngineConfig, address: u32, count: u32) -> bool {
        let word = if self == Space::Bank {
            if address >> 16 >= core.lanes as u32 {
                return false;
            }
            address & 0xffff
        } else {
            address
        };
        word as u64 + count as u64 <= self.size(core) as u64
    }
}

/// Whether session `new` may take the place of `present`.
pub const fn newer(present: u16, new: u16) -> bool {
    let step = new.wrapping_sub(present);
    step != 0 && step < 1 << 15
}

/// How far position `a` is ahead of `b`, modulo 2^24.
pub const fn ahead(a: u32, b: u32) -> u32 {
    a.wrapping_sub(b) % POSITIONS
}
