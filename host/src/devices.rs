//! What devices have (`constraints/devices.toml`), and how full a synthesised core makes them.
//!
//! Counts are of synthesis, before placement: carry chains and distributed memory take further logic cells.
//!
//! ```
//! let cells = [("SB_LUT4".to_string(), 2640), ("SB_RAM40_4K".to_string(), 33), ("SB_MAC16".to_string(), 4)].into();
//! let lines = astromorph_host::devices::fill("iCE40", &cells).unwrap();
//! assert_eq!(lines[0], "Lattice iCE40 UP5K: SB_LUT4 2640/5280 (50 %), SB_MAC16 4/8 (50 %), SB_RAM40_4K 33/30 (110 %): does not fit");
//! ```

use astromorph::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const DEVICES: &str = include_str!("../../constraints/devices.toml");

#[derive(Deserialize)]
struct Device {
    name: String,
    target: String,
    /// Cells by type.
    #[serde(flatten)]
    cells: BTreeMap<String, u64>,
}

fn devices() -> Result<BTreeMap<String, Device>> {
    toml::from_str(DEVICES).map_err(|e| Error::file("constraints/devices.toml", e))
}

/// Cells by type of one device (`up5k`).
pub fn counts(device: &str) -> Result<BTreeMap<String, u64>> {
    let mut all = devices()?;
    let names: Vec<_> = all.keys().cloned().collect();
    match all.remove(device) {
        Some(found) => Ok(found.cells),
        None => Err(Error::field("device", format!("one of {}", names.join(", ")), device)),
    }
}

/// One line a device of the family `target`.
pub fn fill(target: &str, cells: &BTreeMap<String, u64>) -> Result<Vec<String>> {
    Ok(devices()?
        .values()
        .filter(|d| d.target.eq_ignore_ascii_case(target))
        .map(|d| line(d, cells))
        .collect())
}

fn line(device: &Device, cells: &BTreeMap<String, u64>) -> String {
    let used: Vec<_> = device
        .cells
        .iter()
        .filter_map(|(cell, &has)| Some((cell, *cells.get(cell)?, has)))
        .collect();
    let share = |&(cell, n, has): &(&String, u64, u64)| format!("{cell} {n}/{has} ({} %)", n * 100 / has.max(1));
    let fits = used.iter().all(|&(_, n, has)| n <= has);
    let list: Vec<_> = used.iter().map(share).collect();
    format!(
        "{}: {}: {}",
        device.name,
        list.join(", "),
        if fits { "fits by count" } else { "does not fit" }
    )
}
