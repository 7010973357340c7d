//! The ports of a module, asked of Yosys: whatever it accepts is understood, parameters included.

use crate::cli::Failure;
use crate::interrupt;
use crate::report::save;
use astromorph::Error;
use astromorph_sim::ports::{Port, PortKind};
use astromorph_sim::tools::Installed;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Json {
    modules: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct JsonPort {
    direction: String,
    bits: Vec<serde_json::Value>,
    #[serde(default)]
    signed: u8,
}

/// The ports of `top` in their order. `clock` names the clock; without it a one-bit input `clock` or `clk` is taken. Works in `folder`.
pub fn of(
    yosys: &Installed,
    verilog: &str,
    top: &str,
    clock: Option<&str>,
    folder: &Path,
) -> Result<Vec<Port>, Failure> {
    if !is_name(top) {
        return Err(Error::field("top", "a Verilog identifier", top).into());
    }
    save(&folder.join("ports.v"), verilog.as_bytes())?;
    yosys
        .run()
        .args([
            "-q",
            "-p",
            &format!("read_verilog ports.v; hierarchy -top {top}; blackbox; write_json ports.json"),
        ])
        .dir(folder)
        .output(folder.join("ports.json"))
        .stop_when(interrupt::flag())
        .run()?;
    let path = folder.join("ports.json");
    let text = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
    Ok(parse(&text, top, clock)?)
}

fn parse(json: &str, top: &str, clock: Option<&str>) -> Result<Vec<Port>, Error> {
    let bad = |found: String| Error::field(format!("module {top}"), "ports in Yosys' description", found);
    let json: Json = serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
    let listed = json
        .modules
        .get(top)
        .and_then(|m| m.get("ports"))
        .and_then(|p| p.as_object())
        .ok_or_else(|| bad("no such module".into()))?;
    let clock = match clock {
        Some(name) => Some(name),
        None => ["clock", "clk"].into_iter().find(|n| listed.contains_key(*n)),
    };
    let mut ports = Vec::new();
    for (name, value) in listed {
        let port: JsonPort = serde_json::from_value(value.clone()).map_err(|e| bad(e.to_string()))?;
        let kind = match (port.direction.as_str(), Some(name.as_str()) == clock) {
            ("input", true) if port.bits.len() == 1 => PortKind::Clock,
            ("input", false) => PortKind::Input,
            ("output", false) => PortKind::Output,
            (direction, is_clock) => {
                let expected = if is_clock {
                    "an input of one bit, the clock"
                } else {
                    "an input or an output"
                };
                let found = format!("{direction} of {} bits", port.bits.len());
                return Err(Error::field(format!("port {name} of {top}"), expected, found));
            }
        };
        ports.push(Port {
            name: name.clone(),
            kind,
            bits: port.bits.len(),
            signed: port.signed != 0,
        });
    }
    match ports.iter().any(|p| p.kind == PortKind::Clock) {
        true => Ok(ports),
        false => {
            let expected = clock.map_or("an input clock or clk (or --clock NAME)".into(), |c| {
                format!("an input {c}")
            });
            Err(Error::field(format!("module {top}"), expected, "none"))
        }
    }
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_$".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"modules": {"top": {"ports": {
        "clk": {"direction": "input", "bits": [2]},
        "a": {"direction": "input", "bits": [3, 4], "signed": 1},
        "y": {"direction": "output", "bits": [5]}}}}}"#;

    #[test]
    fn ports_come_with_kind_width_and_sign() {
        let ports = parse(JSON, "top", None).unwrap();
        let short: Vec<_> = ports
            .iter()
            .map(|p| (p.name.as_str(), p.kind, p.bits, p.signed))
            .collect();
        assert!(short.contains(&("clk", PortKind::Clock, 1, false)));
        assert!(short.contains(&("a", PortKind::Input, 2, true)));
        assert!(short.contains(&("y", PortKind::Output, 1, false)));
    }

    #[test]
    fn what_is_no_clock_is_refused_by_name() {
        let refused = |json: &str, clock| parse(json, "top", clock).unwrap_err().to_string();
        assert!(refused(JSON, Some("a")).contains("port a of top"));
        assert!(refused(JSON, Some("ck")).contains("an input ck"));
        assert!(refused(&JSON.replace("clk", "ck"), None).contains("--clock"));
        assert!(refused(&JSON.replace("output", "inout"), None).contains("inout"));
        assert!(
            parse(JSON, "other", None)
                .unwrap_err()
                .to_string()
                .contains("no such module")
        );
    }
}
