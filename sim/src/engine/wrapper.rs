//! `module engine_bench`: ports of fixed widths around an engine, so that one C++ harness serves every core and every netlist.

use crate::error::{Error, Result};
use crate::ports::{Port, PortKind};
use std::fmt::Write as _;

/// (port of the engine, port of the wrapper, widest).
const INPUTS: [(&str, &str, usize); 9] = [
    ("reset", "reset", 1),
    ("s_axis_tvalid", "in_valid", 1),
    ("s_axis_tdata", "in_data", 32),
    ("s_axis_tlast", "in_last", 1),
    ("m_axis_tready", "out_ready", 1),
    ("load_valid", "load_valid", 1),
    ("load_memory", "load_memory", 32),
    ("load_address", "load_address", 32),
    ("load_data", "load_data", 64),
];

/// The same for outputs; narrower ones are extended by their own sign.
const OUTPUTS: [(&str, &str, usize); 19] = [
    ("s_axis_tready", "in_ready", 1),
    ("m_axis_tvalid", "out_valid", 1),
    ("m_axis_tdata", "out_data", 32),
    ("m_axis_tlast", "out_last", 1),
    ("load_ready", "load_ready", 1),
    ("busy", "busy", 1),
    ("step", "step", 32),
    ("slots", "slots", 32),
    ("error", "error_flags", 32),
    ("argmax", "argmax", 64),
    ("tap_sum_data", "tap_sum", 64),
    ("tap_linear_data", "tap_linear", 64),
    ("tap_function_data", "tap_function", 64),
    ("tap_other_data", "tap_other", 64),
    ("tap_sums_data", "tap_sums", 64),
    ("tap_calcium_data", "tap_calcium", 64),
    ("tap_power_data", "tap_power", 64),
    ("tap_normalise_data", "tap_normalise", 64),
    ("tap_norm_data", "tap_norm", 64),
];

/// Bits of `taps_valid`: the channels in order.
const VALIDS: [&str; super::expected::CHANNELS] = [
    "tap_sum_valid",
    "tap_linear_valid",
    "tap_function_valid",
    "tap_other_valid",
    "tap_sums_valid",
    "tap_calcium_valid",
    "tap_power_valid",
    "tap_normalise_valid",
    "tap_norm_valid",
    "argmax_valid",
];

fn find<'a>(ports: &'a [Port], name: &str, widest: usize) -> Result<&'a Port> {
    let unsupported = |found: String| Error::Unsupported {
        item: format!("engine port {name}"),
        expected: format!("1 to {widest} bits"),
        found,
    };
    match ports.iter().find(|p| p.name == name) {
        Some(port) if port.bits <= widest => Ok(port),
        Some(port) => Err(unsupported(format!("{} bits", port.bits))),
        None => Err(unsupported("no such port".into())),
    }
}

fn range(bits: usize) -> String {
    if bits == 1 {
        String::new()
    } else {
        format!("[{}:0] ", bits - 1)
    }
}

/// The wrapper's text for an engine (or a netlist of it) with these ports, top module `top`.
pub(super) fn wrapper(ports: &[Port]) -> Result<String> {
    let mut head = vec!["input clock".to_string()];
    // Nothing is read back here.
    let (mut pins, mut body) = (
        vec![".clock(clock)".to_string(), ".load_read(1'b0)".to_string()],
        String::new(),
    );
    for (port, name, widest) in INPUTS {
        let bits = find(ports, port, widest)?.bits;
        head.push(format!("input {}{name}", range(widest)));
        let part = if widest == 1 {
            String::new()
        } else {
            format!("[{}:0]", bits - 1)
        };
        pins.push(format!(".{port}({name}{part})"));
    }
    for (port, name, widest) in OUTPUTS {
        let found = find(ports, port, widest)?;
        head.push(format!("output {}{name}", range(widest)));
        let sign = if found.signed { "signed " } else { "" };
        let _ = writeln!(body, "  wire {sign}{}{name}_w;", range(found.bits));
        // One line, one rule: an assignment extends by the sign of its right side.
        let _ = writeln!(body, "  assign {name} = {name}_w;");
        pins.push(format!(".{port}({name}_w)"));
    }
    head.push(format!("output {}taps_valid", range(VALIDS.len())));
    for (n, port) in VALIDS.iter().enumerate() {
        find(ports, port, 1)?;
        pins.push(format!(".{port}(taps_valid[{n}])"));
    }
    // What else there is to see is not compared here.
    for port in ports.iter().filter(|p| p.kind == PortKind::Output) {
        let used = OUTPUTS.iter().map(|o| o.0).chain(VALIDS).any(|name| name == port.name);
        if !used {
            pins.push(format!(".{}()", port.name));
        }
    }
    Ok(format!(
        "`timescale 1ns/1ps\nmodule engine_bench(\n  {}\n);\n{body}  top dut(\n    {}\n  );\nendmodule\n",
        head.join(",\n  "),
        pins.join(",\n    ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_wide_port_is_named() {
        let port = |name: &str, bits| Port {
            name: name.into(),
            kind: PortKind::Input,
            bits,
            signed: false,
        };
        let e = wrapper(&[port("reset", 1)]).unwrap_err().to_string();
        assert!(e.contains("s_axis_tvalid") && e.contains("no such port"), "{e}");
        let e = wrapper(&[port("reset", 2)]).unwrap_err().to_string();
        assert!(e.contains("reset") && e.contains("2 bits"), "{e}");
    }
}
