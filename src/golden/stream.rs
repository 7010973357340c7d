//! Attention of one head, token by token: the astrocyte writes, seals and reads.
//!
//! | verb | computes | source |
//! |---|---|---|
//! | write | Z += (a + w_t)ᵀ v ; s += a | arXiv 2312.10925, eq. 9, 10, 13 |
//! | seal | H = f(Z) ; g = max(s, ε)^α | eq. 11, 14 |
//! | read | num = b H ; C = max(b · g, ε) ; y = num / C | eq. 15–17 |
//!
//! a = φ(k) and b = φ(q) have m entries, v has e entries and is already divided by S. Two-pass: write all, seal, read all.
//! Causal: write, seal, read each token.
//!
//! ```
//! use astromorph::{golden::Stream, spec::Nonlinearity};
//! let mut head = Stream::new(2, 1, 0.5, Nonlinearity::Identity);
//! head.write(&[1.0, 4.0], &[1.5, 4.5], &[2.0]); // a, a + w, v
//! head.write(&[3.0, 5.0], &[3.0, 5.0], &[1.0]);
//! head.seal(); // Z = (6, 14), s = (4, 9), g = (2, 3)
//! let mut num = [0.0];
//! let c = head.read(&[1.0, 2.0], &mut num);
//! assert_eq!((num[0], c), (34.0, 8.0)); // 1·6 + 2·14, 1·2 + 2·3
//! ```

use super::function::{power, seal};
use super::{EPSILON, real};
use crate::spec::Nonlinearity;
use num_traits::Float;

/// The state of one head.
#[derive(Clone, Debug)]
pub struct Stream<T> {
    alpha: f64,
    nonlinearity: Nonlinearity,
    values: usize,
    /// Written Hebbian matrix Z, m × e.
    pub z: Vec<T>,
    /// Written calcium sums s, m.
    pub s: Vec<T>,
    /// Sealed Hebbian matrix H, m × e.
    pub h: Vec<T>,
    /// Sealed calcium g, m.
    pub g: Vec<T>,
}

impl<T: Float> Stream<T> {
    /// A head of m `features` and e `values`, with nothing written.
    pub fn new(features: usize, values: usize, alpha: f64, nonlinearity: Nonlinearity) -> Self {
        let (matrix, vector) = (vec![T::zero(); features * values], vec![T::zero(); features]);
        Stream {
            alpha,
            nonlinearity,
            values,
            z: matrix.clone(),
            s: vector.clone(),
            h: matrix,
            g: vector,
        }
    }

    /// Writes one token: a = φ(k), `aw` = a + w_t, v.
    pub fn write(&mut self, a: &[T], aw: &[T], v: &[T]) {
        for (row, &aw) in self.z.chunks_exact_mut(self.values).zip(aw) {
            for (z, &v) in row.iter_mut().zip(v) {
                *z = *z + aw * v;
            }
        }
        for (s, &a) in self.s.iter_mut().zip(a) {
            *s = *s + a;
        }
    }

    /// Seals what has been written so far.
    pub fn seal(&mut self) {
        let s = self.s.clone();
        self.seal_calcium(&s);
    }

    /// The same with calcium that has diffused between heads.
    pub fn seal_calcium(&mut self, s: &[T]) {
        for (h, &z) in self.h.iter_mut().zip(&self.z) {
            *h = seal(self.nonlinearity, z);
        }
        for (g, &s) in self.g.iter_mut().zip(s) {
            *g = power(s, self.alpha);
        }
    }

    /// Reads with b = φ(q): fills `num` and returns C. The head's output is num / C.
    pub fn read(&self, b: &[T], num: &mut [T]) -> T {
        num.fill(T::zero());
        let mut c = T::zero();
        for ((row, &b), &g) in self.h.chunks_exact(self.values).zip(b).zip(&self.g) {
            c = c + b * g;
            for (num, &h) in num.iter_mut().zip(row) {
                *num = *num + b * h;
            }
        }
        c.max(real(EPSILON))
    }
}
