//! Data sets: examples of three splits, whatever their source.
//!
//! | module | source |
//! |---|---|
//! | [`recall`] | generated from a seed |
//! | [`imdb`] | `aclImdb/{train,test}/{pos,neg}/*.txt` |
//! | [`sst2`] | `{train,dev,test}.txt`, a line `label text` a sentence |
//! | [`listops`] | generated from a seed: nested lists of operators and digits |
//! | [`cifar10`] | `cifar-10-batches-bin/*.bin`, images as patches |
//! | [`mnist`] | `mnist/*-ubyte` or `*-ubyte.gz`, images as patches |
//! | [`wikitext2`] | `wikitext-2/wiki.{train,valid,test}.tokens`, next words |
//! | [`table`] | labelled TSV or CSV |
//! | [`arrays`] | labelled arrays, safetensors or NumPy |
//! | [`vocabulary`] | words to identifiers, from the training split only |
//! | [`pieces`] | pieces of words to identifiers, from the training split only |
//! | [`words`] | how predicted tokens and words stand to each other |
//! | [`patches`] | images as tokens |
//! | [`bigrams`] | hashed pairs of neighbouring words, as a second slot |
//! | [`batch`] | padded batches of examples of like length |
//!
//! ```
//! use astromorph_host::{data, project::Project};
//! let recall = Project::builtin("recall").unwrap();
//! let set = data::load(&recall, None).unwrap();
//! assert_eq!((set.train.len(), set.test.len(), set.classes.len()), (65_536, 2_000, 16));
//! ```

pub mod array_file;
pub mod arrays;
pub mod batch;
pub mod bigrams;
pub mod cifar10;
pub mod imdb;
pub mod listops;
pub mod mnist;
pub mod patches;
pub mod pieces;
pub mod recall;
pub mod sst2;
pub mod table;
pub mod vocabulary;
pub mod wikitext2;
pub mod words;

use crate::project::{Project, TaskSpec};
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
pub use vocabulary::Vocabulary;
pub use words::Words;

/// What the model should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One class for the sequence.
    Class(u32),
    /// A class for some of its tokens (N entries).
    PerToken(Vec<Option<u32>>),
}

/// One input with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The input.
    pub sequence: Sequence,
    /// The answer.
    pub target: Target,
}

/// Three splits, the names of the classes, the vocabulary, and where all came from.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// What weights are learnt from.
    pub train: Vec<Example>,
    /// What settings and the best step are chosen by.
    pub validation: Vec<Example>,
    /// What is reported.
    pub test: Vec<Example>,
    /// Names of the classes, by index.
    pub classes: Vec<String>,
    /// Words, when the input is text.
    pub vocabulary: Option<Vocabulary>,
    /// Words of the test split beside its tokens, where next words are predicted.
    pub words: Option<Words>,
    /// Folder or files that were read, and what stands for which split.
    pub source: String,
}

impl Dataset {
    /// How many items there are of what, for a person.
    ///
    /// ```
    /// use astromorph_host::{data, project::Project};
    /// let set = data::load(&Project::builtin("recall").unwrap(), None).unwrap();
    /// assert_eq!(set.summary("recall"), "recall: 65,536 training, 2,000 validation, 2,000 test items from seed 1");
    /// ```
    pub fn summary(&self, name: &str) -> String {
        let [train, validation, test] = [&self.train, &self.validation, &self.test].map(|split| grouped(split.len()));
        let source = &self.source;
        format!("{name}: {train} training, {validation} validation, {test} test items from {source}")
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text with the index of its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Index into the names of the classes.
    pub class: u32,
    /// The text as it stands in the file.
    pub text: String,
}

/// Three splits of text before the vocabulary.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Training split.
    pub train: Vec<Labelled>,
    /// Validation split.
    pub validation: Vec<Labelled>,
    /// Test split.
    pub test: Vec<Labelled>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Folder or files that were read, and what stands for which split.
    pub source: String,
}

/// Loads the data set of a project; `folder` is `--data`, which only generated tasks can do without.
pub fn load(project: &Project, folder: Option<&Path>) -> Result<Dataset> {
    load_with(project, folder, None)
}

/// [`load`] with the vocabulary of a trained model instead of one built from the training split.
pub fn load_with(project: &Project, folder: Option<&Path>, vocabulary: Option<Vocabulary>) -> Result<Dataset> {
    let needed = || {
        let name = &project.name;
        folder.ok_or_else(|| Error::field("--data", format!("the folder of the data set of {name}"), "nothing"))
    };
    let corpus = match &project.task {
        TaskSpec::Recall { .. } => return recall::generate(&project.task, project.train.seed),
        TaskSpec::Listops { .. } => return listops::generate(&project.task, project.train.seed),
        TaskSpec::Imdb { validation, .. } => imdb::read(needed()?, *validation, project.train.seed)?,
        TaskSpec::Sst2 { .. } => sst2::read(needed()?)?,
        TaskSpec::Cifar10 { patch, overlap, mirror } => return cifar10::read(needed()?, (*patch, *overlap), *mirror),
        TaskSpec::Mnist { patch, validation } => return mnist::read(needed()?, *patch, *validation),
        TaskSpec::Wikitext2 { units } => {
            let sizes = (project.model.output.size, project.model.n_max);
            return wikitext2::read(needed()?, *units, sizes, vocabulary);
        }
        TaskSpec::Arrays { .. } => return arrays::read(needed()?, project),
        TaskSpec::Text { .. } => table::read(needed()?, &project.task, project.train.seed)?,
    };
    encode(project, corpus, vocabulary)
}

/// Corpus to identifiers.
fn encode(project: &Project, corpus: Corpus, vocabulary: Option<Vocabulary>) -> Result<Dataset> {
    let size = project.model.output.size;
    if corpus.classes.len() > size {
        let found = format!("{} classes ({})", corpus.classes.len(), corpus.classes.join(", "));
        return Err(Error::field(
            "model.output.size",
            format!("{size} classes in the data"),
            found,
        ));
    }
    let astromorph::spec::Input::Tokens { vocabulary: most, .. } = project.model.input else {
        return Err(Error::field("model.input.kind", "\"tokens\" for text", "vectors"));
    };
    // `Project::validate` has seen that words are left.
    let bigrams = project.task.bigrams();
    let most = most - bigrams;
    let vocabulary = match vocabulary {
        Some(v) => v,
        None => Vocabulary::build(corpus.train.iter().map(|l| l.text.as_str()), most),
    };
    if vocabulary.len() > most {
        return Err(Error::field(
            "model.input.vocabulary",
            format!("at least {}", vocabulary.len()),
            most,
        ));
    }
    let n_max = project.model.n_max;
    let examples = |split: &[Labelled]| -> Vec<Example> {
        split
            .iter()
            .map(|l| {
                let words = vocabulary.encode(&l.text, n_max);
                let sequence = match bigrams {
                    0 => Sequence::Tokens { slots: 1, ids: words },
                    rows => Sequence::Tokens {
                        slots: 2,
                        ids: bigrams::pairs(&words, most as u32, rows as u32),
                    },
                };
                Example {
                    sequence,
                    target: Target::Class(l.class),
                }
            })
            .collect()
    };
    Ok(Dataset {
        train: examples(&corpus.train),
        validation: examples(&corpus.validation),
        test: examples(&corpus.test),
        classes: corpus.classes,
        vocabulary: Some(vocabulary),
        words: None,
        source: corpus.source,
    })
}

/// Indices of `most` items evenly spread over `all` (all of them, where there are no more): splits may be sorted by class.
///
/// ```
/// use astromorph_host::data::evenly;
/// assert_eq!(evenly(10, 4).collect::<Vec<_>>(), [0, 2, 5, 7]);
/// assert_eq!(evenly(2, 4).collect::<Vec<_>>(), [0, 1]);
/// ```
pub fn evenly(all: usize, most: usize) -> impl Iterator<Item = usize> {
    let n = all.min(most);
    (0..n).map(move |i| i * all / n)
}

/// `folder`'s own folder `name`, or `folder` itself where it has none.
pub(crate) fn below(folder: &Path, name: &str) -> PathBuf {
    match folder.join(name).is_dir() {
        true => folder.join(name),
        false => folder.to_path_buf(),
    }
}

/// Which of a user's files stand for which split.
pub(crate) fn splits(folder: &Path, train: &str, validation: &Option<String>, test: &Option<String>) -> String {
    let drawn = "a part of training for validation".to_string();
    let validation = validation
        .as_ref()
        .map_or(drawn, |name| format!("{name} for validation"));
    let test = test
        .as_ref()
        .map_or("validation as test".into(), |name| format!("{name} for test"));
    format!("{}: {train}, {validation}, {test}", folder.display())
}

/// Refuses a split without examples, and one with a single class.
pub(crate) fn check_split(place: &Path, split: &[Labelled]) -> Result<()> {
    let Some(first) = split.first() else {
        return Err(Error::file(place, "expected labelled texts, found none"));
    };
    if split.iter().all(|l| l.class == first.class) {
        return Err(Error::file(
            place,
            format!("expected two classes or more, found only one in {} texts", split.len()),
        ));
    }
    Ok(())
}

/// Moves `n` examples drawn with the seed out of the training split.
pub(crate) fn hold_out<T>(train: &mut Vec<T>, n: usize, seed: u64) -> Vec<T> {
    train.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x5eed_da7a));
    let held = n.min(train.len() / 2);
    train.split_off(train.len() - held)
}

/// Reads a file of UTF-8 text; the error names the file and the byte.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::file(path, format!("expected UTF-8 text, found another byte at offset {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sets_have_their_published_sizes() {
        let Some(folder) = std::env::var_os("ASTROMORPH_DATA") else {
            eprintln!(
                "SKIPPED: the_published_sets_have_their_published_sizes needs ASTROMORPH_DATA (a folder with aclImdb and sst-2)"
            );
            return;
        };
        for (name, sizes) in [("imdb", (22_500, 2_500, 25_000)), ("sst2", (6_920, 872, 1_821))] {
            let project = Project::builtin(name).unwrap();
            let set = load(&project, Some(Path::new(&folder))).unwrap();
            assert_eq!((set.train.len(), set.validation.len(), set.test.len()), sizes, "{name}");
            let words = set.vocabulary.unwrap();
            assert!(words.len() > 10_000 && set.test.iter().all(|e| e.sequence.check(&project.model).is_ok()));
        }
    }

    #[test]
    fn a_real_task_without_its_folder_and_too_many_classes_are_named() {
        let project = Project::builtin("imdb").unwrap();
        assert!(load(&project, None).unwrap_err().to_string().contains("--data"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.tsv"), "label\ttext\na\tx\nb\ty\nc\tz\na\tx\n").unwrap();
        let text = Project::builtin("text").unwrap();
        let error = load(&text, Some(folder.path())).unwrap_err().to_string();
        assert!(
            error.contains("model.output.size") && error.contains("3 classes"),
            "{error}"
        );
    }
}
