//! Simple dual-port block RAM for tables and sums: like [`crate::ram`], and on ECP5 always with the block's output register, which answers
//! 1 ns after the clock instead of 5.6.
//!
//! | port | width | |
//! |---|---|---|
//! | write_enable, write_address, write_data | 1, A, W | stored at the rising edge |
//! | read_enable, read_address | 1, A | a word is fetched; without `read_enable` the one before stays |
//! | clear | 1 | `q` is 0 a cycle later, and the word fetched before is given up; on ECP5 never together with `read_enable` |
//! | q | W | the word fetched, after [`TableRam::latency`] cycles |
//!
//! | made by | iCE40, generic | ECP5 |
//! |---|---|---|
//! | [`TableRam::registered`] | latency 2: a register behind the memory | latency 2: `DP16KD` with its own |
//! | [`TableRam::direct`] | latency 1; `q` is unknown before the first fetch (Icarus X; the model has 0); no `clear` | the same as above |
//!
//! On ECP5 up to 512 words of more than 18 bits are left to synthesis with a register behind them: one block, two with its own register.
//!
//! As there, nobody fetches the word that is being stored; the model stops the simulation when it happens. A word given up by `clear` shows
//! in `q` again on iCE40, and not in ECP5's blocks: whoever clears looks at `q` once, or fetches again.
//!
//! ```
//! use astromorph_hdl::{engine::table_ram::TableRam, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = TableRam::<S>::registered("table", 400, 16, Target::Ecp5).unwrap();
//! m.connect_all();
//! let mut cycle = |m: &mut TableRam<S>| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! (m.write_enable.next, m.write_address.next, m.write_data.next) = (true, U::new(399), S::new(-7));
//! cycle(&mut m);
//! (m.write_enable.next, m.read_enable.next, m.read_address.next) = (false, true, U::new(399));
//! for _ in 0..m.latency() { cycle(&mut m); }
//! assert_eq!((m.latency(), m.q.val()), (2, S::new(-7)));
//! assert_eq!(TableRam::<S>::direct("table", 400, 16, Target::Ice40).unwrap().latency(), 1);
//! ```

use super::block_ram;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, Sig, U, Word, natural_bits};
use astromorph::Result;
use rust_hdl::prelude::*;

/// See the module's text.
pub struct TableRam<T: Word> {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Store `write_data`.
    pub write_enable: Flag<In>,
    /// Where to.
    pub write_address: Sig<In, U>,
    /// What.
    pub write_data: Sig<In, T>,
    /// Fetch.
    pub read_enable: Flag<In>,
    /// From where.
    pub read_address: Sig<In, U>,
    /// Zero instead.
    pub clear: Flag<In>,
    /// The word fetched.
    pub q: Sig<Out, T>,
    memory: Vec<T>,
    fetched: T,
    registered: bool,
    target: Target,
    activity: Activity,
}

/// Cycles from a fetch to the word of a memory without a register of its own.
pub fn direct_latency(target: Target) -> usize {
    if target == Target::Ecp5 { 2 } else { 1 }
}

impl<T: Word> TableRam<T> {
    /// `depth` words of `width` bits with a register; `name` is for errors.
    pub fn registered(name: &str, depth: usize, width: u32, target: Target) -> Result<Self> {
        check::range(&format!("{name}.depth"), depth, 1, block_ram::WORDS)?;
        check::width(name, width as i64)?;
        let address = natural_bits(depth as u64 - 1);
        Ok(TableRam {
            clock: Signal::default(),
            write_enable: Flag::default(),
            write_address: Sig::new(address),
            write_data: Sig::new(width),
            read_enable: Flag::default(),
            read_address: Sig::new(address),
            clear: Flag::default(),
            q: Sig::new(width),
            memory: vec![T::default(); depth],
            fetched: T::default(),
            registered: true,
            target,
            activity: Activity::default(),
        })
    }

    /// The same without one where the memory answers soon enough.
    pub fn direct(name: &str, depth: usize, width: u32, target: Target) -> Result<Self> {
        let registered = target == Target::Ecp5;
        Ok(TableRam {
            registered,
            ..Self::registered(name, depth, width, target)?
        })
    }

    /// Cycles from a fetch to its word.
    pub fn latency(&self) -> usize {
        1 + self.registered as usize
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.memory.len() * self.q.width() as usize
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let (write, read, clear) = (self.write_enable.val(), self.read_enable.val(), self.clear.val());
        let block = self.is_block();
        assert!(!(block && read && clear), "fetched and cleared at one edge");
        let was = self.fetched;
        if self.registered {
            self.q.next = if clear { T::default() } else { was };
        }
        if block && clear {
            self.fetched = T::default();
        }
        if read {
            let address = self.read_address.val();
            assert!(
                !(write && self.write_address.val() == address),
                "read and write of one word at one edge: address {address:?}"
            );
            self.fetched = self.memory[address.index()];
        }
        if !self.registered {
            self.q.next = self.fetched;
        }
        if write {
            self.memory[self.write_address.val().index()] = self.write_data.val();
        }
        // Storing the same word again changes nothing, and no read was of that word; `q` may yet have to follow.
        self.fetched != was
    }

    /// Made of ECP5's blocks with their registers.
    fn is_block(&self) -> bool {
        self.target == Target::Ecp5 && (self.memory.len() > 512 || self.q.width() <= 18)
    }

    fn block(&self) -> String {
        let width = self.q.width();
        let write = block_ram::Port {
            enable: "write_enable",
            write: "1'b1",
            address: "write_address",
            clear: "1'b0",
        };
        let read = block_ram::Port {
            enable: "read_enable",
            write: "1'b0",
            address: "read_address",
            clear: "clear",
        };
        // `q` is declared as a variable.
        format!(
            "wire [{0}:0] data = write_data;\nwire [{0}:0] word;\nalways @(*) q = word;\n{1}",
            width - 1,
            block_ram::memory("ram", self.memory.len(), width, &write, Some(&read), "data", "word")
        )
    }
}

impl<T: Word> Logic for TableRam<T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        if self.is_block() {
            return Verilog::Custom(self.block());
        }
        let (top, high) = (self.memory.len() - 1, self.q.width() - 1);
        let (read, more) = if self.registered {
            (
                "fetched",
                format!(
                    "reg [{high}:0] fetched;\ninitial begin fetched = 0; q = 0; end\nalways @(posedge clock) q <= clear ? 0 : fetched;\n"
                ),
            )
        } else {
            ("q", String::new())
        };
        Verilog::Custom(format!(
            "(* no_rw_check *) reg [{high}:0] memory [0:{top}];\ninteger i;\ninitial for (i = 0; i <= {top}; i = i + 1) memory[i] = 0;\n{more}\
             always @(posedge clock) begin\n  if (write_enable) memory[write_address] <= write_data;\n  \
             if (read_enable) {read} <= memory[read_address];\nend\n"
        ))
    }
}

leaf!([T: Word] TableRam<T>; inputs: write_enable, write_address, write_data, read_enable, read_address, clear; outputs: q);
