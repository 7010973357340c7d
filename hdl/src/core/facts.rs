//! What a core takes, and what is worth watching in it.

use super::Core;
use crate::lane::Lane;
use crate::ram::Ram;
use astromorph::twin::Attention;

/// A signal worth watching in a waveform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The papers' name.
    pub name: &'static str,
    /// Where it is: instances and signal below the top.
    pub path: &'static str,
    /// Its fraction bits; `None` for a plain number.
    pub frac: Option<i32>,
    /// What it shows.
    pub note: &'static str,
}

impl Core {
    /// Bits of memory: banks, buffers, FIFO and tables.
    pub fn memory_bits(&self) -> usize {
        self.loader.table_bits()
            + self.keys.bits()
            + self.keyed.iter().map(Ram::bits).sum::<usize>()
            + self.queries.bits()
            + self.lanes.iter().map(Lane::memory_bits).sum::<usize>()
            + self.calcium.memory_bits()
            + self.reciprocal.table_bits()
            + self.fifo.memory_bits()
    }

    /// Multipliers: one a lane, the calcium unit's and the normaliser's.
    pub fn multipliers(&self) -> usize {
        self.lanes.len() + 2
    }

    /// The signals a waveform shows under the papers' names.
    pub fn observations(att: &Attention) -> Vec<Observation> {
        let f = &att.formats;
        let entry = |name, path, frac, note| Observation { name, path, frac, note };
        vec![
            entry("phase", "phase", None, "0 load, 1 write, 2 seal, 3 read"),
            entry(
                "calcium",
                "calcium$s",
                Some(f.a.frac),
                "s_i: rises while tokens are written",
            ),
            entry(
                "Z",
                "lanes$0$acc",
                Some(att.z_frac()),
                "Hebbian sum of lane 0 (in READ: its numerator)",
            ),
            entry(
                "g",
                "calcium$g",
                Some(f.g.frac),
                "s^alpha, as stored when calcium is sealed",
            ),
            entry("H", "lanes$0$h", Some(f.h.frac), "sealed Hebbian word of lane 0"),
            entry(
                "C",
                "reciprocal$limited",
                Some(f.b.frac + f.g.frac),
                "calcium response of the pass being read",
            ),
            entry("y", "m_axis_tdata", Some(f.y.frac), "output"),
        ]
    }
}
