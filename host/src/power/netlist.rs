//! A synthesised netlist as something to count in: its text with numbered nets, and what a run used of it.
//!
//! | net | costs |
//! |---|---|
//! | from a LUT to the flip-flop of its own logic cell | nothing: it does not leave the cell |
//! | of a carry chain; from a flip-flop to its own logic cell and chain alone, as in a counter; between a LUT and its multiplexers | a local toggle |
//! | any other | a routed toggle, however many cells it leads to |
//!
//! | block | costs |
//! |---|---|
//! | multiplier | each toggle of its operands |
//! | block RAM | each cycle a port is enabled in, reading or writing |
//! | single-port RAM | each cycle it is selected in |
//!
//! A net belongs to the block that drives it, a port's net to logic.

use astromorph::{Error, Result};
use astromorph_sim::activity::Activity;
use astromorph_sim::ports::{Port, PortKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Deserialize)]
struct Json {
    modules: BTreeMap<String, Netlist>,
}

/// One flat module of a vendor's cells, as Yosys writes it (JSON).
#[derive(Deserialize)]
pub struct Netlist {
    ports: BTreeMap<String, Pins>,
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Pins {
    direction: String,
    bits: Vec<Bit>,
}

#[derive(Deserialize)]
struct Cell {
    r#type: String,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    #[serde(default)]
    port_directions: BTreeMap<String, String>,
    connections: BTreeMap<String, Vec<Bit>>,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Bit {
    Net(u64),
    Constant(String),
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Block {
    Logic,
    FlipFlop,
    Multiplier,
    BlockRam,
    Spram,
}

/// What a run used, over all its cycles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// Toggles of nets by the block that drives them: local, routed.
    pub nets: BTreeMap<Block, [u64; 2]>,
    /// Cells.
    pub cells: BTreeMap<Block, u64>,
    /// Toggles of the multipliers' operands.
    pub operands: u64,
    /// Reads and writes of block RAMs and of single-port RAMs.
    pub accesses: BTreeMap<Block, f64>,
}

impl Cell {
    fn block(&self) -> Result<Block> {
        Ok(match self.r#type.as_str() {
            "SB_LUT4" | "SB_CARRY" | "LUT4" | "CCU2C" | "PFUMX" | "L6MUX21" | "TRELLIS_DPR16X4" => Block::Logic,
            "TRELLIS_FF" => Block::FlipFlop,
            "SB_MAC16" | "MULT18X18D" => Block::Multiplier,
            "DP16KD" => Block::BlockRam,
            "SB_SPRAM256KA" => Block::Spram,
            other if other.starts_with("SB_DFF") => Block::FlipFlop,
            other if other.starts_with("SB_RAM40_4K") => Block::BlockRam,
            other => return Err(Error::field("netlist", "cells whose charge is known", other)),
        })
    }

    fn is_chain(&self) -> bool {
        matches!(self.r#type.as_str(), "SB_CARRY" | "CCU2C")
    }

    fn nets(&self, direction: &str) -> impl Iterator<Item = (&str, u64)> {
        let pins = self.connections.iter();
        let some = pins.filter(move |(pin, _)| self.port_directions.get(*pin).is_some_and(|d| d == direction));
        some.flat_map(|(pin, bits)| {
            bits.iter().filter_map(move |bit| match bit {
                Bit::Net(n) => Some((pin.as_str(), *n)),
                Bit::Constant(_) => None,
            })
        })
    }

    /// Cycles in which a pin is 1; one that is not connected reads `open`.
    fn high(&self, pin: &str, open: bool, activity: &Activity) -> u64 {
        match self.connections.get(pin).and_then(|bits| bits.first()) {
            Some(Bit::Net(n)) => activity.net(*n).high,
            Some(Bit::Constant(c)) if c == "1" => activity.cycles,
            None if open => activity.cycles,
            _ => 0,
        }
    }

    /// Cycles in which a memory is read or written, both ports together. Of two conditions the rarer one counts.
    fn accesses(&self, activity: &Activity) -> u64 {
        let both = |a: (&str, bool), b: (&str, bool)| self.high(a.0, a.1, activity).min(self.high(b.0, b.1, activity));
        let clocked = |pin: &str| matches!(self.connections.get(pin).and_then(|b| b.first()), Some(Bit::Net(_)));
        match self.r#type.as_str() {
            "SB_SPRAM256KA" => self.high("CHIPSELECT", true, activity),
            "DP16KD" => [("CLKA", "CEA"), ("CLKB", "CEB")]
                .iter()
                .filter(|(clock, _)| clocked(clock))
                .map(|(_, enable)| self.high(enable, true, activity))
                .sum(),
            _ => both(("RE", false), ("RCLKE", true)) + both(("WE", false), ("WCLKE", true)),
        }
    }
}

/// Whether a pin is a bit of a multiplier's operands: `A`, `D`, `B17`.
fn is_operand(pin: &str) -> bool {
    ["A", "B", "C", "D"].contains(&pin.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Whether a net from a LUT to this pin stays in the logic cell.
fn is_data(pin: &str) -> bool {
    ["D", "DI"].contains(&pin)
}

/// Where a carry enters an iCE40's LUT.
const CARRY_IN: &str = "I3";

/// What a net comes from and leads to: numbers of cells, pins.
#[derive(Default)]
struct Wire<'a> {
    driver: Option<usize>,
    sinks: Vec<(usize, &'a str)>,
    leaves: bool,
}

impl Netlist {
    /// The module `top` of Yosys' JSON.
    pub fn read(path: &Path, top: &str) -> Result<Netlist> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let json: Json = serde_json::from_str(&text).map_err(|e| Error::file(path, format!("no flat netlist: {e}")))?;
        let mut modules = json.modules;
        let found = modules.remove(top);
        let mut netlist = found.ok_or_else(|| Error::file(path, format!("expected the module {top}, found none")))?;
        // Notes of where cells come from.
        netlist.cells.retain(|_, cell| cell.r#type != "$scopeinfo");
        for cell in netlist.cells.values() {
            cell.block()?;
        }
        Ok(netlist)
    }

    /// The text with its nets called `n` and a number, top module `top`. Outputs among `ports` that the netlist does not have are 0.
    pub fn verilog(&self, ports: &[Port]) -> String {
        let (mut head, mut body) = (Vec::new(), String::new());
        let mut nets: Vec<u64> = self.wires().into_keys().collect();
        nets.sort_unstable();
        for n in nets {
            let _ = writeln!(body, "  wire n{n};");
        }
        for (name, pins) in &self.ports {
            head.push(format!("{} [{}:0] {name}", pins.direction, pins.bits.len() - 1));
            let _ = match pins.direction.as_str() {
                "input" => writeln!(body, "  assign {} = {name};", joined(&pins.bits)),
                _ => writeln!(body, "  assign {name} = {};", joined(&pins.bits)),
            };
        }
        let absent = |p: &&Port| p.kind == PortKind::Output && !self.ports.contains_key(&p.name);
        for port in ports.iter().filter(absent) {
            head.push(format!("output [{}:0] {}", port.bits - 1, port.name));
            let _ = writeln!(body, "  assign {} = 0;", port.name);
        }
        for (k, cell) in self.cells.values().enumerate() {
            let parameters: Vec<_> = cell
                .parameters
                .iter()
                .map(|(n, v)| format!(".{n}({})", constant(v)))
                .collect();
            let pins: Vec<_> = cell
                .connections
                .iter()
                .map(|(n, bits)| format!(".{n}({})", joined(bits)))
                .collect();
            let _ = match parameters.is_empty() {
                true => writeln!(body, "  {} c{k} ({});", cell.r#type, pins.join(", ")),
                false => writeln!(
                    body,
                    "  {} #({}) c{k} ({});",
                    cell.r#type,
                    parameters.join(", "),
                    pins.join(", ")
                ),
            };
        }
        format!("module top(\n  {}\n);\n{body}endmodule\n", head.join(",\n  "))
    }

    fn wires(&self) -> BTreeMap<u64, Wire<'_>> {
        let mut wires: BTreeMap<u64, Wire> = BTreeMap::new();
        for (k, cell) in self.cells.values().enumerate() {
            for (_, n) in cell.nets("output") {
                wires.entry(n).or_default().driver = Some(k);
            }
            for (pin, n) in cell.nets("input") {
                wires.entry(n).or_default().sinks.push((k, pin));
            }
        }
        for pins in self.ports.values() {
            for bit in &pins.bits {
                if let Bit::Net(n) = bit {
                    wires.entry(*n).or_default().leaves |= pins.direction != "input";
                }
            }
        }
        wires
    }

    /// What a run used.
    pub fn used(&self, activity: &Activity) -> Result<Use> {
        let cells: Vec<&Cell> = self.cells.values().collect();
        let blocks = cells.iter().map(|c| c.block()).collect::<Result<Vec<_>>>()?;
        let wires = self.wires();
        if let Some(n) = wires.keys().find(|n| !activity.has(**n)) {
            return Err(Error::field("activity", "counts of every net", format!("none of n{n}")));
        }
        // The flip-flop in whose logic cell a LUT lies.
        let own = |wire: &Wire| match (wire.driver, &wire.sinks[..], wire.leaves) {
            (Some(k), [(ff, pin)], false) if blocks[k] == Block::Logic => {
                (blocks[*ff] == Block::FlipFlop && is_data(pin)).then_some(*ff)
            }
            _ => None,
        };
        let drives = |k: usize, ff: usize| cells[k].nets("output").any(|(_, n)| own(&wires[&n]) == Some(ff));
        let beside_chain = |k: usize| {
            let mut inputs = cells[k].nets("input");
            inputs.any(|(_, n)| wires[&n].sinks.iter().any(|&(s, _)| cells[s].is_chain()))
        };
        let mut used = Use::default();
        for &block in &blocks {
            *used.cells.entry(block).or_default() += 1;
        }
        for (&n, wire) in &wires {
            let toggles = activity.net(n).toggles;
            if toggles == 0 || own(wire).is_some() {
                continue;
            }
            let block = wire.driver.map_or(Block::Logic, |k| blocks[k]);
            let local = wire.driver.is_some_and(|k| match (block, wire.leaves) {
                (_, true) => false,
                // The lowest carry is the lowest bit itself, and goes to the next cell.
                (Block::FlipFlop, _) => wire
                    .sinks
                    .iter()
                    .all(|&(s, pin)| cells[s].is_chain() || drives(s, k) || pin == CARRY_IN && beside_chain(s)),
                (Block::Logic, _) if cells[k].is_chain() => wire
                    .sinks
                    .iter()
                    .all(|&(s, pin)| cells[s].is_chain() || pin == CARRY_IN),
                (Block::Logic, _) => {
                    let multiplexer = |s: usize| matches!(cells[s].r#type.as_str(), "PFUMX" | "L6MUX21");
                    wire.sinks.iter().all(|&(s, _)| multiplexer(s))
                }
                _ => false,
            });
            used.nets.entry(block).or_default()[usize::from(!local)] += toggles;
        }
        for (cell, &block) in cells.iter().zip(&blocks) {
            match block {
                Block::Multiplier => {
                    let operands = cell.nets("input").filter(|(pin, _)| is_operand(pin));
                    used.operands += operands.map(|(_, n)| activity.net(n).toggles).sum::<u64>();
                }
                Block::BlockRam | Block::Spram => {
                    *used.accesses.entry(block).or_default() += cell.accesses(activity) as f64
                }
                Block::Logic | Block::FlipFlop => {}
            }
        }
        Ok(used)
    }
}

/// Bits as Verilog; what is neither net nor 1 is 0.
fn joined(bits: &[Bit]) -> String {
    let each = bits.iter().rev().map(|bit| match bit {
        Bit::Net(n) => format!("n{n}"),
        Bit::Constant(c) => format!("1'b{}", if c == "1" { 1 } else { 0 }),
    });
    format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
}

/// A parameter's value as Verilog: a string of bits is a number, any other a string.
fn constant(value: &Value) -> String {
    match value {
        Value::String(s) if !s.is_empty() && s.chars().all(|c| "01xz".contains(c)) => format!("{}'b{s}", s.len()),
        Value::String(s) => format!("\"{}\"", s.trim_end()),
        other => other.to_string(),
    }
}
