//! The two inner products of the twin: x·B with B row by row, exact in 64 bits.
//!
//! Both attention passes and every dense layer are this product (`acc[j] += Σ_i x[i]·b[i][j]`), so its speed is the twin's speed.

use multiversion::multiversion;

/// acc[j] += Σ_i x[i·`stride`] · b[i·cols + j] for j < cols = acc.len(). Exact while the sums fit 64 bits.
///
/// ```
/// let mut acc = [1i64, 0];
/// astromorph::twin::accumulate(&mut acc, &[2, 3], 1, &[10, 20, 30, 40]);
/// assert_eq!(acc, [1 + 2 * 10 + 3 * 30, 2 * 20 + 3 * 40]);
/// ```
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
pub fn accumulate(acc: &mut [i64], x: &[i32], stride: usize, b: &[i32]) {
    const BLOCK: usize = 16;
    let cols = acc.len();
    let rows = x.len().div_ceil(stride);
    let mut j = 0;
    while j + BLOCK <= cols {
        let mut sum = [0i64; BLOCK];
        for i in 0..rows {
            let xi = x[i * stride] as i64;
            let row = &b[i * cols + j..i * cols + j + BLOCK];
            for (s, &w) in sum.iter_mut().zip(row) {
                *s += xi * w as i64;
            }
        }
        for (a, s) in acc[j..j + BLOCK].iter_mut().zip(sum) {
            *a += s;
        }
        j += BLOCK;
    }
    if j < cols {
        for i in 0..rows {
            let xi = x[i * stride] as i64;
            for (a, &w) in acc[j..].iter_mut().zip(&b[i * cols + j..(i + 1) * cols]) {
                *a += xi * w as i64;
            }
        }
    }
}
