//! What both simulators share to replay a trace: a Verilog wrapper whose ports are two packed vectors, the
//! layout of those vectors, and the reading of the result lines.

use crate::compare::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::ports::{Port, PortKind};
use crate::trace::Trace;
use std::fmt::Write;

/// One port in a packed vector.
pub(super) struct Slice<'a> {
    pub port: &'a Port,
    /// First word of its value in a row of the trace.
    pub offset: usize,
    /// Its lowest bit in the packed vector.
    pub low: usize,
}

/// Where every port lies in the packed input and output vectors.
pub(super) struct Layout<'a> {
    pub inputs: Vec<Slice<'a>>,
    pub outputs: Vec<Slice<'a>>,
    pub input_words: usize,
    pub output_words: usize,
    clocks: Vec<&'a Port>,
}

impl<'a> Layout<'a> {
    pub fn of(trace: &'a Trace) -> Result<Self> {
        let (inputs, input_words) = pack(trace.offsets(PortKind::Input));
        let (outputs, output_words) = pack(trace.offsets(PortKind::Output));
        if outputs.is_empty() || trace.cycles() <= trace.compare_from() {
            return Err(Error::ComparedNothing {
                what: format!(
                    "trace of {} cycles (compared from {}), {} output ports",
                    trace.cycles(),
                    trace.compare_from(),
                    outputs.len()
                ),
            });
        }
        let clocks = trace.offsets(PortKind::Clock);
        Ok(Layout {
            inputs,
            outputs,
            input_words,
            output_words,
            clocks: clocks.into_iter().map(|(_, p)| p).collect(),
        })
    }

    /// `module replay(clock, i, o)` around `top`.
    pub fn wrapper(&self) -> String {
        let mut pins: Vec<String> = Vec::new();
        for clock in &self.clocks {
            pins.push(format!(".{}(clock)", clock.name));
        }
        for (vector, slices) in [("i", &self.inputs), ("o", &self.outputs)] {
            for s in slices {
                let high = s.low + s.port.bits - 1;
                pins.push(format!(".{}({vector}[{high}:{}])", s.port.name, s.low));
            }
        }
        let used = self.outputs.last().map_or(0, |s| s.low + s.port.bits);
        let mut padding = String::new();
        if used < self.output_words * 32 {
            let high = self.output_words * 32 - 1;
            let _ = writeln!(padding, "  assign o[{high}:{used}] = 0;");
        }
        format!(
            "`timescale 1ns/1ps\nmodule replay(input clock, input [{}:0] i, output [{}:0] o);\n{padding}  top dut(\n    {}\n  );\nendmodule\n",
            self.input_words * 32 - 1,
            self.output_words * 32 - 1,
            pins.join(",\n    ")
        )
    }

    /// Packs the values of some ports of one row into 32-bit words.
    pub fn packed(slices: &[Slice], row: &[u64], words: &mut Vec<u32>, count: usize) {
        let start = words.len();
        words.resize(start + count, 0);
        let out = &mut words[start..];
        for s in slices {
            let mut done = 0;
            while done < s.port.bits {
                // At most 32 bits at a time, never across a word of either side.
                let at = s.low + done;
                let take = (32 - at % 32).min(64 - done % 64).min(s.port.bits - done);
                let value = row[s.offset + done / 64] >> (done % 64);
                let mask = if take == 32 { u32::MAX } else { (1 << take) - 1 };
                out[at / 32] |= (value as u32 & mask) << (at % 32);
                done += take;
            }
        }
    }

    /// Reads `FIRST cycle port expected found` and `RESULT cycles= words= mismatches=`.
    pub fn result(&self, tool: &str, stdout: &str) -> Result<Comparison> {
        let bad = |found: String| Error::BadReport {
            item: format!("result of {tool}"),
            expected: "a RESULT line with cycles, words and mismatches".into(),
            found,
        };
        let line = stdout
            .lines()
            .find_map(|l| l.strip_prefix("RESULT "))
            .ok_or_else(|| bad("no such line".into()))?;
        let number = |key: &str| {
            line.split_whitespace()
                .find_map(|f| f.strip_prefix(key))
                .and_then(|v| v.parse::<u64>().ok())
                .ok_or_else(|| bad(line.to_string()))
        };
        let first = stdout
            .lines()
            .find_map(|l| l.strip_prefix("FIRST "))
            .and_then(|l| self.first(l));
        let comparison = Comparison {
            cycles: number("cycles=")?,
            words: number("words=")?,
            mismatches: number("mismatches=")?,
            first,
        };
        if comparison.mismatches > 0 && comparison.first.is_none() {
            return Err(bad(format!("{line}, without a FIRST line")));
        }
        comparison.checked(tool)
    }

    fn first(&self, line: &str) -> Option<Mismatch> {
        let mut fields = line.split_whitespace();
        let cycle = fields.next()?.parse().ok()?;
        let port = fields.next()?.parse::<usize>().ok()?;
        let digits = |text: &str| {
            let short = text.trim_start_matches('0');
            if short.is_empty() { "0" } else { short }.to_string()
        };
        Some(Mismatch {
            cycle,
            port: self.outputs.get(port)?.port.name.clone(),
            expected: digits(fields.next()?),
            found: digits(fields.next()?),
        })
    }
}

/// At least three words: Verilator then passes the vector as an array, whatever the ports are.
fn pack(ports: Vec<(usize, &Port)>) -> (Vec<Slice<'_>>, usize) {
    let mut low = 0;
    let mut slices = Vec::new();
    for (offset, port) in ports {
        slices.push(Slice { port, offset, low });
        low += port.bits;
    }
    (slices, low.div_ceil(32).max(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, kind: PortKind, bits: usize) -> Port {
        Port {
            name: name.into(),
            kind,
            bits,
            signed: false,
        }
    }

    #[test]
    fn packing_crosses_words_of_both_sides() {
        let ports = vec![
            port("a", PortKind::Input, 20),
            port("b", PortKind::Input, 70),
            port("y", PortKind::Output, 1),
        ];
        let mut trace = Trace::of_ports(ports);
        trace.push_row(&[0xa_bcde, 0x0123_4567_89ab_cdef, 0x2a, 1]);
        let layout = Layout::of(&trace).unwrap();
        let mut words = Vec::new();
        let row = trace.rows().next().unwrap();
        Layout::packed(&layout.inputs, row, &mut words, layout.input_words);
        let value = (0xa_bcdeu128) | (0x0123_4567_89ab_cdefu128 << 20) | (0x2au128 << 84);
        let found = words.iter().rev().fold(0u128, |v, w| v << 32 | *w as u128);
        assert_eq!(found, value);
    }

    #[test]
    fn no_result_line_and_no_words_are_errors() {
        let mut trace = Trace::of_ports(vec![port("y", PortKind::Output, 4)]);
        assert!(matches!(Layout::of(&trace), Err(Error::ComparedNothing { .. })));
        trace.push_row(&[3]);
        let layout = Layout::of(&trace).unwrap();
        assert!(matches!(layout.result("tool", "hello"), Err(Error::BadReport { .. })));
        assert!(matches!(
            layout.result("tool", "RESULT cycles=1 words=0 mismatches=0"),
            Err(Error::ComparedNothing { .. })
        ));
        let text = "FIRST 0 0 3 0x\nRESULT cycles=1 words=1 mismatches=1";
        let c = layout.result("tool", text).unwrap();
        assert_eq!(c.first.unwrap().found, "x");
    }
}
