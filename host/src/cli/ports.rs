//! Boards that the user names.

use super::Failure;
use crate::link::driver::Timing;
use crate::link::transport::Serial;
use crate::link::{Board, Error};
use astromorph_hdl::link::protocol::WATCHDOG_BITS;
use clap::Args;
use std::time::Duration;

/// Which boards, and how they are spoken to.
#[derive(Args, Clone)]
pub struct Ports {
    /// A board's serial port or pseudo-terminal; several share the work.
    #[arg(long, value_name = "PATH")]
    port: Vec<String>,
    /// What the boards must call themselves.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Bits a second of the boards' lines.
    #[arg(long, default_value_t = 1_000_000)]
    baud: u32,
    /// Seconds to wait for an answer before a board counts as silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    patience: u64,
}

impl Ports {
    /// Opens every port and asks who is there.
    pub fn connect(&self) -> Result<Vec<Board>, Failure> {
        if self.port.is_empty() {
            return Err(astromorph::Error::field("--port", "the serial port of a board", "nothing").into());
        }
        Ok(self.port.iter().map(|port| self.one(port)).collect::<Result<_, _>>()?)
    }

    fn one(&self, port: &str) -> Result<Board, Error> {
        let serial = Serial::open(port, self.baud).map_err(|e| Error::Port {
            port: port.into(),
            found: e.to_string(),
        })?;
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
