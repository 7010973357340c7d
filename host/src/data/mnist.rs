//! MNIST (LeCun et al. 1998), the official idx files below `DIR` or `DIR/mnist`, each as it is or packed as `.gz`.
//!
//! | file | magic number | then |
//! |---|---|---|
//! | `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` | 0x00000803 | items, rows, columns (28 × 28), a byte a pixel row by row |
//! | `train-labels-idx1-ubyte`, `t10k-labels-idx1-ubyte` | 0x00000801 | items, a byte a label, 0 to 9 |
//!
//! Numbers are big-endian, 32 bits. An image becomes (28/p)² tokens of p · p features ([`super::patches`]), less the mean of the training pixels and
//! divided by their standard deviation. The last `validation` training images are the validation split. Other sets in the same files (Fashion-MNIST)
//! are read too.
//!
//! ```
//! # use astromorph_host::data::mnist;
//! # let folder = tempfile::tempdir().unwrap();
//! let labels = [0, 0, 8, 1, 0, 0, 0, 2, 7];                        // two labels announced, one there
//! std::fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).unwrap();
//! let error = mnist::labels(folder.path(), "train").unwrap_err().to_string();
//! assert!(error.contains("train-labels-idx1-ubyte") && error.contains("expected 2 bytes behind the header, found 1"));
//! ```

use super::patches::{Channel, tokens, width};
use super::{Dataset, Example, Target, below};
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Pixels of a side.
pub const SIDE: usize = 28;
const CHANNEL: [Channel; 1] = [(0.1307, 0.3081)];

/// Reads the four files; `patch` divides 28, the last `validation` training images are held out.
pub fn read(folder: &Path, patch: usize, validation: usize) -> Result<Dataset> {
    let root = below(folder, "mnist");
    let mut train = examples(&root, "train", patch)?;
    if validation >= train.len() {
        return Err(Error::field(
            "task.validation",
            format!("fewer than the {} training images", train.len()),
            validation,
        ));
    }
    let held = train.split_off(train.len() - validation);
    Ok(Dataset {
        train,
        validation: held,
        test: examples(&root, "t10k", patch)?,
        classes: (0..10).map(|c| c.to_string()).collect(),
        vocabulary: None,
        words: None,
        source: format!("{}: train (its last images for validation), t10k", root.display()),
    })
}

fn examples(root: &Path, split: &str, patch: usize) -> Result<Vec<Example>> {
    let (images, labels) = (images(root, split)?, labels(root, split)?);
    if images.len() != labels.len() * SIDE * SIDE {
        let found = images.len() / (SIDE * SIDE);
        let reason = format!("expected an image a label, {}, found {found}", labels.len());
        return Err(Error::file(file(root, split, "images-idx3"), reason));
    }
    let example = |(image, class): (&[u8], &u8)| Example {
        sequence: Sequence::Vectors {
            width: width((patch, 0), CHANNEL.len()),
            data: tokens(image, SIDE, (patch, 0), &CHANNEL),
        },
        target: Target::Class((*class).into()),
    };
    Ok(images.chunks_exact(SIDE * SIDE).zip(&labels).map(example).collect())
}

/// The pixels of `SPLIT-images-idx3-ubyte`.
pub fn images(root: &Path, split: &str) -> Result<Vec<u8>> {
    idx(&file(root, split, "images-idx3"), &[SIDE, SIDE])
}

/// The labels of `SPLIT-labels-idx1-ubyte`.
pub fn labels(root: &Path, split: &str) -> Result<Vec<u8>> {
    let path = file(root, split, "labels-idx1");
    let labels = idx(&path, &[])?;
    match labels.iter().position(|c| *c > 9) {
        Some(i) => Err(Error::file(
            path,
            format!("label {i}: expected a class 0 to 9, found {}", labels[i]),
        )),
        None => Ok(labels),
    }
}

/// The file as it is, or its `.gz` where only that is there.
fn file(root: &Path, split: &str, part: &str) -> PathBuf {
    let (plain, packed) = (format!("{split}-{part}-ubyte"), format!("{split}-{part}-ubyte.gz"));
    match !root.join(&plain).exists() && root.join(&packed).exists() {
        true => root.join(packed),
        false => root.join(plain),
    }
}

/// The bytes of an idx file whose items have the sizes `item`.
fn idx(path: &Path, item: &[usize]) -> Result<Vec<u8>> {
    let file = BufReader::new(File::open(path).map_err(|e| Error::file(path, e))?);
    let mut stream: Box<dyn Read> = match path.extension().is_some_and(|x| x == "gz") {
        true => Box::new(GzDecoder::new(file)),
        false => Box::new(file),
    };
    let mut number = |what: &str| -> Result<u32> {
        let mut bytes = [0; 4];
        let reason = |e| Error::file(path, format!("expected {what} in the header: {e}"));
        stream.read_exact(&mut bytes).map_err(reason)?;
        Ok(u32::from_be_bytes(bytes))
    };
    let magic = 0x0800 | (1 + item.len() as u32);
    let found = number("a magic number")?;
    if found != magic {
        let reason = format!("expected the magic number {magic:#010x}, found {found:#010x}");
        return Err(Error::file(path, reason));
    }
    let items = number("the number of items")? as u64;
    for (size, what) in item.iter().zip(["rows", "columns"]) {
        let found = number(what)?;
        if found as usize != *size {
            return Err(Error::file(path, format!("expected {size} {what}, found {found}")));
        }
    }
    if items == 0 {
        return Err(Error::file(path, "expected items, found none"));
    }
    let expected = items * item.iter().product::<usize>() as u64;
    let mut bytes = Vec::new();
    // One byte more than announced: behind the last one a packed stream's checksum is checked.
    let read = stream.take(expected + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::file(path, format!("damaged after {} bytes: {e}", bytes.len())))?;
    if bytes.len() as u64 != expected {
        let found = match bytes.len() as u64 > expected {
            true => "more".to_string(),
            false => bytes.len().to_string(),
        };
        return Err(Error::file(
            path,
            format!("expected {expected} bytes behind the header, found {found}"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn idx_of(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let numbers = [magic].into_iter().chain(sizes.iter().copied());
        numbers.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn official_files_are_read_packed_or_not_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mnist");
        std::fs::create_dir(&root).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(root.join(name), bytes).unwrap();
        let pixels: Vec<u8> = (0..3 * 784).map(|i| (i % 251) as u8).collect();
        let (images, labels) = (idx_of(0x803, &[3, 28, 28], &pixels), idx_of(0x801, &[3], &[7, 0, 9]));
        write("train-images-idx3-ubyte.gz", &packed(&images));
        write("train-labels-idx1-ubyte", &labels);
        write("t10k-images-idx3-ubyte", &images);
        write("t10k-labels-idx1-ubyte.gz", &packed(&labels));
        let set = read(folder.path(), 7, 1).unwrap();
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (2, 1, 3));
        assert_eq!(set.validation[0], set.test[2], "the last training image is held out");
        assert_eq!(
            (set.test[2].sequence.len(), &set.test[2].target),
            (16, &Target::Class(9))
        );
        let error = read(folder.path(), 7, 3).unwrap_err().to_string();
        assert!(error.contains("task.validation") && error.contains('3'), "{error}");

        let whole = packed(&images);
        let mut flipped = whole.clone();
        let checksum = whole.len() - 6; // in the last bytes: the packed stream's own check
        flipped[checksum] ^= 1;
        let two = idx_of(0x803, &[2, 28, 28], &pixels[..2 * 784]);
        for (bytes, said) in [
            (whole[..whole.len() / 2].to_vec(), "damaged after"),
            (flipped, "damaged after"),
            (
                packed(&images[..images.len() - 1]),
                "expected 2352 bytes behind the header, found 2351",
            ),
            (
                packed(&[&images[..], &[0]].concat()),
                "expected 2352 bytes behind the header, found more",
            ),
            (
                packed(&labels),
                "expected the magic number 0x00000803, found 0x00000801",
            ),
            (
                packed(&idx_of(0x803, &[3, 28, 27], &pixels)),
                "expected 28 columns, found 27",
            ),
            (packed(&idx_of(0x803, &[0, 28, 28], &[])), "expected items, found none"),
            (packed(&images[..10]), "rows in the header"),
            (packed(&two), "expected an image a label, 3, found 2"),
            (b"no gzip".to_vec(), "a magic number in the header"),
        ] {
            write("train-images-idx3-ubyte.gz", &bytes);
            let error = read(folder.path(), 7, 1).unwrap_err().to_string();
            assert!(
                error.contains("train-images-idx3-ubyte.gz") && error.contains(said),
                "{error}"
            );
        }
        write("train-images-idx3-ubyte.gz", &whole);
        write("train-labels-idx1-ubyte", &idx_of(0x801, &[3], &[7, 10, 9]));
        let error = read(folder.path(), 7, 1).unwrap_err().to_string();
        assert!(error.contains("label 1") && error.contains("found 10"), "{error}");
        std::fs::remove_file(root.join("t10k-images-idx3-ubyte")).unwrap();
        write("train-labels-idx1-ubyte", &labels);
        let error = read(folder.path(), 7, 1).unwrap_err().to_string();
        assert!(error.contains("t10k-images-idx3-ubyte"), "{error}");
    }

    #[test]
    fn the_published_set_has_its_published_size() {
        let Some(folder) = std::env::var_os("ASTROMORPH_DATA") else {
            eprintln!("SKIPPED: the_published_set_has_its_published_size needs ASTROMORPH_DATA (a folder with mnist)");
            return;
        };
        let set = read(Path::new(&folder), 4, 5_000).unwrap();
        assert_eq!(
            (set.train.len(), set.validation.len(), set.test.len()),
            (55_000, 5_000, 10_000)
        );
        assert_eq!(set.test[0].target, Target::Class(7)); // the published first test image
    }
}
