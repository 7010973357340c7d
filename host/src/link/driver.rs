//! Requests to a board, many under way at once, and what became of each: an answer, or a loss.
//!
//! | | |
//! |---|---|
//! | under way | writes up to a window of bytes; reads and checks up to three (`docs/link.md` section 3) |
//! | answer | belongs to the request of its number, session and kind that is under way; any other is stale and counted |
//! | loss | a later request was answered, or its time is over; whoever sent it sends again |
//! | window | halves at a loss, once for a burst of them, and grows by answers; where it is small, payloads are too |
//! | time | line, answer and work of all before it, by the line's rate; grows while nothing comes, and with a board that is slower than it says |
//! | end | no answer to anything for [`Timing::patience`]: the board is silent, or gone |
//!
//! Numbers go round after 256 requests: an answer that comes later than 250 requests after its own would be taken for another's. No line holds as many back.

use super::counters::Counters;
use super::error::{Error, Result, Trouble};
use super::frame::Decoder;
use super::transport::{Broken, Transport};
use crate::interrupt;
use astromorph_hdl::link::protocol::*;
use astromorph_sim::link::{Answer, Request};
use std::collections::VecDeque;
use std::time::Duration;

/// Reads and checks under way.
const READS: usize = 3;
/// Bytes under way: at least, and at most, where the line does not set the limit: what it takes in 20 ms, so that no read waits long behind writes.
const WINDOW: (usize, usize) = (128, 16 * 1024);
const WINDOWS_A_SECOND: usize = 50;
/// Bytes that an answer adds to the window.
const GROWTH: usize = 64;
/// Requests under way: fewer than numbers, so that a number comes back late.
const REQUESTS: usize = 120;
/// Shortest payload that a small window brings.
const SHORTEST: usize = 24;
/// Bytes of a frame besides its payload: header, CRC, code, delimiter.
const AROUND: usize = ANSWER_HEADER + CRC_BYTES + 2;
/// Times a request may be slower than reckoned.
const SLOWEST: f64 = 256.0;

/// How long a driver waits.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From the last bit out to the first bit in, beyond all that can be reckoned: buffers, drivers, schedulers.
    pub latency: Duration,
    /// Without an answer to anything.
    pub patience: Duration,
    /// Without a word in or out while sequences are in work; beyond the board's own watchdog.
    pub stuck: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            latency: Duration::from_millis(60),
            patience: Duration::from_secs(5),
            stuck: Duration::from_secs(30),
        }
    }
}

/// What became of a request; `tag` as its sender gave it.
#[derive(Debug)]
pub enum Event {
    Answer { tag: u64, answer: Answer },
    Lost { tag: u64 },
}

struct Flight {
    tag: u64,
    /// Requests sent before it.
    place: u64,
    kind: u8,
    number: u8,
    session: u16,
    bytes: usize,
    read: bool,
    sent: Duration,
    due: Duration,
}

/// One end of a link.
pub struct Driver {
    transport: Box<dyn Transport>,
    decoder: Decoder,
    timing: Timing,
    /// The session of all requests.
    pub session: u16,
    number: u8,
    flights: VecDeque<Flight>,
    events: VecDeque<Event>,
    window: usize,
    /// Losses among requests before this place have had their effect on the window.
    halved: u64,
    place: u64,
    /// When line and board are through with what is under way, as reckoned.
    line_free: Duration,
    board_free: Duration,
    slowness: f64,
    /// Clock of the last answer, and what was lost since.
    heard: Duration,
    silent: u32,
    bytes_at_heard: u64,
    /// What happened so far.
    pub counters: Counters,
}

impl Driver {
    /// Ends whatever stood on the line.
    pub fn new(transport: Box<dyn Transport>, timing: Timing) -> Result<Driver> {
        let heard = transport.now();
        let mut driver = Driver {
            transport,
            decoder: Decoder::default(),
            timing,
            session: 0,
            number: 0,
            flights: VecDeque::new(),
            events: VecDeque::new(),
            window: WINDOW.1 / 16,
            halved: 0,
            place: 0,
            line_free: Duration::ZERO,
            board_free: Duration::ZERO,
            slowness: 1.0,
            heard,
            silent: 0,
            bytes_at_heard: 0,
            counters: Counters::default(),
        };
        driver.resynchronise()?;
        Ok(driver)
    }

    /// The port's name.
    pub fn name(&self) -> String {
        self.transport.name()
    }

    /// The line's clock.
    pub fn now(&self) -> Duration {
        self.transport.now()
    }

    /// The line's rate.
    pub fn baud(&self) -> u64 {
        self.transport.baud()
    }

    /// How long it waits.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// The same with the port's name.
    pub fn trouble<T>(&self, trouble: Trouble) -> Result<T> {
        Err(Error::Trouble {
            port: self.name(),
            trouble,
        })
    }

    /// Forgets all requests under way; their answers will be stale. A delimiter ends what the board has of a frame.
    pub fn resynchronise(&mut self) -> Result<()> {
        self.flights.clear();
        self.events.clear();
        match self.transport.send(&[DELIMITER]) {
            Ok(()) => Ok(()),
            Err(broken) => self.reconnect(broken),
        }
    }

    /// Bytes that a payload should have at most.
    pub fn payload(&self) -> usize {
        (self.window / 4).clamp(SHORTEST, MAX_PAYLOAD)
    }

    /// Whether one more request may go.
    pub fn room(&self, read: bool) -> bool {
        let under_way: usize = self.flights.iter().map(|f| f.bytes).sum();
        let reads = self.flights.iter().filter(|f| f.read).count();
        self.flights.len() < REQUESTS
            && (self.flights.is_empty() || under_way < self.window)
            && (!read || reads < READS)
    }

    /// Requests under way, and what is known but not yet asked for.
    pub fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.events.is_empty()
    }

    /// Sends a request. `work`: how long the board will be at it.
    pub fn send(
        &mut self,
        tag: u64,
        what: (Operation, Space),
        address: u32,
        payload: Vec<u8>,
        work: Duration,
    ) -> Result<()> {
        let (operation, space) = what;
        let read = matches!(operation, Operation::Read | Operation::Check);
        // Of a read's answer, at most.
        let answer = AROUND + if read { MAX_PAYLOAD } else { 0 };
        self.number = self.number.wrapping_add(1);
        let request = Request {
            operation,
            space,
            number: self.number,
            session: self.session,
            address: address % POSITIONS,
            payload,
        };
        let line = request.line();
        let now = self.transport.now();
        if self.flights.is_empty() && self.silent == 0 {
            // Nothing was awaited until now.
            (self.heard, self.bytes_at_heard) = (now, self.counters.bytes_come);
        }
        self.line_free = self.line_free.max(now) + self.time(line.len());
        self.board_free = self.board_free.max(self.line_free) + work + self.time(answer);
        let due = now + (self.board_free - now + self.timing.latency).mul_f64(self.slowness);
        self.flights.push_back(Flight {
            tag,
            place: self.place,
            kind: kind(operation, space) | ANSWER,
            number: self.number,
            session: self.session,
            bytes: line.len(),
            read,
            sent: now,
            due,
        });
        self.place += 1;
        self.counters.sent += 1;
        self.counters.bytes_sent += line.len() as u64;
        match self.transport.send(&line) {
            Ok(()) => Ok(()),
            Err(broken) => self.reconnect(broken),
        }
    }

    /// What has become of a request; waits for it at most so long.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>> {
        let until = self.transport.now() + wait;
        let mut buffer = [0; 4096];
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if interrupt::requested() {
                return Err(Error::Interrupted);
            }
            let now = self.transport.now();
            let first = self.flights.iter().map(|f| f.due).min();
            let end = first.map_or(until, |due| due.min(until));
            // Not longer at a time than a person wants to wait for the end of an interrupted program.
            let patience = end.saturating_sub(now).min(Duration::from_millis(200));
            let n = match self.transport.receive(&mut buffer, patience) {
                Ok(n) => n,
                Err(broken) => {
                    self.reconnect(broken)?;
                    continue;
                }
            };
            self.take(&buffer[..n]);
            let now = self.transport.now();
            // Late is only what does not wait to be read; but bytes without end are no reason to wait without end.
            if n == 0 || first.is_some_and(|due| now > due + self.timing.patience / 8) {
                self.expire(now)?;
            }
            if now >= until && self.events.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Asks until there is an answer.
    pub fn ask(&mut self, what: (Operation, Space), address: u32, payload: &[u8]) -> Result<Answer> {
        loop {
            self.send(0, what, address, payload.to_vec(), Duration::ZERO)?;
            loop {
                match self.next(self.timing.patience)? {
                    Some(Event::Answer { answer, .. }) => return Ok(answer),
                    Some(Event::Lost { .. }) => break,
                    None => {}
                }
            }
        }
    }

    /// Lets time go.
    pub fn pause(&mut self, time: Duration) {
        self.transport.pause(time);
    }

    fn time(&self, bytes: usize) -> Duration {
        Duration::from_nanos(bytes as u64 * 10_000_000_000 / self.transport.baud().max(1))
    }

    fn widest(&self) -> usize {
        (self.baud() as usize / 10 / WINDOWS_A_SECOND).clamp(WINDOW.1 / 16, WINDOW.1)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.counters.bytes_come += bytes.len() as u64;
        for &byte in bytes {
            match self.decoder.take(byte) {
                Some(Some(answer)) => self.answer(answer),
                Some(None) => self.counters.damaged += 1,
                None => {}
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        let own = |f: &Flight| (f.number, f.session, f.kind) == (answer.number, answer.session, answer.kind);
        let Some(at) = self.flights.iter().position(own) else {
            self.counters.stale += 1;
            return;
        };
        // A board answers in order: what it has not answered by now did not come, or its answer did not.
        for _ in 0..at {
            self.counters.overtaken += 1;
            self.lose();
        }
        let now = self.transport.now();
        (self.heard, self.silent, self.bytes_at_heard) = (now, 0, self.counters.bytes_come);
        self.counters.answered += 1;
        self.window = (self.window + GROWTH).min(self.widest());
        if let Some(flight) = self.flights.pop_front() {
            // A board that is slower than it says is given twice the time it took.
            let reckoned = (flight.due - flight.sent).as_secs_f64() / self.slowness;
            let took = (now - flight.sent).as_secs_f64() / reckoned.max(1e-9);
            self.slowness = (self.slowness * 0.9).max(2.0 * took).clamp(1.0, SLOWEST);
            self.events.push_back(Event::Answer {
                tag: flight.tag,
                answer,
            });
        }
        if self.flights.is_empty() {
            self.board_free = now;
        }
    }

    /// The first request under way is lost.
    fn lose(&mut self) {
        if let Some(flight) = self.flights.pop_front() {
            if flight.place >= self.halved {
                self.window = (self.window / 2).max(WINDOW.0);
                self.halved = self.place;
            }
            self.events.push_back(Event::Lost { tag: flight.tag });
        }
    }

    /// Loses what is late.
    fn expire(&mut self, now: Duration) -> Result<()> {
        let Some(last) = self.flights.iter().rposition(|f| f.due <= now) else {
            return Ok(());
        };
        for _ in 0..=last {
            self.counters.late += 1;
            self.lose();
        }
        self.silent += 1;
        self.slowness = (self.slowness * 2.0).min(SLOWEST);
        // What the board was thought to have before it is not there.
        (self.line_free, self.board_free) = (now, now);
        let waited = now.saturating_sub(self.heard);
        if self.silent >= 5 && waited >= self.timing.patience {
            return Err(Error::Silent {
                port: self.name(),
                waited,
                bytes: self.counters.bytes_come - self.bytes_at_heard,
            });
        }
        Ok(())
    }

    /// Everything under way is lost; the line comes back within the patience, or never.
    fn reconnect(&mut self, broken: Broken) -> Result<()> {
        while !self.flights.is_empty() {
            self.counters.late += 1;
            self.lose();
        }
        self.decoder = Decoder::default();
        self.silent += 1;
        // A line that breaks again and again without an answer between is as good as gone.
        let started = match self.silent {
            ..20 => self.transport.now(),
            _ => self.heard,
        };
        let mut broken = broken;
        loop {
            let waited = self.transport.now().saturating_sub(started);
            if interrupt::requested() {
                return Err(Error::Interrupted);
            }
            if waited > self.timing.patience {
                return Err(Error::Disconnected {
                    port: self.name(),
                    waited,
                    found: broken.0,
                });
            }
            self.transport.pause(Duration::from_millis(10));
            let back = self
                .transport
                .reconnect()
                .and_then(|()| self.transport.send(&[DELIMITER]));
            match back {
                Ok(()) => break,
                Err(again) => broken = again,
            }
        }
        self.counters.reconnects += 1;
        Ok(())
    }
}
