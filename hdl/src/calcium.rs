//! The astrocyte's calcium: s_i = Σ_t a_i(t) rides along with WRITE, g_i = s_i^α follows each store, C = Σ_i b_i·g_i rides along with READ.
//!
//! | port | at stage | |
//! |---|---|---|
//! | g_read, g_address | 0 | fetch g_i |
//! | x | 2 | broadcast operand b_i, registered by the core |
//! | s_read, s_address | 2 | fetch the preload |
//! | a | 3 | a_i(t), without the positional key |
//! | load, fresh, mac | 3 | s ← stored or 0; s ← s + a (of one column block only: the sum is the same for all) |
//! | store, s_write_address | 3 | stored ← s |
//! | read_first, read_mac | 3 | C ← b·g; C ← C + b·g |
//! | g_write, g_write_address | 6 | g ← power of what was stored 3 cycles before |
//! | s, c, g | 4, 4, 6 | out |
//!
//! Widths: s W + ⌈log2 N_max⌉, C W + SW − 1 + ⌈log2 m⌉ bits with sign: neither overflows.
//!
//! ```
//! use astromorph_hdl::{calcium::*, multiply::Target};
//! let size = CalciumSize { width: 8, serial_bits: 16, s_bits: 10, c_bits: 26, s_depth: 8, g_depth: 4, mantissa_bits: 2 };
//! let unit = Calcium::new(&size, &[1; 9 * 4], Target::Generic).unwrap();
//! assert_eq!(unit.memory_bits(), 8 * 10 + 4 * 16 + 36 * 16);
//! ```

use crate::block;
use crate::check;
use crate::multiply::{Multiplier, Target};
use crate::number::{Const, Flag, S, Sig, U};
use crate::power::Power;
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Sizes of the calcium unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalciumSize {
    /// Operand width W.
    pub width: u32,
    /// SW.
    pub serial_bits: u32,
    /// Width of s with sign.
    pub s_bits: u32,
    /// Width of C with sign.
    pub c_bits: u32,
    /// Stored sums.
    pub s_depth: usize,
    /// Features of a head.
    pub g_depth: usize,
    /// Mantissa bits of the power table.
    pub mantissa_bits: u32,
}

block! {
    /// See the module's text.
    pub struct Calcium {
        inputs {
            /// Fetch g.
            g_read: Flag<In>,
            /// From where.
            g_address: Sig<In, U>,
            /// Broadcast operand.
            x: Sig<In, S>,
            /// Fetch s.
            s_read: Flag<In>,
            /// From where.
            s_address: Sig<In, U>,
            /// φ(k).
            a: Sig<In, S>,
            /// Preload.
            load: Flag<In>,
            /// Preload zero.
            fresh: Flag<In>,
            /// Add a.
            mac: Flag<In>,
            /// Store s.
            store: Flag<In>,
            /// Where to.
            s_write_address: Sig<In, U>,
            /// Start C with this product.
            read_first: Flag<In>,
            /// Add this product to C.
            read_mac: Flag<In>,
            /// Store g.
            g_write: Flag<In>,
            /// Where to.
            g_write_address: Sig<In, U>,
        }
        outputs {
            /// Calcium sum.
            s: Sig<Out, S>,
            /// Calcium response before its lower limit.
            c: Sig<Out, S>,
            /// s^α as it is stored.
            g: Sig<Out, S>,
        }
        parts {
            bank_s: Ram<S>,
            bank_g: Ram<S>,
            sum: Reg<S>,
            power: Power,
            operand: Reg<S>,
            multiplier: Multiplier,
            response: Reg<S>,
        }
        locals { zero: Const<S> }
    }
}

impl Calcium {
    /// `table`: the power table's words.
    pub fn new(size: &CalciumSize, table: &[i32], target: Target) -> Result<Self> {
        check::range("calcium.width", size.width, 2, target.operand_bits())?;
        check::range("calcium.serial_bits", size.serial_bits, 2, target.operand_bits())?;
        let bank_s = Ram::new("calcium.bank_s", size.s_depth, size.s_bits, Contents::Zero)?;
        let bank_g = Ram::new("calcium.bank_g", size.g_depth, size.serial_bits, Contents::Zero)?;
        check::width("calcium.c", size.c_bits as i64)?;
        let (s, g) = (bank_s.read_address.width(), bank_g.read_address.width());
        Ok(Calcium {
            clock: Signal::default(),
            g_read: Flag::default(),
            g_address: Sig::new(g),
            x: Sig::new(size.width),
            s_read: Flag::default(),
            s_address: Sig::new(s),
            a: Sig::new(size.width),
            load: Flag::default(),
            fresh: Flag::default(),
            mac: Flag::default(),
            store: Flag::default(),
            s_write_address: Sig::new(s),
            read_first: Flag::default(),
            read_mac: Flag::default(),
            g_write: Flag::default(),
            g_write_address: Sig::new(g),
            s: Sig::new(size.s_bits),
            c: Sig::new(size.c_bits),
            g: Sig::new(size.serial_bits),
            bank_s,
            bank_g,
            sum: Reg::new(size.s_bits),
            power: Power::new(
                "calcium.power",
                size.s_bits,
                table,
                size.mantissa_bits,
                size.serial_bits,
            )?,
            operand: Reg::new(size.serial_bits),
            multiplier: Multiplier::new("calcium.multiplier", size.width, size.serial_bits, target)?,
            response: Reg::new(size.c_bits),
            zero: Const::new(1, S::new(0)),
            activity: Default::default(),
        })
    }

    /// Bits in the banks and the power table.
    pub fn memory_bits(&self) -> usize {
        self.bank_s.bits() + self.bank_g.bits() + self.power.table_bits()
    }
}

impl Logic for Calcium {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, bank_s, bank_g, power, multiplier);
        dff_setup!(self, clock, sum, operand, response);
        self.bank_s.read_enable.next = self.s_read.val();
        self.bank_s.read_address.next = self.s_address.val();
        if self.load.val() {
            self.sum.d.next = self.bank_s.read_data.val();
            if self.fresh.val() {
                self.sum.d.next = self.zero.val();
            }
        }
        if self.mac.val() {
            self.sum.d.next = (self.sum.q.val() + self.a.val()).into();
        }
        self.bank_s.write_enable.next = self.store.val();
        self.bank_s.write_address.next = self.s_write_address.val();
        self.bank_s.write_data.next = self.sum.q.val();
        self.power.s.next = self.sum.q.val();
        self.bank_g.write_enable.next = self.g_write.val();
        self.bank_g.write_address.next = self.g_write_address.val();
        self.bank_g.write_data.next = self.power.g.val();
        self.bank_g.read_enable.next = self.g_read.val();
        self.bank_g.read_address.next = self.g_address.val();
        self.operand.d.next = self.bank_g.read_data.val();
        self.multiplier.a.next = self.x.val();
        self.multiplier.b.next = self.operand.q.val();
        if self.read_mac.val() {
            self.response.d.next = (self.response.q.val() + self.multiplier.p.val()).into();
            if self.read_first.val() {
                self.response.d.next = self.multiplier.p.val();
            }
        }
        self.s.next = self.sum.q.val();
        self.c.next = self.response.q.val();
        self.g.next = self.power.g.val();
    }
}
