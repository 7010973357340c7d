//! The steps that read: q with C and its reciprocal, and num/C (`docs/arithmetic.md` section 5).
//!
//! | step | array | stream | to |
//! |---|---|---|---|
//! | q | T × D · W_Q | φ, C = b·g, 1/C | b in X |
//! | read | T × m: b · H; in chunks \[b p] · \[H; V] | num/C | y in X |

use super::attention::{Projection, named, rows, run};
use super::draft::{Ground, within};
use super::part::{Part, even, word};
use astromorph::Result;
use astromorph::engine::program::*;
use astromorph::twin::Attention;
use astromorph::twin::attention::Normaliser;

impl Ground<'_> {
    pub fn queries(&mut self, l: usize, att: &Attention, from: &Projection) -> Result<Vec<Part>> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let s = self.sizes.clone();
        let (t, f) = (&att.tables, &att.formats);
        let table = (&t.phi_q[..], t.phi_bits);
        let function = self.phi(&at("attention.phi_q"), table, (&at("q"), f.q), (&at("b"), f.b))?;
        let table = self.mantissa.add("reciprocal", &att.tables.reciprocal);
        let part = |head: usize| {
            let mut part = self.project(l, "q", from, head * s.m, s.m, Some(head));
            // C is a sum over all of a head's columns.
            part.divisible = false;
            part.run.stream.function = function;
            part.run.stream.serial = Serial::Calcium {
                g: word(head * s.m * if s.chunk.is_some() { self.layout.read } else { 1 }),
                read: word(head * self.layout.read),
                minimum: att.c_min().trailing_zeros(),
                table,
                bits: att.tables.reciprocal_bits,
                running: s.chunk.is_some(),
            };
            part.run.stream.to = To::X {
                at: At::fixed(self.layout.b(&s, head)),
                row: word(s.read_row()),
                column: 1,
            };
            part.show
                .push((Tap::Function, rows(at("b"), s.heads * s.m, head * s.m, s.m)));
            part.show.push((Tap::Calcium, rows(at("C"), s.heads, head, 1)));
            named(part)
        };
        Ok((0..s.heads).map(part).collect())
    }

    pub fn read(&self, l: usize, att: &Attention, head: usize) -> Result<Part> {
        let at = |x: &str| format!("layers.{l}.{x}");
        let s = &self.sizes;
        self.accumulator(&at("num"), att.num_bits())?;
        let offset = self.normaliser_offset(&at("y"), att.normaliser(), att.c_min().trailing_zeros())?;
        let he = s.heads * s.e;
        let stream = Stream {
            serial: Serial::Normalise {
                read: word(head * self.layout.read),
                offset,
            },
            to: To::X {
                at: At::fixed(self.layout.y(s) + word(head * s.e)),
                row: word(even(he)),
                column: 1,
            },
            ..Stream::plain(word(s.e), 0, self.core.serial_bits())
        };
        let mac = Mac {
            bank: self.hebbian_bank(head),
            bank_stride: self.hebbian_pass(),
            // In chunks the scores behind b, and V behind H.
            ..self.tokens(
                At::fixed(self.layout.b(s, head)),
                s.read_row(),
                s.chunk.map_or(s.m, |t| even(s.m) + t),
                s.e,
            )
        };
        let show = vec![
            (Tap::Sum, rows(at("num"), he, head * s.e, s.e)),
            (Tap::Normalise, rows(at("y"), he, head * s.e, s.e)),
        ];
        Ok(Part {
            run: run(at(&format!("read.h{head}")), Source::Array(mac), stream, &show),
            tile: None,
            divisible: false,
            show,
        })
    }

    /// κ of a normalisation whose smallest exponent is `least`. The run-time shift E + κ is clamped to −16..47: beyond 47 every sum is 0, left of −16
    /// every sum but 0 saturates, except in 18 bits, where one step more is needed.
    pub fn normaliser_offset(&self, tensor: &str, n: Normaliser, least: u32) -> Result<i32> {
        let offset = n.offset - n.left as i32;
        if self.core.serial_bits() > 17 {
            let name = format!("{tensor}: least run-time shift of the normalisation");
            within(name, least as i32 + offset, -16, i32::MAX)?;
        }
        within(format!("{tensor}: offset of the normalisation"), offset, -144, 111)
    }
}
