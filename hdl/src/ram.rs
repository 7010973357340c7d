//! Simple dual-port block RAM: one write port, one read port, one clock.
//!
//! | port | width | |
//! |---|---|---|
//! | write_enable, write_address, write_data | 1, A, W | stored at the rising edge |
//! | read_enable, read_address | 1, A | sampled at the rising edge; without `read_enable` the output holds |
//! | read_data | W | latency 1, registered |
//!
//! Whoever uses it never reads and writes one address at the same edge: the memory is marked `no_rw_check`, so that synthesis adds no
//! address comparison, and hardware may deliver either word then. The model stops the simulation when it happens.
//! `read_data` is 0 until the first read, which costs hardware a gate a bit where the block RAM's own register starts unknown; [`Ram::bare`]
//! leaves it unknown (Icarus X; the model has 0), for users that look at it only after a read.
//! Contents: zeros ([`Contents::Zero`]), unknown until written ([`Contents::Unwritten`], for memories without initialisation such as
//! iCE40's SPRAM; the model reads zero, Icarus X), or words of one's own ([`Ram::holding`]: programs and constants).
//!
//! ```
//! use astromorph_hdl::{number::*, ram::{Contents, Ram}};
//! use rust_hdl::prelude::*;
//! let mut m = Ram::<S>::new("bank", 400, 16, Contents::Zero).unwrap();
//! assert_eq!(m.read_address.width(), 9);
//! m.connect_all();
//! let mut cycle = |m: &mut Ram<S>| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! (m.write_enable.next, m.write_address.next, m.write_data.next) = (true, U::new(399), S::new(-7));
//! cycle(&mut m);
//! (m.write_enable.next, m.read_enable.next, m.read_address.next) = (false, true, U::new(399));
//! cycle(&mut m);
//! assert_eq!(m.read_data.val(), S::new(-7));
//! assert!(Ram::<S>::new("bank", 0, 16, Contents::Zero).is_err());
//! assert_eq!(Ram::<U>::holding("rom", vec![U::new(5), U::new(6)], 8).unwrap().bits(), 16);
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, Sig, U, Word, natural_bits};
use astromorph::Result;
use rust_hdl::prelude::*;

/// What a memory holds after power-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Zeros.
    Zero,
    /// Unknown: nothing is read before it is written.
    Unwritten,
    /// The words that the memory was made with.
    Given,
}

/// See the module's text.
pub struct Ram<T: Word> {
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
    /// The word fetched.
    pub read_data: Sig<Out, T>,
    memory: Vec<T>,
    contents: Contents,
    bare: bool,
    activity: Activity,
}

impl<T: Word> Ram<T> {
    /// `depth` words of `width` bits; `name` is for errors.
    pub fn new(name: &str, depth: usize, width: u32, contents: Contents) -> Result<Self> {
        check::range(&format!("{name}.depth"), depth, 1, 1 << 20)?;
        check::width(name, width as i64)?;
        let address = natural_bits(depth as u64 - 1);
        Ok(Ram {
            clock: Signal::default(),
            write_enable: Flag::default(),
            write_address: Sig::new(address),
            write_data: Sig::new(width),
            read_enable: Flag::default(),
            read_address: Sig::new(address),
            read_data: Sig::new(width),
            memory: vec![T::default(); depth],
            contents,
            bare: false,
            activity: Activity::default(),
        })
    }

    /// A memory that begins with these words.
    pub fn holding(name: &str, words: Vec<T>, width: u32) -> Result<Self> {
        let mut ram = Ram::new(name, words.len(), width, Contents::Given)?;
        ram.memory = words;
        Ok(ram)
    }

    /// The same, with an output that is unknown until the first read.
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.memory.len() * self.read_data.width() as usize
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
            // Verilog reads X beyond the depth; no block of this crate goes there.
            self.read_data.next = self.memory[address.index()];
        }
        if write {
            self.memory[self.write_address.val().index()] = self.write_data.val();
        }
        // Storing the same word again changes nothing, and no read was of that word.
        false
    }
}

impl<T: Word> Logic for Ram<T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.read_data.connect();
    }
    fn hdl(&self) -> Verilog {
        let top = self.memory.len() - 1;
        let contents = match self.contents {
            Contents::Zero => format!("integer i;\ninitial for (i = 0; i <= {top}; i = i + 1) memory[i] = 0;\n"),
            Contents::Unwritten => String::new(),
            Contents::Given => {
                let width = self.read_data.width();
                let word = |(n, word): (usize, &T)| format!("  memory[{n}] = {width}'h{:x};\n", word.raw(64 - width));
                format!(
                    "initial begin\n{}end\n",
                    self.memory.iter().enumerate().map(word).collect::<String>()
                )
            }
        };
        let start = if self.bare { "" } else { "initial read_data = 0;\n" };
        Verilog::Custom(format!(
            "(* no_rw_check *) reg [{}:0] memory [0:{top}];\n{contents}{start}always @(posedge clock) begin\n  \
             if (write_enable) memory[write_address] <= write_data;\n  if (read_enable) read_data <= memory[read_address];\nend\n",
            self.read_data.width() - 1
        ))
    }
}

leaf!([T: Word] Ram<T>; inputs: write_enable, write_address, write_data, read_enable, read_address; outputs: read_data);
