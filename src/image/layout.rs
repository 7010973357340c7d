//! What an image must hold: every tensor's name, shape and words, from specification and plan alone.

use crate::Result;
use crate::format::Format;
use crate::plan::Plan;
use crate::spec::{Absolute, Activation, Input, ModelSpec, Nonlinearity, NormOrder, QuantizeSpec};
use crate::table;

/// One tensor of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Name in the file.
    pub name: String,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Width of a word with sign: decides the type in the file.
    pub bits: u32,
    /// Smallest word allowed.
    pub low: i64,
    /// Largest word allowed.
    pub high: i64,
}

impl Slot {
    /// Number of words.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Words of the reciprocal and 1/√ tables, in their own 16 bits.
const MANTISSA: Format = Format::new(16, 15);

/// All tensors of an image, in the order of computation. The plan has been validated.
pub fn slots(spec: &ModelSpec, quantize: &QuantizeSpec, plan: &Plan) -> Result<Vec<Slot>> {
    let mut list = Vec::new();
    let mut add = |name: String, shape: &[usize], format: Format, low: i64| {
        list.push(Slot {
            name,
            shape: shape.to_vec(),
            bits: format.bits,
            low,
            high: format.max(),
        })
    };
    let (d, hidden) = (spec.d_model, spec.hidden());
    let (qk, v) = (spec.heads * spec.features, spec.heads * spec.values);
    let w = quantize.activation_bits;
    let stored = |name: &str| plan.format(name);

    let mut whole = |name: &str, shape: &[usize]| -> Result<()> {
        let format = stored(name)?;
        add(name.to_string(), shape, format, format.min());
        Ok(())
    };
    let positions = match spec.input {
        Input::Tokens {
            vocabulary, positions, ..
        } => {
            whole("embedding.weight", &[vocabulary, d])?;
            positions
        }
        Input::Vectors { width, positions } => {
            whole("input.weight", &[width, d])?;
            whole("input.bias", &[d])?;
            positions
        }
    };
    if positions != Absolute::None {
        whole("position.weight", &[spec.n_max, d])?;
    }
    for l in 0..spec.layers {
        let at = |x: &str| format!("layers.{l}.{x}");
        for (x, rows, cols) in [("q", d, qk), ("k", d, qk), ("v", d, v), ("o", v, d)] {
            whole(&at(&format!("attention.w_{x}")), &[rows, cols])?;
            whole(&at(&format!("attention.b_{x}")), &[cols])?;
        }
        for x in ["norm1", "norm2"] {
            whole(&at(&format!("{x}.gamma")), &[d])?;
            whole(&at(&format!("{x}.beta")), &[d])?;
        }
        for (x, rows, cols) in [(1, d, hidden), (2, hidden, d)] {
            whole(&at(&format!("feed_forward.w_{x}")), &[rows, cols])?;
            whole(&at(&format!("feed_forward.b_{x}")), &[cols])?;
        }
    }
    if spec.norm == NormOrder::Pre {
        whole("norm.gamma", &[d])?;
        whole("norm.beta", &[d])?;
    }
    whole("head.weight", &[d, spec.output.size])?;
    whole("head.bias", &[spec.output.size])?;

    for l in 0..spec.layers {
        let at = |x: &str| format!("layers.{l}.{x}");
        let f = plan.attention(l)?;
        let index = table::phi_index_bits(w, quantize.phi_index_bits);
        add(at("attention.phi_k"), &[1 << index], f.a, 0);
        add(at("attention.phi_q"), &[1 << index], f.b, 0);
        let exponents = table::calcium_bits(w, spec.n_max) as usize;
        add(
            at("attention.power"),
            &[exponents, 1 << quantize.power_mantissa_bits],
            f.g,
            0,
        );
        if spec.has_position() {
            add(at("attention.w"), &[spec.heads, spec.n_max, spec.features], f.a, 0);
        }
        if spec.feed_forward.activation == Activation::Gelu {
            let format = stored(&at("f"))?;
            add(
                at("feed_forward.gelu"),
                &[1 << quantize.gelu_index_bits],
                format,
                format.min(),
            );
        }
    }
    add(
        "tables.reciprocal".into(),
        &[1 << quantize.reciprocal_mantissa_bits],
        MANTISSA,
        0,
    );
    add(
        "tables.rsqrt".into(),
        &[2, 1 << quantize.rsqrt_mantissa_bits],
        MANTISSA,
        0,
    );
    if spec.nonlinearity == Nonlinearity::Sigmoid {
        add(
            "tables.sigmoid".into(),
            &[1 << quantize.sigmoid_index_bits],
            Format::new(w, w as i32 - 1),
            0,
        );
    }
    Ok(list)
}
