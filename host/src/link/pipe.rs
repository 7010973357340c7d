//! A line to a board inside this process: [`Endpoint`] behind a line of a given rate, in the time that the line would take.
//!
//! Both directions run at once, a byte takes ten bits, and the sender's buffer holds 4 kB. The board answers as soon as a request's last byte has come; what its engine
//! computes costs no time here. So the clock shows what the protocol alone makes of a line.

use super::transport::{Broken, Transport};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::identity::Identity;
use astromorph_sim::link::{Core, Endpoint, MemoryCore};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes that wait for the line before a sender must.
const BUFFER: u64 = 4096;

/// A line with a board at its end.
pub struct Pipe<C> {
    board: Endpoint<C>,
    baud: u64,
    /// Nanoseconds: the clock, and when each direction is free.
    now: u64,
    down: u64,
    up: u64,
    /// Bytes on their way to the host, with the time of each.
    coming: VecDeque<(u64, u8)>,
}

impl Pipe<MemoryCore> {
    /// A board that computes with the integer machine; its memories are zero.
    pub fn integers(core: &EngineConfig, board: &str, clock_hz: u64, baud: u64) -> astromorph::Result<Self> {
        let text = Identity { board, clock_hz, baud }.text(core)?;
        Ok(Pipe::new(Endpoint::new(core, &text, MemoryCore::new(core)?), baud))
    }
}

impl<C: Core> Pipe<C> {
    /// A line to a board.
    pub fn new(board: Endpoint<C>, baud: u64) -> Self {
        Pipe {
            board,
            baud,
            now: 0,
            down: 0,
            up: 0,
            coming: VecDeque::new(),
        }
    }

    /// The board, for what does not come over the line.
    pub fn board(&mut self) -> &mut Endpoint<C> {
        &mut self.board
    }

    fn byte(&self) -> u64 {
        10_000_000_000 / self.baud.max(1)
    }
}

impl<C: Core + Send> Transport for Pipe<C> {
    fn name(&self) -> String {
        "in process".into()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let byte = self.byte();
        self.down = self.down.max(self.now);
        for &sent in bytes {
            self.down += byte;
            self.board.receive(sent);
            let answers = self.board.answers();
            if !answers.is_empty() {
                self.up = self.up.max(self.down);
            }
            for answer in answers {
                self.up += byte;
                self.coming.push_back((self.up, answer));
            }
        }
        self.now = self.now.max(self.down.saturating_sub(BUFFER * byte));
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Broken> {
        self.board.work();
        let until = self.now + timeout.as_nanos() as u64;
        match self.coming.front() {
            Some(&(at, _)) if at <= until => self.now = self.now.max(at),
            _ => {
                self.now = until;
                return Ok(0);
            }
        }
        let mut n = 0;
        while n < buffer.len()
            && let Some(&(at, byte)) = self.coming.front()
            && at <= self.now
        {
            buffer[n] = byte;
            n += 1;
            self.coming.pop_front();
        }
        Ok(n)
    }

    fn reconnect(&mut self) -> Result<(), Broken> {
        Ok(())
    }

    fn pause(&mut self, time: Duration) {
        self.now += time.as_nanos() as u64;
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    fn baud(&self) -> u64 {
        self.baud
    }
}
