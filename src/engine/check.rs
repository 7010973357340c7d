//! What a program must keep on a core, beyond the ranges of its fields: before anything runs.
//!
//! ```
//! # let core: astromorph::engine::config::EngineConfig = toml::from_str("name = 'x'\nlanes = 2\nwidth = 8\nacc_bits = 24\nbank_words = 16\nx_words = 64\nm_words = 64\nfunction_words = 16\nmantissa_words = 16\nsums = 8\nreads = 8\nnorm_width = 8\nnorm_words = 16").unwrap();
//! use astromorph::engine::{check::check, program::{Program, Step}};
//! let error = check(&core, &Program { n_max: 4, steps: vec![Step::End] }).unwrap_err();
//! assert_eq!(error.to_string(), "program.steps: expected one step that takes the input, found none");
//! ```

use super::code::name_of;
use super::config::EngineConfig;
use super::program::*;
use crate::spec::range;
use crate::{Error, Result};

/// Refuses a program whose steps contradict each other, themselves or the core's widths.
pub fn check(core: &EngineConfig, program: &Program) -> Result<()> {
    let mut input = false;
    let mut looping = false;
    for (number, step) in program.steps.iter().enumerate() {
        let name = name_of(number, step);
        let refuse = |expected: &str, found: &str| Err(Error::field(&name, expected, found));
        match step {
            Step::Blocks { .. } if !input => return refuse("the input before it", "none"),
            Step::Blocks { .. } => looping = true,
            Step::Next { .. } => looping = false,
            Step::Run(run) => {
                match run.source {
                    Source::Input if input => return refuse("one step that takes the input", "another"),
                    Source::Input if looping => return refuse("the input outside loops", "it within one"),
                    Source::Input => input = true,
                    _ if !input => return refuse("the input before it", "none"),
                    _ => {}
                }
                self::run(core, &name, run)?;
            }
            Step::End | Step::Fill(_) => {}
        }
    }
    if !input {
        return Err(Error::field("program.steps", "one step that takes the input", "none"));
    }
    Ok(())
}

fn run(core: &EngineConfig, name: &str, run: &Run) -> Result<()> {
    let (s, w, sw) = (&run.stream, core.width, core.serial_bits());
    let at = |field: &str| format!("{name}.{field}");
    let must = |held: bool, field: &str, expected: &str, found: &dyn std::fmt::Debug| {
        if held {
            return Ok(());
        }
        Err(Error::field(at(field), expected, format!("{found:?}")))
    };
    range(&at("cols"), s.cols, 1, 65535)?;
    if let Source::Array(mac) = run.source {
        let passes = s.cols.div_ceil(core.lanes as u32);
        must(
            mac.passes == passes,
            "passes",
            &format!("{passes} for {} columns", s.cols),
            &mac.passes,
        )?;
        for (field, value) in [
            ("x_stride", mac.x_stride),
            ("bank", mac.bank),
            ("bank_stride", mac.bank_stride),
        ] {
            must(value % 2 == 0, field, "an even number", &value)?;
        }
    }
    let slow = matches!(s.other, Other::Residual { .. })
        || matches!(s.addend, Addend::State { wide: true, .. })
        || matches!(s.serial, Serial::Power { .. });
    must(
        s.slow || !slow,
        "slow",
        "a slow step for a residual operand, a wide state or Power",
        &s.slow,
    )?;
    let running = matches!(
        s.serial,
        Serial::Power { running: true, .. } | Serial::Calcium { running: true, .. }
    );
    must(
        core.chunked || !running,
        "serial.running",
        "false on a core that is not chunked",
        &running,
    )?;
    match s.serial {
        Serial::Power { running: false, .. } | Serial::Count { .. } => return serial_source(run, must),
        Serial::Power { running: true, .. } => {
            let summed = s.sums.is_some_and(|sums| sums.of == Summed::Function);
            must(summed, "sums.of", "Function with a running power", &s.sums)?;
            must(s.norm.is_none(), "norm", "nothing with a running power", &s.norm)?;
        }
        Serial::Normalise { .. } => {
            must(s.bits == sw, "bits", &format!("{sw} with Normalise"), &s.bits)?;
            must(
                s.function == Function::None,
                "function",
                "None with Normalise",
                &s.function,
            )?;
            must(s.other == Other::None, "other", "None with Normalise", &s.other)?;
        }
        Serial::Calcium { .. } | Serial::None => {}
    }
    must(
        run.source != Source::Count,
        "serial",
        "Count with source count",
        &s.serial,
    )?;
    let bits = match s.function {
        Function::None => None,
        Function::Phi { bits, .. } => {
            range(&at("function.bits"), bits, 1, w - 1)?;
            Some(w)
        }
        Function::Relu { .. } | Function::Gelu { .. } => Some(w),
        Function::Table { bits, .. } => Some(bits),
        Function::Hard => Some(w + 1),
    };
    if let Some(bits) = bits {
        must(
            s.bits == bits,
            "bits",
            &format!("{bits} for the function's input"),
            &s.bits,
        )?;
    }
    range(&at("bits"), s.bits, 2, if bits.is_some() { sw.max(w + 1) } else { sw })?;
    // Behind the function a word has W bits, and more only where they are read: the normaliser and the output.
    let wide = bits.is_none() && s.bits > w && s.other == Other::None;
    let narrow_only = s.other == Other::None && s.norm.is_none() && matches!(s.to, To::Output | To::Nowhere);
    let normalised = matches!(s.serial, Serial::Normalise { .. });
    let operand = s.other != Other::None && bits.is_none() && s.bits > w;
    must(
        !operand,
        "bits",
        &format!("at most {w} before the other operand"),
        &s.bits,
    )?;
    must(
        !wide || narrow_only || normalised,
        "bits",
        &format!("at most {w} unless the word goes to the output"),
        &s.bits,
    )?;
    if s.norm.is_some() {
        range(&at("cols"), s.cols as usize, 1, core.norm_width)?;
    }
    Ok(())
}

/// Power reads sums, Count reads N, and nothing else happens to their words.
fn serial_source(run: &Run, must: impl Fn(bool, &str, &str, &dyn std::fmt::Debug) -> Result<()>) -> Result<()> {
    let s = &run.stream;
    let source = match s.serial {
        Serial::Count { .. } => Source::Count,
        _ => Source::Sums,
    };
    must(run.source == source, "source", &format!("{source:?}"), &run.source)?;
    must(
        run.source != Source::Count || s.cols == 1,
        "cols",
        "1 with source count",
        &s.cols,
    )?;
    let plain = s.addend == Addend::None && s.function == Function::None && s.other == Other::None;
    must(
        plain,
        "addend, function and other",
        "None with Power and Count",
        &"another",
    )?;
    let unused = s.to == To::Nowhere && s.norm.is_none() && s.sums.is_none_or(|s| s.of == Summed::Nothing);
    must(unused, "to, norm and sums", "nothing with Power and Count", &"another")
}
