//! A line that does what lines do at their worst, counted and repeatable: for tests and the link's bench.
//!
//! Every byte in either direction meets each fault with its probability, drawn from a seed:
//!
//! | fault | does |
//! |---|---|
//! | drop | the byte is gone |
//! | duplicate | the byte comes twice |
//! | flip | one of its bits is the other |
//! | truncate | the rest of the frame is gone, but for its delimiter |
//! | delay | the frame comes behind 2 to 32 later ones of its direction |
//! | reorder | the frame comes behind the next one |
//! | stall | the direction stands for up to 50 ms; nothing is lost by that |
//! | disconnect | the port is gone for up to 50 ms, and with it what was on its way in both directions |
//!
//! ```
//! use astromorph_host::link::faults::{Fault, Rates};
//! assert_eq!(Rates::only(Fault::Flip, 1e-3).of(Fault::Flip), 1e-3);
//! assert_eq!(Rates::only(Fault::Flip, 1e-3).of(Fault::Drop), 0.0);
//! ```

use super::transport::{Broken, Transport};
use astromorph_hdl::link::protocol::DELIMITER;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest stall, and longest time a port is gone.
const LONGEST: Duration = Duration::from_millis(50);

/// Most frames that a late one comes behind.
const LATEST: usize = 32;

/// What can happen to a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Drop,
    Duplicate,
    Flip,
    Truncate,
    Delay,
    Reorder,
    Stall,
    Disconnect,
}

/// Every fault with its name.
pub const FAULTS: [(Fault, &str); 8] = [
    (Fault::Drop, "drop"),
    (Fault::Duplicate, "duplicate"),
    (Fault::Flip, "flip"),
    (Fault::Truncate, "truncate"),
    (Fault::Delay, "delay"),
    (Fault::Reorder, "reorder"),
    (Fault::Stall, "stall"),
    (Fault::Disconnect, "disconnect"),
];

/// Probability a byte of every fault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates([f64; FAULTS.len()]);

impl Rates {
    /// One fault alone.
    pub fn only(fault: Fault, rate: f64) -> Rates {
        let mut rates = Rates::default();
        rates.0[fault as usize] = rate;
        rates
    }

    /// All of them.
    pub fn all(rate: f64) -> Rates {
        Rates([rate; FAULTS.len()])
    }

    /// The probability of one.
    pub fn of(self, fault: Fault) -> f64 {
        self.0[fault as usize]
    }
}

/// How often each fault has happened: to the board, from the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// By fault, to the board.
    pub down: [u64; FAULTS.len()],
    /// By fault, from the board.
    pub up: [u64; FAULTS.len()],
    /// Frames that went in, in both directions.
    pub frames: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Made {
    /// Of one fault, in both directions.
    pub fn of(&self, fault: Fault) -> u64 {
        self.down[fault as usize] + self.up[fault as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        FAULTS.iter().map(|&(fault, _)| self.of(fault)).sum()
    }
}

/// One direction.
struct Direction {
    rng: ChaCha8Rng,
    made: [u64; FAULTS.len()],
    frames: u64,
    bytes: u64,
    /// The frame under way, and what awaits it.
    frame: Vec<u8>,
    skipping: bool,
    behind: usize,
    /// Late frames, and how many must pass before each.
    late: Vec<(usize, Vec<u8>)>,
    /// Standing until then.
    stalled: Duration,
    /// What has come through.
    through: VecDeque<u8>,
    gone: bool,
}

impl Direction {
    fn new(seed: u64) -> Direction {
        Direction {
            rng: ChaCha8Rng::seed_from_u64(seed),
            made: [0; FAULTS.len()],
            frames: 0,
            bytes: 0,
            frame: Vec::new(),
            skipping: false,
            behind: 0,
            late: Vec::new(),
            stalled: Duration::ZERO,
            through: VecDeque::new(),
            gone: false,
        }
    }

    fn meets(&mut self, rates: &Rates, fault: Fault) -> bool {
        let rate = rates.of(fault);
        let met = rate > 0.0 && self.rng.random_bool(rate);
        self.made[fault as usize] += u64::from(met);
        met
    }

    fn some_time(&mut self) -> Duration {
        LONGEST.mul_f64(self.rng.random_range(0.0..1.0))
    }

    /// One byte goes in; whole frames come through.
    fn take(&mut self, byte: u8, rates: &Rates, now: Duration) {
        self.bytes += 1;
        self.frames += u64::from(byte == DELIMITER);
        if self.meets(rates, Fault::Disconnect) {
            self.gone = true;
            return;
        }
        if self.meets(rates, Fault::Stall) {
            let time = self.some_time();
            self.stalled = self.stalled.max(now) + time;
        }
        if self.meets(rates, Fault::Truncate) {
            self.skipping = true;
        }
        if self.meets(rates, Fault::Reorder) {
            self.behind = self.behind.max(1);
        }
        if self.meets(rates, Fault::Delay) {
            self.behind = self.rng.random_range(2..=LATEST);
        }
        let lost = self.meets(rates, Fault::Drop);
        let copies = 1 + usize::from(self.meets(rates, Fault::Duplicate));
        let flip = if self.meets(rates, Fault::Flip) {
            1 << self.rng.random_range(0..8)
        } else {
            0
        };
        if !(lost || self.skipping && byte != DELIMITER) {
            self.frame.extend(std::iter::repeat_n(byte ^ flip, copies));
        }
        // The end of the frame as it was sent: it decides what goes together.
        if byte == DELIMITER {
            self.skipping = false;
            let frame = std::mem::take(&mut self.frame);
            for (wait, _) in &mut self.late {
                *wait -= 1;
            }
            match std::mem::take(&mut self.behind) {
                0 => self.through.extend(frame),
                n => self.late.push((n, frame)),
            }
            let through = &mut self.through;
            self.late.retain(|(wait, frame)| {
                if *wait == 0 {
                    through.extend(frame);
                }
                *wait > 0
            });
        }
    }

    /// What was on its way is lost.
    fn clear(&mut self) {
        self.frame.clear();
        self.late.clear();
        self.through.clear();
        (self.skipping, self.behind, self.gone) = (false, 0, false);
    }
}

/// A transport with faults.
pub struct Faulty<T> {
    inner: T,
    rates: Rates,
    down: Direction,
    up: Direction,
    /// The port is gone, and comes back then.
    back: Option<Duration>,
    made: Arc<Mutex<Made>>,
}

impl<T: Transport> Faulty<T> {
    /// The same seed and the same bytes give the same faults.
    pub fn new(inner: T, rates: Rates, seed: u64) -> Self {
        Faulty {
            inner,
            rates,
            down: Direction::new(seed),
            up: Direction::new(seed.wrapping_add(1)),
            back: None,
            made: Arc::default(),
        }
    }

    /// The counts, to be looked at while the line is in use.
    pub fn made(&self) -> Arc<Mutex<Made>> {
        self.made.clone()
    }

    /// What the line inside is.
    pub fn inner(&mut self) -> &mut T {
        &mut self.inner
    }

    fn count(&self) {
        *self.made.lock().unwrap_or_else(|e| e.into_inner()) = Made {
            down: self.down.made,
            up: self.up.made,
            frames: self.down.frames + self.up.frames,
            bytes: self.down.bytes + self.up.bytes,
        };
    }

    fn here(&mut self) -> Result<(), Broken> {
        if self.down.gone || self.up.gone {
            let time = self.down.some_time();
            self.back = Some(self.inner.now() + time);
            self.down.clear();
            self.up.clear();
            // What the board is sending meanwhile is lost too.
            let mut waste = [0; 256];
            while self.inner.receive(&mut waste, Duration::ZERO)? > 0 {}
        }
        self.count();
        match self.back {
            Some(_) => Err(Broken("disconnected".into())),
            None => Ok(()),
        }
    }

    /// Sends what has come through, unless that direction stands.
    fn forward(&mut self) -> Result<(), Broken> {
        if self.inner.now() < self.down.stalled || self.down.through.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = self.down.through.drain(..).collect();
        self.inner.send(&bytes)
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.here()?;
        let now = self.inner.now();
        for &byte in bytes {
            self.down.take(byte, &self.rates, now);
        }
        self.here()?;
        self.forward()
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Broken> {
        self.here()?;
        let until = self.inner.now() + timeout;
        loop {
            self.forward()?;
            let now = self.inner.now();
            if now >= self.up.stalled && !self.up.through.is_empty() {
                let n = buffer.len().min(self.up.through.len());
                for (to, byte) in buffer.iter_mut().zip(self.up.through.drain(..n)) {
                    *to = byte;
                }
                return Ok(n);
            }
            // Whichever comes first: the caller's time, or a direction that moves again.
            let mut end = until;
            for (stalled, waiting) in [
                (self.down.stalled, !self.down.through.is_empty()),
                (self.up.stalled, !self.up.through.is_empty()),
            ] {
                if waiting && stalled > now {
                    end = end.min(stalled);
                }
            }
            let mut some = [0; 256];
            let n = self.inner.receive(&mut some, end.saturating_sub(now))?;
            let now = self.inner.now();
            for &byte in &some[..n] {
                self.up.take(byte, &self.rates, now);
            }
            self.here()?;
            if n == 0 && now >= until {
                return Ok(0);
            }
        }
    }

    fn reconnect(&mut self) -> Result<(), Broken> {
        match self.back {
            Some(back) if self.inner.now() < back => Err(Broken("disconnected".into())),
            Some(_) => {
                self.back = None;
                Ok(())
            }
            None => self.inner.reconnect(),
        }
    }

    fn pause(&mut self, time: Duration) {
        self.inner.pause(time);
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn baud(&self) -> u64 {
        self.inner.baud()
    }
}
