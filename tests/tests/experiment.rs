//! Experiments from outside: a table, one that was killed, jobs of a workflow engine, wrong use.

use astromorph_tests::{astromorph, program};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DEFINITION: &str = r#"
title = "A small one"
question = "Does it come out the same?"
source = "ours"
seeds = 2
measures = ["test", "epochs", "zeroed", "variation", "leak", "gradient", "parameters", "twin", "kilobits"]
reduced = { seeds = 1 }

[[group]]
name = "Recall"
project = "recall"
threshold = 10.0
set = { train = { shards = 1, steps = 60, batch = 16, validate_every = 20 }, quantize = { activation_bits = 8, weight_bits = 8 } }
items = { train = 2000, validation = 100, test = 100 }
reduced = { set = { train = { steps = 20 } } }

[[group.row]]
name = "astromorphic"

[[group.row]]
name = "linear"
set = { model = { attention = "linear" } }

[[group.row]]
name = "weights of 5 bits"
set = { quantize = { weight_bits = 5 } }
"#;

fn definition(folder: &Path) -> String {
    let path = folder.join("small.toml");
    fs::write(&path, DEFINITION).unwrap();
    path.display().to_string()
}

/// Runs to the end; the bytes of its tables.
fn tables(definition: &str, out: &Path) -> (String, String) {
    let done = astromorph(&["experiment", definition, "--out", out.to_str().unwrap()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert!(read("page.html").contains("<svg") && read("times.json").contains("machine"));
    assert!(!out.join("trained").exists());
    (read("table.md"), read("table.json"))
}

#[test]
fn a_killed_table_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let definition = definition(folder.path());
    let whole = tables(&definition, &folder.path().join("whole"));
    for row in ["astromorphic", "linear", "weights of 5 bits"] {
        assert!(whole.0.contains(&format!("| {row} |")), "{}", whole.0);
    }
    assert!(whole.0.contains("2 seeds") && whole.0.contains("epochs to 10 %"));

    let out = folder.path().join("killed");
    let mut child = Command::new(program())
        .args([
            "experiment",
            &definition,
            "--out",
            out.to_str().unwrap(),
            "--at-once",
            "1",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // In the middle: some training has begun, and not all cells are there.
    let started = Instant::now();
    while !out.join("trained").is_dir() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!out.join("table.md").exists());
    assert_eq!(tables(&definition, &out), whole);

    // Cells made one by one, as a workflow engine does, are the same cells.
    let apart = folder.path().join("apart");
    let place = apart.to_str().unwrap();
    let written = astromorph(&["experiment", &definition, "--out", place, "--snakemake"]);
    assert!(written.status.success());
    let snakefile = fs::read_to_string(apart.join("Snakefile")).unwrap();
    for cell in ["Recall/astromorphic/seed-1", "Recall/weights-of-5-bits/seed-2"] {
        assert!(snakefile.contains(cell), "{snakefile}");
        assert!(
            astromorph(&["experiment", &definition, "--out", place, "--cell", cell])
                .status
                .success()
        );
        assert!(apart.join("cells").join(format!("{cell}.json")).exists());
    }
    assert_eq!(tables(&definition, &apart), whole);
}

#[test]
fn help_names_every_experiment() {
    let help = String::from_utf8(astromorph(&["experiment", "--help"]).stdout).unwrap();
    let unknown = String::from_utf8(astromorph(&["experiment", "?"]).stderr).unwrap();
    let names = unknown
        .split("one of ")
        .nth(1)
        .and_then(|rest| rest.split(", found").next())
        .unwrap();
    assert!(names.split(", ").count() >= 8, "{unknown}");
    assert!(names.split(", ").all(|name| help.contains(name)), "{names}: {help}");
}

#[test]
fn wrong_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = definition(folder.path());
    let refused = |args: &[&str], needles: &[&str]| {
        let found = astromorph(args);
        let error = String::from_utf8_lossy(&found.stderr).into_owned();
        assert_eq!(found.status.code(), Some(2), "{args:?}: {error}");
        assert!(needles.iter().all(|n| error.contains(n)), "{needles:?} in {error}");
    };
    refused(&["experiment", "astrology"], &["learning-speed", "astrology"]);
    refused(&["experiment", "nowhere.toml"], &["nowhere.toml"]);
    refused(&["experiment", &good, "--seed", "3"], &["--seed"]);
    refused(&["experiment", &good, "--at-once", "0"], &["--at-once"]);
    refused(
        &["experiment", &good, "--cell", "Recall/x/seed-1"],
        &["--cell", "seed-1"],
    );
    for (from, to, needle) in [
        ("\"leak\"", "\"luck\"", "luck"),
        ("steps = 60", "stops = 60", "stops"),
        (
            "attention = \"linear\"",
            "attention = \"linear\", alpha = 2.0",
            "model.alpha",
        ),
        ("seeds = 2", "seeds = 0", "seeds"),
        (
            "name = \"linear\"",
            "name = \"linear\"\nform = { dense = 1 }",
            "form.dense",
        ),
    ] {
        assert!(DEFINITION.contains(from));
        let path = folder.path().join("bad.toml");
        fs::write(&path, DEFINITION.replacen(from, to, 1)).unwrap();
        refused(&["experiment", path.to_str().unwrap()], &["bad.toml", needle]);
    }
    // A folder with another definition's cells.
    let out = folder.path().join("out");
    let place = out.to_str().unwrap();
    assert!(
        astromorph(&["experiment", &good, "--out", place, "--cell", "Recall/linear/seed-1"])
            .status
            .success()
    );
    let other = folder.path().join("other.toml");
    fs::write(&other, DEFINITION.replace("steps = 60", "steps = 61")).unwrap();
    refused(
        &["experiment", other.to_str().unwrap(), "--out", place],
        &["seed-1.json", "--out"],
    );
}
