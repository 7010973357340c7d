//! Long work on a core with an input and an output stream: a Verilated model that reads beats from a file,
//! stalls both sides at random, checks the handshake and writes every output beat.
//!
//! | item | |
//! |---|---|
//! | stalls | seed and probability; 0 is full speed |
//! | checked | output valid and payload hold while not ready; surplus and missing beats are mismatches |
//! | counted | cycles, and for every value of `phase` its cycles and Σ `mac_lanes` |
//! | limits | fields up to 32 bits; `phase` up to 4 bits |
//! | end | 256 cycles after the last expected beat, or when nothing moves for `patience` cycles |

use super::Design;
use super::verilator::{Model, build};
use crate::compare::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MAIN: &str = include_str!("../../harness/streams.cpp");

/// A port of the top: its name in the Verilog, its width, and whether its value has a sign.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub bits: usize,
    pub signed: bool,
}

impl Field {
    pub fn signed(name: &str, bits: usize) -> Self {
        Field {
            name: name.into(),
            bits,
            signed: true,
        }
    }

    pub fn unsigned(name: &str, bits: usize) -> Self {
        Field {
            signed: false,
            ..Field::signed(name, bits)
        }
    }
}

/// The handshake and payload of one stream.
#[derive(Clone, Debug)]
pub struct StreamPort {
    pub valid: String,
    pub ready: String,
    pub last: String,
    pub data: Vec<Field>,
}

/// The ports of a top with one stream in and one stream out.
#[derive(Clone, Debug)]
pub struct StreamPorts {
    pub clock: String,
    pub reset: String,
    pub input: StreamPort,
    /// Exactly one data field.
    pub output: StreamPort,
    pub phase: Option<Field>,
    pub mac_lanes: Option<Field>,
    /// Sticky error flags, reported as they are at the end.
    pub error: Option<Field>,
}

impl StreamPorts {
    /// The attention core's port contract for operands of `width` bits and `lanes` lanes.
    pub fn attention_core(width: usize, lanes: usize) -> Self {
        let stream = |prefix: &str, data: &[&str]| StreamPort {
            valid: format!("{prefix}_tvalid"),
            ready: format!("{prefix}_tready"),
            last: format!("{prefix}_tlast"),
            data: data
                .iter()
                .map(|d| Field::signed(&format!("{prefix}_{d}"), width))
                .collect(),
        };
        let lane_bits = usize::BITS - lanes.leading_zeros();
        StreamPorts {
            clock: "clock".into(),
            reset: "reset".into(),
            input: stream("s_axis", &["tdata_q", "tdata_k", "tdata_v"]),
            output: stream("m_axis", &["tdata"]),
            phase: Some(Field::unsigned("phase", 2)),
            mac_lanes: Some(Field::unsigned("mac_lanes", lane_bits as usize)),
            error: Some(Field::unsigned("error", 2)),
        }
    }
}

/// Beats to send: the fields of each, and its `tlast`.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    words: Vec<i32>,
    count: u64,
}

impl Beats {
    pub fn push(&mut self, fields: &[i32], last: bool) {
        self.words.extend_from_slice(fields);
        self.words.push(last as i32);
        self.count += 1;
    }

    pub fn len(&self) -> u64 {
        self.count
    }

    /// Fields and `tlast` of each beat.
    pub fn iter(&self) -> impl Iterator<Item = (&[i32], bool)> {
        let stride = (self.words.len() / (self.count.max(1) as usize)).max(1);
        self.words
            .chunks_exact(stride)
            .map(|beat| (&beat[..beat.len() - 1], beat[beat.len() - 1] != 0))
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// One beat that came out, or is expected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutBeat {
    pub data: i32,
    pub last: bool,
}

/// How to run a model.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    pub seed: u64,
    /// Probability that a side pauses in a cycle.
    pub stall: f64,
    /// Cycles without any beat on either side after which the core counts as stuck.
    pub patience: u64,
    pub time_limit: Duration,
}

impl StreamOptions {
    /// Refuses a probability that is none, and 1, with which nothing would ever move.
    pub(crate) fn check(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.stall) {
            return Ok(());
        }
        Err(Error::Unsupported {
            item: "stall probability".into(),
            expected: "0 or more and less than 1".into(),
            found: self.stall.to_string(),
        })
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            seed: 1,
            stall: 0.0,
            patience: 10_000_000,
            time_limit: Duration::from_secs(3600),
        }
    }
}

/// Use of one value of `phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PhaseUse {
    pub cycles: u64,
    /// Σ `mac_lanes`: divided by lanes · cycles it is the use of the multiplier slots.
    pub mac_lanes: u64,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct StreamRun {
    pub cycles: u64,
    pub phases: Vec<PhaseUse>,
    pub beats_in: u64,
    pub beats: Vec<OutBeat>,
    /// Cycles in which valid or payload changed although the beat was not taken, and the first of them.
    pub violations: u64,
    pub first_violation: Option<u64>,
    /// True when the core stopped moving before everything expected was there.
    pub stuck: bool,
    /// The sticky error port at the end.
    pub error: u64,
    pub elapsed: Duration,
}

impl StreamRun {
    /// Compares every beat and its `tlast`; broken handshakes, missing and surplus beats are mismatches.
    pub fn compare(&self, expected: &[OutBeat]) -> Result<Comparison> {
        let mut c = Comparison {
            cycles: self.cycles,
            ..Comparison::default()
        };
        let show = |b: Option<&OutBeat>| match b {
            Some(b) => format!("{:x}{}", b.data, if b.last { " last" } else { "" }),
            None => "nothing".into(),
        };
        for n in 0..expected.len().max(self.beats.len()) {
            let (want, got) = (expected.get(n), self.beats.get(n));
            c.word(want == got, || Mismatch {
                cycle: n as u64,
                port: "output beat".into(),
                expected: show(want),
                found: show(got),
            });
        }
        let compared = c.checked("output stream")?;
        c = compared;
        if let Some(cycle) = self.first_violation {
            c.mismatches += self.violations;
            c.first.get_or_insert(Mismatch {
                cycle,
                port: "output handshake".into(),
                expected: "valid and payload held while not ready".into(),
                found: "changed".into(),
            });
        }
        Ok(c)
    }
}

/// A built model: any number of runs use it.
#[derive(Clone, Debug)]
pub struct VerilatedCore {
    exe: PathBuf,
    fields: usize,
}

impl VerilatedCore {
    /// Builds the model, or finds it in `cache`.
    pub fn build(tool: &Installed, design: &Design, ports: &StreamPorts, cache: &Path) -> Result<Self> {
        let model = Model {
            top: "streams",
            wrapper: wrapper(ports)?,
            main: MAIN,
            header: format!("constexpr int input_fields = {};\n", ports.input.data.len()),
        };
        Ok(VerilatedCore {
            exe: build(tool, design, &model, cache)?,
            fields: ports.input.data.len(),
        })
    }

    /// Where the executable lies.
    pub fn exe(&self) -> &Path {
        &self.exe
    }

    /// Sends all beats and waits for `expected` beats to come out.
    pub fn run(&self, input: &Beats, expected: u64, options: &StreamOptions) -> Result<StreamRun> {
        if input.words.len() as u64 != input.count * (self.fields as u64 + 1) {
            return Err(Error::Unsupported {
                item: "input beats".into(),
                expected: format!("{} fields a beat", self.fields),
                found: format!("{} words in {} beats", input.words.len(), input.count),
            });
        }
        options.check()?;
        let work = tempfile::tempdir().map_err(Error::io("create", "a temporary folder"))?;
        let (sent, received) = (work.path().join("in"), work.path().join("out"));
        let bytes: Vec<u8> = input.words.iter().flat_map(|w| w.to_le_bytes()).collect();
        std::fs::write(&sent, bytes).map_err(Error::io("write", &sent))?;
        let start = Instant::now();
        let out = crate::process::Run::new("verilated core", &self.exe)
            .args([&sent, &received])
            .args([
                expected.to_string(),
                options.seed.to_string(),
                options.stall.to_string(),
                options.patience.to_string(),
            ])
            .limit(options.time_limit)
            .run()?;
        let elapsed = start.elapsed();
        let bytes = std::fs::read(&received).map_err(Error::io("read", &received))?;
        let mut run = report(&out.stdout)?;
        run.beats = bytes.as_chunks::<8>().0.iter().map(beat).collect();
        run.elapsed = elapsed;
        Ok(run)
    }
}

fn beat(bytes: &[u8; 8]) -> OutBeat {
    let [a, b, c, d, last, ..] = *bytes;
    OutBeat {
        data: i32::from_le_bytes([a, b, c, d]),
        last: last != 0,
    }
}

/// Reads `RESULT name=value …` and the `PHASE n cycles lanes` lines.
fn report(stdout: &str) -> Result<StreamRun> {
    let bad = |found: &str| Error::BadReport {
        item: "result of the verilated core".into(),
        expected: "a RESULT line and PHASE lines".into(),
        found: found.to_string(),
    };
    let line = stdout
        .lines()
        .find_map(|l| l.strip_prefix("RESULT "))
        .ok_or_else(|| bad("no such line"))?;
    let number = |key: &str| {
        line.split_whitespace()
            .filter_map(|f| f.split_once('='))
            .find(|(k, _)| *k == key)
            .and_then(|(_, v)| v.parse::<u64>().ok())
            .ok_or_else(|| bad(line))
    };
    let mut phases = Vec::new();
    for l in stdout.lines().filter_map(|l| l.strip_prefix("PHASE ")) {
        let values: Vec<u64> = l.split_whitespace().flat_map(str::parse).collect();
        let [n, cycles, mac_lanes] = values[..] else {
            return Err(bad(l));
        };
        phases.resize((n as usize + 1).max(phases.len()), PhaseUse::default());
        phases[n as usize] = PhaseUse { cycles, mac_lanes };
    }
    let violations = number("violations")?;
    Ok(StreamRun {
        cycles: number("cycles")?,
        phases,
        beats_in: number("beats_in")?,
        beats: Vec::new(),
        violations,
        first_violation: (violations > 0).then(|| number("first_violation")).transpose()?,
        stuck: number("stuck")? != 0,
        error: number("error")?,
        elapsed: Duration::ZERO,
    })
}

/// `module streams` with ports of fixed widths around `top`, so that the C++ is the same for every core.
fn wrapper(ports: &StreamPorts) -> Result<String> {
    let [out] = &ports.output.data[..] else {
        return Err(Error::Unsupported {
            item: "output stream".into(),
            expected: "one data field".into(),
            found: format!("{} fields", ports.output.data.len()),
        });
    };
    let side = [&ports.phase, &ports.mac_lanes, &ports.error];
    let all = ports.input.data.iter().chain([out]);
    for f in all.chain(side.iter().copied().flatten()) {
        if !(1..=32).contains(&f.bits) {
            return Err(Error::Unsupported {
                item: format!("port {}", f.name),
                expected: "1 to 32 bits".into(),
                found: format!("{} bits", f.bits),
            });
        }
    }
    let n = ports.input.data.len();
    let mut pins = vec![
        format!(".{}(clock)", ports.clock),
        format!(".{}(reset)", ports.reset),
        format!(".{}(in_valid)", ports.input.valid),
        format!(".{}(in_ready)", ports.input.ready),
        format!(".{}(in_last)", ports.input.last),
        format!(".{}(out_valid)", ports.output.valid),
        format!(".{}(out_ready)", ports.output.ready),
        format!(".{}(out_last)", ports.output.last),
        format!(".{}(y)", out.name),
    ];
    for (k, f) in ports.input.data.iter().enumerate() {
        pins.push(format!(".{}(in_data[{}:{}])", f.name, k * 32 + f.bits - 1, k * 32));
    }
    let mut body = String::new();
    for (name, field) in ["phase", "mac_lanes", "error_flags"].iter().zip(side) {
        match field {
            Some(f) => {
                pins.push(format!(".{}({name}[{}:0])", f.name, f.bits - 1));
                if f.bits < 32 {
                    let _ = writeln!(body, "  assign {name}[31:{}] = 0;", f.bits);
                }
            }
            None => {
                let _ = writeln!(body, "  assign {name} = 0;");
            }
        }
    }
    let sign = if out.signed { " signed" } else { "" };
    Ok(format!(
        "`timescale 1ns/1ps
module streams(
  input clock, input reset,
  input in_valid, output in_ready, input in_last, input [{top}:0] in_data,
  output out_valid, input out_ready, output out_last, output{sign} [31:0] out_data,
  output [31:0] phase, output [31:0] mac_lanes, output [31:0] error_flags
);
  wire{sign} [{y}:0] y;
  assign out_data = y;
{body}  top dut(
    {pins}
  );
endmodule
",
        // Three words at least: Verilator then always passes the vector as an array.
        top = n.max(3) * 32 - 1,
        y = out.bits - 1,
        pins = pins.join(",\n    ")
    ))
}
