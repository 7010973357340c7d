//! What the host sends for a sequence: x0 of every token, or the raw words of its features.
//!
//! The embedding's table stays on the host: a token model's x0 is computed here, in the twin's integers.

use astromorph::format::Format;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::spec::{Input, ModelSpec};
use astromorph::twin::Embedding;
use astromorph::{Error, Result};

enum Source {
    Tokens(Embedding),
    Vectors(Format),
}

/// The input side of a model.
pub struct Feed {
    spec: ModelSpec,
    source: Source,
}

impl Feed {
    /// From an image.
    pub fn new(image: &Image) -> Result<Feed> {
        let (spec, plan) = (image.spec(), image.plan());
        let source = match spec.input {
            Input::Vectors { .. } => Source::Vectors(plan.format("input")?),
            Input::Tokens { slots, .. } => {
                let position = match plan.formats.get("position.weight") {
                    Some(&format) => Some((format, image.wide("position.weight")?)),
                    None => None,
                };
                let (table, format) = (image.narrow("embedding.weight")?, plan.format("embedding.weight")?);
                Source::Tokens(Embedding::new(
                    table,
                    spec.d_model,
                    format,
                    position,
                    slots,
                    plan.format("x0")?,
                ))
            }
        };
        Ok(Feed {
            spec: spec.clone(),
            source,
        })
    }

    /// Words a token.
    pub fn columns(&self) -> usize {
        match self.spec.input {
            Input::Tokens { .. } => self.spec.d_model,
            Input::Vectors { width, .. } => width,
        }
    }

    /// The words of a sequence, row by row; refuses what the model cannot take.
    pub fn words(&self, sequence: &Sequence) -> Result<Vec<i32>> {
        sequence.check(&self.spec)?;
        match (&self.source, sequence) {
            (Source::Tokens(embedding), Sequence::Tokens { ids, .. }) => Ok(embedding.run(ids)),
            (Source::Vectors(format), Sequence::Vectors { data, .. }) => {
                Ok(data.iter().map(|&x| format.encode(x as f64) as i32).collect())
            }
            _ => Err(Error::field("sequence", "the kind of the model's input", "another")),
        }
    }
}
