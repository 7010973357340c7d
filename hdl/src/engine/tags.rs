//! What travels beside a word through the shared multiplier: four flags, seen at the places where somebody asks for them.
//!
//! | port | |
//! |---|---|
//! | reset | all flags to 0 |
//! | valid, row_last, second, last | with the operands; `second` is the layer norm's second pass of an element, or a stream word's `pass_last` |
//! | at_1_valid | the cycle in which the multiplier takes the operands |
//! | at_2_… | the product's addend is chosen |
//! | at_5_… | the shift is chosen |
//! | at_6_… | product plus addend and the shift are there |
//! | out_… | with the rounded word, [`LATENCY`] cycles later |
//!
//! ```
//! use astromorph_hdl::engine::tags::{LATENCY, Tags};
//! use rust_hdl::prelude::*;
//! let mut t = Tags::default();
//! t.connect_all();
//! t.valid.next = true;
//! for _ in 0..LATENCY { for level in [true, false] { t.clock.next.clk = level; simulate(&mut t, 10); } }
//! assert_eq!((t.out_valid.val(), t.out_last.val()), (true, false));
//! ```

use crate::block::Activity;
use crate::leaf;
use crate::number::Flag;
use rust_hdl::prelude::*;

/// Cycles from the operands to the rounded word.
pub const LATENCY: usize = 10;

/// See the module's text.
#[derive(Default)]
pub struct Tags {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Flag<In>,
    /// A word is there.
    pub valid: Flag<In>,
    /// Last of its row.
    pub row_last: Flag<In>,
    /// Second pass, or last lane of an array's pass.
    pub second: Flag<In>,
    /// Last of its step.
    pub last: Flag<In>,
    /// `valid`, a cycle later.
    pub at_1_valid: Flag<Out>,
    /// `row_last`, 2 cycles later.
    pub at_2_row_last: Flag<Out>,
    /// `second`.
    pub at_2_second: Flag<Out>,
    /// `second`, 5 cycles later.
    pub at_5_second: Flag<Out>,
    /// `valid`, 6 cycles later.
    pub at_6_valid: Flag<Out>,
    /// `row_last`.
    pub at_6_row_last: Flag<Out>,
    /// `second`.
    pub at_6_second: Flag<Out>,
    /// `valid`, at the end.
    pub out_valid: Flag<Out>,
    /// `row_last`.
    pub out_row_last: Flag<Out>,
    /// `second`.
    pub out_second: Flag<Out>,
    /// `last`.
    pub out_last: Flag<Out>,
    /// Four bits a cycle, the newest lowest.
    stages: u64,
    activity: Activity,
}

impl Tags {
    #[inline(always)]
    fn edge(&mut self) -> bool {
        let now = self.valid.val() as u64
            | (self.row_last.val() as u64) << 1
            | (self.second.val() as u64) << 2
            | (self.last.val() as u64) << 3;
        let stages = if self.reset.val() {
            0
        } else {
            (self.stages << 4 | now) & ((1 << (4 * LATENCY)) - 1)
        };
        let moving = stages != self.stages;
        self.stages = stages;
        let at = |cycles: usize, flag: usize| stages >> (4 * (cycles - 1) + flag) & 1 == 1;
        self.at_1_valid.next = at(1, 0);
        self.at_2_row_last.next = at(2, 1);
        self.at_2_second.next = at(2, 2);
        self.at_5_second.next = at(5, 2);
        self.at_6_valid.next = at(6, 0);
        self.at_6_row_last.next = at(6, 1);
        self.at_6_second.next = at(6, 2);
        self.out_valid.next = at(LATENCY, 0);
        self.out_row_last.next = at(LATENCY, 1);
        self.out_second.next = at(LATENCY, 2);
        self.out_last.next = at(LATENCY, 3);
        moving
    }
}

impl Logic for Tags {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.at_1_valid.connect();
        self.at_2_row_last.connect();
        self.at_2_second.connect();
        self.at_5_second.connect();
        self.at_6_valid.connect();
        self.at_6_row_last.connect();
        self.at_6_second.connect();
        self.out_valid.connect();
        self.out_row_last.connect();
        self.out_second.connect();
        self.out_last.connect();
    }
    fn hdl(&self) -> Verilog {
        let top = 4 * LATENCY - 1;
        let mut s = format!(
            "reg [{top}:0] stages;\ninitial stages = 0;\nalways @(posedge clock) if (reset) stages <= 0; \
             else stages <= {{stages[{}:0], last, second, row_last, valid}};\n",
            top - 4
        );
        // The outputs are wires into the register; RustHDL declares them as variables.
        let mut out = |name: &str, cycles: usize, flag: usize| {
            s += &format!("always @(*) {name} = stages[{}];\n", 4 * (cycles - 1) + flag);
        };
        out("at_1_valid", 1, 0);
        out("at_2_row_last", 2, 1);
        out("at_2_second", 2, 2);
        out("at_5_second", 5, 2);
        out("at_6_valid", 6, 0);
        out("at_6_row_last", 6, 1);
        out("at_6_second", 6, 2);
        out("out_valid", LATENCY, 0);
        out("out_row_last", LATENCY, 1);
        out("out_second", LATENCY, 2);
        out("out_last", LATENCY, 3);
        Verilog::Custom(s)
    }
}

leaf!([] Tags; inputs: reset, valid, row_last, second, last; outputs:
    at_1_valid, at_2_row_last, at_2_second, at_5_second, at_6_valid, at_6_row_last, at_6_second, out_valid, out_row_last, out_second, out_last);
