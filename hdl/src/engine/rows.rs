//! Addresses of two users that begin at a base and go on by a distance: where rows start, or words.
//!
//! | port | width | |
//! |---|---|---|
//! | load_k, base_k | 1, N | `start_k` is the base in the next cycle; goes before `step_k` |
//! | set_k, distance_k | 1, [`STRIDE_BITS`] or N if that is less | the distance from the next cycle on; of more than 16 bits not with `step_k` |
//! | step_k | 1 | on by the distance |
//! | start_k | N | latency 1, modulo 2^N; each user (k = 0, 1) has an N of its own |
//!
//! | target | body |
//! |---|---|
//! | any | registers and adders |
//! | iCE40, [`Rows::in_multiplier`] | one `SB_MAC16`, which has two distances, two adders and two sums of 16 bits; a bit 16 is told by those below: N up to 17 |
//!
//! Example: base 100, distance 8, two rows on.
//!
//! ```
//! use astromorph_hdl::{engine::rows::Rows, number::*};
//! use rust_hdl::prelude::*;
//! let mut r = Rows::new("rows", [16, 17]).unwrap();
//! r.connect_all();
//! let mut seen = Vec::new();
//! for (load, set, step) in [(true, true, false), (false, false, true), (false, false, true)] {
//!     (r.base_0.next, r.distance_0.next) = (U::new(100), U::new(8));
//!     (r.load_0.next, r.set_0.next, r.step_0.next) = (load, set, step);
//!     for level in [true, false] { r.clock.next.clk = level; simulate(&mut r, 10); }
//!     seen.push(r.start_0.val().get());
//! }
//! assert_eq!(seen, [100, 108, 116]);
//! assert!(Rows::in_multiplier("rows", [16, 18]).is_err());
//! ```

use super::dsp;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{Flag, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Width of a distance.
pub const STRIDE_BITS: u32 = 16;

/// See the module's text.
pub struct Rows {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// First user: start at the base.
    pub load_0: Flag<In>,
    /// The base.
    pub base_0: Sig<In, U>,
    /// Take the distance.
    pub set_0: Flag<In>,
    /// The distance.
    pub distance_0: Sig<In, U>,
    /// On by it.
    pub step_0: Flag<In>,
    /// Second user: start at the base.
    pub load_1: Flag<In>,
    /// The base.
    pub base_1: Sig<In, U>,
    /// Take the distance.
    pub set_1: Flag<In>,
    /// The distance.
    pub distance_1: Sig<In, U>,
    /// On by it.
    pub step_1: Flag<In>,
    /// Where the first user is.
    pub start_0: Sig<Out, U>,
    /// Where the second user is.
    pub start_1: Sig<Out, U>,
    distances: [u64; 2],
    starts: [u64; 2],
    multiplier: bool,
    activity: Activity,
}

impl Rows {
    /// Addresses of `bits` for each user; `name` is for errors.
    pub fn new(name: &str, bits: [u32; 2]) -> Result<Self> {
        for b in bits {
            check::range(&format!("{name}.start.width"), b, 2, 32)?;
        }
        let distance = bits.map(|b| Sig::new(b.min(STRIDE_BITS)));
        let [distance_0, distance_1] = distance;
        Ok(Rows {
            clock: Signal::default(),
            load_0: Flag::default(),
            base_0: Sig::new(bits[0]),
            set_0: Flag::default(),
            distance_0,
            step_0: Flag::default(),
            load_1: Flag::default(),
            base_1: Sig::new(bits[1]),
            set_1: Flag::default(),
            distance_1,
            step_1: Flag::default(),
            start_0: Sig::new(bits[0]),
            start_1: Sig::new(bits[1]),
            distances: [0; 2],
            starts: [0; 2],
            multiplier: false,
            activity: Activity::default(),
        })
    }

    /// The same in a multiplier cell of iCE40.
    pub fn in_multiplier(name: &str, bits: [u32; 2]) -> Result<Self> {
        for b in bits {
            check::range(&format!("{name}.start.width"), b, 2, STRIDE_BITS + 1)?;
        }
        Ok(Rows {
            multiplier: true,
            ..Self::new(name, bits)?
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let before = (self.starts, self.distances);
        let users = [
            (&self.load_0, &self.base_0, &self.set_0, &self.distance_0, &self.step_0),
            (&self.load_1, &self.base_1, &self.set_1, &self.distance_1, &self.step_1),
        ];
        for (k, (load, base, set, distance, step)) in users.into_iter().enumerate() {
            assert!(
                base.width() <= STRIDE_BITS || !(set.val() && step.val()),
                "a step at the edge that takes its distance"
            );
            let start = &mut self.starts[k];
            if load.val() {
                *start = base.val().get();
            } else if step.val() {
                *start = (*start + self.distances[k]) & ((1 << base.width()) - 1);
            }
            if set.val() {
                self.distances[k] = distance.val().get();
            }
        }
        self.start_0.next = U::new(self.starts[0]);
        self.start_1.next = U::new(self.starts[1]);
        (self.starts, self.distances) != before
    }

    /// Registers and an adder of user `k`.
    fn registers(&self, k: usize) -> String {
        let top = [&self.distance_0, &self.distance_1][k].width() - 1;
        format!(
            "reg [{top}:0] distance_r_{k} = 0;\ninitial start_{k} = 0;\nalways @(posedge clock) begin\n  \
             if (set_{k}) distance_r_{k} <= distance_{k};\n  if (load_{k}) start_{k} <= base_{k};\n  \
             else if (step_{k}) start_{k} <= start_{k} + distance_r_{k};\nend\n"
        )
    }

    /// Both users in one cell: the first below, the second above.
    fn cell(&self) -> String {
        let bits = [self.start_0.width(), self.start_1.width()];
        let word = |name: String, bits: u32| match bits.cmp(&STRIDE_BITS) {
            std::cmp::Ordering::Less => format!("{{{}'b0, {name}}}", STRIDE_BITS - bits),
            std::cmp::Ordering::Equal => name,
            std::cmp::Ordering::Greater => format!("{name}[15:0]"),
        };
        let settings =
            ".A_REG(1'b1), .B_REG(1'b1), .MODE_8x8(1'b1), .TOPOUTPUT_SELECT(2'b01), .BOTOUTPUT_SELECT(2'b01)";
        let pins = [
            ("A", word("distance_1".into(), bits[1].min(STRIDE_BITS))),
            ("B", word("distance_0".into(), bits[0].min(STRIDE_BITS))),
            ("C", word("base_1".into(), bits[1])),
            ("D", word("base_0".into(), bits[0])),
            ("AHOLD", "~set_1".into()),
            ("BHOLD", "~set_0".into()),
            ("OLOADTOP", "load_1".into()),
            ("OLOADBOT", "load_0".into()),
            ("OHOLDTOP", "~(load_1 | step_1)".into()),
            ("OHOLDBOT", "~(load_0 | step_0)".into()),
        ];
        let pins: Vec<_> = pins.iter().map(|(pin, net)| (*pin, net.as_str())).collect();
        let mut s = format!("wire [31:0] rows_o;\n{}", dsp::mac16_cell("rows", settings, &pins));
        for (k, bits) in bits.into_iter().enumerate() {
            let low = 16 * k;
            if bits <= STRIDE_BITS {
                s += &format!("always @(*) start_{k} = rows_o[{}:{low}];\n", low + bits as usize - 1);
                continue;
            }
            // The cell keeps its carry to itself: what both terms' and the sum's top bits say of it, a cycle later.
            let high = low + 15;
            s += &format!(
                "reg over_{k} = 0, sign_{k} = 0, was_{k} = 0, moved_{k} = 0;\n\
                 wire top_{k} = over_{k} ^ (moved_{k} & (was_{k} & sign_{k} | (was_{k} | sign_{k}) & ~rows_o[{high}]));\n\
                 always @(posedge clock) begin\n  if (set_{k}) sign_{k} <= distance_{k}[15];\n  was_{k} <= rows_o[{high}];\n  \
                 moved_{k} <= step_{k} & ~load_{k};\n  over_{k} <= load_{k} ? base_{k}[16] : top_{k};\nend\n\
                 always @(*) start_{k} = {{top_{k}, rows_o[{high}:{low}]}};\n"
            );
        }
        s
    }
}

impl Logic for Rows {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.start_0.connect();
        self.start_1.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(match self.multiplier {
            true => self.cell(),
            false => self.registers(0) + &self.registers(1),
        })
    }
}

leaf!([] Rows; inputs: load_0, base_0, set_0, distance_0, step_0, load_1, base_1, set_1, distance_1, step_1; outputs: start_0, start_1);
