//! Several models on one core: one build of each form, and only program and image change.

use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, QuantizeSpec};
use astromorph::weights::Weights;
use astromorph_host::chain::engine::{Forms, Model};
use astromorph_host::cores::core;
use astromorph_host::progress::Progress;
use astromorph_sim::tools::{Tool, Tools};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Layers, heads, sizes, order, norm, inputs and outputs that differ.
const MODELS: [&str; 3] = [
    "layers = 1\nheads = 1\nd_model = 12\nfeatures = 8\nvalues = 8\nn_max = 10\norder = \"two-pass\"
     input = { kind = \"tokens\", vocabulary = 20 }\noutput = { kind = \"classes\", size = 2, pooling = \"mean\" }",
    "layers = 3\nheads = 2\nd_model = 16\nfeatures = 6\nvalues = 5\nn_max = 14\norder = \"two-pass\"\nnorm = \"pre\"\nalpha = 0.5
     input = { kind = \"vectors\", width = 7 }\noutput = { kind = \"classes\", size = 5, pooling = \"last\" }",
    "layers = 2\nheads = 4\nd_model = 20\nfeatures = 4\nvalues = 7\nn_max = 9\norder = \"causal\"
     input = { kind = \"tokens\", vocabulary = 11, positions = \"learnt\" }\noutput = { kind = \"vocabulary\", size = 11, pooling = \"none\" }",
];

fn model(text: &str, core: &EngineConfig) -> (Image, Vec<Sequence>) {
    let spec: ModelSpec = toml::from_str(text).expect("a specification");
    let quantize = QuantizeSpec {
        activation_bits: core.width,
        weight_bits: core.width,
        ..QuantizeSpec::default()
    };
    let weights = Weights::random(&spec, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let sequences: Vec<Sequence> = (0..10).map(|_| Sequence::random(&spec, &mut rng)).collect();
    let plan = Plan::calibrate(&spec, &quantize, &weights, &sequences).expect("calibrates");
    (
        Image::build(&spec, &quantize, &weights, &plan).expect("an image"),
        sequences,
    )
}

#[test]
fn three_models_run_one_after_the_other_on_one_engine() {
    let core = core("small-8").expect("built in");
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine");
    let tools = Tools::ensure(&[Tool::Verilator], |_| {}).expect("tool");
    let forms = Forms::new(&core, &tools, &work);
    let (mut rusthdl, verilated) = (forms.rusthdl().expect("builds"), forms.verilated().expect("builds"));
    let progress = Progress::new(true);
    // Back to the first at the end: nothing of the others may be left.
    for n in [0, 1, 2, 0] {
        let (image, sequences) = model(MODELS[n], &core);
        let model = Model::new(&image, &core, format!("model {n}"), 5).expect("compiles");
        let rows = [
            model.layers(&sequences).expect("runs"),
            model
                .rusthdl(&mut rusthdl, &sequences[..3], &progress)
                .expect("runs")
                .row,
            model
                .verilated(&verilated, "Verilator", &sequences, &progress)
                .expect("runs")
                .row,
        ];
        for row in rows {
            assert_eq!(row.verdict(), "equal", "{row:?}");
            assert!(row.words > 1000, "{row:?}");
        }
    }
}
