//! Multi-query associative recall: the task a memory is for (Arora et al. 2023, "Zoology", in its one-token-a-pair form).
//!
//! A sequence writes `pairs` tokens (key, value) with different keys, then asks `queries` tokens (key, none) of keys written before;
//! the target at a query is the value written with its key. Identifiers: 0 none, 1..=keys the keys, then the values. A model that mixes no
//! tokens stays at chance, 1/values.
//!
//! ```
//! use astromorph_host::{data::{recall, Target}, project::Project};
//! use astromorph::sequence::Sequence;
//! let task = Project::builtin("recall").unwrap().task;
//! let example = &recall::generate(&task, 1).unwrap().test[0];
//! let (Sequence::Tokens { ids, .. }, Target::PerToken(targets)) = (&example.sequence, &example.target) else { panic!() };
//! let query = ids[16];                                   // the first of the 8 queries
//! let pair = (0..8).find(|p| ids[2 * p] == query).unwrap();
//! assert_eq!(targets[8], Some(ids[2 * pair + 1] - 17));  // its value, counted from 0
//! ```

use super::{Dataset, Example, Target};
use crate::project::TaskSpec;
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The three splits; each has a stream of the generator of its own.
pub fn generate(task: &TaskSpec, seed: u64) -> Result<Dataset> {
    let &TaskSpec::Recall {
        pairs,
        keys,
        values,
        queries,
        train,
        test,
    } = task
    else {
        return Err(Error::field("task.kind", "\"recall\"", format!("{task:?}")));
    };
    if pairs > keys {
        return Err(Error::field("task.pairs", format!("at most the {keys} keys"), pairs));
    }
    let split = |stream: u64, n: usize| -> Vec<Example> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        (0..n)
            .map(|_| example(&mut rng, pairs, keys, values, queries))
            .collect()
    };
    Ok(Dataset {
        train: split(1, train),
        validation: split(2, test),
        test: split(3, test),
        classes: (0..values).map(|v| v.to_string()).collect(),
        vocabulary: None,
        words: None,
        source: format!("seed {seed}"),
    })
}

fn example(rng: &mut ChaCha8Rng, pairs: usize, keys: usize, values: usize, queries: usize) -> Example {
    let mut key: Vec<u32> = (1..=keys as u32).collect();
    key.shuffle(rng);
    key.truncate(pairs);
    let value: Vec<u32> = (0..pairs).map(|_| rng.random_range(0..values as u32)).collect();
    let mut ids = Vec::with_capacity(2 * (pairs + queries));
    let mut targets = vec![None; pairs];
    for (k, v) in key.iter().zip(&value) {
        ids.extend([*k, 1 + keys as u32 + v]);
    }
    for _ in 0..queries {
        let pair = rng.random_range(0..pairs);
        ids.extend([key[pair], 0]);
        targets.push(Some(value[pair]));
    }
    Example {
        sequence: Sequence::Tokens { slots: 2, ids },
        target: Target::PerToken(targets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_the_splits_share_no_sequence() {
        let task = TaskSpec::Recall {
            pairs: 8,
            keys: 16,
            values: 16,
            queries: 8,
            train: 500,
            test: 500,
        };
        let (a, b) = (generate(&task, 3).unwrap(), generate(&task, 3).unwrap());
        assert_eq!(a.train, b.train);
        assert_ne!(a.train, generate(&task, 4).unwrap().train);
        assert!(a.test.iter().all(|e| !a.train.contains(e) && !a.validation.contains(e)));
    }
}
