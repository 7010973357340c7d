//! Speed of the integer twin's attention in every order: one head, m = e = 32, N = 400, 8-bit operands, one thread.

use super::{TOKENS, add};
use crate::progress::Progress;
use crate::report::Report;
use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{AttentionSizes, speed};
use std::time::Duration;

/// Order, T and what they are called.
const FORMS: [(Order, usize, &str); 4] = [
    (Order::TwoPass, 1, "two-pass"),
    (Order::Causal, 1, "causal, the recurrence"),
    (Order::Causal, 16, "causal, chunks of 16"),
    (Order::Causal, 64, "causal, chunks of 64"),
];

/// Measures each form for a second and adds a row.
pub fn twins(progress: &Progress, report: &mut Report) {
    progress.stage("integer twin, by order");
    for (order, chunk, name) in FORMS {
        let sizes = AttentionSizes {
            heads: 1,
            features: 32,
            values: 32,
            n_max: TOKENS,
            width: 8,
            order,
            nonlinearity: Nonlinearity::Identity,
            alpha: 0.25,
            position: true,
            chunk,
        };
        let speed = speed::attention(sizes, Duration::from_secs(1)).tokens_per_second();
        add(report, &format!("integer twin, 8 bits, {name}"), speed, "tokens/s", "");
    }
}
