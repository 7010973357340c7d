//! The inner product of the twin, exact in 64 bits: acc[r][j] += Σ_i x[r, i] · b[i, j].
//!
//! Both attention passes and every dense layer are this product, so its speed is the twin's speed. It works in blocks of 4 rows × 16 columns
//! whose sums stay in registers: a row of b is read once for 4 rows of x.

use multiversion::multiversion;

/// A matrix of 32-bit words within a longer slice: entry (r, i) stands at `r · row + i · column`.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a> {
    /// The words, from entry (0, 0).
    pub words: &'a [i32],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub column: usize,
}

/// Adds the product of x (rows × inner) and b (inner × cols, its columns adjacent) to `acc` (rows × cols, row by row).
/// Exact while the sums fit 64 bits.
///
/// ```
/// use astromorph::twin::{Strided, product};
/// let mut acc = [1i64, 0];
/// let x = Strided { words: &[2, 3], row: 2, column: 1 };
/// let b = Strided { words: &[10, 20, 30, 40], row: 2, column: 1 };
/// product(&mut acc, 1, 2, x, b);
/// assert_eq!(acc, [1 + 2 * 10 + 3 * 30, 2 * 20 + 3 * 40]);
/// ```
pub fn product(acc: &mut [i64], rows: usize, inner: usize, x: Strided<'_>, b: Strided<'_>) {
    if rows == 0 || inner == 0 || acc.is_empty() {
        return;
    }
    let cols = acc.len() / rows;
    // The blocks index without further thought; these three lines are what they rely on.
    assert!(acc.len() == rows * cols && b.column == 1);
    assert!(x.words.len() > (rows - 1) * x.row + (inner - 1) * x.column);
    assert!(b.words.len() >= (inner - 1) * b.row + cols);
    blocks(acc, rows, inner, x, b);
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn blocks(acc: &mut [i64], rows: usize, inner: usize, x: Strided<'_>, b: Strided<'_>) {
    let cols = acc.len() / rows;
    let mut r = 0;
    while r + 4 <= rows {
        stripe::<4>(acc, cols, inner, r, x, b);
        r += 4;
    }
    while r < rows {
        stripe::<1>(acc, cols, inner, r, x, b);
        r += 1;
    }
}

#[inline(always)]
fn stripe<const R: usize>(acc: &mut [i64], cols: usize, inner: usize, r: usize, x: Strided<'_>, b: Strided<'_>) {
    let mut j = 0;
    while j + 16 <= cols {
        block::<R, 16>(acc, cols, inner, r, j, x, b);
        j += 16;
    }
    while j + 4 <= cols {
        block::<R, 4>(acc, cols, inner, r, j, x, b);
        j += 4;
    }
    while j < cols {
        block::<R, 1>(acc, cols, inner, r, j, x, b);
        j += 1;
    }
}

#[inline(always)]
fn block<const R: usize, const C: usize>(
    acc: &mut [i64],
    cols: usize,
    inner: usize,
    r: usize,
    j: usize,
    x: Strided<'_>,
    b: Strided<'_>,
) {
    let mut sum = [[0i64; C]; R];
    for i in 0..inner {
        let row = &b.words[i * b.row + j..i * b.row + j + C];
        for (k, sum) in sum.iter_mut().enumerate() {
            let x = x.words[(r + k) * x.row + i * x.column] as i64;
            for (s, &w) in sum.iter_mut().zip(row) {
                *s += x * w as i64;
            }
        }
    }
    for (k, sum) in sum.iter().enumerate() {
        for (a, s) in acc[(r + k) * cols + j..(r + k) * cols + j + C].iter_mut().zip(sum) {
            *a += s;
        }
    }
}

/// out[r · stride] = Σ_i x[r, i] · y[i] for r < rows.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
pub(crate) fn dots(out: &mut [i64], stride: usize, rows: usize, x: Strided<'_>, y: &[i32]) {
    for r in 0..rows {
        let row = &x.words[r * x.row..r * x.row + y.len()];
        out[r * stride] = row.iter().zip(y).map(|(&x, &y)| x as i64 * y as i64).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the plain triple loop, for every shape of block and remainder, x by rows and by columns.
        #[test]
        fn equals_the_plain_loop(rows in 1usize..10, inner in 1usize..10, cols in 1usize..40, transposed: bool, seed: u64) {
            use rand::{RngExt, SeedableRng};
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut draw = |n: usize| -> Vec<i32> { (0..n).map(|_| rng.random_range(-(1 << 17)..1 << 17)).collect() };
            let (x, b) = (draw(rows * inner), draw(inner * (cols + 3)));
            let (row, column) = if transposed { (1, rows) } else { (inner, 1) };
            let mut acc = vec![7i64; rows * cols];
            product(&mut acc, rows, inner, Strided { words: &x, row, column }, Strided { words: &b, row: cols + 3, column: 1 });
            for r in 0..rows {
                for j in 0..cols {
                    let sum: i64 = (0..inner).map(|i| x[r * row + i * column] as i64 * b[i * (cols + 3) + j] as i64).sum();
                    prop_assert_eq!(acc[r * cols + j], 7 + sum);
                }
            }
        }
    }
}
