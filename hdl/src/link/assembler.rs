//! The instructions of [`commands`](super::commands), and their words.
//!
//! A word has 16 bits: operation [15:12], field [11:8], immediate [7:0]. A jump's target is the immediate, doubled: labels stand at even places.
//!
//! | op | | does |
//! |---|---|---|
//! | 0–3 | `load sub subb and` | A = source; A − source; A − source − C; A & source. C and Z from `sub`, `subb` (Z: all zero since the last `sub`), Z from `and` |
//! | 4, 5 | `at`, `store` | fetches the byte (source `Byte` from the next instruction on), stores A there; field: how the place is found |
//! | 6, 7 | `jump_if`, `jump_unless` | on a condition |
//! | 8, 13 | `call`, `poll`, `ret` | one level; `poll` calls if an event waits and the space is not the registers |
//! | 9 | `repeat` | N − 1, and a jump unless N was 1 |
//! | 10 | `act` | see [`Act`] |
//! | 11 | `out` | source to the answer |
//! | 12 | `address` | source into the address's upper byte, the others one down |
//! | 14 | `control` | see the constants |
//! | 15 | `fetch`, `put` | like `at`, `store` at the address, which grows |
//!
//! A source with `step` moves X on by one. A variable as source takes a cycle more.
//!
//! ```
//! use astromorph_hdl::link::assembler::*;
//! let mut a = Assembler::default();
//! a.label("loop");
//! a.load(Source::Frame.step());
//! a.jump_if(Condition::Carry, "end");
//! a.jump("loop");
//! a.label("end");
//! assert_eq!(a.words(8).unwrap()[..5], [0x0101, 0x6202, 0x6000, 0x0d00, 0]);
//! ```

use astromorph::{Error, Result};
use std::collections::BTreeMap;

/// Where a byte comes from: number and immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub u16, pub u8);

#[allow(non_upper_case_globals)]
impl Source {
    /// The received frame's byte X.
    pub const Frame: Source = Source(1, 0);
    /// The byte fetched last.
    pub const Byte: Source = Source(2, 0);
    /// Lowest byte of the CRC.
    pub const Crc: Source = Source(3, 0);
    /// Byte 0 of the output's word fetched last.
    pub const Word0: Source = Source(4, 0);
    /// Its byte 1.
    pub const Word1: Source = Source(5, 0);
    /// Its byte 2.
    pub const Word2: Source = Source(6, 0);
    /// Low byte of register `status`.
    pub const Flags: Source = Source(7, 0);
    /// The engine's errors.
    pub const Errors: Source = Source(8, 0);
    /// Words in the input's queue.
    pub const Level: Source = Source(9, 0);
    /// Low byte of the number of words produced.
    pub const Produced: Source = Source(10, 0);
    /// Bytes of a word of the space.
    pub const Bytes: Source = Source(11, 0);
    /// N.
    pub const Count: Source = Source(12, 0);
    /// A.
    pub const A: Source = Source(13, 0);

    /// A variable; a cycle more.
    pub const fn variable(n: u16) -> Source {
        Source(14, n as u8)
    }
    /// One of the space's; a cycle more.
    pub const fn own(n: u16) -> Source {
        Source(15, n as u8)
    }
    /// A constant.
    pub const fn value(byte: u8) -> Source {
        Source(0, byte)
    }
    /// And X + 1.
    pub const fn step(self) -> Source {
        Source(self.0, 1)
    }
}

/// Conditions of jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Condition {
    /// Always.
    Always = 0,
    /// Z.
    Zero = 1,
    /// C.
    Carry = 2,
    /// A frame is there.
    Frame = 3,
    /// An answer may begin.
    Room = 4,
    /// A sequence is in work.
    Work = 5,
    /// An event waits.
    Event = 6,
    /// There is a session.
    Open = 7,
    /// E is a counter of 32 bits.
    Wide = 8,
    /// The space is the banks.
    Bank = 9,
    /// E is the watchdog.
    Watchdog = 10,
    /// A word of the space is a byte.
    Single = 11,
    /// The space is a stream.
    Stream = 12,
    /// The space is the output.
    Output = 13,
}

/// What `act` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Act {
    /// Space and `last` from A, a request's kind.
    Space = 0,
    /// X = A.
    X = 1,
    /// X = immediate.
    XValue = 2,
    /// N = A.
    Count = 3,
    /// The word's bytes from the frame.
    Take = 4,
    /// The word to the load port; the address grows.
    Load = 5,
    /// The word from the load port; the address grows.
    Peek = 6,
    /// The word's bytes into the CRC.
    Check = 7,
    /// Begins a CRC.
    CrcStart = 8,
    /// The CRC's next byte.
    CrcNext = 9,
    /// The word into the input's queue.
    Push = 10,
    /// The output's words before A are free.
    Free = 11,
    /// Begins an answer.
    Start = 12,
    /// Ends it.
    End = 13,
    /// Drops the frame.
    Done = 14,
    /// Fetches the output's word X.
    Word = 15,
}

/// `control`: the engine's reset on.
pub const RESET_ON: u16 = 1;
/// And off.
pub const RESET_OFF: u16 = 2;
/// There is a session.
pub const OPEN: u16 = 4;
/// There is none.
pub const CLOSE: u16 = 8;
/// No errors yet.
pub const FORGET: u16 = 16;
/// E = the first waiting event, which is taken.
pub const TAKE: u16 = 32;

/// How `at` and `store` find a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Place {
    /// Among the variables.
    Fixed = 0,
    /// Among those of the space.
    Space = 1,
    /// Of counter E.
    Counter = 2,
}

/// Builds a program.
#[derive(Default)]
pub struct Assembler {
    words: Vec<u16>,
    labels: BTreeMap<&'static str, usize>,
    jumps: Vec<(usize, &'static str)>,
}

impl Assembler {
    fn word(&mut self, op: u16, field: u16, immediate: u16) {
        self.words.push(op << 12 | field << 8 | immediate);
    }

    fn jumps(&mut self, op: u16, field: u16, target: &'static str) {
        self.jumps.push((self.words.len(), target));
        self.word(op, field, 0);
    }

    /// A name for the next instruction.
    pub fn label(&mut self, name: &'static str) {
        if self.words.len() % 2 == 1 {
            // A = A.
            self.load(Source::A);
        }
        self.labels.insert(name, self.words.len());
    }

    /// A = source.
    pub fn load(&mut self, s: Source) {
        self.word(0, s.0, s.1 as u16);
    }
    /// A − source.
    pub fn sub(&mut self, s: Source) {
        self.word(1, s.0, s.1 as u16);
    }
    /// A − source − C.
    pub fn subb(&mut self, s: Source) {
        self.word(2, s.0, s.1 as u16);
    }
    /// A & source.
    pub fn and(&mut self, s: Source) {
        self.word(3, s.0, s.1 as u16);
    }
    /// Fetches.
    pub fn at(&mut self, place: Place, n: u16) {
        self.word(4, place as u16, n);
    }
    /// Stores A.
    pub fn store(&mut self, place: Place, n: u16) {
        self.word(5, place as u16, n);
    }
    /// Jumps if.
    pub fn jump_if(&mut self, condition: Condition, target: &'static str) {
        self.jumps(6, condition as u16, target);
    }
    /// Jumps if not.
    pub fn jump_unless(&mut self, condition: Condition, target: &'static str) {
        self.jumps(7, condition as u16, target);
    }
    /// Jumps.
    pub fn jump(&mut self, target: &'static str) {
        self.jump_if(Condition::Always, target);
    }
    /// Calls.
    pub fn call(&mut self, target: &'static str) {
        self.jumps(8, 0, target);
    }
    /// Calls, if an event waits.
    pub fn poll(&mut self, target: &'static str) {
        self.jumps(8, 1, target);
    }
    /// Returns.
    pub fn ret(&mut self) {
        self.word(13, 0, 0);
    }
    /// Counts N down.
    pub fn repeat(&mut self, target: &'static str) {
        self.jumps(9, 0, target);
    }
    /// Acts.
    pub fn act(&mut self, act: Act) {
        self.word(10, act as u16, 0);
    }
    /// X = n.
    pub fn x(&mut self, n: u64) {
        self.word(10, Act::XValue as u16, n as u16);
    }
    /// A byte of the answer.
    pub fn out(&mut self, s: Source) {
        self.word(11, s.0, s.1 as u16);
    }
    /// A byte of the address.
    pub fn address(&mut self, s: Source) {
        self.word(12, s.0, s.1 as u16);
    }
    /// Sets and clears.
    pub fn control(&mut self, what: u16) {
        self.word(14, 0, what);
    }
    /// E = n.
    pub fn counter(&mut self, n: u32) {
        self.word(14, 8 + n as u16, 0);
    }
    /// Fetches at the address.
    pub fn fetch(&mut self) {
        self.word(15, 0, 0);
    }
    /// Stores at the address.
    pub fn put(&mut self) {
        self.word(15, 1, 0);
    }

    /// The words, `size` of them.
    pub fn words(&self, size: usize) -> Result<Vec<u64>> {
        crate::check::range("link program", self.words.len(), 1, size)?;
        let mut words = self.words.clone();
        for &(at, target) in &self.jumps {
            let to = self.labels.get(target);
            let to = to.ok_or_else(|| Error::field("link program", "a label", target))?;
            words[at] |= (to / 2) as u16;
        }
        words.resize(size, 0);
        Ok(words.into_iter().map(u64::from).collect())
    }
}
