//! The attention, streamed token by token, against its matrix form and against formulae written out.

use super::*;
use crate::golden::batch::{self, Head};
use crate::golden::stream::Stream;

fn numbers(size: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..size).map(|_| rng.random_range(-2.0..2.0)).collect()
}

fn phi(x: f64) -> f64 {
    if x > 0.0 { x + 1.0 } else { x.exp() }
}

proptest! {
    /// Streaming equals batch, with every option, inside the whole model.
    #[test]
    fn streaming_equals_batch(spec in any_spec(), length in 0.0f64..1.0, seed: u64) {
        let weights = any_weights(&spec, seed);
        let golden = Golden::<f64>::new(&spec, &weights).unwrap();
        let n = 1 + (length * (spec.n_max - 1) as f64) as usize;
        let (_, _, seen) = observed(&golden, &any_sequence(&spec, n, seed));
        let (m, e) = (spec.features, spec.values);
        let head = Head { features: m, values: e, order: spec.order };
        // (Heads that diffuse are no heads by themselves: `relations` has them.)
        let alone = spec.attention != AttentionKind::None && spec.calcium.neighbours == 0.0;
        for l in (0..spec.layers).filter(|_| alone) {
            let tensor = |name: &str| &seen[&format!("layers.{l}.{name}")];
            for h in 0..spec.heads {
                let (q, k) = (of_head(tensor("q"), h, m), of_head(tensor("k"), h, m));
                let mut v = of_head(tensor("v"), h, e);
                let y = if spec.attention == AttentionKind::Softmax {
                    batch::softmax(head, &q, &k, &v)
                } else {
                    // The model's v is divided by S; the matrix form divides by itself.
                    let s = (weights.tensors[&format!("layers.{l}.attention.log_s")].data[h] as f64).exp();
                    // Outside: f(Z)/S is S times less of f(Z).
                    let divided = if spec.scale.outside { 1.0 } else { s };
                    v.iter_mut().for_each(|v| *v *= divided);
                    let alpha = match weights.tensors.get(&format!("layers.{l}.attention.alpha")) {
                        Some(theta) => 1.0 / (1.0 + (-theta.data[0] as f64).exp()),
                        None => spec.effective_alpha(),
                    };
                    let w = spec.has_position().then(|| of_head(tensor("w"), h, m));
                    batch::astromorphic(head, spec.nonlinearity, alpha, divided, &q, &k, w.as_deref(), &v)
                        .into_iter()
                        .map(|y| y * divided / s)
                        .collect()
                };
                let apart = distance(&y, &of_head(tensor("y"), h, e));
                prop_assert!(apart < 1e-10, "layer {l}, head {h}: {apart}");
            }
        }
    }

    /// α = 1 without w, streamed, is linear attention as arXiv 2312.10925 states it in equations 1 and 2, divided by S.
    #[test]
    fn the_linear_baseline_is_linear_attention(n in 1usize..12, m in 1usize..6, e in 1usize..6, s in 0.5f64..20.0, seed: u64) {
        let (q, k, v) = (numbers(n * m, seed), numbers(n * m, seed + 1), numbers(n * e, seed + 2));
        let a: Vec<f64> = k.iter().map(|&x| phi(x)).collect();
        let mut stream = Stream::new(m, e, 1.0, Nonlinearity::Identity);
        for t in 0..n {
            let v: Vec<f64> = v[t * e..(t + 1) * e].iter().map(|v| v / s).collect();
            stream.write(&a[t * m..(t + 1) * m], &a[t * m..(t + 1) * m], &v);
        }
        stream.seal();
        for t in 0..n {
            let b: Vec<f64> = q[t * m..(t + 1) * m].iter().map(|&x| phi(x)).collect();
            let mut num = vec![0.0; e];
            let c = stream.read(&b, &mut num);
            for j in 0..e {
                let dot = |tau: usize| (0..m).map(|i| b[i] * a[tau * m + i]).sum::<f64>();
                let above: f64 = (0..n).map(|tau| dot(tau) * v[tau * e + j]).sum();
                let below: f64 = (0..n).map(dot).sum();
                prop_assert!((num[j] / c - above / below / s).abs() < 1e-12);
            }
        }
    }

    /// Softmax attention against the plain formula with an explicit mask.
    #[test]
    fn softmax_is_the_plain_formula(n in 1usize..12, m in 1usize..6, e in 1usize..6, causal: bool, seed: u64) {
        let (q, k, v) = (numbers(n * m, seed), numbers(n * m, seed + 1), numbers(n * e, seed + 2));
        let order = if causal { Order::Causal } else { Order::TwoPass };
        let y = batch::softmax(Head { features: m, values: e, order }, &q, &k, &v);
        for t in 0..n {
            let weight: Vec<f64> = (0..n)
                .map(|tau| {
                    let score: f64 = (0..m).map(|i| q[t * m + i] * k[tau * m + i]).sum();
                    if causal && tau > t { 0.0 } else { (score / (m as f64).sqrt()).exp() }
                })
                .collect();
            for j in 0..e {
                let mean = (0..n).map(|tau| weight[tau] * v[tau * e + j]).sum::<f64>() / weight.iter().sum::<f64>();
                prop_assert!((y[t * e + j] - mean).abs() < 1e-12);
            }
        }
    }
}

/// Softmax of scores that overflow exp: the largest takes all.
#[test]
fn softmax_survives_large_scores() {
    let head = Head {
        features: 1,
        values: 1,
        order: Order::TwoPass,
    };
    assert_eq!(batch::softmax(head, &[1e4], &[1e4], &[3.0]), [3.0]);
    assert_eq!(batch::softmax(head, &[1e3, 0.0], &[1e3, -1e3], &[3.0, 5.0]), [3.0, 4.0]);
}

/// ε: nothing written but vanishing keys gives s = ε before the power, and C no less than ε.
#[test]
fn vanishing_calcium_stops_at_epsilon() {
    let eps = 2f64.powi(-10);
    let mut stream = Stream::new(1, 1, 0.25, Nonlinearity::Identity);
    stream.write(&[1e-9], &[1e-9], &[1.0]);
    stream.seal();
    assert!((stream.g[0] - eps.powf(0.25)).abs() < 1e-15);
    assert_eq!(stream.s[0], 1e-9);
    let mut num = [0.0];
    assert_eq!(stream.read(&[1e-9], &mut num), eps);
}

/// The three forms of f, and the gain of the gain-matched baseline.
#[test]
fn forms_of_f_and_gains() {
    for (f, z, h) in [
        (Nonlinearity::Identity, 3.0, 3.0),
        (Nonlinearity::Sigmoid, 0.0, 0.5),
        (Nonlinearity::Sigmoid, 3f64.ln(), 0.75),
        (Nonlinearity::HardSigmoid, 1.0, 0.75),
        (Nonlinearity::HardSigmoid, -2.5, 0.0),
        (Nonlinearity::HardSigmoid, 7.0, 1.0),
    ] {
        let mut stream = Stream::new(1, 1, 1.0, f);
        stream.write(&[1.0], &[1.0], &[z]);
        stream.seal();
        assert!((stream.h[0] - h).abs() < 1e-15, "{f:?}({z}) = {}", stream.h[0]);
    }

    let linear = ModelSpec {
        attention: AttentionKind::Linear,
        ..plain()
    };
    let matched = ModelSpec {
        attention: AttentionKind::GainMatched,
        ..plain()
    };
    let v = |spec: &ModelSpec| {
        let golden = Golden::new(spec, &Weights::random(spec, 3)).unwrap();
        observed(&golden, &any_sequence(spec, 5, 3)).2["layers.0.v"]
            .data
            .clone()
    };
    // N_max = 16 and α = 1/4: S is divided by 16^(3/4) = 8.
    let eightfold: Vec<f64> = v(&linear).iter().map(|v| v * 8.0).collect();
    assert!(distance(&v(&matched), &eightfold) < 1e-6);
}
