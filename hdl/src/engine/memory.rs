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

use super::accumulate::once;
use super::block_ram;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, Sig, U, Word, natural_bits};
use astromorph::Result;
use rust_hdl::prelude::*;
use std::fmt::Write as _;

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

    /// Name and text of the module `(clock, enable, write[columns], address, data, q)`, each text once in a file.
    pub fn module(&self) -> (String, String) {
        let Shape {
            depth, width, columns, ..
        } = *self;
        let name = format!(
            "astromorph_memory_{}{depth}x{width}x{columns}",
            if self.large() { "large_" } else { "" }
        );
        let (address, word) = (self.address_bits() - 1, width * columns - 1);
        let mut text = format!(
            "module {name}(input clock, input enable, input [{}:0] write, input [{address}:0] address, input [{word}:0] data, output {} [{word}:0] q);\n",
            columns - 1,
            if self.large() { "wire" } else { "reg" }
        );
        text += &if self.large() { self.spram() } else { self.inferred() };
        text += "endmodule\n";
        let text = once(&name, &text);
        (name, text)
    }

    /// The same with latency 2, for requests that come from logic and answers that go far: a register in front of the memory, on ECP5
    /// behind it.
    pub fn pipelined(&self) -> (String, String) {
        let Shape { width, columns, .. } = *self;
        let (inner, inner_text) = self.module();
        let name = format!("{inner}_pipelined");
        let (address, word) = (self.address_bits() - 1, width * columns - 1);
        let mut text = format!(
            "module {name}(input clock, input enable, input [{0}:0] write, input [{address}:0] address, input [{word}:0] data, output [{word}:0] q);\n",
            columns - 1
        );
        if self.target == Target::Ecp5 {
            text += &self.registered();
            text += "endmodule\n";
            return (name.clone(), once(&name, &text));
        }
        let _ = write!(
            text,
            "  reg enable1 = 0;\n  reg [{0}:0] write1 = 0;\n  reg [{address}:0] address1 = 0;\n  reg [{word}:0] data1 = 0;\n  \
             always @(posedge clock) begin\n    enable1 <= enable;\n    write1 <= write;\n    address1 <= address;\n    data1 <= data;\n  end\n  \
             {inner} memory (.clock(clock), .enable(enable1), .write(write1), .address(address1), .data(data1), .q(q));\nendmodule\n",
            columns - 1
        );
        (name.clone(), inner_text + &once(&name, &text))
    }

    /// ECP5 blocks with output registers, cascaded in depth by a multiplexer behind them.
    fn registered(&self) -> String {
        let (width, address) = (self.width, self.address_bits());
        let word = width * self.columns - 1;
        let banks = self.depth.div_ceil(block_ram::WORDS);
        let depth = self.depth.min(block_ram::WORDS);
        let mut s = String::from("  wire some = |write;\n");
        for bank in 0..banks {
            let chosen = match banks {
                1 => "enable".into(),
                _ => format!("enable & (address[{}:14] == {bank})", address - 1),
            };
            let low = if banks == 1 { "address" } else { "address[13:0]" };
            let _ = writeln!(s, "  wire [{word}:0] q{bank};\n  wire e{bank} = {chosen};");
            for c in 0..self.columns {
                let (from, to) = (c * width, (c + 1) * width - 1);
                // A column that is not written while another is holds still.
                let port = block_ram::Port {
                    enable: &format!("e{bank} & (write[{c}] | ~some)"),
                    write: &format!("write[{c}]"),
                    address: low,
                };
                let name = format!("b{bank}_{c}");
                let _ = writeln!(
                    s,
                    "wire [{0}:0] {name}_data = data[{to}:{from}];\nwire [{0}:0] {name}_q;\nassign q{bank}[{to}:{from}] = {name}_q;",
                    width - 1
                );
                s += &block_ram::memory(
                    &name,
                    depth,
                    width,
                    &port,
                    None,
                    &format!("{name}_data"),
                    &format!("{name}_q"),
                );
            }
        }
        if banks > 1 {
            let top = address - 15;
            let _ = writeln!(
                s,
                "  reg [{top}:0] from1 = 0, from = 0;\n  always @(posedge clock) begin\n    if (enable & ~some) from1 <= address[{}:14];\n    \
                 from <= from1;\n  end",
                address - 1
            );
        }
        s + &selected(banks)
    }

    fn inferred(&self) -> String {
        let (top, last) = (self.width - 1, self.depth - 1);
        let mut s = String::from("  initial q = 0;\n");
        for c in 0..self.columns {
            let (low, high) = (c * self.width, (c + 1) * self.width - 1);
            // Writing to a String cannot fail.
            let _ = write!(
                s,
                "  (* no_rw_check *) reg [{top}:0] column{c} [0:{last}];\n  always @(posedge clock) if (enable) begin\n    \
                 if (write[{c}]) column{c}[address] <= data[{high}:{low}];\n    if (~|write) q[{high}:{low}] <= column{c}[address];\n  end\n"
            );
        }
        s
    }

    fn spram(&self) -> String {
        let (word, address, banks) = (self.width * self.columns - 1, self.address_bits(), self.banks());
        let slices = self.slices();
        let cells = slices.iter().map(|s| s.cell + 1).max().unwrap_or(0);
        let low = if address > 14 {
            "address[13:0]".into()
        } else if address == 14 {
            "address".into()
        } else {
            format!("{{{}'b0, address}}", 14 - address)
        };
        let mut s = String::new();
        for cell in 0..cells {
            let here = || slices.iter().filter(move |x| x.cell == cell);
            let _ = writeln!(s, "  wire [15:0] d{cell};\n  wire [3:0] m{cell};");
            let (mut used, mut masked) = (0u32, 0u32);
            for x in here() {
                let (from, nibbles) = (4 * x.nibble, x.bits.div_ceil(4));
                let source = x.column * self.width + x.low;
                let _ = writeln!(
                    s,
                    "  assign d{cell}[{}:{from}] = data[{}:{source}];\n  assign m{cell}[{}:{}] = {{{nibbles}{{write[{}]}}}};",
                    from + x.bits - 1,
                    source + x.bits - 1,
                    x.nibble + nibbles - 1,
                    x.nibble,
                    x.column
                );
                used |= ((1 << x.bits) - 1) << from;
                masked |= ((1 << nibbles) - 1) << x.nibble;
            }
            for (wire, bits, set) in [("d", 16, used), ("m", 4, masked)] {
                for i in (0..bits).filter(|i| set >> i & 1 == 0) {
                    let _ = writeln!(s, "  assign {wire}{cell}[{i}] = 1'b0;");
                }
            }
        }
        for bank in 0..banks {
            let chosen = match banks {
                1 => "enable".into(),
                _ => format!("enable & (address[{}:14] == {bank})", address - 1),
            };
            let _ = writeln!(s, "  wire [{word}:0] q{bank};\n  wire e{bank} = {chosen};");
            for cell in 0..cells {
                // A word's other columns keep what they hold: their masks are 0, but no cell may fetch while another is written.
                let _ = writeln!(
                    s,
                    "  wire [15:0] o{bank}_{cell};\n  SB_SPRAM256KA s{bank}_{cell} (.CLOCK(clock), .ADDRESS({low}), .DATAIN(d{cell}), .MASKWREN(m{cell}), \
                     .WREN(|write), .CHIPSELECT(e{bank}), .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(o{bank}_{cell}));"
                );
            }
            for x in &slices {
                let source = x.column * self.width + x.low;
                let from = 4 * x.nibble;
                let _ = writeln!(
                    s,
                    "  assign q{bank}[{}:{source}] = o{bank}_{}[{}:{from}];",
                    source + x.bits - 1,
                    x.cell,
                    from + x.bits - 1
                );
            }
        }
        if banks > 1 {
            let top = address - 15;
            let _ = writeln!(
                s,
                "  reg [{top}:0] from = 0;\n  always @(posedge clock) if (enable & ~|write) from <= address[{}:14];",
                address - 1
            );
        }
        s + &selected(banks)
    }
}

/// The word of the bank that was fetched from.
fn selected(banks: usize) -> String {
    let mut s = String::from("  assign q = ");
    for bank in 0..banks - 1 {
        let _ = write!(s, "from == {bank} ? q{bank} : ");
    }
    let _ = writeln!(s, "q{};", banks - 1);
    s
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
