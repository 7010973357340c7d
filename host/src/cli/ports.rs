//! Boards that the user names.

use super::Failure;
use super::board::{plug_in, virtual_board};
use crate::boards::Board as Described;
use crate::cores::core;
use crate::link::driver::Timing;
use crate::link::transport::Serial;
use crate::link::{Board, Error};
use crate::progress::Progress;
use astromorph_hdl::link::protocol::WATCHDOG_BITS;
use astromorph_sim::board::{Ran, Running, VirtualBoard};
use clap::Args;
use std::path::Path;
use std::time::Duration;

/// Seconds to wait for an answer.
const PATIENCE: u64 = 5;
/// More do not share the work faster.
const MOST_VIRTUAL: usize = 8;

/// Which boards, and how they are spoken to.
#[derive(Args, Clone)]
pub struct Ports {
    /// A board's serial port or pseudo-terminal; several share the work.
    #[arg(long, value_name = "PATH")]
    port: Vec<String>,
    /// What the boards must call themselves; without --port: virtual boards of this name.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Bits a second of the boards' lines (default: those of --board; without it 1,000,000).
    #[arg(long)]
    baud: Option<u32>,
    /// Seconds to wait for an answer before a board counts as silent.
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
    patience: u64,
}

/// Boards that one asked for, and those of them that run here.
pub struct Connected {
    pub boards: Vec<Board>,
    /// They end with it.
    pub running: Vec<Plugged>,
}

/// A virtual board at a terminal in a folder of its own.
pub struct Plugged {
    /// The terminal.
    pub path: String,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Plugged {
    /// Starts it.
    pub fn new(built: &VirtualBoard, described: &Described) -> Result<Plugged, Failure> {
        let folder = tempfile::tempdir().map_err(|e| astromorph::Error::file("a temporary folder", e))?;
        let path = folder.path().join(&described.name);
        Ok(Plugged {
            running: plug_in(built, described, &path)?,
            path: path.display().to_string(),
            _folder: folder,
        })
    }

    /// Ends it; what it ran, unless it had ended by itself.
    pub fn end(self) -> Option<Ran> {
        self.running.end()
    }
}

impl Ports {
    /// Boards of that name at these ports; without any, virtual ones.
    pub fn of_board(name: &str, port: Vec<String>) -> Self {
        Ports {
            port,
            board: Some(name.into()),
            baud: None,
            patience: PATIENCE,
        }
    }

    /// The boards at the ports; without a port virtual ones of the name given, as many as there are processors to run them, bytes past their serial lines, in `folder`.
    pub fn connect_or_plug_in(&self, folder: &Path, progress: &Progress) -> Result<Connected, Failure> {
        match &self.board {
            Some(name) if self.port.is_empty() => self.virtual_boards(&Described::find(name)?, folder, progress),
            _ => Ok(Connected {
                boards: self.connect()?,
                running: Vec::new(),
            }),
        }
    }

    fn virtual_boards(&self, described: &Described, folder: &Path, progress: &Progress) -> Result<Connected, Failure> {
        let core = core(&described.link.core)?;
        let built = virtual_board(described, &core, true, folder, progress)?;
        let mut connected = Connected {
            boards: Vec::new(),
            running: Vec::new(),
        };
        for _ in 0..rayon::current_num_threads().min(MOST_VIRTUAL) {
            let plugged = Plugged::new(&built, described)?;
            connected.boards.push(self.one(&plugged.path)?);
            connected.running.push(plugged);
        }
        Ok(connected)
    }

    fn rate(&self) -> u32 {
        let of_board = self.board.as_deref().and_then(|name| Described::find(name).ok());
        self.baud.or(of_board.map(|b| b.link.baud as u32)).unwrap_or(1_000_000)
    }

    /// Opens every port and asks who is there.
    pub fn connect(&self) -> Result<Vec<Board>, Failure> {
        if self.port.is_empty() {
            return Err(astromorph::Error::field("--port", "the serial port of a board", "nothing").into());
        }
        Ok(self.port.iter().map(|port| self.one(port)).collect::<Result<_, _>>()?)
    }

    /// A port, whoever is there.
    pub fn open(&self, port: &str) -> Result<Serial, Error> {
        Serial::open(port, self.rate()).map_err(|e| Error::Port {
            port: port.into(),
            found: e.to_string(),
        })
    }

    fn one(&self, port: &str) -> Result<Board, Error> {
        let serial = self.open(port)?;
        let patience = Duration::from_secs(self.patience.max(1));
        let timing = Timing {
            patience,
            // A simulated board takes longer for the cycles of its watchdog than its clock says; the patience scales both.
            stuck: patience
                + Duration::from_secs_f64((1u64 << WATCHDOG_BITS) as f64 / 10e6 * self.patience.max(1) as f64 / 5.0),
            ..Timing::default()
        };
        let board = Board::connect(Box::new(serial), timing)?;
        match &self.board {
            Some(name) if *name != board.identity().board => Err(Error::Identity {
                port: port.into(),
                field: "board".into(),
                expected: name.clone(),
                found: board.identity().board.clone(),
            }),
            _ => Ok(board),
        }
    }
}
