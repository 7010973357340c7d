//! Shared fixtures of the outside tests.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The built program; built once a test process when it is not there yet.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // A test executable lies in target/PROFILE/deps.
        let me = std::env::current_exe().expect("a test knows its own path");
        let profile = me.ancestors().nth(2).expect("target/PROFILE/deps/test").to_path_buf();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-p", "astromorph-host", "--bin", "astromorph"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let target = profile.parent().expect("target/PROFILE");
        let done = build
            .env("CARGO_TARGET_DIR", target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(done.is_ok_and(|s| s.success()), "the program must build");
        profile.join("astromorph")
    })
}

/// Runs the program.
pub fn astromorph(args: &[&str]) -> Output {
    Command::new(program()).args(args).output().expect("the program starts")
}

/// A small project with odd sizes.
pub fn project() -> String {
    r#"name = "odd"

[model]
layers = 2
heads = 2
d_model = 20
features = 11
values = 13
n_max = 24
order = "causal"
alpha = 0.25
input = { kind = "tokens", vocabulary = 33, slots = 2, positions = "learnt" }
output = { kind = "classes", size = 16, pooling = "none" }

[core]
lanes = 4

[task]
kind = "recall"
"#
    .to_string()
}
