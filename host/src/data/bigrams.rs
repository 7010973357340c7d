//! Hashed bigrams: every token carries the pair that it makes with the word before it, as an identifier of its own (Joulin et al. 2017).
//!
//! Token t has the slots (w_t, `first` + (w_{t−1} · `first` + w_t) mod `rows`), the first token (w_0, none). Different pairs may share a row: that is the
//! price of a table whose size is chosen. A prime number of rows spreads them best. Where a long text was cut, the words at the cut make a pair like others.
//!
//! ```
//! use astromorph_host::data::bigrams::pairs;
//! assert_eq!(pairs(&[3, 7, 3, 7], 10, 11), [3, 0, 7, 10 + 37 % 11, 3, 10 + 73 % 11, 7, 10 + 37 % 11]);
//! ```

/// Two slots a token; `first` is the identifier of the first row, behind the words'.
pub fn pairs(words: &[u32], first: u32, rows: u32) -> Vec<u32> {
    let row = |before: u32, word: u32| {
        let pair = u64::from(before) * u64::from(first) + u64::from(word);
        first + (pair % u64::from(rows)) as u32
    };
    let before = std::iter::once(None).chain(words.iter().map(|&w| Some(w)));
    words
        .iter()
        .zip(before)
        .flat_map(|(&word, before)| [word, before.map_or(0, |b| row(b, word))])
        .collect()
}
