//! A small queue in registers: the head stands in a register of its own, and `hold` rises while there is still room for what is on its way.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | empty |
//! | push, data | 1, W | append |
//! | pop | 1 | drop the head; only when `some` |
//! | some, head | 1, W | there is a head; latency 1 after a push into an empty queue |
//! | hold | 1 | `limit` words or more are in it; latency 1 |
//!
//! A word pushed into a full queue is lost: the user sees to it that no more than depth − limit words come after `hold` rises. The model stops
//! the simulation when one is.
//!
//! ```
//! use astromorph_hdl::{engine::queue::Queue, number::*};
//! use rust_hdl::prelude::*;
//! let mut q = Queue::new("queue", 4, 2, 8).unwrap();
//! q.connect_all();
//! let mut cycle = |q: &mut Queue| for level in [true, false] { q.clock.next.clk = level; simulate(q, 10); };
//! for x in [5, 6] { (q.push.next, q.data.next) = (true, U::new(x)); cycle(&mut q); }
//! q.push.next = false;
//! assert_eq!((q.some.val(), q.head.val(), q.hold.val()), (true, U::new(5), true));
//! q.pop.next = true;
//! cycle(&mut q);
//! assert_eq!((q.head.val(), q.hold.val()), (U::new(6), false));
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, Sig, U, natural_bits};
use astromorph::Result;
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// See the module's text.
pub struct Queue {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Empty it.
    pub reset: Flag<In>,
    /// Append.
    pub push: Flag<In>,
    /// What.
    pub data: Sig<In, U>,
    /// Drop the head.
    pub pop: Flag<In>,
    /// There is a head.
    pub some: Flag<Out>,
    /// The head.
    pub head: Sig<Out, U>,
    /// Bring no more than is on its way.
    pub hold: Flag<Out>,
    words: VecDeque<U>,
    depth: usize,
    limit: usize,
    activity: Activity,
}

impl Queue {
    /// `depth` words of `width` bits, `hold` from `limit` on; `name` is for errors.
    pub fn new(name: &str, depth: usize, limit: usize, width: u32) -> Result<Self> {
        check::range(&format!("{name}.depth"), depth, 2, 64)?;
        check::range(&format!("{name}.limit"), limit, 1, depth)?;
        check::width(name, width as i64)?;
        Ok(Queue {
            clock: Signal::default(),
            reset: Flag::default(),
            push: Flag::default(),
            data: Sig::new(width),
            pop: Flag::default(),
            some: Flag::default(),
            head: Sig::new(width),
            hold: Flag::default(),
            words: VecDeque::with_capacity(depth),
            depth,
            limit,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        if self.pop.val() {
            self.words.pop_front();
        }
        if self.push.val() {
            assert!(self.words.len() < self.depth, "a word for a full queue");
            self.words.push_back(self.data.val());
        }
        if self.reset.val() {
            self.words.clear();
        }
        if let Some(&head) = self.words.front() {
            self.head.next = head;
        }
        self.some.next = !self.words.is_empty();
        self.hold.next = self.words.len() >= self.limit;
        self.push.val() || self.pop.val()
    }
}

impl Logic for Queue {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.some.connect();
        self.head.connect();
        self.hold.connect();
    }
    fn hdl(&self) -> Verilog {
        let (n, w) = (self.depth, self.head.width() - 1);
        let count = natural_bits(n as u64) - 1;
        let mut s = format!(
            "reg [{count}:0] count = 0;\nwire [{count}:0] place = pop ? count - 1'b1 : count;\nwire [{count}:0] after = push ? place + 1'b1 : place;\n\
             initial begin some = 0; head = 0; hold = 0; end\n"
        );
        // The head keeps its word when the queue runs empty, as the model does.
        let next = |k: usize| {
            if k + 1 < n {
                format!("word_{}", k + 1)
            } else {
                "data".into()
            }
        };
        for k in 1..n {
            // Writing to a String cannot fail.
            let _ = write!(
                s,
                "reg [{w}:0] word_{k} = 0;\nalways @(posedge clock) if (pop | (push & place == {k})) word_{k} <= (push & place == {k}) ? data : {};\n",
                next(k)
            );
        }
        let _ = write!(
            s,
            "always @(posedge clock) begin\n  if (reset) begin count <= 0; some <= 0; hold <= 0; end\n  else begin count <= after; some <= after != 0; hold <= after >= {}; end\n  \
             if (!reset & (push & place == 0)) head <= data;\n  else if (!reset & pop & count != 1) head <= {};\nend\n",
            self.limit,
            next(0)
        );
        Verilog::Custom(s)
    }
}

leaf!([] Queue; inputs: reset, push, data, pop; outputs: some, head, hold);
