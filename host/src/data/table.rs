//! Labelled text of a user's own: TSV or CSV with a header line.
//!
//! Columns are named by the header or counted from 0. Classes are the labels of the training split in alphabetical order (numbers by value);
//! a label that training does not have is an error. Without a validation file a tenth of the training rows is held out.
//!
//! ```
//! # use astromorph_host::{data::table, project::{Project, TaskSpec}};
//! # let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("train.tsv"), "label\ttext\nham\thello\nspam\tbuy\nham\tsee you\nspam\tbuy now\n").unwrap();
//! let corpus = table::read(folder.path(), &Project::builtin("text").unwrap().task, 1).unwrap();
//! assert_eq!(corpus.classes, ["ham", "spam"]);
//! ```

use super::{Corpus, Labelled, check_split, hold_out, splits};
use crate::project::{Column, TaskSpec};
use astromorph::{Error, Result};
use std::path::Path;

/// Reads the tables of a text task below `folder`.
pub fn read(folder: &Path, task: &TaskSpec, seed: u64) -> Result<Corpus> {
    let TaskSpec::Text {
        train,
        validation: validation_file,
        test,
        label,
        text,
        delimiter,
        ..
    } = task
    else {
        return Err(Error::field("task.kind", "\"text\"", format!("{task:?}")));
    };
    let rows = |name: &str| rows(&folder.join(name), label, text, *delimiter);
    let train_rows = rows(train)?;
    let mut classes: Vec<String> = train_rows.iter().map(|r| r.label.clone()).collect();
    classes.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => a.cmp(b),
    });
    classes.dedup();
    let number = |name: &str, rows: Vec<Row>| -> Result<Vec<Labelled>> {
        rows.into_iter()
            .map(|r| match classes.iter().position(|c| *c == r.label) {
                Some(class) => Ok(Labelled {
                    class: class as u32,
                    text: r.text,
                }),
                None => Err(Error::file(
                    folder.join(name),
                    format!(
                        "line {}: expected a label of the training split, found '{}'",
                        r.line, r.label
                    ),
                )),
            })
            .collect()
    };
    let mut all = number(train, train_rows)?;
    check_split(&folder.join(train), &all)?;
    let validation = match validation_file {
        Some(name) => number(name, rows(name)?)?,
        None => {
            let tenth = all.len().div_ceil(10);
            hold_out(&mut all, tenth, seed)
        }
    };
    let test_rows = match test {
        Some(name) => number(name, rows(name)?)?,
        None => validation.clone(),
    };
    Ok(Corpus {
        train: all,
        validation,
        test: test_rows,
        classes,
        source: splits(folder, train, validation_file, test),
    })
}

struct Row {
    line: u64,
    label: String,
    text: String,
}

fn rows(path: &Path, label: &Column, text: &Column, delimiter: Option<char>) -> Result<Vec<Row>> {
    let tabbed = path.extension().is_some_and(|x| x == "tsv");
    let delimiter = delimiter.unwrap_or(if tabbed { '\t' } else { ',' });
    let byte = u8::try_from(delimiter).map_err(|_| Error::field("task.delimiter", "one ASCII character", delimiter))?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(byte)
        .quoting(byte != b'\t') // tab-separated files hold quotation marks as plain text
        .from_path(path)
        .map_err(|e| Error::file(path, e))?;
    let header = reader.headers().map_err(|e| Error::file(path, e))?.clone();
    let find = |field: &str, column: &Column| -> Result<usize> {
        let at = match column {
            Column::Index(i) => Some(*i).filter(|i| *i < header.len()),
            Column::Name(name) => header.iter().position(|h| h.trim() == name),
        };
        let names = header.iter().collect::<Vec<_>>().join(", ");
        at.ok_or_else(|| {
            Error::file(
                path,
                format!("{field} = {column:?}: expected a column of the header, found {names}"),
            )
        })
    };
    let (label, text) = (find("task.label", label)?, find("task.text", text)?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| Error::file(path, e))?;
        let line = record.position().map_or(0, |p| p.line());
        rows.push(Row {
            line,
            label: record[label].trim().to_string(),
            text: record[text].to_string(),
        });
    }
    match rows.is_empty() {
        true => Err(Error::file(path, "expected rows below the header, found none")),
        false => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(label: Column, text: Column, test: Option<&str>) -> TaskSpec {
        let test = test.map(str::to_string);
        TaskSpec::Text {
            train: "a.csv".into(),
            validation: None,
            test,
            label,
            text,
            delimiter: None,
            bigrams: 0,
        }
    }

    #[test]
    fn columns_by_name_or_index_and_errors_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.csv",
            "id,stars,review\n1,5,\"good, very\"\n2,1,bad\n3,10,great\n4,1,awful\n",
        );
        let named = task(Column::Name("stars".into()), Column::Name("review".into()), None);
        let corpus = read(folder.path(), &named, 1).unwrap();
        assert_eq!(corpus.classes, ["1", "5", "10"]);
        assert_eq!(corpus.train.len() + corpus.validation.len(), 4);
        read(folder.path(), &task(Column::Index(1), Column::Index(2), None), 1).unwrap();
        let missing = task(Column::Name("label".into()), Column::Index(2), None);
        assert!(
            read(folder.path(), &missing, 1)
                .unwrap_err()
                .to_string()
                .contains("id, stars, review")
        );
        write("b.csv", "id,stars,review\n1,7,new\n");
        let other = task(Column::Index(1), Column::Index(2), Some("b.csv"));
        let error = read(folder.path(), &other, 1).unwrap_err().to_string();
        assert!(
            error.contains("b.csv") && error.contains("line 2") && error.contains("'7'"),
            "{error}"
        );
        for (text, said) in [
            ("id,stars,review\n1,5\n", "a.csv"),
            ("id,stars,review\n", "found none"),
            ("id,stars,review\n1,5,x\n2,5,y\n", "only one"),
        ] {
            write("a.csv", text);
            let error = read(folder.path(), &named, 1).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        std::fs::write(folder.path().join("a.csv"), b"id,stars,review\n1,5,\xff\n").unwrap();
        assert!(
            read(folder.path(), &named, 1)
                .unwrap_err()
                .to_string()
                .contains("UTF-8")
        );
    }
}
