//! What can go wrong between a host and a board: what a new session may mend, and what must be said to a person.

use astromorph_hdl::engine::errors;
use std::time::Duration;

/// Something that a new session, and perhaps a new deployment, may mend. Nothing that was computed under it is given out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("the session is gone (reset, power cycle, or another host)")]
    Session,
    #[error("the engine flags error {0:#010b}: {names}", names = errors::names(*.0).join(", "))]
    Engine(u8),
    #[error("{what} was refused with status {status:?}")]
    Refused {
        what: String,
        status: astromorph_hdl::link::protocol::Status,
    },
    #[error("no word went in or out for {0:?}")]
    Stuck(Duration),
    #[error("{expected} sequences were sent, {found} came to their end")]
    Sequences { expected: u32, found: u32 },
    #[error("the memories differ from the image: {0}")]
    Memory(String),
    #[error("an answer of {found} bytes to {what}, expected {expected}")]
    Answer {
        what: String,
        expected: String,
        found: usize,
    },
}

/// Why a board cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port cannot be opened.
    #[error("{port}: expected a serial port, found: {found}")]
    Port { port: String, found: String },
    /// It was open, and did not come back.
    #[error("{port}: disconnected for {waited:?}: {found}")]
    Disconnected {
        port: String,
        waited: Duration,
        found: String,
    },
    /// No answer.
    #[error(
        "{port}: silent: expected an answer of an astromorph board within {waited:?}, found {} (is the board powered, programmed, and at this rate?)",
        heard(*.bytes)
    )]
    Silent { port: String, waited: Duration, bytes: u64 },
    /// A board, but not the one that is wanted.
    #[error("{port}: {field}: expected {expected}, found {found}")]
    Identity {
        port: String,
        field: String,
        expected: String,
        found: String,
    },
    /// A new session may mend it.
    #[error("{port}: {trouble}")]
    Trouble { port: String, trouble: Trouble },
    /// New sessions did not mend it.
    #[error("{port}: {times} sessions in a row ended in trouble, the last one so: {trouble}")]
    Failing { port: String, times: u32, trouble: Trouble },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The model refused something.
    #[error(transparent)]
    Model(#[from] astromorph::Error),
    /// A simulated device failed.
    #[error(transparent)]
    Simulation(#[from] astromorph_sim::Error),
}

/// Result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

fn heard(bytes: u64) -> String {
    match bytes {
        0 => "nothing".into(),
        n => format!("{n} bytes that are none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_named() {
        let text = Trouble::Engine(0b10_0010).to_string();
        assert!(
            text.contains("program for another core, address beyond its memory"),
            "{text}"
        );
        let silent = Error::Silent {
            port: "/dev/null".into(),
            waited: Duration::from_secs(5),
            bytes: 7,
        };
        assert!(silent.to_string().contains("/dev/null: silent"), "{silent}");
        assert!(silent.to_string().contains("7 bytes that are none"), "{silent}");
    }
}
