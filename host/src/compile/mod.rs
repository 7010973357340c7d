//! The compiler: an image and a core's description become the program that runs the whole model, and the contents of the core's memories.
//!
//! Signature: [`Image`] × [`EngineConfig`] → [`Compiled`]. What the core cannot hold or compute exactly is refused by name, with what would do.
//! The program's law is `docs/engine.md`, the model's `docs/arithmetic.md`; [`Machine`](astromorph::engine::machine::Machine) runs the result
//! and gives, tensor by tensor, the words of [`Twin`](astromorph::twin::Twin).
//!
//! | file | decides |
//! |---|---|
//! | [`alone`](attention()) | a layer's attention without the layers around it |
//! | `layout` | where activations, values and Hebbian matrices lie; tokens of a block |
//! | `attention`, `read`, `chunk`, `emit` | the steps of every layer |
//! | `draft`, `memory` | tables, addends, ranges of fields, the proof of the accumulator |
//! | `part`, `schedule`, `place`, `fill` | which weights stand where and when they are filled |
//! | `hazard` | which steps wait |
//! | [`fit`](fitted) | a core made to measure |
//! | [`input`](Feed) | the words the host sends |
//! | [`tensors`](Tensors) | from the taps back to whole tensors |
//!
//! ```
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
//! # let core: astromorph::engine::config::EngineConfig = toml::from_str("name = 'small'\nlanes = 4\nwidth = 16\nacc_bits = 40\nbank_words = 512\n\
//! #     x_words = 1024\nm_words = 2048\nfunction_words = 2048\nmantissa_words = 4096\nsums = 8\nreads = 32\nnorm_width = 8\nnorm_words = 18").unwrap();
//! use astromorph::{engine::machine::Machine, image::Image, plan::Plan, sequence::Sequence, twin::Twin, weights::Weights};
//! use astromorph_host::compile::{Feed, compile};
//! let (weights, quantize) = (Weights::random(&spec, 1), Default::default());
//! let review = Sequence::Tokens { slots: 1, ids: vec![3, 1, 4] };
//! let plan = Plan::calibrate(&spec, &quantize, &weights, std::slice::from_ref(&review)).unwrap();
//! let image = Image::build(&spec, &quantize, &weights, &plan).unwrap();
//! let compiled = compile(&image, &core).unwrap();
//! let mut machine = Machine::new(&core, &compiled.program, &compiled.loaded).unwrap();
//! let words = machine.predict(&Feed::new(&image).unwrap().words(&review).unwrap()).unwrap();
//! assert_eq!(words, Twin::new(&image).unwrap().predict(&review).unwrap().data);
//! ```

mod alone;
mod attention;
mod chunk;
mod draft;
mod emit;
mod fill;
mod fit;
mod hazard;
mod input;
mod layout;
mod memory;
mod part;
mod place;
pub mod random;
mod read;
mod schedule;
mod tensors;
#[cfg(test)]
mod tests;

pub use alone::{attention, attention_words};
pub use fit::fitted;
pub use input::Feed;
pub use memory::{Pool, Region};
pub use tensors::{Alias, Difference, Place, Tensors};

use astromorph::engine::code::words_of;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::{HEADER, Loaded};
use astromorph::engine::package::Package;
use astromorph::engine::program::{Program, Step};
use astromorph::image::Image;
use astromorph::{Error, Result};
use draft::{Draft, Ground};
use layout::{Layout, Sizes};
use part::word;
use schedule::Schedule;
use std::path::Path;

/// A model, ready for a core.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The steps.
    pub program: Program,
    /// What is loaded once: header, program, data, tables, and weights where they stay in the banks.
    pub loaded: Loaded,
    /// What stands where, for people.
    pub map: Vec<Region>,
    /// Words a token that the host sends.
    pub columns: usize,
    /// What the words at the taps are.
    pub tensors: Tensors,
}

impl Compiled {
    /// The file for a board.
    pub fn package(&self, core: &EngineConfig) -> Result<Package> {
        Package::new(core.clone(), self.program.clone(), self.loaded.clone())
    }
}

/// Reads a core's description (`constraints/cores/*.toml`) and refuses sizes no hardware is built for.
pub fn core_file(path: &Path) -> Result<EngineConfig> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    parse_core(path, &text)
}

/// The same from the text of a file.
pub fn parse_core(path: &Path, text: &str) -> Result<EngineConfig> {
    let core: EngineConfig = toml::from_str(text).map_err(|e| Error::file(path, e.message()))?;
    core.validate().map_err(|e| Error::file(path, e))?;
    Ok(core)
}

/// Choices that a caller may make.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Most tokens of a block; none: as many as fit.
    pub tokens: Option<usize>,
}

/// Compiles a model for a core.
pub fn compile(image: &Image, core: &EngineConfig) -> Result<Compiled> {
    compile_with(image, core, Options::default())
}

/// The same with choices.
pub fn compile_with(image: &Image, core: &EngineConfig, options: Options) -> Result<Compiled> {
    core.validate()?;
    sizes_fit(image, core)?;
    twice(|first, whole| assemble(image, core, options, first, whole))
}

/// Addresses in M depend on the program's length, and its length not on them: `build(first word of the data, whole)` gives the length.
fn twice(build: impl Fn(u32, bool) -> Result<(usize, Compiled)>) -> Result<Compiled> {
    let length = build(HEADER as u32, false)?.0;
    Ok(build(word(HEADER + length), true)?.1)
}

/// Refuses a core that has no g for every token of a chunk; `hm` is Hh·m.
fn chunks_fit(core: &EngineConfig, chunk: Option<usize>, hm: usize, n_max: usize) -> Result<()> {
    let Some(t) = chunk else { return Ok(()) };
    if !core.chunked {
        let expected = "true for attention in chunks, or quantize.chunk = 1, the recurrence";
        return Err(Error::field("core.chunked", expected, core.chunked));
    }
    let needed = t.min(n_max) * hm;
    if needed > core.sums {
        let most = core.sums / hm;
        let expected = format!("{needed} or more for g of a chunk, T·Hh·m words (this core: chunks of {most} tokens)");
        return Err(Error::field("core.sums", expected, core.sums));
    }
    Ok(())
}

/// Sizes that have a memory or a width of their own.
fn sizes_fit(image: &Image, core: &EngineConfig) -> Result<()> {
    let (spec, w) = (image.spec(), image.quantize().activation_bits);
    if w != core.width {
        let expected = format!("{} as core {} has, or another core", core.width, core.name);
        return Err(Error::field("quantize.activation_bits", expected, w));
    }
    let chunk = image.quantize().chunked();
    chunks_fit(core, chunk, spec.heads * spec.features, spec.n_max)?;
    let norms = 2 * spec.layers + usize::from(spec.norm == astromorph::spec::NormOrder::Pre);
    let pooled = if spec.output.pooling == astromorph::spec::Pooling::Mean {
        spec.d_model
    } else {
        0
    };
    for (field, needed, of, found) in [
        (
            "core.norm_width",
            spec.d_model,
            "a layer norm of D words",
            core.norm_width,
        ),
        (
            "core.norm_words",
            norms * (spec.d_model + 1),
            "all layer norms, D + 1 each",
            core.norm_words,
        ),
        (
            "core.sums",
            pooled.max(spec.heads * spec.features),
            "Hh·m calcium sums (and D for mean pooling)",
            core.sums,
        ),
    ] {
        if needed > found {
            return Err(Error::field(field, format!("{needed} or more for {of}"), found));
        }
    }
    Ok(())
}

/// The program's length in words, and what was compiled with data from word `first` of M on; not `whole`: for the length only.
fn assemble(
    image: &Image,
    core: &EngineConfig,
    options: Options,
    first: u32,
    whole: bool,
) -> Result<(usize, Compiled)> {
    let sizes = Sizes::new(image, core);
    let layout = Layout::new(image, core, &sizes, options.tokens)?;
    let wide = image.attention(0)?.z_bits() > 32;
    let mut draft = Draft {
        image,
        ground: Ground::new(core, sizes, layout, first, wide),
    };
    let mut tensors = Tensors::default();
    let phases = draft.phases(&mut tensors)?;
    let schedule = match draft.layout.resident {
        true => schedule::resident(image, core, phases)?,
        false => fill::filled(&mut draft, phases)?,
    };
    let columns = draft.sizes.width.unwrap_or(draft.sizes.d);
    finish(draft.ground, schedule, tensors, columns, whole)
}

/// Waits, places of the taps, memories and their map.
fn finish(
    ground: Ground<'_>,
    mut schedule: Schedule,
    mut tensors: Tensors,
    columns: usize,
    whole: bool,
) -> Result<(usize, Compiled)> {
    let (core, states) = (ground.core, ground.states());
    hazard::set_waits(&mut schedule.steps, ground.sizes.n);
    for (number, (_, part)) in schedule.steps.iter().enumerate() {
        for (tap, place) in part.iter().flat_map(|part| &part.show) {
            tensors.places.insert((number, *tap), place.clone());
        }
    }
    let mut steps: Vec<Step> = schedule.steps.into_iter().map(|(step, _)| step).collect();
    steps.push(Step::End);
    let length = steps.iter().map(words_of).sum();
    let program = Program {
        n_max: word(ground.sizes.n),
        steps,
    };
    let mut map = vec![Region {
        memory: "M",
        first: 0,
        words: word(HEADER + length),
        holds: "header and program".into(),
    }];
    let activations = ground.layout.regions(&ground.sizes);
    let mut loaded = Loaded::default();
    if whole {
        loaded = Loaded::new(core, &program)?;
        let (data, regions) = ground.main.finish(core.m_words, states)?;
        loaded.m.extend(data);
        map.extend(regions);
    }
    let (function, functions) = ground.function.finish()?;
    let (mantissa, mantissas) = ground.mantissa.finish()?;
    loaded.function = function;
    loaded.mantissa = mantissa;
    loaded.norm = ground.norm;
    loaded.banks = schedule.banks;
    map.extend([activations, functions, mantissas, ground.norms, schedule.regions].concat());
    let compiled = Compiled {
        program,
        loaded,
        map,
        columns,
        tensors,
    };
    Ok((length, compiled))
}
