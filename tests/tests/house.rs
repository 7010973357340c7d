//! The house rules that a test can hold: the arrows between the crates, and nothing in the tree that does not belong there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Direct dependencies of each workspace crate on other workspace crates, without tests' dependencies.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let ours = |name: &str| name.starts_with("astromorph");
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|p| {
            let depends = p["dependencies"].as_array().expect("dependencies").iter();
            let names = depends
                .filter(|d| d["kind"].is_null())
                .filter_map(|d| d["name"].as_str())
                .filter(|n| ours(n))
                .map(String::from)
                .collect();
            (p["name"].as_str().expect("name").to_string(), names)
        })
        .collect()
}

#[test]
fn arrows_point_from_host_to_sim_to_hdl_to_src() {
    let arrows = arrows();
    let allowed: [(&str, &[&str]); 4] = [
        ("astromorph", &[]),
        ("astromorph-hdl", &["astromorph"]),
        ("astromorph-sim", &["astromorph", "astromorph-hdl"]),
        ("astromorph-host", &["astromorph", "astromorph-hdl", "astromorph-sim"]),
    ];
    for (name, below) in allowed {
        let found = arrows.get(name).unwrap_or_else(|| panic!("crate {name} is missing"));
        for depends in found {
            assert!(below.contains(&depends.as_str()), "{name} must not depend on {depends}");
        }
    }
    assert_eq!(
        arrows.len(),
        5,
        "four crates and the outside tests: {:?}",
        arrows.keys()
    );
}

#[test]
fn the_top_level_is_the_house_and_nothing_beside_it() {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let Ok(output) = output else {
        eprintln!("not checked: git is missing");
        return;
    };
    let listing = String::from_utf8_lossy(&output.stdout);
    let rooms: BTreeSet<&str> = listing
        .lines()
        .filter_map(|l| l.split_once('/'))
        .map(|(room, _)| room)
        .collect();
    let house = [
        ".cargo",
        ".ci",
        "constraints",
        "docs",
        "hdl",
        "host",
        "sim",
        "src",
        "tests",
    ];
    for room in &rooms {
        assert!(house.contains(room), "{room}/ does not belong to the house");
    }
}
