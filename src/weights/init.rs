//! Where training starts: every tensor by a rule, reproducible from one seed.

use super::{Tensor, Weights};
use crate::spec::ModelSpec;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

impl Weights {
    /// Random weights of a valid `spec`:
    ///
    /// | tensor | start |
    /// |---|---|
    /// | dense weights | normal, std 1/√in |
    /// | biases, β | 0 |
    /// | γ | 1 |
    /// | M | normal, std 1/√N_max |
    /// | log_s | ln S |
    /// | alpha, where it is learnt | ln(α/(1 − α)) |
    /// | embedding (row 0, "none", is zero), learnt positions | normal, std 0.1 |
    pub fn random(spec: &ModelSpec, seed: u64) -> Weights {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tensors = Self::expected(spec)
            .into_iter()
            .map(|(name, shape)| {
                let size: usize = shape.iter().product();
                let last = name.rsplit('.').next().unwrap_or(&name);
                let mut normal = |std: f32| -> Vec<f32> {
                    (0..size)
                        .map(|_| {
                            let x: f32 = StandardNormal.sample(&mut rng);
                            x * std
                        })
                        .collect()
                };
                let data = match (name.as_str(), last) {
                    ("embedding.weight", _) => {
                        let mut table = normal(0.1);
                        table[..spec.d_model].fill(0.0);
                        table
                    }
                    ("position.weight", _) => normal(0.1),
                    (_, "M") => normal(1.0 / (spec.n_max as f32).sqrt()),
                    (_, "log_s") => vec![spec.initial_scale().ln() as f32; size],
                    (_, "alpha") => vec![(spec.alpha / (1.0 - spec.alpha)).ln() as f32; size],
                    (_, "gamma") => vec![1.0; size],
                    _ if shape.len() == 1 => vec![0.0; size],
                    _ => normal(1.0 / (shape[0] as f32).sqrt()),
                };
                (name, Tensor { shape, data })
            })
            .collect();
        Weights { tensors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_those_of_the_rules_and_the_seed_decides() {
        let spec: ModelSpec = toml::from_str(
            "layers = 1\nheads = 2\nd_model = 64\nfeatures = 32\nvalues = 32\nn_max = 256\norder = \"two-pass\"\n\
             input = { kind = \"tokens\", vocabulary = 500, positions = \"learnt\" }\noutput = { kind = \"classes\", size = 2 }",
        )
        .unwrap();
        let weights = Weights::random(&spec, 7);
        weights.check(&spec).unwrap();
        assert_eq!(weights, Weights::random(&spec, 7));
        assert_ne!(weights, Weights::random(&spec, 8));
        let std = |name: &str| {
            let data = &weights.tensors[name].data;
            (data.iter().map(|x| (x * x) as f64).sum::<f64>() / data.len() as f64).sqrt()
        };
        for (name, expected) in [
            ("embedding.weight", 0.1),
            ("position.weight", 0.1),
            ("layers.0.attention.w_q", 0.125),
            ("layers.0.feed_forward.w_2", 1.0 / 128f64.sqrt()),
            ("layers.0.attention.M", 1.0 / 16.0),
        ] {
            assert!((std(name) / expected - 1.0).abs() < 0.05, "{name}: {}", std(name));
        }
        assert!(weights.tensors["embedding.weight"].data[..64].iter().all(|&x| x == 0.0));
    }
}
