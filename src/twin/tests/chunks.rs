//! Chunks against the recurrence: what the two integer laws of one model cost in accuracy, over many models.

use super::*;
use crate::fixture::drawn;

/// SQNR of one tensor in every model, lowest first.
type Found = std::collections::BTreeMap<&'static str, Vec<f64>>;

/// Causal models of up to 128 tokens at 8 bits.
fn found(chunk: usize) -> Found {
    let mut found = Found::new();
    for seed in 0..100u64 {
        let spec = ModelSpec {
            order: Order::Causal,
            nonlinearity: Nonlinearity::Identity,
            position: Default::default(),
            n_max: 1 + (seed as usize * 7) % 128,
            ..drawn(seed)
        };
        let quantize = QuantizeSpec {
            activation_bits: 8,
            weight_bits: 8,
            chunk,
            ..Default::default()
        };
        let (weights, data) = (trained_like(&spec, seed), sequences(&spec, 24, seed + 1));
        let plan = Plan::calibrate(&spec, &quantize, &weights, &data).unwrap();
        let twin = Twin::new(&Image::build(&spec, &quantize, &weights, &plan).unwrap()).unwrap();
        let golden = Golden::new(&spec, &weights).unwrap().in_chunks_of(quantize.chunked());
        for t in compare(&golden, &twin, &data).unwrap().tensors {
            let names = ["p", "H", "num", "y", "logits"];
            let last = names.into_iter().find(|x| t.name.rsplit('.').next() == Some(x));
            if let (Some(name), Some(sqnr)) = (last, t.sqnr) {
                found.entry(name).or_default().push(sqnr);
            }
            // Calibration leaves p room: what saturates comes from the words that it is computed from.
            assert!(
                last != Some("p") || t.saturated * 100_000 <= t.count,
                "{seed}: {}",
                t.saturated
            );
        }
    }
    found.values_mut().for_each(|sqnr| sqnr.sort_by(f64::total_cmp));
    found
}

/// `-- --nocapture` prints the table of `docs/measured.md`.
#[test]
fn chunks_are_as_exact_as_the_recurrence() {
    let (chunks, recurrence) = (found(16), found(1));
    for (form, found) in [("recurrence", &recurrence), ("chunks of 16", &chunks)] {
        for (name, sqnr) in found {
            let n = sqnr.len();
            let (least, tenth, median) = (sqnr[0], sqnr[n / 10], sqnr[n / 2]);
            println!("{form}: {name} of {n}: least {least:.1} dB, a tenth below {tenth:.1}, median {median:.1}");
        }
    }
    for name in ["num", "y", "logits"] {
        let (ours, theirs) = (&chunks[name], &recurrence[name]);
        for part in [10, 2] {
            let (ours, theirs) = (ours[ours.len() / part], theirs[theirs.len() / part]);
            assert!(ours > theirs - 1.0, "{name}: {ours} dB, the recurrence {theirs}");
        }
    }
}
