//! Registers that hold the fields of a step's words, as many as there are fields in one block.
//!
//! | port | width | |
//! |---|---|---|
//! | write, number, data | 1, 5, 32 | word `number` of a step has arrived |
//! | one for every field | its bits | latency 1 after its word |
//!
//! A block for each field would be visited at every edge; this one looks at `write` and is done. [`settings!`](crate::settings!) declares the
//! structure: for every field the word's number, its lowest bit and its width (an expression of the constructor's argument); for every flag the
//! word's number and the bit.
//!
//! ```
//! use astromorph_hdl::number::*;
//! use rust_hdl::prelude::*;
//! astromorph_hdl::settings! {
//!     /// Two fields and a flag.
//!     pub struct Small(bits: u32) {
//!         fields {
//!             /// Word 5, from bit 0.
//!             cols: 5, 0, bits;
//!             /// Word 5, bits 18 to 20.
//!             function: 5, 18, 3;
//!         }
//!         flags {
//!             /// Word 6, bit 31.
//!             slow: 6, 31;
//!         }
//!     }
//! }
//! let mut s = Small::new(10);
//! s.connect_all();
//! (s.write.next, s.number.next, s.data.next) = (true, U::new(5), U::new(5 << 18 | 0xf123));
//! for level in [true, false] { s.clock.next.clk = level; simulate(&mut s, 10); }
//! assert_eq!((s.cols.val(), s.function.val(), s.slow.val()), (U::new(0x123), U::new(5), false));
//! ```

/// See the module's text.
#[macro_export]
macro_rules! settings {
    (
        $(#[$doc:meta])*
        pub struct $name:ident($size:ident: $size_type:ty) {
            fields { $( $(#[$fdoc:meta])* $f:ident: $word:expr, $low:expr, $bits:expr; )* }
            flags { $( $(#[$gdoc:meta])* $g:ident: $gword:expr, $gbit:expr; )* }
        }
    ) => {
        $(#[$doc])*
        pub struct $name {
            /// Rising edge.
            pub clock: rust_hdl::prelude::Signal<rust_hdl::prelude::In, rust_hdl::prelude::Clock>,
            /// A word has come.
            pub write: $crate::number::Flag<rust_hdl::prelude::In>,
            /// Which one.
            pub number: $crate::number::Sig<rust_hdl::prelude::In, $crate::number::U>,
            /// The word.
            pub data: $crate::number::Sig<rust_hdl::prelude::In, $crate::number::U>,
            $( $(#[$fdoc])* pub $f: $crate::number::Sig<rust_hdl::prelude::Out, $crate::number::U>, )*
            $( $(#[$gdoc])* pub $g: $crate::number::Flag<rust_hdl::prelude::Out>, )*
            activity: $crate::block::Activity,
        }

        impl $name {
            /// All fields 0.
            pub fn new($size: $size_type) -> Self {
                $name {
                    clock: rust_hdl::prelude::Signal::default(),
                    write: Default::default(),
                    number: $crate::number::Sig::new(5),
                    data: $crate::number::Sig::new(32),
                    $( $f: $crate::number::Sig::new($bits), )*
                    $( $g: Default::default(), )*
                    activity: Default::default(),
                }
            }

            /// Takes the word; tells whether an output is new.
            fn edge(&mut self) -> bool {
                if !self.write.val() {
                    return false;
                }
                let (number, data) = (self.number.val().get(), self.data.val().get());
                let mut new = false;
                $( if number == $word {
                    self.$f.next = $crate::number::U::new(data >> $low);
                    new |= self.$f.commit();
                } )*
                $( if number == $gword {
                    self.$g.next = data >> $gbit & 1 == 1;
                    new |= self.$g.commit();
                } )*
                new
            }
        }

        impl $crate::block::Part for $name {
            fn find_clock(&mut self) {
                self.activity.clocked = self.clock.next.clk;
            }
            fn follow(&mut self) -> bool {
                false
            }
            #[inline(always)]
            fn tick(&mut self, edge: &mut $crate::block::Edge) {
                use rust_hdl::prelude::Block;
                if self.activity.clocked && self.write.next {
                    self.write.update_all();
                    self.number.update_all();
                    self.data.update_all();
                    // The same word again changes nothing.
                    edge.new |= self.edge() as u64;
                }
            }
        }

        impl rust_hdl::prelude::Logic for $name {
            fn update(&mut self) {}
            fn connect(&mut self) {
                $( self.$f.connect(); )*
                $( self.$g.connect(); )*
            }
            fn hdl(&self) -> rust_hdl::prelude::Verilog {
                use std::fmt::Write as _;
                let (mut start, mut text) = (String::from("initial begin"), String::new());
                $(
                    let _ = write!(start, " {} = 0;", stringify!($f));
                    let high = $low + self.$f.width() - 1;
                    let _ = writeln!(text, "  if (number == {}) {} <= data[{high}:{}];", $word, stringify!($f), $low);
                )*
                $(
                    let _ = write!(start, " {} = 0;", stringify!($g));
                    let _ = writeln!(text, "  if (number == {}) {} <= data[{}];", $gword, stringify!($g), $gbit);
                )*
                rust_hdl::prelude::Verilog::Custom(format!("{start} end\nalways @(posedge clock) if (write) begin\n{text}end\n"))
            }
        }

        impl rust_hdl::prelude::Block for $name {
            fn connect_all(&mut self) {
                use rust_hdl::prelude::{Atom, Logic};
                self.activity.exposed = !self.clock.connected();
                self.connect();
            }
            #[inline(always)]
            fn update_all(&mut self) {
                self.activity.changed = false;
                if self.activity.exposed {
                    if self.clock.val().clk && !self.activity.clock {
                        self.activity.changed = self.edge();
                    }
                    self.write.update_all();
                    self.number.update_all();
                    self.data.update_all();
                }
                self.clock.update_all();
                if self.clock.changed && self.clock.val().clk {
                    self.write.update_all();
                    self.number.update_all();
                    self.data.update_all();
                    self.activity.changed |= self.edge();
                }
                self.activity.clock = self.clock.val().clk;
            }
            #[inline(always)]
            fn has_changed(&self) -> bool {
                self.activity.changed
            }
            fn accept(&self, name: &str, probe: &mut dyn rust_hdl::prelude::Probe) {
                probe.visit_start_scope(name, self);
                self.clock.accept("clock", probe);
                self.write.accept("write", probe);
                self.number.accept("number", probe);
                self.data.accept("data", probe);
                $( self.$f.accept(stringify!($f), probe); )*
                $( self.$g.accept(stringify!($g), probe); )*
                probe.visit_end_scope(name, self);
            }
        }
    };
}
