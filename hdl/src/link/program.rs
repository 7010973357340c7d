//! What `docs/link.md` says of requests, as a program for [`commands`](super::commands); and the bytes it begins with.
//!
//! | bytes of the state memory | |
//! |---|---|
//! | 0–383 | identity |
//! | 384 + [`slot`] + 0–2 | size of the space; for the streams position and words produced |
//! | 480 + 4·n | register n |
//! | the rest of 384–479 | variables |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::{program::*, protocol::Space};
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128 };
//! assert_eq!(program(&core).unwrap().len(), WORDS);
//! let state = state(&core, "protocol = 1\n");
//! assert_eq!((state[0], state[384 + slot(Space::M) as usize + 1]), (b'p' as u64, 0x10));
//! ```

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
    for space in SPACES {
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
    start(&mut a);
    requests(&mut a);
    open(&mut a);
    memories(&mut a, core);
    texts(&mut a);
    input(&mut a);
    output(&mut a, core);
    answer(&mut a, core);
    arithmetic(&mut a);
    events(&mut a);
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

/// After reset: counters zero, no session.
fn start(a: &mut Assembler) {
    a.control(RESET_ON | CLOSE);
    // Session, whether it is one, counters.
    let from = VARIABLES + SESSION as u64;
    for byte in [from, from >> 8, 0] {
        a.address(value(byte & 255));
    }
    a.load(value(3 + 4 * registers::REGISTERS.len() as u64));
    a.act(Act::Count);
    a.load(value(0));
    a.label("clear");
    a.put();
    a.repeat("clear");
    a.control(RESET_OFF | FORGET);
}

/// Waits for a request and finds what it is.
fn requests(a: &mut Assembler) {
    a.label("idle");
    a.jump_unless(Event, "look");
    a.call("events");
    a.label("look");
    a.jump_unless(Frame, "idle");
    a.jump_unless(Room, "idle");
    a.load(value(0));
    a.store(Fixed, LENGTH);
    byte(a, FIRST);
    a.act(Act::Space);
    let mut before = 0;
    for (operation, space, target) in [
        (Operation::Open, Space::M, "open"),
        (Operation::Write, Space::Input, "input"),
        (Operation::WriteLast, Space::Input, "input"),
        (Operation::Read, Space::Output, "output"),
        (Operation::Read, Space::Registers, "registers"),
        (Operation::Read, Space::Identity, "identity"),
    ] {
        let kind = kind(operation, space);
        a.sub(Source::value(kind - before));
        jump_zero(a, target);
        before = kind;
    }
    byte(a, FIRST);
    a.and(value(0xf0));
    a.sub(value((Space::Bank as u64 + 1) << 4));
    a.jump_unless(Carry, "unknown");
    byte(a, FIRST);
    a.and(value(15));
    a.sub(value(Operation::Write as u64));
    jump_zero(a, "write");
    a.sub(value(Operation::Check as u64 - Operation::Write as u64));
    jump_zero(a, "check");
    for (name, status) in [
        ("unknown", Status::Unknown),
        ("session", Status::Session),
        ("busy", Status::Busy),
        ("position", Status::Position),
        ("freed", Status::Freed),
        ("length", Status::Length),
    ] {
        a.label(name);
        a.load(value(status as u64));
        a.jump("answer");
    }
}

/// 6 unless the payload has `n` bytes.
fn payload(a: &mut Assembler, n: u64) {
    byte(a, LENGTH_FIELD);
    a.sub(value(n));
    a.jump_unless(Zero, "length");
}

fn open(a: &mut Assembler) {
    a.label("open");
    a.x(NUMBER_SESSION);
    a.load(FRAME);
    less(a, SESSION, false);
    a.load(FRAME);
    less(a, SESSION + 1, true);
    jump_zero(a, "present");
    // How far it is ahead.
    a.and(value(0x80));
    jump_zero(a, "begin");
    get(a, KNOWN);
    a.sub(value(0));
    jump_zero(a, "begin");
    a.jump("session");
    a.label("present");
    a.jump_unless(Open, "closed");
    payload(a, 0);
    a.jump("done");
    a.label("closed");
    get(a, KNOWN);
    a.sub(value(0));
    a.jump_unless(Zero, "session");
    a.label("begin");
    payload(a, 0);
    a.control(RESET_ON);
    a.x(NUMBER_SESSION);
    for n in 0..2 {
        a.load(FRAME);
        a.store(Fixed, SESSION + n);
    }
    a.load(value(1));
    a.store(Fixed, KNOWN);
    a.load(value(0));
    let sequences = COUNTERS + 4 * registers::SEQUENCES as u16;
    for (variable, bytes) in [(POSITION, 3), (FREED, 3), (sequences, 4)] {
        for n in 0..bytes {
            a.store(Fixed, variable + n);
        }
    }
    a.control(OPEN | FORGET | RESET_OFF);
    a.jump("done");
}

/// 5 unless the request's words are in the space.
fn within(a: &mut Assembler) {
    a.call("distance");
    a.jump_if(Carry, "unknown");
    a.call("less count");
    a.jump_if(Carry, "unknown");
}

/// The same for memories, and 2 while a sequence is in work; the address.
fn memory(a: &mut Assembler, core: &EngineConfig, inside: &'static str) {
    within(a);
    a.jump_unless(Bank, inside);
    a.x(ADDRESS + 2);
    a.load(value(core.lanes as u64 - 1));
    a.sub(FRAME);
    a.jump_if(Carry, "unknown");
    a.label(inside);
    a.jump_if(Work, "busy");
    own_address(a);
}

fn own_address(a: &mut Assembler) {
    a.x(ADDRESS);
    for _ in 0..3 {
        a.address(FRAME);
    }
}

fn memories(a: &mut Assembler, core: &EngineConfig) {
    a.label("write");
    a.call("present session");
    a.call("words");
    memory(a, core, "write words");
    a.label("write word");
    a.act(Act::Take);
    a.act(Act::Load);
    a.poll("events");
    a.repeat("write word");
    a.jump("done");

    a.label("check");
    a.call("present session");
    payload(a, 3);
    a.x(PAYLOAD & 255);
    for n in 0..3 {
        a.load(FRAME);
        a.store(Fixed, COUNT + n);
        if n == 0 { a.sub(value(0)) } else { a.subb(value(0)) }
    }
    jump_zero(a, "length");
    memory(a, core, "check words");
    a.act(Act::CrcStart);
    // Blocks of 256 words, the incomplete one first.
    get(a, COUNT);
    a.act(Act::Count);
    a.sub(value(0));
    jump_zero(a, "check block");
    a.label("check word");
    a.act(Act::Peek);
    a.act(Act::Check);
    a.poll("events");
    a.repeat("check word");
    a.label("check block");
    get(a, COUNT + 1);
    a.sub(value(1));
    a.store(Fixed, COUNT + 1);
    get(a, COUNT + 2);
    a.subb(value(0));
    a.store(Fixed, COUNT + 2);
    a.jump_unless(Carry, "check word");
    let from = VARIABLES + CRC as u64;
    a.load(value(from & 255));
    a.address(Source::A);
    a.address(value(from >> 8));
    a.address(value(0));
    a.load(value(CRC_BYTES as u64));
    a.store(Fixed, LENGTH);
    a.act(Act::Count);
    a.label("check byte");
    a.load(Source::Crc);
    a.put();
    a.act(Act::CrcNext);
    a.repeat("check byte");
    a.load(value(from & 255));
    a.jump("variables");
}

fn texts(a: &mut Assembler) {
    a.label("registers");
    a.load(value(MAX_PAYLOAD as u64 / 4));
    a.call("one byte");
    within(a);
    // Four times the count: N is the count.
    a.load(value(0));
    a.label("four");
    a.sub(value(256 - 4));
    a.repeat("four");
    a.store(Fixed, LENGTH);
    a.load(Source::Flags);
    a.store(Fixed, COUNTERS);
    a.load(Source::Errors);
    a.store(Fixed, COUNTERS + 1);
    let from = VARIABLES + COUNTERS as u64;
    byte(a, ADDRESS);
    a.act(Act::Count);
    a.sub(value(0));
    a.load(value(from & 255));
    jump_zero(a, "first register");
    a.label("next register");
    a.sub(value(256 - 4));
    a.repeat("next register");
    a.label("first register");
    // The answer's bytes are variables from A on.
    a.label("variables");
    a.address(Source::A);
    a.address(value(from >> 8));
    a.address(value(0));
    a.jump("done");

    a.label("identity");
    a.load(value(MAX_PAYLOAD as u64));
    a.call("one byte");
    within(a);
    get(a, COUNT);
    a.store(Fixed, LENGTH);
    own_address(a);
    a.jump("done");

    // A payload of one byte, a count of at most A.
    a.label("one byte");
    a.store(Fixed, T);
    payload(a, 1);
    byte(a, PAYLOAD & 255);
    a.act(Act::Count);
    a.sub(value(0));
    jump_zero(a, "length");
    get(a, T);
    a.sub(Source::Count);
    a.jump_if(Carry, "length");
    a.load(Source::Count);
    a.jump("counted");
}

fn input(a: &mut Assembler) {
    a.label("input");
    a.call("present session");
    a.call("words");
    a.call("distance");
    jump_zero(a, "here");
    // Behind its end: taken already.
    a.call("less count");
    a.and(value(0x80));
    a.jump_unless(Zero, "position");
    a.jump("done");
    a.label("here");
    a.load(value(STREAM_WORDS as u64));
    a.sub(Source::Level);
    a.sub(Source::Count);
    a.jump_if(Carry, "busy");
    a.load(value(0));
    a.sub(Source::Count);
    a.store(Fixed, LESS);
    get(a, POSITION);
    less(a, LESS, false);
    a.store(Fixed, POSITION);
    for n in 1..3 {
        get(a, POSITION + n);
        a.subb(value(0xff));
        a.store(Fixed, POSITION + n);
    }
    a.x(PAYLOAD & 255);
    a.label("push");
    a.act(Act::Take);
    a.act(Act::Push);
    a.poll("events");
    a.repeat("push");
    a.jump("done");
}

fn output(a: &mut Assembler, core: &EngineConfig) {
    let bytes = Space::Output.word_bytes(core);
    a.label("output");
    a.call("present session");
    a.load(Source::Produced);
    less(a, FREED, false);
    a.store(Fixed, LEVEL);
    // Produced: freed and level.
    a.load(value(0));
    less(a, LEVEL, false);
    a.store(Fixed, LESS);
    a.load(value(0));
    a.subb(value(0));
    a.store(Fixed, LESS + 1);
    for n in 0..3 {
        get(a, FREED + n);
        less(a, LESS + n.min(1), n > 0);
        a.store(Fixed, PRODUCED + n);
    }
    payload(a, 4);
    byte(a, PAYLOAD & 255);
    a.act(Act::Count);
    a.sub(value(0));
    jump_zero(a, "length");
    a.load(value(Space::Output.words_a_payload(core) as u64));
    a.sub(Source::Count);
    a.jump_if(Carry, "length");
    // X is behind the count: at the acknowledged position.
    a.call("distance of X");
    a.call("beyond level");
    a.jump_if(Carry, "not freed");
    get(a, T);
    a.store(Fixed, LEVEL);
    a.x((PAYLOAD + 1) & 255);
    a.load(FRAME);
    a.store(Fixed, FREED);
    a.act(Act::Free);
    for n in 1..3 {
        a.load(FRAME);
        a.store(Fixed, FREED + n);
    }
    a.label("not freed");
    a.call("distance");
    a.call("beyond level");
    a.jump_unless(Carry, "there");
    a.and(value(0x80));
    jump_zero(a, "position");
    a.jump("freed");
    a.label("there");
    // The smaller of what is asked and what is there.
    a.load(Source::Count);
    less(a, T, false);
    a.load(Source::Count);
    a.jump_if(Carry, "all");
    a.load(BYTE);
    a.label("all");
    a.store(Fixed, COUNT);
    a.act(Act::Count);
    a.load(value(0));
    a.sub(Source::Count);
    a.store(Fixed, LESS);
    a.load(value(0));
    less(a, LESS, false);
    for _ in 1..bytes {
        a.sub(BYTE);
    }
    a.store(Fixed, LENGTH);
    a.jump("done");
}

/// A is the status.
fn answer(a: &mut Assembler, core: &EngineConfig) {
    a.label("done");
    a.load(value(Status::Done as u64));
    a.label("answer");
    a.store(Fixed, STATUS);
    a.act(Act::Start);
    byte(a, FIRST);
    a.sub(value(256 - ANSWER as u64));
    a.out(Source::A);
    for _ in 0..3 {
        a.out(FRAME);
    }
    a.out(Source::variable(LENGTH));
    get(a, STATUS);
    a.sub(value(Status::Session as u64));
    jump_zero(a, "value session");
    a.sub(value(Status::Unknown as u64 - Status::Session as u64));
    jump_zero(a, "value address");
    a.jump_unless(Stream, "value address");
    for n in 0..3 {
        a.out(Source::own(n));
    }
    a.jump("value out");
    a.label("value session");
    for n in 0..2 {
        a.out(Source::variable(SESSION + n));
    }
    a.out(value(0));
    a.jump("value out");
    a.label("value address");
    a.x(ADDRESS);
    for _ in 0..3 {
        a.out(FRAME);
    }
    a.label("value out");
    a.out(Source::variable(STATUS));
    get(a, LENGTH);
    a.act(Act::Count);
    a.sub(value(0));
    jump_zero(a, "end");
    a.jump_if(Condition::Output, "words out");
    a.label("bytes out");
    a.fetch();
    a.out(BYTE);
    a.poll("events");
    a.repeat("bytes out");
    a.jump("end");
    a.label("words out");
    get(a, COUNT);
    a.act(Act::Count);
    byte(a, ADDRESS);
    a.act(Act::X);
    a.label("word out");
    a.act(Act::Word);
    let sources = [Source::Word0, Source::Word1, Source::Word2];
    let bytes = Space::Output.word_bytes(core);
    for (n, source) in sources.into_iter().take(bytes).enumerate() {
        a.out(if n + 1 == bytes { source.step() } else { source });
    }
    a.poll("events");
    a.repeat("word out");
    a.label("end");
    for _ in 0..CRC_BYTES {
        a.out(Source::Crc);
    }
    a.act(Act::End);
    a.act(Act::Done);
    a.counter(registers::FRAMES);
    a.call("count");
    get(a, STATUS);
    a.sub(value(0));
    jump_zero(a, "idle");
    a.counter(registers::REFUSED);
    a.call("count");
    a.jump("idle");
}

/// Routines.
fn arithmetic(a: &mut Assembler) {
    // 1 unless it is the present session.
    a.label("present session");
    a.x(NUMBER_SESSION);
    a.load(FRAME);
    less(a, SESSION, false);
    a.load(FRAME);
    less(a, SESSION + 1, true);
    a.jump_unless(Zero, "session");
    a.jump_unless(Open, "session");
    a.ret();

    // Count and N = words of the payload; 6 if they are not whole or none.
    a.label("words");
    a.load(value(0));
    a.act(Act::Count);
    byte(a, LENGTH_FIELD);
    a.sub(value(0));
    jump_zero(a, "length");
    a.jump_if(Single, "counted");
    a.label("next word");
    a.sub(Source::Bytes);
    a.jump_if(Carry, "length");
    a.repeat("subtracted");
    a.label("subtracted");
    a.jump_unless(Zero, "next word");
    // A is 0, N minus the words.
    a.sub(Source::Count);
    a.label("counted");
    a.store(Fixed, COUNT);
    a.act(Act::Count);
    a.load(value(0));
    a.store(Fixed, COUNT + 1);
    a.store(Fixed, COUNT + 2);
    a.ret();

    // T = the space's number − the address; C, Z, and A the upper byte.
    a.label("distance");
    a.x(ADDRESS);
    a.label("distance of X");
    for n in 0..2 {
        a.load(Source::own(n));
        if n == 0 {
            a.sub(FRAME)
        } else {
            a.subb(FRAME)
        }
        a.store(Fixed, T + n);
    }
    a.load(Source::own(2));
    // A bank's words are counted within it.
    a.jump_if(Bank, "within bank");
    a.subb(FRAME);
    a.store(Fixed, T + 2);
    a.ret();
    a.label("within bank");
    a.subb(value(0));
    a.store(Fixed, T + 2);
    a.ret();

    // T − count.
    a.label("less count");
    for n in 0..3 {
        get(a, T + n);
        less(a, COUNT + n, n > 0);
    }
    a.ret();

    // Level − T: C if T is beyond it.
    a.label("beyond level");
    for n in 0..3 {
        if n == 0 {
            get(a, LEVEL)
        } else {
            a.load(value(0))
        }
        less(a, T + n, n > 0);
    }
    a.ret();
}

fn events(a: &mut Assembler) {
    a.label("events");
    a.control(TAKE);
    a.jump_unless(Watchdog, "count");
    a.control(RESET_ON | CLOSE);
    a.load(Source::A);
    a.control(RESET_OFF);
    a.label("count");
    a.at(Counter, 0);
    a.load(BYTE);
    a.sub(value(0xff));
    a.store(Counter, 0);
    a.jump_unless(Zero, "count end");
    a.at(Counter, 1);
    a.load(BYTE);
    a.sub(value(0xff));
    a.jump_unless(Zero, "count 1");
    a.jump_if(Wide, "count 2");
    a.load(value(0xff));
    a.store(Counter, 0);
    a.ret();
    a.label("count 2");
    a.store(Counter, 1);
    a.at(Counter, 2);
    a.load(BYTE);
    a.sub(value(0xff));
    a.store(Counter, 2);
    a.jump_unless(Zero, "count end");
    a.at(Counter, 3);
    a.load(BYTE);
    a.sub(value(0xff));
    a.store(Counter, 3);
    a.label("count end");
    a.ret();
    a.label("count 1");
    a.store(Counter, 1);
    a.ret();
}
