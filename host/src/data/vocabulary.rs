//! Words to identifiers: a tokeniser and the vocabulary of the training split.
//!
//! Tokens are runs of letters, digits and apostrophes in lower case, and each of `! ? . , ; : ( ) "`; HTML's `<br />` is a space.
//! Identifier 0 is "none" (padding, an empty slot), 1 is "unknown", the rest are the most frequent words, ties in alphabetical order.
//! A vocabulary of pieces ([`super::pieces`]) has "none", "unknown" and `<eos>`, then bytes and merges.
//! A text longer than N keeps its first N/4 and its last 3N/4 tokens.
//!
//! ```
//! use astromorph_host::data::Vocabulary;
//! let v = Vocabulary::build(["Good, good film.", "bad film"].into_iter(), 4); // none, unknown and the two most frequent
//! assert_eq!(v.words(), ["<none>", "<unknown>", "film", "good"]);
//! assert_eq!(v.encode("A GOOD film", 8), [1, 3, 2]);
//! assert_eq!(v.encode("film good good film good", 4), [2, 3, 2, 3]); // the first and the last three
//! ```

use super::pieces::Pieces;
use astromorph::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

const NONE: &str = "<none>";
const UNKNOWN: &str = "<unknown>";
/// The end of a line of running text.
pub(super) const END: &str = "<eos>";

/// An ordered list of words, or of pieces of words.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    words: Vec<String>,
    ids: HashMap<String, u32>,
    pieces: Option<Pieces>,
}

impl Vocabulary {
    /// The `most` − 2 most frequent tokens of the texts behind "none" and "unknown".
    pub fn build<'a>(texts: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let mut count: HashMap<String, usize> = HashMap::new();
        for text in texts {
            tokens(text, |word| match count.get_mut(word) {
                Some(n) => *n += 1,
                None => {
                    count.insert(word.to_string(), 1);
                }
            });
        }
        Self::most_frequent(count, most)
    }

    /// The same of words that are tokens already.
    pub fn of_words<'a>(words: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let mut count: HashMap<&str, usize> = HashMap::new();
        for word in words {
            *count.entry(word).or_default() += 1;
        }
        let count = count.into_iter().map(|(word, n)| (word.to_string(), n)).collect();
        Self::most_frequent(count, most)
    }

    fn most_frequent(count: HashMap<String, usize>, most: usize) -> Self {
        let mut by_count: Vec<(String, usize)> = count.into_iter().collect();
        by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let head = [NONE.to_string(), UNKNOWN.to_string()];
        let kept = by_count.into_iter().take(most.saturating_sub(2)).map(|(word, _)| word);
        Self::from_words(head.into_iter().chain(kept).collect())
    }

    fn from_words(words: Vec<String>) -> Self {
        let ids = words
            .iter()
            .enumerate()
            .skip(2)
            .map(|(i, w)| (w.clone(), i as u32))
            .collect();
        Vocabulary {
            words,
            ids,
            pieces: None,
        }
    }

    /// Of at most `most` pieces of the words.
    pub fn of_pieces<'a>(words: impl Iterator<Item = &'a str> + Send, most: usize) -> Result<Self> {
        let pieces = Pieces::train(words, most).map_err(|e| Error::field("task.units", "pieces of words", e))?;
        Ok(Self::from_pieces(pieces))
    }

    fn from_pieces(pieces: Pieces) -> Self {
        Vocabulary {
            pieces: Some(pieces.clone()),
            ..Self::from_words(pieces.list())
        }
    }

    /// Whether identifiers stand for pieces of words.
    pub fn has_pieces(&self) -> bool {
        self.pieces.is_some()
    }

    /// The identifiers of a word: one, or one a piece. `<unk>` is "unknown" in both.
    pub fn spell(&self, word: &str) -> Result<Vec<u32>> {
        match &self.pieces {
            Some(pieces) if word != "<unk>" && word != END => {
                pieces.ids(word).map_err(|e| Error::field("task.units", word, e))
            }
            _ => Ok(vec![self.id(word)]),
        }
    }

    /// The identifier of a token; that of "unknown" for a word without one.
    pub fn id(&self, word: &str) -> u32 {
        self.ids.get(word).copied().unwrap_or(1)
    }

    /// Identifiers, with "none" and "unknown".
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no identifier at all.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words by identifier.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Identifiers of a text, at most `n_max` and at least one.
    pub fn encode(&self, text: &str, n_max: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        tokens(text, |word| ids.push(self.id(word)));
        if ids.len() > n_max {
            let head = n_max / 4;
            ids.drain(head..ids.len() - (n_max - head));
        }
        if ids.is_empty() {
            ids.push(1); // a text without a word is one unknown word
        }
        ids
    }

    /// SHA-256 of the stored form: what a model's files name to show which vocabulary they mean.
    pub fn hash(&self) -> String {
        Sha256::digest(self.stored())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    fn stored(&self) -> String {
        match &self.pieces {
            Some(pieces) => pieces.stored().to_string(),
            None => self.words.iter().map(|w| format!("{w}\n")).collect(),
        }
    }

    /// Writes one word a line, or the encoding of pieces as JSON; whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        astromorph::atomic::write(path, self.stored().as_bytes())
    }

    /// Reads what [`Vocabulary::save`] wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let text = super::read_text(path)?;
        if text.starts_with('{') {
            let pieces = Pieces::parse(&text).map_err(|e| Error::file(path, e))?;
            return Ok(Self::from_pieces(pieces));
        }
        let words: Vec<String> = text.lines().map(str::to_string).collect();
        if words.len() < 2 || words[0] != NONE || words[1] != UNKNOWN {
            return Err(Error::file(
                path,
                format!("expected {NONE} and {UNKNOWN} in the first two lines"),
            ));
        }
        let vocabulary = Self::from_words(words);
        match vocabulary.ids.len() + 2 == vocabulary.words.len() {
            true => Ok(vocabulary),
            false => Err(Error::file(path, "expected every word once, found one twice")),
        }
    }
}

/// Calls `each` with every token of a text.
pub fn tokens(text: &str, mut each: impl FnMut(&str)) {
    let plain = text.replace("<br />", " ");
    let mut word = String::new();
    for c in plain.chars() {
        if c.is_alphanumeric() || (c == '\'' && !word.is_empty()) {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            each(word.trim_end_matches('\''));
            word.clear();
        }
        if matches!(c, '!' | '?' | '.' | ',' | ';' | ':' | '(' | ')' | '"') {
            each(c.encode_utf8(&mut [0; 4]));
        }
    }
    if !word.is_empty() {
        each(word.trim_end_matches('\''));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_and_read_again_it_is_the_same_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocabulary.txt");
        let v = Vocabulary::build(["it isn't 'good', is it?<br />No."].into_iter(), 100);
        assert_eq!(v.words()[2..], ["it", ",", ".", "?", "good", "is", "isn't", "no"]);
        v.save(&path).unwrap();
        let again = Vocabulary::load(&path).unwrap();
        assert_eq!((again.words(), again.hash()), (v.words(), v.hash()));
        for bad in ["", "good\n", "<none>\n<unknown>\na\na\n"] {
            std::fs::write(&path, bad).unwrap();
            assert!(
                Vocabulary::load(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("vocabulary.txt")
            );
        }
    }

    #[test]
    fn a_text_without_words_is_one_unknown_word() {
        assert_eq!(Vocabulary::build(["a"].into_iter(), 9).encode("—", 4), [1]);
    }
}
