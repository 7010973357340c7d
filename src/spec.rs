//! The specification of a model: what stands under `[model]` and `[quantize]` of `model.toml`.
//!
//! Symbols: N tokens (at most `n_max`), D = `d_model`, Hh = `heads`, m = `features` and e = `values` per head, α = `alpha`,
//! S = `scale`, ρ = exp(−`decay`).
//!
//! ```
//! let spec: astromorph::spec::ModelSpec = toml::from_str(r#"
//!     layers = 1
//!     heads = 2
//!     d_model = 32
//!     features = 16
//!     values = 16
//!     n_max = 256
//!     order = "two-pass"
//!     input = { kind = "tokens", vocabulary = 20000 }
//!     output = { kind = "classes", size = 2, pooling = "mean" }
//! "#).unwrap();
//! spec.validate().unwrap();
//! assert_eq!(spec.alpha, 0.25); // the papers' calcium exponent is the default
//! ```

mod chunk;
mod parts;
mod quantize;

pub use chunk::{MAX_CHUNK, SCORE_BITS};
pub(crate) use chunk::{check as check_chunk, score_bits};
pub use parts::*;
pub use quantize::QuantizeSpec;

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Architecture of the whole Transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSpec {
    /// Number of layers, 1 to 64.
    pub layers: usize,
    /// Attention heads Hh, 1 to 8.
    pub heads: usize,
    /// Model width D, 4 to 1024.
    #[serde(rename = "d_model")]
    pub d_model: usize,
    /// Features m of a head (hidden neurons), 4 to 64.
    pub features: usize,
    /// Values e of a head (output neurons), 4 to 64.
    pub values: usize,
    /// Longest sequence N_max, 1 to 512: the width of the positional parameter M.
    #[serde(rename = "n_max")]
    pub n_max: usize,
    /// Two-pass (all tokens written before any is read) or causal (cumulative).
    pub order: Order,
    /// Astromorphic, or one of the baselines under the same specification.
    #[serde(default)]
    pub attention: AttentionKind,
    /// Calcium exponent α of g = (Σφ(k))^α, in (0, 1]. The baselines fix it at 1.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// What experiments change in the calcium.
    #[serde(default, skip_serializing_if = "is_default")]
    pub calcium: Calcium,
    /// The scale S that divides the Hebbian matrix.
    #[serde(default)]
    pub scale: Scale,
    /// Non-linearity f on H = f(Z/S).
    #[serde(default)]
    pub nonlinearity: Nonlinearity,
    /// The positional key w_t (astrocytic Hebbian term); ignored by the baselines.
    #[serde(default)]
    pub position: Position,
    /// Post-norm (the papers' Algorithm 1) or pre-norm.
    #[serde(default)]
    pub norm: NormOrder,
    /// The per-token feed-forward network.
    #[serde(default)]
    pub feed_forward: FeedForward,
    /// What a token is.
    pub input: Input,
    /// Pooling and head.
    pub output: Output,
}

fn is_default(x: &Calcium) -> bool {
    *x == Calcium::default()
}

fn default_alpha() -> f64 {
    0.25
}

/// Checks `lo <= value <= hi`.
pub(crate) fn range<T: PartialOrd + std::fmt::Display>(field: &str, value: T, lo: T, hi: T) -> Result<()> {
    if value < lo || value > hi {
        return Err(Error::field(field, format!("{lo} to {hi}"), value));
    }
    Ok(())
}

impl ModelSpec {
    /// Refuses sizes out of range and fields that contradict each other.
    pub fn validate(&self) -> Result<()> {
        range("model.layers", self.layers, 1, 64)?;
        range("model.heads", self.heads, 1, 8)?;
        range("model.d_model", self.d_model, 4, 1024)?;
        range("model.features", self.features, 4, 64)?;
        range("model.values", self.values, 4, 64)?;
        range("model.n_max", self.n_max, 1, 512)?;
        range("model.feed-forward.width", self.feed_forward.width, 0, 4096)?;
        range("model.output.size", self.output.size, 2, 262_144)?;
        let finite = |field: &str, x: f64, ok: bool, expected: &str| {
            if x.is_finite() && ok {
                Ok(())
            } else {
                Err(Error::field(field, expected, x))
            }
        };
        let alpha = self.alpha;
        finite("model.alpha", alpha, alpha > 0.0 && alpha <= 1.0, "a number in (0, 1]")?;
        finite(
            "model.scale.init",
            self.scale.init,
            self.scale.init >= 0.0,
            "a number ≥ 0",
        )?;
        let (kappa, learnt) = (self.calcium.neighbours, self.calcium.learnt);
        let ok = (0.0..=1.0).contains(&kappa) && (kappa == 0.0 || self.heads > 1);
        finite(
            "model.calcium.neighbours",
            kappa,
            ok,
            "a number in [0, 1], and heads to be neighbours",
        )?;
        finite(
            "model.alpha",
            alpha,
            !learnt || alpha < 1.0,
            "a number in (0, 1) where it is learnt",
        )?;
        if self.attention != AttentionKind::Astromorphic && self.calcium != Calcium::default() {
            let expected = "nothing with a baseline attention (linear, gain-matched, softmax, none)";
            return Err(Error::field("model.calcium", expected, format!("{:?}", self.calcium)));
        }
        let decay = self.position.decay;
        finite("model.position.decay", decay, decay >= 0.0, "a number ≥ 0")?;
        if let Distance::Chebyshev { columns } | Distance::Euclid { columns } = self.position.distance {
            range("model.position.distance.columns", columns, 1, self.n_max)?;
        }
        match self.input {
            Input::Tokens { vocabulary, slots, .. } => {
                range("model.input.vocabulary", vocabulary, 2, 262_144)?;
                range("model.input.slots", slots, 1, 8)?;
            }
            Input::Vectors { width, .. } => range("model.input.width", width, 1, 4096)?,
        }
        if self.attention != AttentionKind::Astromorphic && self.nonlinearity != Nonlinearity::Identity {
            return Err(Error::field(
                "model.nonlinearity",
                "\"identity\" with a baseline attention (linear, gain-matched, softmax, none)",
                format!("{:?}", self.nonlinearity),
            ));
        }
        if self.output.kind == OutputKind::Vocabulary && self.output.pooling != Pooling::None {
            return Err(Error::field(
                "model.output.pooling",
                "\"none\" with a vocabulary head: every token predicts its next",
                format!("{:?}", self.output.pooling),
            ));
        }
        if self.output.kind == OutputKind::Vocabulary && self.order == Order::TwoPass {
            return Err(Error::field(
                "model.order",
                "\"causal\" with a vocabulary head: two-pass attention would read the token it predicts",
                "two-pass",
            ));
        }
        Ok(())
    }

    /// The exponent in force: `alpha` for the astromorphic form, 1 for the baselines.
    pub fn effective_alpha(&self) -> f64 {
        if self.attention == AttentionKind::Astromorphic {
            self.alpha
        } else {
            1.0
        }
    }

    /// Whether the positional key w_t is part of the model.
    pub fn has_position(&self) -> bool {
        self.attention == AttentionKind::Astromorphic && self.position.distance != Distance::None
    }

    /// The initial (or fixed) scale S.
    pub fn initial_scale(&self) -> f64 {
        let s = if self.scale.init == 0.0 {
            self.features as f64
        } else {
            self.scale.init
        };
        match self.attention {
            AttentionKind::GainMatched => s / (self.n_max as f64).powf(1.0 - self.alpha),
            _ => s,
        }
    }

    /// Hidden width of the feed-forward network.
    pub fn hidden(&self) -> usize {
        if self.feed_forward.width == 0 {
            2 * self.d_model
        } else {
            self.feed_forward.width
        }
    }
}
