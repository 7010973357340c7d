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

mod flow;
mod rules;

use crate::format::{Format, growth};
use crate::spec::{Calcium, ModelSpec, Pooling, QuantizeSpec};
use crate::twin::AttentionFormats;
use crate::twin::attention::Normaliser;
use crate::twin::norm::{epsilon, max_n_frac};
use crate::twin::residual::MAX_ALIGNMENT;
use crate::{Error, Result};
pub(crate) use flow::Flow;
pub use rules::{Frac, Rule, rules};
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

/// Refuses what has no integer form: the controls that experiments compare the law with.
pub fn has_integer_form(spec: &ModelSpec) -> Result<()> {
    let refused = |field: &str, expected: &str, found: String| {
        let found = format!("{found}: a control in floating point, which has no integer form");
        Err(Error::field(field, expected, found))
    };
    if !spec.attention.is_hebbian() {
        let found = format!("\"{}\"", format!("{:?}", spec.attention).to_lowercase());
        return refused(
            "model.attention",
            "\"astromorphic\", \"linear\" or \"gain-matched\"",
            found,
        );
    }
    if spec.scale.outside {
        return refused("model.scale.outside", "false", "true".into());
    }
    if spec.calcium != Calcium::default() {
        return refused("model.calcium", "nothing", format!("{:?}", spec.calcium));
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
        has_integer_form(spec)?;
        quantize.validate_for(spec)?;
        let rules = rules(spec, quantize);
        let names: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        if let Some(name) = self.formats.keys().find(|name| !names.contains(name.as_str())) {
            return Err(Error::field(
                format!("formats.{name}"),
                "no tensor of this name in the model",
                "one",
            ));
        }
        for rule in &rules {
            let format = self.format(&rule.name)?;
            if !rule.bits.contains(&format.bits) {
                let expected: Vec<String> = rule.bits.iter().map(u32::to_string).collect();
                return Err(Error::field(
                    format!("formats.{}.bits", rule.name),
                    expected.join(" or "),
                    format.bits,
                ));
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
                Frac::Difference(of, less) => {
                    let mut frac = -self.format(less)?.frac;
                    for name in of {
                        frac += self.format(name)?.frac;
                    }
                    (frac, frac)
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
            crate::spec::range(
                &format!("formats.{name}.frac"),
                self.format(&name)?.frac,
                FRACTIONS.0,
                most,
            )?;
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
