//! The driver's one settle a cycle against the textbook loop, and its failures.

use super::blocks::*;
use super::support::random;
use astromorph_sim::driver::Driver;
use astromorph_sim::error::Error;
use astromorph_sim::ports::{PortKind, ports};
use astromorph_sim::trace::Trace;
use rand::Rng;

#[test]
fn one_settle_equals_two_on_registers_that_feed_each_other_across_levels() {
    let mut fast = Driver::new(Tree::default(), |b| &mut b.clock).unwrap();
    let mut slow = Driver::new(Tree::default(), |b| &mut b.clock).unwrap();
    let mut random = random(1);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..5000 {
        let x = random.next_u64() & 0xffff;
        fast.cycle(|b| b.x.next = x.into()).unwrap();
        slow.cycle_in_two_settles(|b| b.x.next = x.into()).unwrap();
        assert_eq!(fast.block().y.val(), slow.block().y.val());
        seen.insert(fast.block().y.val().index());
    }
    assert!(seen.len() > 1000, "the outputs hardly move");
    assert!(fast.sweeps() < slow.sweeps());
    println!(
        "sweeps a cycle: {} against {}",
        fast.sweeps() as f64 / 5000.0,
        slow.sweeps() as f64 / 5000.0
    );
}

#[test]
fn the_closure_sees_what_the_edge_captures() {
    let mut driver = Driver::new(Leaf::default(), |b| &mut b.clock).unwrap();
    driver.block_mut().x.next = 5u64.into();
    driver.settle().unwrap();
    // state 0, x 5: y is 5 before the edge and 5 + 5 after it.
    driver.cycle(|b| assert_eq!(b.y.val().index(), 5)).unwrap();
    assert_eq!(driver.block().y.val().index(), 10);
    assert_eq!(driver.cycles(), 1);
}

#[test]
fn a_circuit_that_does_not_settle_is_an_error() {
    let mut driver = Driver::new(Oscillator::default(), |b| &mut b.clock).unwrap();
    driver.set_sweep_limit(50);
    driver.block_mut().enable.next = true;
    let e = driver.settle().unwrap_err();
    assert!(matches!(e, Error::NoConvergence { limit: 50, .. }), "{e}");
}

#[test]
fn a_run_ends_when_the_closure_says_so_or_at_the_limit() {
    let mut driver = Driver::new(Leaf::default(), |b| &mut b.clock).unwrap();
    assert!(driver.run_while(100, |_, cycle| cycle < 10).unwrap());
    assert_eq!(driver.cycles(), 11);
    assert!(!driver.run_while(5, |_, _| true).unwrap());
}

#[test]
fn ports_and_values_are_recorded_by_name() {
    let mut driver = Driver::new(Leaf::default(), |b| &mut b.clock).unwrap();
    let list = ports(driver.block());
    let kinds: Vec<_> = list.iter().map(|p| (p.name.as_str(), p.kind, p.bits)).collect();
    assert_eq!(
        kinds,
        [
            ("clock", PortKind::Clock, 1),
            ("x", PortKind::Input, 16),
            ("y", PortKind::Output, 16)
        ]
    );
    let mut trace = Trace::new(driver.block());
    for x in [0xabcdu64, 3] {
        driver.block_mut().x.next = x.into();
        driver.settle().unwrap();
        trace.record(driver.block());
    }
    assert_eq!(trace.cycles(), 2);
    assert_eq!(trace.value(0, "y"), Some(&[0xabcd][..]));
    assert_eq!(trace.value(1, "x"), Some(&[3][..]));
    assert_eq!(trace.value(2, "x"), None);
}
