//! The whole model: what is shown and how it is named, causality, permutations, a worked example.

use super::*;
use crate::weights::Tensor;

/// Names, rows and columns that `docs/arithmetic.md` section 8 promises for `spec` in chunks of `chunk`.
fn promised(spec: &ModelSpec, n: usize, chunk: usize) -> Vec<(String, usize, usize)> {
    let (d, heads, m, e) = (spec.d_model, spec.heads, spec.features, spec.values);
    let (qk, v, f) = (heads * m, heads * e, spec.hidden());
    let mut list = vec![("x0".to_string(), n, d)];
    for l in 0..spec.layers {
        let mut add = |name: &str, rows, columns| list.push((format!("layers.{l}.{name}"), rows, columns));
        let mixes = spec.attention != AttentionKind::None;
        if spec.norm == NormOrder::Pre && mixes {
            add("n1", n, d);
        }
        if mixes {
            add("q", n, qk);
            add("k", n, qk);
            add("v", n, v);
        }
        if spec.attention.is_hebbian() {
            add("a", n, qk);
            add("b", n, qk);
            if spec.has_position() {
                add("w", n, qk);
            }
            add("aw", n, qk);
            if chunk > 1 {
                add("p", n, heads * chunk);
            }
            add("Z", qk, e);
            add("s", heads, m);
            add("H", qk, e);
            add("g", heads, m);
            add("C", n, heads);
            add("num", n, v);
        }
        if mixes {
            add("y", n, v);
            add("o", n, d);
        }
        add("r1", n, d);
        add(if spec.norm == NormOrder::Pre { "n2" } else { "x1" }, n, d);
        add("u", n, f);
        add("f", n, f);
        add("d", n, d);
        add("r2", n, d);
        if spec.norm == NormOrder::Post {
            add("x", n, d);
        }
    }
    let rows = if spec.output.pooling == Pooling::None { n } else { 1 };
    if spec.norm == NormOrder::Pre {
        list.push(("xf".into(), n, d));
    }
    if spec.output.pooling != Pooling::None {
        list.push(("pooled".into(), 1, d));
    }
    list.push(("logits".into(), rows, spec.output.size));
    list
}

proptest! {
    #[test]
    fn every_tensor_is_shown_by_name_in_order(spec in any_spec(), chunk in 1usize..6, seed: u64) {
        let golden = Golden::new(&spec, &any_weights(&spec, seed)).unwrap().in_chunks_of((chunk > 1).then_some(chunk));
        let n = spec.n_max;
        let (logits, names, seen) = observed(&golden, &any_sequence(&spec, n, seed));
        let found: Vec<_> = names.iter().map(|name| (name.clone(), seen[name].rows, seen[name].columns)).collect();
        prop_assert_eq!(found, promised(&spec, n, chunk));
        prop_assert!(seen.values().all(|s| s.data.len() == s.rows * s.columns));
        prop_assert!(seen.values().flat_map(|s| &s.data).all(|x| x.is_finite()));
        prop_assert_eq!(&seen["logits"].data, &logits.data);
    }

    /// Whatever comes later, a causal model's tensors of the tokens before are the same bits.
    #[test]
    fn causal_outputs_do_not_see_the_future(spec in any_spec(), cut in 0.0f64..1.0, longer: bool, seed: u64) {
        let mut spec = spec;
        spec.order = Order::Causal;
        spec.output.pooling = Pooling::None;
        let golden = Golden::new(&spec, &any_weights(&spec, seed)).unwrap().in_chunks_of(Some(3));
        let n = spec.n_max;
        let past = 1 + (cut * (n - 1) as f64) as usize;
        let start = any_sequence(&spec, n, seed);
        let other = match (&start, any_sequence(&spec, n, seed + 1)) {
            (Sequence::Tokens { slots, ids }, Sequence::Tokens { ids: later, .. }) => {
                let tail = if longer { &later[past * slots..] } else { &[] };
                Sequence::Tokens { slots: *slots, ids: [&ids[..past * slots], tail].concat() }
            }
            (Sequence::Vectors { width, data }, Sequence::Vectors { data: later, .. }) => {
                let tail = if longer { &later[past * width..] } else { &[] };
                Sequence::Vectors { width: *width, data: [&data[..past * width], tail].concat() }
            }
            _ => unreachable!("one specification has one kind of sequence"),
        };
        let (one, two) = (observed(&golden, &start).2, observed(&golden, &other).2);
        for (name, one) in &one {
            // The state is that after the last token, and no token's own.
            if matches!(name.rsplit('.').next(), Some("Z" | "s" | "H" | "g")) {
                continue;
            }
            let bits = |seen: &Seen| seen.data[..past * seen.columns].iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(one), bits(&two[name]), "{}", name);
        }
    }

    /// Two-pass attention without positions of any kind knows a sequence as a set.
    #[test]
    fn without_positions_the_order_of_tokens_is_lost(spec in any_spec(), turn in 1usize..14, kind in 0usize..4, seed: u64) {
        let mut spec = spec;
        spec.order = Order::TwoPass;
        spec.attention = [AttentionKind::Linear, AttentionKind::GainMatched, AttentionKind::Softmax, AttentionKind::None][kind];
        (spec.nonlinearity, spec.calcium) = (Nonlinearity::Identity, Calcium::default());
        spec.output.pooling = Pooling::None;
        let (Input::Tokens { positions, .. } | Input::Vectors { positions, .. }) = &mut spec.input;
        *positions = Absolute::None;
        let golden = Golden::<f64>::new(&spec, &any_weights(&spec, seed)).unwrap();
        let start = any_sequence(&spec, spec.n_max, seed);
        let mut turned = start.clone();
        let turn = turn % spec.n_max;
        match &mut turned {
            Sequence::Tokens { slots, ids } => ids.rotate_left(turn * *slots),
            Sequence::Vectors { width, data } => data.rotate_left(turn * *width),
        }
        let mut expected = golden.predict(&start).unwrap().data;
        expected.rotate_left(turn * spec.output.size);
        let found = golden.predict(&turned).unwrap().data;
        prop_assert!(distance(&found, &expected) < 1e-9);
    }

    #[test]
    fn single_precision_follows_double(spec in any_spec(), seed: u64) {
        let weights = any_weights(&spec, seed);
        let sequence = any_sequence(&spec, spec.n_max, seed);
        let double = Golden::<f64>::new(&spec, &weights).unwrap().predict(&sequence).unwrap();
        let single = Golden::<f32>::new(&spec, &weights).unwrap().predict(&sequence).unwrap();
        let single: Vec<f64> = single.data.iter().map(|&x| x as f64).collect();
        prop_assert!(distance(&single, &double.data) < 1e-2);
    }
}

/// With w_t, or in causal order, the same tokens in another order give another answer.
#[test]
fn positions_and_causality_tell_orders_apart() {
    let causal = ModelSpec {
        order: Order::Causal,
        attention: AttentionKind::Linear,
        ..plain()
    };
    for spec in [plain(), causal] {
        let golden = Golden::<f64>::new(&spec, &any_weights(&spec, 2)).unwrap();
        let answer = |ids: &[u32]| {
            golden
                .predict(&Sequence::Tokens {
                    slots: 1,
                    ids: ids.to_vec(),
                })
                .unwrap()
                .data
        };
        assert!(distance(&answer(&[1, 2, 3, 4]), &answer(&[4, 3, 2, 1])) > 1e-6);
    }
}

/// Identifier 0 adds nothing, whatever stands in its row of the table; slots are summed.
#[test]
fn slots_are_summed_and_zero_is_none() {
    let spec = ModelSpec {
        input: Input::Tokens {
            vocabulary: 12,
            slots: 2,
            positions: Absolute::None,
        },
        ..plain()
    };
    let weights = any_weights(&spec, 1);
    let row = |id: usize| &weights.tensors["embedding.weight"].data[id * 4..][..4];
    let golden = Golden::new(&spec, &weights).unwrap();
    let x0 = observed(
        &golden,
        &Sequence::Tokens {
            slots: 2,
            ids: vec![3, 5, 0, 7, 0, 0],
        },
    )
    .2["x0"]
        .data
        .clone();
    let pair: Vec<f64> = row(3).iter().zip(row(5)).map(|(&x, &y)| x as f64 + y as f64).collect();
    assert_eq!(&x0[..4], pair);
    assert_eq!(&x0[4..8], row(7).iter().map(|&x| x as f64).collect::<Vec<_>>());
    assert_eq!(&x0[8..], [0.0; 4]);
}

/// Worked by hand. 16 equal tokens x = (1, −1, 1, −1), W_Q = W_K = 0, W_V = W_O = 1, M = 0, S = 16, α = 1/4:
/// a = b = φ(0) = 1, w = φ(0) = 1, Z = 16·2·x/16 = 2x, s = 16, g = 2, C = 4·2 = 8, num = 4·2x = 8x, y = x, r1 = 2x,
/// x1 = 2x/√(4 + 1e-5) = h x, feed-forward 0, and LN again: h/√(h² + 1e-5) x; the head reads the first entry and twice the second.
#[test]
fn a_model_worked_by_hand() {
    let spec = ModelSpec {
        input: Input::Vectors {
            width: 4,
            positions: Absolute::None,
        },
        output: Output {
            kind: OutputKind::Classes,
            size: 2,
            pooling: Pooling::Mean,
        },
        scale: Scale {
            init: 16.0,
            learnt: false,
            outside: false,
        },
        ..plain()
    };
    let mut weights = Weights::random(&spec, 0);
    let mut set = |name: &str, entries: &[(usize, f32)]| {
        let data: &mut Tensor = weights.tensors.get_mut(name).unwrap();
        data.data.fill(0.0);
        entries.iter().for_each(|&(at, x)| data.data[at] = x);
    };
    let one = [(0, 1.0), (5, 1.0), (10, 1.0), (15, 1.0)];
    for name in ["input.weight", "layers.0.attention.w_v", "layers.0.attention.w_o"] {
        set(name, &one);
    }
    for name in [
        "attention.w_q",
        "attention.w_k",
        "attention.M",
        "feed_forward.w_1",
        "feed_forward.w_2",
    ] {
        set(&format!("layers.0.{name}"), &[]);
    }
    set("head.weight", &[(0, 1.0), (3, 2.0)]);
    let golden = Golden::new(&spec, &weights).unwrap();
    let x = [1.0f32, -1.0, 1.0, -1.0];
    let (logits, _, seen) = observed(
        &golden,
        &Sequence::Vectors {
            width: 4,
            data: x.repeat(16),
        },
    );

    let all = |name: &str, value: f64| {
        let name = format!("layers.0.{name}");
        assert!(
            seen[&name].data.iter().all(|x| (x.abs() - value).abs() < 1e-6),
            "{name}: {:?}",
            seen[&name].data
        );
    };
    for (name, value) in [
        ("aw", 2.0),
        ("Z", 2.0),
        ("s", 16.0),
        ("g", 2.0),
        ("C", 8.0),
        ("num", 8.0),
        ("y", 1.0),
        ("r1", 2.0),
    ] {
        all(name, value);
    }
    let h = 2.0 / 4.00001f64.sqrt();
    let last = h / (h * h + 1e-5).sqrt();
    assert!((logits.row(0)[0] - last).abs() < 1e-6);
    assert!((logits.row(0)[1] + 2.0 * last).abs() < 1e-6);
    assert_eq!(logits.classes(), [0]);
}

#[test]
fn refusals_come_from_weights_and_sequence() {
    let spec = plain();
    let mut weights = Weights::random(&spec, 0);
    let golden = Golden::<f64>::new(&spec, &weights).unwrap();
    let error = golden
        .predict(&Sequence::Tokens { slots: 1, ids: vec![] })
        .unwrap_err()
        .to_string();
    assert!(error.contains("sequence length"), "{error}");
    weights.tensors.get_mut("head.bias").unwrap().data[1] = f32::NAN;
    let error = Golden::<f64>::new(&spec, &weights).err().unwrap().to_string();
    assert_eq!(error, "head.bias[1]: expected a finite number, found NaN");
}
