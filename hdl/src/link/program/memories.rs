//! Words of memories written and checked; registers and identity read.

use super::*;

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

pub(super) fn memories(a: &mut Assembler, core: &EngineConfig) {
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

pub(super) fn texts(a: &mut Assembler) {
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
