//! The positional key bank: w_t, the astrocyte's part of the written key, from the learnt M.
//!
//! Pd_ij = ρ^dist(i, j), ρ = exp(−decay); A = Mᵀ M Pd Mᵀ (N × m); w_t = row t of φ(A). Sources: arXiv 2312.10925, section III-D and
//! equation 12 (W_astro = φ(A)ᵀ); the exponential distance is that of arXiv 2601.00426. M is m × N_max, one a head.
//!
//! On a line Pd Mᵀ needs no N × N matrix: two first-order recurrences, F_i = M_i + ρ F_{i−1} from the left and
//! B_i = ρ (B_{i+1} + M_{i+1}) from the right, give (Pd Mᵀ)_i = F_i + B_i with m words of state in each direction.
//!
//! With N = 2, m = 1, M = (1, 2) and ρ = 1/2: Pd Mᵀ = (2, 2.5)ᵀ, M Pd Mᵀ = 7, A = (7, 14)ᵀ, w = (8, 15):
//!
//! ```
//! use astromorph::positional::keys;
//! use astromorph::spec::{Distance, Position};
//! let half = Position { decay: 2f64.ln(), distance: Distance::Line };
//! let w = keys(&half, &[1.0, 2.0], 1, 2);
//! assert!((w[0] - 8.0f64).abs() < 1e-12 && (w[1] - 15.0f64).abs() < 1e-12);
//! ```

use crate::golden::{Real, phi, real};
use crate::spec::{Distance, Position};

/// Distance between token positions i and j.
pub fn distance(kind: Distance, i: usize, j: usize) -> f64 {
    // A grid is at least one column wide: `ModelSpec::validate` sees to it.
    let apart = |columns: usize| {
        let columns = columns.max(1);
        (
            (i / columns).abs_diff(j / columns) as f64,
            (i % columns).abs_diff(j % columns) as f64,
        )
    };
    match kind {
        Distance::Line => i.abs_diff(j) as f64,
        Distance::None => 0.0, // of no key: who has one asks `ModelSpec::has_position` first
        Distance::Chebyshev { columns } => {
            let (rows, columns) = apart(columns);
            rows.max(columns)
        }
        Distance::Euclid { columns } => {
            let (rows, columns) = apart(columns);
            rows.hypot(columns)
        }
    }
}

/// Pd, n × n.
pub fn matrix<T: Real>(position: &Position, n: usize) -> Vec<T> {
    let entry = |i, j| real((-position.decay * distance(position.distance, i, j)).exp());
    (0..n).flat_map(|i| (0..n).map(move |j| entry(i, j))).collect()
}

/// Pd Mᵀ (n × m) by the dense matrix, for any distance. `m` is M, `features` × n.
pub fn spread_dense<T: Real>(position: &Position, m: &[T], features: usize, n: usize) -> Vec<T> {
    let pd = matrix::<T>(position, n);
    let entry = |t: usize, i: usize| (0..n).fold(T::zero(), |sum, j| sum + pd[t * n + j] * m[i * n + j]);
    (0..n).flat_map(|t| (0..features).map(move |i| entry(t, i))).collect()
}

/// Pd Mᵀ (n × m) by the two recurrences, for the line distance. `m` is M, `features` × n.
pub fn spread_line<T: Real>(decay: f64, m: &[T], features: usize, n: usize) -> Vec<T> {
    let rho: T = real((-decay).exp());
    let mut u = vec![T::zero(); n * features];
    for i in 0..features {
        let row = &m[i * n..(i + 1) * n];
        let mut left = T::zero();
        for t in 0..n {
            left = row[t] + rho * left;
            u[t * features + i] = left;
        }
        let mut right = T::zero();
        for t in (0..n.saturating_sub(1)).rev() {
            right = rho * (right + row[t + 1]);
            u[t * features + i] = u[t * features + i] + right;
        }
    }
    u
}

/// The keys w_t of one head, n × `features`: φ(Mᵀ M Pd Mᵀ), the transpose of the paper's W_astro. `m` is M, `features` × n.
pub fn keys<T: Real>(position: &Position, m: &[T], features: usize, n: usize) -> Vec<T> {
    let u = match position.distance {
        Distance::Line => spread_line(position.decay, m, features, n),
        _ => spread_dense(position, m, features, n),
    };
    // D = M (Pd Mᵀ), features × features: the paper's change of basis.
    let mut d = vec![T::zero(); features * features];
    for (i, d) in d.chunks_exact_mut(features).enumerate() {
        for (u, &m) in u.chunks_exact(features).zip(&m[i * n..]) {
            d.iter_mut().zip(u).for_each(|(d, &u)| *d = *d + m * u);
        }
    }
    let mut a = vec![T::zero(); n * features];
    for (t, a) in a.chunks_exact_mut(features).enumerate() {
        for (i, d) in d.chunks_exact(features).enumerate() {
            let m = m[i * n + t];
            a.iter_mut().zip(d).for_each(|(a, &d)| *a = *a + m * d);
        }
    }
    a.into_iter().map(phi).collect()
}

/// The keys of all heads side by side, n × (heads · features), from the tensor M of shape heads × features × n.
pub fn table<T: Real>(position: &Position, m: &[T], heads: usize, features: usize, n: usize) -> Vec<T> {
    let mut table = vec![T::zero(); n * heads * features];
    for (h, m) in m.chunks_exact(features * n).enumerate() {
        let keys = keys(position, m, features, n);
        for (row, keys) in table
            .chunks_exact_mut(heads * features)
            .zip(keys.chunks_exact(features))
        {
            row[h * features..(h + 1) * features].copy_from_slice(keys);
        }
    }
    table
}

/// The fixed absolute positions, n × d: sin(t / 10000^(c/d)) in even columns c, cos(t / 10000^((c−1)/d)) in odd ones
/// (Vaswani et al. 2017, section 3.5).
pub fn sinusoidal<T: Real>(n: usize, d: usize) -> Vec<T> {
    let entry = |t: usize, c: usize| {
        let odd = c % 2;
        let angle = t as f64 / 10_000f64.powf((c - odd) as f64 / d as f64);
        real(if odd == 1 { angle.cos() } else { angle.sin() })
    };
    (0..n).flat_map(|t| (0..d).map(move |c| entry(t, c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(size: usize, seed: u64) -> Vec<f64> {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..size).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// W_astro = φ(Mᵀ M Pd Mᵀ)ᵀ with explicit matrices, in the paper's own order of products.
    fn w_astro(position: &Position, m: &[f64], features: usize, n: usize) -> Vec<f64> {
        let product = |x: &[f64], y: &[f64], inner: usize| -> Vec<f64> {
            let columns = y.len() / inner;
            x.chunks(inner)
                .flat_map(|row| {
                    (0..columns)
                        .map(move |c| (0..inner).map(|i| row[i] * y[i * columns + c]).sum::<f64>())
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        let transpose = |x: &[f64], columns: usize| -> Vec<f64> {
            (0..columns)
                .flat_map(|c| x.iter().skip(c).step_by(columns).copied().collect::<Vec<_>>())
                .collect()
        };
        let mt = transpose(m, n);
        let mtm = product(&mt, m, features);
        let a = product(&product(&mtm, &matrix(position, n), n), &mt, n);
        let phi = |x: f64| if x > 0.0 { x + 1.0 } else { x.exp() };
        transpose(&a.into_iter().map(phi).collect::<Vec<_>>(), features)
    }

    proptest! {
        #[test]
        fn the_recurrences_equal_the_dense_matrix(n in 1usize..80, features in 1usize..9, decay in 0.0f64..3.0, seed: u64) {
            let position = Position { decay, distance: Distance::Line };
            let m = sample(features * n, seed);
            let (fast, dense) = (spread_line(decay, &m, features, n), spread_dense(&position, &m, features, n));
            for (x, y) in fast.iter().zip(&dense) {
                prop_assert!((x - y).abs() <= 1e-12 * n as f64, "{x} {y}");
            }
        }

        #[test]
        fn the_keys_equal_the_papers_formula(n in 1usize..30, features in 1usize..6, kind in 0..3, columns in 1usize..8, seed: u64) {
            let distance = [Distance::Line, Distance::Chebyshev { columns }, Distance::Euclid { columns }][kind as usize];
            let position = Position { decay: 0.3, distance };
            let m = sample(features * n, seed);
            let ours = keys(&position, &m, features, n);
            let theirs = w_astro(&position, &m, features, n); // features × n
            for t in 0..n {
                for i in 0..features {
                    let (x, y) = (ours[t * features + i], theirs[i * n + t]);
                    prop_assert!(x > 0.0 && (x - y).abs() <= 1e-10 * y.max(1.0), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn distances_on_a_grid() {
        // Position 1 is (row 0, column 1), position 11 is (2, 3) of a grid 4 wide.
        assert_eq!(distance(Distance::Line, 11, 1), 10.0);
        assert_eq!(distance(Distance::Chebyshev { columns: 4 }, 1, 11), 2.0);
        assert!((distance(Distance::Euclid { columns: 4 }, 11, 1) - 8f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn heads_stand_side_by_side() {
        let position = Position::default();
        let m = sample(2 * 3 * 4, 5);
        let both = table(&position, &m, 2, 3, 4);
        for (h, m) in m.chunks(12).enumerate() {
            for (row, keys) in both.chunks(6).zip(keys(&position, m, 3, 4).chunks(3)) {
                assert_eq!(&row[3 * h..3 * h + 3], keys);
            }
        }
    }

    #[test]
    fn sinusoids_begin_as_in_the_paper() {
        let table = sinusoidal::<f64>(2, 4);
        assert_eq!(&table[..4], [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(table[4], 1f64.sin());
        assert_eq!(table[7], 0.01f64.cos());
    }
}
