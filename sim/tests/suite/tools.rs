//! Finding and installing tools.

use astromorph_sim::error::Error;
use astromorph_sim::tools::{Tool, Tools};

#[test]
fn a_tool_not_asked_for_is_missing_by_name_and_version() {
    let e = Tools::default().get(Tool::Verilator).unwrap_err();
    assert!(e.is_tool_missing());
    let text = e.to_string();
    assert!(text.contains("verilator") && text.contains("5.006"), "{text}");
}

#[test]
fn yosys_is_installed_once_and_found_again() {
    let mut said = Vec::new();
    let tools = Tools::ensure(&[Tool::Yosys], |line| said.push(line.to_string())).unwrap();
    let yosys = tools.get(Tool::Yosys).unwrap();
    assert!(yosys.version().starts_with("0.70"), "{}", yosys.version());
    let mut again = Vec::new();
    Tools::ensure(&[Tool::Yosys], |line| again.push(line.to_string())).unwrap();
    assert!(again.is_empty(), "installed twice: {again:?}");
}

#[test]
fn an_unusable_place_is_an_error_that_names_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let place = file.path().join("tools");
    let mut silent = |_: &str| {};
    match Tools::ensure_in(&place, &[Tool::Yosys], &mut silent) {
        // A machine with the right Yosys on PATH needs no place.
        Ok(tools) => assert_eq!(tools.iter().count(), 1),
        Err(e) => assert!(matches!(e, Error::Io { .. }), "{e}"),
    }
}
