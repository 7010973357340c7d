//! Waveforms of a RustHDL block as standard VCD.
//!
//! | item | |
//! |---|---|
//! | signals | all of the block in its own hierarchy, or a list with names of one's own |
//! | values | bits for everything (enums and booleans too); a signal with a given fixed-point format also gets a `real` variable `<name>_real` |
//! | time | ns; cycle n starts at n · period with the rising edge of `clock`, the signals show the values settled in that cycle |
//! | size | only changes are written |
//!
//! Paths are those of the Verilog: `top$lanes$0$acc$q` is signal `q` of block `acc` of `lanes[0]`.

use crate::error::{Error, Result};
use crate::ports::{is_signed, push_value};
use rust_hdl::prelude::{Atom, AtomKind, Block, Probe};
use std::collections::HashMap;
use std::io::Write;
use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

/// One signal to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Path in the block, starting with `top$`.
    pub path: String,
    /// Name in the file.
    pub name: String,
    /// Fraction bits: a decoded `real` companion is written too.
    pub fraction: Option<i32>,
}

impl Wave {
    pub fn bits(path: &str, name: &str) -> Self {
        Wave {
            path: path.into(),
            name: name.into(),
            fraction: None,
        }
    }

    /// With a decoded companion: value = raw · 2^−fraction, signed when the signal is.
    pub fn fixed(path: &str, name: &str, fraction: i32) -> Self {
        Wave {
            fraction: Some(fraction),
            ..Wave::bits(path, name)
        }
    }
}

/// What to write.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Every signal of the block in its hierarchy.
    All,
    /// These, in this order, in one scope of this name.
    Waves(String, Vec<Wave>),
}

/// A signal being written.
struct Channel {
    code: IdCode,
    real: Option<(IdCode, i32)>,
    bits: usize,
    signed: bool,
    last: Vec<u64>,
}

/// Writes one file.
pub struct WaveWriter<W: Write> {
    vcd: Writer<W>,
    clock: IdCode,
    period_ns: u64,
    cycle: u64,
    /// Atoms in visiting order; `None` is one that is not shown.
    order: Vec<Option<usize>>,
    channels: Vec<Channel>,
}

impl<W: Write> WaveWriter<W> {
    /// Writes the header. A path that is not in the block is an error.
    pub fn new(out: W, block: &dyn Block, selection: &Selection, period_ns: u64) -> Result<Self> {
        if period_ns < 2 {
            return Err(Error::Unsupported {
                item: "clock period of the waveform".into(),
                expected: "2 ns or more".into(),
                found: format!("{period_ns} ns"),
            });
        }
        let mut names = Names::default();
        block.accept("top", &mut names);
        let mut vcd = Writer::new(out);
        vcd.timescale(1, TimescaleUnit::NS).map_err(io)?;
        let (clock, order, channels) = match selection {
            Selection::All => hierarchy(&mut vcd, &names),
            Selection::Waves(scope, waves) => selected(&mut vcd, &names, scope, waves),
        }?;
        vcd.enddefinitions().map_err(io)?;
        Ok(WaveWriter {
            vcd,
            clock,
            period_ns,
            cycle: 0,
            order,
            channels,
        })
    }

    /// Writes what changed since the last cycle. Call it once a cycle, settled, before the edge.
    pub fn sample(&mut self, block: &dyn Block) -> Result<()> {
        let start = self.cycle * self.period_ns;
        let first = self.cycle == 0;
        self.cycle += 1;
        self.vcd.timestamp(start).map_err(io)?;
        self.vcd.change_scalar(self.clock, Value::V1).map_err(io)?;
        let mut sampler = Sampler {
            wave: self,
            text: String::new(),
            words: Vec::new(),
            at: 0,
            first,
            failed: None,
        };
        block.accept("top", &mut sampler);
        if let Some(e) = sampler.failed {
            return Err(io(e));
        }
        self.vcd.timestamp(start + self.period_ns / 2).map_err(io)?;
        self.vcd.change_scalar(self.clock, Value::V0).map_err(io)
    }

    /// Ends the last cycle and hands the output back by flushing it.
    pub fn finish(mut self) -> Result<()> {
        self.vcd.timestamp(self.cycle * self.period_ns).map_err(io)?;
        self.vcd.flush().map_err(io)
    }
}

fn io(e: std::io::Error) -> Error {
    Error::io("write", "the waveform")(e)
}

/// What the block consists of, in visiting order.
#[derive(Default)]
struct Names {
    path: Vec<String>,
    atoms: Vec<AtomName>,
}

struct AtomName {
    path: Vec<String>,
    name: String,
    bits: usize,
    signed: bool,
    constant: bool,
}

impl AtomName {
    fn full(&self) -> String {
        format!("{}${}", self.path.join("$"), self.name)
    }
}

impl Probe for Names {
    fn visit_start_scope(&mut self, name: &str, _node: &dyn Block) {
        self.path.push(name.into());
    }
    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.path.pop();
    }
    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.path.push(name.into());
    }
    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.path.pop();
    }
    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        self.atoms.push(AtomName {
            path: self.path.clone(),
            name: name.into(),
            bits: atom.bits(),
            signed: is_signed(atom),
            constant: atom.kind() == AtomKind::Constant,
        });
    }
}

type Header = Result<(IdCode, Vec<Option<usize>>, Vec<Channel>)>;

fn channel<W: Write>(vcd: &mut Writer<W>, atom: &AtomName, name: &str, fraction: Option<i32>) -> Result<Channel> {
    let code = vcd.add_wire(atom.bits as u32, name).map_err(io)?;
    let real = match fraction {
        Some(f) => {
            let companion = format!("{name}_real");
            let code = vcd.add_var(VarType::Real, 64, &companion, None).map_err(io)?;
            Some((code, f))
        }
        None => None,
    };
    Ok(Channel {
        code,
        real,
        bits: atom.bits,
        signed: atom.signed,
        last: Vec::new(),
    })
}

fn hierarchy<W: Write>(vcd: &mut Writer<W>, names: &Names) -> Header {
    vcd.add_module("simulation").map_err(io)?;
    let clock = vcd.add_wire(1, "clock").map_err(io)?;
    let mut open: &[String] = &[];
    let (mut order, mut channels) = (Vec::new(), Vec::new());
    for atom in &names.atoms {
        if atom.constant {
            order.push(None);
            continue;
        }
        let common = open.iter().zip(&atom.path).take_while(|(a, b)| a == b).count();
        for _ in common..open.len() {
            vcd.upscope().map_err(io)?;
        }
        for scope in &atom.path[common..] {
            vcd.add_module(scope).map_err(io)?;
        }
        open = &atom.path;
        order.push(Some(channels.len()));
        channels.push(channel(vcd, atom, &atom.name, None)?);
    }
    for _ in 0..open.len() + 1 {
        vcd.upscope().map_err(io)?;
    }
    Ok((clock, order, channels))
}

fn selected<W: Write>(vcd: &mut Writer<W>, names: &Names, scope: &str, waves: &[Wave]) -> Header {
    let by_path: HashMap<String, usize> = names.atoms.iter().enumerate().map(|(n, a)| (a.full(), n)).collect();
    vcd.add_module(scope).map_err(io)?;
    let clock = vcd.add_wire(1, "clock").map_err(io)?;
    let mut order = vec![None; names.atoms.len()];
    let mut channels = Vec::new();
    for wave in waves {
        let unknown = |found: &str| Error::Unsupported {
            item: format!("wave {}", wave.name),
            expected: format!("a signal {} of the block, named once", wave.path),
            found: found.into(),
        };
        let &n = by_path.get(&wave.path).ok_or_else(|| unknown("no such signal"))?;
        if order[n].is_some() {
            return Err(unknown("it named twice"));
        }
        order[n] = Some(channels.len());
        channels.push(channel(vcd, &names.atoms[n], &wave.name, wave.fraction)?);
    }
    vcd.upscope().map_err(io)?;
    Ok((clock, order, channels))
}

struct Sampler<'a, W: Write> {
    wave: &'a mut WaveWriter<W>,
    text: String,
    words: Vec<u64>,
    at: usize,
    first: bool,
    failed: Option<std::io::Error>,
}

impl<W: Write> Probe for Sampler<'_, W> {
    fn visit_atom(&mut self, _name: &str, atom: &dyn Atom) {
        let shown = self.wave.order.get(self.at).copied().flatten();
        self.at += 1;
        let Some(channel) = shown.and_then(|n| self.wave.channels.get_mut(n)) else {
            return;
        };
        self.words.clear();
        push_value(atom, &mut self.text, &mut self.words);
        if self.failed.is_some() || (!self.first && channel.last == self.words) {
            return;
        }
        channel.last.clone_from(&self.words);
        if let Err(e) = write_change(&mut self.wave.vcd, channel) {
            self.failed = Some(e);
        }
    }
}

fn write_change<W: Write>(vcd: &mut Writer<W>, channel: &Channel) -> std::io::Result<()> {
    let words = &channel.last;
    let bit = |n: usize| Value::from(words[n / 64] >> (n % 64) & 1 == 1);
    if channel.bits == 1 {
        vcd.change_scalar(channel.code, bit(0))?;
    } else {
        vcd.change_vector(channel.code, (0..channel.bits).rev().map(bit))?;
    }
    if let Some((code, fraction)) = channel.real {
        vcd.change_real(code, decode(words, channel.bits, channel.signed, fraction))?;
    }
    Ok(())
}

/// raw · 2^−fraction; exact up to 53 significant bits.
fn decode(words: &[u64], bits: usize, signed: bool, fraction: i32) -> f64 {
    let raw = words.iter().rev().fold(0.0, |v, &w| v * 2f64.powi(64) + w as f64);
    let negative = signed && bits > 0 && words[(bits - 1) / 64] >> ((bits - 1) % 64) & 1 == 1;
    let value = if negative && bits <= 64 {
        // Exact also where the unsigned number needs more than 53 bits.
        ((words[0] << (64 - bits)) as i64 >> (64 - bits)) as f64
    } else if negative {
        raw - 2f64.powi(bits as i32)
    } else {
        raw
    };
    value * 2f64.powi(-fraction)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn fixed_point_is_decoded_with_its_sign() {
        assert_eq!(decode(&[0x80], 8, true, 4), -8.0);
        assert_eq!(decode(&[0x80], 8, false, 4), 8.0);
        assert_eq!(decode(&[u64::MAX], 64, true, 0), -1.0);
        assert_eq!(decode(&[0, 1], 65, true, 0), -(2f64.powi(64)));
        assert_eq!(decode(&[3], 8, true, -1), 6.0);
    }
}
