//! CIFAR-10 (Krizhevsky 2009), binary version: `data_batch_{1..5}.bin`, `test_batch.bin` below `DIR` or `DIR/cifar-10-batches-bin`.
//!
//! A record has 3,073 bytes: the class, then 32 × 32 bytes each of red, green and blue, row by row. An image becomes (32/p)² tokens of (p + 2o)² · 3 features
//! ([`super::patches`]), each channel less its mean over the training images and divided by its standard deviation (the figures everyone uses, below).
//! `data_batch_5` is the validation split. With `mirror` every training image is there a second time, left and right exchanged.
//!
//! ```
//! use astromorph_host::data::cifar10::tokens;
//! let mut record = vec![0u8; 3072];
//! record[32 * 4 + 1] = 255;                                   // red of row 4, column 1
//! let x = tokens(&record, (4, 0));                            // 64 tokens × 48
//! assert_eq!(x.len(), 64 * 48);
//! let token = 8;                                              // second row of patches, first column
//! assert!((x[token * 48 + 3] - (1.0 - 0.4914) / 0.2470).abs() < 1e-4);
//! ```

use super::patches::{Channel, mirror, width};
use super::{Dataset, Example, Target, below};
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use std::path::Path;

/// Bytes of a record.
const RECORD: usize = 1 + 3 * SIDE * SIDE;
/// Pixels of a side.
pub const SIDE: usize = 32;
const CHANNELS: [Channel; 3] = [(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)];
const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// Reads the six files; `patch` divides 32, `overlap` pixels around it.
pub fn read(folder: &Path, patch: (usize, usize), mirrored: bool) -> Result<Dataset> {
    let root = below(folder, "cifar-10-batches-bin");
    let file = |name: &str| images(&root.join(name));
    let example = |(class, image): &(u8, Vec<u8>)| Example {
        sequence: Sequence::Vectors {
            width: width(patch, CHANNELS.len()),
            data: tokens(image, patch),
        },
        target: Target::Class((*class).into()),
    };
    let mut train = Vec::new();
    for n in 1..=4 {
        for (class, image) in file(&format!("data_batch_{n}.bin"))? {
            let again = mirrored.then(|| (class, mirror(&image, SIDE)));
            train.push(example(&(class, image)));
            train.extend(again.as_ref().map(example));
        }
    }
    let split = |name: &str| Ok::<_, Error>(file(name)?.iter().map(example).collect());
    Ok(Dataset {
        train,
        validation: split("data_batch_5.bin")?,
        test: split("test_batch.bin")?,
        classes: CLASSES.map(String::from).to_vec(),
        vocabulary: None,
        words: None,
        source: format!(
            "{}: data_batch_1 to 4{}, data_batch_5 for validation, test_batch",
            root.display(),
            if mirrored { " and their mirror images" } else { "" }
        ),
    })
}

/// Class and bytes of every image of a file.
fn images(path: &Path) -> Result<Vec<(u8, Vec<u8>)>> {
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    if bytes.is_empty() || bytes.len() % RECORD != 0 {
        let found = format!("expected whole records of {RECORD} bytes, found {} bytes", bytes.len());
        return Err(Error::file(path, found));
    }
    let image = |(i, record): (usize, &[u8])| match record[0] {
        class @ 0..=9 => Ok((class, record[1..].to_vec())),
        class => Err(Error::file(
            path,
            format!("record {i}: expected a class 0 to 9, found {class}"),
        )),
    };
    bytes.chunks_exact(RECORD).enumerate().map(image).collect()
}

/// The tokens of one image of 3 × 32 × 32 bytes.
pub fn tokens(image: &[u8], patch: (usize, usize)) -> Vec<f32> {
    super::patches::tokens(image, SIDE, patch, &CHANNELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = vec![7u8];
        record.extend((0..3072).map(|i| (i % 251) as u8));
        for name in [
            "data_batch_1",
            "data_batch_2",
            "data_batch_3",
            "data_batch_4",
            "data_batch_5",
            "test_batch",
        ] {
            std::fs::write(folder.path().join(format!("{name}.bin")), record.repeat(2)).unwrap();
        }
        let set = read(folder.path(), (8, 0), false).unwrap();
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (8, 2, 2));
        assert!(
            set.summary("cifar10")
                .starts_with("cifar10: 8 training, 2 validation, 2 test items from ")
        );
        assert!(set.source.contains("data_batch_5 for validation"));
        assert_eq!(set.test[1].target, Target::Class(7));
        assert_eq!(set.test[0].sequence.len(), 16);
        let twice = read(folder.path(), (8, 1), true).unwrap();
        assert_eq!(
            (twice.train.len(), twice.validation.len(), twice.test.len()),
            (16, 2, 2)
        );
        let Sequence::Vectors { width, data } = &twice.train[1].sequence else {
            panic!("vectors");
        };
        assert_eq!((*width, data.len()), (300, 16 * 300));
        assert!(twice.source.contains("mirror images"));
        let bad = folder.path().join("data_batch_3.bin");
        for (bytes, word) in [
            (record[..3000].to_vec(), "3000 bytes"),
            (vec![], "0 bytes"),
            (vec![10; 3073], "class 0 to 9, found 10"),
        ] {
            std::fs::write(&bad, bytes).unwrap();
            let error = read(folder.path(), (8, 0), false).unwrap_err().to_string();
            assert!(error.contains("data_batch_3.bin") && error.contains(word), "{error}");
        }
        std::fs::remove_file(&bad).unwrap();
        assert!(
            read(folder.path(), (8, 0), false)
                .unwrap_err()
                .to_string()
                .contains("data_batch_3.bin")
        );
    }
}
