//! Widths by proof: the fewest bits of two's complement that hold every value an accumulator can take.
//!
//! Every operation of the twin states its extremes (`bounds`); its accumulator is as wide as they need and never wider than 64 bits.
//!
//! ```
//! use astromorph::twin::signed_bits;
//! assert_eq!(signed_bits(-128, 127), 8);
//! assert_eq!(signed_bits(-128, 128), 9);
//! // 4 products of 8 × 8 bits: (−128)² · 4 = 2^16 is one more than 17 bits hold.
//! assert_eq!(signed_bits(-4 * 128 * 127, 4 * 128 * 128), 18);
//! ```

/// Bits of the narrowest signed number that holds `lo` and `hi`.
pub fn signed_bits(lo: i128, hi: i128) -> u32 {
    let of = |x: i128| 129 - if x < 0 { !x } else { x }.leading_zeros();
    of(lo).max(of(hi))
}

/// Extremes of a sum of `n` products of signed operands of `x` and `w` bits.
pub(crate) fn product_bounds(n: usize, x: u32, w: u32) -> (i128, i128) {
    // min · max is the lowest product (of either order), min · min the highest.
    let (x, w, n) = (1i128 << (x - 1), 1i128 << (w - 1), n as i128);
    (-n * (x * w - x.min(w)), n * x * w)
}

/// Extremes of one signed operand.
pub(crate) fn operand_bounds(bits: u32) -> (i128, i128) {
    (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

/// Extremes of a sum from those of its terms.
pub(crate) fn add(x: (i128, i128), y: (i128, i128)) -> (i128, i128) {
    (x.0 + y.0, x.1 + y.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn product_bounds_are_reached(x in 2u32..7, w in 2u32..7) {
            let all = |bits: u32| -(1i128 << (bits - 1))..(1i128 << (bits - 1));
            let products = || all(x).flat_map(|a| all(w).map(move |b| a * b));
            prop_assert_eq!(product_bounds(3, x, w), (3 * products().min().unwrap(), 3 * products().max().unwrap()));
        }

        #[test]
        fn one_bit_less_does_not_hold(lo in -(1i128 << 60)..0, hi in 0i128..(1 << 60)) {
            let bits = signed_bits(lo, hi);
            let fits = |bits: u32| lo >= -(1i128 << (bits - 1)) && hi < 1i128 << (bits - 1);
            prop_assert!(fits(bits) && (bits == 1 || !fits(bits - 1)));
        }
    }
}
