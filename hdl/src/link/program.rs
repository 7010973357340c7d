//! What `docs/link.md` says of requests, as a program for [`commands`](super::commands); and the bytes it begins with.
//!
//! | bytes of the state memory | |
//! |---|---|
//! | 0–383 | identity |
//! | 384 + [`slot`] + 0–2 | size of the space; for the streams position and words produced |
//! | 480 + 4·n | register n |
//! | the rest of 384–479 | variables |
//!
//! | part | |
//! |---|---|
//! | `requests` | after reset; which request it is; `open` |
//! | `memories` | `write` and `check` of memories; reads of registers and identity |
//! | `streams` | `write` into the input, `read` of the output |
//! | `answer` | the answer to any of them |
//! | `routines` | sessions, counts and distances; events |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::{program::*, protocol::Space};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! assert_eq!(program(&core).unwrap().len(), WORDS);
//! let state = state(&core, "protocol = 1\n");
//! assert_eq!((state[0], state[384 + slot(Space::M) as usize + 1]), (b'p' as u64, 0x10));
//! ```

mod answer;
mod memories;
mod requests;
mod routines;
mod streams;

use super::assembler::Condition::*;
use super::assembler::{Act, Assembler, CLOSE, Condition, FORGET, OPEN, Place, RESET_OFF, RESET_ON, Source, TAKE};
use super::protocol::*;
use super::receiver::FIRST;
use super::registers;
use Place::{Counter, Fixed};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;

/// Words of the program's memory.
pub const WORDS: usize = 512;
/// Bytes of the state memory.
pub const STATE: usize = 512;
/// Of the variables in it.
pub const VARIABLES: u64 = IDENTITY_BYTES as u64;
/// Of the counters, among the variables.
pub const COUNTERS: u16 = 96;

// Variables.
const SESSION: u16 = 93;
const KNOWN: u16 = 95;
const POSITION: u16 = slot(Space::Input);
const T: u16 = 11;
const COUNT: u16 = 19;
const PRODUCED: u16 = slot(Space::Output);
const STATUS: u16 = 30;
const LENGTH: u16 = 31;
const LEVEL: u16 = 35;
const FREED: u16 = 36;
/// A number to subtract: two bytes.
const LESS: u16 = 43;
const CRC: u16 = 51;

// Bytes of a request.
const NUMBER_SESSION: u64 = FIRST + 2;
const LENGTH_FIELD: u64 = FIRST + 4;
const ADDRESS: u64 = FIRST + 5;
const PAYLOAD: u64 = FIRST + 8;

/// Place of a space's three bytes among the variables.
pub const fn slot(space: Space) -> u16 {
    let n = space as u16;
    (n & 7) << 4 | (n >> 3) << 3
}

/// The state memory's contents: identity, sizes, zeros.
pub fn state(core: &EngineConfig, identity: &str) -> Vec<u64> {
    let mut bytes: Vec<u64> = identity.bytes().map(u64::from).collect();
    bytes.resize(STATE, 0);
    for &space in SPACES {
        let at = VARIABLES as usize + slot(space) as usize;
        for (n, byte) in space.size(core).to_le_bytes().into_iter().take(3).enumerate() {
            bytes[at + n] = byte as u64;
        }
    }
    bytes
}

/// The program of a core's board.
pub fn program(core: &EngineConfig) -> Result<Vec<u64>> {
    let mut a = Assembler::default();
    requests::start(&mut a);
    requests::requests(&mut a);
    requests::open(&mut a);
    memories::memories(&mut a, core);
    memories::texts(&mut a);
    streams::input(&mut a);
    streams::output(&mut a, core);
    answer::answer(&mut a, core);
    routines::arithmetic(&mut a);
    routines::events(&mut a);
    a.words(WORDS)
}

const BYTE: Source = Source::Byte;
const FRAME: Source = Source::Frame.step();

fn value(n: u64) -> Source {
    Source::value(n as u8)
}

fn jump_zero(a: &mut Assembler, target: &'static str) {
    a.jump_if(Zero, target);
}

/// A = a variable.
fn get(a: &mut Assembler, n: u16) {
    a.load(Source::variable(n));
}

/// A − a variable, with the carry or without.
fn less(a: &mut Assembler, n: u16, carry: bool) {
    let source = Source::variable(n);
    if carry { a.subb(source) } else { a.sub(source) }
}

/// The request's byte: A.
fn byte(a: &mut Assembler, n: u64) {
    a.x(n);
    a.load(FRAME);
}

/// 6 unless the payload has `n` bytes.
fn payload(a: &mut Assembler, n: u64) {
    byte(a, LENGTH_FIELD);
    a.sub(value(n));
    a.jump_unless(Zero, "length");
}
