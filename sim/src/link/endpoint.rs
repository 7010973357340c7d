//! The board's side of the link: bytes in, bytes out. What it says is what the gateware says; only time is missing, so nothing overruns here.
//!
//! A board with zeros in its memories takes a session and gives the CRC of four of them:
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::{identity::Identity, protocol::*};
//! use astromorph_sim::link::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let text = Identity { board: "none", clock_hz: 24_000_000, baud: 1_000_000 }.text(&core).unwrap();
//! let mut board = Endpoint::new(&core, &text, MemoryCore::new(&core).unwrap());
//! let mut ask = |operation, number, payload: &[u8]| {
//!     let request = Request { operation, space: Space::M, number, session: 5, address: 0, payload: payload.to_vec() };
//!     request.line().into_iter().for_each(|byte| board.receive(byte));
//!     let line = board.answers();
//!     Answer::read(&frame::body(&line[..line.len() - 1]).unwrap()).unwrap()
//! };
//! assert_eq!(ask(Operation::Check, 1, &[4, 0, 0]).status, Status::Session);
//! assert_eq!(ask(Operation::Open, 2, &[]).status, Status::Done);
//! let answer = ask(Operation::Check, 3, &[4, 0, 0]);
//! assert_eq!((answer.kind, answer.number, answer.status), (12, 3, Status::Done));
//! assert_eq!(answer.payload, crc32fast::hash(&[0; 16]).to_le_bytes());
//! ```

use super::core::Core;
use super::frame::{body, line, three};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::protocol::*;
use astromorph_hdl::link::registers::*;
use std::collections::VecDeque;

/// Longest line that can be a request: code and body.
const LINE_MAX: usize = BODY_MAX + 1;

/// A board.
pub struct Endpoint<C> {
    sizes: EngineConfig,
    identity: Vec<u8>,
    core: C,
    /// Bytes since the delimiter; one more than [`LINE_MAX`] at most.
    frame: Vec<u8>,
    frame_damaged: bool,
    out: Vec<u8>,
    /// The number that sessions are compared with, and whether it is one.
    session: u16,
    known: bool,
    open: bool,
    position: u32,
    queue: VecDeque<(i32, bool)>,
    freed: u32,
    ring: VecDeque<i32>,
    registers: [u32; REGISTERS.len()],
    error: u8,
}

/// A request that came whole.
struct Parts<'a> {
    kind: u8,
    session: u16,
    address: u32,
    payload: &'a [u8],
}

impl<C: Core> Endpoint<C> {
    /// A board after its reset; `identity` is the text of [`astromorph_hdl::link::identity`].
    pub fn new(sizes: &EngineConfig, identity: &str, core: C) -> Self {
        let mut bytes = identity.as_bytes().to_vec();
        bytes.resize(IDENTITY_BYTES as usize, 0);
        Endpoint {
            sizes: sizes.clone(),
            identity: bytes,
            core,
            frame: Vec::new(),
            frame_damaged: false,
            out: Vec::new(),
            session: 0,
            known: false,
            open: false,
            position: 0,
            queue: VecDeque::new(),
            freed: 0,
            ring: VecDeque::new(),
            registers: [0; REGISTERS.len()],
            error: 0,
        }
    }

    /// The engine.
    pub fn core(&self) -> &C {
        &self.core
    }

    /// The engine, for whoever does something to it that the link does not.
    pub fn core_mut(&mut self) -> &mut C {
        &mut self.core
    }

    /// The board's reset: everything but the memories.
    pub fn reset(&mut self) {
        self.frame.clear();
        self.frame_damaged = false;
        self.out.clear();
        (self.session, self.known) = (0, false);
        self.end_session();
        self.registers = [0; REGISTERS.len()];
    }

    /// What the watchdog does when its time has come.
    pub fn watchdog(&mut self) {
        let error = self.error | self.core.error();
        let sequences = self.registers[SEQUENCES as usize];
        self.end_session();
        self.error = error;
        self.registers[SEQUENCES as usize] = sequences;
        self.count(WATCHDOG);
    }

    /// A byte whose stop bit did not come.
    pub fn line_error(&mut self) {
        self.count(LINE);
        self.frame_damaged = true;
    }

    /// A byte.
    pub fn receive(&mut self, byte: u8) {
        if byte != DELIMITER {
            if self.frame.len() <= LINE_MAX {
                self.frame.push(byte);
            }
            return;
        }
        let frame = std::mem::take(&mut self.frame);
        let damaged = std::mem::take(&mut self.frame_damaged);
        if frame.is_empty() && !damaged {
            return;
        }
        let request = body(&frame).filter(|b| {
            let length = b.len().checked_sub(REQUEST_HEADER);
            !damaged && frame.len() <= LINE_MAX && length.is_some_and(|l| l == b[4] as usize) && b[0] & ANSWER == 0
        });
        match request {
            Some(request) => self.request(&request),
            None => self.count(DAMAGED),
        }
    }

    /// What has been answered since the last call.
    pub fn answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Lets the engine take and give what it can.
    pub fn work(&mut self) {
        loop {
            let mut moved = false;
            while let Some(&(word, last)) = self.queue.front() {
                if !self.core.offer(word, last) {
                    break;
                }
                self.queue.pop_front();
                moved = true;
            }
            while self.ring.len() < STREAM_WORDS as usize {
                let Some((word, last)) = self.core.output() else { break };
                self.ring.push_back(word);
                if last {
                    self.registers[SEQUENCES as usize] = self.registers[SEQUENCES as usize].wrapping_add(1);
                }
                moved = true;
            }
            self.error |= self.core.error();
            if !moved {
                return;
            }
        }
    }

    fn count(&mut self, register: u32) {
        let count = &mut self.registers[register as usize];
        *count = (*count + 1).min(0xffff);
    }

    /// Streams empty, positions 0, engine reset, and no session.
    fn end_session(&mut self) {
        self.open = false;
        self.core.reset();
        self.queue.clear();
        self.ring.clear();
        (self.position, self.freed, self.error) = (0, 0, 0);
        self.registers[SEQUENCES as usize] = 0;
    }

    fn produced(&self) -> u32 {
        (self.freed + self.ring.len() as u32) % POSITIONS
    }

    fn request(&mut self, bytes: &[u8]) {
        let parts = Parts {
            kind: bytes[0],
            session: u16::from_le_bytes([bytes[2], bytes[3]]),
            address: three(&bytes[5..]),
            payload: &bytes[REQUEST_HEADER..],
        };
        self.work();
        let result = self.execute(&parts);
        let (status, payload) = match result {
            Ok(payload) => (Status::Done, payload),
            Err(status) => (status, Vec::new()),
        };
        let value = match (status, split(parts.kind)) {
            (Status::Session, _) => self.session as u32,
            (Status::Unknown, _) | (_, None) => parts.address,
            (_, Some((_, Space::Input))) => self.position,
            (_, Some((_, Space::Output))) => self.produced(),
            _ => parts.address,
        };
        let mut answer = vec![parts.kind | ANSWER, bytes[1], bytes[2], bytes[3], payload.len() as u8];
        answer.extend(&value.to_le_bytes()[..3]);
        answer.push(status as u8);
        answer.extend(payload);
        self.out.extend(line(&answer));
        self.registers[FRAMES as usize] = self.registers[FRAMES as usize].wrapping_add(1);
        if status != Status::Done {
            self.count(REFUSED);
        }
        self.work();
    }

    fn execute(&mut self, parts: &Parts<'_>) -> Result<Vec<u8>, Status> {
        let (operation, space) = split(parts.kind).ok_or(Status::Unknown)?;
        let present = self.open && parts.session == self.session;
        let newer = !self.known || newer(self.session, parts.session);
        match operation {
            Operation::Open if newer || present => {}
            Operation::Read if matches!(space, Space::Registers | Space::Identity) => {}
            _ if present && operation != Operation::Open => {}
            _ => return Err(Status::Session),
        }
        let count = self.words(operation, space, parts.payload).ok_or(Status::Length)?;
        let addressed = space.size(&self.sizes) > 0 && operation != Operation::Open;
        if addressed && !space.holds(&self.sizes, parts.address, count) {
            return Err(Status::Unknown);
        }
        match operation {
            Operation::Open => {
                if !present {
                    self.end_session();
                    (self.session, self.known, self.open) = (parts.session, true, true);
                }
                Ok(Vec::new())
            }
            Operation::Read if space == Space::Output => self.outputs(parts, count),
            Operation::Read => Ok(self.bytes(space, parts.address, count)),
            Operation::Check => {
                self.idle()?;
                let mut crc = crc32fast::Hasher::new();
                for address in parts.address..parts.address + count {
                    let word = self.core.read(space as u8, address).to_le_bytes();
                    crc.update(&word[..space.word_bytes(&self.sizes)]);
                }
                Ok(crc.finalize().to_le_bytes().to_vec())
            }
            Operation::Write | Operation::WriteLast if space == Space::Input => self.inputs(operation, parts, count),
            Operation::Write | Operation::WriteLast => {
                self.idle()?;
                let words = parts.payload.chunks(space.word_bytes(&self.sizes));
                for (word, address) in words.zip(parts.address..) {
                    let data = word.iter().rev().fold(0, |all, &b| all << 8 | b as u64);
                    self.core.write(space as u8, address, data);
                }
                Ok(Vec::new())
            }
        }
    }

    /// Words that a request is about; `None` if its length is wrong for it.
    fn words(&self, operation: Operation, space: Space, payload: &[u8]) -> Option<u32> {
        let bytes = space.word_bytes(&self.sizes);
        let most = space.words_a_payload(&self.sizes) as u32;
        let (length, count) = match (operation, space) {
            (Operation::Open, _) => return payload.is_empty().then_some(0),
            (Operation::Write | Operation::WriteLast, _) => {
                return (!payload.is_empty() && payload.len().is_multiple_of(bytes))
                    .then_some((payload.len() / bytes) as u32);
            }
            (Operation::Check, _) => (3, three(payload)),
            (Operation::Read, Space::Output) => (4, payload.first().map_or(0, |&c| c as u32)),
            (Operation::Read, _) => (1, payload.first().map_or(0, |&c| c as u32)),
        };
        let fits = operation == Operation::Check || count <= most;
        (payload.len() == length && count > 0 && fits).then_some(count)
    }

    /// Memories are touched only then.
    fn idle(&self) -> Result<(), Status> {
        match self.core.busy() || !self.queue.is_empty() {
            true => Err(Status::Busy),
            false => Ok(()),
        }
    }

    fn inputs(&mut self, operation: Operation, parts: &Parts<'_>, count: u32) -> Result<Vec<u8>, Status> {
        if parts.address != self.position {
            let taken = ahead(self.position, parts.address.wrapping_add(count)) < POSITIONS / 2;
            return if taken { Ok(Vec::new()) } else { Err(Status::Position) };
        }
        if self.queue.len() + count as usize > STREAM_WORDS as usize {
            return Err(Status::Busy);
        }
        let spare = 64 - self.sizes.width;
        for (n, word) in parts.payload.chunks(Space::Input.word_bytes(&self.sizes)).enumerate() {
            let bits = word.iter().rev().fold(0, |all, &b| all << 8 | b as u64);
            let last = operation == Operation::WriteLast && n as u32 + 1 == count;
            self.queue.push_back((((bits << spare) as i64 >> spare) as i32, last));
        }
        self.position = (self.position + count) % POSITIONS;
        Ok(Vec::new())
    }

    fn outputs(&mut self, parts: &Parts<'_>, count: u32) -> Result<Vec<u8>, Status> {
        let free = ahead(three(&parts.payload[1..]), self.freed) as usize;
        if free <= self.ring.len() {
            self.ring.drain(..free);
            self.freed = (self.freed + free as u32) % POSITIONS;
        }
        let at = ahead(parts.address, self.freed) as usize;
        if at > self.ring.len() {
            return Err(if at >= POSITIONS as usize / 2 {
                Status::Freed
            } else {
                Status::Position
            });
        }
        let bytes = Space::Output.word_bytes(&self.sizes);
        let words = self.ring.iter().skip(at).take(count as usize);
        Ok(words.flat_map(|w| w.to_le_bytes().into_iter().take(bytes)).collect())
    }

    fn bytes(&self, space: Space, address: u32, count: u32) -> Vec<u8> {
        let range = address as usize..(address + count) as usize;
        if space == Space::Identity {
            return self.identity[range].to_vec();
        }
        let busy = self.core.busy() as u32;
        let empty = self.queue.is_empty() as u32;
        let status = busy << STATUS_BUSY
            | (self.open as u32) << STATUS_OPEN
            | empty << STATUS_EMPTY
            | (self.error as u32) << STATUS_ERROR;
        let word = |n: usize| match n as u32 {
            STATUS => status,
            _ => self.registers[n],
        };
        range.flat_map(|n| word(n).to_le_bytes()).collect()
    }
}
