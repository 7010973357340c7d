//! The plan of a quantisation: one fixed-point format for every tensor of the model.
//!
//! Names are those of `docs/arithmetic.md` section 8 (`layers.0.q`) and of the weights (`layers.0.attention.w_q`), and besides:
//!
//! | name | tensor | format |
//! |---|---|---|
//! | `input` | features of a vector input | W bits |
//! | `layers.l.norm1.n`, `layers.l.norm2.n`, `norm.n` | x̂/√D within a layer norm | SW bits |
//! | `….gamma` | γ' = γ√D | SW bits |
//! | biases, `….beta`, `position.weight` | | 32 or [`WIDE_BIAS`] bits, at their accumulator's fraction |
//!
//! Some formats are free, others follow from them: [`rules`] lists every one, calibration and [`Plan::validate`] obey the same list.
//!
//! ```
//! use astromorph::plan::{Frac, rules};
//! # let spec: astromorph::spec::ModelSpec = toml::from_str(r#"
//! #     layers = 1
//! #     heads = 2
//! #     d_model = 8
//! #     features = 4
//! #     values = 4
//! #     n_max = 16
//! #     order = "two-pass"
//! #     input = { kind = "tokens", vocabulary = 10 }
//! #     output = { kind = "classes", size = 2, pooling = "mean" }
//! # "#).unwrap();
//! let rules = rules(&spec, &Default::default()); // W = 16, N_max = 16
//! let z = rules.iter().find(|rule| rule.name == "layers.0.Z").unwrap();
//! assert_eq!(z.bits, [2 * 16 - 1 + 4]);
//! assert_eq!(z.frac, Frac::Sum(vec!["layers.0.a".into(), "layers.0.v".into()]));
//! ```

use crate::format::{Format, growth};
use crate::spec::{Absolute, AttentionKind, Input, ModelSpec, Nonlinearity, NormOrder, Pooling, QuantizeSpec};
use crate::twin::attention::Normaliser;
use crate::twin::norm::{epsilon, max_n_frac};
use crate::twin::residual::MAX_ALIGNMENT;
use crate::twin::AttentionFormats;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Width of a bias that 32 bits do not hold; it is stored in 64.
pub const WIDE_BIAS: u32 = 60;
/// Fractions the law allows.
pub const FRACTIONS: (i32, i32) = (-24, 40);
/// Longest exact left shift of a normalisation: with it num has at most 41 + 40 bits.
const MAX_LEFT: u32 = 40;

/// One format for every tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan {
    /// By name.
    pub formats: BTreeMap<String, Format>,
}

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
}

/// Names of the stream between the blocks of a model.
pub(crate) struct Flow<'a>(pub &'a ModelSpec);

impl Flow<'_> {
    fn post(&self) -> bool {
        self.0.norm == NormOrder::Post
    }

    /// What enters layer l; for l = layers, what leaves the last.
    pub(crate) fn stream(&self, l: usize) -> String {
        match l {
            0 => "x0".into(),
            _ if self.post() => format!("layers.{}.x", l - 1),
            _ => format!("layers.{}.r2", l - 1),
        }
    }

    /// What q, k and v are computed from.
    pub(crate) fn attention(&self, l: usize) -> String {
        if self.post() { self.stream(l) } else { format!("layers.{l}.n1") }
    }

    /// What the feed-forward network's sum is added to.
    pub(crate) fn middle(&self, l: usize) -> String {
        format!("layers.{l}.{}", if self.post() { "x1" } else { "r1" })
    }

    /// What the feed-forward network computes from.
    pub(crate) fn feed_forward(&self, l: usize) -> String {
        format!("layers.{l}.{}", if self.post() { "x1" } else { "n2" })
    }

    /// What is pooled, or read by the head.
    pub(crate) fn last(&self) -> String {
        if self.post() { self.stream(self.0.layers) } else { "xf".into() }
    }

    /// Prefix, input and output of every layer norm, in order.
    pub(crate) fn norms(&self) -> Vec<(String, String, String)> {
        let mut norms = Vec::new();
        for l in 0..self.0.layers {
            let at = |x: &str| format!("layers.{l}.{x}");
            if self.post() {
                norms.push((at("norm1"), at("r1"), at("x1")));
                norms.push((at("norm2"), at("r2"), at("x")));
            } else {
                norms.push((at("norm1"), self.stream(l), at("n1")));
                norms.push((at("norm2"), at("r1"), at("n2")));
            }
        }
        if !self.post() {
            norms.push(("norm".into(), self.stream(self.0.layers), "xf".into()));
        }
        norms
    }

    /// The two operands of every residual sum, in order.
    pub(crate) fn residuals(&self) -> Vec<[String; 2]> {
        (0..self.0.layers)
            .flat_map(|l| {
                [[self.stream(l), format!("layers.{l}.o")], [self.middle(l), format!("layers.{l}.d")]]
            })
            .collect()
    }
}

/// The list under construction.
struct Rules<'a> {
    list: Vec<Rule>,
    quantize: &'a QuantizeSpec,
}

impl Rules<'_> {
    fn add(&mut self, name: impl Into<String>, bits: u32, frac: Frac) {
        self.list.push(Rule { name: name.into(), bits: vec![bits], frac });
    }

    /// A tensor of W bits.
    fn operand(&mut self, name: impl Into<String>) {
        self.add(name, self.quantize.activation_bits, Frac::Free(FRACTIONS.0, FRACTIONS.1));
    }

    /// Something stored at an accumulator's fraction.
    fn at_accumulator(&mut self, name: impl Into<String>, of: &[&str]) {
        let frac = Frac::Sum(of.iter().map(|x| x.to_string()).collect());
        self.list.push(Rule { name: name.into(), bits: vec![32, WIDE_BIAS], frac });
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
    let mut r = Rules { list: Vec::new(), quantize };

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
            r.dense(&weight(&format!("w_{x}")), &weight(&format!("b_{x}")), &flow.attention(l));
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
        r.add(at("H"), w, if sigmoid { Frac::Fixed(w as i32 - 1) } else { any.clone() });
        r.add(at("g"), serial, any.clone());
        r.add(at("C"), w + serial - 1 + lm, Frac::Sum(vec![at("b"), at("g")]));
        r.add(at("num"), 2 * w - 1 + lm, Frac::Sum(vec![at("b"), at("H")]));
        r.operand(at("y"));
        r.dense(&weight("w_o"), &weight("b_o"), &at("y"));
        r.operand(at("o"));
        r.operand(at("r1"));
        norm(&mut r, &at(if post { "norm1" } else { "norm2" }), &at(if post { "x1" } else { "n2" }));
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
    let read = if spec.output.pooling == Pooling::None { flow.last() } else { "pooled".into() };
    r.dense("head.weight", "head.bias", &read);
    r.add("logits", serial, any);

    // A layer norm's ε must fit beside Σc².
    let finest = (FRACTIONS.0..=FRACTIONS.1).rev().find(|&frac| epsilon(Format::new(w, frac), spec.d_model).is_some());
    let finest = finest.unwrap_or(FRACTIONS.0);
    for (_, input, _) in flow.norms() {
        if let Some(rule) = r.list.iter_mut().find(|rule| rule.name == input) {
            rule.frac = Frac::Free(FRACTIONS.0, finest);
        }
    }
    r.list
}

/// Refuses what has no integer form.
pub(crate) fn has_integer_form(spec: &ModelSpec) -> Result<()> {
    if spec.attention == AttentionKind::Softmax {
        return Err(Error::field(
            "model.attention",
            "\"astromorphic\", \"linear\" or \"gain-matched\"",
            "\"softmax\": a float baseline; it has no integer form",
        ));
    }
    Ok(())
}

impl Plan {
    /// The format of one tensor.
    pub fn format(&self, name: &str) -> Result<Format> {
        let found = self.formats.get(name).copied();
        found.ok_or_else(|| Error::field(format!("formats.{name}"), "a format", "none"))
    }

    /// The formats of one layer's attention.
    pub fn attention(&self, l: usize) -> Result<AttentionFormats> {
        let of = |x: &str| self.format(&format!("layers.{l}.{x}"));
        Ok(AttentionFormats {
            q: of("q")?,
            k: of("k")?,
            v: of("v")?,
            a: of("a")?,
            b: of("b")?,
            h: of("H")?,
            g: of("g")?,
            y: of("y")?,
        })
    }

    /// Refuses missing and unexpected tensors and every format that the law does not allow; the error names the format.
    pub fn validate(&self, spec: &ModelSpec, quantize: &QuantizeSpec) -> Result<()> {
        spec.validate()?;
        quantize.validate()?;
        has_integer_form(spec)?;
        let rules = rules(spec, quantize);
        let names: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        if let Some(name) = self.formats.keys().find(|name| !names.contains(name.as_str())) {
            return Err(Error::field(format!("formats.{name}"), "no tensor of this name in the model", "one"));
        }
        for rule in &rules {
            let format = self.format(&rule.name)?;
            if !rule.bits.contains(&format.bits) {
                let expected: Vec<String> = rule.bits.iter().map(u32::to_string).collect();
                return Err(Error::field(format!("formats.{}.bits", rule.name), expected.join(" or "), format.bits));
            }
            let (lo, hi) = match &rule.frac {
                Frac::Free(lo, hi) => (*lo, *hi),
                Frac::Fixed(frac) => (*frac, *frac),
                Frac::Sum(of) => {
                    let mut sum = 0;
                    for name in of {
                        // Referred tensors come first: their fractions have been checked and are small.
                        sum += self.format(name)?.frac;
                    }
                    (sum, sum)
                }
            };
            crate::spec::range(&format!("formats.{}.frac", rule.name), format.frac, lo, hi)?;
        }
        self.validate_shifts(spec)
    }

    /// The conditions that tie two tensors: alignment of sums, ranges of run-time shifts.
    fn validate_shifts(&self, spec: &ModelSpec) -> Result<()> {
        let flow = Flow(spec);
        for [x, y] in flow.residuals() {
            let (fx, fy) = (self.format(&x)?.frac, self.format(&y)?.frac);
            crate::spec::range(&format!("formats.{y}.frac"), fy, fx - MAX_ALIGNMENT, fx + MAX_ALIGNMENT)?;
        }
        for (prefix, input, _) in flow.norms() {
            let most = epsilon(self.format(&input)?, spec.d_model).map_or(FRACTIONS.1, max_n_frac);
            let name = format!("{prefix}.n");
            crate::spec::range(&format!("formats.{name}.frac"), self.format(&name)?.frac, FRACTIONS.0, most)?;
        }
        for l in 0..spec.layers {
            let f = self.attention(l)?;
            let name = |x: &str| format!("formats.layers.{l}.{x}.frac");
            // c_min = 2^(b.frac + g.frac − 10) must be a value that C can have.
            let room = (f.b.bits + f.g.bits + growth(spec.features)) as i32 - 2;
            crate::spec::range(&name("g"), f.g.frac, FRACTIONS.0, room + 9 - f.b.frac)?;
            let c_min = 1i64 << (f.b.frac + f.g.frac - 10).max(0);
            let n = Normaliser::new(f.b.frac + f.h.frac, f.b.frac + f.g.frac, f.y, c_min);
            shift_in_range(&name("y"), f.y, n)?;
        }
        if spec.output.pooling == Pooling::Mean {
            let pooled = self.format("pooled")?;
            let n = Normaliser::new(self.format(&flow.last())?.frac, 0, pooled, 1);
            shift_in_range("formats.pooled.frac", pooled, n)?;
        }
        Ok(())
    }
}

/// Refuses an output fraction so fine that its dividend would have to be shifted left by more than [`MAX_LEFT`].
fn shift_in_range(field: &str, y: Format, n: Normaliser) -> Result<()> {
    let most = y.frac - (n.left as i32 - MAX_LEFT as i32).max(0);
    crate::spec::range(field, y.frac, FRACTIONS.0, most)
}
