//! What a netlist becomes in logic cells: nextpnr's packer, without placement.
//!
//! Place and route starts from what the packer made and adds no cell of logic, so these are the placed counts, also of a design for which no
//! placement is found.

use super::synth::NETLIST;
use crate::boards::Board;
use crate::cli::Failure;
use crate::interrupt;
use astromorph_sim::tools::Installed;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// Cells by type of the netlist in `folder`.
pub fn packed(nextpnr: &Installed, board: &Board, folder: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let mut args = board.tools.place_and_route.clone();
    args.extend(["--json", NETLIST, "--pack-only"].map(String::from));
    let out = nextpnr
        .run()
        .args(&args)
        .dir(folder)
        .limit(LIMIT)
        .stop_when(interrupt::flag())
        .run()?;
    let log = format!("{}{}", out.stdout, out.stderr);
    let found = utilisation(&log);
    match found.is_empty() {
        false => Ok(found),
        true => Err(astromorph_sim::Error::BadReport {
            item: nextpnr.tool().name().into(),
            expected: "a table 'Device utilisation'".into(),
            found: "none".into(),
        }
        .into()),
    }
}

/// `Info:   ICESTORM_LC:    5246/   5280    99%`, types without cells left out.
fn utilisation(log: &str) -> BTreeMap<String, u64> {
    let table = log.split("Device utilisation:").nth(1).unwrap_or("");
    let row = |line: &str| {
        let (name, rest) = line.strip_prefix("Info:")?.trim().split_once(':')?;
        let used: u64 = rest.split('/').next()?.trim().parse().ok()?;
        (!name.contains(' ')).then(|| (name.to_string(), used))
    };
    table.lines().skip(1).map_while(row).filter(|&(_, n)| n > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_its_last_row() {
        let log = "Info: Packing\nInfo: Device utilisation:\nInfo: \t ICESTORM_LC:    5246/   5280    99%\n\
                   Info: \t SB_PLL40:    0/   1    0%\nInfo: \t SB_MAC16:    8/   8    100%\nInfo: Placed 3 cells\nInfo: A: 3/4\n";
        assert_eq!(
            utilisation(log),
            [("ICESTORM_LC".to_string(), 5246), ("SB_MAC16".to_string(), 8)].into()
        );
        assert!(utilisation("nothing").is_empty());
    }
}
