//! A D flip-flop of run-time width; zero after power-up.
//!
//! | port | width | |
//! |---|---|---|
//! | d | W | taken at the rising edge |
//! | q | W | latency 1 |
//!
//! Works with the crate's `dff_setup!`, which makes it hold its value unless the kernel assigns `d`.
//!
//! ```
//! use astromorph_hdl::{number::*, register::Reg};
//! use rust_hdl::prelude::*;
//! let mut r = Reg::<S>::new(4);
//! r.connect_all();
//! r.d.next = S::new(-3);
//! r.clock.next.clk = true;
//! simulate(&mut r, 10);
//! assert_eq!(r.q.val(), S::new(-3));
//! ```

use crate::block::Activity;
use crate::leaf;
use crate::number::{Sig, Word};
use rust_hdl::prelude::*;

/// See the module's text.
pub struct Reg<T: Word> {
    /// Data in.
    pub d: Sig<In, T>,
    /// Data out.
    pub q: Sig<Out, T>,
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    activity: Activity,
}

impl<T: Word> Reg<T> {
    /// A register of `width` bits.
    pub fn new(width: u32) -> Self {
        Reg {
            d: Sig::new(width),
            q: Sig::new(width),
            clock: Signal::default(),
            activity: Activity::default(),
        }
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        self.q.next = self.d.val();
        false
    }
}

impl Default for Reg<bool> {
    fn default() -> Self {
        Reg::new(1)
    }
}

impl<T: Word> Logic for Reg<T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom("initial q = 0;\nalways @(posedge clock) q <= d;\n".into())
    }
}

leaf!([T: Word] Reg<T>; inputs: d; outputs: q);
