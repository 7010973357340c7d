//! Signals and constants as RustHDL sees them: atoms with a name, a width, a direction and a value.

use super::{Const, Sig, Word};
use rust_hdl::prelude::*;

/// A sized Verilog literal. The crate's type can only be made from its const-generic `Bits`.
fn literal(bits: u64, width: u32) -> VerilogLiteral {
    macro_rules! sized {
        ($($n:literal)*) => {
            match width {
                $($n => { let b: Bits<$n> = bits.into(); b.into() })*
                _ => unreachable!("widths are 1 to 64"),
            }
        };
    }
    sized!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
        33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64)
}

fn descriptor<T: Word>(width: u32) -> TypeDescriptor {
    let bits = width as usize;
    let kind = if T::SIGNED {
        TypeKind::Signed(bits)
    } else {
        TypeKind::Bits(bits)
    };
    TypeDescriptor {
        name: format!("{}{bits}", if T::SIGNED { "signed" } else { "bits" }),
        kind,
    }
}

fn vcd_value(bits: u64, width: u32) -> VCDValue {
    let single = |k: u32| match VCDValue::from(bits >> k & 1 == 1) {
        VCDValue::Single(v) => v,
        _ => unreachable!("one bit is a single value"),
    };
    if width == 1 {
        VCDValue::Single(single(0))
    } else {
        VCDValue::Vector((0..width).rev().map(single).collect())
    }
}

impl<D: Direction, T: Word> Atom for Sig<D, T> {
    fn bits(&self) -> usize {
        self.width() as usize
    }
    fn connected(&self) -> bool {
        self.claimed
    }
    fn changed(&self) -> bool {
        self.changed
    }
    fn kind(&self) -> AtomKind {
        D::KIND
    }
    fn descriptor(&self) -> TypeDescriptor {
        descriptor::<T>(self.width())
    }
    fn vcd(&self) -> VCDValue {
        vcd_value(self.next.raw(self.spare()), self.width())
    }
    fn id(&self) -> usize {
        self.id as usize
    }
    fn verilog(&self) -> VerilogLiteral {
        literal(self.next.raw(self.spare()), self.width())
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

impl<D: Direction, T: Word> Logic for Sig<D, T> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.claimed = true;
    }
}

impl<D: Direction, T: Word> Block for Sig<D, T> {
    fn connect_all(&mut self) {}
    #[inline(always)]
    fn update_all(&mut self) {
        self.commit();
    }
    #[inline(always)]
    fn has_changed(&self) -> bool {
        self.changed
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}

impl<T: Word> Atom for Const<T> {
    fn bits(&self) -> usize {
        self.width as usize
    }
    fn connected(&self) -> bool {
        true
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        AtomKind::Constant
    }
    fn descriptor(&self) -> TypeDescriptor {
        descriptor::<T>(self.width)
    }
    fn vcd(&self) -> VCDValue {
        vcd_value(self.value.raw(64 - self.width), self.width)
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        literal(self.value.raw(64 - self.width), self.width)
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

impl<T: Word> Logic for Const<T> {
    fn update(&mut self) {}
}

impl<T: Word> Block for Const<T> {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}
