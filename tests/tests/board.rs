//! Boards at pseudo-terminals: the program deploys to them and evaluates on them, and cannot tell them from real ones.
#![cfg(unix)]

use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::weights::Weights;
use astromorph_hdl::link::emit::emit_board;
use astromorph_hdl::link::identity::Identity;
use astromorph_hdl::multiply::Target;
use astromorph_host::cores::core;
use astromorph_host::data;
use astromorph_host::project::Project;
use astromorph_sim::board::{Line, VirtualBoard};
use astromorph_sim::link::{Endpoint, MemoryCore};
use astromorph_sim::tools::{Tool, Tools};
use astromorph_tests::astromorph;
use serialport::{SerialPort, TTYPort};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A board at a pseudo-terminal, which goes on until it is dropped or has had so many bytes.
struct Board {
    path: String,
    end: Arc<AtomicBool>,
    came: Arc<AtomicUsize>,
    worker: Option<std::thread::JoinHandle<()>>,
}

impl Board {
    fn new(lives: usize) -> Board {
        let (mut master, slave) = TTYPort::pair().expect("a pseudo-terminal");
        let path = slave.name().expect("a name");
        let (end, came) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ends, counts) = (end.clone(), came.clone());
        let worker = std::thread::spawn(move || {
            let core = core("small-16").expect("built in");
            let identity = Identity {
                board: "pseudo",
                clock_hz: 24_000_000,
                baud: 1_000_000,
            };
            let text = identity.text(&core).expect("a text");
            let mut board = Endpoint::new(&core, &text, MemoryCore::new(&core).expect("a core"));
            // Held open, so that a host may go and come.
            let _slave = slave;
            master.set_timeout(Duration::from_millis(20)).expect("a time-out");
            let mut bytes = [0; 1024];
            while !ends.load(Ordering::Relaxed) {
                let n = match master.read(&mut bytes) {
                    Ok(n) => n,
                    Err(e) if e.kind() == ErrorKind::TimedOut => 0,
                    Err(e) => panic!("the host's side is held open: {e}"),
                };
                if counts.fetch_add(n, Ordering::Relaxed) > lives {
                    // Dead: it hears, and says nothing more.
                    continue;
                }
                bytes[..n].iter().for_each(|&b| board.receive(b));
                board.work();
                let answers = board.answers();
                let mut rest = &answers[..];
                while !rest.is_empty() && !ends.load(Ordering::Relaxed) {
                    match master.write(rest) {
                        Ok(n) => rest = &rest[n..],
                        Err(e) if e.kind() == ErrorKind::TimedOut => {}
                        Err(e) => panic!("the host's side is held open: {e}"),
                    }
                }
            }
        });
        Board {
            path,
            end,
            came,
            worker: Some(worker),
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// A folder with a project, its weights and its image, as training and quantisation leave them.
fn workspace(folder: &Path) {
    let text = r#"name = "pseudo"

[model]
layers = 1
heads = 1
d_model = 12
features = 6
values = 6
n_max = 16
order = "causal"
input = { kind = "tokens", vocabulary = 33, slots = 2, positions = "learnt" }
output = { kind = "classes", size = 16, pooling = "none" }

[core]
lanes = 4

[task]
kind = "recall"
train = 64
test = 300
"#;
    fs::write(folder.join("model.toml"), text).expect("writable");
    let project = Project::load(&folder.join("model.toml")).expect("a project");
    let set = data::load(&project, None).expect("a data set");
    let weights = Weights::random(&project.model, 3);
    let some: Vec<Sequence> = set.train.iter().map(|e| e.sequence.clone()).collect();
    let plan = Plan::calibrate(&project.model, &project.quantize, &weights, &some).expect("calibrates");
    let image = Image::build(&project.model, &project.quantize, &weights, &plan).expect("an image");
    weights
        .save(&folder.join("weights.safetensors"), &project.model)
        .expect("writable");
    image.save(&folder.join("image-16.safetensors")).expect("writable");
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let out = astromorph(args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn an_image_is_deployed_once_and_evaluated_on_boards_of_which_one_dies() {
    let dir = tempfile::tempdir().expect("a folder");
    workspace(dir.path());
    let folder = dir.path().to_str().expect("a path");
    let (whole, dying) = (Board::new(usize::MAX), Board::new(24_000));

    let (code, _, error) = run(&["deploy", "--out", folder, "--port", &whole.path]);
    assert_eq!(code, Some(0), "{error}");
    let first = whole.came.load(Ordering::Relaxed);
    let (code, shown, error) = run(&["deploy", "--out", folder, "--port", &whole.path, "--board", "pseudo"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(shown.contains("read back by CRC"), "{shown}");
    let again = whole.came.load(Ordering::Relaxed) - first;
    assert!(
        again < first / 2,
        "{again} bytes for what was there already, {first} at first"
    );

    // Known answers take the image's place, and make room for it again.
    let args = [
        "deploy",
        "--out",
        folder,
        "--port",
        &whole.path,
        "--self-test",
        "--json",
    ];
    let (code, shown, error) = run(&args);
    assert_eq!(code, Some(0), "{error}");
    let report: serde_json::Value = serde_json::from_str(&shown).expect("a report");
    let row = &report["comparisons"][0];
    assert_eq!((&row["words"], &row["mismatches"]), (&320.into(), &0.into()), "{row}");

    let (code, shown, error) = run(&[
        "evaluate",
        "--out",
        folder,
        "--on",
        "golden,twin,board",
        "--sequences",
        "300",
        "--port",
        &whole.path,
        "--port",
        &dying.path,
        "--patience",
        "1",
        "--json",
    ]);
    assert_eq!(code, Some(0), "{error}");
    let report: serde_json::Value = serde_json::from_str(&shown).expect("a report");
    let row = &report["comparisons"][0];
    assert_eq!(
        (&row["left"], &row["right"]),
        (&"twin".into(), &"board".into()),
        "{row}"
    );
    assert_eq!(
        (&row["sequences"], &row["mismatches"]),
        (&300.into(), &0.into()),
        "{row}"
    );
    let accuracy = report["accuracy"].as_array().expect("rows");
    assert_eq!(accuracy.len(), 3);
    assert_eq!(accuracy[1]["correct"], accuracy[2]["correct"]);
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("silent") && notes.contains("went to the other boards"),
        "{notes}"
    );
}

#[test]
fn boards_that_cannot_be_used_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    workspace(dir.path());
    let folder = dir.path().to_str().expect("a path");
    let (board, dead) = (Board::new(usize::MAX), Board::new(0));
    let refused = |args: &[&str], code: i32, needles: &[&str]| {
        let (found, _, error) = run(&[&["deploy", "--out", folder], args].concat());
        assert_eq!(found, Some(code), "{args:?}: {error}");
        for needle in needles {
            assert!(error.contains(needle), "{args:?}: expected {needle:?} in: {error}");
        }
    };
    refused(&[], 2, &["--port"]);
    refused(&["--port", "/nonexistent/tty"], 3, &["/nonexistent/tty", "serial port"]);
    refused(&["--port", &dead.path, "--patience", "1"], 3, &[&dead.path, "silent"]);
    let other = ["--port", &board.path, "--board", "ulx3s"];
    refused(&other, 2, &[&board.path, "board: expected ulx3s, found pseudo"]);
    let wider = dir.path().join("wider.toml");
    let mut sizes = core("small-16").expect("built in");
    sizes.x_words *= 2;
    fs::write(&wider, toml::to_string(&sizes).expect("TOML")).expect("writable");
    let wider = ["--port", &board.path, "--core", wider.to_str().expect("a path")];
    refused(&wider, 2, &["an image for another core", "core.x_words"]);
}

#[test]
fn simulated_engines_are_devices_like_any_other() {
    let dir = tempfile::tempdir().expect("a folder");
    workspace(dir.path());
    let folder = dir.path().to_str().expect("a path");
    let forms = ["--on", "rusthdl,verilated", "--sequences", "20", "--json"];
    let (code, shown, error) = run(&[&["evaluate", "--out", folder][..], &forms].concat());
    assert_eq!(code, Some(0), "{error}");
    let report: serde_json::Value = serde_json::from_str(&shown).expect("a report");
    for (row, form) in report["comparisons"]
        .as_array()
        .expect("rows")
        .iter()
        .zip(["RustHDL", "Verilator"])
    {
        assert_eq!((&row["left"], &row["right"]), (&"twin".into(), &form.into()), "{row}");
        assert_eq!(
            (&row["sequences"], &row["mismatches"]),
            (&20.into(), &0.into()),
            "{row}"
        );
    }
    assert_eq!(report["comparisons"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["disagreements"].as_array().map(Vec::len), Some(0));
}

/// The emitted gateware itself, serial line included, behind a terminal; its power is cut in the middle of the work and comes back.
#[test]
fn a_virtual_board_answers_as_the_twin_and_survives_a_power_cut() {
    let dir = tempfile::tempdir().expect("a folder");
    workspace(dir.path());
    let folder = dir.path().to_str().expect("a path");
    let described = astromorph_host::boards::Board::find("icebreaker").expect("a board");
    let pins = astromorph_host::build::board::pins(&described);
    let text = emit_board(&core("small-16").expect("built in"), Target::Generic, &pins).expect("Verilog");
    let tools = Tools::ensure(&[Tool::Verilator], |line| println!("{line}")).expect("tools");
    let verilator = tools.get(Tool::Verilator).expect("there");
    let cache = std::env::temp_dir().join("astromorph-board-models");
    let board = VirtualBoard::build(verilator, "icebreaker", &text, false, &cache).expect("a model");
    let line = Line {
        path: dir.path().join("port"),
        clock_hz: pins.clock_hz,
        baud: pins.baud,
        button_low: pins.button_low,
    };
    let port = line.path.to_str().expect("a path").to_string();
    let mut running = Some(board.start(&line).expect("a board"));
    assert!(board.start(&line).is_err(), "two boards at one place");

    let (code, _, error) = run(&["deploy", "--out", folder, "--port", &port, "--board", "icebreaker"]);
    assert_eq!(code, Some(0), "{error}");
    let cutter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3));
        running.take().expect("a board").cut();
        std::thread::sleep(Duration::from_millis(300));
        board.start(&line).expect("a board again")
    });
    let forms = ["--on", "twin,board", "--sequences", "120", "--port", &port, "--json"];
    let (code, shown, error) = run(&[&["evaluate", "--out", folder][..], &forms].concat());
    drop(cutter.join().expect("the board came back"));
    assert_eq!(code, Some(0), "{error}");
    let report: serde_json::Value = serde_json::from_str(&shown).expect("a report");
    let row = &report["comparisons"][0];
    assert_eq!(
        (&row["sequences"], &row["mismatches"]),
        (&120.into(), &0.into()),
        "{row}"
    );
    let reopened = report["measures"].as_array().expect("rows").iter().find_map(|m| {
        let is = m["what"].as_str()?.ends_with("lines opened again");
        is.then(|| m["value"].as_f64())?
    });
    assert!(reopened >= Some(1.0), "{reopened:?}");
}
