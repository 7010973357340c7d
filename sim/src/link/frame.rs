//! Requests and answers as fields and as bytes on the line: header, payload, CRC-32, COBS, delimiter.
//!
//! ```
//! use astromorph_hdl::link::protocol::*;
//! use astromorph_sim::link::frame::*;
//! let open = Request { operation: Operation::Open, space: Space::M, number: 9, session: 0x0102, address: 0, payload: vec![] };
//! let line = open.line();
//! // kind 0: the first code says so; number, session; zeros; CRC-32.
//! assert_eq!(line[..10], [1, 4, 9, 2, 1, 1, 1, 1, 5, line[9]]);
//! assert_eq!((line.len(), line[13]), (14, 0));
//! assert_eq!(Request::read(&body(&line[..13]).unwrap()), Some(open));
//! ```

use astromorph_hdl::link::protocol::*;

/// What a host asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub operation: Operation,
    pub space: Space,
    /// Comes back in the answer.
    pub number: u8,
    pub session: u16,
    /// 24 bits.
    pub address: u32,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

/// What a board answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request's, and [`ANSWER`].
    pub kind: u8,
    pub number: u8,
    pub session: u16,
    /// 24 bits.
    pub value: u32,
    pub status: Status,
    pub payload: Vec<u8>,
}

/// A body with its CRC, as it goes over the line, delimiter included.
pub fn line(body: &[u8]) -> Vec<u8> {
    let mut whole = body.to_vec();
    whole.extend(crc32fast::hash(body).to_le_bytes());
    let mut line = cobs::encode_vec(&whole);
    line.push(DELIMITER);
    line
}

/// The body, without its CRC, of what came between two delimiters; `None` if a code or the CRC is wrong.
pub fn body(line: &[u8]) -> Option<Vec<u8>> {
    let mut whole = cobs::decode_vec(line).ok()?;
    let crc = whole.split_off(whole.len().checked_sub(CRC_BYTES)?);
    (crc32fast::hash(&whole).to_le_bytes()[..] == crc[..]).then_some(whole)
}

/// Three bytes, the lowest first.
pub fn three(bytes: &[u8]) -> u32 {
    bytes.iter().take(3).rev().fold(0, |all, &b| all << 8 | b as u32)
}

impl Request {
    /// Header and payload.
    pub fn bytes(&self) -> Vec<u8> {
        let [low, high] = self.session.to_le_bytes();
        let kind = kind(self.operation, self.space);
        let mut bytes = vec![kind, self.number, low, high, self.payload.len() as u8];
        bytes.extend(&self.address.to_le_bytes()[..3]);
        bytes.extend(&self.payload);
        bytes
    }

    /// As it goes over the line.
    pub fn line(&self) -> Vec<u8> {
        line(&self.bytes())
    }

    /// From header and payload; `None` where there is no such operation, or the length is not what came.
    pub fn read(bytes: &[u8]) -> Option<Request> {
        let (operation, space) = split(*bytes.first()?)?;
        let payload = bytes.get(REQUEST_HEADER..)?.to_vec();
        (payload.len() == bytes[4] as usize).then(|| Request {
            operation,
            space,
            number: bytes[1],
            session: u16::from_le_bytes([bytes[2], bytes[3]]),
            address: three(&bytes[5..]),
            payload,
        })
    }
}

impl Answer {
    /// From header and payload; `None` where something is not an answer's.
    pub fn read(bytes: &[u8]) -> Option<Answer> {
        let payload = bytes.get(ANSWER_HEADER..)?.to_vec();
        let right = payload.len() == bytes[4] as usize && bytes[0] & ANSWER != 0;
        right.then_some(())?;
        Some(Answer {
            kind: bytes[0],
            number: bytes[1],
            session: u16::from_le_bytes([bytes[2], bytes[3]]),
            value: three(&bytes[5..]),
            status: status(bytes[8])?,
            payload,
        })
    }
}
