//! split(x, T) of a natural number: exponent E = ⌊log2 x⌋ and the T bits after the leading one (`docs/arithmetic.md` section 1); x = 0 counts as 1.
//!
//! | port | width | |
//! |---|---|---|
//! | x | B signed, never negative | |
//! | exponent | K, 2^K ≥ max(B − 1, T + 1) | latency 2 |
//! | mantissa | T | latency 2 |
//!
//! Shifts x to the left by 2^(K−1), …, 2, 1 wherever that many leading bits are zero; a register stands after half of the steps. What was not
//! shifted is the exponent.
//!
//! ```
//! use astromorph_hdl::{number::*, split::Split};
//! use rust_hdl::prelude::*;
//! let mut s = Split::new("split", 20, 2).unwrap();
//! s.connect_all();
//! s.x.next = S::new(0b1011);
//! for level in [true, false, true] { s.clock.next.clk = level; simulate(&mut s, 10); }
//! assert_eq!((s.exponent.val().get(), s.mantissa.val().get()), (3, 0b01));
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from x to exponent and mantissa.
pub const LATENCY: usize = 2;

block! {
    /// See the module's text.
    pub struct Split {
        inputs {
            /// The number.
            x: Sig<In, S>,
        }
        outputs {
            /// ⌊log2 x⌋.
            exponent: Sig<Out, U>,
            /// The bits after the leading one.
            mantissa: Sig<Out, U>,
        }
        parts {
            half_word: Reg<U>,
            half_exponent: Reg<U>,
            exponent_r: Reg<U>,
            mantissa_r: Reg<U>,
        }
        locals {
            /// x on its way to the left, before and after each step of the first half, then of the second.
            word_a: Vec<Sig<Local, U>>,
            count_a: Vec<Sig<Local, U>>,
            head_a: Vec<Sig<Local, U>>,
            word_b: Vec<Sig<Local, U>>,
            count_b: Vec<Sig<Local, U>>,
            head_b: Vec<Sig<Local, U>>,
            amount_a: Vec<Const<U>>,
            rest_a: Vec<Const<U>>,
            amount_b: Vec<Const<U>>,
            rest_b: Vec<Const<U>>,
            below: Const<U>,
            zero: Const<U>,
        }
    }
}

impl Split {
    /// For x of `bits` with sign and a mantissa of `mantissa` bits; `name` is for errors.
    pub fn new(name: &str, bits: u32, mantissa: u32) -> Result<Self> {
        check::range(&format!("{name}.x.width"), bits, 2, 64)?;
        check::range(&format!("{name}.mantissa.width"), mantissa, 1, 16)?;
        let word = (bits - 1).max(mantissa + 1).next_power_of_two();
        let steps = word.ilog2();
        let first = steps / 2;
        let amounts = |from: u32, to: u32| (from..to).map(|k| 1u64 << (steps - 1 - k)).collect::<Vec<_>>();
        let (a, b) = (amounts(0, first), amounts(first, steps));
        let words = |n: usize, width: u32| (0..n).map(|_| Sig::new(width)).collect::<Vec<_>>();
        let heads = |list: &[u64]| list.iter().map(|&n| Sig::new(n as u32)).collect::<Vec<_>>();
        let amount = |list: &[u64]| list.iter().map(|&n| Const::natural(n)).collect::<Vec<_>>();
        let rest = |list: &[u64]| {
            list.iter()
                .map(|&n| Const::natural(word as u64 - n))
                .collect::<Vec<_>>()
        };
        Ok(Split {
            clock: Signal::default(),
            x: Sig::new(bits),
            exponent: Sig::new(steps),
            mantissa: Sig::new(mantissa),
            half_word: Reg::new(word),
            half_exponent: Reg::new(steps),
            exponent_r: Reg::new(steps),
            mantissa_r: Reg::new(mantissa),
            word_a: words(a.len() + 1, word),
            count_a: words(a.len() + 1, steps),
            head_a: heads(&a),
            word_b: words(b.len() + 1, word),
            count_b: words(b.len() + 1, steps),
            head_b: heads(&b),
            amount_a: amount(&a),
            rest_a: rest(&a),
            amount_b: amount(&b),
            rest_b: rest(&b),
            below: Const::natural((word - 1 - mantissa) as u64),
            zero: Const::natural(0),
            activity: Default::default(),
        })
    }
}

impl Logic for Split {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, half_word, half_exponent, exponent_r, mantissa_r);
        self.word_a[0].next = unsigned_cast_of(self.x);
        self.count_a[0].next = self.zero.val();
        for i in 0..(self.head_a.len()) {
            self.head_a[i].next = (self.word_a[i].val() >> self.rest_a[i].val().index()).into();
            self.word_a[i + 1].next = self.word_a[i].val();
            self.count_a[i + 1].next = (self.count_a[i].val() + self.amount_a[i].val()).into();
            if self.head_a[i].val() == 0 {
                self.word_a[i + 1].next = (self.word_a[i].val() << self.amount_a[i].val().index()).into();
                self.count_a[i + 1].next = self.count_a[i].val();
            }
        }
        // The last of the list is what the half leaves behind.
        for i in 0..(self.word_a.len()) {
            self.half_word.d.next = self.word_a[i].val();
            self.half_exponent.d.next = self.count_a[i].val();
        }
        self.word_b[0].next = self.half_word.q.val();
        self.count_b[0].next = self.half_exponent.q.val();
        for i in 0..(self.head_b.len()) {
            self.head_b[i].next = (self.word_b[i].val() >> self.rest_b[i].val().index()).into();
            self.word_b[i + 1].next = self.word_b[i].val();
            self.count_b[i + 1].next = (self.count_b[i].val() + self.amount_b[i].val()).into();
            if self.head_b[i].val() == 0 {
                self.word_b[i + 1].next = (self.word_b[i].val() << self.amount_b[i].val().index()).into();
                self.count_b[i + 1].next = self.count_b[i].val();
            }
        }
        for i in 0..(self.word_b.len()) {
            self.mantissa_r.d.next = (self.word_b[i].val() >> self.below.val().index()).into();
            self.exponent_r.d.next = self.count_b[i].val();
        }
        self.exponent.next = self.exponent_r.q.val();
        self.mantissa.next = self.mantissa_r.q.val();
    }
}
