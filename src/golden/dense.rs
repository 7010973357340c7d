//! The dense layer y = x W + b, N × in times in × out.
//!
//! Every output adds b + x_0 W_0 + x_1 W_1 + … in this order whatever the number of rows or the instruction set, so that a
//! token's result is bit for bit the same in every sequence that begins with it.

use super::Real;
use super::function::convert;
use crate::Result;
use crate::weights::Weights;
use multiversion::multiversion;
use num_traits::Float;

/// Columns and rows computed together: their sums stay in registers.
const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// A dense layer's weights.
pub(crate) struct Dense<T> {
    outputs: usize,
    weight: Vec<T>,
    bias: Vec<T>,
}

impl<T: Real> Dense<T> {
    /// From two tensors of checked weights.
    pub(crate) fn new(weights: &Weights, weight: &str, bias: &str) -> Result<Self> {
        let bias = convert(&weights.get(bias)?.data);
        Ok(Dense {
            outputs: bias.len(),
            weight: convert(&weights.get(weight)?.data),
            bias,
        })
    }

    /// Divides the outputs by one number a head, `columns` outputs each.
    pub(crate) fn divide(&mut self, scales: &[T], columns: usize) {
        for row in self.weight.chunks_exact_mut(self.outputs).chain([&mut self.bias[..]]) {
            for (head, &scale) in row.chunks_exact_mut(columns).zip(scales) {
                head.iter_mut().for_each(|w| *w = *w / scale);
            }
        }
    }

    /// x W + b for `rows` rows.
    pub(crate) fn apply(&self, x: &[T], rows: usize) -> Vec<T> {
        let mut y = vec![T::zero(); rows * self.outputs];
        affine(x, &self.weight, &self.bias, &mut y);
        y
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+avx", "aarch64+neon"))]
fn affine<T: Float>(x: &[T], weight: &[T], bias: &[T], y: &mut [T]) {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    let whole = outputs - outputs % COLUMNS;
    for column in (0..whole).step_by(COLUMNS) {
        let rows = y.len() / outputs;
        let blocks = rows / ROWS;
        for block in 0..blocks {
            tile::<T, ROWS>(x, weight, bias, y, inputs, block * ROWS, column);
        }
        for row in blocks * ROWS..rows {
            tile::<T, 1>(x, weight, bias, y, inputs, row, column);
        }
    }
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
        for column in whole..outputs {
            let products = x.iter().zip(weight[column..].iter().step_by(outputs));
            y[column] = products.fold(bias[column], |sum, (&x, &w)| sum + x * w);
        }
    }
}

/// R rows by [`COLUMNS`] columns of the result.
#[inline(always)]
fn tile<T: Float, const R: usize>(
    x: &[T],
    weight: &[T],
    bias: &[T],
    y: &mut [T],
    inputs: usize,
    row: usize,
    column: usize,
) {
    let outputs = bias.len();
    let mut sum = [[T::zero(); COLUMNS]; R];
    for sum in &mut sum {
        sum.copy_from_slice(&bias[column..column + COLUMNS]);
    }
    let x: [&[T]; R] = std::array::from_fn(|r| &x[(row + r) * inputs..][..inputs]);
    for (i, w) in weight.chunks_exact(outputs).enumerate() {
        let w = &w[column..column + COLUMNS];
        for r in 0..R {
            let x = x[r][i];
            for (sum, &w) in sum[r].iter_mut().zip(w) {
                *sum = *sum + x * w;
            }
        }
    }
    for (r, sum) in sum.iter().enumerate() {
        y[(row + r) * outputs + column..][..COLUMNS].copy_from_slice(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_plain_sum_bit_for_bit(rows in 1usize..10, inputs in 1usize..20, outputs in 1usize..40, seed in 0u64..1000) {
            let number = |i: usize| ((i as u64 * 2654435761 + seed) % 1013) as f64 / 500.0 - 1.0;
            let x: Vec<f64> = (0..rows * inputs).map(number).collect();
            let dense = Dense {
                outputs,
                weight: (0..inputs * outputs).map(|i| number(i + 7)).collect(),
                bias: (0..outputs).map(|i| number(i + 3)).collect(),
            };
            let y = dense.apply(&x, rows);
            for r in 0..rows {
                for o in 0..outputs {
                    let plain = (0..inputs).fold(dense.bias[o], |s, i| s + x[r * inputs + i] * dense.weight[i * outputs + o]);
                    prop_assert_eq!(y[r * outputs + o], plain);
                }
            }
        }
    }
}
