//! Single-port synchronous memory, and the module that the engine's larger memories are made of.
//!
//! | port | width | |
//! |---|---|---|
//! | enable, write, address | 1, 1, A | at the rising edge: store `data`, or fetch |
//! | data | W | |
//! | q | W | latency 1; holds while `enable` is low and while writing |
//!
//! | target | [`Kind::Large`] | [`Kind::Block`] |
//! |---|---|---|
//! | iCE40 | `SB_SPRAM256KA`, 16,384 words of 16 bits each, cascaded in width and depth | inferred `SB_RAM40_4K` |
//! | ECP5, generic | inferred (`DP16KD`) | the same |
//!
//! **Undefined**: a word that was never written (the model gives 0, hardware anything, Icarus X); on `Large` iCE40 also `q` after a write
//! until the next fetch (the model holds, the vendor's cell does not say). Whoever reads this memory keeps away from both. Addresses
//! beyond the depth: writes are lost, reads are undefined (model 0).
//!
//! For a memory with one write and one read port see [`crate::ram`].
//!
//! ```
//! use astromorph_hdl::{engine::memory::{Kind, Memory}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Memory::<U>::new("scratch", 20_000, 32, Kind::Large, Target::Ice40).unwrap();
//! assert_eq!(m.large_blocks(), 4);                       // two wide, two deep
//! m.connect_all();
//! let mut cycle = |m: &mut Memory<U>| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! (m.enable.next, m.write.next, m.address.next, m.data.next) = (true, true, U::new(19_999), U::new(7));
//! cycle(&mut m);
//! m.write.next = false;
//! cycle(&mut m);
//! assert_eq!(m.q.val(), U::new(7));
//! assert!(Memory::<U>::new("scratch", 0, 32, Kind::Large, Target::Ice40).is_err());
//! ```

mod emit;

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, Sig, U, Word, natural_bits};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Words of one `SB_SPRAM256KA`.
const SPRAM_WORDS: usize = 16_384;

/// What a memory is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Block RAM.
    Block,
    /// The large memories of the device where it has some (iCE40: SPRAM), else block RAM.
    Large,
}

/// Sizes of a memory; `columns` parts of a word are written one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub depth: usize,
    /// Bits of one column.
    pub width: u32,
    pub columns: u32,
    pub kind: Kind,
    pub target: Target,
}

/// A range of a memory word's bits in one `SB_SPRAM256KA`.
struct Slice {
    cell: u32,
    /// First nibble in the cell.
    nibble: u32,
    column: u32,
    low: u32,
    bits: u32,
}

impl Shape {
    pub fn check(&self, name: &str) -> Result<()> {
        check::range(&format!("{name}.depth"), self.depth, 1, 1 << 20)?;
        check::width(name, (self.width * self.columns) as i64)
    }

    pub fn address_bits(&self) -> u32 {
        natural_bits(self.depth as u64 - 1)
    }

    fn large(&self) -> bool {
        self.kind == Kind::Large && self.target == Target::Ice40
    }

    /// `SB_SPRAM256KA` cells.
    pub fn large_blocks(&self) -> usize {
        match self.large() {
            true => self.slices().iter().map(|s| s.cell as usize + 1).max().unwrap_or(0) * self.banks(),
            false => 0,
        }
    }

    fn banks(&self) -> usize {
        self.depth.div_ceil(SPRAM_WORDS)
    }

    /// Two narrow columns share a cell, by nibbles; others start a cell of their own.
    fn slices(&self) -> Vec<Slice> {
        let shared = self.columns == 2 && self.width <= 8;
        let cells = self.width.div_ceil(16);
        let one = |column: u32, piece: u32| Slice {
            cell: if shared { 0 } else { column * cells + piece },
            nibble: if shared { 2 * column } else { 0 },
            column,
            low: 16 * piece,
            bits: (self.width - 16 * piece).min(16),
        };
        (0..self.columns)
            .flat_map(|c| (0..cells).map(move |p| (c, p)))
            .map(|(c, p)| one(c, p))
            .collect()
    }
}

/// See the module's text.
pub struct Memory<T: Word> {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Do something.
    pub enable: Flag<In>,
    /// Store, not fetch.
    pub write: Flag<In>,
    /// Where.
    pub address: Sig<In, U>,
    /// What.
    pub data: Sig<In, T>,
    /// The word fetched.
    pub q: Sig<Out, T>,
    words: Vec<T>,
    shape: Shape,
    activity: Activity,
}

impl<T: Word> Memory<T> {
    /// `depth` words of `width` bits; `name` is for errors.
    pub fn new(name: &str, depth: usize, width: u32, kind: Kind, target: Target) -> Result<Self> {
        let shape = Shape {
            depth,
            width,
            columns: 1,
            kind,
            target,
        };
        shape.check(name)?;
        Ok(Memory {
            clock: Signal::default(),
            enable: Flag::default(),
            write: Flag::default(),
            address: Sig::new(shape.address_bits()),
            data: Sig::new(width),
            q: Sig::new(width),
            words: vec![T::default(); depth],
            shape,
            activity: Activity::default(),
        })
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.words.len() * self.q.width() as usize
    }

    /// `SB_SPRAM256KA` cells it takes.
    pub fn large_blocks(&self) -> usize {
        self.shape.large_blocks()
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        if self.enable.val() {
            let at = self.address.val().index();
            if self.write.val() {
                if let Some(word) = self.words.get_mut(at) {
                    *word = self.data.val();
                }
            } else {
                self.q.next = self.words.get(at).copied().unwrap_or_default();
            }
        }
        // Storing the same word again changes nothing.
        false
    }
}

impl<T: Word> Logic for Memory<T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let (name, cores) = self.shape.module();
        Verilog::Wrapper(Wrapper {
            code: format!(
                "{name} memory (.clock(clock), .enable(enable), .write(write), .address(address), .data(data), .q(q));\n"
            ),
            cores,
        })
    }
}

leaf!([T: Word] Memory<T>; inputs: enable, write, address, data; outputs: q);
