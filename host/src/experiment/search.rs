//! The smallest widths within an error budget: a greedy search on the integer twin.
//!
//! From 16 bits everywhere, one width after the other (operands, weights, then the tables' index and mantissa bits) is lowered as far as validation
//! accuracy stays within the budget of the float model's. Each width is found by bisection, which takes accuracy for monotonous in it; the widths
//! found are therefore small, not proved smallest.

use super::twin;
use crate::data::Dataset;
use crate::project::Project;
use astromorph::Result;
use astromorph::spec::QuantizeSpec;
use astromorph::weights::Weights;

type Width = fn(&mut QuantizeSpec) -> &mut u32;

/// Widths in the order in which they are lowered, each with its least.
const WIDTHS: [(Width, u32); 6] = [
    (|q| &mut q.activation_bits, 8),
    (|q| &mut q.weight_bits, 4),
    (|q| &mut q.phi_index_bits, 4),
    (|q| &mut q.power_mantissa_bits, 2),
    (|q| &mut q.reciprocal_mantissa_bits, 4),
    (|q| &mut q.rsqrt_mantissa_bits, 4),
];

/// Widths whose twin loses at most `budget` (a fraction) of `float`, the float model's validation accuracy.
pub fn smallest(project: &Project, weights: &Weights, set: &Dataset, float: f64, budget: f64) -> Result<QuantizeSpec> {
    let mut found = QuantizeSpec {
        chunk: project.quantize.chunk,
        ..QuantizeSpec::default()
    };
    for (width, least) in WIDTHS {
        let before = found;
        let good = |bits: u32| -> Result<bool> {
            let mut tried = before;
            *width(&mut tried) = bits;
            let image = twin::image(project, &tried, weights, set)?;
            Ok(twin::accuracy(&image, &set.validation)? >= float - budget)
        };
        let (mut low, mut high) = (least, *width(&mut found));
        while low < high {
            let middle = (low + high) / 2;
            match good(middle)? {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        *width(&mut found) = high;
    }
    Ok(found)
}
