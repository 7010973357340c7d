//! Loaded words read back between sequences, and the sequences undisturbed by it.

use crate::programs;
use crate::rig::{Host, NO_STALLS, compare};
use crate::{common, sequences};
use astromorph_hdl::engine::top::Engine;
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::U;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// What the driver is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Sequence(usize),
    Reading(usize),
}

fn read_back(target: Target, width: u32, lanes: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let case = programs::dense(&mut rng, lanes, width, 6, 10, 3);
    // The program's words, and words at the end of every memory and of every lane's bank.
    let core = case.core.clone();
    let mut words: BTreeMap<(u8, u32), u64> = BTreeMap::new();
    let widths = [32, core.width, core.serial_bits(), core.serial_bits() + 32, core.width];
    let ends = [core.m_words, core.function_words, core.mantissa_words, core.norm_words];
    let ends = ends
        .into_iter()
        .enumerate()
        .map(|(memory, words)| (memory as u8, words as u32 - 1));
    let bank = core.bank_words as u32;
    let banks = (0..lanes as u32).flat_map(|lane| [bank - 1, bank - 7].map(|word| (4, lane << 16 | word)));
    for (memory, address) in ends.chain(banks) {
        for address in [address, address - 1] {
            words.insert((memory, address), rng.random_range(0..1u64 << widths[memory as usize]));
        }
    }
    words.extend(
        case.loaded
            .writes(&core)
            .map(|(memory, address, data)| ((memory, address), data)),
    );
    let x = sequences(&mut rng, &case, 6, 2);
    let mut expected: Vec<_> = words.into_iter().collect();
    let loads: Vec<_> = expected
        .iter()
        .map(|&((memory, address), data)| (memory, address, data))
        .collect();
    // The program fills its banks itself, over what was loaded there.
    let loaded = case.loaded.banks.first().map_or(0, Vec::len) as u32;
    expected.retain(|((memory, address), _)| *memory != 4 || address & 0xffff >= loaded);
    for k in (1..expected.len()).rev() {
        expected.swap(k, rng.random_range(0..=k));
    }
    expected.truncate(160);
    let cycles = 2_000 + loads.len() + expected.len() * 24;
    let mut host = Host::with_loads(loads, &x[..1], NO_STALLS);
    let mut phase = Phase::Sequence(0);
    let (mut read, mut wrong, mut finished) = (0, Vec::new(), 0);
    let mut stalls = ChaCha8Rng::seed_from_u64(seed + 1);
    let recorded = common::record_steps(
        Engine::with_read_back(&case.core, target).unwrap(),
        |e| &mut e.clock,
        cycles,
        |e, n, settled| match (phase, settled) {
            (Phase::Sequence(k), true) if k < 2 => {
                host.look(e);
                if n > 4 && host.done(e) && host.slots > 0 {
                    finished += compare(&host, &case, &x[k..k + 1]);
                    phase = if k == 0 { Phase::Reading(0) } else { Phase::Sequence(2) };
                }
            }
            (Phase::Sequence(k), false) if k < 2 => host.drive(e, &mut stalls),
            (Phase::Sequence(_), _) => {}
            (Phase::Reading(k), false) => {
                let ((memory, address), _) = expected[k];
                (e.load_valid.next, e.load_read.next) = (true, true);
                (e.load_memory.next, e.load_address.next) = (U::new(memory as u64), U::new(address as u64));
            }
            (Phase::Reading(k), true) => {
                if e.load_ready.val() {
                    let (at, word) = expected[k];
                    let found = e.load_word.val().get() & ((1 << widths[at.0 as usize]) - 1);
                    if found != word {
                        wrong.push((at, word, found));
                    }
                    read += 1;
                    phase = Phase::Reading(k + 1);
                    if k + 1 == expected.len() {
                        host = Host::with_loads(Vec::new(), &x[1..], NO_STALLS);
                        phase = Phase::Sequence(1);
                        e.load_read.next = false;
                        e.load_valid.next = false;
                    }
                }
            }
        },
    );
    assert_eq!(wrong, [], "(memory, address), loaded, read");
    assert!(
        read == expected.len() && finished > 20,
        "{read} read, {finished} compared"
    );
    // (Icarus has no model of ECP5's carry cells.)
    if target == Target::Generic {
        recorded.compare(&format!("read-back-{lanes}-{width}"));
    }
}

#[test]
fn every_memory_is_read_back_between_sequences() {
    for (n, target) in [Target::Generic, Target::Ice40, Target::Ecp5].into_iter().enumerate() {
        read_back(target, 8, 4, 40 + n as u64);
        read_back(target, 16, 10, 50 + n as u64);
    }
}
