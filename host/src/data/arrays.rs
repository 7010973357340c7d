//! Labelled arrays of a user's own: sequences of vectors (sensor frames, spectra, image patches) with a class each.
//!
//! A split is a safetensors file, or a folder of NumPy files ([`super::array_file`]), with
//!
//! | array | shape | holds |
//! |---|---|---|
//! | `x` | [items, N, width] | the features, floats or integers, taken as they are: scale them to about −1 to 1 |
//! | `y` | [items] | the class, an integer from 0 |
//! | `lengths` | [items] | tokens of an item, 1 to N; when it is absent every item has N. What `x` holds behind them is not looked at |
//!
//! Without a validation file a tenth of the training items is held out, drawn by the seed; without a test file the validation split stands for it.
//!
//! ```
//! # use astromorph_host::{data::arrays, project::Project};
//! # use safetensors::{Dtype, tensor::TensorView};
//! # let folder = tempfile::tempdir().unwrap();
//! let features = vec![0u8; 20 * 64 * 8 * 4];                                // 20 items of 64 tokens of 8 floats
//! let labels: Vec<u8> = (0..20).map(|i| i % 2).collect();
//! let x = TensorView::new(Dtype::F32, vec![20, 64, 8], &features).unwrap();
//! let y = TensorView::new(Dtype::U8, vec![20], &labels).unwrap();
//! let file = safetensors::serialize([("x", x), ("y", y)], None).unwrap();
//! std::fs::write(folder.path().join("train.safetensors"), file).unwrap();
//! let set = arrays::read(folder.path(), &Project::builtin("arrays").unwrap()).unwrap();
//! assert_eq!((set.train.len(), set.validation.len(), set.train[0].sequence.len()), (18, 2, 64));
//! ```

use super::array_file::{Array, open};
use super::{Dataset, Example, Target, hold_out, splits};
use crate::project::{Project, TaskSpec};
use astromorph::sequence::Sequence;
use astromorph::spec::{Input, ModelSpec};
use astromorph::{Error, Result};
use std::path::Path;

/// Reads the splits of an arrays task below `folder`; shapes and classes are held against the model.
pub fn read(folder: &Path, project: &Project) -> Result<Dataset> {
    let TaskSpec::Arrays {
        train: name,
        validation,
        test,
    } = &project.task
    else {
        return Err(Error::field("task.kind", "\"arrays\"", format!("{:?}", project.task)));
    };
    let split = |name: &str| examples(&folder.join(name), &project.model);
    let mut train = split(name)?;
    if train.iter().all(|e| e.target == train[0].target) {
        let found = format!(
            "array y: expected two classes or more, found only one in {} items",
            train.len()
        );
        return Err(Error::file(folder.join(name), found));
    }
    let held = match validation {
        Some(name) => split(name)?,
        None => {
            let tenth = train.len().div_ceil(10);
            hold_out(&mut train, tenth, project.train.seed)
        }
    };
    let tested = match test {
        Some(name) => split(name)?,
        None => held.clone(),
    };
    Ok(Dataset {
        train,
        validation: held,
        test: tested,
        classes: (0..project.model.output.size).map(|c| c.to_string()).collect(),
        vocabulary: None,
        words: None,
        source: splits(folder, name, validation, test),
    })
}

fn examples(path: &Path, model: &ModelSpec) -> Result<Vec<Example>> {
    let arrays = open(path, &["x", "y", "lengths"])?;
    let array = |name: &str| -> Result<&Array> {
        let missing = || Error::file(path, format!("expected an array {name}, found none"));
        arrays.get(name).ok_or_else(missing)
    };
    let (x, y) = (array("x")?, array("y")?);
    let [items, tokens, width] = x.shape[..] else {
        return Err(x.refused(format!("expected three sizes [items, N, width], found {:?}", x.shape)));
    };
    match model.input {
        Input::Vectors { width: expected, .. } if width == expected => {}
        Input::Vectors { width: expected, .. } => {
            return Err(x.refused(format!(
                "expected a width of {expected} (model.input.width), found {width}"
            )));
        }
        Input::Tokens { .. } => return Err(Error::field("model.input.kind", "\"vectors\" for arrays", "tokens")),
    }
    if items == 0 {
        return Err(x.refused("expected items, found none"));
    }
    let sized = |array: &Array| match array.shape[..] == [items] {
        true => array.integers(),
        false => Err(array.refused(format!(
            "expected the shape [{items}], x's items, found {:?}",
            array.shape
        ))),
    };
    let within = |array: &Array, what: &str, range: std::ops::RangeInclusive<i64>| -> Result<Vec<usize>> {
        let of = |(i, n): (usize, i64)| match range.contains(&n) {
            true => Ok(n as usize),
            false => {
                let (lo, hi) = (range.start(), range.end());
                Err(array.refused(format!("item {i}: expected {what} {lo} to {hi}, found {n}")))
            }
        };
        sized(array)?.into_iter().enumerate().map(of).collect()
    };
    let classes = within(y, "a class (model.output.size)", 0..=model.output.size as i64 - 1)?;
    let lengths = match arrays.get("lengths") {
        Some(lengths) => within(lengths, "a length", 1..=tokens as i64)?,
        None => vec![tokens; items],
    };
    if let Some(item) = lengths.iter().position(|n| *n == 0 || *n > model.n_max) {
        let (most, found) = (model.n_max, lengths[item]);
        return Err(x.refused(format!(
            "item {item}: expected 1 to {most} tokens (model.n_max), found {found}"
        )));
    }
    let features = x.floats();
    let example = |item: usize| {
        let data = &features[item * tokens * width..][..lengths[item] * width];
        if let Some(at) = data.iter().position(|f| !f.is_finite()) {
            let (token, feature, found) = (at / width, at % width, data[at]);
            let place = format!("item {item}, token {token}, feature {feature}");
            return Err(x.refused(format!("{place}: expected a finite number, found {found}")));
        }
        Ok(Example {
            sequence: Sequence::Vectors {
                width,
                data: data.to_vec(),
            },
            target: Target::Class(classes[item] as u32),
        })
    };
    (0..items).map(example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::{Dtype, tensor::TensorView};

    fn project(extra: &str) -> Project {
        let text = crate::project::BUILTIN
            .iter()
            .find(|(name, _)| *name == "arrays")
            .unwrap()
            .1;
        let small = [
            ("width = 8", "width = 2"),
            ("n_max = 64", "n_max = 3"),
            ("size = 2", "size = 3"),
        ];
        let text = small.iter().fold(text.to_string(), |t, (from, to)| {
            assert!(t.contains(from), "{from}");
            t.replacen(from, to, 1)
        });
        Project::parse(
            "arrays.toml",
            &text.replacen("[train]", &format!("{extra}\n[train]"), 1),
        )
        .unwrap()
    }

    type Part<'a> = (&'a str, Dtype, &'a [usize], Vec<u8>);

    fn write(path: &Path, parts: &[Part]) {
        let views = parts.iter().map(|(name, dtype, shape, data)| {
            let view = TensorView::new(*dtype, shape.to_vec(), data).unwrap();
            (*name, view)
        });
        std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
    }

    fn floats(n: usize) -> Vec<u8> {
        (0..n).flat_map(|i| (i as f32).to_le_bytes()).collect()
    }

    #[test]
    fn splits_lengths_and_classes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut x = floats(5 * 3 * 2);
        x[4 * 4..4 * 6].copy_from_slice(&[f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat()); // behind item 0's two tokens
        let y = [0i64, 2, 1, 0, 2].map(i64::to_le_bytes).concat();
        let parts = [
            ("x", Dtype::F32, &[5, 3, 2][..], x),
            ("y", Dtype::I64, &[5], y),
            ("lengths", Dtype::U8, &[5], vec![2, 3, 1, 3, 3]),
            ("other", Dtype::BF16, &[1], vec![0, 0]),
        ];
        write(&folder.path().join("train.safetensors"), &parts);
        let set = read(folder.path(), &project("")).unwrap();
        assert_eq!(
            (set.train.len(), set.validation.len(), &set.test),
            (4, 1, &set.validation)
        );
        let set = read(folder.path(), &project("validation = \"train.safetensors\"")).unwrap();
        assert_eq!(
            (set.train.len(), &set.train, &set.test),
            (5, &set.validation, &set.validation)
        );
        let of = |i: usize| (set.train[i].sequence.clone(), set.train[i].target.clone());
        let vectors = |data: &[f32]| Sequence::Vectors {
            width: 2,
            data: data.to_vec(),
        };
        assert_eq!(of(0), (vectors(&[0.0, 1.0, 2.0, 3.0]), Target::Class(0)));
        assert_eq!(of(2), (vectors(&[12.0, 13.0]), Target::Class(1)));
        assert!(
            set.summary("mine")
                .contains("train.safetensors for validation, validation as test")
        );
    }

    #[test]
    fn every_refusal_names_file_and_array() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.safetensors");
        let x = || ("x", Dtype::F32, &[2, 3, 2][..], floats(12));
        let y = || ("y", Dtype::U8, &[2][..], vec![0, 1]);
        let nan = [floats(11), f32::NAN.to_le_bytes().to_vec()].concat();
        for (parts, said) in [
            (vec![x()], "expected an array y"),
            (vec![y()], "expected an array x"),
            (
                vec![("x", Dtype::F32, &[6, 2][..], floats(12)), y()],
                "array x: expected three sizes",
            ),
            (
                vec![("x", Dtype::F32, &[2, 2, 3], floats(12)), y()],
                "array x: expected a width of 2 (model.input.width), found 3",
            ),
            (
                vec![("x", Dtype::F32, &[2, 4, 2], floats(16)), y()],
                "array x: item 0: expected 1 to 3 tokens (model.n_max), found 4",
            ),
            (
                vec![("x", Dtype::F32, &[0, 3, 2], vec![]), y()],
                "array x: expected items, found none",
            ),
            (
                vec![("x", Dtype::F32, &[2, 3, 2], nan), y()],
                "item 1, token 2, feature 1: expected a finite number, found NaN",
            ),
            (
                vec![x(), ("y", Dtype::U8, &[2], vec![0, 3])],
                "array y: item 1: expected a class (model.output.size) 0 to 2, found 3",
            ),
            (vec![x(), ("y", Dtype::I8, &[2], vec![255, 0])], "found -1"),
            (
                vec![x(), ("y", Dtype::U8, &[2], vec![1, 1])],
                "array y: expected two classes or more",
            ),
            (
                vec![x(), ("y", Dtype::U8, &[3], vec![0, 1, 2])],
                "array y: expected the shape [2], x's items, found [3]",
            ),
            (
                vec![x(), ("y", Dtype::F32, &[2], floats(2))],
                "array y: expected integers, found floats",
            ),
            (
                vec![x(), y(), ("lengths", Dtype::U8, &[2], vec![3, 0])],
                "array lengths: item 1: expected a length 1 to 3, found 0",
            ),
        ] {
            write(&file, &parts);
            let error = read(folder.path(), &project("")).unwrap_err().to_string();
            assert!(error.contains("train.safetensors: ") && error.contains(said), "{error}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(
            read(folder.path(), &project(""))
                .unwrap_err()
                .to_string()
                .contains("train.safetensors")
        );
    }
}
