//! Block RAMs, single-port RAMs and multipliers of a core: known by construction.
//!
//! Every memory of the engine is a list of one line below; a block RAM holds it in one of its shapes, the one that needs fewest. ECP5's lane banks
//! are instantiated in the shapes of `block_ram.rs`; a memory of 16 words is made of LUTs there.
//!
//! ```
//! use astromorph_host::{area::hard, boards::Family, cores::core};
//! let cells = hard::cells(&core("up5k-int8").unwrap(), Family::Ice40).unwrap();
//! assert_eq!((cells["SB_MAC16"], cells["SB_SPRAM256KA"]), (8, 4));
//! ```

use crate::boards::Family;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::block_ram;
use astromorph_hdl::engine::memories::{Memory, memories};
use astromorph_hdl::engine::top::{array_config, spare_multiplier, spare_multipliers};
use std::collections::BTreeMap;

/// Words and bits of a word of a block RAM.
const ICE40: [(usize, u32); 4] = [(256, 16), (512, 8), (1024, 4), (2048, 2)];
const ECP5: [(usize, u32); 6] = [(512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)];

/// Block RAMs of a memory; up to `lut_words` words it takes none.
fn blocks(m: &Memory, shapes: &[(usize, u32)], lut_words: usize) -> u64 {
    let count = |&(words, bits): &(usize, u32)| m.words.div_ceil(words) as u64 * m.bits.div_ceil(bits) as u64;
    let one = match (m.large_blocks, m.registered) {
        _ if m.words <= lut_words => 0,
        (1.., _) => 0,
        // A slice is as deep as the memory, and beyond the deepest block there are several.
        (_, true) => {
            let depth = m.words.min(block_ram::WORDS);
            m.words.div_ceil(block_ram::WORDS) as u64 * m.bits.div_ceil(block_ram::block_bits(depth)) as u64
        }
        _ => shapes.iter().map(count).min().unwrap_or(0),
    };
    m.copies as u64 * one
}

/// Cells by type.
pub fn cells(core: &EngineConfig, family: Family) -> Result<BTreeMap<&'static str, u64>> {
    let target = crate::build::engine::target(family);
    let all = memories(core, target)?;
    let multipliers = array_config(core, target)?.multipliers() as u64;
    let ram = |shapes: &[(usize, u32)], lut_words| all.iter().map(|m| blocks(m, shapes, lut_words)).sum::<u64>();
    let large: usize = all.iter().map(|m| m.large_blocks).sum();
    Ok(match family {
        Family::Ice40 => [
            ("SB_RAM40_4K", ram(&ICE40, 0)),
            ("SB_SPRAM256KA", large as u64),
            (
                "SB_MAC16",
                multipliers + spare_multiplier(core, target)? as u64 + spare_multipliers(core, target)? as u64,
            ),
        ]
        .into(),
        // The layer norm and the serial units have a multiplier of their own.
        Family::Ecp5 => [("DP16KD", ram(&ECP5, 16)), ("MULT18X18D", multipliers + 1)].into(),
        // Synthesis chooses there.
        Family::Gowin => BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::core;

    /// Placed counts of `docs/measured.md`.
    #[test]
    fn the_measured_cores_are_told_exactly() {
        let up5k = cells(&core("up5k-int8").unwrap(), Family::Ice40).unwrap();
        assert_eq!(
            (up5k["SB_RAM40_4K"], up5k["SB_SPRAM256KA"], up5k["SB_MAC16"]),
            (29, 4, 8)
        );
        let ecp5 = core("ecp5-32").unwrap();
        let told = cells(&ecp5, Family::Ecp5).unwrap();
        assert_eq!((told["DP16KD"], told["MULT18X18D"]), (191, 33));
        let half = EngineConfig {
            bank_words: 2048,
            ..ecp5
        };
        assert_eq!(cells(&half, Family::Ecp5).unwrap()["DP16KD"], 127);
    }
}
