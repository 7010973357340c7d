//! How blocks are declared and simulated: [`block!`](crate::block!) for blocks with a kernel, [`leaf!`](crate::leaf!) for primitives with a Rust model and a Verilog body.
//!
//! RustHDL's own derive runs a kernel, then commits its inputs, so a clock edge or a value needs a sweep of the whole circuit per level of
//! hierarchy, and every sweep visits every signal. Here a block and its parts speak to each other by [`Part`]:
//!
//! | call | a block with a kernel | a primitive |
//! |---|---|---|
//! | [`Part::follow`] | takes its inputs; if one is new: kernel, parts follow, again until no part's output is new | nothing: its inputs wait for the edge |
//! | [`Part::tick`] | hands the edge to its parts; if one of their outputs is new, settles as above | takes its inputs, works off the edge |
//!
//! This gives the same values:
//!
//! - blocks talk only through their parent's kernel, which does not run while the parts work off the edge; so every part sees inputs computed
//!   from values before the edge, whatever the order of the parts;
//! - a kernel is a function of the block's inputs and of its parts' outputs; if none of them is new, nothing is to be done.
//!
//! A block that does not settle stays changed, and RustHDL's `simulate` reports that.
//!
//! - an edge is a call, not a level that the kernel carries down: a part gets it if the kernel, run once with the clock high when all is
//!   connected, has handed the clock on to it (`clock!`, `dff_setup!`). A part that the kernel forgets stands still here as in the Verilog.
//!   The falling edge costs nothing, and nothing may depend on it; in a waveform the clocks inside stand still;
//! - a block in which an edge has moved nothing, and whose inputs have not changed since, is *quiet*: the next edge would move nothing
//!   either and is not handed on.
//!
//! To the outside (a driver, a test, a block that RustHDL itself has derived) both are ordinary RustHDL blocks. Drivers may deliver the edge as
//! RustHDL does (`clock.next`, then sweeps) or commit it on the top's clock alone and hand over new inputs with the same sweep: the edge is then
//! worked off with the old inputs first.

use rust_hdl::prelude::*;

/// Rounds after which a block counts as oscillating.
pub const SETTLE_LIMIT: usize = 64;

/// What a block remembers between sweeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activity {
    /// The clock's level at the last visit from outside.
    pub clock: bool,
    /// An output changed in the last visit from outside.
    pub changed: bool,
    /// The kernel has run, and settled.
    pub settled: bool,
    /// No parent drives this block: its inputs are taken over at every visit.
    pub exposed: bool,
    /// The last edge moved nothing, and no input is new since.
    pub quiet: bool,
    /// The parent's kernel hands its clock on to this block.
    pub clocked: bool,
}

/// What an edge did to parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// Not zero: an output is new.
    pub new: u64,
    /// No output is new, and yet another edge with the same inputs may change something.
    pub awake: bool,
}

/// A part of a block, as its parent simulates it.
pub trait Part: Block {
    /// The parent's kernel has run with its clock high: notes whether that reached this part.
    fn find_clock(&mut self);
    /// The parent's kernel has run: works off new inputs; tells whether an output is new.
    fn follow(&mut self) -> bool;
    /// A rising edge; adds what it did to `edge`.
    fn tick(&mut self, edge: &mut Edge);
}

impl<P: Part> Part for Vec<P> {
    fn find_clock(&mut self) {
        self.iter_mut().for_each(P::find_clock);
    }
    #[inline(always)]
    fn follow(&mut self) -> bool {
        let mut new = false;
        for part in self.iter_mut() {
            new |= part.follow();
        }
        new
    }
    #[inline(always)]
    fn tick(&mut self, edge: &mut Edge) {
        self.iter_mut().for_each(|part| part.tick(edge));
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
                use rust_hdl::prelude::Logic;
                for _ in 0..$crate::block::SETTLE_LIMIT {
                    self.update();
                    #[allow(unused_mut)]
                    let mut moved = false;
                    $( moved |= $crate::block::Part::follow(&mut self.$p); )*
                    if !moved {
                        self.activity.settled = true;
                        #[allow(unused_mut)]
                        let mut new = 0u64;
                        $( $crate::number::Wires::take(&mut self.$o, &mut new); )*
                        return new != 0;
                    }
                }
                self.activity.settled = false;
                true
            }

            /// A rising edge, with the inputs taken over last: whether an output is new, and whether another edge may move something.
            fn rise(&mut self) -> (bool, bool) {
                if self.activity.quiet {
                    return (false, false);
                }
                #[allow(unused_mut)]
                let mut edge = $crate::block::Edge::default();
                $( $crate::block::Part::tick(&mut self.$p, &mut edge); )*
                let awake = edge.awake || edge.new != 0;
                self.activity.quiet = !awake;
                (edge.new != 0 && self.settle(), awake)
            }
        }

        impl $crate::block::Part for $name {
            fn find_clock(&mut self) {
                self.activity.clocked = self.clock.next.clk;
            }
            fn follow(&mut self) -> bool {
                #[allow(unused_mut)]
                let mut work = !self.activity.settled as u64;
                $( $crate::number::Wires::take(&mut self.$i, &mut work); )*
                if work == 0 {
                    return false;
                }
                self.activity.quiet = false;
                self.settle()
            }
            #[inline(always)]
            fn tick(&mut self, edge: &mut $crate::block::Edge) {
                if self.activity.clocked {
                    let (new, awake) = self.rise();
                    edge.new |= new as u64;
                    edge.awake |= awake;
                }
            }
        }

        impl rust_hdl::prelude::Block for $name {
            fn connect_all(&mut self) {
                use rust_hdl::prelude::Logic;
                self.connect();
                $( self.$p.connect_all(); )*
                let asked = std::mem::replace(&mut self.clock.next, rust_hdl::prelude::Clock { clk: true });
                self.clock.update_all();
                self.update();
                $( $crate::block::Part::find_clock(&mut self.$p); )*
                self.clock.next = rust_hdl::prelude::Clock { clk: false };
                self.clock.update_all();
                self.clock.next = asked;
            }
            fn update_all(&mut self) {
                let mut new = false;
                let level = self.clock.val().clk;
                if level && !self.activity.clock && self.activity.settled {
                    new |= self.rise().0;
                }
                self.clock.update_all();
                self.activity.clock = self.clock.val().clk;
                new |= $crate::block::Part::follow(self);
                if self.activity.clock && !level {
                    new |= self.rise().0;
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
            fn find_clock(&mut self) {
                self.activity.clocked = self.clock.next.clk;
            }
            #[inline(always)]
            fn follow(&mut self) -> bool {
                false
            }
            #[inline(always)]
            fn tick(&mut self, edge: &mut $crate::block::Edge) {
                if !self.activity.clocked {
                    return;
                }
                #[allow(unused_mut)]
                let mut work = !self.activity.quiet as u64;
                $( $crate::number::Wires::take(&mut self.$i, &mut work); )*
                if work != 0 {
                    let hidden = self.edge();
                    let mut new = 0u64;
                    $( $crate::number::Wires::take(&mut self.$o, &mut new); )*
                    self.activity.quiet = !hidden && new == 0;
                    edge.new |= new;
                    edge.awake |= hidden;
                }
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
                    self.edge();
                    $( self.activity.changed |= self.$o.commit(); )*
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
