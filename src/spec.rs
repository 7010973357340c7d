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

pub use chunk::{MAX_CHUNK, SCORE_BITS};
pub(crate) use chunk::{check as check_chunk, score_bits};

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

fn default_alpha() -> f64 {
    0.25
}

/// When a token may read what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Write all, seal, read all (encoders).
    TwoPass,
    /// Write, seal and read each token in turn: a token sees itself and the past.
    Causal,
}

/// The attention under one specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionKind {
    /// Positional key w_t and calcium exponent α.
    #[default]
    Astromorphic,
    /// α = 1, no w_t, f = identity: the network of Kozachkov et al. (2023).
    Linear,
    /// Linear with S divided by N_max^(1−`alpha`): the gain of the astromorphic form without its non-linearity.
    GainMatched,
    /// Softmax attention. A floating-point baseline: it has no hardware.
    Softmax,
}

/// The scale S.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scale {
    /// Initial or fixed value; 0 stands for m, the number of features.
    #[serde(default)]
    pub init: f64,
    /// Learnt per head as exp(log S), or fixed.
    #[serde(default)]
    pub learnt: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Scale {
            init: 0.0,
            learnt: true,
        }
    }
}

/// The non-linearity f on the Hebbian matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nonlinearity {
    /// H = Z/S.
    #[default]
    Identity,
    /// H = σ(Z/S), the paper's equation 11.
    Sigmoid,
    /// H = clamp(Z/(4S) + 1/2, 0, 1): σ's tangent, made of a shift and an addition.
    HardSigmoid,
}

/// Pd, the distance matrix behind w = φ(MᵀM Pd Mᵀ)ᵀ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Position {
    /// s ≥ 0 in ρ = exp(−s).
    #[serde(default = "default_decay")]
    pub decay: f64,
    /// Distance between two token positions.
    #[serde(default)]
    pub distance: Distance,
}

fn default_decay() -> f64 {
    0.05
}

impl Default for Position {
    fn default() -> Self {
        Position {
            decay: default_decay(),
            distance: Distance::Line,
        }
    }
}

/// Distance between positions i and j.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Distance {
    /// |i − j|.
    #[default]
    Line,
    /// Tokens lie row by row on a grid `columns` wide: the larger of the row and column distances.
    Chebyshev {
        /// Width of the grid.
        columns: usize,
    },
    /// The straight-line distance on the same grid.
    Euclid {
        /// Width of the grid.
        columns: usize,
    },
}

/// Where layer norm stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormOrder {
    /// LN(x + attention(x)), LN(x + ff(x)).
    #[default]
    Post,
    /// x + attention(LN(x)), x + ff(LN(x)), and a norm at the end.
    Pre,
}

/// The feed-forward network W2 act(W1 x).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedForward {
    /// Hidden width; 0 stands for 2D.
    #[serde(default)]
    pub width: usize,
    /// Activation.
    #[serde(default)]
    pub activation: Activation,
}

impl Default for FeedForward {
    fn default() -> Self {
        FeedForward {
            width: 0,
            activation: Activation::Relu,
        }
    }
}

/// Activation of the feed-forward network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x Φ(x), with the exact error function.
    Gelu,
}

/// What a token is before the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Input {
    /// `slots` identifiers a position, whose embeddings are summed; identifier 0 means "none" and contributes nothing.
    Tokens {
        /// Number of identifiers V, 2 to 262,144.
        vocabulary: usize,
        /// Identifiers a position (2: a pair in one token, or a word and its bigram).
        #[serde(default = "one")]
        slots: usize,
        /// Absolute positions added to the embedding.
        #[serde(default)]
        positions: Absolute,
    },
    /// A vector of `width` features a token (image patches, sensor frames), through a dense layer.
    Vectors {
        /// Features a token.
        width: usize,
        /// Absolute positions added after the dense layer.
        #[serde(default)]
        positions: Absolute,
    },
}

fn one() -> usize {
    1
}

/// Absolute positional embedding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absolute {
    /// None (the "paper" profile).
    #[default]
    None,
    /// A learnt N_max × D table.
    Learnt,
    /// The fixed sine and cosine table.
    Sinusoidal,
}

/// Pooling and the linear head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    /// Classes of a sequence, or a vocabulary of next tokens: what `size` counts.
    pub kind: OutputKind,
    /// Number of logits.
    pub size: usize,
    /// How tokens become one vector.
    #[serde(default)]
    pub pooling: Pooling,
}

/// What the logits mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Classes.
    Classes,
    /// The next token of a vocabulary.
    Vocabulary,
}

/// How tokens become logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// One row of logits for every token.
    #[default]
    None,
    /// Mean over the tokens.
    Mean,
    /// The last token.
    Last,
}

/// Widths of the integer model: what stands under `[quantize]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuantizeSpec {
    /// Operand width W of activations, φ, w and H: 8 to 18 bits.
    pub activation_bits: u32,
    /// Width of weights and embeddings, 4 to 18 bits.
    pub weight_bits: u32,
    /// Index bits of the exponential table of φ.
    pub phi_index_bits: u32,
    /// Mantissa bits of the calcium power table.
    pub power_mantissa_bits: u32,
    /// Mantissa bits of the reciprocal table.
    pub reciprocal_mantissa_bits: u32,
    /// Mantissa bits of the 1/√ table.
    pub rsqrt_mantissa_bits: u32,
    /// Index bits of the sigmoid table.
    pub sigmoid_index_bits: u32,
    /// Index bits of the GELU table.
    pub gelu_index_bits: u32,
    /// T, tokens of a chunk of causal attention, 2 to 64; 1 is the recurrence. Not written when it is 1.
    #[serde(skip_serializing_if = "is_one")]
    pub chunk: usize,
}

fn is_one(x: &usize) -> bool {
    *x == 1
}

impl Default for QuantizeSpec {
    fn default() -> Self {
        QuantizeSpec {
            activation_bits: 16,
            weight_bits: 16,
            phi_index_bits: 10,
            power_mantissa_bits: 6,
            reciprocal_mantissa_bits: 9,
            rsqrt_mantissa_bits: 9,
            sigmoid_index_bits: 10,
            gelu_index_bits: 9,
            chunk: 1,
        }
    }
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
                "\"identity\" with a baseline attention (linear, gain-matched, softmax)",
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
        self.attention == AttentionKind::Astromorphic
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

impl QuantizeSpec {
    /// Refuses widths the arithmetic is not proved for, whatever the model ([`Self::validate_for`] knows it).
    pub fn validate(&self) -> Result<()> {
        range("quantize.activation_bits", self.activation_bits, 8, 18)?;
        range("quantize.weight_bits", self.weight_bits, 4, 18)?;
        range("quantize.phi_index_bits", self.phi_index_bits, 4, 12)?;
        range("quantize.power_mantissa_bits", self.power_mantissa_bits, 2, 10)?;
        range(
            "quantize.reciprocal_mantissa_bits",
            self.reciprocal_mantissa_bits,
            4,
            12,
        )?;
        range("quantize.rsqrt_mantissa_bits", self.rsqrt_mantissa_bits, 4, 12)?;
        range("quantize.sigmoid_index_bits", self.sigmoid_index_bits, 6, 12)?;
        range("quantize.gelu_index_bits", self.gelu_index_bits, 4, 12)?;
        chunk::in_range("quantize.chunk", self.chunk)
    }
}
