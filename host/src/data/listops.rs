//! ListOps (Nangia & Bowman 2018) as Long Range Arena (Tay et al. 2020) generates it: the value, 0 to 9, of nested operators on digits.
//!
//! A tree is a digit, or with probability 1/4, as long as it is less than `max_depth` deep, an operator with 2 to `max_arguments` trees, all choices
//! uniform. Operators: MIN, MAX, MED (the median; between two middle values their mean, cut to an integer) and SM (the sum modulo 10). Trees of
//! other than `min_length` to `max_length` tokens and trees drawn before are drawn again, so no two items of the three splits are equal; classes are not
//! balanced. Long Range Arena takes 500 to 2,000 tokens, 96,000 training and twice 2,000 other items; a model here has at most 512 tokens.
//!
//! Identifiers: 0 none, 1 to 10 the digits, then `[MIN`, `[MAX`, `[MED`, `[SM` and `]`. Other parentheses, of which the operators' own brackets say all,
//! are no tokens.
//!
//! ```
//! use astromorph_host::data::listops::{ids, value};
//! let tokens = ids("[MAX 2 9 [MIN 4 7 ] 0 ]").unwrap();
//! assert_eq!(tokens, [12, 3, 10, 11, 5, 8, 15, 1, 15]);
//! assert_eq!(value(&tokens), Some(9));
//! assert_eq!(value(&ids("[MED 1 4 5 9 ]").unwrap()), Some(4));     // 4.5, cut
//! assert_eq!(value(&ids("[SM 9 9 [MED 3 1 2 ] ]").unwrap()), Some(0));
//! assert_eq!(value(&ids("[SM 9 9").unwrap()), None);                // it does not close
//! ```

use super::{Dataset, Example, Target};
use crate::project::TaskSpec;
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

/// Tokens by identifier.
pub const TOKENS: [&str; 16] = [
    "<none>", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "[MIN", "[MAX", "[MED", "[SM", "]",
];
const OPERATORS: [u8; 4] = [MIN, MAX, MED, SM];
const MIN: u8 = 11;
const MAX: u8 = 12;
const MED: u8 = 13;
const SM: u8 = 14;
const CLOSE: u8 = 15;
/// Probability of an operator where one may stand.
const OPERATOR: f64 = 0.25;
/// Trees refused in a row before the task is taken for one that has no more.
const PATIENCE: usize = 1_000_000;

/// What trees may be like.
struct Shape {
    lengths: std::ops::RangeInclusive<usize>,
    depth: usize,
    arguments: usize,
}

/// The three splits; each has a stream of the generator of its own.
pub fn generate(task: &TaskSpec, seed: u64) -> Result<Dataset> {
    let &TaskSpec::Listops {
        min_length,
        max_length,
        max_depth,
        max_arguments,
        train,
        validation,
        test,
    } = task
    else {
        return Err(Error::field("task.kind", "\"listops\"", format!("{task:?}")));
    };
    let shape = Shape {
        lengths: min_length..=max_length,
        depth: max_depth,
        arguments: max_arguments,
    };
    let mut seen = HashSet::new();
    let mut split = |stream: u64, n: usize| -> Result<Vec<Example>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        (0..n).map(|_| example(&mut rng, &shape, &mut seen)).collect()
    };
    Ok(Dataset {
        train: split(1, train)?,
        validation: split(2, validation)?,
        test: split(3, test)?,
        classes: (0..10).map(|c| c.to_string()).collect(),
        vocabulary: None,
        words: None,
        source: format!("seed {seed}, {min_length} to {max_length} tokens each"),
    })
}

fn example(rng: &mut ChaCha8Rng, shape: &Shape, seen: &mut HashSet<Box<[u8]>>) -> Result<Example> {
    let mut tokens = Vec::new();
    for _ in 0..PATIENCE {
        tokens.clear();
        // A tree that grows too long is given up at once: it would be refused anyway.
        if !tree(rng, shape, 1, &mut tokens) || !shape.lengths.contains(&tokens.len()) {
            continue;
        }
        if let Some(class) = value(&tokens)
            && seen.insert(tokens.clone().into_boxed_slice())
        {
            return Ok(Example {
                sequence: Sequence::Tokens {
                    slots: 1,
                    ids: tokens.iter().map(|&t| t.into()).collect(),
                },
                target: Target::Class(class.into()),
            });
        }
    }
    Err(Error::field(
        "task.min_length",
        format!(
            "lengths, depth and arguments of as many trees as are asked for, of which {} were found",
            seen.len()
        ),
        format!("{} to {} tokens", shape.lengths.start(), shape.lengths.end()),
    ))
}

/// Writes a random tree; false when it has more tokens than any may.
fn tree(rng: &mut ChaCha8Rng, shape: &Shape, depth: usize, out: &mut Vec<u8>) -> bool {
    if out.len() >= *shape.lengths.end() {
        return false;
    }
    if depth >= shape.depth || !rng.random_bool(OPERATOR) {
        out.push(1 + rng.random_range(0..10u8));
        return true;
    }
    out.push(OPERATORS[rng.random_range(0..OPERATORS.len())]);
    for _ in 0..rng.random_range(2..=shape.arguments) {
        if !tree(rng, shape, depth + 1, out) {
            return false;
        }
    }
    out.push(CLOSE);
    out.len() <= *shape.lengths.end()
}

/// What a whole expression is worth; nothing for what is none.
pub fn value(tokens: &[u8]) -> Option<u8> {
    // Open operators with the arguments seen so far; the outermost entry takes the result.
    let mut open: Vec<(u8, Vec<u8>)> = vec![(0, Vec::new())];
    for &token in tokens {
        match token {
            1..=10 => open.last_mut()?.1.push(token - 1),
            MIN..=SM => open.push((token, Vec::new())),
            CLOSE => {
                let (operator, arguments) = open.pop()?;
                let found = apply(operator, arguments)?;
                open.last_mut()?.1.push(found);
            }
            _ => return None,
        }
    }
    match (open.len(), open.first()?.1.as_slice()) {
        (1, [one]) => Some(*one),
        _ => None,
    }
}

fn apply(operator: u8, mut arguments: Vec<u8>) -> Option<u8> {
    arguments.sort_unstable();
    let (first, last) = (*arguments.first()?, *arguments.last()?);
    let n = arguments.len();
    match operator {
        MIN => Some(first),
        MAX => Some(last),
        MED => Some((arguments[(n - 1) / 2] + arguments[n / 2]) / 2),
        SM => Some((arguments.iter().map(|&a| a as usize).sum::<usize>() % 10) as u8),
        _ => None,
    }
}

/// Identifiers of tokens that stand between blanks; nothing where one is unknown.
pub fn ids(text: &str) -> Option<Vec<u8>> {
    let id = |word: &str| TOKENS.iter().skip(1).position(|t| *t == word).map(|i| 1 + i as u8);
    text.split_whitespace().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value by another way: the innermost brackets of the text are replaced by what they are worth until a digit is left.
    fn by_rewriting(tokens: &[u32]) -> u32 {
        let mut words: Vec<String> = tokens.iter().map(|&t| TOKENS[t as usize].to_string()).collect();
        while let Some(close) = words.iter().position(|w| w == "]") {
            let open = words[..close].iter().rposition(|w| w.starts_with('[')).unwrap();
            let mut numbers: Vec<f64> = words[open + 1..close].iter().map(|w| w.parse().unwrap()).collect();
            assert!(numbers.len() >= 2);
            numbers.sort_by(f64::total_cmp);
            let n = numbers.len();
            let median = match n % 2 {
                0 => (numbers[n / 2 - 1] + numbers[n / 2]) / 2.0,
                _ => numbers[n / 2],
            };
            let found = match words[open].as_str() {
                "[MIN" => numbers.iter().copied().fold(f64::INFINITY, f64::min),
                "[MAX" => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                "[MED" => median.floor(),
                "[SM" => numbers.iter().sum::<f64>() % 10.0,
                other => panic!("{other}"),
            };
            words.splice(open..=close, [found.to_string()]);
        }
        assert_eq!(words.len(), 1);
        words[0].parse().unwrap()
    }

    fn task(lengths: [usize; 2], depth: usize, arguments: usize, items: usize) -> TaskSpec {
        TaskSpec::Listops {
            min_length: lengths[0],
            max_length: lengths[1],
            max_depth: depth,
            max_arguments: arguments,
            train: items,
            validation: items,
            test: items,
        }
    }

    fn tokens(example: &Example) -> &[u32] {
        match &example.sequence {
            Sequence::Tokens { slots: 1, ids } => ids,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_right_lengths_in_range_and_the_splits_share_nothing() {
        let set = generate(&task([30, 90], 6, 5, 400), 3).unwrap();
        let (mut all, mut classes) = (HashSet::new(), HashSet::new());
        for example in set.train.iter().chain(&set.validation).chain(&set.test) {
            let tokens = tokens(example);
            assert!((30..=90).contains(&tokens.len()));
            assert_eq!(example.target, Target::Class(by_rewriting(tokens)));
            let mut depth = 0;
            for &t in tokens {
                depth = match t {
                    11..=14 => depth + 1,
                    15 => depth - 1,
                    _ => depth,
                };
                assert!(depth < 6, "the deepest trees are digits");
            }
            assert!(all.insert(tokens.to_vec()), "drawn twice");
            classes.insert(by_rewriting(tokens));
        }
        assert_eq!((all.len(), classes.len()), (1200, 10));
        let again = generate(&task([30, 90], 6, 5, 400), 3).unwrap();
        assert_eq!((&set.train, &set.test), (&again.train, &again.test));
        assert_ne!(set.train, generate(&task([30, 90], 6, 5, 400), 4).unwrap().train);
    }

    #[test]
    fn what_is_no_expression_has_no_value_and_what_cannot_be_drawn_is_said() {
        for text in ["", "1 2", "[MIN ]", "[MIN 1 2", "1 ]", "]", "[MIN 1 2 ] 3"] {
            assert_eq!(value(&ids(text).unwrap()), None, "{text}");
        }
        assert_eq!((value(&[0]), value(&[16]), ids("[FIRST 1 2 ]")), (None, None, None));
        // Ten digits are all the trees there are.
        let error = generate(&task([1, 1], 2, 2, 4), 1).unwrap_err().to_string();
        assert!(
            error.contains("task.min_length") && error.contains("10 were found"),
            "{error}"
        );
        assert!(generate(&task([1, 1], 2, 2, 3), 1).is_ok());
        assert!(generate(&task([9, 9], 2, 2, 1), 1).is_err());
    }
}
