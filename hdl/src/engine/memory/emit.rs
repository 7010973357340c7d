//! Verilog of the engine's memories: inferred, of SPRAM cells, or of ECP5 blocks with output registers.

use super::Shape;
use crate::engine::accumulate::once;
use crate::engine::block_ram;
use crate::multiply::Target;
use std::fmt::Write as _;

impl Shape {
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
                    clear: "1'b0",
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
