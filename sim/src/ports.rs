//! The top-level ports of a block and the values of its atoms as plain bits.

use rust_hdl::prelude::*;
use std::fmt::Write;

/// Which way a port points, seen from inside the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    Input,
    Output,
    /// An input of type `Clock`: driven by the harness, never compared.
    Clock,
}

/// One top-level port. The name is the one in the emitted Verilog (interfaces: `bus$data`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    pub kind: PortKind,
    pub bits: usize,
    pub signed: bool,
}

impl Port {
    /// 64-bit words one value takes.
    pub fn words(&self) -> usize {
        self.bits.div_ceil(64)
    }
}

/// The ports of a block, in declaration order. In-out ports are left out: this crate drives no tristate.
pub fn ports(block: &dyn Block) -> Vec<Port> {
    let mut list = Vec::new();
    let mut probe = TopPorts::new(|name: String, atom: &dyn Atom| {
        let kind = match atom.kind() {
            AtomKind::InputParameter if atom.descriptor().name == "clock" => PortKind::Clock,
            AtomKind::InputParameter => PortKind::Input,
            _ => PortKind::Output,
        };
        list.push(Port {
            name,
            kind,
            bits: atom.bits(),
            signed: is_signed(atom),
        });
    });
    block.accept("top", &mut probe);
    list
}

pub(crate) fn is_signed(atom: &dyn Atom) -> bool {
    matches!(atom.descriptor().kind, TypeKind::Signed(_))
}

/// Calls `f` for every top-level input and output, in declaration order.
pub(crate) struct TopPorts<F> {
    depth: usize,
    namespace: Vec<String>,
    f: F,
}

impl<F: FnMut(String, &dyn Atom)> TopPorts<F> {
    pub(crate) fn new(f: F) -> Self {
        TopPorts {
            depth: 0,
            namespace: Vec::new(),
            f,
        }
    }
}

fn is_port(atom: &dyn Atom) -> bool {
    matches!(
        atom.kind(),
        AtomKind::InputParameter | AtomKind::OutputParameter | AtomKind::OutputPassthrough
    )
}

impl<F: FnMut(String, &dyn Atom)> Probe for TopPorts<F> {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }
    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        if self.depth == 1 {
            self.namespace.push(name.to_string());
        }
    }
    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        if self.depth == 1 {
            self.namespace.pop();
        }
    }
    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        if self.depth == 1 && is_port(atom) {
            let path = if self.namespace.is_empty() {
                name.to_string()
            } else {
                format!("{}${name}", self.namespace.join("$"))
            };
            (self.f)(path, atom);
        }
    }
}

/// Like [`TopPorts`], without names: the fast path for recording every cycle.
pub(crate) struct TopValues<F> {
    depth: usize,
    f: F,
}

impl<F: FnMut(&dyn Atom)> TopValues<F> {
    pub(crate) fn new(f: F) -> Self {
        TopValues { depth: 0, f }
    }
}

impl<F: FnMut(&dyn Atom)> Probe for TopValues<F> {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }
    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
    fn visit_atom(&mut self, _name: &str, atom: &dyn Atom) {
        if self.depth == 1 && is_port(atom) {
            (self.f)(atom);
        }
    }
}

/// Appends the atom's committed value, least significant 64-bit word first.
///
/// The only value every atom gives (enums and structures too) is its Verilog literal, whose number is
/// private: it is read back from the hexadecimal text. `text` is a buffer to reuse.
pub(crate) fn push_value(atom: &dyn Atom, text: &mut String, words: &mut Vec<u64>) {
    text.clear();
    // Writing to a String cannot fail.
    let _ = write!(text, "{:x}", atom.verilog());
    let digits = text.split_once("'h").map_or("", |(_, d)| d);
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(d) => (true, d),
        None => (false, digits),
    };
    let bits = atom.bits();
    let start = words.len();
    let bytes = digits.as_bytes();
    let mut end = bytes.len();
    for _ in 0..bits.div_ceil(64) {
        let begin = end.saturating_sub(16);
        let word = bytes[begin..end]
            .iter()
            .fold(0u64, |w, &c| w << 4 | (c as char).to_digit(16).unwrap_or(0) as u64);
        words.push(word);
        end = begin;
    }
    let value = &mut words[start..];
    if negative {
        let mut carry = true;
        for w in value.iter_mut() {
            let (sum, c) = (!*w).overflowing_add(carry as u64);
            (*w, carry) = (sum, c);
        }
    }
    if let (Some(top), rest @ 1..) = (value.last_mut(), bits % 64) {
        *top &= (1 << rest) - 1;
    }
}
