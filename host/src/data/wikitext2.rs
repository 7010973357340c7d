//! WikiText-2 (Merity et al. 2016): `wiki.{train,valid,test}.tokens` below `DIR` or `DIR/wikitext-2`, next-word prediction.
//!
//! Words stand between blanks; a line's end is the word `<eos>`. With `units = "words"` the vocabulary is that of the training split, its most frequent words;
//! the rest, and the files' own `<unk>`, are "unknown". All of them take 33,279 identifiers: the 33,278 words of the distribution, `<unk>` and `<eos>` among
//! them, and "none". With `units = "bpe"` words are spelled in pieces ([`super::pieces`]), `<unk>` and `<eos>` are one piece each. The stream of tokens is cut
//! into windows of N: tokens 0..N of a window are the input, tokens 1..=N the targets, so that every token but the first of a split is predicted once.
//! [`Words`] says how perplexities compare.
//!
//! ```
//! use astromorph_host::data::{Vocabulary, wikitext2::words};
//! let text = " = A title = \n a <unk> b \n";
//! assert_eq!(words(text).collect::<Vec<_>>(), ["=", "A", "title", "=", "<eos>", "a", "<unk>", "b", "<eos>"]);
//! ```

use super::vocabulary::END;
use super::{Dataset, Example, Target, Vocabulary, Words, below, read_text};
use crate::project::Units;
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// The files' own mark for a rare word.
const UNK: &str = "<unk>";

/// The words of a file.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split_whitespace().chain([END]))
}

/// Reads the three files; `vocabulary` is a trained model's, or one of at most `most` identifiers is built.
pub fn read(
    folder: &Path,
    units: Units,
    (most, n_max): (usize, usize),
    vocabulary: Option<Vocabulary>,
) -> Result<Dataset> {
    let root = below(folder, "wikitext-2");
    let text = |split: &str| read_text(&root.join(format!("wiki.{split}.tokens")));
    let train = text("train")?;
    let vocabulary = match vocabulary {
        Some(v) => v,
        None => {
            let known = words(&train).filter(|w| *w != UNK);
            match units {
                Units::Words => Vocabulary::of_words(known, most),
                Units::Bpe => Vocabulary::of_pieces(known.filter(|w| *w != END), most)?,
            }
        }
    };
    if vocabulary.len() > most {
        return Err(Error::field(
            "model.input.vocabulary",
            format!("at least {}", vocabulary.len()),
            most,
        ));
    }
    if vocabulary.has_pieces() != (units == Units::Bpe) {
        let found = if vocabulary.has_pieces() { "pieces" } else { "words" };
        return Err(Error::field(
            "task.units",
            format!("{units:?}, as in the stored vocabulary"),
            found,
        ));
    }
    let windows = |name: &str, text: &str| -> Result<Vec<Example>> {
        let ids = spelled(text, &vocabulary)?;
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
    let test = text("test")?;
    let tested = windows("test", &test)?;
    let predicted = || words(&test).skip(1);
    let unknown = |word: &str| word == UNK || (!vocabulary.has_pieces() && vocabulary.id(word) == vocabulary.id(UNK));
    let counted = Words {
        tokens: tested.iter().map(|e| e.sequence.len()).sum(),
        words: predicted().count(),
        unknown: predicted().filter(|w| unknown(w)).count(),
        published: predicted().filter(|w| *w == UNK).count(),
    };
    let folder = root.display();
    let source = format!("{folder}: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens, an item {n_max} tokens");
    Ok(Dataset {
        train: windows("train", &train)?,
        validation: windows("valid", &text("valid")?)?,
        test: tested,
        classes: vocabulary.words().to_vec(),
        vocabulary: Some(vocabulary),
        words: Some(counted),
        source,
    })
}

/// The identifiers of a text; every different word is spelled once.
fn spelled(text: &str, vocabulary: &Vocabulary) -> Result<Vec<u32>> {
    let mut seen: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut ids = Vec::new();
    for word in words(text) {
        match seen.get(word) {
            Some(known) => ids.extend(known),
            None => {
                let new = vocabulary.spell(word)?;
                ids.extend(&new);
                seen.insert(word, new);
            }
        }
    }
    Ok(ids)
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
        let set = read(folder.path(), Units::Words, (5, 3), None).unwrap();
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
        assert_eq!(read(folder.path(), Units::Words, (5, 3), old).unwrap().train, set.train);
        std::fs::write(folder.path().join("wiki.valid.tokens"), "\n").unwrap();
        let error = read(folder.path(), Units::Words, (5, 3), None).unwrap_err().to_string();
        assert!(
            error.contains("wiki.valid.tokens") && error.contains("found 1"),
            "{error}"
        );
    }

    #[test]
    fn words_in_pieces_are_counted_as_words() {
        let folder = tempfile::tempdir().unwrap();
        for (split, text) in [
            ("train", "a b <unk> c\na b\n"),
            ("valid", "b d\n"),
            ("test", "a <unk> bcd e\n"),
        ] {
            std::fs::write(folder.path().join(format!("wiki.{split}.tokens")), text).unwrap();
        }
        let set = read(folder.path(), Units::Bpe, (270, 100), None).unwrap();
        // a, <unk>, blank b c d, blank e, <eos>; the first is not predicted. <unk> and <eos> are one token each.
        let Target::PerToken(targets) = &set.test[0].target else {
            panic!()
        };
        let words = set.words.unwrap();
        assert_eq!((words.words, words.unknown, words.published), (4, 1, 1));
        assert_eq!((words.tokens, targets.len()), (targets.len(), targets.len()));
        assert!(
            targets.len() > 5 && targets[0] == Some(1) && targets.last() == Some(&Some(2)),
            "{targets:?}"
        );
        let path = folder.path().join("vocabulary.json");
        set.vocabulary.as_ref().unwrap().save(&path).unwrap();
        let stored = Vocabulary::load(&path).unwrap();
        let again = read(folder.path(), Units::Bpe, (270, 100), Some(stored.clone())).unwrap();
        assert_eq!(
            (again.train, again.test, again.classes),
            (set.train, set.test, set.classes)
        );
        let error = read(folder.path(), Units::Words, (270, 100), Some(stored))
            .unwrap_err()
            .to_string();
        assert!(error.contains("task.units") && error.contains("pieces"), "{error}");
        std::fs::write(&path, "{\"model\": 3}").unwrap();
        assert!(
            Vocabulary::load(&path)
                .unwrap_err()
                .to_string()
                .contains("vocabulary.json")
        );
        let closed = read(folder.path(), Units::Words, (5, 100), None)
            .unwrap()
            .words
            .unwrap();
        assert_eq!((closed.words, closed.unknown, closed.published), (4, 3, 1));
    }

    #[test]
    fn the_published_files_have_their_published_vocabulary() {
        let Some(folder) = std::env::var_os("ASTROMORPH_DATA") else {
            eprintln!(
                "SKIPPED: the_published_files_have_their_published_vocabulary needs ASTROMORPH_DATA (a folder with wikitext-2)"
            );
            return;
        };
        let set = read(Path::new(&folder), Units::Words, (40_000, 64), None).unwrap();
        assert_eq!(set.vocabulary.unwrap().len(), 33_278 + 1); // and "none"
        let words = set.words.unwrap();
        assert_eq!(
            (words.words, words.tokens, words.unknown),
            (245_568, 245_568, words.published)
        );
    }
}
