//! The activation memory: elements of W bits, two to a row, one row or one element a cycle.
//!
//! | port | width | |
//! |---|---|---|
//! | read, read_row | 1, R | fetch a row for the array |
//! | serial, serial_write, serial_address, serial_data | 1, 1, R + 1, W | fetch or store one element; element 2r + k is column k of row r |
//! | row_even, row_odd | W, W | elements 2r, 2r + 1, [`row_latency`] cycles after `read`: 2, on ECP5 3 |
//! | serial_element | W | 3 cycles after `serial` without `serial_write` |
//!
//! `read` and `serial` are never both set (the engine reads rows in even cycles and elements in odd ones); the model stops the simulation
//! when they are. Storing an element leaves the other of its row alone. A stored element is seen by every request of a later cycle.
//! Outputs at other times, and elements never stored, are undefined as [`super::memory`] says.
//!
//! | target | memory |
//! |---|---|
//! | iCE40 | SPRAM: W ≤ 8 both elements in one word, W ≤ 16 a cell for each column; 16,384 rows a cell |
//! | ECP5 | block RAM between registers, some blocks for each column |
//! | generic | inferred, a memory for each column |
//!
//! ```
//! use astromorph_hdl::{engine::{memory::Kind, xmem::XMemory}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = XMemory::new("x", 100, 8, Kind::Large, Target::Ice40).unwrap();
//! assert_eq!((m.read_row.width(), m.large_blocks()), (7, 1));
//! m.connect_all();
//! let mut cycle = |m: &mut XMemory| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! for (k, x) in [(10, 5), (11, -6)] {
//!     (m.serial.next, m.serial_write.next, m.serial_address.next, m.serial_data.next) = (true, true, U::new(k), S::new(x));
//!     cycle(&mut m);
//! }
//! (m.serial.next, m.read.next, m.read_row.next) = (false, true, U::new(5));
//! cycle(&mut m);
//! m.read.next = false;
//! cycle(&mut m);
//! assert_eq!((m.row_even.val().get(), m.row_odd.val().get()), (5, -6));
//! ```

use super::memory::{Kind, Shape};
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, S, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from `read` to the row. ECP5 has a register in front of its many blocks and one behind them.
pub fn row_latency(target: Target) -> usize {
    2 + (target == Target::Ecp5) as usize
}
/// Cycles from `serial` to the element.
pub const ELEMENT_LATENCY: usize = 3;

/// A request on its way to the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Request {
    enable: bool,
    write: bool,
    address: usize,
    data: i32,
}

/// See the module's text.
pub struct XMemory {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Fetch a row.
    pub read: Flag<In>,
    /// Which.
    pub read_row: Sig<In, U>,
    /// Fetch or store an element.
    pub serial: Flag<In>,
    /// Store.
    pub serial_write: Flag<In>,
    /// Which element.
    pub serial_address: Sig<In, U>,
    /// What to store.
    pub serial_data: Sig<In, S>,
    /// Element 2r of the row.
    pub row_even: Sig<Out, S>,
    /// Element 2r + 1 of the row.
    pub row_odd: Sig<Out, S>,
    /// Element fetched.
    pub serial_element: Sig<Out, S>,
    elements: Vec<i32>,
    request: Request,
    /// Low bit of the address at the memory's output, and behind ECP5's output registers.
    odd: [bool; 2],
    /// At the memory's own output.
    row: (S, S),
    shape: Shape,
    activity: Activity,
}

impl XMemory {
    /// `rows` rows of two elements of `width` bits; `name` is for errors.
    pub fn new(name: &str, rows: usize, width: u32, kind: Kind, target: Target) -> Result<Self> {
        check::range(&format!("{name}.width"), width, 2, target.operand_bits())?;
        let shape = Shape {
            depth: rows,
            width,
            columns: 2,
            kind,
            target,
        };
        shape.check(name)?;
        let address = shape.address_bits();
        Ok(XMemory {
            clock: Signal::default(),
            read: Flag::default(),
            read_row: Sig::new(address),
            serial: Flag::default(),
            serial_write: Flag::default(),
            serial_address: Sig::new(address + 1),
            serial_data: Sig::new(width),
            row_even: Sig::new(width),
            row_odd: Sig::new(width),
            serial_element: Sig::new(width),
            elements: vec![0; 2 * rows],
            request: Request::default(),
            odd: [false; 2],
            row: Default::default(),
            shape,
            activity: Activity::default(),
        })
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.elements.len() * self.row_even.width() as usize
    }

    /// `SB_SPRAM256KA` cells it takes.
    pub fn large_blocks(&self) -> usize {
        self.shape.large_blocks()
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let (read, serial) = (self.read.val(), self.serial.val());
        assert!(!(read && serial), "a row and an element asked for in one cycle");
        let was = (self.request, self.odd, self.row);
        let late = self.shape.target == Target::Ecp5;
        let element = |odd: bool, (even_word, odd_word): (S, S)| if odd { odd_word } else { even_word };
        if late {
            (self.row_even.next, self.row_odd.next) = self.row;
            self.odd[1] = self.odd[0];
            self.serial_element.next = element(self.odd[1], self.row);
        } else {
            self.serial_element.next = element(self.odd[0], self.row);
        }
        self.odd[0] = self.request.address & 1 == 1;
        if self.request.enable {
            let at = self.request.address;
            if self.request.write {
                if let Some(element) = self.elements.get_mut(at) {
                    *element = self.request.data;
                }
            } else {
                let element = |k: usize| S::new(self.elements.get(at & !1 | k).copied().unwrap_or(0) as i64);
                self.row = (element(0), element(1));
            }
        }
        if !late {
            (self.row_even.next, self.row_odd.next) = self.row;
        }
        self.request = Request {
            enable: read || serial,
            write: serial && self.serial_write.val(),
            // The low bit is the element's also when a row is read: the registers behind do not look which it is.
            address: if serial {
                self.serial_address.val().index()
            } else {
                self.read_row.val().index() << 1 | self.serial_address.val().index() & 1
            },
            data: self.serial_data.val().get() as i32,
        };
        was != (self.request, self.odd, self.row)
    }
}

impl Logic for XMemory {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.row_even.connect();
        self.row_odd.connect();
        self.serial_element.connect();
    }
    fn hdl(&self) -> Verilog {
        let (name, cores) = self.shape.pipelined();
        let (top, row) = (self.shape.width - 1, self.shape.address_bits() - 1);
        let request = format!(
            "wire [1:0] write = {{2{{serial & serial_write}}}} & {{serial_address[0], ~serial_address[0]}};\n\
             wire [{row}:0] row = serial ? serial_address[{}:1] : read_row;\nreg odd1 = 0, odd2 = 0;\n\
             always @(posedge clock) begin\n  odd1 <= serial_address[0];\n  odd2 <= odd1;\nend\n",
            row + 1
        );
        let rest = match self.shape.target {
            Target::Ecp5 => format!(
                "reg odd3 = 0, enable1 = 0;\nreg [1:0] write1 = 0;\nreg [{row}:0] row1 = 0;\nreg [{top}:0] data1 = 0;\n\
                 always @(posedge clock) begin\n  odd3 <= odd2;\n  enable1 <= read | serial;\n  write1 <= write;\n  row1 <= row;\n  \
                 data1 <= serial_data;\nend\nassign serial_element = odd3 ? row_odd : row_even;\n{name} memory (.clock(clock), \
                 .enable(enable1), .write(write1), .address(row1), .data({{data1, data1}}), .q({{row_odd, row_even}}));\n"
            ),
            _ => format!(
                "reg signed [{top}:0] element = 0;\nalways @(posedge clock) element <= odd2 ? row_odd : row_even;\n\
                 assign serial_element = element;\n{name} memory (.clock(clock), .enable(read | serial), .write(write), .address(row), \
                 .data({{serial_data, serial_data}}), .q({{row_odd, row_even}}));\n"
            ),
        };
        Verilog::Wrapper(Wrapper {
            code: request + &rest,
            cores,
        })
    }
}

leaf!([] XMemory; inputs: read, read_row, serial, serial_write, serial_address, serial_data; outputs: row_even, row_odd, serial_element);
