//! One lane of the array: three banks, operand register, multiplier, accumulator with preload, and the seal on its store.
//!
//! WRITE is READ with a preload: Z_ij = Z_ij + Σ_t aw_i(t)·v_j(t) is load Z, accumulate, store; num_j = Σ_i b_i·H_ij is accumulate from zero.
//!
//! | port | at stage | |
//! |---|---|---|
//! | v_write, v_write_address, v_data | any | fills bank V |
//! | v_read, h_read, address | 0 | fetch the bank word of this slot |
//! | read_mode | 1 | operand is from bank H (READ) or V (WRITE) |
//! | x | 2 | broadcast operand, registered by the core |
//! | z_read, z_address | 2 | fetch the preload |
//! | load, fresh, first, mac | 3 | acc ← Z or 0; acc ← x·bank; acc ← acc + x·bank |
//! | store, z_write_address | 3 | Z ← acc as it was before this slot |
//! | acc | 4 | out |
//! | h_write, h_write_address | 5 | H ← seal of what was stored 2 cycles before |
//!
//! Widths: operands W, accumulator max(2W − 1 + ⌈log2 N_max⌉, 2W − 1 + ⌈log2 m⌉), which no sequence overflows.
//! A word stored at stage 3 is seen by a preload whose stage 2 comes one cycle later or more.
//!
//! Example: two MAC slots with (3·5), (−2·7): acc = 15, then 1; see `tests/blocks.rs` for the same against Verilog.
//!
//! ```
//! use astromorph::{format::Format, spec::Nonlinearity};
//! use astromorph_hdl::{lane::*, multiply::Target};
//! let size = LaneSize { width: 8, acc_bits: 20, z_bits: 20, z_frac: 8, h: Format::new(8, 4), v_depth: 16, h_depth: 8, z_depth: 8 };
//! let lane = Lane::new(&size, Nonlinearity::Identity, &[], Target::Generic).unwrap();
//! assert_eq!(lane.memory_bits(), (16 + 8) * 8 + 8 * 20);
//! ```

use crate::block;
use crate::check;
use crate::multiply::{Multiplier, Target};
use crate::number::{Const, Flag, S, Sig, U};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use crate::seal::Seal;
use astromorph::Result;
use astromorph::format::Format;
use astromorph::spec::Nonlinearity;
use rust_hdl::prelude::*;

/// Sizes of a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneSize {
    /// Operand width W.
    pub width: u32,
    /// Accumulator width.
    pub acc_bits: u32,
    /// Width of a stored Z.
    pub z_bits: u32,
    /// Fraction of Z.
    pub z_frac: i32,
    /// Format of H.
    pub h: Format,
    /// Words of bank V.
    pub v_depth: usize,
    /// Words of bank H.
    pub h_depth: usize,
    /// Words of bank Z.
    pub z_depth: usize,
}

block! {
    /// See the module's text.
    pub struct Lane {
        inputs {
            /// Store into bank V.
            v_write: Flag<In>,
            /// Where to.
            v_write_address: Sig<In, U>,
            /// What.
            v_data: Sig<In, S>,
            /// Fetch from bank V.
            v_read: Flag<In>,
            /// From where.
            v_address: Sig<In, U>,
            /// Fetch from bank H.
            h_read: Flag<In>,
            /// From where.
            h_address: Sig<In, U>,
            /// Operand from H, not from V.
            read_mode: Flag<In>,
            /// Broadcast operand.
            x: Sig<In, S>,
            /// Fetch from bank Z.
            z_read: Flag<In>,
            /// From where.
            z_address: Sig<In, U>,
            /// Preload.
            load: Flag<In>,
            /// Preload zero, not Z.
            fresh: Flag<In>,
            /// Start a sum with this product.
            first: Flag<In>,
            /// Add this product.
            mac: Flag<In>,
            /// Store the accumulator.
            store: Flag<In>,
            /// Where to.
            z_write_address: Sig<In, U>,
            /// Store the sealed value.
            h_write: Flag<In>,
            /// Where to.
            h_write_address: Sig<In, U>,
        }
        outputs {
            /// Accumulator.
            acc: Sig<Out, S>,
            /// Z as fetched, for observation.
            z: Sig<Out, S>,
            /// H as sealed, for observation.
            h: Sig<Out, S>,
        }
        parts {
            bank_v: Ram<S>,
            bank_h: Ram<S>,
            bank_z: Ram<S>,
            operand: Reg<S>,
            multiplier: Multiplier,
            sum: Reg<S>,
            seal: Seal,
        }
        locals { zero: Const<S> }
    }
}

impl Lane {
    /// `sigmoid`: the table's words, empty without one.
    pub fn new(size: &LaneSize, f: Nonlinearity, sigmoid: &[i32], target: Target) -> Result<Self> {
        check::range("lane.width", size.width, 2, target.operand_bits())?;
        check::range("lane.z_bits", size.z_bits, 2 * size.width - 1, 64)?;
        check::range("lane.acc_bits", size.acc_bits, size.z_bits, 64)?;
        let bank_v = Ram::new("lane.bank_v", size.v_depth, size.width, Contents::Zero)?;
        let bank_h = Ram::new("lane.bank_h", size.h_depth, size.width, Contents::Zero)?;
        let bank_z = Ram::new("lane.bank_z", size.z_depth, size.z_bits, Contents::Zero)?;
        let (v, h, z) = (
            bank_v.read_address.width(),
            bank_h.read_address.width(),
            bank_z.read_address.width(),
        );
        Ok(Lane {
            clock: Signal::default(),
            v_write: Flag::default(),
            v_write_address: Sig::new(v),
            v_data: Sig::new(size.width),
            v_read: Flag::default(),
            v_address: Sig::new(v),
            h_read: Flag::default(),
            h_address: Sig::new(h),
            read_mode: Flag::default(),
            x: Sig::new(size.width),
            z_read: Flag::default(),
            z_address: Sig::new(z),
            load: Flag::default(),
            fresh: Flag::default(),
            first: Flag::default(),
            mac: Flag::default(),
            store: Flag::default(),
            z_write_address: Sig::new(z),
            h_write: Flag::default(),
            h_write_address: Sig::new(h),
            acc: Sig::new(size.acc_bits),
            z: Sig::new(size.z_bits),
            h: Sig::new(size.width),
            bank_v,
            bank_h,
            bank_z,
            operand: Reg::new(size.width),
            multiplier: Multiplier::new("lane.multiplier", size.width, size.width, target)?,
            sum: Reg::new(size.acc_bits),
            seal: Seal::new("lane.seal", size.z_bits, size.z_frac, size.h, f, sigmoid)?,
            zero: Const::new(1, S::new(0)),
            activity: Default::default(),
        })
    }

    /// Bits in the banks and in the seal's table.
    pub fn memory_bits(&self) -> usize {
        self.bank_v.bits() + self.bank_h.bits() + self.bank_z.bits() + self.seal.table_bits()
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, bank_v, bank_h, bank_z, multiplier, seal);
        dff_setup!(self, clock, operand, sum);
        self.bank_v.write_enable.next = self.v_write.val();
        self.bank_v.write_address.next = self.v_write_address.val();
        self.bank_v.write_data.next = self.v_data.val();
        self.bank_v.read_enable.next = self.v_read.val();
        self.bank_v.read_address.next = self.v_address.val();
        self.bank_h.read_enable.next = self.h_read.val();
        self.bank_h.read_address.next = self.h_address.val();
        self.operand.d.next = self.bank_v.read_data.val();
        if self.read_mode.val() {
            self.operand.d.next = self.bank_h.read_data.val();
        }
        self.multiplier.a.next = self.x.val();
        self.multiplier.b.next = self.operand.q.val();
        self.bank_z.read_enable.next = self.z_read.val();
        self.bank_z.read_address.next = self.z_address.val();
        if self.load.val() {
            self.sum.d.next = self.bank_z.read_data.val();
            if self.fresh.val() {
                self.sum.d.next = self.zero.val();
            }
        }
        if self.mac.val() {
            self.sum.d.next = (self.sum.q.val() + self.multiplier.p.val()).into();
            if self.first.val() {
                self.sum.d.next = self.multiplier.p.val();
            }
        }
        self.bank_z.write_enable.next = self.store.val();
        self.bank_z.write_address.next = self.z_write_address.val();
        self.bank_z.write_data.next = self.sum.q.val();
        self.seal.z.next = self.sum.q.val();
        self.bank_h.write_enable.next = self.h_write.val();
        self.bank_h.write_address.next = self.h_write_address.val();
        self.bank_h.write_data.next = self.seal.h.val();
        self.acc.next = self.sum.q.val();
        self.z.next = self.bank_z.read_data.val();
        self.h.next = self.seal.h.val();
    }
}
