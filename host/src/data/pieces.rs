//! Pieces of words by byte-pair encoding (Sennrich et al. 2016), by Hugging Face's `tokenizers`.
//!
//! A word is its UTF-8 bytes behind a blank; the 256 bytes are pieces, and the most frequent pairs of the training split are merged until there are as many
//! pieces as wanted. So no word is unknown, and where a word ends is said by the next one's blank. Identifiers: 0 `<none>`, 1 `<unknown>` (a `<unk>` of
//! the files), 2 `<eos>`, then bytes and merges. The stored form is a `tokenizer.json` that the Python package `tokenizers` reads too.
//!
//! ```
//! use astromorph_host::data::pieces::Pieces;
//! let words = ["low", "low", "lower", "lower", "lowest"];
//! let pieces = Pieces::train(words.into_iter(), 263).unwrap();            // three special ones, 256 bytes, four merges
//! assert_eq!(pieces.list()[..3], ["<none>", "<unknown>", "<eos>"]);
//! assert_eq!(pieces.ids("low").unwrap().len(), 1);                         // the blank and its word
//! assert!(pieces.ids("slow").unwrap().len() > 1);
//! let again = Pieces::parse(pieces.stored()).unwrap();
//! assert_eq!(again.ids("slowest é").unwrap(), pieces.ids("slowest é").unwrap());
//! ```

use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer};

/// Identifiers without a spelling.
pub const SPECIAL: [&str; 3] = ["<none>", "<unknown>", "<eos>"];
/// The fewest pieces there can be.
pub const FEWEST: usize = SPECIAL.len() + 256;

/// A trained encoding.
#[derive(Clone, Debug)]
pub struct Pieces {
    tokenizer: Tokenizer,
    stored: String,
}

/// Why there is no encoding, in words.
type Reason = Box<dyn std::error::Error + Send + Sync>;

impl Pieces {
    /// Of `most` pieces from the words of a training split; fewer where it has no more pairs.
    pub fn train<'a>(words: impl Iterator<Item = &'a str> + Send, most: usize) -> Result<Pieces, Reason> {
        let trainer = BpeTrainer::builder()
            .vocab_size(most)
            .show_progress(false)
            .special_tokens(SPECIAL.map(|s| AddedToken::from(s, true)).to_vec())
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        let mut tokenizer = Tokenizer::new(BPE::default());
        let blank_before = ByteLevel::default().add_prefix_space(true).use_regex(false);
        tokenizer.with_pre_tokenizer(Some(blank_before));
        tokenizer.with_decoder(Some(blank_before));
        tokenizer.train(&mut TrainerWrapper::from(trainer), words)?;
        let stored = tokenizer.to_string(false)?;
        Ok(Pieces { tokenizer, stored })
    }

    /// The pieces of one word.
    pub fn ids(&self, word: &str) -> Result<Vec<u32>, Reason> {
        Ok(self.tokenizer.encode_fast(word, false)?.get_ids().to_vec())
    }

    /// All pieces by identifier, as far as identifiers follow on one another.
    pub fn list(&self) -> Vec<String> {
        (0..).map_while(|id| self.tokenizer.id_to_token(id)).collect()
    }

    /// The stored form.
    pub fn stored(&self) -> &str {
        &self.stored
    }

    /// Reads the stored form; an encoding that is not one of these is refused.
    pub fn parse(text: &str) -> Result<Pieces, Reason> {
        let pieces = Pieces {
            tokenizer: Tokenizer::from_bytes(text)?,
            stored: text.to_string(),
        };
        let (list, size) = (pieces.list(), pieces.tokenizer.get_vocab_size(true));
        if list.len() != size || list.len() < FEWEST || list[..SPECIAL.len()] != SPECIAL {
            let found = format!(
                "{size} pieces, the first {:?}",
                list.iter().take(SPECIAL.len()).collect::<Vec<_>>()
            );
            return Err(format!("expected {SPECIAL:?} and {FEWEST} pieces or more, found {found}").into());
        }
        Ok(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_is_a_function_of_the_words_and_nothing_is_lost() {
        let text = "the cat sat on the mat , the catalogue said ; naïve 猫 café the cat";
        let train = || Pieces::train(text.split(' '), 300).unwrap();
        let (a, b) = (train(), train());
        assert_eq!(a.stored(), b.stored());
        assert!(a.list().len() <= 300 && a.list().len() > FEWEST);
        for word in ["the", "猫", "unseen", "🙂", "cat"] {
            let ids = a.ids(word).unwrap();
            assert_eq!(a.tokenizer.decode(&ids, true).unwrap().trim_start(), word);
            assert!(ids.iter().all(|&id| id > 2), "{word}");
        }
        assert!(Pieces::parse("{}").is_err() && Pieces::parse("not JSON").is_err());
        let swapped = a.stored().replace("<eos>", "<sos>");
        assert!(Pieces::parse(&swapped).err().unwrap().to_string().contains("<sos>"));
    }
}
