//! The parts of a model's specification and what may stand for each.
//!
//! ```
//! use astromorph::spec::{Distance, Position};
//! let grid: Position = toml::from_str("distance = { kind = 'euclid', columns = 8 }").unwrap();
//! assert_eq!((grid.decay, grid.distance), (0.05, Distance::Euclid { columns: 8 }));
//! ```

use serde::{Deserialize, Serialize};

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
    /// No attention: o = 0, no token knows of another before the pooling. A control in floating point.
    None,
}

impl AttentionKind {
    /// Whether the astrocyte's matrices Z and s are written: every kind but softmax and none.
    pub fn is_hebbian(self) -> bool {
        !matches!(self, AttentionKind::Softmax | AttentionKind::None)
    }
}

/// What experiments change in the calcium beyond its exponent. A control in floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calcium {
    /// α is learnt, one a layer, as the sigmoid of its tensor; `alpha` is its start, below 1.
    pub learnt: bool,
    /// κ in [0, 1]: what diffuses to the neighbouring astrocytes (heads, on a ring) before the power,
    /// s_h ← (1 − κ) s_h + κ/2 (s_{h−1} + s_{h+1}). An extension of ours: no paper has it.
    pub neighbours: f64,
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
    /// H = f(Z)/S instead of f(Z/S): the other reading of the papers' equation 11. A control in floating point.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Scale {
            init: 0.0,
            learnt: true,
            outside: false,
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
    /// No positional key: w_t = 0, and no M.
    None,
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
