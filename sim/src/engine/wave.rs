//! A waveform of an engine under a program, its words under the names of the model's tensors.
//!
//! | signal | |
//! |---|---|
//! | `clock`, `busy`, `step`, `slots`, `error` | as the ports |
//! | `s_axis_tdata`, `m_axis_tdata` with `tvalid`, `tready`, `tlast` | both streams |
//! | `layers.0.k`, … | the last word that the taps showed of a tensor, 64 bits; `<name>_real` its value, where the fraction is known |
//!
//! A tap shows words of many steps; which one a word belongs to says its place among the words that the machine expects.
//! Cycle n starts at n · period ns with the rising edge, as in [`vcd`](crate::vcd).

use super::channels;
use super::expected::{CHANNELS, Expected, TAPS};
use crate::error::{Error, Result};
use astromorph::engine::program::{Program, Step};
use astromorph_hdl::engine::top::Engine;
use std::collections::BTreeMap;
use std::io::Write;
use vcd::{IdCode, TimescaleUnit, Value, VarType, Writer};

/// Bits of a tensor's word in the file.
const WORD: u32 = 64;

#[derive(Clone, Copy)]
struct Tensor {
    code: IdCode,
    real: Option<(IdCode, i32)>,
}

struct Port {
    code: IdCode,
    bits: u32,
    read: fn(&Engine) -> u64,
    last: Option<u64>,
}

/// Name, bits, and how it is read. Data are extended by their sign.
type Shown = (&'static str, u32, fn(&Engine) -> u64);

const PORTS: [Shown; 12] = [
    ("busy", 1, |e| e.busy.val() as u64),
    ("step", 16, |e| e.step.val().get()),
    ("slots", 2, |e| e.slots.val().get()),
    ("error", 8, |e| e.error.val().get()),
    ("s_axis_tvalid", 1, |e| e.s_axis_tvalid.val() as u64),
    ("s_axis_tready", 1, |e| e.s_axis_tready.val() as u64),
    ("s_axis_tlast", 1, |e| e.s_axis_tlast.val() as u64),
    ("s_axis_tdata", 32, |e| e.s_axis_tdata.val().get() as u64),
    ("m_axis_tvalid", 1, |e| e.m_axis_tvalid.val() as u64),
    ("m_axis_tready", 1, |e| e.m_axis_tready.val() as u64),
    ("m_axis_tlast", 1, |e| e.m_axis_tlast.val() as u64),
    ("m_axis_tdata", 32, |e| e.m_axis_tdata.val().get() as u64),
];

/// Writes one file.
pub struct TensorWave<W: Write> {
    vcd: Writer<W>,
    clock: IdCode,
    ports: Vec<Port>,
    tensors: Vec<Tensor>,
    /// Tensor of a step's words in a channel.
    of: BTreeMap<(u16, usize), usize>,
    /// What the sequences show, one behind the other.
    expected: Vec<Expected>,
    /// Sequence and word that comes next.
    at: [(usize, usize); CHANNELS],
    period_ns: u64,
    cycle: u64,
    failed: Option<std::io::Error>,
}

impl<W: Write> TensorWave<W> {
    /// Writes the header. `expected` keep their words; `fractions`: fraction bits of tensors by name.
    pub fn new(
        out: W,
        program: &Program,
        expected: Vec<Expected>,
        fractions: &BTreeMap<String, i32>,
        period_ns: u64,
    ) -> Result<Self> {
        let (mut vcd, mut of) = (Writer::new(out), BTreeMap::new());
        vcd.timescale(1, TimescaleUnit::NS).map_err(io)?;
        vcd.add_module("astromorph").map_err(io)?;
        let clock = vcd.add_wire(1, "clock").map_err(io)?;
        let mut ports = Vec::new();
        for (name, bits, read) in PORTS {
            let code = vcd.add_wire(bits, name).map_err(io)?;
            ports.push(Port {
                code,
                bits,
                read,
                last: None,
            });
        }
        let (mut tensors, mut known) = (Vec::new(), BTreeMap::new());
        for (number, step) in program.steps.iter().enumerate() {
            let Step::Run(run) = step else { continue };
            for (tap, name) in &run.names {
                let at = match known.get(name) {
                    Some(&at) => at,
                    None => {
                        let code = vcd.add_wire(WORD, name).map_err(io)?;
                        let real = match fractions.get(name) {
                            Some(&fraction) => {
                                let name = format!("{name}_real");
                                let code = vcd.add_var(VarType::Real, 64, &name, None).map_err(io)?;
                                Some((code, fraction))
                            }
                            None => None,
                        };
                        tensors.push(Tensor { code, real });
                        known.insert(name.clone(), tensors.len() - 1);
                        tensors.len() - 1
                    }
                };
                if let Some(channel) = TAPS.iter().position(|t| t == tap) {
                    of.insert((number as u16, channel), at);
                }
            }
        }
        vcd.upscope().map_err(io)?;
        vcd.enddefinitions().map_err(io)?;
        Ok(TensorWave {
            vcd,
            clock,
            ports,
            tensors,
            of,
            expected,
            at: [(0, 0); CHANNELS],
            period_ns,
            cycle: 0,
            failed: None,
        })
    }

    /// Writes what changed; once a cycle, settled, before the edge. What goes wrong is said at the end.
    pub fn sample(&mut self, engine: &Engine) {
        if self.failed.is_none()
            && let Err(e) = self.write(engine)
        {
            self.failed = Some(e);
        }
    }

    fn write(&mut self, engine: &Engine) -> std::io::Result<()> {
        let start = self.cycle * self.period_ns;
        self.cycle += 1;
        self.vcd.timestamp(start)?;
        self.vcd.change_scalar(self.clock, Value::V1)?;
        for port in &mut self.ports {
            let now = (port.read)(engine);
            if port.last != Some(now) {
                port.last = Some(now);
                vector(&mut self.vcd, port.code, now, port.bits)?;
            }
        }
        let mut words = Vec::new();
        channels(engine, |channel, word| words.push((channel, word)));
        for (channel, word) in words {
            let Some(tensor) = self.tensor(channel) else { continue };
            vector(&mut self.vcd, tensor.code, word as u64, WORD)?;
            if let Some((code, fraction)) = tensor.real {
                self.vcd.change_real(code, word as f64 * 2f64.powi(-fraction))?;
            }
        }
        self.vcd.timestamp(start + self.period_ns / 2)?;
        self.vcd.change_scalar(self.clock, Value::V0)
    }

    /// Whose the next word of a channel is.
    fn tensor(&mut self, channel: usize) -> Option<Tensor> {
        let (sequence, word) = &mut self.at[channel];
        while *word as u64 >= self.expected.get(*sequence)?.fold(channel).count {
            (*sequence, *word) = (*sequence + 1, 0);
        }
        let step = self.expected[*sequence].step(channel, *word)?;
        *word += 1;
        self.tensors.get(*self.of.get(&(step, channel))?).copied()
    }

    /// Ends the last cycle.
    pub fn finish(mut self) -> Result<()> {
        if let Some(e) = self.failed {
            return Err(io(e));
        }
        self.vcd.timestamp(self.cycle * self.period_ns).map_err(io)?;
        self.vcd.flush().map_err(io)
    }
}

fn vector<W: Write>(vcd: &mut Writer<W>, code: IdCode, word: u64, bits: u32) -> std::io::Result<()> {
    if bits == 1 {
        return vcd.change_scalar(code, Value::from(word & 1 == 1));
    }
    vcd.change_vector(code, (0..bits).rev().map(|n| Value::from(word >> n & 1 == 1)))
}

fn io(e: std::io::Error) -> Error {
    Error::io("write", "the waveform")(e)
}
