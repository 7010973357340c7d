//! split(x, T) of a number (`docs/arithmetic.md` section 1) for a T known later: exponent E = ⌊log2 x⌋ and the bits after the leading one,
//! as many as the largest T. A number below 1 counts as 1.
//!
//! | port | width | |
//! |---|---|---|
//! | low, high | 32, 17 | a number of 49 bits with sign |
//! | load_low, load_high | 1, 1 | its low part is taken, a cycle later its high part |
//! | word, load | A signed, 1 | another number, taken at once; numbers are at least 4 cycles apart |
//! | number | 49 signed | the number, in the cycle after `load_high` |
//! | exponent | 6 | [`LATENCY`] cycles after `load_high` or `load`; stands for two cycles |
//! | fraction | F | the F bits after the leading one, zeros where the number has none; the T bits of the law are the upper ones; with the exponent |
//!
//! The number stands where it is shifted: to the left by 16, twice, wherever the 16 bits below the sign are zero. Then come, with a register
//! after each, shifts by 8, by 4, and by 2 and 1. Of a negative `word` only the sign is kept above its own bits.
//!
//! ```
//! use astromorph_hdl::{engine::split::{LATENCY, Split}, number::*};
//! use rust_hdl::prelude::*;
//! let mut s = Split::new("split", 26, 9).unwrap();
//! s.connect_all();
//! (s.word.next, s.load.next) = (S::new(0b1011), true);
//! for _ in 0..LATENCY {
//!     for level in [true, false] { s.clock.next.clk = level; simulate(&mut s, 10); }
//!     s.load.next = false;
//! }
//! assert_eq!((s.exponent.val().get(), s.fraction.val().get()), (3, 0b011_000_000));
//! ```

use super::line::Line;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, S, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from `load_high` to exponent and fraction.
pub const LATENCY: usize = 6;
/// Width of an exponent.
pub const EXPONENT_BITS: u32 = 6;
/// Bits of a number, with sign.
pub const NUMBER_BITS: u32 = 49;
/// Bits of the part that is loaded first.
pub const LOW_BITS: u32 = 32;
/// Magnitude: three times 16.
const BITS: u32 = NUMBER_BITS - 1;
const MAGNITUDE: u64 = (1 << BITS) - 1;
const LOW: u64 = (1 << LOW_BITS) - 1;

/// See the module's text.
pub struct Split {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Low bits.
    pub low: Sig<In, U>,
    /// The others.
    pub high: Sig<In, U>,
    /// Take the low bits.
    pub load_low: Flag<In>,
    /// Take the others.
    pub load_high: Flag<In>,
    /// Another number.
    pub word: Sig<In, S>,
    /// Take it.
    pub load: Flag<In>,
    /// The number.
    pub number: Sig<Out, S>,
    /// ⌊log2 x⌋.
    pub exponent: Sig<Out, U>,
    /// What follows the leading one.
    pub fraction: Sig<Out, U>,
    x: u64,
    /// Sixteens in the exponent.
    sixteens: u64,
    loaded: [bool; 2],
    line: Line<(u64, u64)>,
    activity: Activity,
}

impl Split {
    /// For a `word` of `bits` and a fraction of `fraction` bits; `name` is for errors.
    pub fn new(name: &str, bits: u32, fraction: u32) -> Result<Self> {
        check::range(&format!("{name}.word.width"), bits, 2, NUMBER_BITS - 1)?;
        check::range(&format!("{name}.fraction.width"), fraction, 1, 16)?;
        Ok(Split {
            clock: Signal::default(),
            low: Sig::new(LOW_BITS),
            high: Sig::new(NUMBER_BITS - LOW_BITS),
            load_low: Flag::default(),
            load_high: Flag::default(),
            word: Sig::new(bits),
            load: Flag::default(),
            number: Sig::new(NUMBER_BITS),
            exponent: Sig::new(EXPONENT_BITS),
            fraction: Sig::new(fraction),
            x: 0,
            sixteens: 0,
            loaded: [false; 2],
            line: Line::new(3, (0, 0)),
            activity: Activity::default(),
        })
    }

    /// What the stages behind the number make of it.
    #[inline(always)]
    fn parts(&self) -> (u64, u64) {
        if self.x >> BITS != 0 {
            return (0, 0);
        }
        let zeros = (self.x << (64 - BITS)).leading_zeros().min(15);
        let fraction = (self.x << (64 - BITS) << zeros << 1) >> (64 - self.fraction.width());
        (self.sixteens << 4 | (15 - zeros) as u64, fraction)
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let ((exponent, fraction), moving) = self.line.push(self.parts());
        (self.exponent.next, self.fraction.next) = (U::new(exponent), U::new(fraction));
        let magnitude = self.x & MAGNITUDE;
        let shifts = self.loaded != [false; 2] && magnitude >> (BITS - 16) == 0;
        let shifted = if shifts { magnitude << 16 } else { 0 };
        let word = if self.load.val() {
            self.word.val().get() as u64
        } else {
            0
        };
        let entered = word & ((1 << (self.word.width() - 1)) - 1) | word & 1 << BITS;
        let mut pick = |taken: bool, part: u64, field: u64| {
            if taken || shifts || self.load.val() {
                let part = if taken { part } else { 0 };
                self.x = self.x & !field | (shifted | entered | part) & field;
            }
        };
        pick(self.load_low.val(), self.low.val().get(), LOW);
        pick(
            self.load_high.val(),
            self.high.val().get() << LOW_BITS,
            MAGNITUDE & !LOW,
        );
        if self.load.val() || self.load_high.val() {
            let high = if self.load_high.val() {
                self.high.val().get() << LOW_BITS
            } else {
                0
            };
            self.x = self.x & MAGNITUDE | (entered | high) & 1 << BITS;
            self.sixteens = 2;
        } else if shifts {
            self.sixteens = self.sixteens.wrapping_sub(1) & 3;
        }
        self.loaded = [self.load_high.val() || self.load.val(), self.loaded[0]];
        self.number.next = S::new((self.x << (64 - NUMBER_BITS)) as i64 >> (64 - NUMBER_BITS));
        moving || self.loaded != [false; 2]
    }
}

impl Logic for Split {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.number.connect();
        self.exponent.connect();
        self.fraction.connect();
    }
    fn hdl(&self) -> Verilog {
        let f = self.fraction.width();
        // What the later steps may still bring to the top: 15, 7, 3 bits, the leading one and the fraction.
        let (b, c, d) = (f + 16, f + 8, f + 4);
        let w = self.word.width();
        Verilog::Custom(format!(
            "reg [1:0] sixteens, loaded;\nwire shifts = (|loaded) & ~(|number[47:32]);\n\
             wire [48:0] entered = {{word[{w1}], {{{pad}{{1'b0}}}}, word[{w2}:0]}};\n\
             wire [47:0] next = ({{48{{load}}}} & entered[47:0]) | ({{48{{shifts}}}} & {{number[31:0], 16'b0}})\n\
             \x20 | {{{{16{{load_high}}}} & high[15:0], {{32{{load_low}}}} & low}};\n\
             wire [{b1}:0] b = number[47:{b_low}];\nwire keep_8 = |b[{b1}:{b8}];\nwire [{b1}:0] by_8 = keep_8 ? b : b << 8;\n\
             reg [{c1}:0] c;\nreg [2:0] c_e;\nreg c_negative;\nwire keep_4 = |c[{c1}:{c4}];\nwire [{c1}:0] by_4 = keep_4 ? c : c << 4;\n\
             reg [{d1}:0] d;\nreg [3:0] d_e;\nreg d_negative;\nwire keep_2 = |d[{d1}:{d2}];\nwire [{d1}:0] by_2 = keep_2 ? d : d << 2;\n\
             wire keep_1 = by_2[{d1}];\nwire [{d1}:0] by_1 = keep_1 ? by_2 : by_2 << 1;\n\
             initial begin number = 0; sixteens = 0; loaded = 0; c = 0; c_e = 0; c_negative = 0; d = 0; d_e = 0; d_negative = 0; exponent = 0; \
             fraction = 0; end\n\
             always @(posedge clock) begin\n  loaded <= {{loaded[0], load | load_high}};\n\
             \x20 if (shifts | load | load_low) number[31:0] <= next[31:0];\n  if (shifts | load | load_high) number[47:32] <= next[47:32];\n\
             \x20 if (load | load_high) number[48] <= (load & entered[48]) | (load_high & high[16]);\n\
             \x20 if (load | load_high) sixteens <= 2; else if (shifts) sixteens <= sixteens - 2'd1;\n\
             \x20 c <= by_8[{b1}:8];\n  c_e <= {{sixteens, keep_8}};\n  c_negative <= number[48];\n\
             \x20 d <= by_4[{c1}:4];\n  d_e <= {{c_e, keep_4}};\n  d_negative <= c_negative;\n\
             \x20 exponent <= {{d_e, keep_2, keep_1}};\n  fraction <= by_1[{f_top}:3];\n\
             \x20 if (d_negative) begin exponent <= 0; fraction <= 0; end\nend\n",
            w1 = w - 1,
            w2 = w - 2,
            pad = NUMBER_BITS - w,
            b1 = b - 1,
            b_low = 48 - b,
            b8 = b - 8,
            c1 = c - 1,
            c4 = c - 4,
            d1 = d - 1,
            d2 = d - 2,
            f_top = f + 2,
        ))
    }
}

leaf!([] Split; inputs: low, high, load_low, load_high, word, load; outputs: number, exponent, fraction);
