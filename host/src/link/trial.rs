//! Results under faults: programs deployed and sequences run over a line that misbehaves, every result held against the integer machine's.

use super::board::Board;
use super::counters::Counters;
use super::device::{Device, Item, List, Work, beats};
use super::driver::Timing;
use super::error::Result;
use super::faults::{Faulty, Made, Rates};
use super::pipe::Pipe;
use super::transport::Transport;
use crate::compile::{Feed, compile};
use crate::cores::core;
use crate::report::ComparisonRow;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::engine::package::Package;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, QuantizeSpec};
use astromorph::weights::Weights;
use astromorph_hdl::link::protocol::Space;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The core of the trials.
pub const CORE: &str = "small-8";
/// The core of the line's use.
const LARGE_CORE: &str = "up5k-int8";

/// Of the board and of its line.
const CLOCK_HZ: u64 = 24_000_000;
const BAUD: u64 = 3_000_000;

/// Sequences between two deployments.
const ROUND: usize = 2000;

/// Sequences whose results are known.
const KNOWN: usize = 64;

/// A program with sequences and what must come out.
pub struct Known {
    /// The program.
    pub package: Package,
    /// Input words and output words.
    pub sequences: Vec<(Vec<i32>, Vec<i32>)>,
    /// Tokens of all sequences.
    pub tokens: usize,
}

impl Known {
    /// Input words of all sequences with their ends, and the number of output words.
    pub fn beats(&self) -> (Vec<(i32, bool)>, usize) {
        beats(self.sequences.iter().map(|(input, output)| (&input[..], output.len())))
    }

    /// What someone gave for all sequences, word by word.
    pub fn compared(&self, who: &str, words: &[i32]) -> ComparisonRow {
        let expected: Vec<i32> = self.sequences.iter().flat_map(|(_, o)| o).copied().collect();
        let same = words.iter().zip(&expected).filter(|(a, b)| a == b).count();
        let mut row = ComparisonRow::missing("machine", who, "every output word", "");
        row.sequences = self.sequences.len();
        row.words = words.len().max(expected.len()) as u64;
        row.mismatches = row.words - same as u64;
        row
    }
}

/// A small model with random weights, on the trials' core.
pub fn known(seed: u64) -> Result<Known> {
    small(&core(CORE)?, seed)
}

/// A small model with random weights.
pub fn small(core: &EngineConfig, seed: u64) -> Result<Known> {
    let sizes = "layers = 1\nheads = 2\nd_model = 16\nfeatures = 4\nvalues = 6\nn_max = 48
        input = { kind = \"vectors\", width = 12 }\noutput = { kind = \"classes\", size = 5, pooling = \"mean\" }";
    of_sizes(core, sizes, seed, KNOWN)
}

/// One of a size that boards are for.
pub fn large(core: &EngineConfig, seed: u64, count: usize) -> Result<Known> {
    let sizes =
        "layers = 2\nheads = 2\nd_model = 48\nfeatures = 16\nvalues = 32\nn_max = 128\nfeed-forward = { width = 80 }
        input = { kind = \"vectors\", width = 64 }\noutput = { kind = \"classes\", size = 2, pooling = \"mean\" }";
    of_sizes(core, sizes, seed, count)
}

fn of_sizes(core: &EngineConfig, sizes: &str, seed: u64, count: usize) -> Result<Known> {
    let text = format!("order = \"two-pass\"\n{sizes}");
    let spec: ModelSpec = toml::from_str(&text).map_err(|e| astromorph::Error::field("model", "a specification", e))?;
    let quantize = QuantizeSpec {
        activation_bits: core.width,
        weight_bits: core.width,
        phi_index_bits: 8,
        power_mantissa_bits: 3,
        reciprocal_mantissa_bits: 6,
        rsqrt_mantissa_bits: 6,
        ..QuantizeSpec::default()
    };
    let weights = Weights::random(&spec, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let drawn: Vec<Sequence> = (0..count).map(|_| Sequence::random(&spec, &mut rng)).collect();
    let plan = Plan::calibrate(&spec, &quantize, &weights, &drawn)?;
    let image = Image::build(&spec, &quantize, &weights, &plan)?;
    let compiled = compile(&image, core)?;
    let (feed, mut machine) = (
        Feed::new(&image)?,
        Machine::new(core, &compiled.program, &compiled.loaded)?,
    );
    let sequences = drawn
        .iter()
        .map(|s| {
            let input = feed.words(s)?;
            let output = machine.predict(&input)?;
            Ok((input, output))
        })
        .collect::<astromorph::Result<_>>()?;
    Ok(Known {
        package: compiled.package(core)?,
        sequences,
        tokens: drawn.iter().map(Sequence::len).sum(),
    })
}

/// A line to a board in this process with the trials' core.
pub fn line(known: &Known) -> Result<Pipe<astromorph_sim::link::MemoryCore>> {
    Ok(Pipe::integers(known.package.core(), "trial", CLOCK_HZ, BAUD)?)
}

/// What came out of a trial.
pub struct Outcome {
    /// Sequences whose results were given out.
    pub sequences: usize,
    /// Results that differ from the machine's.
    pub wrong: usize,
    /// Deployments.
    pub deployments: usize,
    /// Faults, frames and bytes.
    pub made: Made,
    /// The driver's.
    pub counters: Counters,
    /// By the wall's clock.
    pub elapsed: Duration,
    /// By the line's clock.
    pub line: Duration,
}

/// Known sequences again and again until enough frames have gone.
struct Endless<'a> {
    known: &'a Known,
    made: Arc<Mutex<Made>>,
    frames: u64,
    given: usize,
    done: usize,
    wrong: usize,
    back: Vec<Item>,
}

impl Work for Endless<'_> {
    fn next(&mut self, _: bool) -> Option<Item> {
        if let Some(item) = self.back.pop() {
            return Some(item);
        }
        let enough = self.made.lock().unwrap_or_else(|e| e.into_inner()).frames >= self.frames;
        if enough || self.given == ROUND {
            return None;
        }
        let (input, output) = &self.known.sequences[self.given % self.known.sequences.len()];
        self.given += 1;
        Some(Item {
            number: self.given - 1,
            input: input.clone(),
            outputs: output.len(),
        })
    }

    fn done(&mut self, item: Item, outputs: Vec<i32>) {
        let (_, expected) = &self.known.sequences[item.number % self.known.sequences.len()];
        self.done += 1;
        self.wrong += usize::from(outputs != *expected);
    }

    fn back(&mut self, item: Item) {
        self.back.push(item);
    }
}

/// A trial on a board in this process.
pub fn trial(programs: &[Known; 2], rates: Rates, frames: u64, seed: u64) -> Result<Outcome> {
    let timing = Timing {
        latency: Duration::from_millis(20),
        // Of the line's clock: nobody waits for it.
        patience: Duration::from_secs(120),
        ..Timing::default()
    };
    trial_over(Faulty::new(line(&programs[0])?, rates, seed), timing, programs, frames)
}

/// Deploys and runs two programs in turn until so many frames have gone over the line in both directions.
pub fn trial_over<T: Transport + 'static>(
    faulty: Faulty<T>,
    timing: Timing,
    programs: &[Known; 2],
    frames: u64,
) -> Result<Outcome> {
    let made = faulty.made();
    let started = Instant::now();
    let mut board = Board::connect(Box::new(faulty), timing)?;
    let (mut sequences, mut wrong, mut deployments) = (0, 0, 0);
    for known in programs.iter().cycle() {
        board.deploy(&known.package, &mut |_, _| {})?;
        deployments += 1;
        let mut work = Endless {
            known,
            made: made.clone(),
            frames,
            given: 0,
            done: 0,
            wrong: 0,
            back: Vec::new(),
        };
        board.run(&mut work)?;
        sequences += work.done;
        wrong += work.wrong + (work.given - work.done);
        if made.lock().unwrap_or_else(|e| e.into_inner()).frames >= frames {
            break;
        }
    }
    let counters = board.driver().counters;
    let made = *made.lock().unwrap_or_else(|e| e.into_inner());
    Ok(Outcome {
        sequences,
        wrong,
        deployments,
        made,
        counters,
        elapsed: started.elapsed(),
        line: board.driver().now(),
    })
}

/// Share of a line without faults that is payload, of an image's upload and of the sequences' inputs, in percent; and the image's bytes.
pub fn efficiency(seed: u64) -> Result<(f64, f64, usize)> {
    let known = large(&core(LARGE_CORE)?, seed, 24)?;
    let pipe = line(&known)?;
    let baud = pipe.baud();
    let mut board = Board::connect(Box::new(pipe), Timing::default())?;
    let share = |bytes: usize, time: Duration| 100.0 * bytes as f64 * 10.0 / (time.as_secs_f64() * baud as f64);
    let started = board.driver().now();
    let deployed = board.deploy(&known.package, &mut |_, _| {})?;
    let upload = share(deployed.written, board.driver().now() - started);
    let word = Space::Input.word_bytes(known.package.core());
    let inputs: Vec<_> = known
        .sequences
        .iter()
        .cycle()
        .take(10 * known.sequences.len())
        .collect();
    let bytes: usize = inputs.iter().map(|(input, _)| input.len() * word).sum();
    let mut list = List::new(inputs.iter().map(|(i, o)| (i.clone(), o.len())).collect(), &|_, _| {});
    let started = board.driver().now();
    board.run(&mut list)?;
    let stream = share(bytes, board.driver().now() - started);
    Ok((upload, stream, deployed.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_among_known_ones_is_counted() {
        let a = known(1).unwrap();
        let mut words: Vec<i32> = a.sequences.iter().flat_map(|(_, o)| o).copied().collect();
        assert_eq!(a.compared("a board", &words).verdict(), "equal");
        words[7] ^= 1;
        assert_eq!(a.compared("a board", &words).mismatches, 1);
        words.truncate(9);
        let row = a.compared("a board", &words);
        assert_eq!((row.words - row.mismatches, row.verdict()), (8, "DIFFERENT"));
    }

    #[test]
    fn known_answers_fit_every_board() {
        for name in ["icebreaker", "ulx3s", "colorlight-i5", "tang-nano-20k"] {
            let board = crate::boards::Board::find(name).unwrap();
            let core = crate::cores::core(&board.link.core).unwrap();
            assert!(small(&core, 1).is_ok_and(|known| known.sequences.len() > 10), "{name}");
        }
    }
}
