//! A small harness of this crate's own tests: run a block in RustHDL, replay its ports against the emitted Verilog in Icarus, every output
//! every cycle. (The full harness is another crate, which depends on this one.)
#![allow(dead_code)]

pub mod array;
mod number;

pub use number::number;

use astromorph_hdl::multiply::Target;
use rust_hdl::prelude::*;
use std::fmt::Write as _;
use std::process::Command;

/// A top-level port.
#[derive(Clone)]
struct Port {
    name: String,
    input: bool,
    bits: usize,
}

#[derive(Default)]
struct Ports {
    depth: usize,
    ports: Vec<Port>,
    values: Vec<String>,
}

impl Probe for Ports {
    fn visit_start_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth += 1;
    }
    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth -= 1;
    }
    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        if self.depth == 1 && atom.kind().is_parameter() && atom.descriptor().name != "clock" {
            self.ports.push(Port {
                name: name.into(),
                input: atom.kind() == AtomKind::InputParameter,
                bits: atom.bits(),
            });
            let text = format!("{:x}", atom.verilog());
            self.values.push(text.split_once("'h").unwrap().1.to_string());
        }
    }
}

fn ports(block: &dyn Block) -> (Vec<Port>, Vec<String>) {
    let mut p = Ports::default();
    block.accept("top", &mut p);
    (p.ports, p.values)
}

/// Sweeps until nothing changes; the number of sweeps.
pub fn settle<B: Block>(block: &mut B) -> usize {
    for n in 1..100 {
        block.update_all();
        if !block.has_changed() {
            return n;
        }
    }
    panic!("does not settle");
}

/// A recorded run.
pub struct Run {
    verilog: String,
    ports: Vec<Port>,
    rows: Vec<Vec<String>>,
}

/// Runs `cycles` cycles: `drive` sets the inputs while the clock is low, and then sees the settled outputs in `check`.
pub fn record<B: Block>(
    block: B,
    clock: fn(&mut B) -> &mut Signal<In, Clock>,
    cycles: usize,
    mut drive: impl FnMut(&mut B, usize),
    mut check: impl FnMut(&mut B, usize),
) -> Run {
    record_steps(
        block,
        clock,
        cycles,
        |b, n, settled| if settled { check(b, n) } else { drive(b, n) },
    )
}

/// The same with one closure: called to drive (false), then to look (true).
pub fn record_steps<B: Block>(
    mut block: B,
    clock: fn(&mut B) -> &mut Signal<In, Clock>,
    cycles: usize,
    mut step: impl FnMut(&mut B, usize, bool),
) -> Run {
    block.connect_all();
    check_all(&block).expect("connections");
    let verilog = astromorph_hdl::emit::verilog(&block);
    settle(&mut block);
    let mut rows = Vec::new();
    for n in 0..cycles {
        step(&mut block, n, false);
        clock(&mut block).next.clk = false;
        settle(&mut block);
        rows.push(ports(&block).1);
        step(&mut block, n, true);
        clock(&mut block).next.clk = true;
        settle(&mut block);
    }
    Run {
        verilog,
        ports: ports(&block).0,
        rows,
    }
}

fn have(tool: &str, flag: &str) -> bool {
    Command::new(tool).arg(flag).output().is_ok()
}

impl Run {
    /// The emitted text.
    pub fn verilog(&self) -> &str {
        &self.verilog
    }

    /// `late`: an output counts from the cycle on in which it is known, for memories whose output starts unknown.
    fn testbench(&self, late: bool) -> String {
        let total: usize = self.ports.iter().map(|p| p.bits).sum();
        let rows = self.rows.len();
        let mut s = format!(
            "module tb;\nreg [{}:0] tb_rows [0:{}];\nreg [{}:0] tb_v;\ninteger tb_i, tb_bad;\nreg clock;\n",
            total - 1,
            rows - 1,
            total - 1
        );
        let (mut low, mut drive, mut check, mut unknown) = (0, String::new(), String::new(), String::new());
        for p in &self.ports {
            let (name, high) = (&p.name, low + p.bits - 1);
            let kind = if p.input { "reg" } else { "wire" };
            let _ = writeln!(s, "{kind} [{}:0] {name};", p.bits - 1);
            if p.input {
                let _ = writeln!(drive, "    {name} = tb_v[{high}:{low}];");
            } else {
                let seen = if late {
                    format!("known_{name} && ")
                } else {
                    String::new()
                };
                if late {
                    let _ = writeln!(s, "reg known_{name} = 0;");
                    let _ = writeln!(check, "    if (^{name} !== 1'bx) known_{name} = 1;");
                    // An output that never is would pass uncompared.
                    let _ = writeln!(
                        unknown,
                        "  if (!known_{name}) begin tb_bad = tb_bad + 1; $display(\"{name}: never known\"); end"
                    );
                }
                let _ = writeln!(
                    check,
                    "    if ({seen}{name} !== tb_v[{high}:{low}]) begin tb_bad = tb_bad + 1; if (tb_bad < 9) $display(\"cycle %0d {name}: verilog %h rust %h\", tb_i, {name}, tb_v[{high}:{low}]); end"
                );
            }
            low += p.bits;
        }
        let pins: Vec<String> = self.ports.iter().map(|p| format!(".{0}({0})", p.name)).collect();
        let _ = write!(
            s,
            "top dut(.clock(clock), {});\ninitial begin\n  $readmemh(\"rows.hex\", tb_rows); tb_bad = 0; clock = 0;\n  \
             for (tb_i = 0; tb_i < {rows}; tb_i = tb_i + 1) begin\n    tb_v = tb_rows[tb_i];\n{drive}    #5;\n{check}    clock = 1; #5; clock = 0;\n  end\n{unknown}  \
             $display(\"RESULT rows %0d bad %0d\", {rows}, tb_bad);\n  $finish;\nend\nendmodule\n",
            pins.join(", ")
        );
        s
    }

    fn hex(&self) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let mut bits = Vec::new();
            for (p, value) in self.ports.iter().zip(row) {
                let from = bits.len();
                for c in value.chars().rev() {
                    let digit = c.to_digit(16).unwrap();
                    bits.extend((0..4).map(|k| digit >> k & 1 == 1));
                }
                bits.resize(from + p.bits, false);
            }
            let digits: Vec<String> = bits
                .chunks(4)
                .map(|c| format!("{:x}", c.iter().enumerate().fold(0, |a, (k, &b)| a | (b as u32) << k)))
                .collect();
            out.extend(digits.iter().rev().map(String::as_str));
            out.push('\n');
        }
        out
    }

    /// Compares with Icarus; `library` are further files. Says so when Icarus is not there.
    pub fn compare_with(&self, name: &str, library: &[&str]) {
        self.replay(name, library, false);
    }

    /// Compares with Icarus; each output from the cycle on in which it is known.
    pub fn compare_after(&self, name: &str) {
        self.replay(name, &[], true);
    }

    fn replay(&self, name: &str, library: &[&str], late: bool) {
        if !have("iverilog", "-V") {
            println!("{name}: not compared: iverilog missing");
            return;
        }
        let dir = std::env::temp_dir().join(format!("astromorph-hdl-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("top.v"), &self.verilog).unwrap();
        std::fs::write(dir.join("tb.v"), self.testbench(late)).unwrap();
        std::fs::write(dir.join("rows.hex"), self.hex()).unwrap();
        let built = Command::new("iverilog")
            .current_dir(&dir)
            .args(["-g2005-sv", "-o", "sim.vvp", "tb.v", "top.v"])
            .args(library)
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{name} in {dir:?}: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let run = Command::new("vvp").current_dir(&dir).arg("sim.vvp").output().unwrap();
        let text = String::from_utf8_lossy(&run.stdout).to_string();
        let expected = format!("RESULT rows {} bad 0", self.rows.len());
        assert!(
            self.rows.len() > 10 && text.contains(&expected),
            "{name} in {dir:?}:\n{text}"
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }

    /// Compares with Icarus; the text is for this target.
    pub fn compare_for(&self, name: &str, target: Target) {
        // The cells whose models come with this project.
        let ecp5 = [
            concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/cells/dp16kd.v"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/cells/mult18x18d.v"),
        ];
        let ice40 = [concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/cells/sb_mac16.v")];
        let cells: &[_] = match target {
            Target::Ecp5 => &ecp5,
            Target::Ice40 => &ice40,
            Target::Generic => &[],
        };
        self.compare_with(name, cells);
    }

    /// Compares with Icarus.
    pub fn compare(&self, name: &str) {
        self.compare_with(name, &[]);
    }
}

/// Reads, elaborates and checks with yosys; says so when yosys is not there.
pub fn yosys_accepts(name: &str, verilog: &str) {
    if !have("yosys", "-V") {
        println!("{name}: not compared: yosys missing");
        return;
    }
    let file = std::env::temp_dir().join(format!("astromorph-hdl-{}-{name}.v", std::process::id()));
    std::fs::write(&file, verilog).unwrap();
    let script = format!(
        "read_verilog -lib +/ice40/cells_sim.v; read_verilog {}; hierarchy -check -top top; proc; check -assert",
        file.display()
    );
    let out = Command::new("yosys").args(["-q", "-p", &script]).output().unwrap();
    assert!(
        out.status.success(),
        "{name} in {file:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    std::fs::remove_file(&file).unwrap();
}
