//! ECP5 block RAM with its output register on (`DP16KD`, `REGMODE = OUTREG`), which synthesis does not infer: latency 2, but an answer
//! 1.1 ns after the clock instead of 5.6.
//!
//! A memory is cut into slices of as many bits as one block holds at its depth, so that no multiplexer follows the blocks:
//!
//! | words, at most | 1,024 | 2,048 | 4,096 | 8,192 | 16,384 |
//! |---|---|---|---|---|---|
//! | bits a block | 18 | 9 | 4 | 2 | 1 |
//!
//! Example: 3,000 words of 16 bits are four blocks of 4 bits. Source: Lattice TN1264; the blocks hold zeros after power-up.

use crate::number::natural_bits;

/// Words of the deepest block.
pub const WORDS: usize = 16_384;

/// Bits of one block's word for a memory of `depth` words.
pub fn block_bits(depth: usize) -> u32 {
    match depth {
        0..=1024 => 18,
        1025..=2048 => 9,
        2049..=4096 => 4,
        4097..=8192 => 2,
        _ => 1,
    }
}

/// What drives a port: names or expressions.
pub(super) struct Port<'a> {
    pub enable: &'a str,
    /// Store, when `enable`.
    pub write: &'a str,
    /// `natural_bits(depth − 1)` bits.
    pub address: &'a str,
    /// The fetched word and the output register to 0; goes before `enable`.
    pub clear: &'a str,
}

/// Verilog of a memory with the clock named `clock`: stores `data` through port `a`, and assigns to `q`, declared wires of `width` bits,
/// what port `b` fetches, or `a` without `b`. `name` prefixes what is declared here; `depth` is at most [`WORDS`].
pub(super) fn memory(name: &str, depth: usize, width: u32, a: &Port, b: Option<&Port>, data: &str, q: &str) -> String {
    let bits = block_bits(depth);
    let address = natural_bits(depth as u64 - 1);
    let low = match bits {
        // The two lowest bits enable the halves of 9.
        18 => 4,
        9 => 3,
        4 => 2,
        2 => 1,
        _ => 0,
    };
    let pins = |port: &Port| {
        let zeros = 14 - low - address;
        let above = if zeros > 0 {
            format!("{zeros}'b0, ")
        } else {
            String::new()
        };
        let below = match low {
            4 => ", 4'b0011".into(),
            0 => String::new(),
            n => format!(", {n}'b0"),
        };
        format!("{{{above}{}{below}}}", port.address)
    };
    let idle = Port {
        enable: "1'b0",
        write: "1'b0",
        address: "",
        clear: "1'b0",
    };
    let second = match b {
        Some(port) => pins(port),
        None => "14'b0".into(),
    };
    let mut s = format!(
        "wire [13:0] {name}_a = {};\nwire [13:0] {name}_b = {second};\n",
        pins(a)
    );
    let b = b.unwrap_or(&idle);
    for (n, from) in (0..width).step_by(bits as usize).enumerate() {
        let used = bits.min(width - from);
        let cell = format!("{name}_{n}");
        let spare = 18 - used;
        let padded = if spare > 0 {
            format!("{spare}'b0, ")
        } else {
            String::new()
        };
        let out = if b.address.is_empty() { "A" } else { "B" };
        s += &format!(
            "wire [17:0] {cell}_d = {{{padded}{data}[{}:{from}]}};\nwire [17:0] {cell}_q;\nassign {q}[{}:{from}] = {cell}_q[{}:0];\n\
             DP16KD #(.DATA_WIDTH_A({bits}), .DATA_WIDTH_B({bits}), .REGMODE_A(\"OUTREG\"), .REGMODE_B(\"OUTREG\"), .RESETMODE(\"SYNC\"), \
             .WRITEMODE_A(\"NORMAL\"), .WRITEMODE_B(\"NORMAL\"), .CSDECODE_A(\"0b000\"), .CSDECODE_B(\"0b000\"), .GSR(\"DISABLED\"))\n  {cell} (",
            from + used - 1,
            from + used - 1,
            used - 1
        );
        for (side, port, ram) in [("A", a, "a"), ("B", b, "b")] {
            for i in 0..14 {
                s += &format!(".AD{side}{i}({name}_{ram}[{i}]), ");
            }
            for i in 0..18 {
                let d = if side == "A" {
                    format!("{cell}_d[{i}]")
                } else {
                    "1'b0".into()
                };
                s += &format!(".DI{side}{i}({d}), ");
                if side == out {
                    s += &format!(".DO{side}{i}({cell}_q[{i}]), ");
                }
            }
            s += &format!(
                ".CLK{side}(clock), .CE{side}({}), .OCE{side}(1'b1), .WE{side}({}), .RST{side}({}), .CS{side}0(1'b0), .CS{side}1(1'b0), .CS{side}2(1'b0){}",
                port.enable,
                port.write,
                port.clear,
                if side == "A" { ", " } else { ");\n" }
            );
        }
    }
    s
}
