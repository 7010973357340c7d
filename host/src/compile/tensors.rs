//! From the words at a program's taps back to whole tensors, in the layout in which the twin shows them.
//!
//! Signature: (step, tap, word) in the order of each tap → tensors by name; and the first difference to the twin's tensor.
//!
//! ```
//! use astromorph::engine::program::Tap;
//! use astromorph_host::compile::{Place, Tensors};
//! let mut tensors = Tensors::default();
//! // Two heads of two columns each: step 3 gives head 0's, step 4 head 1's.
//! for (step, first) in [(3, 0), (4, 2)] {
//!     tensors.places.insert((step, Tap::Linear), Place { tensor: "layers.0.q".into(), first, row: 4, cols: 2, rows: None });
//! }
//! let words = [(3, 1), (3, 2), (3, 5), (3, 6), (4, 3), (4, 4), (4, 7), (4, 8)];
//! let found = tensors.gather(words.map(|(step, word)| (step, Tap::Linear, word)));
//! assert_eq!(found["layers.0.q"], [1, 2, 3, 4, 5, 6, 7, 8]);
//! ```

use astromorph::engine::program::Tap;
use std::collections::BTreeMap;
use std::fmt;

/// Where the words of one step and tap belong: word n is row r = ⌊n / cols⌋ and column c = n mod cols, and stands at `first` + r·`row` + c.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the tensor, `docs/arithmetic.md` section 8.
    pub tensor: String,
    /// Of the step's first word.
    pub first: usize,
    /// Columns of the tensor.
    pub row: usize,
    /// Columns of the step.
    pub cols: usize,
    /// Rows of a tensor that is written over and over (Z, s, H, g): what was written last stays.
    pub rows: Option<usize>,
}

/// The places of a program's taps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tensors {
    /// By step number and tap.
    pub places: BTreeMap<(usize, Tap), Place>,
    /// Tensors that are others by another name, and the last row (of so many columns) of others: `aw` in the baselines, `pooled` with pooling `last`.
    pub aliases: Vec<Alias>,
}

/// A tensor that no step computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub tensor: String,
    /// The tensor it is taken from.
    pub of: String,
    /// Only the last row, of so many columns.
    pub last_row: Option<usize>,
}

/// The first element in which two tensors differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the tensor.
    pub tensor: String,
    /// The step that computed the element, if there is one.
    pub step: Option<usize>,
    /// Index of the element; the shorter tensor's length when one has more.
    pub index: usize,
    /// The twin's word.
    pub expected: Option<i64>,
    /// The engine's word.
    pub found: Option<i64>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |x: Option<i64>| x.map_or("nothing".to_string(), |x| x.to_string());
        let step = self.step.map_or(String::new(), |step| format!(" (step {step})"));
        write!(
            f,
            "{}[{}]{step}: expected {}, found {}",
            self.tensor,
            self.index,
            say(self.expected),
            say(self.found)
        )
    }
}

impl Tensors {
    /// Whole tensors from the taps' words; the words of one step and tap come in their order, whatever comes between. Words without a place are left out.
    pub fn gather(&self, words: impl IntoIterator<Item = (usize, Tap, i64)>) -> BTreeMap<String, Vec<i64>> {
        let mut tensors: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut seen: BTreeMap<(usize, Tap), usize> = BTreeMap::new();
        for (step, tap, word) in words {
            let Some(place) = self.places.get(&(step, tap)) else {
                continue;
            };
            let n = seen.entry((step, tap)).or_default();
            let (row, column) = (*n / place.cols, *n % place.cols);
            *n += 1;
            let row = place.rows.map_or(row, |rows| row % rows);
            let at = place.first + row * place.row + column;
            let tensor = tensors.entry(place.tensor.clone()).or_default();
            if tensor.len() <= at {
                tensor.resize(at + 1, 0);
            }
            tensor[at] = word;
        }
        for alias in &self.aliases {
            if let Some(of) = tensors.get(&alias.of) {
                let from = alias.last_row.map_or(0, |columns| of.len().saturating_sub(columns));
                let words = of[from..].to_vec();
                tensors.insert(alias.tensor.clone(), words);
            }
        }
        tensors
    }

    /// The first element in which the engine's tensor differs from the twin's.
    pub fn compare(&self, tensor: &str, expected: &[i64], found: &[i64]) -> Option<Difference> {
        let same = expected.iter().zip(found).take_while(|(x, y)| x == y).count();
        if same == expected.len() && same == found.len() {
            return None;
        }
        Some(Difference {
            tensor: tensor.to_string(),
            step: self.step(tensor, same),
            index: same,
            expected: expected.get(same).copied(),
            found: found.get(same).copied(),
        })
    }

    /// The step that computes an element of a tensor.
    fn step(&self, tensor: &str, index: usize) -> Option<usize> {
        let of = self.aliases.iter().find(|alias| alias.tensor == tensor);
        let tensor = of.map_or(tensor, |alias| alias.of.as_str());
        let within = |place: &Place| {
            let Some(beyond) = index.checked_sub(place.first) else {
                return false;
            };
            let row = beyond / place.row;
            place.tensor == tensor && beyond % place.row < place.cols && place.rows.is_none_or(|rows| row < rows)
        };
        let mut places = self.places.iter();
        places.find(|(_, place)| within(place)).map(|(&(step, _), _)| step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_again_stays_as_it_was_last() {
        let mut tensors = Tensors::default();
        let place = Place {
            tensor: "Z".into(),
            first: 2,
            row: 2,
            cols: 2,
            rows: Some(2),
        };
        tensors.places.insert((1, Tap::Sum), place);
        tensors.aliases.push(Alias {
            tensor: "last".into(),
            of: "Z".into(),
            last_row: Some(2),
        });
        let found = tensors.gather((0..8).map(|n| (1, Tap::Sum, n)));
        assert_eq!(
            (&found["Z"][..], &found["last"][..]),
            (&[0, 0, 4, 5, 6, 7][..], &[6, 7][..])
        );
        let difference = tensors.compare("Z", &[0, 0, 4, 5, 6, 9], &found["Z"]).unwrap();
        assert_eq!(difference.to_string(), "Z[5] (step 1): expected 9, found 7");
        assert_eq!(tensors.compare("Z", &[0, 0, 4], &found["Z"]).unwrap().expected, None);
        assert_eq!(tensors.compare("Z", &found["Z"], &found["Z"]), None);
    }
}
