//! The reference gradient against derivatives known in closed form.

use super::*;
use crate::golden::finite_difference;
use crate::golden::loss::mean_loss;

/// A pooled model of two heads and the gradient of its loss on two sequences.
struct Case {
    spec: ModelSpec,
    weights: Weights,
    sequences: Vec<Sequence>,
    targets: Vec<Vec<Option<u32>>>,
}

impl Case {
    fn new() -> Self {
        // GELU: a difference taken across ReLU's corner would say nothing.
        let feed_forward = FeedForward {
            width: 0,
            activation: Activation::Gelu,
        };
        let spec = ModelSpec {
            heads: 2,
            d_model: 6,
            feed_forward,
            ..plain()
        };
        Case {
            weights: any_weights(&spec, 4),
            sequences: vec![any_sequence(&spec, 7, 1), any_sequence(&spec, 5, 2)],
            targets: vec![vec![Some(2)], vec![Some(0)]],
            spec,
        }
    }

    fn gradient(&self, name: &str, index: usize) -> f64 {
        finite_difference(
            &self.spec,
            &self.weights,
            &self.sequences,
            &self.targets,
            name,
            index,
            1e-3,
        )
        .unwrap()
    }
}

/// ∂loss/∂W_head = pooled ⊗ (softmax − target), averaged.
#[test]
fn the_head_has_its_textbook_gradient() {
    let case = Case::new();
    let golden = Golden::new(&case.spec, &case.weights).unwrap();
    let mut expected = vec![0.0; 18];
    for (sequence, targets) in case.sequences.iter().zip(&case.targets) {
        let (logits, _, seen) = observed(&golden, sequence);
        let total: f64 = logits.data.iter().map(|x| x.exp()).sum();
        for (i, x) in seen["pooled"].data.iter().enumerate() {
            for c in 0..3 {
                let target = if targets[0] == Some(c as u32) { 1.0 } else { 0.0 };
                expected[i * 3 + c] += x * (logits.data[c].exp() / total - target) / 2.0;
            }
        }
    }
    let found: Vec<f64> = (0..18).map(|i| case.gradient("head.weight", i)).collect();
    assert!(distance(&found, &expected) < 1e-6, "{found:?} {expected:?}");
}

/// Dividing by S and multiplying the head's v are one thing: ∂loss/∂ln S = −Σ W_V ∂loss/∂W_V − Σ b_V ∂loss/∂b_V.
#[test]
fn the_scale_and_the_values_share_a_gradient() {
    let case = Case::new();
    for head in 0..2 {
        let mut expected = 0.0;
        for column in head * 4..head * 4 + 4 {
            let mut add = |name: &str, index: usize| {
                let name = format!("layers.0.attention.{name}");
                expected -= case.weights.tensors[&name].data[index] as f64 * case.gradient(&name, index);
            };
            (0..6).for_each(|row| add("w_v", row * 8 + column));
            add("b_v", column);
        }
        let found = case.gradient("layers.0.attention.log_s", head);
        assert!(
            (found - expected).abs() < 1e-6 && found.abs() > 1e-5,
            "head {head}: {found} {expected}"
        );
    }
}

/// Half the step, nearly the same answer, for every tensor of the model; and the learnt M has a gradient.
#[test]
fn the_quotient_has_converged_for_every_tensor() {
    let case = Case::new();
    for (name, tensor) in &case.weights.tensors {
        let index = tensor.data.len() / 2;
        let at = |h| {
            finite_difference(
                &case.spec,
                &case.weights,
                &case.sequences,
                &case.targets,
                name,
                index,
                h,
            )
            .unwrap()
        };
        let (wide, narrow) = (at(2e-3), at(1e-3));
        assert!((wide - narrow).abs() < 1e-4, "{name}: {wide} {narrow}");
    }
    assert!(case.gradient("layers.0.attention.M", 3).abs() > 1e-6);
}

#[test]
fn refusals_name_what_is_wrong() {
    let case = Case::new();
    let with = |name: &str, index, h| {
        finite_difference(
            &case.spec,
            &case.weights,
            &case.sequences,
            &case.targets,
            name,
            index,
            h,
        )
        .unwrap_err()
        .to_string()
    };
    assert!(with("head.wait", 0, 1e-3).starts_with("head.wait"));
    assert!(with("head.bias", 3, 1e-3).starts_with("index into head.bias: expected 0 to 2"));
    assert!(with("head.bias", 0, 0.0).starts_with("h: expected a step"));
    assert!(with("head.bias", 0, f64::NAN).starts_with("h: expected a step"));

    let golden = Golden::<f64>::new(&case.spec, &case.weights).unwrap();
    let loss = |targets: &[Vec<Option<u32>>]| mean_loss(&golden, &case.sequences, targets).unwrap_err().to_string();
    assert!(loss(&[vec![Some(0)]]).contains("2 sequences"));
    assert!(loss(&[vec![Some(0)], vec![]]).contains("1 rows"));
    assert!(loss(&[vec![Some(3)], vec![Some(0)]]).contains("targets[0]: expected 0 to 2, found 3"));
    assert!(loss(&[vec![None], vec![None]]).contains("at least one target"));
}
