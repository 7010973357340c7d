//! Progress for a person at a terminal: a line a stage, a bar inside it. Silent with `--quiet`; no bars when standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Instant;

/// Where progress goes.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    bar: Mutex<Option<ProgressBar>>,
}

/// One stage; its wall time is read when it ends.
pub struct Stage {
    started: Instant,
}

impl Stage {
    /// Seconds since the stage began.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

impl Progress {
    /// Progress on standard error unless `quiet`.
    pub fn new(quiet: bool) -> Self {
        Progress {
            quiet,
            terminal: std::io::stderr().is_terminal(),
            bar: Mutex::new(None),
        }
    }

    /// Begins a stage: prints its name.
    pub fn stage(&self, name: &str) -> Stage {
        self.finish();
        self.say(name);
        Stage {
            started: Instant::now(),
        }
    }

    /// Prints a line, above the bar when there is one.
    pub fn say(&self, line: &str) {
        if self.quiet {
            return;
        }
        match self.bar.lock().unwrap_or_else(|e| e.into_inner()).as_ref() {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// Shows `done` of `total` with a message in the stage's bar.
    pub fn at(&self, done: usize, total: usize, message: &str) {
        if self.quiet || !self.terminal {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(|e| e.into_inner());
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("  {bar:30} {pos}/{len} {elapsed} (eta {eta}) {msg}");
            ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(message.to_string());
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(|e| e.into_inner()).take() {
            bar.finish_and_clear();
        }
    }
}
