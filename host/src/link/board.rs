//! A board at the end of a line as a device: deployed, run, and brought back after trouble.
//!
//! | | |
//! |---|---|
//! | trust | outputs of a batch are given out after a check of every memory that the image fills, and when the board counted the sequences and flags no error |
//! | trouble | a new session, the image again where a check differs, the batch again, one sequence at a time at first |
//! | end | trouble [`TIMES`] times without a result between, or a board that is silent or another one: an error with its name |

use super::device::{Device, Item, Work};
use super::driver::{Driver, Timing};
use super::error::{Error, Result, Trouble};
use super::sequences::{Limit, stream};
use super::session::{Identity, Registers};
use super::transport::Transport;
use super::upload::{Deployed, Segment, deploy, places, segments, verify};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::package::Package;
use std::time::Duration;

/// Sessions that may end in trouble without a result between.
pub const TIMES: u32 = 8;

/// Sequences of a batch: none waits longer for its check.
const BATCH: usize = 4096;

/// Time of a batch, and how many times longer than its check it is.
const BATCH_TIME: Duration = Duration::from_secs(5);
const BATCH_CHECKS: u32 = 20;

/// A board.
pub struct Board {
    driver: Driver,
    identity: Identity,
    image: Vec<Segment>,
    /// Sequences of the next batch.
    batch: usize,
    /// Time that a check took.
    check: Duration,
}

impl Board {
    /// Asks who is there and opens a session.
    pub fn connect(transport: Box<dyn Transport>, timing: Timing) -> Result<Board> {
        let mut driver = Driver::new(transport, timing)?;
        let identity = driver.identity()?;
        driver.open()?;
        Ok(Board {
            driver,
            identity,
            image: Vec::new(),
            batch: BATCH,
            check: Duration::ZERO,
        })
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The link: counters, clock.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The board's own counters.
    pub fn registers(&mut self) -> Result<Registers> {
        self.driver.registers()
    }

    /// Does something in new sessions until it comes to an end.
    fn persist<T>(&mut self, mut act: impl FnMut(&mut Board) -> Result<T>) -> Result<T> {
        let mut times = 0;
        loop {
            match act(self) {
                Err(Error::Trouble { port, trouble }) => {
                    times += 1;
                    if times == TIMES {
                        return Err(Error::Failing { port, times, trouble });
                    }
                }
                other => return other,
            }
        }
    }

    /// A new session with the same board, and the image in it.
    fn recover(&mut self) -> Result<()> {
        self.driver.resynchronise()?;
        let found = self.driver.identity()?;
        if found != self.identity {
            let (expected, found) = (format!("{:?}", self.identity), format!("{found:?}"));
            return Err(Error::Identity {
                port: self.driver.name(),
                field: "identity".into(),
                expected,
                found,
            });
        }
        self.driver.open()?;
        deploy(&mut self.driver, &self.identity, &self.image, &mut |_, _| {})?;
        Ok(())
    }

    /// Whether the image is there, as the board reads it back.
    fn trusted(&mut self) -> Result<()> {
        let started = self.driver.now();
        let all: Vec<&Segment> = self.image.iter().collect();
        let different = verify(&mut self.driver, &self.identity, &all)?;
        self.check = self.driver.now().saturating_sub(started);
        match different.is_empty() {
            true => Ok(()),
            false => {
                let trouble = Trouble::Memory(places(&different));
                self.driver.trouble(trouble)
            }
        }
    }

    /// One batch in a session of its own, with outputs that are right.
    fn batch(&mut self, items: &mut Vec<Item>, work: &mut dyn Work) -> Result<Vec<Vec<i32>>> {
        let limit = Limit {
            sequences: self.batch,
            time: BATCH_TIME.max(self.check * BATCH_CHECKS),
        };
        let core = (&self.identity.core, self.identity.output_words);
        let outputs = stream(&mut self.driver, core, items, work, limit)?;
        if items.is_empty() {
            return Ok(outputs);
        }
        let registers = self.driver.registers()?;
        if registers.error() != 0 {
            return self.driver.trouble(Trouble::Engine(registers.error()));
        }
        let expected = items.len() as u32;
        if registers.sequences() != expected {
            let found = registers.sequences();
            return self.driver.trouble(Trouble::Sequences { expected, found });
        }
        self.trusted()?;
        Ok(outputs)
    }

    /// All sequences; those not finished at an error are in `items`.
    fn all(&mut self, items: &mut Vec<Item>, work: &mut dyn Work) -> Result<()> {
        let (mut times, mut fresh) = (0, false);
        loop {
            // Positions and counts begin with a session.
            let ready = match fresh {
                true => self.driver.open(),
                false => self.recover(),
            };
            let done = ready.and_then(|()| {
                // Of a batch that failed, no more than the limit: the rest stays for later.
                let mut some: Vec<Item> = items.drain(..items.len().min(self.batch)).collect();
                let outputs = self.batch(&mut some, work);
                match outputs {
                    Ok(outputs) => Ok(some.into_iter().zip(outputs).collect::<Vec<_>>()),
                    Err(e) => {
                        items.splice(0..0, some);
                        Err(e)
                    }
                }
            });
            match done {
                Ok(done) if done.is_empty() => return Ok(()),
                Ok(done) => {
                    done.into_iter().for_each(|(item, outputs)| work.done(item, outputs));
                    (times, fresh) = (0, true);
                    self.batch = (2 * self.batch).min(BATCH);
                }
                Err(Error::Trouble { port, trouble }) => {
                    (times, fresh) = (times + 1, false);
                    self.batch = 1;
                    if times == TIMES {
                        return Err(Error::Failing { port, times, trouble });
                    }
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl Device for Board {
    fn name(&self) -> String {
        format!("{} at {}", self.identity.board, self.driver.name())
    }

    fn core(&self) -> &EngineConfig {
        &self.identity.core
    }

    fn deploy(&mut self, package: &Package, progress: &mut dyn FnMut(usize, usize)) -> Result<Deployed> {
        package.meant_for(&self.identity.core)?;
        self.image = segments(package.core(), package.loaded());
        let mut written = 0;
        let mut deployed = self.persist(|board| {
            board.driver.open()?;
            let done = deploy(&mut board.driver, &board.identity, &board.image, &mut |bytes, total| {
                progress(written.max(bytes), total)
            });
            if let Ok(done) = &done {
                written += done.written;
            }
            done
        })?;
        deployed.written = written;
        Ok(deployed)
    }

    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        if self.image.is_empty() {
            let name = self.name();
            return Err(Error::Model(astromorph::Error::field(
                name,
                "a deployed program",
                "none",
            )));
        }
        let mut items = Vec::new();
        let done = self.all(&mut items, work);
        items.into_iter().for_each(|item| work.back(item));
        done
    }

    fn counted(&self) -> Vec<(String, u64)> {
        self.driver.counters.named()
    }
}
