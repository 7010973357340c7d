//! A record of every top-level port in every cycle.
//!
//! | item | |
//! |---|---|
//! | when | settled values just before the rising edge: inputs of the cycle and the outputs they give |
//! | storage | ⌈bits/64⌉ words of 64 bits a port and cycle, one flat vector |
//! | compared | outputs, from cycle `compare_from` on (0 at first): earlier cycles are replayed only |

use crate::ports::{Port, PortKind, TopValues, ports, push_value};
use rust_hdl::prelude::Block;

/// Recorded ports of one run.
#[derive(Clone, Debug)]
pub struct Trace {
    ports: Vec<Port>,
    row_words: usize,
    data: Vec<u64>,
    compare_from: u64,
    text: String,
}

impl Trace {
    /// An empty record of the ports of `block`.
    pub fn new(block: &dyn Block) -> Self {
        Trace::of_ports(ports(block))
    }

    /// An empty record for values that do not come from a RustHDL block (see [`Trace::push_row`]).
    pub fn of_ports(ports: Vec<Port>) -> Self {
        let row_words = ports.iter().map(Port::words).sum();
        Trace {
            ports,
            row_words,
            data: Vec::new(),
            compare_from: 0,
            text: String::new(),
        }
    }

    /// Appends the settled values of all ports. Call it once a cycle, before the edge.
    pub fn record(&mut self, block: &dyn Block) {
        let Trace { data, text, .. } = self;
        block.accept("top", &mut TopValues::new(|a| push_value(a, text, data)));
    }

    /// Appends one row given as words in the order of the ports; missing words are zero.
    pub fn push_row(&mut self, words: &[u64]) {
        let end = self.data.len() + self.row_words;
        self.data.extend(words.iter().copied().take(self.row_words));
        self.data.resize(end, 0);
    }

    /// Cycles before `cycle` are replayed but not compared: what comes out of registers and memories
    /// before reset has no defined value in hardware.
    pub fn set_compare_from(&mut self, cycle: u64) {
        self.compare_from = cycle;
    }

    pub fn compare_from(&self) -> u64 {
        self.compare_from
    }

    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// Recorded cycles.
    pub fn cycles(&self) -> u64 {
        self.data.len().checked_div(self.row_words).unwrap_or_default() as u64
    }

    /// The rows, each the words of all ports in order.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.data.chunks_exact(self.row_words.max(1))
    }

    /// Words of one port in one cycle.
    pub fn value(&self, cycle: u64, port: &str) -> Option<&[u64]> {
        let mut offset = 0;
        for p in &self.ports {
            if p.name == port {
                let row = self.rows().nth(usize::try_from(cycle).ok()?)?;
                return row.get(offset..offset + p.words());
            }
            offset += p.words();
        }
        None
    }

    /// The ports of one kind, each with the offset of its first word in a row.
    pub(crate) fn offsets(&self, kind: PortKind) -> Vec<(usize, &Port)> {
        let mut offset = 0;
        let mut list = Vec::new();
        for p in &self.ports {
            if p.kind == kind {
                list.push((offset, p));
            }
            offset += p.words();
        }
        list
    }
}
