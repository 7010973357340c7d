use super::device::{Integers, RustHdl};
use super::driver::Timing;
use super::faults::{FAULTS, Faulty, Rates};
use super::pipe::Pipe;
use super::share::share;
use super::transport::{Broken, Transport};
use super::trial::{Known, efficiency, known, line, trial};
use super::*;
use astromorph::engine::package::Package;
use astromorph_hdl::link::protocol::{Space, VERSION};
use astromorph_sim::engine::EngineSimulator;
use astromorph_sim::link::{Core, Endpoint, MemoryCore};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn timing() -> Timing {
    Timing {
        latency: Duration::from_millis(5),
        patience: Duration::from_secs(2),
        stuck: Duration::from_secs(5),
    }
}

fn list(known: &Known, count: usize) -> List<'static> {
    let some = known.sequences.iter().cycle().take(count);
    List::new(
        some.map(|(input, output)| (input.clone(), output.len())).collect(),
        &|_, _| {},
    )
}

/// The same of every device: results in order, a second program in the place of the first, a core that is another.
fn keeps_the_contract(device: &mut dyn Device, programs: [&Known; 2], count: usize) {
    assert!(device.run(&mut list(programs[0], 1)).is_err(), "nothing is deployed");
    for known in [programs[0], programs[1], programs[0]] {
        let mut shown = (0, 0);
        let deployed = device.deploy(&known.package, &mut |at, of| shown = (at, of)).unwrap();
        assert!(deployed.bytes > 0 && shown.0 <= shown.1, "{deployed:?} {shown:?}");
        let mut list = list(known, count);
        device.run(&mut list).unwrap();
        for (n, (result, (_, expected))) in list.results.iter().zip(known.sequences.iter().cycle()).enumerate() {
            assert_eq!(result.as_ref(), Some(expected), "{}, sequence {n}", device.name());
        }
    }
    let p = &programs[0].package;
    let (mut core, mut loaded) = (p.core().clone(), p.loaded().clone());
    core.x_words *= 2;
    loaded.m[0] = core.id();
    let other = Package::new(core, p.program().clone(), loaded).unwrap();
    let error = device.deploy(&other, &mut |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("core.x_words"), "{error}");
}

#[test]
fn every_device_keeps_the_contract() {
    let (a, b) = (known(1).unwrap(), known(2).unwrap());
    let core = a.package.core();
    keeps_the_contract(&mut Integers::new(core), [&a, &b], 200);
    let pipe = line(&a).unwrap();
    keeps_the_contract(&mut Board::connect(Box::new(pipe), timing()).unwrap(), [&a, &b], 200);
    let faulty = Faulty::new(line(&a).unwrap(), Rates::all(1e-4), 3);
    keeps_the_contract(&mut Board::connect(Box::new(faulty), timing()).unwrap(), [&a, &b], 200);
    let engine = EngineSimulator::new(core, astromorph_hdl::multiply::Target::Generic).unwrap();
    keeps_the_contract(&mut RustHdl::new(core, engine), [&a, &b], 2);
}

#[test]
fn under_every_fault_no_result_is_wrong_and_every_fault_is_counted() {
    let programs = [known(1).unwrap(), known(2).unwrap()];
    let kinds = FAULTS.map(|(fault, name)| (name, Rates::only(fault, 1e-3), Some(fault)));
    for (name, rates, fault) in kinds.into_iter().chain([("all", Rates::all(1e-3), None)]) {
        let found = trial(&programs, rates, 6000, 7).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(found.wrong, 0, "{name}");
        assert!(
            found.sequences > 20 && found.made.frames >= 6000,
            "{name}: {}",
            found.sequences
        );
        for (f, other) in FAULTS {
            let meant = fault.is_none_or(|fault| fault == f);
            assert_eq!(found.made.of(f) > 0, meant, "{name}: {other}");
        }
        // Of bytes, a thousandth: within five deviations.
        if let Some(fault) = fault {
            let expected = found.made.bytes as f64 * 1e-3;
            let off = (found.made.of(fault) as f64 - expected).abs();
            assert!(off < 5.0 * expected.sqrt() + 1.0, "{name}: {off} off {expected}");
        }
    }
}

#[test]
fn a_good_line_is_used_to_nine_tenths() {
    let (upload, stream, bytes) = efficiency(1).unwrap();
    assert!(bytes > 50_000, "{bytes}");
    assert!(upload > 90.0 && upload <= 100.0, "{upload}");
    assert!(stream > 90.0 && stream <= 100.0, "{stream}");
}

type Deed = Box<dyn FnMut(&mut Pipe<MemoryCore>) -> std::result::Result<(), Broken> + Send>;

/// A line at which something happens after so many bytes, and from then on `again` bytes later.
struct Eventful {
    pipe: Pipe<MemoryCore>,
    left: usize,
    again: usize,
    deed: Deed,
}

impl Eventful {
    fn new(known: &Known, left: usize, again: usize, deed: Deed) -> Eventful {
        Eventful {
            pipe: line(known).unwrap(),
            left,
            again,
            deed,
        }
    }
}

impl Transport for Eventful {
    fn name(&self) -> String {
        "eventful".into()
    }

    fn send(&mut self, bytes: &[u8]) -> std::result::Result<(), Broken> {
        if self.left <= bytes.len() {
            let (before, after) = bytes.split_at(self.left);
            self.pipe.send(before)?;
            self.left = self.again;
            (self.deed)(&mut self.pipe)?;
            return self.pipe.send(after);
        }
        self.left -= bytes.len();
        self.pipe.send(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> std::result::Result<usize, Broken> {
        self.pipe.receive(buffer, timeout)
    }

    fn reconnect(&mut self) -> std::result::Result<(), Broken> {
        match self.left {
            0 => Err(Broken("no such device".into())),
            _ => Ok(()),
        }
    }

    fn pause(&mut self, time: Duration) {
        self.pipe.pause(time);
    }

    fn now(&self) -> Duration {
        self.pipe.now()
    }

    fn baud(&self) -> u64 {
        self.pipe.baud()
    }
}

/// Bytes of a deployment of the trials' program.
fn image(known: &Known) -> usize {
    let mut board = Board::connect(Box::new(line(known).unwrap()), timing()).unwrap();
    board.deploy(&known.package, &mut |_, _| {}).unwrap();
    board.driver().counters.bytes_sent as usize
}

fn right(known: &Known, board: &mut Board, count: usize) {
    let mut list = list(known, count);
    board.run(&mut list).unwrap();
    for (result, (_, expected)) in list.results.iter().zip(known.sequences.iter().cycle()) {
        assert_eq!(result.as_ref(), Some(expected));
    }
}

#[test]
fn a_power_cycle_in_mid_sequence_costs_time_and_no_result() {
    let a = known(1).unwrap();
    let deployed = image(&a);
    let core = a.package.core().clone();
    let cycles = Arc::new(Mutex::new(0));
    let counted = cycles.clone();
    // Memories, session and all are gone, some dozen times.
    let deed: Deed = Box::new(move |pipe| {
        let mut count = counted.lock().unwrap();
        if *count < 12 {
            *count += 1;
            pipe.board().reset();
            *pipe.board().core_mut() = MemoryCore::new(&core).unwrap();
        }
        Ok(())
    });
    let eventful = Eventful::new(&a, deployed + 3001, 2 * deployed + 7001, deed);
    let mut board = Board::connect(Box::new(eventful), timing()).unwrap();
    board.deploy(&a.package, &mut |_, _| {}).unwrap();
    right(&a, &mut board, 3000);
    assert!(*cycles.lock().unwrap() > 3);
    assert!(board.driver().counters.regions > 12);
}

#[test]
fn an_upload_whose_cable_is_pulled_ends_with_a_name_or_goes_on() {
    let a = known(1).unwrap();
    let half = image(&a) / 2;
    let pulled = |_: &mut Pipe<MemoryCore>| Err(Broken("cable pulled".into()));
    // For good.
    let started = Instant::now();
    let gone = Eventful::new(&a, half, 0, Box::new(pulled));
    let mut board = Board::connect(Box::new(gone), timing()).unwrap();
    let error = board.deploy(&a.package, &mut |_, _| {}).unwrap_err().to_string();
    assert!(
        error.contains("eventful: disconnected") && error.contains("no such device"),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    // And put in again.
    let back = Eventful::new(&a, half, usize::MAX, Box::new(pulled));
    let mut board = Board::connect(Box::new(back), timing()).unwrap();
    board.deploy(&a.package, &mut |_, _| {}).unwrap();
    right(&a, &mut board, 100);
}

#[test]
fn an_interrupted_deployment_sends_only_what_is_missing() {
    let a = known(1).unwrap();
    let mut board = Board::connect(Box::new(line(&a).unwrap()), timing()).unwrap();
    let first = board.deploy(&a.package, &mut |_, _| {}).unwrap();
    assert_eq!(first.written, first.bytes);
    let again = board.deploy(&a.package, &mut |_, _| {}).unwrap();
    assert_eq!((again.bytes, again.written), (first.bytes, 0));
}

#[test]
fn a_bit_that_flips_in_a_memory_is_found_before_a_result_is_given_out() {
    let a = known(1).unwrap();
    let deployed = image(&a);
    let flips = Arc::new(Mutex::new(0));
    let counted = flips.clone();
    let words = a.package.loaded().m.len() as u32;
    let deed: Deed = Box::new(move |pipe| {
        let mut count = counted.lock().unwrap();
        *count += 1;
        // Weights, tables, or a step: whatever stands there.
        let (memory, address) = match *count % 3 {
            0 => (Space::M as u8, *count * 7919 % words),
            1 => (Space::Norm as u8, *count % 8),
            _ => (Space::Function as u8, *count % 200),
        };
        let core = pipe.board().core_mut();
        let word = core.read(memory, address);
        core.write(memory, address, word ^ 1 << (*count % 8));
        Ok(())
    });
    let eventful = Eventful::new(&a, deployed + 30_011, 150_001, deed);
    let mut board = Board::connect(Box::new(eventful), timing()).unwrap();
    board.deploy(&a.package, &mut |_, _| {}).unwrap();
    right(&a, &mut board, 6000);
    assert!(*flips.lock().unwrap() > 10);
    assert!(board.driver().counters.differences > 10);
}

/// Bytes that are no protocol's.
struct Chatter(Duration, u8);

impl Transport for Chatter {
    fn name(&self) -> String {
        "chatter".into()
    }

    fn send(&mut self, _: &[u8]) -> std::result::Result<(), Broken> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> std::result::Result<usize, Broken> {
        self.0 += timeout.max(Duration::from_millis(1));
        for byte in buffer.iter_mut() {
            self.1 = self.1.wrapping_mul(109).wrapping_add(89);
            *byte = self.1;
        }
        Ok(buffer.len())
    }

    fn reconnect(&mut self) -> std::result::Result<(), Broken> {
        Ok(())
    }

    fn pause(&mut self, time: Duration) {
        self.0 += time;
    }

    fn now(&self) -> Duration {
        self.0
    }

    fn baud(&self) -> u64 {
        1_000_000
    }
}

#[test]
fn another_program_on_the_port_or_nothing_at_all_is_silent() {
    let error = Board::connect(Box::new(Chatter(Duration::ZERO, 1)), timing())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("chatter: silent") && error.contains("bytes that are none"),
        "{error}"
    );
    let a = known(1).unwrap();
    let dead = Faulty::new(line(&a).unwrap(), Rates::only(faults::Fault::Drop, 1.0), 1);
    let error = Board::connect(Box::new(dead), timing()).err().unwrap().to_string();
    assert!(error.contains("silent") && error.contains("found nothing"), "{error}");
}

#[test]
fn another_protocol_or_core_is_refused_by_the_field() {
    let a = known(1).unwrap();
    let core = a.package.core();
    let connect = |text: &str| {
        let endpoint = Endpoint::new(core, text, MemoryCore::new(core).unwrap());
        Board::connect(Box::new(Pipe::new(endpoint, 1_000_000)), timing()).map(|_| ())
    };
    let identity = astromorph_hdl::link::identity::Identity {
        board: "none",
        clock_hz: 1_000_000,
        baud: 1_000_000,
    };
    let text = identity.text(core).unwrap();
    connect(&text).unwrap();
    for (from, to, field) in [
        (
            format!("protocol = {VERSION}"),
            "protocol = 99".to_string(),
            "protocol: expected 1, found 99",
        ),
        ("lanes".into(), "lines".into(), "lines"),
        ("[core]".into(), "core".into(), "a text in TOML"),
        ("width = 8".into(), "width = 99".into(), "core.width"),
    ] {
        assert!(text.contains(&from), "{from}");
        let error = connect(&text.replacen(&from, &to, 1)).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn boards_share_a_list_and_one_that_dies_costs_its_own_part_only() {
    let a = known(1).unwrap();
    let pulled = |_: &mut Pipe<MemoryCore>| Err(Broken("cable pulled".into()));
    let dying = Eventful::new(&a, image(&a) + 20_000, 0, Box::new(pulled));
    let mut boards = vec![
        Board::connect(Box::new(dying), timing()).unwrap(),
        Board::connect(Box::new(line(&a).unwrap()), timing()).unwrap(),
    ];
    for board in &mut boards {
        board.deploy(&a.package, &mut |_, _| {}).unwrap();
    }
    let inputs: Vec<_> = a.sequences.iter().cycle().take(3000).collect();
    let work = || inputs.iter().map(|(i, o)| (i.clone(), o.len())).collect();
    let (results, shares) = share(&mut boards, work(), &|_, _| {}).unwrap();
    assert!(
        results
            .iter()
            .zip(&inputs)
            .all(|(result, (_, expected))| result == expected)
    );
    assert!(shares[0].error.is_some() && shares[1].error.is_none());
    assert_eq!(shares[0].done + shares[1].done, 3000);
    // With nobody left it is an error with a name.
    let error = share(&mut boards[..1], work(), &|_, _| {}).err().unwrap().to_string();
    assert!(error.contains("eventful: disconnected"), "{error}");
}

#[test]
fn a_sequence_that_the_engine_flags_ends_with_the_flag() {
    let a = known(1).unwrap();
    let mut board = Board::connect(Box::new(line(&a).unwrap()), timing()).unwrap();
    board.deploy(&a.package, &mut |_, _| {}).unwrap();
    let (mut input, outputs) = (a.sequences[0].0.clone(), a.sequences[0].1.len());
    input.pop();
    let mut list = List::new(vec![(input, outputs)], &|_, _| {});
    let error = board.run(&mut list).unwrap_err().to_string();
    assert!(error.contains("tlast within a row"), "{error}");
    right(&a, &mut board, 5);
}
