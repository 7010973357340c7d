//! Random models, images and cores: what the compiler and every form of the engine are compared on.
//!
//! ```
//! use astromorph_host::compile::{compile, random::random_model};
//! use rand::SeedableRng;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let model = random_model(&mut rng).unwrap();
//! compile(&model.image, &model.core).unwrap();
//! ```

use super::{Options, compile_with};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::*;
use astromorph::weights::Weights;
use rand::{Rng, RngExt};

/// One of a few.
fn one<T: Copy>(rng: &mut impl Rng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// Any kind of model, small: 1 to 3 layers, 1 to 4 heads, odd sizes too.
pub fn random_spec(rng: &mut impl Rng) -> ModelSpec {
    let n_max = rng.random_range(1..=24);
    let order = one(rng, &[Order::TwoPass, Order::Causal]);
    let kinds = [
        AttentionKind::Astromorphic,
        AttentionKind::Linear,
        AttentionKind::GainMatched,
    ];
    let attention = if rng.random_range(0..3) > 0 {
        kinds[0]
    } else {
        one(rng, &kinds)
    };
    let seals = [Nonlinearity::Identity, Nonlinearity::Sigmoid, Nonlinearity::HardSigmoid];
    let nonlinearity = if attention == kinds[0] {
        one(rng, &seals)
    } else {
        seals[0]
    };
    let positions = one(rng, &[Absolute::None, Absolute::Learnt, Absolute::Sinusoidal]);
    let vocabulary = order == Order::Causal && rng.random_range(0..2) == 0;
    let columns = rng.random_range(1..=n_max);
    let distances = [
        Distance::Line,
        Distance::Chebyshev { columns },
        Distance::Euclid { columns },
        Distance::None,
    ];
    ModelSpec {
        layers: rng.random_range(1..=3),
        heads: rng.random_range(1..=4),
        d_model: rng.random_range(4..=24),
        features: rng.random_range(4..=12),
        values: rng.random_range(4..=12),
        n_max,
        order,
        attention,
        alpha: one(rng, &[1.0, 0.5, 0.25, 0.37]),
        calcium: Calcium::default(),
        scale: Scale {
            init: one(rng, &[0.0, 2.0, 100.0]),
            learnt: true,
            outside: false,
        },
        nonlinearity,
        position: Position {
            decay: one(rng, &[0.0, 0.05, 1.0]),
            distance: one(rng, &distances),
        },
        norm: one(rng, &[NormOrder::Post, NormOrder::Pre]),
        feed_forward: FeedForward {
            width: one(rng, &[0, 7, 30]),
            activation: one(rng, &[Activation::Relu, Activation::Gelu]),
        },
        input: match rng.random_range(0..2) {
            0 => Input::Tokens {
                vocabulary: rng.random_range(2..60),
                slots: rng.random_range(1..=3),
                positions,
            },
            _ => Input::Vectors {
                width: rng.random_range(1..20),
                positions,
            },
        },
        output: Output {
            kind: if vocabulary {
                OutputKind::Vocabulary
            } else {
                OutputKind::Classes
            },
            size: rng.random_range(2..20),
            pooling: match vocabulary {
                true => Pooling::None,
                false => one(rng, &[Pooling::None, Pooling::Mean, Pooling::Last]),
            },
        },
    }
}

/// An image of a model with random weights, W 8 to 18, tables of any size.
pub fn random_image(spec: &ModelSpec, rng: &mut impl Rng) -> Result<Image> {
    let activation_bits = one(rng, &[8, 8, 9, 10, 12, 15, 16, 16, 17, 18]);
    random_image_of(spec, activation_bits, rng)
}

/// The same of a given width.
pub fn random_image_of(spec: &ModelSpec, activation_bits: u32, rng: &mut impl Rng) -> Result<Image> {
    let quantize = QuantizeSpec {
        activation_bits,
        weight_bits: rng.random_range(4..=activation_bits),
        phi_index_bits: rng.random_range(4..=8),
        power_mantissa_bits: rng.random_range(2..=5),
        reciprocal_mantissa_bits: rng.random_range(4..=8),
        rsqrt_mantissa_bits: rng.random_range(4..=8),
        sigmoid_index_bits: rng.random_range(6..=9),
        gelu_index_bits: rng.random_range(4..=8),
        chunk: random_chunk(spec, activation_bits, rng),
    };
    let mut weights = Weights::random(spec, rng.random());
    // As training leaves them: biases, γ and β of every size.
    for (name, tensor) in weights.tensors.iter_mut() {
        let last = name.rsplit('.').next().unwrap_or(name);
        let is_addend = last == "beta" || last == "bias" || last.starts_with("b_");
        for x in tensor.data.iter_mut() {
            let r: f32 = rng.random_range(-1.0..1.0);
            match last {
                "gamma" => *x = 1.0 + 0.5 * r,
                _ if is_addend => *x = 0.3 * r,
                _ => *x *= 1.0 + 0.5 * r,
            }
        }
    }
    let sequences: Vec<Sequence> = (0..4).map(|_| Sequence::random(spec, rng)).collect();
    let plan = Plan::calibrate(spec, &quantize, &weights, &sequences)?;
    Image::build(spec, &quantize, &weights, &plan)
}

/// T of a chunk, in half of the models that have chunks; longer than a sequence too.
fn random_chunk(spec: &ModelSpec, activation_bits: u32, rng: &mut impl Rng) -> usize {
    let chunk = rng.random_range(2..=spec.n_max + 2);
    let chunked = QuantizeSpec {
        activation_bits,
        chunk,
        ..Default::default()
    };
    match rng.random_range(0..2) == 0 && chunked.validate_for(spec).is_ok() {
        true => chunk,
        false => 1,
    }
}

/// A model and a core that holds it.
pub struct RandomModel {
    /// The model.
    pub image: Image,
    /// The core.
    pub core: EngineConfig,
    /// Draws before this one that no core computes: a format at an end of its range, an addend of more than 32 bits.
    pub refused: Vec<astromorph::Error>,
}

/// Draws until a core computes the model: random weights calibrate to formats that training seldom gives.
pub fn random_model(rng: &mut impl Rng) -> Result<RandomModel> {
    let mut refused = Vec::new();
    loop {
        let spec = random_spec(rng);
        let image = random_image(&spec, rng)?;
        let core = large_core(&image, rng);
        match compile_with(&image, &core, Options::default()) {
            Ok(_) => {
                let core = random_core(&image, core, rng);
                return Ok(RandomModel { image, core, refused });
            }
            Err(e) if refused.len() == 20 => return Err(e),
            Err(e) => refused.push(e),
        }
    }
}

/// A core of any number of lanes on which every small model fits.
fn large_core(image: &Image, rng: &mut impl Rng) -> EngineConfig {
    let chunked = image.quantize().chunked().is_some();
    EngineConfig {
        name: "random".into(),
        lanes: 2 * rng.random_range(1..=12),
        width: image.quantize().activation_bits,
        acc_bits: 48,
        bank_words: 1 << 14,
        x_words: 1 << 14,
        m_words: 1 << 17,
        function_words: 1 << 13,
        mantissa_words: 1 << 12,
        // In chunks T·Hh·m words of g.
        sums: if chunked { 2048 } else { 64 },
        reads: one(rng, &[4, 8, 32, 128]),
        norm_width: 32,
        norm_words: 512,
        chunked,
    }
}

/// The core itself in half of the draws, else with banks and X cut down step by step while the model still fits.
fn random_core(image: &Image, mut core: EngineConfig, rng: &mut impl Rng) -> EngineConfig {
    if rng.random_range(0..2) == 0 {
        return core;
    }
    for _ in 0..24 {
        let mut smaller = core.clone();
        let field = if rng.random_range(0..3) == 0 {
            &mut smaller.x_words
        } else {
            &mut smaller.bank_words
        };
        *field = (*field * rng.random_range(40..100) / 100) & !1;
        if smaller.validate().is_ok() && compile_with(image, &smaller, Options::default()).is_ok() {
            core = smaller;
        }
    }
    core
}
