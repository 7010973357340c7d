//! A single-thread, cycle-accurate driver for a RustHDL block.
//!
//! | item | |
//! |---|---|
//! | clock | one, rising edge; `neg_edge` logic is not supported (see below) |
//! | one cycle | one settle: edge delivery, input change, combinational logic, one sweep without change |
//! | speed | set by sweeps: 12 a cycle on a four-level tree of registers, where two settles a cycle take 22 |
//! | failure | an error when the circuit does not settle; no panic |
//!
//! # Why one settle is enough
//! A RustHDL simulation has no event queue. A *sweep* (`update_all`) runs every kernel once, parents before
//! children, and commits every signal; a committed input is seen by the kernel it belongs to in the next
//! sweep. So a clock edge moves down one level of hierarchy per sweep, and so does every other input:
//! a change of data that starts one sweep after the clock edge can never overtake it. Hence:
//!
//! 1. The rising edge is committed on the top's clock alone, without a sweep (nothing else changes).
//! 2. The clock's `next` is put back to low and the caller's new inputs are written, *not* committed. The
//!    first sweep hands the edge to the first level and then commits the low clock and the new inputs,
//!    which follow the edge one sweep behind. Every register sees exactly one sweep with a rising edge,
//!    and its `d` still holds the value of the old inputs.
//! 3. Sweeps go on until one changes nothing.
//!
//! The falling edge runs through the hierarchy behind the rising one instead of having a settle of its own.
//! Logic on the falling edge would see data of the same cycle already changed: hence it is not supported.
//! [`Driver::cycle_in_two_settles`] is the textbook loop; a test keeps the two equal.

use crate::error::{Error, Result};
use rust_hdl::prelude::*;

/// How a driver finds the top's clock.
pub type ClockOf<B> = fn(&mut B) -> &mut Signal<In, Clock>;

/// A block with its connections made, its Verilog emitted and its clock in hand.
pub struct Driver<B> {
    block: B,
    clock: Option<ClockOf<B>>,
    verilog: String,
    cycles: u64,
    sweeps: u64,
    limit: usize,
}

impl<B: Block> Driver<B> {
    /// Connects, checks, emits (before anything is simulated: contents of memories are part of the text)
    /// and settles the block with its clock low.
    pub fn new(block: B, clock: ClockOf<B>) -> Result<Self> {
        Self::build(block, Some(clock))
    }

    /// For a block without a clock.
    pub fn combinational(block: B) -> Result<Self> {
        Self::build(block, None)
    }

    fn build(mut block: B, clock: Option<ClockOf<B>>) -> Result<Self> {
        block.connect_all();
        check_all(&block).map_err(|e| Error::Block {
            found: format!("{e:?}"),
        })?;
        let verilog = astromorph_hdl::emit::verilog(&block);
        let mut driver = Driver {
            block,
            clock,
            verilog,
            cycles: 0,
            sweeps: 0,
            limit: 1000,
        };
        driver.settle()?;
        Ok(driver)
    }

    /// The emitted Verilog, as it was before the first cycle. The top module is called `top`.
    pub fn verilog(&self) -> &str {
        &self.verilog
    }

    pub fn block(&self) -> &B {
        &self.block
    }

    /// For setting inputs outside [`Driver::cycle`]; follow it with [`Driver::settle`].
    pub fn block_mut(&mut self) -> &mut B {
        &mut self.block
    }

    /// Rising edges so far.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Sweeps so far: `sweeps / cycles` is what the speed depends on.
    pub fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// Sweeps after which a circuit counts as not settling (1000 at first).
    pub fn set_sweep_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Sweeps until nothing changes.
    pub fn settle(&mut self) -> Result<()> {
        for n in 1..=self.limit {
            self.block.update_all();
            if !self.block.has_changed() {
                self.sweeps += n as u64;
                return Ok(());
            }
        }
        Err(Error::NoConvergence {
            cycle: self.cycles,
            limit: self.limit,
        })
    }

    /// One clock cycle. `drive` sees the settled values that the rising edge captures, and sets the
    /// inputs of the next cycle; on return the block is settled with them.
    pub fn cycle(&mut self, drive: impl FnOnce(&mut B)) -> Result<()> {
        if let Some(clock_of) = self.clock {
            let clock = clock_of(&mut self.block);
            clock.next = Clock { clk: true };
            clock.update_all();
            clock.next = Clock { clk: false };
        }
        drive(&mut self.block);
        self.cycles += 1;
        self.settle()
    }

    /// The same cycle in the textbook way: high, settle, low with the new inputs, settle. Slower; it is the
    /// reference that [`Driver::cycle`] is tested against. Here `drive` runs after the edge and sees its
    /// results.
    pub fn cycle_in_two_settles(&mut self, drive: impl FnOnce(&mut B)) -> Result<()> {
        if let Some(clock_of) = self.clock {
            clock_of(&mut self.block).next = Clock { clk: true };
            self.settle()?;
            clock_of(&mut self.block).next = Clock { clk: false };
        }
        drive(&mut self.block);
        self.cycles += 1;
        self.settle()
    }

    /// Cycles until `each` returns false or `limit` cycles have passed; true when `each` ended it.
    /// `each` is called like `drive` of [`Driver::cycle`], with the number of the cycle.
    pub fn run_while(&mut self, limit: u64, mut each: impl FnMut(&mut B, u64) -> bool) -> Result<bool> {
        for _ in 0..limit {
            let mut go_on = true;
            let cycle = self.cycles;
            self.cycle(|b| go_on = each(b, cycle))?;
            if !go_on {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
