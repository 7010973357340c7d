//! SST-2 (Socher et al. 2013) as sentences with a label: `train.txt`, `dev.txt`, `test.txt` below `DIR` or `DIR/sst-2`.
//!
//! A line is `0 text` or `1 text` (a space or a tab between); `dev` is the validation split.
//!
//! ```
//! use astromorph_host::data::sst2;
//! assert_eq!(sst2::line("1 a gorgeous film"), Some((1, "a gorgeous film")));
//! assert_eq!(sst2::line("2 a film"), None);
//! ```

use super::{Corpus, Labelled, below, check_split, read_text};
use astromorph::{Error, Result};
use std::path::Path;

/// Reads the three files.
pub fn read(folder: &Path) -> Result<Corpus> {
    let root = below(folder, "sst-2");
    let split = |name: &str| -> Result<Vec<Labelled>> {
        let path = root.join(name);
        let mut all = Vec::new();
        for (i, row) in read_text(&path)?
            .lines()
            .enumerate()
            .filter(|(_, row)| !row.trim().is_empty())
        {
            let Some((class, text)) = line(row) else {
                let found: String = row.chars().take(24).collect();
                return Err(Error::file(
                    &path,
                    format!("line {}: expected '0 text' or '1 text', found '{found}'", i + 1),
                ));
            };
            all.push(Labelled {
                class,
                text: text.to_string(),
            });
        }
        check_split(&path, &all)?;
        Ok(all)
    };
    let classes = vec!["negative".into(), "positive".into()];
    Ok(Corpus {
        train: split("train.txt")?,
        validation: split("dev.txt")?,
        test: split("test.txt")?,
        classes,
        source: format!("{}: train.txt, dev.txt, test.txt", root.display()),
    })
}

/// Label and text of a line.
pub fn line(row: &str) -> Option<(u32, &str)> {
    let (label, text) = row.trim().split_once([' ', '\t'])?;
    match label {
        "0" => Some((0, text)),
        "1" => Some((1, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_lines_and_single_classes_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for name in ["train.txt", "dev.txt", "test.txt"] {
            write(name, "1 good\n0 bad\n");
        }
        assert_eq!(read(folder.path()).unwrap().train.len(), 2);
        for (text, said) in [
            ("1 good\nbad\n", "line 2"),
            ("1 good\n1 fine\n", "only one"),
            ("", "found none"),
        ] {
            write("dev.txt", text);
            let error = read(folder.path()).unwrap_err().to_string();
            assert!(error.contains("dev.txt") && error.contains(said), "{error}");
        }
    }
}
