//! What a core takes of a device, told from its sizes: before any synthesis.
//!
//! | figure | from |
//! |---|---|
//! | block RAMs, single-port RAMs, multipliers | [`hard`]: construction; exact |
//! | LUTs, carries and registers of every block | [`fit`]: a linear model by block, fitted to the committed designs of the family |
//! | placed logic cells | the same, with what packing adds as one more block |
//! | clock | [`calibration`]: the committed runs of place and route of that core on that board, or none |
//!
//! `constraints/calibration/FAMILY.json` holds the designs, `astromorph calibrate` makes it anew.

pub mod calibration;
pub mod fit;
pub mod hard;

use crate::boards::Family;
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use calibration::Calibration;
use std::collections::BTreeMap;

/// Cells by block.
pub type Blocks = BTreeMap<String, BTreeMap<String, f64>>;

/// Logic of a core by block: the family's LUTs, carries and registers, and [`fit::PLACED`].
pub fn blocks(core: &EngineConfig, family: Family) -> Result<Blocks> {
    let calibration = Calibration::of(family)?;
    Ok(fit::Model::new(family, &calibration.designs)?.blocks(core))
}

/// Sum over the blocks.
pub fn total(blocks: &Blocks, cell: &str) -> f64 {
    blocks.values().filter_map(|cells| cells.get(cell)).sum()
}

/// Logic cells that are fitted, and what nextpnr calls a placed one; how many of those a netlist's cells take before packing joins or adds any.
pub struct Logic {
    /// LUT, carry, register.
    pub cells: [&'static str; 3],
    /// As Yosys' stat counts them: types that begin so are one.
    pub register: &'static str,
    /// Placed cells.
    pub placed: &'static str,
    /// Placed cells of a LUT and of a carry.
    pub takes: [f64; 2],
}

/// Of a family.
pub fn logic(family: Family) -> Result<Logic> {
    match family {
        Family::Ice40 => Ok(Logic {
            cells: ["SB_LUT4", "SB_CARRY", "SB_DFF"],
            register: "SB_DFF",
            placed: "ICESTORM_LC",
            takes: [1.0, 0.0],
        }),
        Family::Ecp5 => Ok(Logic {
            cells: ["LUT4", "CCU2C", "TRELLIS_FF"],
            register: "TRELLIS_FF",
            placed: "TRELLIS_COMB",
            takes: [1.0, 2.0],
        }),
        Family::Gowin => Err(Error::field(
            "board",
            "one whose family is calibrated: iCE40 or ECP5",
            "Gowin",
        )),
    }
}
