//! A delay line that reset clears.
//!
//! | port | width | |
//! |---|---|---|
//! | d | W | |
//! | reset | 1 | all stages to zero |
//! | q | W | latency `cycles` |
//!
//! ```
//! use astromorph_hdl::{number::*, delay::Delay};
//! use rust_hdl::prelude::*;
//! let mut line = Delay::<U>::new("line", 8, 2).unwrap();
//! line.connect_all();
//! let mut seen = Vec::new();
//! for x in [5, 6, 7] {
//!     line.d.next = U::new(x);
//!     for level in [true, false] { line.clock.next.clk = level; simulate(&mut line, 10); }
//!     seen.push(line.q.val().get());
//! }
//! assert_eq!(seen, [0, 5, 6]);
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, Sig, Word};
use astromorph::Result;
use rust_hdl::prelude::*;

/// See the module's text.
pub struct Delay<T: Word> {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Flag<In>,
    /// Data in.
    pub d: Sig<In, T>,
    /// Data out.
    pub q: Sig<Out, T>,
    /// A ring: `stages[head]` is the oldest.
    stages: Vec<T>,
    head: usize,
    /// The word taken last, and how many such have come in a row. (That the oldest equals the new one says nothing: words may be periodic.)
    latest: T,
    same: usize,
    activity: Activity,
}

impl<T: Word> Delay<T> {
    /// A line of `width` bits and 1 to 255 cycles; `name` is for errors.
    pub fn new(name: &str, width: u32, cycles: usize) -> Result<Self> {
        check::width(name, width as i64)?;
        check::range(&format!("{name}.cycles"), cycles, 1, 255)?;
        Ok(Delay {
            clock: Signal::default(),
            reset: Flag::default(),
            d: Sig::new(width),
            q: Sig::new(width),
            stages: vec![T::default(); cycles - 1],
            head: 0,
            latest: T::default(),
            same: 0,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let d = if self.reset.val() { T::default() } else { self.d.val() };
        if self.reset.val() {
            self.stages.fill(d);
        }
        if self.stages.is_empty() {
            self.q.next = d;
            return false;
        }
        let oldest = std::mem::replace(&mut self.stages[self.head], d);
        self.head += 1;
        if self.head == self.stages.len() {
            self.head = 0;
        }
        self.q.next = oldest;
        self.same = if self.latest == d { self.same + 1 } else { 1 };
        self.latest = d;
        // Stages and output hold nothing else.
        self.same <= self.stages.len()
    }
}

impl<T: Word> Logic for Delay<T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.q.connect();
    }
    fn hdl(&self) -> Verilog {
        let (width, inner) = (self.q.width() as usize, self.stages.len());
        let all = width * inner;
        Verilog::Custom(match inner {
            0 => "initial q = 0;\nalways @(posedge clock) if (reset) q <= 0; else q <= d;\n".into(),
            _ => {
                let shifted = if inner == 1 {
                    "d".into()
                } else {
                    format!("{{stages[{}:0], d}}", all - width - 1)
                };
                // A select of a scalar is no Verilog, a select of a one-bit vector is.
                format!(
                    "reg [{}:0] stages;\ninitial begin stages = 0; q = 0; end\nalways @(posedge clock)\n  \
                     if (reset) begin stages <= 0; q <= 0; end\n  else begin stages <= {shifted}; q <= stages[{}:{}]; end\n",
                    all - 1,
                    all - 1,
                    all - width
                )
            }
        })
    }
}

leaf!([T: Word] Delay<T>; inputs: reset, d; outputs: q);
