//! How blocks are declared and simulated: [`block!`](crate::block!) for blocks with a kernel, [`leaf!`](crate::leaf!) for primitives with a Rust model and a Verilog body.
//!
//! RustHDL's own derive runs a kernel, then commits its inputs, so a clock edge or a value needs a sweep of the whole circuit per level of
//! hierarchy, and every sweep visits every signal. Here a block first takes its inputs, returns at once when none is new, and otherwise
//! runs its kernel and its parts until nothing moves. This gives the same values:
//!
//! - blocks talk only through their parent's kernel, which runs before any part does; so when the clock edge reaches the parts, every part
//!   sees inputs computed from values before the edge, whatever the order of the parts;
//! - a kernel is a function of the block's inputs and of its parts' outputs; if none of them is new, nothing is to be done.
//!
//! A block that does not settle stays changed, and RustHDL's `simulate` reports that.
//!
//! - the clock is delivered as a pulse: the kernel runs once with it high, so that the parts work off the edge, and then with it low, which it
//!   has to do anyway because the parts' outputs are new. The falling edge costs nothing, and nothing may depend on it;
//! - a block in which an edge has moved nothing, and whose inputs have not changed since, is *quiet*: the next edge would move nothing
//!   either and is not handed on. (The clocks inside a quiet block stand still in a waveform.)
//!
//! A block that does not settle stays changed, and RustHDL's `simulate` reports that.
//!
//! Drivers may deliver the edge as RustHDL does (`clock.next`, then sweeps) or commit it on the top's clock alone and hand over new inputs
//! with the same sweep: the edge is then worked off with the old inputs first.

use rust_hdl::prelude::*;

/// Rounds after which a block counts as oscillating.
pub const SETTLE_LIMIT: usize = 64;

/// What a block remembers between sweeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activity {
    /// The clock's level at the last visit.
    pub clock: bool,
    /// An output changed in the last visit.
    pub changed: bool,
    /// The kernel has run, and settled.
    pub settled: bool,
    /// No parent drives this block: its inputs are taken over at every visit.
    pub exposed: bool,
    /// The last edge moved nothing, and no input is new since.
    pub quiet: bool,
}

/// A part of a block: it knows whether another edge with the same inputs would change anything in it.
pub trait Part: Block {
    /// See [`Activity::quiet`].
    fn quiet(&self) -> bool;
}

impl<P: Part> Part for Vec<P> {
    fn quiet(&self) -> bool {
        self.iter().all(P::quiet)
    }
}

/// Declares a block with a kernel: a structure with one `clock`, `inputs`, `outputs`, `parts` (blocks) and `locals` (local signals and
/// constants), and its simulation. The kernel itself is `impl Logic` with `#[hdl_gen]`. A constructor sets `activity: Default::default()`.
#[macro_export]
macro_rules! block {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            inputs { $( $(#[$idoc:meta])* $i:ident : $it:ty ),* $(,)? }
            outputs { $( $(#[$odoc:meta])* $o:ident : $ot:ty ),* $(,)? }
            parts { $( $(#[$pdoc:meta])* $p:ident : $pt:ty ),* $(,)? }
            locals { $( $(#[$ldoc:meta])* $l:ident : $lt:ty ),* $(,)? }
        }
    ) => {
        $(#[$doc])*
        pub struct $name {
            /// Rising edge.
            pub clock: rust_hdl::prelude::Signal<rust_hdl::prelude::In, rust_hdl::prelude::Clock>,
            $( $(#[$idoc])* pub $i: $it, )*
            $( $(#[$odoc])* pub $o: $ot, )*
            $( $(#[$pdoc])* $p: $pt, )*
            $( $(#[$ldoc])* $l: $lt, )*
            activity: $crate::block::Activity,
        }

        impl $name {
            /// Kernel and parts until nothing moves; tells whether an output is new.
            fn settle(&mut self) -> bool {
                use rust_hdl::prelude::{Block, Logic};
                for _ in 0..$crate::block::SETTLE_LIMIT {
                    self.update();
                    #[allow(unused_mut)]
                    let mut moved = false;
                    $( self.$p.update_all(); moved |= self.$p.has_changed(); )*
                    if !moved {
                        self.activity.settled = true;
                        #[allow(unused_mut)]
                        let mut new = false;
                        $( self.$o.update_all(); new |= self.$o.has_changed(); )*
                        return new;
                    }
                }
                self.activity.settled = false;
                true
            }

            /// Works off a rising edge; `work` if inputs are new as well.
            fn edge(&mut self, work: bool) -> bool {
                use rust_hdl::prelude::{Block, Logic};
                if self.activity.quiet && !work {
                    return false;
                }
                self.update();
                #[allow(unused_mut)]
                let mut moved = work;
                $( self.$p.update_all(); moved |= self.$p.has_changed(); )*
                self.activity.quiet = !moved $( && $crate::block::Part::quiet(&self.$p) )*;
                self.clock.next.clk = false;
                self.clock.update_all();
                let new = self.settle();
                self.clock.next.clk = true;
                self.clock.update_all();
                new
            }
        }

        impl $crate::block::Part for $name {
            fn quiet(&self) -> bool {
                self.activity.quiet
            }
        }

        impl rust_hdl::prelude::Block for $name {
            fn connect_all(&mut self) {
                use rust_hdl::prelude::Logic;
                self.connect();
                $( self.$p.connect_all(); )*
            }
            fn update_all(&mut self) {
                let mut new = false;
                let level = self.clock.val().clk;
                if level && !self.activity.clock && self.activity.settled {
                    // What the driver asks for next must survive the pulse.
                    let asked = self.clock.next;
                    new |= self.edge(false);
                    self.clock.next = asked;
                }
                self.clock.update_all();
                let rising = self.clock.val().clk && !level;
                self.activity.clock = self.clock.val().clk;
                #[allow(unused_mut)]
                let mut work = !self.activity.settled;
                $( self.$i.update_all(); work |= self.$i.has_changed(); )*
                if rising {
                    new |= self.edge(work);
                } else if work {
                    self.activity.quiet = false;
                    new |= self.settle();
                }
                self.activity.changed = new;
            }
            fn has_changed(&self) -> bool {
                self.activity.changed
            }
            fn accept(&self, name: &str, probe: &mut dyn rust_hdl::prelude::Probe) {
                probe.visit_start_scope(name, self);
                self.clock.accept("clock", probe);
                $( self.$i.accept(stringify!($i), probe); )*
                $( self.$o.accept(stringify!($o), probe); )*
                $( self.$p.accept(stringify!($p), probe); )*
                $( self.$l.accept(stringify!($l), probe); )*
                probe.visit_end_scope(name, self);
            }
        }
    };
}

/// Gives a primitive its simulation. The structure has `clock`, the named inputs and outputs and `activity`; its method `edge` is the
/// model: outputs and state after a rising edge from the inputs before it. All outputs are registers, so nothing happens without an edge.
/// `edge` returns whether another edge with the same inputs may show something new although the outputs stand still.
#[macro_export]
macro_rules! leaf {
    (
        [$($generic:tt)*] $name:ty;
        inputs: $($i:ident),*;
        outputs: $($o:ident),*
    ) => {
        impl<$($generic)*> $crate::block::Part for $name {
            #[inline(always)]
            fn quiet(&self) -> bool {
                self.activity.quiet
            }
        }

        impl<$($generic)*> rust_hdl::prelude::Block for $name {
            fn connect_all(&mut self) {
                use rust_hdl::prelude::{Atom, Logic};
                // A parent has connected our inputs by now.
                self.activity.exposed = !self.clock.connected();
                self.connect();
            }
            #[inline(always)]
            fn update_all(&mut self) {
                self.activity.changed = false;
                if self.activity.exposed {
                    if self.clock.val().clk && !self.activity.clock {
                        self.edge();
                        $( self.activity.changed |= self.$o.commit(); )*
                    }
                    $( self.$i.update_all(); )*
                }
                self.clock.update_all();
                if self.clock.changed && self.clock.val().clk {
                    $( self.$i.update_all(); )*
                    let hidden = self.edge();
                    $( self.activity.changed |= self.$o.commit(); )*
                    self.activity.quiet = !hidden && !self.activity.changed;
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
                $( self.$i.accept(stringify!($i), probe); )*
                $( self.$o.accept(stringify!($o), probe); )*
                probe.visit_end_scope(name, self);
            }
        }
    };
}
