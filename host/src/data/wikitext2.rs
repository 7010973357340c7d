//! WikiText-2 (Merity et al. 2016): `wiki.{train,valid,test}.tokens` below `DIR` or `DIR/wikitext-2`, next-word prediction.
//!
//! Tokens stand between blanks; a line's end is the token `<eos>`. The vocabulary is that of the training split, its most frequent words; the rest,
//! and the files' own `<unk>`, are "unknown". The stream of tokens is cut into windows of N: tokens 0..N of a window are the input, tokens 1..=N the
//! targets, so that every token but the first of a split is predicted once. Perplexities over a closed vocabulary do not compare with the published ones.
//!
//! ```
//! use astromorph_host::data::{Vocabulary, wikitext2::words};
//! let text = " = A title = \n a <unk> b \n";
//! assert_eq!(words(text).collect::<Vec<_>>(), ["=", "A", "title", "=", "<eos>", "a", "<unk>", "b", "<eos>"]);
//! ```

use super::{Dataset, Example, Target, Vocabulary, below, read_text};
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use std::path::Path;

/// The end of a line.
const END: &str = "<eos>";

/// The tokens of a file.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split_whitespace().chain([END]))
}

/// Reads the three files; `vocabulary` is a trained model's, or one of at most `most` identifiers is built.
pub fn read(folder: &Path, most: usize, n_max: usize, vocabulary: Option<Vocabulary>) -> Result<Dataset> {
    let root = below(folder, "wikitext-2");
    let text = |split: &str| read_text(&root.join(format!("wiki.{split}.tokens")));
    let train = text("train")?;
    let vocabulary = vocabulary.unwrap_or_else(|| Vocabulary::of_words(words(&train).filter(|w| *w != "<unk>"), most));
    if vocabulary.len() > most {
        return Err(Error::field(
            "model.input.vocabulary",
            format!("at least {}", vocabulary.len()),
            most,
        ));
    }
    let windows = |name: &str, text: &str| -> Result<Vec<Example>> {
        let ids: Vec<u32> = words(text).map(|w| vocabulary.id(w)).collect();
        if ids.len() < 2 {
            let path = root.join(format!("wiki.{name}.tokens"));
            return Err(Error::file(
                path,
                format!("expected two tokens or more, found {}", ids.len()),
            ));
        }
        let window = |first: usize| {
            let n = n_max.min(ids.len() - 1 - first);
            Example {
                sequence: Sequence::Tokens {
                    slots: 1,
                    ids: ids[first..first + n].to_vec(),
                },
                target: Target::PerToken(ids[first + 1..=first + n].iter().map(|&id| Some(id)).collect()),
            }
        };
        Ok((0..ids.len() - 1).step_by(n_max).map(window).collect())
    };
    Ok(Dataset {
        train: windows("train", &train)?,
        validation: windows("valid", &text("valid")?)?,
        test: windows("test", &text("test")?)?,
        classes: vocabulary.words().to_vec(),
        vocabulary: Some(vocabulary),
        source: format!(
            "{}: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens",
            root.display()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_but_the_first_is_predicted_once() {
        let folder = tempfile::tempdir().unwrap();
        for (split, text) in [("train", "a b a c\na b\n"), ("valid", "b d\n"), ("test", "a\n")] {
            std::fs::write(folder.path().join(format!("wiki.{split}.tokens")), text).unwrap();
        }
        let set = read(folder.path(), 5, 3, None).unwrap();
        assert_eq!(set.classes, ["<none>", "<unknown>", "a", "<eos>", "b"]);
        let (mut input, mut answers) = (Vec::<u32>::new(), Vec::<u32>::new());
        for e in &set.train {
            let (Sequence::Tokens { ids, .. }, Target::PerToken(t)) = (&e.sequence, &e.target) else {
                panic!()
            };
            assert!(ids.len() == t.len() && ids.len() <= 3);
            input.extend_from_slice(ids);
            answers.extend(t.iter().map(|t| t.unwrap()));
        }
        assert_eq!(input, [2, 4, 2, 1, 3, 2, 4]);
        assert_eq!(answers, [4, 2, 1, 3, 2, 4, 3]);
        let old = set.vocabulary.clone();
        assert_eq!(read(folder.path(), 5, 3, old).unwrap().train, set.train);
        std::fs::write(folder.path().join("wiki.valid.tokens"), "\n").unwrap();
        let error = read(folder.path(), 5, 3, None).unwrap_err().to_string();
        assert!(
            error.contains("wiki.valid.tokens") && error.contains("found 1"),
            "{error}"
        );
    }
}
