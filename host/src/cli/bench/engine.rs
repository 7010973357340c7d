//! Speed of the engine's RustHDL simulation: a model of the shape of `imdb` with random weights, on the cores of 8 lanes.
//!
//! Two speeds: by the clock on the wall, and by the time its processor gave to the thread, which a busy machine falsifies less.

use super::add;
use crate::chain::engine::{Forms, Model};
use crate::cli::Failure;
use crate::cores::core;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::Report;
use astromorph::Error;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{Input, ModelSpec, QuantizeSpec};
use astromorph::weights::Weights;
use astromorph_sim::tools::Tools;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Cores of 8 lanes: 16-bit and 8-bit operands.
const CORES: [&str; 2] = ["up5k-int16", "small-8"];

/// Sequences of a core: the first without stalls, the second with.
const SEQUENCES: usize = 2;

/// Simulates, compares with the program's words and adds rows.
pub fn engines(seed: u64, work: &Path, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    for name in CORES {
        let core = core(name)?;
        let stage = progress.stage(&format!("RustHDL engine, {name}"));
        let mut spec = Project::builtin("imdb")?.model;
        if let Input::Tokens { vocabulary, .. } = &mut spec.input {
            // The embedding stays on the host: its size is nothing to the core.
            *vocabulary = 100;
        }
        let (image, sequences) = random(&spec, core.width, seed)?;
        let model = Model::new(&image, &core, format!("imdb's shape on {name}"), seed)?;
        let tools = Tools::ensure(&[], |line| progress.say(line))?;
        let mut engine = Forms::new(&core, &tools, work).rusthdl()?;
        let ran = model.rusthdl(&mut engine, &sequences, progress)?;
        let what = format!("RustHDL simulation of the engine, {name}, 8 lanes");
        add(report, &what, ran.speed, "cycles/s", "≥ 300 000");
        if let Some(speed) = ran.processor_speed {
            let what = format!("{what}, by processor time");
            add(report, &what, speed, "cycles/s", "≥ 300 000");
        }
        report.comparisons.push(ran.row);
        progress.say(&format!("  {:.1} s", stage.seconds()));
    }
    Ok(())
}

/// A model of random weights, and its longest sequences.
fn random(spec: &ModelSpec, width: u32, seed: u64) -> Result<(Image, Vec<Sequence>), Error> {
    let quantize = QuantizeSpec {
        activation_bits: width,
        weight_bits: width,
        phi_index_bits: 8,
        power_mantissa_bits: 3,
        reciprocal_mantissa_bits: 6,
        rsqrt_mantissa_bits: 6,
        ..QuantizeSpec::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weights = Weights::random(spec, seed);
    let mut drawn: Vec<Sequence> = (0..16).map(|_| Sequence::random(spec, &mut rng)).collect();
    let plan = Plan::calibrate(spec, &quantize, &weights, &drawn)?;
    let image = Image::build(spec, &quantize, &weights, &plan)?;
    drawn.sort_by_key(|s| std::cmp::Reverse(s.len()));
    drawn.truncate(SEQUENCES);
    Ok((image, drawn))
}
