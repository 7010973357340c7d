//! The command line from outside: exit codes and the one clear line each wrong input gets.

use astromorph_tests::{astromorph, project};
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
