//! Rounding by a shift known only at run time, to one of two widths: where the serial units' and the layer norm's words leave 2·SW bits.
//!
//! | port | width | |
//! |---|---|---|
//! | x | X signed | |
//! | amount | 6 | right shift s + [`LEFT`], s = −8 to 55 |
//! | narrow | 1 | saturate to W bits, else to SW |
//! | y | SW signed | `requant(x, s)`: half added, shifted, saturated; latency [`LATENCY`] |
//!
//! A word a cycle, each with its own amount. The front's `shifter` rounds to any width and shifts further to the left; this one is smaller.
//! Stages: 1 shift by 0, 16, 32, 48 of x·2^9; 2 by 0, 4, 8, 12 and by 0 to 3, where one bit below the point is left; 3 its rounding;
//! 4 saturation.
//! Each stage keeps what the later ones may still need and notes whether anything above was lost.
//!
//! ```
//! use astromorph_hdl::{engine::requant::{LATENCY, LEFT, Requant}, number::*};
//! use rust_hdl::prelude::*;
//! let mut r = Requant::new("requant", 33, 16, 8).unwrap();
//! r.connect_all();
//! // 1000/16 = 62.5, half rounds up.
//! (r.x.next, r.amount.next) = (S::new(1000), U::new(4 + LEFT as u64));
//! for _ in 0..LATENCY { for level in [true, false] { r.clock.next.clk = level; simulate(&mut r, 10); } }
//! assert_eq!(r.y.val(), S::new(63));
//! ```

use super::line::Line;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, S, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from x, amount and narrow to y.
pub const LATENCY: usize = 4;
/// Amount of a shift by nothing.
pub const LEFT: u32 = 8;
/// Width of `amount`.
pub const AMOUNT_BITS: u32 = 6;

/// See the module's text.
pub struct Requant {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// The number.
    pub x: Sig<In, S>,
    /// Shift.
    pub amount: Sig<In, U>,
    /// To the smaller width.
    pub narrow: Flag<In>,
    /// Rounded and saturated.
    pub y: Sig<Out, S>,
    narrow_bits: u32,
    line: Line<S>,
    activity: Activity,
}

impl Requant {
    /// From `x_bits` to `wide` or `narrow` bits; `name` is for errors.
    pub fn new(name: &str, x_bits: u32, wide: u32, narrow: u32) -> Result<Self> {
        check::range(&format!("{name}.wide"), wide, 2, 32)?;
        check::range(&format!("{name}.narrow"), narrow, 2, wide)?;
        // Two shifts by 16 bring everything that is not a copy of the sign into the first stage's width.
        check::range(&format!("{name}.x"), x_bits, wide, wide + 31 - LEFT)?;
        Ok(Requant {
            clock: Signal::default(),
            x: Sig::new(x_bits),
            amount: Sig::new(AMOUNT_BITS),
            narrow: Flag::default(),
            y: Sig::new(wide),
            narrow_bits: narrow,
            line: Line::new(LATENCY, S::default()),
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        // x·2^9 has at most 64 bits; the last of them is the guard.
        let guarded = (self.x.val().get() << (LEFT + 1)) >> self.amount.val().get();
        let bits = if self.narrow.val() {
            self.narrow_bits
        } else {
            self.y.width()
        };
        let top = (1i64 << (bits - 1)) - 1;
        let (y, moving) = self.line.push(S::new(((guarded + 1) >> 1).clamp(-top - 1, top)));
        self.y.next = y;
        moving
    }
}

impl Logic for Requant {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let (x, n, narrow) = (self.x.width(), self.y.width(), self.narrow_bits);
        let all = x + LEFT + 1;
        let last = n + 1;
        let (first, second) = ((last + 15).min(all), last + 3);
        let not_same = |name: &str, top: u32, from: u32| {
            if from >= top {
                "1'b0".to_string()
            } else {
                format!("((|{name}[{top}:{from}]) & ~(&{name}[{top}:{from}]))")
            }
        };
        let fits = |from: u32| format!("(~(|half[{n}:{from}]) | (&half[{n}:{from}]))");
        let mut s = format!(
            "wire signed [{0}:0] whole = {{x, {1}'b0}};\nwire signed [{0}:0] coarse = whole >>> {{amount[5:4], 4'b0}};\n\
             reg signed [{2}:0] first;\nreg first_over, first_sign, first_narrow;\nreg [3:0] first_amount;\n\
             wire signed [{2}:0] middle = first >>> {{first_amount[3:2], 2'b0}};\nwire signed [{3}:0] second = middle[{3}:0];\n\
             wire signed [{3}:0] fine = second >>> first_amount[1:0];\n\
             reg signed [{n}:0] third;\nreg third_over, third_sign, third_narrow;\n\
             reg signed [{n}:0] half;\nreg half_over, half_sign, half_narrow;\n\
             wire fit = ~half_over & (half_narrow ? {4} : {5});\n",
            all - 1,
            LEFT + 1,
            first - 1,
            second - 1,
            fits(narrow - 1),
            fits(n - 1),
        );
        s += "initial begin first = 0; first_over = 0; first_sign = 0; first_narrow = 0; first_amount = 0; third = 0; third_over = 0; \
              third_sign = 0; third_narrow = 0; half = 0; half_over = 0; half_sign = 0; half_narrow = 0; y = 0; end\n";
        s += &format!(
            "always @(posedge clock) begin\n  first <= coarse[{}:0];\n  first_over <= (amount[5:4] == 0) & {};\n\
             \x20 first_sign <= x[{}];\n  first_narrow <= narrow;\n  first_amount <= amount[3:0];\n",
            first - 1,
            not_same("whole", all - 1, first - 1),
            x - 1
        );
        s += &format!(
            "  third <= fine[{n}:0];\n  third_over <= first_over | ((first_amount[3:2] == 0) & {}) | (~first_amount[3] & {}) | \
             ((first_amount[3:2] != 3) & {})\n    | ((first_amount[1:0] == 0) & {}) | (~first_amount[1] & {}) | ((first_amount[1:0] != 3) & {});\n\
             \x20 third_sign <= first_sign;\n  third_narrow <= first_narrow;\n",
            not_same("first", first - 1, second - 1),
            not_same("first", first - 1, second + 3),
            not_same("first", first - 1, second + 7),
            not_same("second", second - 1, n),
            not_same("second", second - 1, n + 1),
            not_same("second", second - 1, n + 2),
        );
        s += &format!(
            "  half <= {{third[{n}], third[{n}:1]}} + {{{n}'b0, third[0]}};\n  half_over <= third_over;\n  half_sign <= third_sign;\n  \
             half_narrow <= third_narrow;\n  y <= half[{}:0];\n  if (!fit) y <= half_narrow ? {{{{{}{{half_sign}}}}, {{{}{{~half_sign}}}}}} : \
             {{half_sign, {{{}{{~half_sign}}}}}};\nend\n",
            n - 1,
            n - narrow + 1,
            narrow - 1,
            n - 1
        );
        Verilog::Custom(s)
    }
}

leaf!([] Requant; inputs: x, amount, narrow; outputs: y);
