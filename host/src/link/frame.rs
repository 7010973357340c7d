//! Answers out of the bytes of a line: whatever stands between two delimiters is an answer, or damaged.
//!
//! ```
//! use astromorph_host::link::frame::Decoder;
//! use astromorph_sim::link::frame::line;
//! let mut decoder = Decoder::default();
//! let mut bytes = line(&[0x90 | 9, 7, 1, 0, 2, 5, 0, 0, 0, 0xaa, 0]); // of the output: 5 words produced, one of them here
//! let answers: Vec<_> = bytes.iter().filter_map(|&b| decoder.take(b)).collect();
//! assert_eq!(answers[0].as_ref().unwrap().payload, [0xaa, 0]);
//! bytes[1] ^= 2;
//! assert_eq!(bytes.iter().filter_map(|&b| decoder.take(b)).collect::<Vec<_>>(), [None]);
//! ```

use astromorph_hdl::link::protocol::{ANSWER_HEADER, CRC_BYTES, DELIMITER, MAX_PAYLOAD};
use astromorph_sim::link::Answer;
use astromorph_sim::link::frame::body;

/// Longest frame that can be an answer: code and body.
const LONGEST: usize = ANSWER_HEADER + MAX_PAYLOAD + CRC_BYTES + 1;

/// What has come since the last delimiter; never more than a byte longer than an answer.
#[derive(Default)]
pub struct Decoder {
    frame: Vec<u8>,
}

impl Decoder {
    /// At a delimiter with something before it: the answer, or nothing if it is none.
    pub fn take(&mut self, byte: u8) -> Option<Option<Answer>> {
        if byte != DELIMITER {
            if self.frame.len() <= LONGEST {
                self.frame.push(byte);
            }
            return None;
        }
        let frame = std::mem::take(&mut self.frame);
        if frame.is_empty() {
            return None;
        }
        Some(
            body(&frame)
                .filter(|_| frame.len() <= LONGEST)
                .and_then(|b| Answer::read(&b)),
        )
    }
}
