//! The list of a model's tensors and of what the law says about their formats.

use super::flow::Flow;
use super::{FRACTIONS, WIDE_BIAS};
use crate::format::{Format, growth};
use crate::spec::{Absolute, Input, ModelSpec, Nonlinearity, NormOrder, Pooling, QuantizeSpec};
use crate::twin::norm::epsilon;

/// What the law says about one tensor's format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name of the tensor.
    pub name: String,
    /// Widths it may have, narrowest first.
    pub bits: Vec<u32>,
    /// Its fraction.
    pub frac: Frac,
}

/// Where a fraction comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frac {
    /// Calibration chooses it, from the least to the most.
    Free(i32, i32),
    /// The law fixes it.
    Fixed(i32),
    /// The sum of other tensors' fractions.
    Sum(Vec<String>),
    /// The same less the last one's.
    Difference(Vec<String>, String),
}

/// The list under construction.
struct Rules<'a> {
    list: Vec<Rule>,
    quantize: &'a QuantizeSpec,
}

impl Rules<'_> {
    fn add(&mut self, name: impl Into<String>, bits: u32, frac: Frac) {
        self.list.push(Rule {
            name: name.into(),
            bits: vec![bits],
            frac,
        });
    }

    /// A tensor of W bits.
    fn operand(&mut self, name: impl Into<String>) {
        self.add(
            name,
            self.quantize.activation_bits,
            Frac::Free(FRACTIONS.0, FRACTIONS.1),
        );
    }

    /// Something stored at an accumulator's fraction.
    fn at_accumulator(&mut self, name: impl Into<String>, of: &[&str]) {
        let frac = Frac::Sum(of.iter().map(|x| x.to_string()).collect());
        self.list.push(Rule {
            name: name.into(),
            bits: vec![32, WIDE_BIAS],
            frac,
        });
    }

    /// Weight and bias of a dense layer from `x`.
    fn dense(&mut self, weight: &str, bias: &str, x: &str) {
        self.add(weight, self.quantize.weight_bits, Frac::Free(FRACTIONS.0, FRACTIONS.1));
        self.at_accumulator(bias, &[x, weight]);
    }
}

/// Every tensor's rule; a fraction that is a sum refers to tensors before it.
pub fn rules(spec: &ModelSpec, quantize: &QuantizeSpec) -> Vec<Rule> {
    let w = quantize.activation_bits;
    let serial = w.max(16);
    let (nb, lm) = (growth(spec.n_max), growth(spec.features));
    let any = Frac::Free(FRACTIONS.0, FRACTIONS.1);
    let flow = Flow(spec);
    let mut r = Rules {
        list: Vec::new(),
        quantize,
    };

    let positions = match spec.input {
        Input::Tokens { positions, .. } => {
            r.add("embedding.weight", quantize.weight_bits, any.clone());
            if positions != Absolute::None {
                r.at_accumulator("position.weight", &["embedding.weight"]);
            }
            positions
        }
        Input::Vectors { positions, .. } => {
            r.operand("input");
            r.dense("input.weight", "input.bias", "input");
            positions
        }
    };
    if positions != Absolute::None && matches!(spec.input, Input::Vectors { .. }) {
        r.at_accumulator("position.weight", &["input", "input.weight"]);
    }
    r.operand("x0");
    let norm = |r: &mut Rules<'_>, prefix: &str, out: &str| {
        let (n, gamma) = (format!("{prefix}.n"), format!("{prefix}.gamma"));
        r.add(&n, serial, Frac::Free(FRACTIONS.0, FRACTIONS.1));
        r.add(&gamma, serial, Frac::Free(FRACTIONS.0, FRACTIONS.1));
        r.at_accumulator(format!("{prefix}.beta"), &[&n, &gamma]);
        r.operand(out);
    };
    let post = spec.norm == NormOrder::Post;
    for l in 0..spec.layers {
        let at = |x: &str| format!("layers.{l}.{x}");
        let weight = |x: &str| format!("layers.{l}.attention.{x}");
        if !post {
            norm(&mut r, &at("norm1"), &at("n1"));
        }
        for x in ["q", "k", "v"] {
            r.dense(
                &weight(&format!("w_{x}")),
                &weight(&format!("b_{x}")),
                &flow.attention(l),
            );
        }
        for x in ["q", "k"] {
            r.add(at(x), w, Frac::Free(0, 24));
        }
        for x in ["v", "a", "b"] {
            r.operand(at(x));
        }
        if spec.has_position() {
            r.add(at("w"), w, Frac::Sum(vec![at("a")]));
        }
        let sigmoid = spec.nonlinearity != Nonlinearity::Identity;
        r.add(at("aw"), w, Frac::Sum(vec![at("a")]));
        r.add(at("Z"), 2 * w - 1 + nb, Frac::Sum(vec![at("a"), at("v")]));
        r.add(at("s"), w + nb, Frac::Sum(vec![at("a")]));
        r.add(
            at("H"),
            w,
            if sigmoid {
                Frac::Fixed(w as i32 - 1)
            } else {
                any.clone()
            },
        );
        if quantize.chunked().is_some() {
            // p·v has then the fraction of b·H.
            r.add(at("p"), w, Frac::Difference(vec![at("b"), at("H")], at("v")));
        }
        r.add(at("g"), serial, any.clone());
        r.add(at("C"), w + serial - 1 + lm, Frac::Sum(vec![at("b"), at("g")]));
        let terms = spec.features + quantize.chunked().unwrap_or(0);
        r.add(at("num"), 2 * w - 1 + growth(terms), Frac::Sum(vec![at("b"), at("H")]));
        r.operand(at("y"));
        r.dense(&weight("w_o"), &weight("b_o"), &at("y"));
        r.operand(at("o"));
        r.operand(at("r1"));
        norm(
            &mut r,
            &at(if post { "norm1" } else { "norm2" }),
            &at(if post { "x1" } else { "n2" }),
        );
        r.dense(&at("feed_forward.w_1"), &at("feed_forward.b_1"), &flow.feed_forward(l));
        r.operand(at("u"));
        r.operand(at("f"));
        r.dense(&at("feed_forward.w_2"), &at("feed_forward.b_2"), &at("f"));
        r.operand(at("d"));
        r.operand(at("r2"));
        if post {
            norm(&mut r, &at("norm2"), &at("x"));
        }
    }
    if !post {
        norm(&mut r, "norm", "xf");
    }
    match spec.output.pooling {
        Pooling::None => {}
        Pooling::Mean => r.operand("pooled"),
        Pooling::Last => r.add("pooled", w, Frac::Sum(vec![flow.last()])),
    }
    let read = if spec.output.pooling == Pooling::None {
        flow.last()
    } else {
        "pooled".into()
    };
    r.dense("head.weight", "head.bias", &read);
    r.add("logits", serial, any);

    // A layer norm's ε must fit beside Σc².
    let finest = (FRACTIONS.0..=FRACTIONS.1)
        .rev()
        .find(|&frac| epsilon(Format::new(w, frac), spec.d_model).is_some());
    let finest = finest.unwrap_or(FRACTIONS.0);
    for (_, input, _) in flow.norms() {
        if let Some(rule) = r.list.iter_mut().find(|rule| rule.name == input) {
            rule.frac = Frac::Free(FRACTIONS.0, finest);
        }
    }
    r.list
}
