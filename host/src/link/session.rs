//! Who the board is, how it does, and a session of its own: `docs/link.md` sections 2, 4 and 5.

use super::driver::Driver;
use super::error::{Error, Result, Trouble};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::protocol::*;
use astromorph_hdl::link::registers::*;
use serde::{Deserialize, Serialize};

/// Bytes of the identity asked for at once: few, so that a bad line brings them too.
const PIECE: u32 = 64;

/// Times that another session may come between.
const SESSIONS: usize = 8;

/// What a board says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Version of the protocol.
    pub protocol: u32,
    /// Name of the board.
    pub board: String,
    /// Clock of link and engine.
    pub clock_hz: u64,
    /// Of its serial line.
    pub baud: u64,
    /// Words that the input's queue holds.
    pub input_words: u32,
    /// Words that the output's ring holds.
    pub output_words: u32,
    /// Sizes of its core.
    pub core: EngineConfig,
}

/// The registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers {
    /// In the order of `docs/link.md` section 4.
    pub words: [u32; REGISTERS.len()],
}

impl Registers {
    /// Error bits of the engine.
    pub fn error(&self) -> u8 {
        (self.words[STATUS as usize] >> STATUS_ERROR) as u8
    }

    /// A sequence is in work.
    pub fn busy(&self) -> bool {
        self.words[STATUS as usize] >> STATUS_BUSY & 1 == 1
    }

    /// Sequences that came to their end in this session.
    pub fn sequences(&self) -> u32 {
        self.words[SEQUENCES as usize]
    }

    /// Name and value of every counter.
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        REGISTERS.iter().zip(self.words).skip(1).map(|(r, word)| (r.name, word))
    }
}

impl Driver {
    /// Words of a space that anybody may read.
    fn read(&mut self, space: Space, address: u32, count: u32, bytes: usize) -> Result<Vec<u8>> {
        let answer = self.ask((Operation::Read, space), address, &[count as u8])?;
        if answer.status != Status::Done {
            let what = format!("a read of {space:?}");
            return self.trouble(Trouble::Refused {
                what,
                status: answer.status,
            });
        }
        if answer.payload.len() != count as usize * bytes {
            return self.trouble(Trouble::Answer {
                what: format!("a read of {space:?}"),
                expected: format!("{}", count as usize * bytes),
                found: answer.payload.len(),
            });
        }
        Ok(answer.payload)
    }

    /// Who the board is. Refuses a protocol that is not this one.
    pub fn identity(&mut self) -> Result<Identity> {
        let mut text = Vec::new();
        for address in (0..IDENTITY_BYTES).step_by(PIECE as usize) {
            text.extend(self.read(Space::Identity, address, PIECE.min(IDENTITY_BYTES - address), 1)?);
            if text.contains(&0) {
                break;
            }
        }
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        let text = String::from_utf8_lossy(&text[..end]).into_owned();
        let differs = |field: &str, expected: String, found: String| Error::Identity {
            port: self.name(),
            field: field.into(),
            expected,
            found,
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(_) => return Err(differs("identity", "a text in TOML".into(), format!("{text:?}"))),
        };
        let protocol = table.get("protocol").and_then(toml::Value::as_integer);
        if protocol != Some(VERSION as i64) {
            let found = protocol.map_or("none".into(), |p| p.to_string());
            return Err(differs("protocol", VERSION.to_string(), found));
        }
        let identity: Identity = match toml::from_str(&text) {
            Ok(identity) => identity,
            Err(e) => {
                return Err(differs(
                    "identity",
                    "the fields of docs/link.md".into(),
                    e.message().into(),
                ));
            }
        };
        if let Err(e) = identity.core.validate() {
            return Err(differs("identity", "a core that can be built".into(), e.to_string()));
        }
        Ok(identity)
    }

    /// The registers.
    pub fn registers(&mut self) -> Result<Registers> {
        let bytes = self.read(Space::Registers, 0, REGISTERS.len() as u32, 4)?;
        let mut registers = Registers::default();
        for (word, bytes) in registers.words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Ok(registers)
    }

    /// A session that nobody has had: engine reset, streams empty, positions 0. What was under way is forgotten.
    pub fn open(&mut self) -> Result<()> {
        self.resynchronise()?;
        let open = (Operation::Open, Space::M);
        for _ in 0..SESSIONS {
            // A board that has this session already, of an earlier host, says "done" and does nothing: only the next number is sure to be new.
            let answer = self.ask(open, 0, &[])?;
            if answer.status == Status::Session {
                self.session = answer.value as u16;
            }
            self.session = self.session.wrapping_add(1);
            if self.ask(open, 0, &[])?.status == Status::Done {
                self.counters.sessions += 1;
                return Ok(());
            }
        }
        self.trouble(Trouble::Session)
    }
}
