//! Routines of the requests: sessions, counts, distances; and events, which are counted.

use super::*;

/// Routines.
pub(super) fn arithmetic(a: &mut Assembler) {
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

pub(super) fn events(a: &mut Assembler) {
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
