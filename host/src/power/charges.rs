//! The charges of a device (`constraints/power.toml`), each a range with its source.

use astromorph::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const PATH: &str = "constraints/power.toml";
const FILE: &str = include_str!("../../../constraints/power.toml");

/// One constant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// Least, typical, most.
    pub range: [f64; 3],
    /// Where it is from.
    pub from: String,
}

/// What a device draws from its core supply. Charges are in pC.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charges {
    /// Of the core supply.
    pub volts: f64,
    /// Without a clock, mA.
    pub static_ma: Charge,
    /// Of the clock network, a cycle.
    pub clock: Charge,
    /// Of a flip-flop's clock pin, a cycle.
    pub flip_flop: Charge,
    /// Of a net within a logic cell and its neighbour, a toggle.
    pub local: Charge,
    /// Of any other net, a toggle.
    pub routed: Charge,
    /// Of a multiplier, a toggle of a bit of its operands.
    pub multiplier: Charge,
    /// Of a block RAM, a read or a write.
    pub block_ram: Charge,
    /// Of a single-port RAM, a read or a write.
    pub spram: Option<Charge>,
}

impl Charges {
    /// Those of a device (`up5k`).
    pub fn of(device: &str) -> Result<Charges> {
        let mut all = parse(FILE)?;
        let names: Vec<_> = all.keys().cloned().collect();
        let expected = || format!("one of {} ({PATH})", names.join(", "));
        all.remove(device)
            .ok_or_else(|| Error::field("power, device", expected(), device))
    }

    /// Every constant with its name and its unit.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, &Charge)> {
        let fixed = [
            ("static", "mA", &self.static_ma),
            ("clock network", "pC a cycle", &self.clock),
            ("flip-flop's clock pin", "pC a cycle", &self.flip_flop),
            ("local net", "pC a toggle", &self.local),
            ("routed net", "pC a toggle", &self.routed),
            ("multiplier", "pC a toggle of an operand's bit", &self.multiplier),
            ("block RAM", "pC an access", &self.block_ram),
        ];
        fixed
            .into_iter()
            .chain(self.spram.iter().map(|c| ("single-port RAM", "pC an access", c)))
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, Charges>> {
    let all: BTreeMap<String, Charges> = toml::from_str(text).map_err(|e| Error::file(PATH, e))?;
    for (device, charges) in &all {
        if !(0.5..=2.0).contains(&charges.volts) {
            return Err(Error::field(
                format!("{PATH}, {device}.volts"),
                "0.5 to 2 V",
                charges.volts,
            ));
        }
        for (name, _, Charge { range, from }) in charges.all() {
            let [low, typical, high] = *range;
            let field = format!("{PATH}, {device}, {name}");
            if !(0.0 <= low && low <= typical && typical <= high && high.is_finite()) {
                return Err(Error::field(
                    field,
                    "0 <= least <= typical <= most",
                    format!("{range:?}"),
                ));
            }
            if from.trim().is_empty() {
                return Err(Error::field(field, "a source", "none"));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::{Board, Family};

    #[test]
    fn every_board_with_netlists_that_simulate_has_charges() {
        for board in Board::all().unwrap() {
            assert_eq!(
                Charges::of(&board.device).is_ok(),
                board.family != Family::Gowin,
                "{}",
                board.name
            );
        }
    }

    #[test]
    fn bad_constants_are_refused_by_name() {
        let refused = |find: &str, replace: &str| {
            assert!(FILE.contains(find), "{find}");
            parse(&FILE.replacen(find, replace, 1)).unwrap_err().to_string()
        };
        let e = refused("volts = 1.2\n", "volts = 12\n");
        assert!(e.contains("up5k.volts") && e.contains("12"), "{e}");
        let e = refused("clock = { range = [42,", "clock = { range = [420,");
        assert!(e.contains("up5k, clock network") && e.contains("420"), "{e}");
        let e = refused("static_ma = { range = [0.0856,", "static_ma = { range = [nan,");
        assert!(e.contains("up5k, static") && e.contains("NaN"), "{e}");
        let e = refused("routed =", "rooted =");
        assert!(e.contains("rooted"), "{e}");
    }
}
