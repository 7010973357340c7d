//! A memory with contents from power-up on: program, constants, and what is written over them.
//!
//! | port | width | |
//! |---|---|---|
//! | write_enable, write_address, write_data | 1, A, W | stored at the rising edge |
//! | read_enable, read_address | 1, A | sampled at the rising edge; without `read_enable` the output holds |
//! | read_data | W | latency 1; unknown until the first read |
//!
//! Whoever uses it never reads and writes one address at the same edge.
//!
//! ```
//! use astromorph_hdl::{link::bytes::Bytes, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Bytes::new(vec![5, 6, 7, 8], 8);
//! m.connect_all();
//! (m.read_enable.next, m.read_address.next) = (true, U::new(2));
//! for level in [true, false] { m.clock.next.clk = level; simulate(&mut m, 10); }
//! assert_eq!(m.read_data.val(), U::new(7));
//! ```

use crate::block::Activity;
use crate::leaf;
use crate::number::{Flag, Sig, U, natural_bits};
use rust_hdl::prelude::*;
use std::fmt::Write as _;

/// See the module's text.
pub struct Bytes {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Store.
    pub write_enable: Flag<In>,
    /// Where to.
    pub write_address: Sig<In, U>,
    /// What.
    pub write_data: Sig<In, U>,
    /// Fetch.
    pub read_enable: Flag<In>,
    /// From where.
    pub read_address: Sig<In, U>,
    /// The word fetched.
    pub read_data: Sig<Out, U>,
    memory: Vec<u64>,
    activity: Activity,
}

impl Bytes {
    /// Words of `width` bits; their number is a power of two.
    pub fn new(memory: Vec<u64>, width: u32) -> Self {
        assert!(
            memory.len().is_power_of_two() && memory.len() > 1,
            "{} words",
            memory.len()
        );
        let address = natural_bits(memory.len() as u64 - 1);
        Bytes {
            clock: Signal::default(),
            write_enable: Flag::default(),
            write_address: Sig::new(address),
            write_data: Sig::new(width),
            read_enable: Flag::default(),
            read_address: Sig::new(address),
            read_data: Sig::new(width),
            memory,
            activity: Activity::default(),
        }
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let (write, read) = (self.write_enable.val(), self.read_enable.val());
        if read {
            let address = self.read_address.val();
            assert!(
                !(write && self.write_address.val() == address),
                "read and write of one word at one edge: address {address:?}"
            );
            self.read_data.next = U::new(self.memory[address.index()]);
        }
        if write {
            self.memory[self.write_address.val().index()] = self.write_data.val().get();
        }
        false
    }
}

impl Logic for Bytes {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.read_data.connect();
    }
    fn hdl(&self) -> Verilog {
        let (top, width) = (self.memory.len() - 1, self.read_data.width());
        let mut contents = String::new();
        for (n, word) in self.memory.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = writeln!(contents, "  memory[{n}] = {width}'h{word:x};");
        }
        Verilog::Custom(format!(
            "(* no_rw_check *) reg [{}:0] memory [0:{top}];\ninitial begin\n{contents}end\nalways @(posedge clock) begin\n  \
             if (write_enable) memory[write_address] <= write_data;\n  if (read_enable) read_data <= memory[read_address];\nend\n",
            width - 1
        ))
    }
}

leaf!([] Bytes; inputs: write_enable, write_address, write_data, read_enable, read_address; outputs: read_data);
