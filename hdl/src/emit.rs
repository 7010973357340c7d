//! Blocks as Verilog text.
//!
//! Always from a fresh instance: RustHDL prints a memory's present contents as its initial ones.

use rust_hdl::prelude::*;

/// What RustHDL prints for a connected block, with a range for every signed constant.
///
/// RustHDL writes `localparam signed lo = 8'h80;`. Its type is that of a signed number of 8 bits (IEEE 1364-2005, 12.2), and Icarus and
/// Verilator read it so, but Yosys (0.23 and 0.70) compares it as unsigned: a netlist then saturates where it should not. With the range
/// `localparam signed [7:0] lo` all of them agree.
pub fn verilog(block: &dyn Block) -> String {
    let mut defines = ModuleDefines::default();
    block.accept("top", &mut defines);
    let mut text = String::new();
    for line in defines.defines().lines() {
        text.push_str(&ranged(line).unwrap_or_else(|| line.to_string()));
        text.push('\n');
    }
    text
}

/// A line `localparam signed NAME = WIDTH'…` with its range; `None` for every other line.
fn ranged(line: &str) -> Option<String> {
    let (indent, constant) = line.split_once("localparam signed ")?;
    let (_, value) = constant.split_once(" = ")?;
    let width: u32 = value.split_once('\'')?.0.parse().ok()?;
    Some(format!(
        "{indent}localparam signed [{}:0] {constant}",
        width.checked_sub(1)?
    ))
}

#[cfg(test)]
mod tests {
    use super::ranged;

    #[test]
    fn signed_constants_get_a_range_and_other_lines_stay() {
        let fixed = ranged("    localparam signed lo = 8'h80;");
        assert_eq!(fixed.as_deref(), Some("    localparam signed [7:0] lo = 8'h80;"));
        for line in ["    localparam  top = 4'h8;", "    reg signed [7:0] x;", "endmodule"] {
            assert_eq!(ranged(line), None);
        }
    }
}
