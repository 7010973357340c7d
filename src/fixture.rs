//! Random models for tests: any specification with an integer form, small; weights as training leaves them; sequences.

use crate::sequence::Sequence;
use crate::spec::*;
use crate::weights::Weights;
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StudentT};

/// Any valid specification with at most 3 layers and N_max at most 40, softmax excepted.
pub(crate) fn any_spec() -> impl Strategy<Value = ModelSpec> {
    any::<u64>().prop_map(drawn)
}

/// The one of a seed.
pub(crate) fn drawn(seed: u64) -> ModelSpec {
    draw(&mut ChaCha8Rng::seed_from_u64(seed))
}

fn draw(rng: &mut impl Rng) -> ModelSpec {
    let n_max = rng.random_range(1..=40);
    let order = [Order::TwoPass, Order::Causal][rng.random_range(0..2)];
    let attention = [
        AttentionKind::Astromorphic,
        AttentionKind::Linear,
        AttentionKind::GainMatched,
    ];
    let attention = if rng.random_range(0..3) > 0 {
        attention[0]
    } else {
        attention[rng.random_range(0..3)]
    };
    let nonlinearity = match attention {
        AttentionKind::Astromorphic => {
            [Nonlinearity::Identity, Nonlinearity::Sigmoid, Nonlinearity::HardSigmoid][rng.random_range(0..3)]
        }
        _ => Nonlinearity::Identity,
    };
    let columns = rng.random_range(1..=n_max);
    let positions = [Absolute::None, Absolute::Learnt, Absolute::Sinusoidal][rng.random_range(0..3)];
    let vocabulary = order == Order::Causal && rng.random_range(0..3) == 0;
    ModelSpec {
        layers: rng.random_range(1..=3),
        heads: rng.random_range(1..=3),
        d_model: rng.random_range(8..=40),
        features: rng.random_range(4..=16),
        values: rng.random_range(4..=16),
        n_max,
        order,
        attention,
        alpha: [1.0, 0.5, 0.25, 0.37][rng.random_range(0..4)],
        calcium: Calcium::default(),
        scale: Scale {
            init: [0.0, 2.0, 100.0][rng.random_range(0..3)],
            learnt: true,
            outside: false,
        },
        nonlinearity,
        position: Position {
            decay: [0.0, 0.05, 1.0][rng.random_range(0..3)],
            distance: [
                Distance::Line,
                Distance::Chebyshev { columns },
                Distance::Euclid { columns },
                Distance::None,
            ][rng.random_range(0..4)],
        },
        norm: [NormOrder::Post, NormOrder::Pre][rng.random_range(0..2)],
        feed_forward: FeedForward {
            width: [0, 7, 48][rng.random_range(0..3)],
            activation: [Activation::Relu, Activation::Gelu][rng.random_range(0..2)],
        },
        input: if rng.random_range(0..3) > 0 {
            Input::Tokens {
                vocabulary: rng.random_range(2..100),
                slots: rng.random_range(1..=3),
                positions,
            }
        } else {
            Input::Vectors {
                width: rng.random_range(1..20),
                positions,
            }
        },
        output: Output {
            kind: if vocabulary {
                OutputKind::Vocabulary
            } else {
                OutputKind::Classes
            },
            size: rng.random_range(2..12),
            pooling: match vocabulary {
                true => Pooling::None,
                false => [Pooling::None, Pooling::Mean, Pooling::Last][rng.random_range(0..3)],
            },
        },
    }
}

/// Weights as training leaves them: heavier tails than at the start, biases, β and γ spread, S per head.
pub(crate) fn trained_like(spec: &ModelSpec, seed: u64) -> Weights {
    let mut weights = Weights::random(spec, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7261_696e);
    let tails = StudentT::new(5.0).unwrap();
    for (name, tensor) in weights.tensors.iter_mut() {
        let last = name.rsplit('.').next().unwrap_or(name).to_string();
        for x in tensor.data.iter_mut() {
            let r = tails.sample(&mut rng) as f32;
            match last.as_str() {
                "gamma" => *x = 1.0 + 0.2 * r,
                "beta" | "bias" | "b_1" | "b_2" | "b_q" | "b_k" | "b_v" | "b_o" => *x = 0.1 * r,
                "log_s" => *x += 0.3 * r,
                _ => *x *= 1.0 + 0.3 * r.abs(),
            }
        }
    }
    weights
}

/// Random sequences of lengths 1 to N_max.
pub(crate) fn sequences(spec: &ModelSpec, count: usize, seed: u64) -> Vec<Sequence> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| Sequence::random(spec, &mut rng)).collect()
}
