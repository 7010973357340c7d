//! What is folded into the weights before they are rounded: S into W_V and b_V, √D into γ, the fixed positions into a table.

use crate::Result;
use crate::plan::Flow;
use crate::positional;
use crate::spec::{Absolute, Input, ModelSpec};
use crate::weights::Weights;

/// The values of a stored tensor in floating point, ready to be rounded; none when `name` is no weight.
pub(crate) fn folded(spec: &ModelSpec, weights: &Weights, name: &str) -> Result<Option<Vec<f64>>> {
    let positions = match spec.input {
        Input::Tokens { positions, .. } | Input::Vectors { positions, .. } => positions,
    };
    if name == "position.weight" && positions == Absolute::Sinusoidal {
        return Ok(Some(positional::sinusoidal(spec.n_max, spec.d_model)));
    }
    let Some(tensor) = weights.tensors.get(name) else {
        return Ok(None);
    };
    let mut values: Vec<f64> = tensor.data.iter().map(|&x| x as f64).collect();
    if name == "embedding.weight" {
        // Identifier 0 is "none": it contributes nothing, whatever its row has been trained to.
        values[..spec.d_model].fill(0.0);
    }
    if let Some(layer) = name.strip_suffix(".w_v").or(name.strip_suffix(".b_v")) {
        let log_s = &weights.get(&format!("{layer}.log_s"))?.data;
        let columns = spec.heads * spec.values;
        for (at, value) in values.iter_mut().enumerate() {
            *value /= (log_s[at % columns / spec.values] as f64).exp();
        }
    }
    if Flow(spec)
        .norms()
        .iter()
        .any(|(prefix, ..)| name == format!("{prefix}.gamma"))
    {
        let root = (spec.d_model as f64).sqrt();
        values.iter_mut().for_each(|x| *x *= root);
    }
    Ok(Some(values))
}

/// The positional keys w of one layer (`layers.0`), Hh × N_max × m.
pub(crate) fn positional_keys(spec: &ModelSpec, weights: &Weights, layer: &str) -> Result<Vec<f64>> {
    let m: Vec<f64> = weights
        .get(&format!("{layer}.attention.M"))?
        .data
        .iter()
        .map(|&x| x as f64)
        .collect();
    let heads = m.chunks_exact(spec.features * spec.n_max);
    Ok(heads
        .flat_map(|m| positional::keys(&spec.position, m, spec.features, spec.n_max))
        .collect())
}
