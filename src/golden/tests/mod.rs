//! Properties of the golden model over random draws of the whole specification.

mod attention;
mod gradient;
mod model;
mod relations;

use super::{Golden, Logits};
use crate::sequence::Sequence;
use crate::spec::*;
use crate::weights::Weights;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// A two-pass astromorphic token classifier, to be changed by the tests that need another.
fn plain() -> ModelSpec {
    ModelSpec {
        layers: 1,
        heads: 1,
        d_model: 4,
        features: 4,
        values: 4,
        n_max: 16,
        order: Order::TwoPass,
        attention: AttentionKind::Astromorphic,
        alpha: 0.25,
        calcium: Calcium::default(),
        scale: Scale::default(),
        nonlinearity: Nonlinearity::Identity,
        position: Position::default(),
        norm: NormOrder::Post,
        feed_forward: FeedForward::default(),
        input: Input::Tokens {
            vocabulary: 12,
            slots: 1,
            positions: Absolute::None,
        },
        output: Output {
            kind: OutputKind::Classes,
            size: 3,
            pooling: Pooling::Mean,
        },
    }
}

/// Any small specification.
fn any_spec() -> impl Strategy<Value = ModelSpec> {
    use proptest::sample::select;
    let sizes = (1usize..3, 1usize..4, 4usize..10, 4usize..8, 4usize..8, 1usize..14);
    let attention = (
        select(vec![Order::TwoPass, Order::Causal]),
        prop_oneof![
            3 => Just(AttentionKind::Astromorphic),
            1 => Just(AttentionKind::Linear),
            1 => Just(AttentionKind::GainMatched),
            1 => Just(AttentionKind::Softmax),
            1 => Just(AttentionKind::None),
        ],
        prop_oneof![Just(1.0), Just(0.5), Just(0.25), 0.05f64..1.0],
        (prop_oneof![Just(0.0), 0.5f64..100.0], any::<bool>(), any::<bool>()),
        select(vec![
            Nonlinearity::Identity,
            Nonlinearity::Sigmoid,
            Nonlinearity::HardSigmoid,
        ]),
        (
            0.0f64..1.0,
            0usize..4,
            any::<bool>(),
            prop_oneof![Just(0.0), 0.0f64..1.0],
        ),
    );
    let rest = (
        select(vec![NormOrder::Post, NormOrder::Pre]),
        (0usize..9, select(vec![Activation::Relu, Activation::Gelu])),
        (
            any::<bool>(),
            1usize..3,
            select(vec![Absolute::None, Absolute::Learnt, Absolute::Sinusoidal]),
        ),
        (2usize..6, select(vec![Pooling::None, Pooling::Mean, Pooling::Last])),
    );
    (sizes, attention, rest).prop_map(|(sizes, attention, rest)| {
        let (layers, heads, d_model, features, values, n_max) = sizes;
        let (order, kind, alpha, (init, learnt, outside), nonlinearity, (decay, distance, learnt_alpha, neighbours)) =
            attention;
        let astromorphic = kind == AttentionKind::Astromorphic;
        let (norm, (width, activation), (tokens, slots, positions), (size, pooling)) = rest;
        let columns = 3.min(n_max);
        let spec = ModelSpec {
            layers,
            heads,
            d_model,
            features,
            values,
            n_max,
            order,
            attention: kind,
            alpha,
            calcium: Calcium {
                learnt: astromorphic && learnt_alpha && alpha < 1.0,
                neighbours: if astromorphic && heads > 1 { neighbours } else { 0.0 },
            },
            scale: Scale { init, learnt, outside },
            nonlinearity: if astromorphic {
                nonlinearity
            } else {
                Nonlinearity::Identity
            },
            position: Position {
                decay,
                distance: [
                    Distance::Line,
                    Distance::Chebyshev { columns },
                    Distance::Euclid { columns },
                    Distance::None,
                ][distance],
            },
            norm,
            feed_forward: FeedForward { width, activation },
            input: if tokens {
                Input::Tokens {
                    vocabulary: 12,
                    slots,
                    positions,
                }
            } else {
                Input::Vectors { width: 3, positions }
            },
            output: Output {
                kind: OutputKind::Classes,
                size,
                pooling,
            },
        };
        spec.validate().expect("every draw is a valid specification");
        spec
    })
}

/// Random weights, biases and norms included, so that nothing is hidden behind a zero.
fn any_weights(spec: &ModelSpec, seed: u64) -> Weights {
    let mut weights = Weights::random(spec, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 1);
    for tensor in weights.tensors.values_mut().filter(|t| t.shape.len() == 1) {
        tensor.data.iter_mut().for_each(|x| *x += rng.random_range(-0.3..0.3));
    }
    if let Some(embedding) = weights.tensors.get_mut("embedding.weight") {
        // Row 0 too: "none" must not be read.
        embedding.data.iter_mut().for_each(|x| *x = 10.0 * *x + 0.1);
    }
    weights
}

/// A random sequence of `n` tokens.
fn any_sequence(spec: &ModelSpec, n: usize, seed: u64) -> Sequence {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    match spec.input {
        Input::Tokens { vocabulary, slots, .. } => Sequence::Tokens {
            slots,
            ids: (0..n * slots).map(|_| rng.random_range(0..vocabulary as u32)).collect(),
        },
        Input::Vectors { width, .. } => Sequence::Vectors {
            width,
            data: (0..n * width).map(|_| rng.random_range(-2.0..2.0)).collect(),
        },
    }
}

/// One observed tensor.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

/// The logits and everything on the way, in order and by name.
fn observed(golden: &Golden<f64>, sequence: &Sequence) -> (Logits<f64>, Vec<String>, BTreeMap<String, Seen>) {
    let (mut names, mut tensors) = (Vec::new(), BTreeMap::new());
    let logits = golden
        .forward(sequence, &mut |name, rows, columns, data| {
            names.push(name.to_string());
            let again = tensors.insert(
                name.to_string(),
                Seen {
                    rows,
                    columns,
                    data: data.to_vec(),
                },
            );
            assert!(again.is_none(), "{name} is shown twice");
        })
        .unwrap();
    (logits, names, tensors)
}

/// Columns of one head of an observed tensor.
fn of_head(seen: &Seen, head: usize, width: usize) -> Vec<f64> {
    seen.data
        .chunks(seen.columns)
        .flat_map(|row| &row[head * width..(head + 1) * width])
        .copied()
        .collect()
}

/// Largest difference relative to the larger of 1 and the values.
fn distance(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter()
        .zip(y)
        .map(|(x, y)| (x - y).abs() / x.abs().max(y.abs()).max(1.0))
        .fold(0.0, f64::max)
}
