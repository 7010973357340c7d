//! After reset; which request it is; `open`.

use super::*;

/// After reset: counters zero, no session.
pub(super) fn start(a: &mut Assembler) {
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
pub(super) fn requests(a: &mut Assembler) {
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

pub(super) fn open(a: &mut Assembler) {
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
