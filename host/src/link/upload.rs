//! An image into a board's memories: only what is not there, and nothing counts as there until a check has read it back.
//!
//! | | |
//! |---|---|
//! | [`Segment`] | words of one memory (of one lane of the banks) one behind the other, as bytes of the line |
//! | [`verify`] | the segments that a board's own CRC finds different |
//! | [`deploy`] | writes blocks of 4 kB, checks them, writes again what differs; before that, where the first block is there already, it checks all: an interrupted deployment goes on |

use super::driver::{Driver, Event};
use super::error::{Result, Trouble};
use super::session::Identity;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::Loaded;
use astromorph_hdl::link::protocol::*;
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of a block: what is written anew when one of its bits is wrong.
const BLOCK: usize = 4096;

/// Rounds of writing and checking.
const ROUNDS: usize = 4;

/// Words one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The memory.
    pub space: Space,
    /// Of the first word.
    pub address: u32,
    /// Bytes a word.
    word: usize,
    bytes: Vec<u8>,
}

/// What a deployment did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// Bytes of the image.
    pub bytes: usize,
    /// Bytes that went over the line.
    pub written: usize,
}

impl Segment {
    /// Bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none; never of those that [`segments`] gives.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn words(&self) -> u32 {
        (self.bytes.len() / self.word) as u32
    }

    /// Bytes from one word to another as a segment.
    fn part(&self, from: usize, to: usize) -> Segment {
        Segment {
            space: self.space,
            address: self.address + from as u32,
            word: self.word,
            bytes: self.bytes[from * self.word..to * self.word].to_vec(),
        }
    }

    fn blocks(&self) -> impl Iterator<Item = Segment> + '_ {
        let (step, words) = (BLOCK / self.word, self.words() as usize);
        (0..words)
            .step_by(step)
            .map(move |from| self.part(from, words.min(from + step)))
    }
}

/// Everything that is loaded before the first sequence.
pub fn segments(core: &EngineConfig, loaded: &Loaded) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (memory, address, data) in loaded.writes(core) {
        let space = MEMORIES[memory as usize];
        let bytes = &data.to_le_bytes()[..space.word_bytes(core)];
        match segments.last_mut() {
            Some(last) if last.space == space && last.address + last.words() == address => last.bytes.extend(bytes),
            _ => segments.push(Segment {
                space,
                address,
                word: space.word_bytes(core),
                bytes: bytes.to_vec(),
            }),
        }
    }
    segments
}

/// The places in `segments` of those that the board does not have.
pub fn verify<'a>(driver: &mut Driver, board: &Identity, segments: &[&'a Segment]) -> Result<Vec<&'a Segment>> {
    let mut todo: VecDeque<usize> = (0..segments.len()).collect();
    let mut different = Vec::new();
    let mut waiting = Waiting::new(driver);
    while !(todo.is_empty() && driver.is_idle()) {
        while driver.room(true)
            && let Some(n) = todo.pop_front()
        {
            let s = segments[n];
            let cycles = s.space.check_cycles(&board.core, s.words());
            let work = Duration::from_secs_f64(cycles as f64 / board.clock_hz.max(1) as f64);
            let count = s.words().to_le_bytes()[..3].to_vec();
            driver.send(n as u64, (Operation::Check, s.space), s.address, count, work)?;
        }
        match driver.next(driver.timing().patience)? {
            Some(Event::Answer { tag, answer }) => {
                let s = segments[tag as usize];
                if waiting.done(driver, "a check", answer.status)? {
                    if answer.payload != crc32fast::hash(&s.bytes).to_le_bytes() {
                        driver.counters.differences += 1;
                        different.push(s);
                    }
                } else {
                    todo.push_back(tag as usize);
                }
            }
            Some(Event::Lost { tag }) => todo.push_front(tag as usize),
            None => {}
        }
    }
    Ok(different)
}

/// Patience with a board that is busy.
struct Waiting {
    since: Duration,
}

impl Waiting {
    fn new(driver: &Driver) -> Waiting {
        Waiting { since: driver.now() }
    }

    /// Whether a request is done; not if it must be sent again.
    fn done(&mut self, driver: &mut Driver, what: &str, status: Status) -> Result<bool> {
        let now = driver.now();
        match status {
            Status::Done => {
                self.since = now;
                Ok(true)
            }
            Status::Busy if now.saturating_sub(self.since) < driver.timing().stuck => {
                driver.pause(Duration::from_millis(1));
                Ok(false)
            }
            Status::Busy => driver.trouble(Trouble::Stuck(now.saturating_sub(self.since))),
            Status::Session => driver.trouble(Trouble::Session),
            status => driver.trouble(Trouble::Refused {
                what: what.into(),
                status,
            }),
        }
    }
}

/// Writes segments, in any order that the line brings about. `progress` sees the bytes that have arrived.
fn write(driver: &mut Driver, segments: &[&Segment], progress: &mut dyn FnMut(usize)) -> Result<()> {
    // Segment, first word, end.
    let mut todo: VecDeque<(usize, usize, usize)> = segments
        .iter()
        .enumerate()
        .map(|(n, s)| (n, 0, s.words() as usize))
        .collect();
    let mut parts: Vec<(usize, usize, usize)> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let (mut waiting, mut arrived) = (Waiting::new(driver), 0);
    while !(todo.is_empty() && driver.is_idle()) {
        while driver.room(false)
            && let Some((n, from, end)) = todo.pop_front()
        {
            let s = segments[n];
            let to = end.min(from + (driver.payload() / s.word).max(1));
            if to < end {
                todo.push_front((n, to, end));
            }
            let tag = free.pop().unwrap_or(parts.len());
            parts.resize(parts.len().max(tag + 1), (0, 0, 0));
            parts[tag] = (n, from, to);
            let part = s.part(from, to);
            driver.send(
                tag as u64,
                (Operation::Write, s.space),
                part.address,
                part.bytes,
                Duration::ZERO,
            )?;
        }
        let (tag, done) = match driver.next(driver.timing().patience)? {
            Some(Event::Answer { tag, answer }) => (tag, waiting.done(driver, "a write", answer.status)?),
            Some(Event::Lost { tag }) => (tag, false),
            None => continue,
        };
        let (n, from, to) = parts[tag as usize];
        free.push(tag as usize);
        match done {
            true => {
                arrived += (to - from) * segments[n].word;
                progress(arrived);
            }
            false => todo.push_front((n, from, to)),
        }
    }
    Ok(())
}

/// Makes the board's memories those of an image. `progress` sees bytes written, and how many there are.
pub fn deploy(
    driver: &mut Driver,
    board: &Identity,
    segments: &[Segment],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Deployed> {
    let blocks: Vec<Segment> = segments.iter().flat_map(Segment::blocks).collect();
    let mut wrong: Vec<&Segment> = blocks.iter().collect();
    let mut deployed = Deployed {
        bytes: blocks.iter().map(Segment::len).sum(),
        written: 0,
    };
    // A board without the first block has nothing of this image.
    if verify(driver, board, &wrong[..wrong.len().min(1)])?.is_empty() {
        wrong = verify(driver, board, &wrong)?;
    }
    for _ in 0..ROUNDS {
        if wrong.is_empty() {
            return Ok(deployed);
        }
        let (there, total) = (deployed.written, deployed.bytes);
        write(driver, &wrong, &mut |bytes| progress(there + bytes, total))?;
        deployed.written += wrong.iter().map(|s| s.len()).sum::<usize>();
        driver.counters.regions += wrong.len() as u64;
        wrong = verify(driver, board, &wrong)?;
    }
    driver.trouble(Trouble::Memory(places(&wrong)))
}

/// Where segments lie, for people.
pub fn places(segments: &[&Segment]) -> String {
    let place = |s: &&Segment| format!("{:?} {}..{}", s.space, s.address, s.address + s.words());
    let some: Vec<String> = segments.iter().take(4).map(place).collect();
    let more = segments.len().saturating_sub(some.len());
    match more {
        0 => some.join(", "),
        n => format!("{} and {n} more", some.join(", ")),
    }
}
