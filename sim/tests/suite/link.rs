//! The RustHDL link beside [`Endpoint`]: the same bytes in, the same bytes out, under random requests and every kind of damage; and the run
//! replayed in Icarus, every port in every cycle.

use super::support::{optional, random};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::identity::Identity;
use astromorph_hdl::link::protocol::*;
use astromorph_hdl::link::top::Link;
use astromorph_hdl::number::{S, U};
use astromorph_sim::cosim::{Design, icarus};
use astromorph_sim::driver::Driver;
use astromorph_sim::link::{Answer, Core, Endpoint, Request, frame};
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};

pub fn sizes(width: u32) -> EngineConfig {
    EngineConfig {
        name: "link".into(),
        lanes: 4,
        width,
        acc_bits: 40,
        bank_words: 64,
        x_words: 1024,
        m_words: 1000,
        function_words: 512,
        mantissa_words: 300,
        sums: 64,
        reads: 64,
        norm_width: 32,
        norm_words: 128,
        chunked: false,
    }
}

pub fn identity(core: &EngineConfig) -> String {
    let identity = Identity {
        board: "test",
        clock_hz: 24_000_000,
        baud: 1_000_000,
    };
    identity.text(core).unwrap()
}

/// A word that sets an error.
const BAD: i32 = 77;

/// An engine for both sides: a sequence of n words gives 2n, when it is complete.
struct Plain {
    sizes: EngineConfig,
    words: BTreeMap<(u8, u32), u64>,
    input: Vec<i32>,
    output: VecDeque<(i32, bool)>,
    error: u8,
    stalled: bool,
}

impl Plain {
    fn new(sizes: &EngineConfig) -> Self {
        Plain {
            sizes: sizes.clone(),
            words: BTreeMap::new(),
            input: Vec::new(),
            output: VecDeque::new(),
            error: 0,
            stalled: false,
        }
    }
    fn takes(&self) -> bool {
        !self.stalled && self.output.is_empty()
    }
}

impl Core for Plain {
    fn write(&mut self, memory: u8, address: u32, data: u64) {
        let bits = MEMORIES[memory as usize].word_bits(&self.sizes);
        self.words.insert((memory, address), data & ((1 << bits) - 1));
    }
    fn read(&mut self, memory: u8, address: u32) -> u64 {
        self.words.get(&(memory, address)).copied().unwrap_or_default()
    }
    fn offer(&mut self, word: i32, last: bool) -> bool {
        if !self.takes() {
            return false;
        }
        self.error |= (word == BAD) as u8;
        self.input.push(word);
        if last {
            let words = std::mem::take(&mut self.input);
            let spare = 32 - self.sizes.serial_bits();
            let both = |w: i32| [w, w.wrapping_mul(-3) << spare >> spare];
            let words: Vec<i32> = words.into_iter().flat_map(both).collect();
            let end = words.len();
            self.output
                .extend(words.into_iter().enumerate().map(|(n, w)| (w, n + 1 == end)));
        }
        true
    }
    fn output(&mut self) -> Option<(i32, bool)> {
        self.output.pop_front()
    }
    fn busy(&self) -> bool {
        !self.input.is_empty() || !self.output.is_empty()
    }
    fn error(&self) -> u8 {
        self.error
    }
    fn reset(&mut self) {
        self.input.clear();
        self.output.clear();
        self.error = 0;
    }
}

/// The gateware with that engine.
struct Rig {
    driver: Driver<Link>,
    trace: Option<Trace>,
    core: Plain,
    out: Vec<u8>,
    random: ChaCha8Rng,
    /// The byte before each answer's byte, while it waits.
    offered: Option<u64>,
    reading: u32,
    tx_stall: f64,
}

impl Rig {
    fn new(sizes: &EngineConfig, seed: u64, traced: bool, patience: u32) -> Self {
        let link = Link::with_patience(sizes, &identity(sizes), patience).unwrap();
        let driver = Driver::new(link, |b| &mut b.clock).unwrap();
        let trace = traced.then(|| Trace::new(driver.block()));
        let mut rig = Rig {
            driver,
            trace,
            core: Plain::new(sizes),
            out: Vec::new(),
            random: random(seed),
            offered: None,
            reading: 0,
            tx_stall: 0.0,
        };
        rig.idle(200);
        rig
    }

    /// One cycle, with a byte (or one without a stop bit) for the next.
    fn cycle(&mut self, byte: Option<Option<u8>>) {
        let Rig {
            driver,
            trace,
            core,
            out,
            random,
            offered,
            ..
        } = self;
        if let Some(trace) = trace {
            trace.record(driver.block());
        }
        let ready = !random.random_bool(self.tx_stall);
        let (takes, gives) = (random.random_bool(0.8), random.random_bool(0.8));
        driver
            .cycle(|b| {
                let word = b.tx_valid.val().then(|| b.tx_data.val().get());
                if offered.is_some() {
                    assert_eq!(word, *offered, "an answer's byte changed while it waited");
                }
                *offered = word.filter(|_| !b.tx_ready.val());
                if let Some(word) = word.filter(|_| b.tx_ready.val()) {
                    out.push(word as u8);
                }
                if b.engine_reset.val() {
                    core.reset();
                } else {
                    let at = (b.load_memory.val().get() as u8, b.load_address.val().get() as u32);
                    if b.load_valid.val() && !b.load_read.val() && b.load_ready.val() {
                        core.write(at.0, at.1, b.load_data.val().get());
                    }
                    if b.s_axis_tvalid.val() && b.s_axis_tready.val() {
                        assert!(core.offer(b.s_axis_tdata.val().get() as i32, b.s_axis_tlast.val()));
                    }
                    if b.m_axis_tvalid.val() && b.m_axis_tready.val() {
                        core.output();
                    }
                }
                b.rx_valid.next = matches!(byte, Some(Some(_)));
                b.rx_error.next = matches!(byte, Some(None));
                b.rx_data.next = U::new(byte.flatten().unwrap_or_default() as u64);
                b.tx_ready.next = ready;
                b.s_axis_tready.next = core.takes() && takes;
                let word = core.output.front().filter(|_| gives || b.m_axis_tvalid.val());
                b.m_axis_tvalid.next = word.is_some();
                let (data, last) = word.copied().unwrap_or_default();
                (b.m_axis_tdata.next, b.m_axis_tlast.next) = (S::new(data as i64), last);
                (b.busy.next, b.error.next) = (core.busy(), U::new(core.error as u64));
                b.load_ready.next = false;
            })
            .unwrap();
        // The load port answers in the same cycle.
        let b = driver.block_mut();
        let reads = b.load_valid.val() && b.load_read.val();
        self.reading = if reads { self.reading + 1 } else { 0 };
        let at = (b.load_memory.val().get() as u8, b.load_address.val().get() as u32);
        b.load_ready.next = if reads { self.reading == 8 } else { !self.core.busy() };
        b.load_word.next = U::new(if self.reading == 8 {
            self.core.read(at.0, at.1)
        } else {
            0
        });
        if self.reading == 8 {
            self.reading = 0;
        }
        driver.settle().unwrap();
    }

    fn idle(&mut self, cycles: usize) {
        for _ in 0..cycles {
            self.cycle(None);
        }
    }

    fn bytes(&mut self, line: &[Option<u8>], spacing: usize) {
        for &byte in line {
            self.cycle(Some(byte));
            self.idle(spacing - 1);
        }
    }

    /// Until as many bytes have come as are owed, and all is quiet.
    fn owed(&mut self, count: usize) -> Vec<u8> {
        for _ in 0..60_000 {
            if self.out.len() >= count {
                break;
            }
            self.cycle(None);
        }
        self.idle(1500);
        std::mem::take(&mut self.out)
    }

    fn replay(mut self, name: &str) {
        let Some(tool) = optional(Tool::Icarus) else { return };
        let trace = self.trace.take().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let design = Design::rtl(name, self.driver.verilog());
        let result = icarus::replay(&tool, &design, &trace, dir.path()).unwrap();
        assert!(result.is_equal(), "{result}");
    }
}

/// What a host knows, and sometimes gets wrong.
struct Host {
    sizes: EngineConfig,
    random: ChaCha8Rng,
    session: u16,
    position: u32,
    produced: u32,
    number: u8,
}

impl Host {
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.random.fill_bytes(&mut bytes);
        if self.random.random_bool(0.3) {
            bytes.fill(0);
        }
        bytes
    }

    fn request(&mut self) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        let r = &mut self.random;
        let operation = match r.random_range(0..40) {
            0 => Operation::Open,
            1..=12 => Operation::Read,
            13..=26 => Operation::Write,
            27..=33 => Operation::WriteLast,
            _ => Operation::Check,
        };
        let fitting: Vec<Space> = SPACES.iter().copied().filter(|s| s.allows(operation)).collect();
        let mut space = fitting[r.random_range(0..fitting.len())];
        if operation == Operation::Write && r.random_bool(0.4) {
            space = Space::Input;
        }
        let near = [0, 0, 0, 0, 1, 255, 1 << 23, POSITIONS - 1, POSITIONS - 7][r.random_range(0..9)];
        let size = space.size(&self.sizes).max(1);
        let address = match space {
            Space::Input => self.position.wrapping_add(near),
            Space::Output => self.produced.wrapping_sub(r.random_range(0..300)).wrapping_add(near),
            Space::Bank => r.random_range(0..5) << 16 | r.random_range(0..size + 1),
            _ if r.random_bool(0.1) => r.random_range(0..POSITIONS),
            _ => r.random_range(0..size + 1),
        } % POSITIONS;
        let bytes = space.word_bytes(&self.sizes);
        let most = space.words_a_payload(&self.sizes);
        let words = if r.random_bool(0.3) {
            r.random_range(0..=most)
        } else {
            r.random_range(0..12)
        };
        let session = match r.random_range(0..12) {
            0 => self
                .session
                .wrapping_add([1, 5, 32767, 32768, 65535][r.random_range(0..5)]),
            _ if operation == Operation::Open => {
                let step = [0, 1, 1, 1, 300][r.random_range(0..5)];
                self.session.wrapping_add(step)
            }
            _ => self.session,
        };
        let ack = (self.produced.wrapping_sub(r.random_range(0..260)).wrapping_add(near) % POSITIONS).to_le_bytes();
        let count = [words as u8, r.random()][r.random_bool(0.1) as usize];
        let mut payload = match (operation, space) {
            (Operation::Open, _) => vec![],
            (Operation::Read, Space::Output) => vec![count, ack[0], ack[1], ack[2]],
            (Operation::Read, _) => vec![count],
            (Operation::Check, _) => {
                let words = r.random_range(0..=size.min(400));
                words.to_le_bytes()[..3].to_vec()
            }
            _ => self.bytes(words * bytes),
        };
        let r = &mut self.random;
        if r.random_bool(0.05) {
            payload.truncate(r.random_range(0..=payload.len()));
        }
        if r.random_bool(0.02) {
            payload.push(1);
        }
        payload.truncate(MAX_PAYLOAD);
        let mut body = Request {
            operation,
            space,
            number: self.number,
            session,
            address,
            payload,
        }
        .bytes();
        if r.random_bool(0.05) {
            body[0] = r.random();
        }
        if r.random_bool(0.02) {
            body[4] = r.random();
        }
        if r.random_bool(0.02) {
            body.resize(r.random_range(0..300), r.random());
        }
        frame::line(&body)
    }

    fn learn(&mut self, answers: &[u8]) {
        for line in answers.split(|&b| b == DELIMITER).filter(|l| !l.is_empty()) {
            let answer = Answer::read(&frame::body(line).expect("a whole answer")).expect("an answer");
            match split(answer.kind & !ANSWER) {
                Some((Operation::Open, _)) if answer.status == Status::Done => {
                    (self.session, self.position, self.produced) = (answer.session, 0, 0);
                }
                _ if answer.status == Status::Session || answer.status == Status::Unknown => {}
                Some((_, Space::Input)) => self.position = answer.value,
                Some((_, Space::Output)) => self.produced = answer.value,
                _ => {}
            }
        }
    }
}

/// A damaged line.
fn damage(line: &[u8], random: &mut ChaCha8Rng) -> Vec<Option<u8>> {
    let mut line: Vec<Option<u8>> = line.iter().map(|&b| Some(b)).collect();
    for _ in 0..random.random_range(1..3) {
        let at = random.random_range(0..line.len());
        match random.random_range(0..5) {
            0 => line[at] = Some(random.random()),
            1 => line[at] = line[at].map(|b| b ^ 1 << random.random_range(0..8)),
            2 if line.len() > 1 => {
                line.remove(at);
            }
            3 => line.insert(at, line[at]),
            _ => line[at] = None,
        }
    }
    // What is begun is ended: the next request is one by itself.
    line.push(Some(DELIMITER));
    line
}

fn compare(width: u32, seed: u64, requests: usize, damaged: f64, traced: bool, tx_stall: f64) {
    let sizes = sizes(width);
    let mut rig = Rig::new(&sizes, seed, traced, WATCHDOG_BITS);
    rig.tx_stall = tx_stall;
    let mut board = Endpoint::new(&sizes, &identity(&sizes), Plain::new(&sizes));
    let mut host = Host {
        sizes: sizes.clone(),
        random: random(seed + 1),
        session: 0,
        position: 0,
        produced: 0,
        number: 0,
    };
    // A session, a sequence of one word, its output: what comes out of memories is known from then on.
    let ask = |operation, space, payload: &[u8]| Request {
        operation,
        space,
        number: 0,
        session: 1,
        address: 0,
        payload: payload.to_vec(),
    };
    for request in [
        ask(Operation::Open, Space::M, &[]),
        ask(
            Operation::WriteLast,
            Space::Input,
            &[1, 0, 0][..Space::Input.word_bytes(&sizes)],
        ),
        ask(Operation::Read, Space::Output, &[2, 0, 0, 0]),
    ] {
        let line: Vec<Option<u8>> = request.line().into_iter().map(Some).collect();
        line.iter().flatten().for_each(|&byte| board.receive(byte));
        let owed = board.answers();
        rig.bytes(&line, 16);
        assert_eq!(rig.owed(owed.len()), owed);
        host.learn(&owed);
    }
    if let Some(trace) = &mut rig.trace {
        trace.set_compare_from(trace.cycles());
    }
    let mut statuses = [0; 7];
    for n in 0..requests {
        if host.random.random_bool(0.1) {
            let stalled = host.random.random_bool(0.5);
            rig.core.stalled = stalled;
            board.core_mut().stalled = stalled;
            board.work();
            rig.idle(1500);
        }
        let line = host.request();
        let line = if host.random.random_bool(damaged) {
            damage(&line, &mut host.random)
        } else {
            line.into_iter().map(Some).collect()
        };
        for &byte in &line {
            match byte {
                Some(byte) => board.receive(byte),
                None => board.line_error(),
            }
        }
        let owed = board.answers();
        rig.bytes(&line, 16);
        let found = rig.owed(owed.len());
        assert_eq!(found, owed, "request {n}: {line:x?}");
        host.learn(&owed);
        for line in owed.split(|&b| b == DELIMITER).filter(|l| !l.is_empty()) {
            statuses[frame::body(line).unwrap()[8] as usize] += 1;
        }
    }
    println!("width {width}, seed {seed}: statuses {statuses:?}");
    assert!(requests < 500 || statuses.iter().all(|&n| n > 0), "{statuses:?}");
    if traced {
        rig.replay("link");
    }
}

#[test]
fn the_gateware_answers_as_the_endpoint() {
    compare(8, 1, 1500, 0.0, false, 0.0);
}

#[test]
fn the_gateware_answers_as_the_endpoint_at_sixteen_and_eighteen_bits() {
    compare(16, 2, 700, 0.0, false, 0.3);
    compare(18, 3, 700, 0.1, false, 0.0);
}

#[test]
fn damage_is_counted_and_nothing_else_happens() {
    compare(8, 4, 1500, 0.5, false, 0.5);
}

#[test]
fn the_emitted_link_is_the_same_in_every_cycle() {
    compare(8, 5, 25, 0.2, true, 0.2);
    compare(18, 6, 12, 0.2, true, 0.0);
}
