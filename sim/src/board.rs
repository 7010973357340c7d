//! A virtual board: a board's emitted gateware in Verilator, behind a pseudo-terminal: with its serial line, or faster with bytes past it.
//!
//! | item | |
//! |---|---|
//! | built | once a text, kept in `cache`; top module `top` with ports `clock`, `uart_rx`, `uart_tx`, `button`, `led` |
//! | terminal | a symbolic link at a path of the caller's choice, raw, 8 bits; its rate means nothing, the board's does |
//! | time | the board's clock runs as fast as the model does; a bit has its number of cycles, not of seconds |
//! | power-on | registers and memories without initial value start at random; the button is held for 64 cycles |
//! | end | when [`Running`] is dropped, at Ctrl-C, or with the parent process: the link goes with it |
//!
//! ```no_run
//! # use astromorph_sim::{board::*, error::Result, tools::*};
//! # fn f(text: &str) -> Result<()> {
//! let tools = Tools::ensure(&[Tool::Verilator], |line| eprintln!("{line}"))?;
//! let board = VirtualBoard::build(tools.get(Tool::Verilator)?, "icebreaker", text, false, "models".as_ref())?;
//! let running = board.start(&Line { path: "/tmp/board".into(), clock_hz: 24_000_000, baud: 2_000_000, button_low: true })?;
//! // … a host opens /tmp/board as it would open a serial port …
//! # drop(running); Ok(()) }
//! ```

use crate::cosim::Design;
use crate::cosim::verilator::{Model, build};
use crate::error::{Error, Result};
use crate::tools::Installed;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const MAIN: &str = include_str!("../harness/board.cpp");

/// A built board.
#[derive(Clone, Debug)]
pub struct VirtualBoard {
    exe: PathBuf,
}

/// How a virtual board is reached.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where the symbolic link to the terminal goes; nothing may be there, but for a link that a board left behind.
    pub path: PathBuf,
    /// Of the board.
    pub clock_hz: u64,
    /// Of its line.
    pub baud: u64,
    /// The button gives 0 while pressed.
    pub button_low: bool,
}

/// A board at work; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    said: Option<BufReader<ChildStdout>>,
    path: PathBuf,
}

/// What a board has simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    pub cycles: u64,
    /// Time of the processor that they took.
    pub processor: Duration,
}

impl VirtualBoard {
    /// Builds the model of a board's gateware (top module `top`), or finds it in `cache`; with `bytes` that of a station, without its serial line.
    pub fn build(tool: &Installed, name: &str, verilog: &str, bytes: bool, cache: &Path) -> Result<Self> {
        let model = Model {
            top: "top",
            wrapper: String::new(),
            main: MAIN,
            header: if bytes { "#define BYTES\n".into() } else { String::new() },
            counting: false,
        };
        Ok(VirtualBoard {
            exe: build(tool, &Design::rtl(name, verilog).with_feedback(), &model, cache)?,
        })
    }

    /// Starts one; several at once work.
    pub fn start(&self, line: &Line) -> Result<Running> {
        let path = &line.path;
        if let Ok(link) = std::fs::read_link(path)
            && !link.exists()
        {
            // Left behind by a board that was killed.
            std::fs::remove_file(path).map_err(Error::io("remove", path))?;
        }
        if path.symlink_metadata().is_ok() {
            return Err(Error::Unsupported {
                item: format!("--pty {}", path.display()),
                expected: "a path at which there is nothing".into(),
                found: "something".into(),
            });
        }
        let mut child = Command::new(&self.exe)
            .arg(path)
            .arg((line.clock_hz as f64 / line.baud as f64).to_string())
            .arg(u8::from(line.button_low).to_string())
            // Held open as long as this process lives.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io("start", &self.exe))?;
        let mut running = Running {
            said: child.stdout.take().map(BufReader::new),
            child,
            path: path.clone(),
        };
        if running.line().starts_with("READY") {
            return Ok(running);
        }
        running.stop();
        Err(Error::Unsupported {
            item: format!("virtual board at {}", path.display()),
            expected: "a pseudo-terminal and a symbolic link to it".into(),
            found: "a board that ended at once".into(),
        })
    }
}

impl Running {
    /// Whether it is still there.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its next line; ends with the line, or with the process.
    fn line(&mut self) -> String {
        let mut line = String::new();
        if let Some(said) = &mut self.said {
            _ = said.read_line(&mut line);
        }
        line
    }

    /// Ends it, and tells what it has simulated; `None` if it had died.
    pub fn end(mut self) -> Option<Ran> {
        self.stop();
        let line = self.line();
        let mut numbers = line.strip_prefix("RAN ")?.split_whitespace().flat_map(str::parse);
        Some(Ran {
            cycles: numbers.next()?,
            processor: Duration::from_micros(numbers.next()?),
        })
    }

    /// Cuts its power: it ends in the middle of whatever it does.
    pub fn cut(mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        // Who holds the terminal open keeps it in the system: the link would not look broken.
        _ = std::fs::remove_file(&self.path);
    }

    fn stop(&mut self) {
        if self.alive() {
            // Asked first, so that it takes its link away.
            _ = Command::new("/bin/sh")
                .args(["-c", &format!("kill -s TERM {}", self.child.id())])
                .status();
            let asked = Instant::now();
            while self.alive() && asked.elapsed() < Duration::from_secs(2) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        _ = self.child.kill();
        _ = self.child.wait();
        if std::fs::read_link(&self.path).is_ok_and(|link| !link.exists()) {
            _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
