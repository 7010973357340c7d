//! The answer to any request, and what it counts.

use super::*;

/// A is the status.
pub(super) fn answer(a: &mut Assembler, core: &EngineConfig) {
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
