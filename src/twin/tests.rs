//! The whole twin: its error against the golden model, its names, its causality, its vectors.

mod chunks;

use super::{Raw, Twin};
use crate::fixture::{any_spec, sequences, trained_like};
use crate::golden::Golden;
use crate::image::Image;
use crate::plan::Plan;
use crate::report::{Budget, compare};
use crate::sequence::Sequence;
use crate::spec::{ModelSpec, Nonlinearity, Order, QuantizeSpec};
use proptest::prelude::*;

/// Widths of `bits`; causal models that may have chunks have them in three of four seeds.
fn widths(spec: &ModelSpec, bits: u32, seed: u64) -> QuantizeSpec {
    let recurrence = QuantizeSpec {
        activation_bits: bits,
        weight_bits: bits,
        ..Default::default()
    };
    let chunk = [1, 2 + seed as usize % 5, 2 + seed as usize % 17, 2 + seed as usize % 63][(seed >> 8) as usize % 4];
    let chunked = QuantizeSpec { chunk, ..recurrence };
    match chunked.validate_for(spec) {
        Ok(()) => chunked,
        Err(_) => recurrence,
    }
}

fn twin(spec: &ModelSpec, bits: u32, seed: u64) -> (Twin, Golden<f64>, Vec<Sequence>) {
    let quantize = widths(spec, bits, seed);
    let (weights, data) = (trained_like(spec, seed), sequences(spec, 24, seed.wrapping_add(1)));
    let plan = Plan::calibrate(spec, &quantize, &weights, &data).unwrap();
    let image = Image::build(spec, &quantize, &weights, &plan).unwrap();
    (
        Twin::new(&image).unwrap(),
        Golden::new(spec, &weights).unwrap().in_chunks_of(quantize.chunked()),
        data,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// `compare` also checks that both models show the same tensors, of the same sizes, in the same order.
    #[test]
    fn the_error_stays_within_the_budget(spec in any_spec(), seed: u64) {
        let (twin, golden, data) = twin(&spec, 16, seed);
        let report = compare(&golden, &twin, &data).unwrap();
        let budget = Budget::new(&QuantizeSpec::default());
        prop_assert_eq!(report.over(&budget), [], "{:?}", spec);
    }

    /// Every width runs, at any calibration, without a panic, and every word is within its format.
    #[test]
    fn every_word_is_within_its_format(spec in any_spec(), bits in 8u32..=18, seed: u64) {
        let (twin, _, data) = twin(&spec, bits, seed);
        for sequence in &data {
            let observed = twin.forward(sequence, &mut |name, rows, columns, format, words: Raw<'_>| {
                assert_eq!(words.len(), rows * columns, "{name}");
                assert!(words.iter().all(|x| x >= format.min() && x <= format.max()), "{name}");
            }).unwrap();
            prop_assert_eq!(&observed, &twin.predict(sequence).unwrap());
        }
    }

    /// p as golden has it, masks included, in any chunks; and none that saturates on what it was calibrated on.
    #[test]
    fn the_scores_stay_within_the_budget(spec in any_spec(), bits in 8u32..=13, seed: u64) {
        let spec = ModelSpec { order: Order::Causal, nonlinearity: Nonlinearity::Identity, ..spec };
        let quantize = widths(&spec, bits, seed | 3 << 8);
        let (twin, golden, data) = twin(&spec, bits, seed | 3 << 8);
        let report = compare(&golden, &twin, &data).unwrap();
        let scores: Vec<_> = report.tensors.iter().filter(|t| t.name.ends_with(".p")).collect();
        prop_assert_eq!(scores.len(), spec.layers);
        for t in scores {
            let floor = Budget::new(&quantize).floor(&t.name).unwrap();
            prop_assert!(t.sqnr.unwrap() > floor, "{} of {floor} in {spec:?}", t.sqnr.unwrap());
        }
    }

    #[test]
    fn causal_outputs_do_not_know_later_tokens(spec in any_spec(), seed: u64) {
        let spec = ModelSpec { order: Order::Causal, n_max: spec.n_max.max(2), ..spec };
        let (twin, _, data) = twin(&spec, 8, seed);
        let Some(sequence) = data.iter().find(|x| x.len() > 1) else { return Ok(()) };
        let cut = 1 + seed as usize % (sequence.len() - 1);
        let mut other = sequences(&ModelSpec { n_max: sequence.len(), ..spec.clone() }, 60, seed)
            .into_iter()
            .find(|x| x.len() == sequence.len());
        let Some(other) = &mut other else { return Ok(()) };
        match (&mut *other, sequence) {
            (Sequence::Tokens { slots, ids }, Sequence::Tokens { ids: first, .. }) => {
                ids[..cut * *slots].copy_from_slice(&first[..cut * *slots]);
            }
            (Sequence::Vectors { width, data }, Sequence::Vectors { data: first, .. }) => {
                data[..cut * *width].copy_from_slice(&first[..cut * *width]);
            }
            _ => unreachable!(),
        }
        // Every tensor that has one row a token, cut after the common tokens.
        let n = sequence.len();
        let common = |sequence: &Sequence| {
            let mut rows_seen = Vec::new();
            let sealed = ["Z", "s", "H", "g", "pooled", "logits"];
            twin.forward(sequence, &mut |name, rows, columns, _, words: Raw<'_>| {
                if rows == n && !sealed.contains(&name.rsplit('.').next().unwrap()) {
                    rows_seen.push((name.to_string(), words.iter().take(cut * columns).collect::<Vec<_>>()));
                }
            }).unwrap();
            rows_seen
        };
        prop_assert_eq!(common(sequence), common(other));
    }

    #[test]
    fn attention_vectors_are_those_of_the_pass(spec in any_spec(), seed: u64) {
        let (twin, _, data) = twin(&spec, 12, seed);
        let l = spec.layers - 1;
        let vectors = twin.attention_vectors(&data[0], l).unwrap();
        let expected = [("q", &vectors.q), ("k", &vectors.k), ("v", &vectors.v), ("y", &vectors.y)];
        let mut met = 0;
        twin.forward(&data[0], &mut |name, rows, _, _, words: Raw<'_>| {
            for (x, words_expected) in expected {
                if name == format!("layers.{l}.{x}") {
                    assert_eq!(words, Raw::Narrow(words_expected));
                    assert_eq!(rows, vectors.tokens);
                    met += 1;
                }
            }
        }).unwrap();
        prop_assert_eq!(met, 4);
        let y = twin.attention(l).unwrap().run(&vectors.q, &vectors.k, &vectors.v).y;
        prop_assert_eq!(y, vectors.y);
        prop_assert!(twin.attention_vectors(&data[0], spec.layers).is_err());
    }
}

/// 8 bits on a model of the size of a text classifier.
/// Inputs of this model's GELU reach past what its results need: f's format must hold max(u, 0), which the law rounds first.
#[test]
fn gelu_keeps_its_budget_where_its_inputs_exceed_its_results() {
    let spec: ModelSpec = toml::from_str(
        r#"
        layers = 2
        heads = 3
        d_model = 31
        features = 11
        values = 15
        n_max = 6
        order = "two-pass"
        alpha = 0.37
        scale = { init = 100.0, learnt = true }
        nonlinearity = "sigmoid"
        position = { decay = 1.0, distance = { kind = "euclid", columns = 5 } }
        feed-forward = { width = 7, activation = "gelu" }
        input = { kind = "tokens", vocabulary = 63 }
        output = { kind = "classes", size = 11, pooling = "mean" }
        "#,
    )
    .unwrap();
    let (twin, golden, data) = twin(&spec, 16, 3976763582712301813);
    let report = compare(&golden, &twin, &data).unwrap();
    assert_eq!(report.over(&Budget::new(&QuantizeSpec::default())), []);
}

#[test]
fn eight_bits_keep_their_budget() {
    let spec: ModelSpec = toml::from_str(
        "layers = 2\nheads = 2\nd_model = 32\nfeatures = 16\nvalues = 16\nn_max = 120\norder = \"two-pass\"\n\
         input = { kind = \"tokens\", vocabulary = 500 }\noutput = { kind = \"classes\", size = 2, pooling = \"mean\" }",
    )
    .unwrap();
    for seed in 0..4 {
        let (twin, golden, data) = twin(&spec, 8, seed);
        let report = compare(&golden, &twin, &data).unwrap();
        let quantize = QuantizeSpec {
            activation_bits: 8,
            weight_bits: 8,
            ..Default::default()
        };
        assert_eq!(report.over(&Budget::new(&quantize)), []);
    }
}

#[test]
fn controls_in_floating_point_are_refused_by_name() {
    for (control, field) in [
        ("attention = \"softmax\"", "model.attention"),
        ("attention = \"none\"", "model.attention"),
        ("scale = { outside = true }", "model.scale.outside"),
        ("calcium = { learnt = true }", "model.calcium"),
        ("calcium = { neighbours = 0.5 }", "model.calcium"),
    ] {
        let text = "layers = 1\nheads = 2\nd_model = 8\nfeatures = 4\nvalues = 4\nn_max = 4\norder = \"two-pass\"\n\
                    input = { kind = \"tokens\", vocabulary = 5 }\noutput = { kind = \"classes\", size = 2 }\n";
        let spec: ModelSpec = toml::from_str(&format!("{text}{control}")).unwrap();
        let (weights, data) = (trained_like(&spec, 1), sequences(&spec, 2, 1));
        let error = Plan::calibrate(&spec, &QuantizeSpec::default(), &weights, &data)
            .unwrap_err()
            .to_string();
        assert!(error.contains(field) && error.contains("no integer form"), "{error}");
    }
}

#[test]
fn calibration_refuses_what_it_cannot_use() {
    let spec: ModelSpec = toml::from_str(
        "layers = 1\nheads = 1\nd_model = 8\nfeatures = 4\nvalues = 4\nn_max = 4\norder = \"two-pass\"\n\
         input = { kind = \"tokens\", vocabulary = 5 }\noutput = { kind = \"classes\", size = 2 }",
    )
    .unwrap();
    let quantize = QuantizeSpec::default();
    let (weights, data) = (trained_like(&spec, 1), sequences(&spec, 2, 1));
    let says = |result: crate::Result<Plan>, what: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(what), "{error:?} does not say {what:?}");
    };
    says(
        Plan::calibrate(&spec, &quantize, &weights, &[]),
        "calibration: expected at least one sequence",
    );
    let mut bad = weights.clone();
    bad.tensors.get_mut("layers.0.attention.w_q").unwrap().data[3] = f32::NAN;
    says(
        Plan::calibrate(&spec, &quantize, &bad, &data),
        "layers.0.attention.w_q[3]",
    );
    let mut bad = weights.clone();
    bad.tensors.get_mut("head.bias").unwrap().data[0] = 1e30;
    says(Plan::calibrate(&spec, &quantize, &bad, &data), "head.bias");
    let long = Sequence::Tokens {
        slots: 1,
        ids: vec![1; 5],
    };
    says(
        Plan::calibrate(&spec, &quantize, &weights, &[long]),
        "sequence length: expected 1 to 4, found 5",
    );
}
