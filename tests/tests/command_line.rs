//! The command line from outside: exit codes and the one clear line each wrong input gets.

use astromorph_tests::{astromorph, program, project};
use std::fs;

/// Runs with arguments that must fail, and checks the code and that every needle stands in the message.
fn refused(args: &[&str], code: i32, needles: &[&str]) {
    let out = astromorph(args);
    let error = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{args:?}: {error}");
    for needle in needles {
        assert!(error.contains(needle), "{args:?}: expected {needle:?} in: {error}");
    }
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn help_and_version_succeed() {
    for args in [&["--help"][..], &["--version"], &["run", "--help"], &["emit", "--help"]] {
        assert_eq!(astromorph(args).status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn wrong_use_is_code_2() {
    refused(&["fly"], 2, &["fly"]);
    refused(&["run", "--task", "poker"], 2, &["task", "recall", "poker"]);
    refused(&["run", "--task", "recall", "--model", "x.toml"], 2, &["--model"]);
    refused(
        &["train", "--task", "imdb", "--profile", "big"],
        2,
        &["profile", "paper, small", "big"],
    );
    refused(&["evaluate", "--on", "abacus"], 2, &["abacus", "golden", "board"]);
    refused(&["evaluate", "--on", "board"], 2, &["--port", "serial port"]);
}

#[test]
fn a_missing_data_set_is_named() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    refused(&["train", "--task", "imdb", "--out", folder], 2, &["--data", "imdb"]);
    refused(
        &["train", "--task", "imdb", "--out", folder, "--data", "/nonexistent"],
        2,
        &["/nonexistent"],
    );
}

#[test]
fn project_errors_name_file_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.toml");
    for (from, to, field) in [
        ("alpha = 0.25", "alpha = 1.5", "model.alpha"),
        ("heads = 2", "heads = 9", "model.heads"),
        ("heads = 2", "haeds = 2", "haeds"),
        ("order = \"causal\"", "order = \"sideways\"", "sideways"),
        ("n_max = 24", "n_max = 1000", "model.n_max"),
    ] {
        let text = project();
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        refused(
            &["emit", "--model", path.to_str().unwrap(), "--random"],
            2,
            &["model.toml", field],
        );
    }
}

#[test]
fn verbs_without_their_input_say_which_verb_makes_it() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    refused(
        &["quantize", "--task", "recall", "--out", folder],
        2,
        &["weights.safetensors", "astromorph train"],
    );
    refused(
        &["emit", "--task", "recall", "--out", folder],
        2,
        &["image-16.safetensors", "astromorph quantize"],
    );
}

#[test]
fn a_missing_tool_is_code_3_and_named_with_its_version() {
    let empty = tempfile::tempdir().unwrap();
    let out = std::process::Command::new(program())
        .args(["tools", "install"])
        .env("PATH", empty.path())
        .env("ASTROMORPH_TOOLS", empty.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{error}");
    assert!(error.contains("yosys") || error.contains("verilator"), "{error}");
    assert!(error.contains("expected version"), "{error}");
}

#[test]
fn a_folder_of_another_project_is_not_overwritten() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    fs::write(out.path().join("model.toml"), project()).unwrap();
    refused(
        &["run", "--task", "recall", "--out", folder],
        2,
        &["model.toml", "found another one's results"],
    );
    assert_eq!(fs::read_to_string(out.path().join("model.toml")).unwrap(), project());
}

#[test]
fn a_damaged_image_is_refused_by_name() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    fs::write(out.path().join("image-16.safetensors"), [0xffu8; 64]).unwrap();
    refused(
        &["emit", "--task", "recall", "--out", folder],
        2,
        &["image-16.safetensors"],
    );
}

/// An interrupted training says so, keeps its checkpoint, and the same command ends with the weights of an uninterrupted one.
#[cfg(unix)]
#[test]
fn an_interrupted_training_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("short.toml");
    let text = project().replace("kind = \"recall\"\n", "kind = \"recall\"\ntrain = 4096\ntest = 200\n");
    fs::write(
        &model,
        text + "\n[train]\nsteps = 1000\nbatch = 64\nvalidate_every = 20\n",
    )
    .unwrap();
    let run = |name: &str| {
        let out = dir.path().join(name);
        let args = [
            "train",
            "--quiet",
            "--model",
            model.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        (std::process::Command::new(program()).args(args).spawn().unwrap(), out)
    };
    let (mut cut, out) = run("cut");
    // Interrupt as soon as the first checkpoint is there.
    let started = std::time::Instant::now();
    while !out.join("checkpoint.safetensors").exists() {
        assert!(started.elapsed().as_secs() < 120, "no checkpoint");
        assert_eq!(cut.try_wait().unwrap(), None, "ended before it could be interrupted");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill")
        .args(["-INT", &cut.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(cut.wait().unwrap().code(), Some(130));
    assert!(!out.join("weights.safetensors").exists());
    let (mut resumed, out) = run("cut");
    assert_eq!(resumed.wait().unwrap().code(), Some(0));
    let (mut whole, other) = run("whole");
    assert_eq!(whole.wait().unwrap().code(), Some(0));
    let weights = |out: &std::path::Path| fs::read(out.join("weights.safetensors")).unwrap();
    assert_eq!(weights(&out), weights(&other));

    // Weights from elsewhere come in under the same names.
    let imported = dir.path().join("imported");
    let file = other.join("weights.safetensors");
    let place = ["--model", model.to_str().unwrap(), "--out", imported.to_str().unwrap()];
    let done = astromorph(&[&["train", "--import", file.to_str().unwrap()], &place[..]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(weights(&imported), weights(&other));
}
