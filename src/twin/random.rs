//! Random attention layers and inputs, for property tests in every crate: any size, formats near and beyond saturation.

use super::{Attention, AttentionFormats};
use crate::format::Format;
use crate::spec::{MAX_CHUNK, Nonlinearity, Order, QuantizeSpec, SCORE_BITS};
use rand::{Rng, RngExt};

/// The sizes of one attention layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionSizes {
    /// Hh, 1 to 8.
    pub heads: usize,
    /// m, 4 to 64.
    pub features: usize,
    /// e, 4 to 64.
    pub values: usize,
    /// N_max, 1 to 512.
    pub n_max: usize,
    /// W, 8 to 18.
    pub width: u32,
    /// Two-pass or causal.
    pub order: Order,
    /// f of H = f(Z/S).
    pub nonlinearity: Nonlinearity,
    /// α in (0, 1].
    pub alpha: f64,
    /// With or without the positional key.
    pub position: bool,
    /// T, tokens of a chunk; 1 for the recurrence and for two-pass attention.
    pub chunk: usize,
}

impl AttentionSizes {
    /// Draws sizes over the whole range the law holds for; N_max at most `n_limit`, W at most `width_limit`.
    pub fn draw(rng: &mut impl Rng, n_limit: usize, width_limit: u32) -> Self {
        let pick = |rng: &mut dyn Rng, n: usize| rng.next_u32() as usize % n;
        AttentionSizes {
            heads: 1 + pick(rng, 8),
            features: 4 + pick(rng, 61),
            values: 4 + pick(rng, 61),
            n_max: 1 + pick(rng, n_limit),
            width: 8 + pick(rng, width_limit as usize - 7) as u32,
            order: [Order::TwoPass, Order::Causal][pick(rng, 2)],
            nonlinearity: [Nonlinearity::Identity, Nonlinearity::Sigmoid, Nonlinearity::HardSigmoid][pick(rng, 3)],
            alpha: [1.0, 0.5, 0.25, 0.37][pick(rng, 4)],
            position: pick(rng, 4) > 0,
            chunk: 1,
        }
    }

    /// Draws sizes of attention in chunks: T over its whole range, longer than a sequence too.
    pub fn draw_chunked(rng: &mut impl Rng, n_limit: usize, width_limit: u32) -> Self {
        let pick = |rng: &mut dyn Rng, n: usize| rng.next_u32() as usize % n;
        let drawn = Self::draw(rng, n_limit, width_limit.min(15));
        let chunk = match pick(rng, 2) {
            0 => 2 + pick(rng, MAX_CHUNK - 1),
            _ => 2 + pick(rng, drawn.n_max),
        };
        // Scores of at most 31 bits: the wider the operands, the fewer the features.
        let most = 1usize << (SCORE_BITS + 1 - 2 * drawn.width);
        AttentionSizes {
            order: Order::Causal,
            nonlinearity: Nonlinearity::Identity,
            features: drawn.features.min(most),
            chunk: chunk.min(MAX_CHUNK),
            ..drawn
        }
    }
}

impl Attention {
    /// A layer of the given sizes with random formats and positional keys. Formats are drawn around what calibration would choose,
    /// some of them too narrow, so that saturation is exercised.
    pub fn random(rng: &mut impl Rng, sizes: AttentionSizes) -> Self {
        let w = sizes.width as i32;
        let serial = sizes.width.max(16);
        let mut near = |frac: i32, slack: i32| Format::new(sizes.width, frac + rng.random_range(-slack..=slack));
        let (q, k) = (near(w - 4, 1), near(w - 4, 1));
        let (v, a, b) = (near(w - 2, 2), near(w - 4, 1), near(w - 4, 1));
        let typical = (sizes.n_max as f64).sqrt() * 4.0;
        let h = match sizes.nonlinearity {
            Nonlinearity::Identity => near(Format::holding(sizes.width, typical).frac, 2),
            _ => Format::new(sizes.width, w - 1),
        };
        let calcium = 8.0 * sizes.n_max as f64;
        let g = Format::holding(serial, calcium.powf(sizes.alpha).max(1.0));
        let y = near(
            Format::holding(sizes.width, (typical / calcium.powf(sizes.alpha)).max(0.05)).frac,
            2,
        );
        let keys = if sizes.position {
            sizes.heads * sizes.n_max * sizes.features
        } else {
            0
        };
        let top = (1i32 << (sizes.width - 1)) - 1;
        let positional = (0..keys).map(|_| rng.random_range(0..=top / 2)).collect();
        let quantize = QuantizeSpec {
            phi_index_bits: rng.random_range(4..=10),
            power_mantissa_bits: rng.random_range(2..=6),
            reciprocal_mantissa_bits: rng.random_range(4..=10),
            sigmoid_index_bits: rng.random_range(6..=10),
            chunk: sizes.chunk,
            ..QuantizeSpec::default()
        };
        let formats = AttentionFormats { q, k, v, a, b, h, g, y };
        Attention::build(
            sizes.heads,
            sizes.features,
            sizes.values,
            sizes.n_max,
            sizes.order,
            sizes.nonlinearity,
            sizes.alpha,
            formats,
            &quantize,
            positional,
        )
    }
}

/// Random q, k (N × Hh·m) and v (N × Hh·e): full range mixed with small values and the two extremes. One token in eight has q at its lowest
/// throughout, another one k, so that C falls below c_min and s stays at zero where the widths allow it.
pub fn random_inputs(rng: &mut impl Rng, att: &Attention, n: usize) -> (Vec<i32>, Vec<i32>, Vec<i32>) {
    let top = (1i32 << (att.width() - 1)) - 1;
    let mut draw = |count: usize| -> Vec<i32> {
        (0..count)
            .map(|_| match rng.random_range(0..8) {
                0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
                1..=3 => rng.random_range(-top - 1..=top),
                _ => rng.random_range(-top - 1..=top) >> rng.random_range(1..att.width()),
            })
            .collect()
    };
    let (hm, he) = (att.heads * att.features, att.heads * att.values);
    let (mut q, mut k, v) = (draw(n * hm), draw(n * hm), draw(n * he));
    for x in [&mut q, &mut k] {
        for row in x.chunks_exact_mut(hm) {
            if rng.random_range(0..8) == 0 {
                row.fill(-top - 1);
            }
        }
    }
    (q, k, v)
}
