//! IMDB reviews (Maas et al. 2011) in the layout of their publisher.
//!
//! `DIR/aclImdb/{train,test}/{pos,neg}/*.txt`, or the same below `DIR` itself; classes 0 `neg`, 1 `pos`. The validation split is drawn from the
//! training reviews by the seed. A missing folder, an empty one, or a file that is not UTF-8 is an error that names it:
//!
//! ```
//! let error = astromorph_host::data::imdb::read(std::path::Path::new("nowhere"), 10, 1).unwrap_err();
//! assert!(error.to_string().contains("nowhere"));
//! ```

use super::{Corpus, Labelled, below, check_split, hold_out, read_text};
use astromorph::{Error, Result};
use std::path::{Path, PathBuf};

/// Reads all reviews; `validation` of the training ones are held out.
pub fn read(folder: &Path, validation: usize, seed: u64) -> Result<Corpus> {
    let root = below(folder, "aclImdb");
    let mut train = split(&root.join("train"))?;
    let test = split(&root.join("test"))?;
    let validation = hold_out(&mut train, validation, seed);
    check_split(&root.join("train"), &train)?;
    check_split(&root.join("train"), &validation)?;
    Ok(Corpus {
        train,
        validation,
        test,
        classes: vec!["neg".into(), "pos".into()],
        source: format!("{}, validation drawn from train", root.display()),
    })
}

fn split(folder: &Path) -> Result<Vec<Labelled>> {
    let mut all = Vec::new();
    for (class, name) in [(0, "neg"), (1, "pos")] {
        let place = folder.join(name);
        let entries = std::fs::read_dir(&place)
            .map_err(|e| Error::file(&place, format!("expected a folder of reviews (*.txt): {e}")))?;
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| Error::file(&place, e))?.path();
            if path.extension().is_some_and(|x| x == "txt") {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(Error::file(&place, "expected reviews (*.txt), found none"));
        }
        files.sort(); // the order of a folder is not the same on two machines
        for file in files {
            all.push(Labelled {
                class,
                text: read_text(&file)?,
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_out(root: &Path) {
        for part in ["train/pos", "train/neg", "test/pos", "test/neg"] {
            let folder = root.join("aclImdb").join(part);
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..4 {
                std::fs::write(folder.join(format!("{i}_7.txt")), format!("review {i} of {part}")).unwrap();
            }
        }
    }

    #[test]
    fn the_official_layout_is_read_and_its_damage_named() {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path());
        let corpus = read(folder.path(), 2, 5).unwrap();
        assert_eq!(
            (corpus.train.len(), corpus.validation.len(), corpus.test.len()),
            (6, 2, 8)
        );
        let bad = folder.path().join("aclImdb/test/pos/9_1.txt");
        std::fs::write(&bad, [b'a', 0xff]).unwrap();
        let error = read(folder.path(), 2, 5).unwrap_err().to_string();
        assert!(error.contains("9_1.txt") && error.contains("offset 1"), "{error}");
        std::fs::remove_dir_all(folder.path().join("aclImdb/test/pos")).unwrap();
        assert!(read(folder.path(), 2, 5).unwrap_err().to_string().contains("pos"));
        std::fs::create_dir(folder.path().join("aclImdb/test/pos")).unwrap();
        assert!(
            read(folder.path(), 2, 5)
                .unwrap_err()
                .to_string()
                .contains("found none")
        );
    }
}
