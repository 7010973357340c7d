//! The golden model: every equation of the network in floating point, with every intermediate tensor in sight.
//!
//! Generic over [`Real`] (any `num_traits::Float`): f64 is the reference, f32 the fast form. Sources: Mia, Bal, Sengupta, "Delving Deeper
//! Into Astromorphic Transformers" (arXiv 2312.10925 v3), equations 4–18 and Algorithm 1, in the two orders of `docs/arithmetic.md` section 6.
//!
//! | file | computes |
//! |---|---|
//! | `function` | φ, f on H, s^α, GELU, layer norm |
//! | `dense` | x W + b |
//! | [`stream`] | attention of one head, token by token: write, seal, read |
//! | [`batch`] | the same as matrix products, and softmax attention |
//! | `attention`, `layer`, `model` | heads, layers and the whole Transformer |
//! | [`loss`] | cross-entropy and its gradient by central differences |
//!
//! The tensors an observer sees carry the names and the order of `docs/arithmetic.md` section 8. Their columns hold the heads side by side:
//!
//! | tensor | rows × columns |
//! |---|---|
//! | `x0 n1 x1 n2 d o r1 r2 x xf` | N × D |
//! | `q k a b w aw` | N × Hh·m |
//! | `v num y` | N × Hh·e |
//! | `p` | N × Hh·T; only of a model in chunks of T ([`Golden::in_chunks_of`]) |
//! | `C` | N × Hh |
//! | `Z H` | Hh·m × e (two-pass: of the sequence; causal: after the last token) |
//! | `s g` | Hh × m (likewise) |
//! | `u f` | N × F |
//! | `pooled`, `logits` | 1 × D, rows × size |
//!
//! - `v` and `Z` are divided by S, as the integer law has them: S is folded into W_V and b_V, so H = f(Z). Softmax has no S.
//! - `w`, the rows 0..N of the positional table, stands between `b` and `aw`; the baselines have none, and their `aw` is `a`.
//! - Softmax attention shows only `q k v y o` of its own.
//!
//! ```
//! # let spec: astromorph::spec::ModelSpec = toml::from_str(r#"
//! #     layers = 1
//! #     heads = 2
//! #     d_model = 8
//! #     features = 4
//! #     values = 4
//! #     n_max = 16
//! #     order = "two-pass"
//! #     input = { kind = "tokens", vocabulary = 10 }
//! #     output = { kind = "classes", size = 2, pooling = "mean" }
//! # "#).unwrap();
//! use astromorph::{golden::Golden, sequence::Sequence, weights::Weights};
//! let golden = Golden::<f64>::new(&spec, &Weights::random(&spec, 1)).unwrap(); // D = 8, 2 heads
//! let sequence = Sequence::Tokens { slots: 1, ids: vec![3, 1, 4] };
//! let mut names = Vec::new();
//! let logits = golden.forward(&sequence, &mut |name, rows, columns, _| names.push((name.to_string(), rows, columns))).unwrap();
//! assert_eq!((logits.rows, logits.columns), (1, 2));
//! assert_eq!(names[0], ("x0".into(), 3, 8));
//! assert_eq!(names.last().unwrap(), &("logits".into(), 1, 2));
//! ```

mod attention;
pub mod batch;
mod dense;
mod function;
mod layer;
pub mod loss;
mod model;
pub mod stream;
#[cfg(test)]
mod tests;

pub(crate) use function::phi;
pub use loss::finite_difference;
pub use model::{Golden, Logits, Observe};
pub use stream::Stream;

/// The numbers the golden model computes with: `f32`, `f64`, or any other thread-safe `Float`.
pub trait Real: num_traits::Float + Send + Sync + 'static {}

impl<T: num_traits::Float + Send + Sync + 'static> Real for T {}

/// ε, below which neither C nor (before the power) s may fall: 2^-10.
pub const EPSILON: f64 = 1.0 / 1024.0;

/// ε of the layer norm.
pub const NORM_EPSILON: f64 = 1e-5;

/// The nearest number of type `T`.
pub(crate) fn real<T: num_traits::Float>(x: f64) -> T {
    // A `Float` that cannot take an f64 does not exist among `num_traits`' own; NaN would be seen at once.
    T::from(x).unwrap_or_else(T::nan)
}
