//! One input sequence: what a user gives the model, before the embedding.
//!
//! | form | shape | content |
//! |---|---|---|
//! | [`Sequence::Tokens`] | N × slots, row by row | identifiers below the vocabulary's size; 0 is "none" and contributes nothing |
//! | [`Sequence::Vectors`] | N × width, row by row | finite features |
//!
//! ```
//! use astromorph::sequence::Sequence;
//! let pairs = Sequence::Tokens { slots: 2, ids: vec![5, 9, 7, 0] };
//! assert_eq!(pairs.len(), 2); // tokens (5, 9) and (7, none)
//! ```

use crate::spec::{Input, ModelSpec, range};
use crate::{Error, Result};
use rand::{Rng, RngExt};

/// An input sequence of N tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Sequence {
    /// Identifiers, `slots` a token.
    Tokens {
        /// Identifiers a token.
        slots: usize,
        /// N · slots identifiers, row by row; 0 is "none".
        ids: Vec<u32>,
    },
    /// Feature vectors, `width` features a token.
    Vectors {
        /// Features a token.
        width: usize,
        /// N · width features, row by row.
        data: Vec<f32>,
    },
}

impl Sequence {
    /// A random sequence of 1 to N_max tokens: identifiers below the vocabulary's size, features in −2..2.
    pub fn random(spec: &ModelSpec, rng: &mut impl Rng) -> Sequence {
        let n = rng.random_range(1..=spec.n_max);
        Self::random_of(spec, n, rng)
    }

    /// The same of `n` tokens.
    pub fn random_of(spec: &ModelSpec, n: usize, rng: &mut impl Rng) -> Sequence {
        match spec.input {
            Input::Tokens { vocabulary, slots, .. } => Sequence::Tokens {
                slots,
                ids: (0..n * slots).map(|_| rng.random_range(0..vocabulary as u32)).collect(),
            },
            Input::Vectors { width, .. } => Sequence::Vectors {
                width,
                data: (0..n * width).map(|_| rng.random_range(-2.0f32..2.0)).collect(),
            },
        }
    }

    /// Number of whole tokens N.
    pub fn len(&self) -> usize {
        match self {
            Sequence::Tokens { slots, ids } => ids.len().checked_div(*slots).unwrap_or(0),
            Sequence::Vectors { width, data } => data.len().checked_div(*width).unwrap_or(0),
        }
    }

    /// Whether there is no whole token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses what the model of `spec` cannot take; the error names the field.
    pub fn check(&self, spec: &ModelSpec) -> Result<()> {
        let (row, stored) = match (self, &spec.input) {
            (
                Sequence::Tokens { slots, ids },
                Input::Tokens {
                    vocabulary,
                    slots: expected,
                    ..
                },
            ) => {
                if slots != expected {
                    return Err(Error::field("sequence.slots", expected.to_string(), slots));
                }
                if let Some(at) = ids.iter().position(|&id| id as usize >= *vocabulary) {
                    return Err(Error::field(
                        format!("sequence.ids[{at}]"),
                        format!("an identifier below the vocabulary's {vocabulary}"),
                        ids[at],
                    ));
                }
                (*slots, ids.len())
            }
            (Sequence::Vectors { width, data }, Input::Vectors { width: expected, .. }) => {
                if width != expected {
                    return Err(Error::field("sequence.width", expected.to_string(), width));
                }
                if let Some(at) = data.iter().position(|x| !x.is_finite()) {
                    return Err(Error::field(
                        format!("sequence.data[{at}]"),
                        "a finite number",
                        data[at],
                    ));
                }
                (*width, data.len())
            }
            (Sequence::Tokens { .. }, Input::Vectors { .. }) => {
                return Err(Error::field("sequence", "vectors (model.input.kind)", "tokens"));
            }
            (Sequence::Vectors { .. }, Input::Tokens { .. }) => {
                return Err(Error::field("sequence", "tokens (model.input.kind)", "vectors"));
            }
        };
        if row == 0 || stored % row != 0 {
            return Err(Error::field("sequence", format!("a multiple of {row} entries"), stored));
        }
        range("sequence length", self.len(), 1, spec.n_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(input: &str) -> ModelSpec {
        toml::from_str(&format!(
            "layers = 1\nheads = 1\nd_model = 4\nfeatures = 4\nvalues = 4\nn_max = 3\norder = \"two-pass\"\n\
             input = {input}\noutput = {{ kind = \"classes\", size = 2 }}"
        ))
        .unwrap()
    }

    #[test]
    fn every_refusal_names_its_field() {
        let pairs = spec("{ kind = \"tokens\", vocabulary = 10, slots = 2 }");
        let vectors = spec("{ kind = \"vectors\", width = 2 }");
        let tokens = |slots, ids: &[u32]| Sequence::Tokens {
            slots,
            ids: ids.to_vec(),
        };
        let features = |width, data: &[f32]| Sequence::Vectors {
            width,
            data: data.to_vec(),
        };
        for (sequence, spec, said) in [
            (tokens(2, &[]), &pairs, "sequence length: expected 1 to 3, found 0"),
            (tokens(2, &[1; 8]), &pairs, "sequence length: expected 1 to 3, found 4"),
            (tokens(2, &[1, 2, 3]), &pairs, "a multiple of 2 entries, found 3"),
            (tokens(2, &[1, 10]), &pairs, "sequence.ids[1]"),
            (tokens(1, &[1]), &pairs, "sequence.slots: expected 2, found 1"),
            (tokens(1, &[1]), &vectors, "expected vectors"),
            (
                features(2, &[1.0, f32::NAN]),
                &vectors,
                "sequence.data[1]: expected a finite number, found NaN",
            ),
            (features(3, &[1.0; 3]), &vectors, "sequence.width: expected 2, found 3"),
            (features(2, &[1.0; 2]), &pairs, "expected tokens"),
            (features(0, &[]), &vectors, "sequence.width"),
        ] {
            let error = sequence.check(spec).unwrap_err().to_string();
            assert!(error.contains(said), "{error:?} does not say {said:?}");
        }
        tokens(2, &[1, 0, 9, 9]).check(&pairs).unwrap();
        features(2, &[0.5; 6]).check(&vectors).unwrap();
    }
}
