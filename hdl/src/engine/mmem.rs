//! The memory of 32-bit words for everything that is no activation: one port, one word a cycle.
//!
//! | port | width | |
//! |---|---|---|
//! | enable, write, address, data | 1, 1, A, 32 | fetch, or store |
//! | q | 32 | 3 cycles after a fetch (request register, memory, output register); holds until the next |
//!
//! A stored word is seen by every request of a later cycle. Words never stored, and on iCE40 also `q` from a store to the next fetch, are
//! undefined as [`super::memory`] says. iCE40: two SPRAMs for every 16,384 words. The register in front stands before nets to every block of the
//! memory (ECP5: 32 and more) and before the SPRAM's slow address inputs.
//!
//! ```
//! use astromorph_hdl::{engine::{memory::Kind, mmem::MMemory}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = MMemory::new("m", 16_384, Kind::Large, Target::Ice40).unwrap();
//! assert_eq!(m.large_blocks(), 2);
//! m.connect_all();
//! let mut cycle = |m: &mut MMemory| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! (m.enable.next, m.write.next, m.address.next, m.data.next) = (true, true, U::new(9), U::new(1 << 31));
//! cycle(&mut m);
//! m.write.next = false;
//! for _ in 0..3 { cycle(&mut m); }
//! assert_eq!(m.q.val(), U::new(1 << 31));
//! ```

use super::memory::{Kind, Shape};
use crate::block::Activity;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from a fetch to its word.
pub const WORD_LATENCY: usize = 3;
/// Bits of a word.
pub const WORD_BITS: u32 = 32;

/// See the module's text.
pub struct MMemory {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Do something.
    pub enable: Flag<In>,
    /// Store, not fetch.
    pub write: Flag<In>,
    /// Where.
    pub address: Sig<In, U>,
    /// What.
    pub data: Sig<In, U>,
    /// The word fetched.
    pub q: Sig<Out, U>,
    words: Vec<u32>,
    request: (bool, bool, usize, u32),
    /// At the memory's own output.
    word: u32,
    shape: Shape,
    activity: Activity,
}

impl MMemory {
    /// `depth` words; `name` is for errors.
    pub fn new(name: &str, depth: usize, kind: Kind, target: Target) -> Result<Self> {
        let shape = Shape {
            depth,
            width: WORD_BITS,
            columns: 1,
            kind,
            target,
        };
        shape.check(name)?;
        Ok(MMemory {
            clock: Signal::default(),
            enable: Flag::default(),
            write: Flag::default(),
            address: Sig::new(shape.address_bits()),
            data: Sig::new(WORD_BITS),
            q: Sig::new(WORD_BITS),
            words: vec![0; depth],
            request: Default::default(),
            word: 0,
            shape,
            activity: Activity::default(),
        })
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.words.len() * WORD_BITS as usize
    }

    /// `SB_SPRAM256KA` cells it takes.
    pub fn large_blocks(&self) -> usize {
        self.shape.large_blocks()
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let (enable, write, at, data) = self.request;
        let was = (self.request, self.word);
        self.q.next = U::new(self.word as u64);
        if enable && write {
            if let Some(word) = self.words.get_mut(at) {
                *word = data;
            }
        } else if enable {
            self.word = self.words.get(at).copied().unwrap_or(0);
        }
        self.request = (
            self.enable.val(),
            self.write.val(),
            self.address.val().index(),
            self.data.val().get() as u32,
        );
        was != (self.request, self.word)
    }
}

impl Logic for MMemory {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let (name, cores) = self.shape.pipelined();
        let ports = ".clock(clock), .enable(enable1), .write(write1), .address(address1), .data(data1)";
        let code = match self.shape.target {
            // Its blocks have output registers.
            Target::Ecp5 => format!(
                "reg enable1 = 0, write1 = 0;\nreg [{}:0] address1 = 0;\nreg [31:0] data1 = 0;\nalways @(posedge clock) begin\n  \
                 enable1 <= enable;\n  write1 <= write;\n  address1 <= address;\n  data1 <= data;\nend\n{name} memory ({ports}, .q(q));\n",
                self.shape.address_bits() - 1
            ),
            _ => format!(
                "wire [31:0] fetched;\nreg [31:0] word = 0;\nalways @(posedge clock) word <= fetched;\nassign q = word;\n\
                 {name} memory ({}, .q(fetched));\n",
                ports.replace('1', "")
            ),
        };
        Verilog::Wrapper(Wrapper { code, cores })
    }
}

leaf!([] MMemory; inputs: enable, write, address, data; outputs: q);
