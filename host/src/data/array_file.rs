//! Arrays of numbers from files of a user's own: a safetensors file, or a folder with a NumPy file `NAME.npy` an array.
//!
//! | | safetensors | NumPy (`descr`) |
//! |---|---|---|
//! | floats | F32, F64 | `<f4`, `<f8` |
//! | integers | U8, I8, U16, I16, U32, I32, U64, I64 | `\|u1`, `\|i1`, `<u2`, … `<i8` |
//!
//! NumPy files of versions 1 to 3, little-endian, in C order. Every refusal names file and array.
//!
//! ```
//! # use astromorph_host::data::array_file::open;
//! # let folder = tempfile::tempdir().unwrap();
//! let header = "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }\n";  // what np.save("y.npy", np.array([1, 2, -3], "<i2")) writes
//! let size = (header.len() as u16).to_le_bytes();
//! let file = [b"\x93NUMPY\x01\x00", &size[..], header.as_bytes(), &[1, 0, 2, 0, 253, 255]].concat();
//! std::fs::write(folder.path().join("y.npy"), file).unwrap();
//! let arrays = open(folder.path(), &["x", "y"]).unwrap();
//! assert!(!arrays.contains_key("x"));
//! assert_eq!(arrays["y"].shape, [3]);
//! assert_eq!(arrays["y"].integers().unwrap(), [1, 2, -3]);
//! ```

use astromorph::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a number is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Float,
    Signed,
    Unsigned,
}

/// One array as it stands in its file.
#[derive(Clone, Debug)]
pub struct Array {
    /// Sizes, the outermost first.
    pub shape: Vec<usize>,
    path: PathBuf,
    name: String,
    number: Number,
    /// Bytes of a number.
    size: usize,
    /// Little-endian, the last index fastest.
    bytes: Vec<u8>,
}

impl Array {
    /// An error about this array.
    pub fn refused(&self, reason: impl std::fmt::Display) -> Error {
        Error::file(&self.path, format!("array {}: {reason}", self.name))
    }

    /// The numbers as floats, of 32 bits.
    pub fn floats(&self) -> Vec<f32> {
        let of = |bytes: &[u8]| match (self.number, self.size) {
            (Number::Float, 4) => f32::from_bits(unsigned(bytes) as u32),
            (Number::Float, _) => f64::from_bits(unsigned(bytes)) as f32,
            (Number::Signed, _) => signed(bytes) as f32,
            (Number::Unsigned, _) => unsigned(bytes) as f32,
        };
        self.bytes.chunks_exact(self.size).map(of).collect()
    }

    /// The numbers as integers; floats are refused, and what 63 bits do not hold.
    pub fn integers(&self) -> Result<Vec<i64>> {
        let of = |bytes: &[u8]| match self.number {
            Number::Float => Err(self.refused("expected integers, found floats")),
            Number::Signed => Ok(signed(bytes)),
            Number::Unsigned => {
                let found = unsigned(bytes);
                i64::try_from(found).map_err(|_| self.refused(format!("expected at most {}, found {found}", i64::MAX)))
            }
        };
        self.bytes.chunks_exact(self.size).map(of).collect()
    }
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |x, b| x << 8 | *b as u64)
}

fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len();
    ((unsigned(bytes) << unused) as i64) >> unused
}

/// The arrays of these names that `path` has: a folder of `NAME.npy`, or a safetensors file.
pub fn open(path: &Path, names: &[&str]) -> Result<BTreeMap<String, Array>> {
    let mut found = BTreeMap::new();
    if path.is_dir() {
        for name in names {
            let file = path.join(format!("{name}.npy"));
            if file.exists() {
                let bytes = std::fs::read(&file).map_err(|e| Error::file(&file, e))?;
                let array = numpy(&file, name, &bytes).map_err(|e| Error::file(&file, format!("array {name}: {e}")))?;
                found.insert(name.to_string(), array);
            }
        }
        return Ok(found);
    }
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| Error::file(path, format!("not safetensors: {e}")))?;
    for (name, tensor) in tensors.iter().filter(|(name, _)| names.contains(name)) {
        let Some((number, size)) = of_dtype(tensor.dtype()) else {
            let expected = "expected F32, F64 or integers of 8 to 64 bits";
            let found = tensor.dtype();
            return Err(Error::file(path, format!("array {name}: {expected}, found {found:?}")));
        };
        let array = Array {
            shape: tensor.shape().to_vec(),
            path: path.to_path_buf(),
            name: name.to_string(),
            number,
            size,
            bytes: tensor.data().to_vec(),
        };
        found.insert(name.to_string(), array);
    }
    Ok(found)
}

fn of_dtype(dtype: Dtype) -> Option<(Number, usize)> {
    match dtype {
        Dtype::F32 | Dtype::F64 => Some((Number::Float, dtype.bitsize() / 8)),
        Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => Some((Number::Signed, dtype.bitsize() / 8)),
        Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => Some((Number::Unsigned, dtype.bitsize() / 8)),
        _ => None,
    }
}

/// A `.npy` file: magic, version, length of the header, the header as a Python dictionary, the numbers.
fn numpy(path: &Path, name: &str, file: &[u8]) -> std::result::Result<Array, String> {
    let rest = file
        .strip_prefix(b"\x93NUMPY")
        .ok_or("expected a NumPy file (.npy), found another")?;
    // Behind the version the header's length: 2 bytes in version 1, 4 in 2 and 3.
    let wide = match rest.first() {
        Some(1) => 2,
        Some(2 | 3) => 4,
        other => return Err(format!("expected version 1, 2 or 3, found {other:?}")),
    };
    let short = || "expected a whole header, found the file's end".to_string();
    let length = unsigned(rest.get(2..2 + wide).ok_or_else(short)?) as usize;
    let rest = &rest[2 + wide..];
    let header = String::from_utf8_lossy(rest.get(..length).ok_or_else(short)?).into_owned();
    let data = &rest[length..];
    let field = |key: &str| -> std::result::Result<&str, String> {
        let at = header.find(&format!("'{key}':"));
        let at = at.ok_or_else(|| format!("expected '{key}' in the header, found {}", header.trim()))?;
        Ok(header[at + key.len() + 3..].trim_start())
    };
    let descr = field("descr")?;
    let kind = descr
        .strip_prefix('\'')
        .and_then(|d| d.split('\'').next())
        .unwrap_or(descr);
    let (number, size): (Number, usize) = match kind {
        "<f4" => (Number::Float, 4),
        "<f8" => (Number::Float, 8),
        "|i1" | "<i2" | "<i4" | "<i8" => (Number::Signed, kind[2..].parse().unwrap_or(1)),
        "|u1" | "<u2" | "<u4" | "<u8" => (Number::Unsigned, kind[2..].parse().unwrap_or(1)),
        _ => {
            let expected = "expected little-endian floats of 32 or 64 bits or integers of 8 to 64";
            return Err(format!("{expected}, found descr {}", kind.trim()));
        }
    };
    let sizes = field("shape")?.strip_prefix('(').and_then(|s| s.split(')').next());
    let sizes = sizes.ok_or_else(|| format!("expected a shape in the header, found {}", header.trim()))?;
    let sizes = sizes.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape: Vec<usize> = (sizes.map(|s| s.parse().map_err(|_| format!("expected sizes in the shape, found {s}"))))
        .collect::<std::result::Result<_, _>>()?;
    if shape.len() > 1 && !field("fortran_order")?.starts_with("False") {
        return Err("expected C order (np.ascontiguousarray), found Fortran order".into());
    }
    let expected = shape.iter().try_fold(size, |n, s| n.checked_mul(*s));
    if expected != Some(data.len()) {
        let found = data.len();
        return Err(format!(
            "expected numbers of {size} bytes for the shape {shape:?}, found {found} bytes"
        ));
    }
    Ok(Array {
        shape,
        path: path.to_path_buf(),
        name: name.to_string(),
        number,
        size,
        bytes: data.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let size = (header.len() as u32).to_le_bytes();
        [b"\x93NUMPY\x02\x00", &size[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn every_type_is_read_from_both_kinds_of_file() {
        let folder = tempfile::tempdir().unwrap();
        let numbers: [(&str, Dtype, Vec<u8>); 10] = [
            ("<f4", Dtype::F32, [3.0f32, 2.0].map(f32::to_le_bytes).concat()),
            ("<f8", Dtype::F64, [3.0f64, 2.0].map(f64::to_le_bytes).concat()),
            ("|u1", Dtype::U8, vec![3, 2]),
            ("|i1", Dtype::I8, vec![3, 2]),
            ("<u2", Dtype::U16, vec![3, 0, 2, 0]),
            ("<i2", Dtype::I16, vec![3, 0, 2, 0]),
            ("<u4", Dtype::U32, [3u32, 2].map(u32::to_le_bytes).concat()),
            ("<i4", Dtype::I32, [3i32, 2].map(i32::to_le_bytes).concat()),
            ("<u8", Dtype::U64, [3u64, 2].map(u64::to_le_bytes).concat()),
            ("<i8", Dtype::I64, [3i64, 2].map(i64::to_le_bytes).concat()),
        ];
        for (descr, dtype, bytes) in numbers {
            let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2, 1), }}\n");
            std::fs::write(folder.path().join("x.npy"), npy(&header, &bytes)).unwrap();
            let view = safetensors::tensor::TensorView::new(dtype, vec![2, 1], &bytes).unwrap();
            let file = folder.path().join("x.safetensors");
            std::fs::write(&file, safetensors::serialize([("x", view)], None).unwrap()).unwrap();
            for path in [folder.path(), &file] {
                let array = &open(path, &["x"]).unwrap()["x"];
                assert_eq!(
                    (&array.shape[..], array.floats()),
                    (&[2, 1][..], vec![3.0, 2.0]),
                    "{descr}"
                );
                match dtype {
                    Dtype::F32 | Dtype::F64 => assert!(array.integers().unwrap_err().to_string().contains("floats")),
                    _ => assert_eq!(array.integers().unwrap(), [3, 2]),
                }
            }
        }
    }

    #[test]
    fn damage_is_named_with_file_and_array() {
        let folder = tempfile::tempdir().unwrap();
        let good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n";
        for (file, said) in [
            (npy(good, &[1, 2, 3]), "shape [2, 2], found 3 bytes"),
            (
                npy(&good.replace("(2, 2)", "(2, 9223372036854775807)"), &[1]),
                "found 1 bytes",
            ),
            (npy(&good.replace("(2, 2)", "(2, x)"), &[1]), "found x"),
            (npy(&good.replace("False", "True"), &[1, 2, 3, 4]), "Fortran order"),
            (npy(&good.replace("|u1", ">f4"), &[0; 16]), "found descr >f4"),
            (
                npy(&good.replace("'|u1'", "[('a', '<f4')]"), &[0; 16]),
                "found descr [('a'",
            ),
            (npy("{}", &[]), "expected 'descr'"),
            (npy(good, &[])[..20].to_vec(), "whole header"),
            (b"\x93NUMPY\x07".to_vec(), "version 1, 2 or 3"),
            (b"PK".to_vec(), "expected a NumPy file"),
        ] {
            std::fs::write(folder.path().join("x.npy"), file).unwrap();
            let error = open(folder.path(), &["x"]).unwrap_err().to_string();
            assert!(error.contains("x.npy: array x: ") && error.contains(said), "{error}");
        }
        let file = folder.path().join("x.safetensors");
        let view = safetensors::tensor::TensorView::new(Dtype::BF16, vec![1], &[0, 0]).unwrap();
        std::fs::write(&file, safetensors::serialize([("x", view)], None).unwrap()).unwrap();
        let error = open(&file, &["x"]).unwrap_err().to_string();
        assert!(error.contains("array x") && error.contains("found BF16"), "{error}");
        std::fs::write(&file, [9; 9]).unwrap();
        let error = open(&file, &["x"]).unwrap_err().to_string();
        assert!(
            error.contains("x.safetensors") && error.contains("not safetensors"),
            "{error}"
        );
    }
}
