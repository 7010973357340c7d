//! Words into the input's queue and out of the output's ring, by position.

use super::*;

pub(super) fn input(a: &mut Assembler) {
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

pub(super) fn output(a: &mut Assembler, core: &EngineConfig) {
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
