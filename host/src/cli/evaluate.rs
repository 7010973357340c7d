//! `astromorph evaluate`: accuracy on the test set by form, boards included (of next words also golden's and the twin's perplexity); where two
//! forms do not say the same, and how fast each is.
//!
//! Golden and twin take the whole test set, hardware its first `--sequences`. Every logit of hardware is held against the twin's: a difference is a failure. Where only the
//! classes of neighbouring forms differ (golden and twin round differently), the report lists them item by item.

use super::deploy::{deploy, package};
use super::engine::Outputs;
use super::ports::Ports;
use super::train::{finish, new_report};
use super::verify::verdict;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::answers::Answers;
use crate::chain::engine::Forms;
use crate::chain::perplexity::perplexity;
use crate::compile::Feed;
use crate::cores::for_image;
use crate::data::Example;
use crate::link::device::{RustHdl, Verilated};
use crate::link::share::share;
use crate::link::{Board, Device};
use crate::progress::Progress;
use crate::report::{MeasureRow, Report};
use astromorph::image::Image;
use astromorph::spec::Pooling;
use astromorph_sim::tools::{Tool, Tools};
use clap::{Args, ValueEnum};
use std::time::Instant;

/// Arguments of `evaluate`.
#[derive(Args)]
pub struct Evaluate {
    #[command(flatten)]
    choice: Choice,
    /// Forms to evaluate.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Form::Golden, Form::Twin])]
    on: Vec<Form>,
    /// Test sequences for hardware, simulated or not (golden and twin take all).
    #[arg(long, default_value_t = 200)]
    sequences: usize,
    #[command(flatten)]
    ports: Ports,
}

/// A form of the model.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Floating point.
    Golden,
    /// Integers.
    Twin,
    /// The whole model on the engine in simulated RustHDL.
    Rusthdl,
    /// The whole model on the Verilated engine.
    Verilated,
    /// Boards at the ports given with `--port`, or virtual ones (`--board NAME` alone).
    Board,
}

/// What every hardware form is given.
struct Given<'a> {
    workspace: &'a Workspace,
    image: &'a Image,
    /// Input words, and the number of output words.
    inputs: Vec<(Vec<i32>, usize)>,
    progress: &'a Progress,
}

impl Evaluate {
    /// Evaluates and reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let mut report = new_report(&workspace, "evaluate");
        let wants = |form: Form| self.on.contains(&form);
        // Before long work: who is there?
        let connected = match wants(Form::Board) {
            true => Some(self.ports.connect_or_plug_in(&workspace.file("engine"), progress)?),
            false => None,
        };
        let set = workspace.dataset(progress)?;
        let some = &set.test[..self.sequences.min(set.test.len())];
        let mut forms = Vec::new();
        if wants(Form::Golden) {
            let (spec, weights) = (&workspace.project.model, workspace.weights()?);
            forms.push(Answers::golden(spec, &weights, &set.test, progress)?);
        }
        let hardware = [Form::Rusthdl, Form::Verilated, Form::Board].into_iter().any(wants);
        if wants(Form::Twin) || hardware {
            let image = workspace.image()?;
            // Hardware's answers are held against the twin's, asked for or not.
            let examples = if wants(Form::Twin) { &set.test } else { some };
            let twin = Answers::twin(&image, examples, some.len(), progress)?;
            let given = Given {
                workspace: &workspace,
                image: &image,
                inputs: inputs(&image, some)?,
                progress,
            };
            let mut found = Vec::new();
            if wants(Form::Rusthdl) || wants(Form::Verilated) {
                found.extend(given.simulated(wants(Form::Rusthdl), wants(Form::Verilated))?);
            }
            if let Some(connected) = connected {
                found.push(given.boards(connected.boards, &mut report)?);
            }
            report.comparisons.extend(found.iter().map(|f| f.compared(&twin)));
            forms.push(twin);
            forms.extend(found);
        }
        for form in &forms {
            report.accuracy.push(form.accuracy(&set.test));
            let speed = form.tokens_a_second(&set.test);
            measure(&mut report, format!("{}: speed", form.form), speed, "tokens/s");
            // Of a part of the test set the perplexity would be another set's.
            if form.losses.len() == set.test.len() && !set.test.is_empty() {
                let found = perplexity(&form.losses)?;
                measure(&mut report, format!("{}: perplexity", form.form), found, "tokens");
                if let Some(words) = &set.words {
                    let what = format!("{}: perplexity of a word ({})", form.form, words.describe());
                    measure(&mut report, what, words.of_a_word(found), "words");
                }
            }
        }
        for pair in forms.windows(2) {
            report.disagreements.extend(pair[0].disagreements(&pair[1], &set.test));
        }
        if report.disagreements.is_empty() && forms.len() > 1 {
            report
                .notes
                .push("All forms give every sequence that they share the same class.".into());
        }
        finish(&report, &workspace, common)?;
        if hardware { verdict(&report) } else { Ok(()) }
    }
}

fn measure(report: &mut Report, what: String, value: f64, unit: &str) {
    report.measures.push(MeasureRow {
        what,
        value,
        unit: unit.into(),
        goal: String::new(),
    });
}

/// Input words of every example, and how many words come out.
fn inputs(image: &Image, examples: &[Example]) -> Result<Vec<(Vec<i32>, usize)>, Failure> {
    let feed = Feed::new(image)?;
    let output = &image.spec().output;
    let one = |e: &Example| {
        let rows = if output.pooling == Pooling::None {
            e.sequence.len()
        } else {
            1
        };
        Ok((feed.words(&e.sequence)?, rows * output.size))
    };
    Ok(examples.iter().map(one).collect::<astromorph::Result<_>>()?)
}

impl Given<'_> {
    fn columns(&self) -> usize {
        self.image.spec().output.size
    }

    /// The simulated engines.
    fn simulated(&self, rusthdl: bool, verilated: bool) -> Result<Vec<Answers>, Failure> {
        let core = for_image(&self.workspace.project, self.image)?;
        let package = package(self.image, &core)?;
        let needed: &[Tool] = if verilated { &[Tool::Verilator] } else { &[] };
        let tools = Tools::ensure(needed, |line| self.progress.say(line))?;
        let forms = Forms::new(&core, &tools, &self.workspace.file("engine"));
        let mut found = Vec::new();
        if rusthdl {
            self.progress.stage("RustHDL");
            let mut device = RustHdl::new(&core, forms.rusthdl()?);
            device.deploy(&package, &mut |_, _| {})?;
            found.push(Answers::by_device(
                &mut device,
                self.inputs.clone(),
                self.columns(),
                self.progress,
            )?);
        }
        if verilated {
            self.progress.stage("Verilator");
            let engine = forms.verilated()?;
            // One process each.
            let mut devices: Vec<Verilated> = (0..rayon::current_num_threads())
                .map(|_| Verilated::new(&core, engine.clone()))
                .collect();
            for device in &mut devices {
                device.deploy(&package, &mut |_, _| {})?;
            }
            let started = Instant::now();
            let (words, _) = share(&mut devices, self.inputs.clone(), &|done, of| {
                self.progress.at(done, of, "Verilator")
            })?;
            let form = ("Verilator", &core.width.to_string()[..]);
            found.push(Answers::of_words(
                form,
                words,
                self.columns(),
                started.elapsed().as_secs_f64(),
            ));
        }
        Ok(found)
    }

    /// The boards, together.
    fn boards(&self, mut boards: Vec<Board>, report: &mut Report) -> Result<Answers, Failure> {
        for board in &mut boards {
            let package = package(self.image, board.core())?;
            deploy(board, &package, self.progress, report)?;
        }
        self.progress.stage("boards");
        let before = traffic(&boards);
        let started = Instant::now();
        let shown = |done, of| self.progress.at(done, of, "boards");
        let (words, shares) = share(&mut boards, self.inputs.clone(), &shown)?;
        let seconds = started.elapsed().as_secs_f64();
        self.progress.finish();
        for share in shares {
            let what = format!("{}: share of the sequences", share.name);
            measure(report, what, share.done as f64, "sequences");
            if let Some(error) = share.error {
                let note = format!("{error}. Its sequences went to the other boards.");
                self.progress.say(&format!("  {note}"));
                report.notes.push(note);
            }
        }
        let bytes = (traffic(&boards) - before) as f64;
        measure(
            report,
            "boards: traffic, both directions".into(),
            bytes / seconds.max(1e-9),
            "bytes/s",
        );
        for board in &boards {
            for (what, count) in board.counted() {
                measure(report, format!("{}: {what}", board.name()), count as f64, "");
            }
        }
        let width = self.image.quantize().activation_bits.to_string();
        Ok(Answers::of_words(("board", &width), words, self.columns(), seconds))
    }
}

/// The first `examples` on virtual boards, every logit held against the twin's.
pub fn on_boards(
    workspace: &Workspace,
    image: &Image,
    board: &str,
    examples: &[Example],
    progress: &Progress,
    report: &mut Report,
) -> Outcome {
    let connected = Ports::of_board(board, Vec::new()).connect_or_plug_in(&workspace.file("engine"), progress)?;
    let twin = Answers::twin(image, examples, examples.len(), progress)?;
    let given = Given {
        workspace,
        image,
        inputs: inputs(image, examples)?,
        progress,
    };
    let found = given.boards(connected.boards, report)?;
    report.comparisons.push(found.compared(&twin));
    report.accuracy.push(found.accuracy(examples));
    report.disagreements.extend(twin.disagreements(&found, examples));
    Ok(())
}

/// Bytes that went over all lines.
fn traffic(boards: &[Board]) -> u64 {
    let of = |board: &Board| board.driver().counters.bytes_sent + board.driver().counters.bytes_come;
    boards.iter().map(of).sum()
}

/// Accuracy of the simulated engine, on the sequences that were simulated.
pub fn simulated(image: &Image, test: &[Example], outputs: &Outputs, report: &mut Report) {
    for (form, words) in [("RustHDL", &outputs.rusthdl), ("Verilator", &outputs.verilated)] {
        if words.is_empty() {
            continue;
        }
        let form = (form, &image.quantize().activation_bits.to_string()[..]);
        let answers = Answers::of_words(form, words.clone(), image.spec().output.size, 0.0);
        report.accuracy.push(answers.accuracy(test));
    }
}
