//! Cells by block, read from the flattened netlist.
//!
//! Yosys names a flattened cell after the hierarchy it comes from, and a LUT after the register or net that it drives: the first name behind the
//! core's is its block (`loader.count`, or `loader$valid` where RustHDL names a wire after the block and the port it leads to). Copies that differ in their index only (`lanes$0`, `lanes$1`) are one row. The rows add up to the netlist.

use crate::report::BlockRow;
use astromorph::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
struct Netlist {
    modules: BTreeMap<String, Module>,
}

#[derive(Default, Deserialize)]
struct Module {
    #[serde(default)]
    cells: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    r#type: String,
}

/// The rows of the module `top`; `instance` is the core inside a wrapper, whose own cells are the row `(wrapper)`.
pub fn by_block(netlist: &Path, top: &str, instance: Option<&str>) -> Result<Vec<BlockRow>> {
    let text = std::fs::read_to_string(netlist).map_err(|e| Error::file(netlist, e))?;
    let mut json: Netlist =
        serde_json::from_str(&text).map_err(|e| Error::file(netlist, format!("no netlist of Yosys: {e}")))?;
    let module = json
        .modules
        .remove(top)
        .ok_or_else(|| Error::file(netlist, format!("expected the module {top}, found none")))?;
    Ok(rows(&module, instance))
}

fn rows(module: &Module, instance: Option<&str>) -> Vec<BlockRow> {
    let inside = |name: &str| -> Option<String> {
        match instance {
            None => Some(name.to_string()),
            Some(core) => Some(name.strip_prefix(core)?.strip_prefix('.')?.to_string()),
        }
    };
    // The hierarchy's own names: a cell whose first name is not among them belongs to the top itself.
    let scopes: BTreeSet<String> = module
        .cells
        .iter()
        .filter(|(_, cell)| cell.r#type == "$scopeinfo")
        .filter_map(|(name, _)| inside(name))
        .filter(|name| !name.contains('.'))
        .collect();
    let mut blocks: BTreeMap<String, (BTreeSet<&str>, BTreeMap<String, u64>)> = BTreeMap::new();
    for (name, cell) in module.cells.iter().filter(|(_, cell)| cell.r#type != "$scopeinfo") {
        let (block, copy) = match inside(name) {
            None => ("(wrapper)", ""),
            Some(path) => scopes
                .iter()
                .filter(|scope| {
                    path.strip_prefix(scope.as_str())
                        .is_some_and(|rest| rest.starts_with(['.', '$']))
                })
                .max_by_key(|scope| scope.len())
                .map_or(("(top)", ""), |scope| (without_index(scope), scope.as_str())),
        };
        let (copies, cells) = blocks.entry(block.to_string()).or_default();
        copies.insert(copy);
        *cells.entry(cell.r#type.clone()).or_default() += 1;
    }
    let row = |(block, (copies, cells)): (String, (BTreeSet<&str>, BTreeMap<String, u64>))| BlockRow {
        block,
        copies: copies.len(),
        cells,
    };
    blocks.into_iter().map(row).collect()
}

fn without_index(name: &str) -> &str {
    match name.rsplit_once('$') {
        Some((base, index)) if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_go_to_the_block_they_are_named_after_and_none_is_lost() {
        let cell = |name: &str, kind: &str| (name.to_string(), Cell { r#type: kind.into() });
        let module = Module {
            cells: [
                cell("core", "$scopeinfo"),
                cell("core.loader", "$scopeinfo"),
                cell("core.loader.count", "$scopeinfo"),
                cell("core.lanes$0", "$scopeinfo"),
                cell("core.lanes$1", "$scopeinfo"),
                cell("core.loader.count.q_SB_DFF_Q", "SB_DFF"),
                cell("core.loader.s_SB_LUT4_O", "SB_LUT4"),
                cell("core.lanes$0.y_SB_LUT4_O", "SB_LUT4"),
                cell("core.lanes$1.y_SB_LUT4_O", "SB_LUT4"),
                cell("core.lanes$1$x_SB_LUT4_O", "SB_LUT4"),
                cell("core.ready_SB_LUT4_O", "SB_LUT4"),
                cell("drive_SB_DFF_Q_1", "SB_DFF"),
            ]
            .into(),
        };
        let found = rows(&module, Some("core"));
        let short: Vec<_> = found
            .iter()
            .map(|r| (r.block.as_str(), r.copies, r.cells.values().sum::<u64>()))
            .collect();
        assert_eq!(
            short,
            [("(top)", 1, 1), ("(wrapper)", 1, 1), ("lanes", 2, 3), ("loader", 1, 2)]
        );
        assert_eq!(
            short.iter().map(|s| s.2).sum::<u64>(),
            7,
            "every cell but the five notes"
        );
    }
}
