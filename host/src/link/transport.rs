//! A line of bytes to a board and back: a serial port, or anything that behaves like one.
//!
//! Signature: [`send`](Transport::send) puts bytes on the line, [`receive`](Transport::receive) waits for some. Nothing is promised about them: the protocol above finds
//! what the line loses, damages, repeats or swaps. A transport has a clock of its own, so that a simulated line needs no real waiting.
//!
//! | transport | clock | at a break |
//! |---|---|---|
//! | [`Serial`] | the wall's | the port is opened again |
//! | [`Pipe`](super::pipe::Pipe) | bytes that went | never |
//! | [`Faulty`](super::faults::Faulty) | that of the line inside | for a while, as told |

use serialport::{ClearBuffer, SerialPort};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// How long a port may take no byte at all before it counts as broken.
const SEND_PATIENCE: Duration = Duration::from_secs(3);

/// The line is not there, or is no more: what the system said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// A line of bytes.
pub trait Transport: Send {
    /// What a person calls it.
    fn name(&self) -> String;
    /// Sends all bytes; waits while the line takes none.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Broken>;
    /// Waits until there is a byte or the time has gone; gives how many came.
    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Broken>;
    /// Tries to have the line back after a break.
    fn reconnect(&mut self) -> Result<(), Broken>;
    /// Lets time go.
    fn pause(&mut self, time: Duration);
    /// The line's clock.
    fn now(&self) -> Duration;
    /// Bits a second, 10 of them a byte.
    fn baud(&self) -> u64;
}

/// A serial port, a pseudo-terminal included.
pub struct Serial {
    path: String,
    baud: u32,
    port: Option<Box<dyn SerialPort>>,
    started: Instant,
}

impl Serial {
    /// Opens a port.
    pub fn open(path: &str, baud: u32) -> Result<Serial, Broken> {
        let mut serial = Serial {
            path: path.into(),
            baud,
            port: None,
            started: Instant::now(),
        };
        serial.reconnect()?;
        Ok(serial)
    }

    fn port(&mut self) -> Result<&mut Box<dyn SerialPort>, Broken> {
        self.port.as_mut().ok_or_else(|| Broken("not open".into()))
    }

    /// Any failure ends the port: whether it can be had back, `reconnect` finds out.
    fn broken<T>(&mut self, why: impl std::fmt::Display) -> Result<T, Broken> {
        self.port = None;
        Err(Broken(why.to_string()))
    }
}

impl Transport for Serial {
    fn name(&self) -> String {
        self.path.clone()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (mut rest, mut moved) = (bytes, Instant::now());
        while !rest.is_empty() {
            match self.port()?.write(rest) {
                Ok(n) if n > 0 => (rest, moved) = (&rest[n..], Instant::now()),
                Ok(_) => return self.broken("closed"),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock
                    ) =>
                {
                    if moved.elapsed() > SEND_PATIENCE {
                        return self.broken(format!("takes no byte for {} s", SEND_PATIENCE.as_secs()));
                    }
                }
                Err(e) => return self.broken(e),
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Broken> {
        let port = self.port()?;
        // A time-out of 0 would be none.
        if let Err(e) = port.set_timeout(timeout.max(Duration::from_millis(1))) {
            return self.broken(e);
        }
        match port.read(buffer) {
            Ok(0) if !buffer.is_empty() => self.broken("closed"),
            Ok(n) => Ok(n),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock
                ) =>
            {
                Ok(0)
            }
            Err(e) => self.broken(e),
        }
    }

    fn reconnect(&mut self) -> Result<(), Broken> {
        self.port = None;
        let open = |baud| {
            serialport::new(&self.path, baud)
                .timeout(Duration::from_millis(100))
                .open()
        };
        // A pseudo-terminal has no rate; some refuse to be given one.
        let port = open(self.baud).or_else(|first| match open(9600) {
            Ok(port) if std::path::Path::new(&self.path).starts_with("/dev/pts") => Ok(port),
            _ => Err(first),
        });
        match port {
            Ok(port) => {
                // What came before belongs to nobody.
                let _ = port.clear(ClearBuffer::Input);
                self.port = Some(port);
                Ok(())
            }
            Err(e) => Err(Broken(e.to_string())),
        }
    }

    fn pause(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn baud(&self) -> u64 {
        self.baud as u64
    }
}
