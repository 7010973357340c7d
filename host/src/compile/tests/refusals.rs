//! What a core cannot hold or compute is refused by name, and what the refusal says would do does.

use super::super::*;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, QuantizeSpec};
use astromorph::weights::Weights;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn core() -> EngineConfig {
    toml::from_str(
        "name = 'small'\nlanes = 4\nwidth = 8\nacc_bits = 32\nbank_words = 512\nx_words = 2048\nm_words = 4096\n\
         function_words = 512\nmantissa_words = 1024\nsums = 16\nreads = 64\nnorm_width = 12\nnorm_words = 66",
    )
    .unwrap()
}

fn spec(norm: &str, order: &str) -> ModelSpec {
    toml::from_str(&format!(
        "layers = 2\nheads = 2\nd_model = 12\nfeatures = 4\nvalues = 5\nn_max = 20\norder = \"{order}\"\nnorm = \"{norm}\"\n\
         input = {{ kind = \"vectors\", width = 9 }}\noutput = {{ kind = \"classes\", size = 3, pooling = \"mean\" }}"
    ))
    .unwrap()
}

fn image(spec: &ModelSpec) -> Image {
    quantized(spec, 8)
}

/// The post-norm model with its plan and weights changed.
fn changed(change: impl FnOnce(&mut Plan, &mut Weights)) -> Image {
    let spec = spec("post", "two-pass");
    let base = image(&spec);
    let (mut plan, mut weights) = (base.plan().clone(), Weights::random(&spec, 7));
    change(&mut plan, &mut weights);
    Image::build(&spec, base.quantize(), &weights, &plan).unwrap()
}

fn quantized(spec: &ModelSpec, weight_bits: u32) -> Image {
    in_chunks(spec, weight_bits, 1)
}

fn in_chunks(spec: &ModelSpec, weight_bits: u32, chunk: usize) -> Image {
    let quantize = QuantizeSpec {
        activation_bits: 8,
        weight_bits,
        power_mantissa_bits: 3,
        reciprocal_mantissa_bits: 6,
        rsqrt_mantissa_bits: 6,
        chunk,
        ..Default::default()
    };
    let weights = Weights::random(spec, 7);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let sequences: Vec<Sequence> = (0..8).map(|_| Sequence::random(spec, &mut rng)).collect();
    let plan = Plan::calibrate(spec, &quantize, &weights, &sequences).unwrap();
    Image::build(spec, &quantize, &weights, &plan).unwrap()
}

/// Sets one field by name.
fn set(core: &EngineConfig, field: &str, value: usize) -> EngineConfig {
    let mut table: toml::Table = toml::from_str(&toml::to_string(core).unwrap()).unwrap();
    table.insert(field.into(), toml::Value::Integer(value as i64));
    toml::from_str(&toml::to_string(&table).unwrap()).unwrap()
}

/// Every memory in turn is cut down until the model is refused; the refusal names the field and words that do, and one step less does not.
#[test]
fn the_words_that_a_refusal_names_are_enough() {
    for (norm, order, chunk) in [
        ("post", "two-pass", 1),
        ("pre", "two-pass", 1),
        ("post", "causal", 1),
        ("pre", "causal", 5),
    ] {
        let image = in_chunks(&spec(norm, order), 8, chunk);
        let core = || match chunk {
            1 => core(),
            _ => EngineConfig {
                chunked: true,
                ..set(&core(), "sums", 40)
            },
        };
        compile(&image, &core()).unwrap();
        for field in [
            "bank_words",
            "x_words",
            "m_words",
            "function_words",
            "mantissa_words",
            "sums",
            "reads",
            "norm_width",
            "norm_words",
            "acc_bits",
        ] {
            let least = if field == "acc_bits" { 16 } else { 4 };
            let mut tried = 0;
            let mut cut = set(&core(), field, least);
            loop {
                let error = match compile(&image, &cut) {
                    Ok(_) => break,
                    Err(e) => e.to_string(),
                };
                assert!(error.starts_with(&format!("core.{field}")), "{field}: {error}");
                let words = error
                    .split("expected ")
                    .nth(1)
                    .and_then(|rest| rest.split_whitespace().next());
                let words: usize = words.unwrap().parse().unwrap_or_else(|_| panic!("{error}"));
                let found: usize = error.rsplit(' ').next().unwrap().parse().unwrap();
                assert!(words > found, "{error}");
                // A refusal names what its own reason needs: another may come after it, but not many.
                cut = set(
                    &core(),
                    field,
                    if field == "acc_bits" {
                        words
                    } else {
                        words.next_multiple_of(2)
                    },
                );
                tried += 1;
                assert!(tried < 6, "{error}");
            }
            // The fewest reads that hardware is built for do for two heads.
            assert!(tried > 0 || field == "reads", "{field} was never refused");
        }
    }
}

#[test]
fn chunks_that_a_core_has_no_room_for_are_refused_by_name() {
    let image = in_chunks(&spec("post", "causal"), 8, 5);
    assert_eq!(
        compile(&image, &core()).unwrap_err().to_string(),
        "core.chunked: expected true for attention in chunks, or quantize.chunk = 1, the recurrence, found false"
    );
    let few = EngineConfig {
        chunked: true,
        ..set(&core(), "sums", 38)
    };
    assert_eq!(
        compile(&image, &few).unwrap_err().to_string(),
        "core.sums: expected 40 or more for g of a chunk, T·Hh·m words (this core: chunks of 4 tokens), found 38"
    );
}

#[test]
fn another_width_and_wide_numbers_are_refused_by_name() {
    let image = image(&spec("post", "two-pass"));
    let error = compile(&image, &set(&core(), "width", 10)).unwrap_err().to_string();
    assert_eq!(
        error,
        "quantize.activation_bits: expected 10 as core small has, or another core, found 8"
    );
    let wide = |plan: &mut Plan, weights: &mut Weights| {
        // An addend of 1.0 at 40 fraction bits and more.
        weights.tensors.get_mut("layers.0.attention.b_k").unwrap().data[0] = 1.0;
        let at = |name: &str| format!("layers.0.attention.{name}");
        let more = 40 - plan.formats[&at("w_k")].frac;
        plan.formats.get_mut(&at("w_k")).unwrap().frac = 40;
        let bias = plan.formats.get_mut(&at("b_k")).unwrap();
        (bias.bits, bias.frac) = (60, bias.frac + more);
    };
    let error = compile(&changed(wide), &core()).unwrap_err().to_string();
    assert!(
        error.starts_with("layers.0.attention.b_k[0]: expected an addend of 32 bits, found"),
        "{error}"
    );
    let error = compile(&quantized(&spec("post", "two-pass"), 12), &core())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "quantize.weight_bits: expected 8 or fewer on core small, found 12"
    );
    let error = compile(&image, &set(&core(), "lanes", 3)).unwrap_err().to_string();
    assert!(error.starts_with("core.lanes: expected an even number"), "{error}");
}

/// Formats at the ends of the law's ranges are not the engine's: each is refused by the tensor's name.
#[test]
fn shifts_beyond_their_fields_are_refused_by_name() {
    let of = |changes: &[(&str, i32)]| {
        let image = changed(|plan, _| {
            for (name, frac) in changes {
                plan.formats.get_mut(*name).unwrap().frac = *frac;
            }
            // What follows from a changed fraction follows it.
            for rule in astromorph::plan::rules(&spec("post", "two-pass"), &QuantizeSpec::default()) {
                if let astromorph::plan::Frac::Sum(of) = &rule.frac {
                    let sum = of.iter().map(|name| plan.formats[name].frac).sum();
                    plan.formats.get_mut(&rule.name).unwrap().frac = sum;
                }
            }
        });
        compile(&image, &core()).unwrap_err().to_string()
    };
    for (changes, said) in [
        (
            &[("layers.0.k", 20)][..],
            "layers.0.k: fraction: expected 0 to 17, found 20",
        ),
        (&[("layers.0.f", -24)], "layers.0.f: shift of the function's rounding"),
        (&[("layers.1.u", 40)], "layers.1.u: shift of the rounding"),
        (&[("layers.0.o", -20)], "layers.0.r1: alignment of x0 and layers.0.o"),
        (&[("logits", 40)], "logits: shift of the rounding: expected -16 to 47"),
        (
            &[("layers.0.norm1.n", -24)],
            "layers.0.norm1.n: 15 - its fraction: expected -32 to 31, found 39",
        ),
    ] {
        let error = of(changes);
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
}

/// A larger bound on T, and a smaller: the same tensors' places, other blocks.
#[test]
fn tokens_bound_the_blocks() {
    let image = image(&spec("pre", "two-pass"));
    let of = |tokens| {
        let compiled = compile_with(&image, &core(), Options { tokens }).unwrap();
        let blocks = |step: &Step| match step {
            Step::Blocks { tokens } => Some(*tokens),
            _ => None,
        };
        compiled.program.steps.iter().filter_map(blocks).collect::<Vec<u32>>()
    };
    assert!(of(Some(5)).iter().all(|&t| t <= 5 || t == 20), "{:?}", of(Some(5)));
    assert!(of(None).iter().any(|&t| t > 5));
}
