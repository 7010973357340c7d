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

use crate::block::{Edge, Part};
use crate::number::{Held, Sig, Word};
use rust_hdl::prelude::*;

/// See the module's text.
///
/// Registers are most of a circuit's parts: the structure is one line of a cache, and an edge that brings nothing new is one comparison.
pub struct Reg<T: Word> {
    /// Data in.
    pub d: Sig<In, T>,
    /// Data out.
    pub q: Sig<Held, T>,
    /// Rising edge.
    pub clock: Sig<In, Clock>,
    /// The parent's kernel hands its clock on.
    clocked: bool,
    /// No parent drives it.
    exposed: bool,
    /// The clock's level and whether `q` was new at the last visit from outside.
    level: bool,
    changed: bool,
}

impl<T: Word> Reg<T> {
    /// A register of `width` bits.
    pub fn new(width: u32) -> Self {
        Reg {
            d: Sig::new(width),
            q: Sig::new(width),
            clock: Sig::default(),
            clocked: false,
            exposed: false,
            level: false,
            changed: false,
        }
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

impl<T: Word> Part for Reg<T> {
    fn find_clock(&mut self) {
        self.clocked = self.clock.next.clk;
    }
    #[inline(always)]
    fn follow(&mut self) -> bool {
        false
    }
    #[inline(always)]
    fn tick(&mut self, edge: &mut Edge) {
        if T::FLAG {
            if self.clocked {
                edge.new |= self.d.next.differs(self.q.next);
                self.q.next = self.d.next;
            }
        } else if self.d.next != self.q.next && self.clocked {
            let now = self.d.assigned();
            edge.new |= now.differs(self.q.next);
            self.q.next = now;
        }
    }
}

impl<T: Word> Block for Reg<T> {
    fn connect_all(&mut self) {
        // A parent has connected our inputs by now.
        self.exposed = !self.clock.connected();
        self.connect();
    }
    fn update_all(&mut self) {
        let before = self.q.next;
        if self.exposed {
            if self.clock.val().clk && !self.level {
                self.q.next = self.d.val();
            }
            self.d.commit();
        }
        let level = self.clock.val().clk;
        self.clock.commit();
        self.level = self.clock.val().clk;
        if self.level && !level {
            self.d.commit();
            self.q.next = self.d.val();
        }
        self.changed = self.q.next != before;
    }
    fn has_changed(&self) -> bool {
        self.changed
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.clock.accept("clock", probe);
        self.d.accept("d", probe);
        self.q.accept("q", probe);
        probe.visit_end_scope(name, self);
    }
}
