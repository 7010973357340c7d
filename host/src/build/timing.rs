//! What nextpnr's `--report` says: frequency by clock, cells used, and the longest path.
//!
//! ```
//! use astromorph_host::build::timing::Timing;
//! let text = r#"{"fmax": {"clk$SB_IO_IN_$glb_clk": {"achieved": 40.0, "constraint": 60}},
//!   "utilization": {"ICESTORM_LC": {"available": 5280, "used": 12}, "ICESTORM_PLL": {"available": 1, "used": 0}, "DUMMY_CELL": {"available": 0, "used": 3}},
//!   "critical_paths": [{"from": "posedge clk$SB_IO_IN_$glb_clk", "to": "posedge clk$SB_IO_IN_$glb_clk", "path": [
//!     {"type": "clk-to-q", "delay": 1.4, "from": {"cell": "core.fifo.count_SB_DFF_Q_2_DFFLC", "port": "O"}, "to": {"cell": "core.fifo.count_SB_DFF_Q_2_DFFLC", "port": "O"}},
//!     {"type": "routing", "delay": 23.5, "net": "core.fifo.count[2]", "from": {"cell": "core.fifo.count_SB_DFF_Q_2_DFFLC", "port": "O"}, "to": {"cell": "core.y_SB_LUT4_O_LC", "port": "I1"}},
//!     {"type": "setup", "delay": 0.1, "from": {"cell": "core.y_SB_LUT4_O_LC", "port": "I1"}, "to": {"cell": "core.y_SB_LUT4_O_LC", "port": "I1"}}]}]}"#;
//! let timing = Timing::parse(text).unwrap();
//! assert_eq!((timing.mhz, timing.asked_mhz, timing.met()), (40.0, 60.0, false));
//! assert_eq!(timing.used, [("ICESTORM_LC".to_string(), [12, 5280])].into());
//! let words = timing.words(3, Some("core"));
//! assert!(words.starts_with("seed 3, clock clk: from fifo.count (O) through 0 cells to y (I1): 25.0 ns, of it 23.5 ns routing"), "{words}");
//! ```

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The figures of one placed and routed netlist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The clock that comes least near to what was asked of it.
    pub clock: String,
    /// Its highest frequency.
    pub mhz: f64,
    /// The frequency asked for.
    pub asked_mhz: f64,
    /// Cells by type, used and available; types of which none is used, or that no device has (the router's own), are left out.
    pub used: BTreeMap<String, [u64; 2]>,
    /// The longest path from that clock to itself.
    pub path: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// clk-to-q, logic, routing or setup.
    pub r#type: String,
    /// ns.
    pub delay: f64,
    pub from: Pin,
    pub to: Pin,
    #[serde(default)]
    pub net: Option<String>,
}

/// A pin of a placed cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    pub cell: String,
    pub port: String,
}

#[derive(Deserialize)]
struct Report {
    fmax: BTreeMap<String, Fmax>,
    utilization: BTreeMap<String, Used>,
    #[serde(default)]
    critical_paths: Vec<Path>,
}

#[derive(Deserialize)]
struct Fmax {
    achieved: f64,
    constraint: f64,
}

#[derive(Deserialize)]
struct Used {
    available: u64,
    used: u64,
}

#[derive(Deserialize)]
struct Path {
    from: String,
    to: String,
    path: Vec<Step>,
}

impl Timing {
    /// Reads a report; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Timing, String> {
        let report: Report = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let sane = |f: &Fmax| f.achieved.is_finite() && f.achieved > 0.0 && f.constraint > 0.0;
        if let Some((clock, f)) = report.fmax.iter().find(|(_, f)| !sane(f)) {
            return Err(format!("clock {clock} at {} of {} MHz", f.achieved, f.constraint));
        }
        let (clock, fmax) = report
            .fmax
            .into_iter()
            .min_by(|(_, a), (_, b)| (a.achieved / a.constraint).total_cmp(&(b.achieved / b.constraint)))
            .ok_or("no clock with a register at both ends of a path")?;
        // "posedge NAME": the edge, then the clock.
        let of_clock = |end: &str| end.split_once(' ').is_some_and(|(_, name)| name == clock);
        let length = |p: &Path| p.path.iter().map(|s| s.delay).sum::<f64>();
        let path = report
            .critical_paths
            .into_iter()
            .filter(|p| of_clock(&p.from) && of_clock(&p.to))
            .max_by(|a, b| length(a).total_cmp(&length(b)))
            .map_or(Vec::new(), |p| p.path);
        let used = report
            .utilization
            .into_iter()
            .filter(|(_, u)| u.used > 0 && u.available > 0);
        Ok(Timing {
            clock,
            mhz: fmax.achieved,
            asked_mhz: fmax.constraint,
            used: used.map(|(cell, u)| (cell, [u.used, u.available])).collect(),
            path,
        })
    }

    /// Whether the frequency asked for was reached.
    pub fn met(&self) -> bool {
        self.mhz >= self.asked_mhz
    }

    /// The longest path in words, names as in the core's Verilog.
    pub fn words(&self, seed: u64, instance: Option<&str>) -> String {
        let clock = readable(&self.clock, None);
        let (Some(first), Some(last)) = (self.path.first(), self.path.last()) else {
            return format!("seed {seed}, clock {clock}: nextpnr gave no path");
        };
        let total = |kind: &str| -> f64 { self.path.iter().filter(|s| s.r#type == kind).map(|s| s.delay).sum() };
        let all: f64 = self.path.iter().map(|s| s.delay).sum();
        let cells = self.path.iter().filter(|s| s.r#type == "logic").count();
        let blocks: BTreeSet<String> = self
            .path
            .iter()
            .map(|s| readable(&s.to.cell, instance))
            .map(|name| {
                name.rsplit_once('.')
                    .map_or("(top)".into(), |(block, _)| block.to_string())
            })
            .collect();
        let blocks: Vec<_> = blocks.into_iter().collect();
        let mut words = format!(
            "seed {seed}, clock {clock}: from {} ({}) through {cells} cells to {} ({}): {all:.1} ns, of it {:.1} ns routing, {:.1} ns logic, \
             {:.1} ns at its ends; in {}",
            readable(&first.from.cell, instance),
            first.from.port,
            readable(&last.to.cell, instance),
            last.to.port,
            total("routing"),
            total("logic"),
            all - total("routing") - total("logic"),
            blocks.join(", "),
        );
        let longest = self.path.iter().filter(|s| s.net.is_some());
        if let Some(step) = longest.max_by(|a, b| a.delay.total_cmp(&b.delay)) {
            let net = readable(step.net.as_deref().unwrap_or_default(), instance);
            words += &format!("; longest hop {:.1} ns, net {net}", step.delay);
        }
        words
    }
}

/// The part of a netlist's name that comes from the Verilog: Yosys and nextpnr append the types of the cells they went through.
fn readable(name: &str, instance: Option<&str>) -> String {
    const APPENDED: [&str; 16] = [
        "$SB_",
        "_SB_",
        "$TRELLIS_",
        "_TRELLIS_",
        "_LUT",
        "_DFF",
        "_CCU2C",
        "_PFUMX",
        "_L6MUX",
        "_MUX2_",
        "_ALU_",
        "_IBUF_",
        "_MULT",
        "_DP16KD",
        "_DPR16X4",
        "$nextpnr",
    ];
    let name = name.strip_prefix("$glbnet$").unwrap_or(name);
    let own = instance
        .and_then(|core| name.strip_prefix(core)?.strip_prefix('.'))
        .unwrap_or(name);
    let end = APPENDED.iter().filter_map(|a| own.find(a)).min().unwrap_or(own.len());
    match &own[..end] {
        "" => own.to_string(),
        verilog => verilog.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(fmax: &str) -> String {
        format!(r#"{{"fmax": {fmax}, "utilization": {{}}, "critical_paths": []}}"#)
    }

    #[test]
    fn the_clock_farthest_from_its_goal_counts() {
        let two = r#"{"a": {"achieved": 90, "constraint": 100}, "b": {"achieved": 30, "constraint": 12}}"#;
        let timing = Timing::parse(&report(two)).unwrap();
        assert_eq!((timing.clock.as_str(), timing.mhz, timing.met()), ("a", 90.0, false));
        assert!(timing.words(1, None).contains("no path"));
        let one = r#"{"b": {"achieved": 30, "constraint": 12}}"#;
        assert!(Timing::parse(&report(one)).unwrap().met());
    }

    #[test]
    fn reports_without_a_frequency_are_refused() {
        assert!(Timing::parse("{}").unwrap_err().contains("fmax"));
        assert!(Timing::parse(&report("{}")).unwrap_err().contains("no clock"));
        let zero = report(r#"{"a": {"achieved": 0, "constraint": 12}}"#);
        assert!(Timing::parse(&zero).unwrap_err().contains("clock a at 0"));
    }

    #[test]
    fn names_lose_what_the_tools_appended() {
        let core = Some("core");
        assert_eq!(
            readable("core.normalise.fine$q_SB_DFFSS_Q_D_SB_LUT4_O_LC", core),
            "normalise.fine$q"
        );
        assert_eq!(readable("core.lanes$0.sum.q_TRELLIS_FF_Q_6", core), "lanes$0.sum.q");
        assert_eq!(readable("$nextpnr_CCU2C_9$CIN", core), "$nextpnr_CCU2C_9$CIN");
        assert_eq!(readable("$glbnet$clk$TRELLIS_IO_IN", None), "clk");
    }
}
