//! Words of the test split beside the tokens a model predicts, so that perplexities compare.
//!
//! Perplexity is a figure per token. Where tokens are pieces of words (`units = "bpe"`) the literature's figure is that of a word, exp(total loss / words):
//! the same losses over another number. Where the vocabulary is closed, a word without an identifier counts as "unknown", which is easy to predict, and the
//! figure compares with no other vocabulary's. WikiText-2 itself has `<unk>` for words seen less than three times; published figures include that.
//!
//! ```
//! use astromorph_host::data::Words;
//! let words = Words { tokens: 300, words: 150, unknown: 30, published: 3 };
//! assert!((words.of_a_word(8.0) - 64.0).abs() < 1e-9);           // two tokens a word
//! assert_eq!(words.describe(), "closed vocabulary, 20.0 % of the words unknown, 2.0 % in the files: not a published figure's task");
//! assert_eq!(Words { unknown: 3, ..words }.describe(), "2.0 % of the words unknown, as in the files");
//! ```

/// Counts over the words of a split that are predicted: all but the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Tokens.
    pub tokens: usize,
    /// Words, the ends of lines among them.
    pub words: usize,
    /// Words that stand for "unknown".
    pub unknown: usize,
    /// Words that are `<unk>` in the files already.
    pub published: usize,
}

impl Words {
    /// The perplexity of a word, from that of a token.
    pub fn of_a_word(&self, perplexity: f64) -> f64 {
        perplexity.powf(self.tokens as f64 / self.words.max(1) as f64)
    }

    /// How many words are unknown, and whether the figure compares.
    pub fn describe(&self) -> String {
        let share = |n: usize| format!("{:.1} %", 100.0 * n as f64 / self.words.max(1) as f64);
        let (unknown, published) = (share(self.unknown), share(self.published));
        match self.unknown > self.published {
            true => format!(
                "closed vocabulary, {unknown} of the words unknown, {published} in the files: not a published figure's task"
            ),
            false => format!("{unknown} of the words unknown, as in the files"),
        }
    }
}
