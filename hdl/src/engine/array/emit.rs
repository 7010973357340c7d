//! The array's Verilog: control of the first block, then the blocks, each a register behind the one before, with their lanes.

use super::Array;
use crate::engine::lane;
use rust_hdl::prelude::*;
use std::fmt::Write as _;

impl Logic for Array {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.word.connect();
        self.captured.connect();
        self.capturing.connect();
        self.busy.connect();
    }
    fn hdl(&self) -> Verilog {
        let (_, cores) = lane::module(&self.config);
        Verilog::Wrapper(Wrapper {
            code: self.verilog(),
            cores,
        })
    }
}

impl Array {
    /// Control of the first block, then the blocks with their lanes.
    fn verilog(&self) -> String {
        let config = &self.config;
        let (s, blocks, width) = (config.sum_stage(), config.blocks(), config.width as usize);
        let (w, d, row) = (width - 1, config.address_bits() - 1, self.bank_row.width() - 1);
        let (ends, data) = (s + blocks, config.groups * width - 1);
        let words: Vec<String> = (0..config.groups).rev().map(|g| format!("bank_data${g}")).collect();
        let mut v = format!(
            "reg pair1 = 0, even1 = 0, odd1 = 0, last1 = 0, reset1 = 0;\nreg [{row}:0] row1 = 0;\n\
             reg first2 = 0, mac2 = 0, odd2 = 0, last2 = 0, reset2 = 0;\nreg [{ends}:0] loads = 0, captures = 0;\nreg mac3 = 0;\n\
             reg signed [{w}:0] second = 0;\nalways @(posedge clock) begin\n  \
             pair1 <= pair & ~reset;\n  even1 <= mac_even;\n  odd1 <= mac_odd;\n  last1 <= last;\n  reset1 <= reset;\n  row1 <= bank_row;\n  \
             first2 <= pair1;\n  mac2 <= pair1 & even1 | odd2;\n  odd2 <= pair1 & odd1;\n  last2 <= pair1 & last1 & ~reset;\n  reset2 <= reset1;\n  \
             mac3 <= mac2;\n  second <= x_odd;\n  loads <= {{loads[{0}:0], last2 | reset2}};\n  \
             captures <= reset ? 0 : {{captures[{0}:0], last2}};\nend\nassign busy = mac3;\nassign captured = captures[{ends}];\n\
             assign capturing = captures[{0}];\n",
            ends - 1
        );
        for b in 0..blocks {
            let lanes = (b * config.block)..config.lanes.min((b + 1) * config.block);
            let n = lanes.len();
            let flags: Vec<String> = lanes.clone().rev().map(|l| format!("bank_write${l}")).collect();
            // Writes go to a block as late as its addresses: the flags wait for that.
            let (waits, flags) = (b + config.write_register() as usize, flags.join(", "));
            let delayed = match waits {
                0 | 1 => format!("{{{flags}}}"),
                _ => format!("{{writes_{b}[{}:0], {flags}}}", n * (waits - 1) - 1),
            };
            let _ = writeln!(
                v,
                "// block {b}\nreg [{d}:0] address_{b} = 0;\nreg signed [{w}:0] x_{b} = 0;"
            );
            let words = format!("{{{}}}", words.join(", "));
            let _ = match waits {
                0 => writeln!(
                    v,
                    "wire [{d}:0] write_address_{b} = bank_address;\nwire [{data}:0] write_data_{b} = {words};\nwire [{}:0] writes_{b} = {delayed};",
                    n - 1
                ),
                _ => writeln!(
                    v,
                    "reg [{d}:0] write_address_{b} = 0;\nreg [{data}:0] write_data_{b} = 0;\nreg [{}:0] writes_{b} = 0;",
                    n * waits - 1
                ),
            };
            let read = match b {
                0 => {
                    let _ = write!(
                        v,
                        "always @(posedge clock) begin\n  address_0[0] <= ~pair1;\n  if (pair1) address_0[{d}:1] <= row1;\n  \
                         x_0 <= mac2 ? (first2 ? x_even : second) : 0;\nend\n"
                    );
                    if waits > 0 {
                        let _ = writeln!(
                            v,
                            "always @(posedge clock) begin\n  write_address_0 <= bank_address;\n  write_data_0 <= {words};\n  writes_0 <= {delayed};\nend"
                        );
                    }
                    "mac2".into()
                }
                _ => {
                    let (p, before) = (
                        b - 1,
                        if b == 1 {
                            "mac2".into()
                        } else {
                            format!("read_{}", b - 1)
                        },
                    );
                    let _ = write!(
                        v,
                        "reg read_{b} = 0;\nalways @(posedge clock) begin\n  address_{b} <= address_{p};\n  x_{b} <= x_{p};\n  read_{b} <= {before};\n  \
                         write_address_{b} <= write_address_{p};\n  write_data_{b} <= write_data_{p};\n  writes_{b} <= {delayed};\nend\n"
                    );
                    format!("read_{b}")
                }
            };
            let x = if config.bank_register() {
                let _ = write!(
                    v,
                    "reg signed [{w}:0] operand_{b} = 0;\nalways @(posedge clock) operand_{b} <= x_{b};\n"
                );
                format!("operand_{b}")
            } else {
                format!("x_{b}")
            };
            v += &self.lanes(b, lanes, &read, &x);
        }
        v += "assign word = chain_0;\n";
        v
    }

    /// The lanes of block `b`.
    fn lanes(&self, b: usize, lanes: std::ops::Range<usize>, read: &str, x: &str) -> String {
        let config = &self.config;
        let (name, _) = lane::module(config);
        let (each, width) = (config.lanes_per_cell() as usize, config.width as usize);
        let waits = b + config.write_register() as usize;
        let (s, a, wait) = (
            config.sum_stage(),
            config.acc_bits - 1,
            lanes.len() * waits.saturating_sub(1),
        );
        let mut v = String::new();
        for l in lanes.clone().step_by(each) {
            let data: Vec<String> = (l..l + each)
                .rev()
                .map(|l| l % config.groups * width)
                .map(|from| format!("write_data_{b}[{}:{from}]", from + width - 1))
                .collect();
            let from = wait + l - lanes.start;
            let next = match l + each {
                n if n < config.lanes => format!("chain_{n}"),
                _ => format!("{}'b0", config.acc_bits),
            };
            let _ = write!(
                v,
                "wire [{a}:0] chain_{l};\n{name} lane_{l} (.clock(clock), .write(writes_{b}[{}:{from}]), .write_address(write_address_{b}), \
                 .write_data({{{}}}), .read({read}), .address(address_{b}), .x({x}), .load_low(loads[{}]), .load_high(loads[{}]), \
                 .capture_low(captures[{}]), .capture_high(captures[{}]), .shift(shift), .chain_in({next}), .chain_out(chain_{l}));\n",
                from + each - 1,
                data.join(", "),
                s - 1 + b,
                s + b,
                s - 1 + b,
                s + b
            );
        }
        v
    }
}
