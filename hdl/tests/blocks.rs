//! Registers, delays and memories against their laws and, through the emitted Verilog, against Icarus: every output, every cycle, random data.

mod common;

use astromorph_hdl::block;
use astromorph_hdl::delay::Delay;
use astromorph_hdl::number::{S, Sig, U};
use astromorph_hdl::ram::{Contents, Ram};
use astromorph_hdl::register::Reg;
use common::{number, record, record_steps};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::*;
use std::collections::VecDeque;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// What a pipeline of `latency` cycles owes.
struct Line<T>(VecDeque<Option<T>>);

impl<T> Line<T> {
    fn new(latency: usize) -> Self {
        Line((0..latency).map(|_| None).collect())
    }
    fn push(&mut self, x: T) -> Option<T> {
        self.0.push_back(Some(x));
        self.0.pop_front().unwrap()
    }
}

block! {
    /// A register as it stands in blocks.
    pub struct Held {
        inputs { d: Sig<In, S> }
        outputs { q: Sig<Out, S> }
        parts { register: Reg<S> }
        locals {}
    }
}

impl Logic for Held {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, register);
        self.register.d.next = self.d.val();
        self.q.next = self.register.q.val();
    }
}

#[test]
fn register_and_delay() {
    let mut r = rng(1);
    record(
        Held {
            clock: Default::default(),
            d: Sig::new(13),
            q: Sig::new(13),
            register: Reg::new(13),
            activity: Default::default(),
        },
        |b| &mut b.clock,
        200,
        |b, _| b.d.next = S::new(number(&mut r, 13)),
        |_, _| {},
    )
    .compare("register");
    for (width, cycles) in [(1, 1), (1, 2), (1, 5), (7, 1), (7, 2), (64, 3)] {
        let line = Delay::<U>::new("line", width, cycles).unwrap();
        let mut owed = Line::new(cycles);
        let mut clean = 0;
        record(
            line,
            |b| &mut b.clock,
            200,
            |b, n| {
                b.d.next = U::new(r.random::<u64>() >> (64 - width));
                b.reset.next = n % 37 == 36;
            },
            |b, _| {
                let want = owed.push(b.d.next);
                clean = if b.reset.next { 0 } else { clean + 1 };
                if let Some(want) = want.filter(|_| clean > cycles) {
                    assert_eq!(b.q.val(), want);
                }
            },
        )
        .compare(&format!("delay-{width}-{cycles}"));
    }
}

#[test]
fn memories() {
    let mut r = rng(2);
    for (depth, width, contents) in [
        (1, 5, Contents::Zero),
        (37, 16, Contents::Zero),
        (64, 40, Contents::Zero),
        (12, 8, Contents::Unwritten),
    ] {
        let mut written = vec![contents == Contents::Zero; depth];
        let mut memory = vec![0i64; depth];
        let mut want = 0;
        record_steps(
            Ram::<S>::new("ram", depth, width, contents).unwrap(),
            |b| &mut b.clock,
            400,
            |b, _, settled| {
                if !settled {
                    let (to, from) = (r.random_range(0..depth), r.random_range(0..depth));
                    b.write_enable.next = r.random();
                    b.write_address.next = U::new(to as u64);
                    b.write_data.next = S::new(number(&mut r, width));
                    b.read_enable.next = r.random::<bool>() && written[from] && !(b.write_enable.next && to == from);
                    b.read_address.next = U::new(from as u64);
                } else {
                    assert_eq!(b.read_data.val().get(), want);
                    if b.read_enable.val() {
                        want = memory[b.read_address.val().index()];
                    }
                    if b.write_enable.val() {
                        memory[b.write_address.val().index()] = b.write_data.val().get();
                        written[b.write_address.val().index()] = true;
                    }
                }
            },
        )
        .compare(&format!("ram-{depth}"));
    }
}
