//! Place and route with nextpnr, once a seed, two at a time, every result kept; and the packer.
//!
//! nextpnr is asked to succeed when the frequency is missed (`--timing-allow-fail`), so its exit status means what it says: whether the frequency
//! was reached is read from the report.

use super::cache;
use super::extensions;
use super::synth::{NETLIST, Netlist};
use super::timing::Timing;
use crate::boards::{Board, Family};
use crate::cli::Failure;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{SeedRow, save};
use astromorph::Error;
use astromorph_sim::tools::Installed;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(4 * 3600);
/// Runs at a time: nextpnr takes one core and up to a gigabyte.
const JOBS: usize = 2;

/// What to place and route.
pub struct Route<'a> {
    pub board: &'a Board,
    pub netlist: &'a Netlist,
    /// Text of the file with the pins, which stands in the folder; `None` out of context.
    pub pins: Option<&'a str>,
    /// Frequency asked for.
    pub mhz: f64,
}

/// What one seed gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seed {
    /// Hash of all that went in.
    pub key: String,
    pub seed: u64,
    /// Hash of the routed file, for the packer.
    pub sha256: String,
    pub timing: Timing,
    pub seconds: f64,
}

impl Seed {
    pub(super) fn row(&self) -> SeedRow {
        SeedRow {
            seed: self.seed,
            mhz: self.timing.mhz,
            met: self.timing.met(),
            seconds: self.seconds,
        }
    }
}

/// The run with the highest frequency.
pub fn best(runs: &[Seed]) -> Option<&Seed> {
    runs.iter().max_by(|a, b| a.timing.mhz.total_cmp(&b.timing.mhz))
}

/// The run with the lowest frequency.
pub fn worst(runs: &[Seed]) -> Option<&Seed> {
    runs.iter().min_by(|a, b| a.timing.mhz.total_cmp(&b.timing.mhz))
}

impl Route<'_> {
    /// Every seed, those on disk as they are. The first failure ends it; what was routed by then is kept.
    pub fn run(
        &self,
        nextpnr: &Installed,
        seeds: &[u64],
        folder: &Path,
        progress: &Progress,
    ) -> Result<Vec<Seed>, Failure> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let done = Mutex::new((vec![None; seeds.len()], None));
        let worker = || {
            while !stop.load(Ordering::SeqCst) && !interrupt::requested() {
                let k = next.fetch_add(1, Ordering::SeqCst);
                let Some(&seed) = seeds.get(k) else { return };
                let result = self.seed(nextpnr, seed, folder);
                let mut done = done.lock().unwrap_or_else(|e| e.into_inner());
                match result {
                    Ok(run) => {
                        let met = if run.timing.met() { "" } else { ", timing not met" };
                        progress.say(&format!(
                            "  seed {seed}: {:.1} MHz{met} ({:.0} s)",
                            run.timing.mhz, run.seconds
                        ));
                        done.0[k] = Some(run);
                    }
                    Err(e) => {
                        stop.store(true, Ordering::SeqCst);
                        done.1.get_or_insert(e);
                    }
                }
                let count = done.0.iter().flatten().count();
                progress.at(count, seeds.len(), "place and route");
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..JOBS.min(seeds.len()) {
                scope.spawn(worker);
            }
        });
        progress.finish();
        let (runs, failed) = done.into_inner().unwrap_or_else(|e| e.into_inner());
        super::stopped(folder)?;
        match failed {
            Some(e) => Err(e),
            None => Ok(runs.into_iter().flatten().collect()),
        }
    }

    fn seed(&self, nextpnr: &Installed, seed: u64, folder: &Path) -> Result<Seed, Failure> {
        let name = format!("seed-{seed}");
        let place = folder.join(&name);
        let routed = format!("{name}/routed.{}", extensions(self.board.family).1);
        let args = self.args(seed, &name, &routed);
        let key = cache::key(&[
            nextpnr.version(),
            &self.netlist.sha256,
            &args.join("\n"),
            self.pins.unwrap_or("none"),
        ]);
        let stored = place.join("result.json");
        if let Some(old) = cache::read::<Seed>(&stored)
            && old.key == key
            && cache::of_file(&folder.join(&routed)).is_ok_and(|sha256| sha256 == old.sha256)
        {
            return Ok(old);
        }
        std::fs::create_dir_all(&place).map_err(|e| Error::file(&place, e))?;
        let report = place.join("report.json");
        let out = nextpnr
            .run()
            .args(&args)
            .dir(folder)
            .output(folder.join(&routed))
            .output(&report)
            .limit(LIMIT)
            .stop_when(interrupt::flag())
            .run()?;
        save(
            &place.join("nextpnr.log"),
            format!("{}{}", out.stdout, out.stderr).as_bytes(),
        )?;
        let text = std::fs::read_to_string(&report).map_err(|e| Error::file(&report, e))?;
        let timing = Timing::parse(&text).map_err(|found| astromorph_sim::Error::BadReport {
            item: format!("{}, {}", nextpnr.tool().name(), report.display()),
            expected: "a report with fmax and utilization".into(),
            found,
        })?;
        let run = Seed {
            key,
            seed,
            sha256: cache::of_file(&folder.join(&routed))?,
            timing,
            seconds: out.elapsed.as_secs_f64(),
        };
        cache::write(&stored, &run)?;
        Ok(run)
    }

    fn args(&self, seed: u64, name: &str, routed: &str) -> Vec<String> {
        let mut args = self.board.tools.place_and_route.clone();
        let mut add = |list: &[&str]| args.extend(list.iter().map(|a| a.to_string()));
        let pins = self.board.constraints.as_str();
        match self.board.family {
            Family::Ice40 => {
                add(&["--asc", routed]);
                if self.pins.is_some() {
                    add(&["--pcf", pins]);
                }
            }
            Family::Ecp5 => {
                add(&["--textcfg", routed]);
                if self.pins.is_some() {
                    add(&["--lpf", pins]);
                }
            }
            Family::Gowin => {
                add(&["--write", routed]);
                if self.pins.is_some() {
                    add(&["--vopt", &format!("cst={pins}")]);
                }
            }
        }
        let (seed, mhz, report) = (seed.to_string(), self.mhz.to_string(), format!("{name}/report.json"));
        add(&["--json", NETLIST, "--report", &report, "--seed", &seed, "--freq", &mhz]);
        add(&["--timing-allow-fail"]);
        args
    }
}

/// The bitstream of one seed, `NAME.EXTENSION` in the folder.
pub fn pack(nextpnr: &Installed, board: &Board, run: &Seed, name: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let (extension, routed) = extensions(board.family);
    let routed = format!("seed-{}/routed.{routed}", run.seed);
    let file = format!("{name}.{extension}");
    let mut args = board.tools.pack.clone();
    match board.family {
        Family::Ice40 => args.extend([routed, file.clone()]),
        Family::Ecp5 => args.extend(["--input".into(), routed, "--bit".into(), file.clone()]),
        Family::Gowin => args.extend(["-o".into(), file.clone(), routed]),
    }
    let bitstream = folder.join(file);
    nextpnr
        .run_second()
        .args(&args)
        .dir(folder)
        .output(&bitstream)
        .stop_when(interrupt::flag())
        .run()?;
    Ok(bitstream)
}
