//! A table: read-only block RAM whose words travel in the emitted Verilog.
//!
//! | port | width | |
//! |---|---|---|
//! | address | A = bits of (words − 1) | sampled at every rising edge |
//! | data | W signed | latency 1, registered |
//!
//! ```
//! use astromorph_hdl::{number::*, rom::Rom};
//! use rust_hdl::prelude::*;
//! let mut table = Rom::new("phi_k", &[3, -1, 4], 4).unwrap();
//! table.connect_all();
//! table.address.next = U::new(1);
//! table.clock.next.clk = true;
//! simulate(&mut table, 10);
//! assert_eq!(table.data.val(), S::new(-1));
//! assert_eq!(Rom::new("phi_k", &[8], 4).err().unwrap().to_string(), "phi_k[0]: expected a word of 4 bits, found 8");
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{S, Sig, U, natural_bits, signed_bits};
use astromorph::{Error, Result};
use rust_hdl::prelude::*;
use std::fmt::Write;

/// See the module's text.
pub struct Rom {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Which word.
    pub address: Sig<In, U>,
    /// The word.
    pub data: Sig<Out, S>,
    words: Vec<i32>,
    activity: Activity,
}

impl Rom {
    /// A table of signed words of `width` bits; `name` is for errors.
    pub fn new(name: &str, words: &[i32], width: u32) -> Result<Self> {
        check::range(&format!("{name}.words"), words.len(), 1, 1 << 20)?;
        check::width(name, width as i64)?;
        if let Some(bad) = words.iter().position(|&w| signed_bits(w as i64) > width) {
            return Err(Error::field(
                format!("{name}[{bad}]"),
                format!("a word of {width} bits"),
                words[bad],
            ));
        }
        Ok(Rom {
            clock: Signal::default(),
            address: Sig::new(natural_bits(words.len() as u64 - 1)),
            data: Sig::new(width),
            words: words.to_vec(),
            activity: Activity::default(),
        })
    }

    /// Bits of storage.
    pub fn bits(&self) -> usize {
        self.words.len() * self.data.width() as usize
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        // An index beyond the last word is only ever presented when the result is not used; Verilog then gives X.
        let word = self.words.get(self.address.val().index()).copied();
        self.data.next = S::new(word.unwrap_or(0) as i64);
        false
    }
}

impl Logic for Rom {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.data.connect();
    }
    fn hdl(&self) -> Verilog {
        let width = self.data.width();
        let mut text = format!(
            "reg [{}:0] table_ [0:{}];\ninitial begin\n",
            width - 1,
            self.words.len() - 1
        );
        for (n, word) in self.words.iter().enumerate() {
            let bits = (*word as i64 as u64) << (64 - width) >> (64 - width);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  table_[{n}] = {width}'h{bits:x};");
        }
        text += "end\ninitial data = 0;\nalways @(posedge clock) data <= table_[address];\n";
        Verilog::Custom(text)
    }
}

leaf!([] Rom; inputs: address; outputs: data);
