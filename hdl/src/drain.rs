//! Drain: captures the lanes' accumulators at the end of a READ pass and hands them out one a cycle, lane 0 first.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | nothing more comes out |
//! | capture, words, last | 1, ⌈log2(P+1)⌉, 1 | take all accumulators; the first `words` of them count; they end the sequence |
//! | acc$0 … | acc | one a lane |
//! | y, valid, y_last | acc, 1, 1 | word k at latency 1 + k |
//!
//! Captures come P cycles apart or more.
//!
//! ```
//! use astromorph_hdl::{drain::Drain, number::*};
//! use rust_hdl::prelude::*;
//! let mut d = Drain::new(4, 20).unwrap();
//! d.connect_all();
//! for (k, acc) in d.acc.iter_mut().enumerate() { acc.next = S::new(10 + k as i64); }
//! (d.capture.next, d.words.next, d.last.next) = (true, U::new(2), true);
//! let mut seen = Vec::new();
//! for _ in 0..4 {
//!     for level in [true, false] { d.clock.next.clk = level; simulate(&mut d, 10); }
//!     d.capture.next = false;
//!     seen.push((d.valid.val(), d.y_last.val(), d.y.val().get()));
//! }
//! assert_eq!(seen[..2], [(true, false, 10), (true, true, 11)]);
//! assert!(!seen[2].0 && !seen[3].0);
//! ```

use crate::block;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Const, Flag, S, Sig, U, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// A parallel-load shift register of words: `q` is the oldest.
pub struct ShiftChain {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Take all inputs; otherwise shift by one word, zeros follow.
    pub load: Flag<In>,
    /// Inputs.
    pub d: Vec<Sig<In, S>>,
    /// The first word.
    pub q: Sig<Out, S>,
    words: Vec<S>,
    head: usize,
    activity: Activity,
}

impl ShiftChain {
    /// `lanes` words of `width` bits.
    pub fn new(lanes: usize, width: u32) -> Self {
        ShiftChain {
            clock: Signal::default(),
            load: Flag::default(),
            d: (0..lanes).map(|_| Sig::new(width)).collect(),
            q: Sig::new(width),
            words: vec![S::default(); lanes],
            head: 0,
            activity: Activity::default(),
        }
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        if self.load.val() {
            for (word, d) in self.words.iter_mut().zip(&self.d) {
                *word = d.val();
            }
            self.head = 0;
        } else if self.head < self.words.len() {
            self.head += 1;
        }
        self.q.next = self.words.get(self.head).copied().unwrap_or_default();
        self.load.val() || self.head < self.words.len()
    }
}

impl Logic for ShiftChain {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let (lanes, width) = (self.d.len(), self.q.width() as usize);
        if lanes == 1 {
            return Verilog::Custom("initial q = 0;\nalways @(posedge clock) q <= load ? d$0 : 0;\n".into());
        }
        let rest = (lanes - 1) * width;
        let inputs: Vec<String> = (1..lanes).rev().map(|k| format!("d${k}")).collect();
        let shifted = if lanes == 2 {
            format!("{{{width}{{1'b0}}}}")
        } else {
            format!("{{{{{width}{{1'b0}}}}, rest[{}:{width}]}}", rest - 1)
        };
        Verilog::Custom(format!(
            "reg [{}:0] rest;\ninitial begin rest = 0; q = 0; end\nalways @(posedge clock)\n  if (load) begin rest <= {{{}}}; q <= d$0; end\n  \
             else begin rest <= {shifted}; q <= rest[{}:0]; end\n",
            rest - 1,
            inputs.join(", "),
            width - 1
        ))
    }
}

leaf!([] ShiftChain; inputs: load, d; outputs: q);

block! {
    /// See the module's text.
    pub struct Drain {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Take the accumulators.
            capture: Flag<In>,
            /// How many of them count.
            words: Sig<In, U>,
            /// They end the sequence.
            last: Flag<In>,
            /// One accumulator a lane.
            acc: Vec<Sig<In, S>>,
        }
        outputs {
            /// Accumulators one after the other.
            y: Sig<Out, S>,
            /// y counts.
            valid: Flag<Out>,
            /// y is the last of the sequence.
            y_last: Flag<Out>,
        }
        parts {
            chain: ShiftChain,
            left: Reg<U>,
            ending: Reg<bool>,
        }
        locals { none: Const<U> }
    }
}

impl Drain {
    /// For `lanes` accumulators of `width` bits.
    pub fn new(lanes: usize, width: u32) -> Result<Self> {
        check::range("drain.lanes", lanes, 1, 64)?;
        check::width("drain.acc", width as i64)?;
        let count = natural_bits(lanes as u64);
        Ok(Drain {
            clock: Signal::default(),
            reset: Flag::default(),
            capture: Flag::default(),
            words: Sig::new(count),
            last: Flag::default(),
            acc: (0..lanes).map(|_| Sig::new(width)).collect(),
            y: Sig::new(width),
            valid: Flag::default(),
            y_last: Flag::default(),
            chain: ShiftChain::new(lanes, width),
            left: Reg::new(count),
            ending: Reg::default(),
            none: Const::natural(0),
            activity: Default::default(),
        })
    }
}

impl Logic for Drain {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left, ending);
        clock!(self, clock, chain);
        self.chain.load.next = self.capture.val();
        for i in 0..(self.acc.len()) {
            self.chain.d[i].next = self.acc[i].val();
        }
        self.valid.next = !(self.left.q.val() == 0);
        self.y_last.next = self.ending.q.val() && (self.left.q.val() == 1);
        self.y.next = self.chain.q.val();
        if !(self.left.q.val() == 0) {
            self.left.d.next = (self.left.q.val() - 1).into();
        }
        if self.capture.val() {
            self.left.d.next = self.words.val();
            self.ending.d.next = self.last.val();
        }
        if self.reset.val() {
            self.left.d.next = self.none.val();
        }
    }
}
