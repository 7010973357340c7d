//! What stands where: main memory M, table pools, and the list of regions a person reads.
//!
//! A [`Pool`] takes tables and shares equal ones; it counts on beyond its limit, so that the refusal can say how many words would do.
//!
//! ```
//! use astromorph_host::compile::{Pool, Region};
//! let mut pool = Pool::new("core.function_words", 8);
//! assert_eq!((pool.add("phi_k", &[1, 2, 3, 4]), pool.add("gelu", &[5]), pool.add("phi_q", &[1, 2, 3, 4])), (0, 4, 0));
//! assert_eq!(pool.finish().unwrap().0, [1, 2, 3, 4, 5]);
//! ```

use astromorph::{Error, Result};

/// One region of a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Name of the memory: `M`, `X`, `bank`, `function`, `mantissa`, `norm`, `sums`.
    pub memory: &'static str,
    /// First word.
    pub first: u32,
    /// Words.
    pub words: u32,
    /// What it holds.
    pub holds: String,
}

/// Tables of one memory.
pub struct Pool {
    field: &'static str,
    limit: usize,
    words: Vec<i32>,
    tables: Vec<(usize, usize, String)>,
}

impl Pool {
    /// A memory of `limit` words; `field` is its name in a core's description.
    pub fn new(field: &'static str, limit: usize) -> Pool {
        Pool {
            field,
            limit,
            words: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// First word of a table; an equal one that stands there already serves both.
    pub fn add(&mut self, name: &str, table: &[i32]) -> u32 {
        let equal = |(first, len, _): &&mut (usize, usize, String)| self.words[*first..first + len] == *table;
        if let Some((first, _, names)) = self.tables.iter_mut().find(equal) {
            if !names.split(", ").any(|known| known == name) {
                *names = format!("{names}, {name}");
            }
            return *first as u32;
        }
        let first = self.words.len();
        self.words.extend(table);
        self.tables.push((first, table.len(), name.to_string()));
        first as u32
    }

    /// All words and their regions, or what would hold them.
    pub fn finish(self) -> Result<(Vec<i32>, Vec<Region>)> {
        if self.words.len() > self.limit {
            let names: Vec<&str> = self.tables.iter().map(|(.., name)| name.as_str()).collect();
            return Err(Error::field(
                self.field,
                format!("{} or more words for the tables {}", self.words.len(), names.join("; ")),
                self.limit,
            ));
        }
        let memory = self.field.trim_start_matches("core.").trim_end_matches("_words");
        let regions = self.tables.into_iter().map(|(first, words, holds)| Region {
            memory,
            first: first as u32,
            words: words as u32,
            holds,
        });
        Ok((self.words, regions.collect()))
    }
}

/// Main memory behind the program.
pub(super) struct Main {
    first: u32,
    words: Vec<u32>,
    regions: Vec<Region>,
    pack: usize,
}

impl Main {
    /// Data begin at word `first`; `pack` elements of W bits stand in a word.
    pub fn new(first: u32, pack: usize) -> Main {
        Main {
            first,
            words: Vec::new(),
            regions: Vec::new(),
            pack,
        }
    }

    /// Stores words; returns the first one's address.
    pub fn add(&mut self, holds: &str, words: impl IntoIterator<Item = u32>) -> u32 {
        let first = self.first + self.words.len() as u32;
        self.words.extend(words);
        self.regions.push(Region {
            memory: "M",
            first,
            words: self.first + self.words.len() as u32 - first,
            holds: holds.to_string(),
        });
        first
    }

    /// Stores elements, packed; returns the first word's address.
    pub fn add_elements(&mut self, holds: &str, elements: &[i32]) -> u32 {
        let packed: Vec<u32> = elements.chunks(self.pack).map(|few| pack(few, self.pack)).collect();
        self.add(holds, packed)
    }

    /// The words and their regions; refused when they leave no `state` words of `limit` for the Hebbian state.
    pub fn finish(mut self, limit: usize, state: usize) -> Result<(Vec<u32>, Vec<Region>)> {
        let needed = (self.first as usize + self.words.len()).next_multiple_of(2) + state;
        if needed > limit {
            return Err(Error::field(
                "core.m_words",
                format!("{needed} or more words for program, addends, positional keys, weights to be filled and Z"),
                limit,
            ));
        }
        self.regions.push(Region {
            memory: "M",
            first: (limit - state) as u32,
            words: state as u32,
            holds: "Z of one layer".into(),
        });
        Ok((self.words, self.regions))
    }
}

/// Up to `pack` elements in one word, element n in bits [n·32/pack, (n+1)·32/pack).
pub(super) fn pack(elements: &[i32], pack: usize) -> u32 {
    let bits = 32 / pack as u32;
    let mask = u32::MAX >> (32 - bits);
    let place = |(n, &x): (usize, &i32)| (x as u32 & mask) << (n as u32 * bits);
    elements.iter().enumerate().map(place).fold(0, |word, x| word | x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_packed_from_the_low_end() {
        assert_eq!(pack(&[-1, 2, 3], 4), 0x0003_02ff);
        assert_eq!(pack(&[-2, 1], 2), 0x0001_fffe);
        assert_eq!(pack(&[-3], 1), 0xffff_fffd);
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        let mut pool = Pool::new("core.mantissa_words", 4);
        pool.add("power", &[1, 2, 3]);
        pool.add("reciprocal", &[4, 5]);
        let error = pool.finish().unwrap_err().to_string();
        assert!(
            error.contains("core.mantissa_words: expected 5 or more words for the tables power; reciprocal, found 4"),
            "{error}"
        );
        let mut main = Main::new(10, 4);
        assert_eq!(
            (main.add("bias", [1, 2, 3]), main.add_elements("keys", &[1; 9])),
            (10, 13)
        );
        assert_eq!(main.finish(26, 10).unwrap().1[2].first, 16);
        let main = Main::new(17, 4);
        assert!(main.finish(26, 10).unwrap_err().to_string().contains("28 or more"));
    }
}
