//! Sequences through a board: inputs one behind the other without waiting for outputs, outputs by position.
//!
//! Input words of all sequences of a batch are one stream, as are the output words. The stream's place is the board's: a write that was lost makes the board refuse
//! those behind it, and all go again from the position that it names. A write for which there is no room is tried again alone until there is.

use super::device::{Item, Work};
use super::driver::{Driver, Event};
use super::error::{Result, Trouble};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::protocol::*;
use astromorph_sim::link::Answer;
use std::collections::VecDeque;
use std::time::Duration;

/// Tags of requests; a write's are above.
const READ: u64 = 0;
const REGISTERS: u64 = 1;
const WRITE: u64 = 2;

/// How long nothing may move before the registers are looked at.
const DOUBT: Duration = Duration::from_millis(500);

/// When a batch takes no more sequences.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Sequences.
    pub sequences: usize,
    /// Time since its first one.
    pub time: Duration,
}

/// One batch under way.
struct Stream<'a> {
    driver: &'a mut Driver,
    /// Bytes of an input and of an output word.
    input_bytes: usize,
    output_bytes: usize,
    /// Words that the output's ring holds.
    ring: u64,
    /// All sequences, and where the input and the output of each end.
    items: &'a mut Vec<Item>,
    ends: Vec<(u64, u64)>,
    /// Sequences whose input is all sent, whose output is all here.
    sending: usize,
    complete: usize,
    /// Input words sent, and taken for sure.
    sent: u64,
    taken: u64,
    furthest: u64,
    /// Writes of earlier epochs went before the last return to an earlier place.
    epoch: u64,
    /// The queue was full: one write at a time, not before then.
    probing: Option<Duration>,
    writes: usize,
    outputs: Vec<i32>,
    /// Of the output: asked for, known to be there.
    asked: u64,
    produced: u64,
    reads: VecDeque<u64>,
    poll: Duration,
    moved: Duration,
    doubted: Duration,
}

/// Sends sequences as long as there are some and `limit` allows, and gives the outputs of all of them, which are not yet to be trusted. Those taken from `work` are in
/// `items`, whatever happens.
pub fn stream(
    driver: &mut Driver,
    (core, ring): (&EngineConfig, u32),
    items: &mut Vec<Item>,
    work: &mut dyn Work,
    limit: Limit,
) -> Result<Vec<Vec<i32>>> {
    let now = driver.now();
    let mut s = Stream {
        driver,
        input_bytes: Space::Input.word_bytes(core),
        output_bytes: Space::Output.word_bytes(core),
        ring: ring as u64,
        items,
        ends: Vec::new(),
        sending: 0,
        complete: 0,
        sent: 0,
        taken: 0,
        furthest: 0,
        epoch: 0,
        probing: None,
        writes: 0,
        outputs: Vec::new(),
        asked: 0,
        produced: 0,
        reads: VecDeque::new(),
        poll: now,
        moved: now,
        doubted: now,
    };
    // Those of a batch that came to nothing go first.
    for n in 0..s.items.len() {
        s.append(n);
    }
    let mut open = s.items.len() < limit.sequences;
    loop {
        // One sequence ahead of the line.
        while open && s.sending == s.items.len() {
            open = s.items.len() < limit.sequences
                && (s.items.is_empty() || s.driver.now().saturating_sub(now) < limit.time);
            let wait = s.items.is_empty();
            match open.then(|| work.next(wait)).flatten() {
                Some(item) => {
                    s.items.push(item);
                    s.append(s.items.len() - 1);
                    // However long it was waited for.
                    s.moved = s.driver.now();
                }
                None => open = false,
            }
        }
        if s.complete == s.items.len() && !open {
            break;
        }
        s.writes()?;
        s.reads()?;
        s.doubt()?;
        let wait = s.wait();
        match s.driver.next(wait)? {
            Some(Event::Answer { tag: READ, answer }) => s.output(answer)?,
            Some(Event::Answer { tag: REGISTERS, answer }) => s.registers(answer)?,
            Some(Event::Answer { tag, answer }) => s.input(tag - WRITE, answer)?,
            Some(Event::Lost { tag: READ }) => {
                s.reads.pop_front();
                s.asked = s.outputs.len() as u64;
            }
            Some(Event::Lost { tag: REGISTERS }) | None => {}
            Some(Event::Lost { tag }) => {
                s.writes -= 1;
                if tag - WRITE == s.epoch {
                    s.back(s.taken);
                }
            }
        }
    }
    let (mut rest, mut outputs) = (s.outputs.into_iter(), Vec::new());
    for item in s.items.iter() {
        outputs.push(rest.by_ref().take(item.outputs).collect());
    }
    // What is still under way has no bearing on them.
    while !driver.is_idle() {
        driver.next(driver.timing().patience)?;
    }
    Ok(outputs)
}

impl Stream<'_> {
    /// A sequence at the streams' ends.
    fn append(&mut self, n: usize) {
        let (input, output) = self.ends.last().copied().unwrap_or_default();
        let item = &self.items[n];
        self.ends
            .push((input + item.input.len() as u64, output + item.outputs as u64));
    }

    /// The next place again is `position`.
    fn back(&mut self, position: u64) {
        self.driver.counters.again += self.sent.saturating_sub(position) * self.input_bytes as u64;
        self.sent = position;
        self.epoch += 1;
        self.sending = self.ends.partition_point(|&(end, _)| end <= position);
    }

    fn writes(&mut self) -> Result<()> {
        while self.sending < self.items.len() && self.driver.room(false) {
            if let Some(from) = self.probing
                && (self.writes > 0 || self.driver.now() < from)
            {
                break;
            }
            let item = &self.items[self.sending];
            let (end, _) = self.ends[self.sending];
            let left = (end - self.sent) as usize;
            let words = (self.driver.payload() / self.input_bytes).max(1).min(left);
            let first = item.input.len() - left;
            let payload = item.input[first..first + words]
                .iter()
                .flat_map(|w| w.to_le_bytes().into_iter().take(self.input_bytes))
                .collect();
            // The end of a sequence brings words, for which the ring must have room; one that has more begins with an empty ring.
            let (here, brings) = (self.outputs.len() as u64, self.ends[self.sending].1);
            if words == left && self.sending > self.complete && brings > here + self.ring {
                break;
            }
            let operation = if words == left {
                Operation::WriteLast
            } else {
                Operation::Write
            };
            let address = (self.sent % POSITIONS as u64) as u32;
            let tag = WRITE + self.epoch;
            self.driver
                .send(tag, (operation, Space::Input), address, payload, Duration::ZERO)?;
            self.writes += 1;
            self.sent += words as u64;
            self.furthest = self.furthest.max(self.sent);
            self.sending += usize::from(words == left);
        }
        Ok(())
    }

    /// The position nearest to one that is known, of which the line brings 24 bits.
    fn whole(value: u32, near: u64) -> u64 {
        let step = ahead(value, (near % POSITIONS as u64) as u32) as u64;
        match step < POSITIONS as u64 / 2 {
            true => near + step,
            false => (near + step).saturating_sub(POSITIONS as u64),
        }
    }

    fn input(&mut self, epoch: u64, answer: Answer) -> Result<()> {
        self.writes -= 1;
        match answer.status {
            Status::Done | Status::Busy | Status::Position => {}
            Status::Session => return self.driver.trouble(Trouble::Session),
            status => {
                let what = "a write into the input".into();
                return self.driver.trouble(Trouble::Refused { what, status });
            }
        }
        let now = self.driver.now();
        let position = Self::whole(answer.value, self.taken);
        if position > self.furthest {
            // Words that nobody here has sent.
            return self.driver.trouble(Trouble::Session);
        }
        if position > self.taken {
            (self.taken, self.moved) = (position, now);
            if self.sent < position {
                self.back(position);
                return Ok(());
            }
        }
        if epoch != self.epoch {
            return Ok(());
        }
        match answer.status {
            Status::Done => self.probing = None,
            Status::Busy => {
                self.probing = Some(now + self.time(256));
                self.back(self.taken);
            }
            _ => self.back(self.taken),
        }
        Ok(())
    }

    /// Whether output may be awaited.
    fn expecting(&self) -> bool {
        self.ends.get(self.complete).is_some_and(|&(end, _)| end <= self.taken)
    }

    fn reads(&mut self) -> Result<()> {
        let most = (self.driver.payload() / self.output_bytes).max(1) as u64;
        while self.driver.room(true) {
            let known = self.asked < self.produced;
            let now = self.driver.now();
            let worth_asking = self.reads.is_empty() && self.expecting() && now >= self.poll;
            if !(known || worth_asking) {
                break;
            }
            let count = if known {
                most.min(self.produced - self.asked)
            } else {
                most
            };
            let ack = (self.outputs.len() as u64 % POSITIONS as u64) as u32;
            let mut payload = vec![count as u8];
            payload.extend(&ack.to_le_bytes()[..3]);
            let address = (self.asked % POSITIONS as u64) as u32;
            self.driver
                .send(READ, (Operation::Read, Space::Output), address, payload, Duration::ZERO)?;
            self.reads.push_back(self.asked);
            self.poll = now + self.time(1024);
            if !known {
                break;
            }
            self.asked += count;
        }
        Ok(())
    }

    fn output(&mut self, answer: Answer) -> Result<()> {
        // Answers come in the order of the requests, and so do losses.
        let at = self.reads.pop_front().unwrap_or_default();
        match answer.status {
            Status::Done => {}
            Status::Position => {}
            Status::Session => return self.driver.trouble(Trouble::Session),
            status => {
                let what = "a read of the output".into();
                return self.driver.trouble(Trouble::Refused { what, status });
            }
        }
        let here = self.outputs.len() as u64;
        self.produced = self.produced.max(Self::whole(answer.value, here));
        if !answer.payload.len().is_multiple_of(self.output_bytes) {
            return self.driver.trouble(Trouble::Answer {
                what: "a read of the output".into(),
                expected: format!("a multiple of {}", self.output_bytes),
                found: answer.payload.len(),
            });
        }
        if at == here {
            let spare = 32 - 8 * self.output_bytes.min(4) as u32;
            let words = answer.payload.chunks_exact(self.output_bytes).map(|word| {
                let bits = word.iter().rev().fold(0u32, |all, &b| all << 8 | b as u32);
                (bits << spare) as i32 >> spare
            });
            self.outputs.extend(words);
        }
        let now_here = self.outputs.len() as u64;
        if now_here > here {
            self.moved = self.driver.now();
            while self.ends.get(self.complete).is_some_and(|&(_, end)| end <= now_here) {
                self.complete += 1;
            }
        }
        if self.reads.is_empty() {
            // Fewer words than were asked for, or some that were lost.
            self.asked = now_here;
        }
        self.asked = self.asked.max(now_here);
        if self.ends.last().is_some_and(|&(_, end)| self.produced > end) {
            let (expected, found) = (self.items.len() as u32, self.produced as u32);
            return self.driver.trouble(Trouble::Answer {
                what: format!("{expected} sequences"),
                expected: format!("{} output words", self.ends.last().map_or(0, |e| e.1)),
                found: found as usize,
            });
        }
        Ok(())
    }

    /// Nothing moves: are there flags?
    fn doubt(&mut self) -> Result<()> {
        let now = self.driver.now();
        let still = now.saturating_sub(self.moved);
        if still > self.driver.timing().stuck {
            return self.driver.trouble(Trouble::Stuck(still));
        }
        if now.saturating_sub(self.moved.max(self.doubted)) > DOUBT && self.driver.room(true) {
            self.doubted = now;
            let status = vec![1];
            self.driver.send(
                REGISTERS,
                (Operation::Read, Space::Registers),
                0,
                status,
                Duration::ZERO,
            )?;
        }
        Ok(())
    }

    fn registers(&mut self, answer: Answer) -> Result<()> {
        let error = answer.payload.get(1).copied().unwrap_or(0);
        match error {
            0 => Ok(()),
            bits => self.driver.trouble(Trouble::Engine(bits)),
        }
    }

    fn time(&self, bytes: u64) -> Duration {
        Duration::from_nanos(bytes * 10_000_000_000 / self.driver.baud().max(1))
    }

    /// Until there is something to send again, whatever comes.
    fn wait(&self) -> Duration {
        let now = self.driver.now();
        let mut until = now + DOUBT;
        if let Some(from) = self.probing
            && self.writes == 0
        {
            until = until.min(from);
        }
        if self.reads.is_empty() && self.expecting() {
            until = until.min(self.poll);
        }
        // There may be no room for it yet.
        until.saturating_sub(now).max(self.time(16))
    }
}
