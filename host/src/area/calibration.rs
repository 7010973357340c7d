//! The committed measurements: `constraints/calibration/FAMILY.json`.

use crate::boards::{Board, Family};
use astromorph::engine::config::EngineConfig;
use astromorph::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file of a family, and its text as it stands in the binary.
pub fn file(family: Family) -> Result<(&'static str, &'static str)> {
    match family {
        Family::Ice40 => Ok((
            "constraints/calibration/ice40.json",
            include_str!("../../../constraints/calibration/ice40.json"),
        )),
        Family::Ecp5 => Ok((
            "constraints/calibration/ecp5.json",
            include_str!("../../../constraints/calibration/ecp5.json"),
        )),
        Family::Gowin => Err(Error::field(
            "board",
            "one whose family is calibrated: iCE40 or ECP5",
            "Gowin",
        )),
    }
}

/// Measurements of a family.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Version by tool.
    pub tools: BTreeMap<String, String>,
    pub designs: Vec<Design>,
    pub clocks: Vec<Clock>,
}

/// One synthesised and packed core.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    pub board: String,
    pub core: EngineConfig,
    /// Cells of the netlist by block, `(wrapper)` among them.
    pub blocks: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cells after packing.
    pub placed: BTreeMap<String, u64>,
}

/// Frequencies of one core on one board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub board: String,
    pub core: String,
    /// [`EngineConfig::id`]: other sizes are another core.
    pub id: u32,
    pub asked_mhz: f64,
    /// One a seed.
    pub mhz: Vec<f64>,
}

impl Clock {
    /// Smallest, middle and largest; of an even number the middle is the mean of two.
    pub fn range(&self) -> Option<[f64; 3]> {
        let mut mhz = self.mhz.clone();
        mhz.sort_by(f64::total_cmp);
        let (n, first, last) = (mhz.len(), mhz.first()?, mhz.last()?);
        Some([*first, (mhz[(n - 1) / 2] + mhz[n / 2]) / 2.0, *last])
    }
}

impl Calibration {
    /// The committed one.
    pub fn of(family: Family) -> Result<Calibration> {
        let (path, text) = file(family)?;
        serde_json::from_str(text).map_err(|e| Error::file(path, e))
    }

    /// The board that a core was measured on, by its sizes.
    pub fn board_of(core: &EngineConfig) -> Result<Option<Board>> {
        for family in [Family::Ice40, Family::Ecp5] {
            if let Some(design) = Calibration::of(family)?
                .designs
                .iter()
                .find(|d| d.core.id() == core.id())
            {
                return Board::find(&design.board).map(Some);
            }
        }
        Ok(None)
    }

    /// What has been measured of a core on a board.
    pub fn clock(&self, core: &EngineConfig, board: &Board) -> Option<&Clock> {
        self.clocks.iter().find(|c| c.board == board.name && c.id == core.id())
    }
}
