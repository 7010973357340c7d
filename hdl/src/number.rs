//! Numbers in signals: widths are run-time values, signed and unsigned are different types.
//!
//! RustHDL prints a kernel by its names and knows no widths, so Rust's meaning of an expression and Verilog's (context width, one unsigned
//! operand makes all unsigned) may differ in silence. The types here let through only expressions that mean the same in both:
//!
//! | type | is | may |
//! |---|---|---|
//! | [`S`], [`U`] | what a *named* signal holds, wrapped to its width | be compared with its own kind, shifted, be an operand |
//! | [`WideS`], [`WideU`] | the result of `+ - * <<` and (unsigned) `& \| ^ ! >>` | be an operand again, or leave by `.into()` in an assignment |
//! | `bool` | one wire | `&& \|\| !` |
//!
//! Results are exact modulo 2^64 and a target has at most 64 bits, so wrapping to the target equals Verilog's truncation. `>>` exists only
//! on unsigned values, where zeros come in from the left in both languages; an arithmetic shift is `unsigned_cast_of(x) >> n` assigned to
//! a signed signal of (width of x) − n bits. A right shift of a sum would keep the carry in Verilog, hence none on [`WideU`].
//!
//! ```
//! use astromorph_hdl::number::*;
//! use rust_hdl::prelude::{In, Local, Out};
//! let mut x = Sig::<Local, S>::new(8);
//! x.next = (S::new(100) + S::new(100)).into();   // 200 does not fit 8 bits with sign
//! assert_eq!(x.val(), S::new(-56));
//! assert_eq!(unsigned_cast_of(x), U::new(200));
//! let mut y = Sig::<Local, S>::new(4);           // 8 − 4 bits
//! y.next = (unsigned_cast_of(x) >> 4).into();    // −56/16 = −3.5, floor
//! assert_eq!(y.val(), S::new(-4));
//! ```

mod atom;

use rust_hdl::core::signal::get_signal_id;
use rust_hdl::prelude::*;
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Not, Shl, Shr, Sub};

/// A signed value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub struct S(i64);
/// An unsigned value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub struct U(u64);
/// A signed result that no signal holds yet.
#[derive(Clone, Copy, Debug)]
pub struct WideS(i64);
/// An unsigned result that no signal holds yet.
#[derive(Clone, Copy, Debug)]
pub struct WideU(u64);

impl S {
    /// From an integer.
    pub const fn new(x: i64) -> Self {
        S(x)
    }
    /// The integer.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl U {
    /// From an integer.
    pub const fn new(x: u64) -> Self {
        U(x)
    }
    /// The integer.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// A shift amount or bit number; printed as the value itself.
    #[inline(always)]
    pub fn index(self) -> usize {
        self.0 as usize
    }
    /// Bit `i` of a named signal.
    #[inline(always)]
    pub fn get_bit(self, i: usize) -> bool {
        i < 64 && self.0 >> i & 1 == 1
    }
}

macro_rules! operator {
    ($trait:ident, $f:ident, $wrapping:ident, $named:ident, $wide:ident) => {
        operator!(@one $trait, $f, $wrapping, $named, $named, $wide);
        operator!(@one $trait, $f, $wrapping, $wide, $named, $wide);
        operator!(@one $trait, $f, $wrapping, $named, $wide, $wide);
    };
    (@one $trait:ident, $f:ident, $wrapping:ident, $left:ident, $right:ident, $wide:ident) => {
        impl $trait<$right> for $left {
            type Output = $wide;
            #[inline(always)]
            fn $f(self, other: $right) -> $wide {
                $wide(self.0.$wrapping(other.0))
            }
        }
    };
}
operator!(Add, add, wrapping_add, S, WideS);
operator!(Sub, sub, wrapping_sub, S, WideS);
operator!(Add, add, wrapping_add, U, WideU);
operator!(Sub, sub, wrapping_sub, U, WideU);
operator!(BitAnd, bitand, bitand, U, WideU);
operator!(BitOr, bitor, bitor, U, WideU);
operator!(BitXor, bitxor, bitxor, U, WideU);

impl Mul for S {
    type Output = WideS;
    #[inline(always)]
    fn mul(self, other: S) -> WideS {
        WideS(self.0.wrapping_mul(other.0))
    }
}

impl Add<u64> for U {
    type Output = WideU;
    #[inline(always)]
    fn add(self, other: u64) -> WideU {
        WideU(self.0.wrapping_add(other))
    }
}

impl Sub<u64> for U {
    type Output = WideU;
    #[inline(always)]
    fn sub(self, other: u64) -> WideU {
        WideU(self.0.wrapping_sub(other))
    }
}

impl Shl<usize> for S {
    type Output = WideS;
    #[inline(always)]
    fn shl(self, n: usize) -> WideS {
        WideS(if n < 64 { self.0 << n } else { 0 })
    }
}

impl Shl<usize> for U {
    type Output = WideU;
    #[inline(always)]
    fn shl(self, n: usize) -> WideU {
        WideU(if n < 64 { self.0 << n } else { 0 })
    }
}

impl Shr<usize> for U {
    type Output = WideU;
    #[inline(always)]
    fn shr(self, n: usize) -> WideU {
        WideU(if n < 64 { self.0 >> n } else { 0 })
    }
}

impl Not for U {
    type Output = WideU;
    #[inline(always)]
    fn not(self) -> WideU {
        WideU(!self.0)
    }
}

impl PartialEq<u64> for U {
    #[inline(always)]
    fn eq(&self, other: &u64) -> bool {
        self.0 == *other
    }
}

macro_rules! leaves {
    ($($from:ident => $to:ident as $int:ty),*) => { $(
        impl From<$from> for $to {
            #[inline(always)]
            fn from(x: $from) -> $to {
                $to(x.0 as $int)
            }
        }
    )* };
}
leaves!(WideS => S as i64, WideU => S as i64, U => S as i64, WideU => U as u64, WideS => U as u64, S => U as u64);

/// What a signal may hold: [`S`], [`U`] or `bool`.
pub trait Word: Copy + PartialEq + Default + std::fmt::Debug + 'static {
    /// Whether Verilog declares it `signed`.
    const SIGNED: bool;
    /// Whether it is a single wire, which always fits.
    const FLAG: bool = false;
    /// The bits in which two values differ.
    fn differs(self, other: Self) -> u64;
    /// The value reduced to `64 - spare` bits.
    fn wrap(self, spare: u32) -> Self;
    /// The bits, zeros above the width.
    fn raw(self, spare: u32) -> u64;
}

impl Word for S {
    const SIGNED: bool = true;
    #[inline(always)]
    fn differs(self, other: Self) -> u64 {
        (self.0 ^ other.0) as u64
    }
    #[inline(always)]
    fn wrap(self, spare: u32) -> Self {
        S(self.0 << spare >> spare)
    }
    fn raw(self, spare: u32) -> u64 {
        (self.0 as u64) << spare >> spare
    }
}

impl Word for U {
    const SIGNED: bool = false;
    #[inline(always)]
    fn differs(self, other: Self) -> u64 {
        self.0 ^ other.0
    }
    #[inline(always)]
    fn wrap(self, spare: u32) -> Self {
        U(self.0 << spare >> spare)
    }
    fn raw(self, spare: u32) -> u64 {
        self.0 << spare >> spare
    }
}

impl Word for bool {
    const SIGNED: bool = false;
    const FLAG: bool = true;
    #[inline(always)]
    fn differs(self, other: Self) -> u64 {
        (self ^ other) as u64
    }
    #[inline(always)]
    fn wrap(self, _spare: u32) -> Self {
        self
    }
    fn raw(self, _spare: u32) -> u64 {
        self as u64
    }
}

impl Word for Clock {
    const SIGNED: bool = false;
    const FLAG: bool = true;
    fn differs(self, other: Self) -> u64 {
        (self.clk ^ other.clk) as u64
    }
    #[inline(always)]
    fn wrap(self, _spare: u32) -> Self {
        self
    }
    fn raw(self, _spare: u32) -> u64 {
        self.clk as u64
    }
}

/// Direction of a primitive's output whose model assigns only values that fit: reading it costs nothing.
#[derive(Clone, Debug)]
pub struct Held;

impl Direction for Held {
    const KIND: AtomKind = AtomKind::OutputParameter;
}

/// A signal: port or local wire of run-time width. `next` is what the kernel (or, at the top, the driver) assigns.
///
/// A simulated circuit is walked through thousands of times a millisecond: small signals keep it in the nearest cache.
#[derive(Debug)]
pub struct Sig<D: Direction, T: Word> {
    /// The value assigned.
    pub next: T,
    value: T,
    id: u32,
    spare: u8,
    changed: bool,
    claimed: bool,
    direction: PhantomData<D>,
}

// Not derived: a derive would ask for `D: Copy`, which the crate's direction markers are not.
impl<D: Direction, T: Word> Clone for Sig<D, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: Direction, T: Word> Copy for Sig<D, T> {}

/// A single wire.
pub type Flag<D> = Sig<D, bool>;

impl<D: Direction, T: Word> Sig<D, T> {
    /// A signal of `width` bits, 1 to 64: block constructors check what they are given before they come here.
    pub fn new(width: u32) -> Self {
        assert!((1..=64).contains(&width), "a signal has 1 to 64 bits, not {width}");
        Sig {
            next: T::default(),
            value: T::default(),
            id: signal_id(),
            spare: 64 - width as u8,
            changed: false,
            claimed: false,
            direction: PhantomData,
        }
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        64 - self.spare()
    }

    #[inline(always)]
    fn spare(&self) -> u32 {
        self.spare as u32
    }

    #[inline(always)]
    pub(crate) fn assigned(&self) -> T {
        self.next.wrap(self.spare())
    }

    /// Takes over what was assigned; tells whether it is new.
    #[inline(always)]
    pub fn commit(&mut self) -> bool {
        let now = self.assigned();
        self.changed = now != self.value;
        self.value = now;
        self.changed
    }
}

/// The signals of one name at a block's border: one, or several.
pub trait Wires {
    /// Takes over what was assigned; sets bits in `new` if it is new.
    fn take(&mut self, new: &mut u64);
}

impl<D: Direction, T: Word> Wires for Sig<D, T> {
    // Most signals stand still most of the time: the usual case is a comparison.
    #[inline(always)]
    fn take(&mut self, new: &mut u64) {
        if T::FLAG {
            *new |= self.next.differs(self.value);
            self.value = self.next;
        } else if self.next != self.value {
            let now = self.assigned();
            *new |= now.differs(self.value);
            self.value = now;
        }
    }
}

impl<W: Wires> Wires for Vec<W> {
    #[inline(always)]
    fn take(&mut self, new: &mut u64) {
        self.iter_mut().for_each(|wires| wires.take(new));
    }
}

impl<D: Direction> Default for Sig<D, bool> {
    fn default() -> Self {
        Sig::new(1)
    }
}

impl<D: Direction> Default for Sig<D, Clock> {
    fn default() -> Self {
        Sig::new(1)
    }
}

impl<T: Word> Sig<Held, T> {
    /// The value held.
    #[inline(always)]
    pub fn val(&self) -> T {
        self.next
    }
}

impl<T: Word> Sig<In, T> {
    /// The value as the parent last handed it over.
    #[inline(always)]
    pub fn val(&self) -> T {
        self.value
    }
}

impl<T: Word> Sig<Out, T> {
    /// The value assigned last.
    #[inline(always)]
    pub fn val(&self) -> T {
        self.assigned()
    }
}

impl<T: Word> Sig<Local, T> {
    /// The value assigned last; a kernel writes a local before it reads it.
    #[inline(always)]
    pub fn val(&self) -> T {
        self.assigned()
    }
}

/// A signal whose bits can be taken as they are: see [`unsigned_cast_of`].
pub trait Pattern {
    /// The bits as a natural number.
    fn pattern(self) -> U;
}

impl Pattern for Sig<In, S> {
    #[inline(always)]
    fn pattern(self) -> U {
        U(self.value.raw(self.spare()))
    }
}

impl Pattern for Sig<Out, S> {
    #[inline(always)]
    fn pattern(self) -> U {
        U(self.assigned().raw(self.spare()))
    }
}

impl Pattern for Sig<Held, S> {
    #[inline(always)]
    fn pattern(self) -> U {
        U(self.next.raw(self.spare()))
    }
}

impl Pattern for Sig<Local, S> {
    #[inline(always)]
    fn pattern(self) -> U {
        U(self.assigned().raw(self.spare()))
    }
}

/// The bits of a named signed signal as a natural number; takes the signal itself, not its value. Printed as `$unsigned(name)`.
#[inline(always)]
pub fn unsigned_cast_of(signal: impl Pattern) -> U {
    signal.pattern()
}

/// RustHDL counts signals from 1 on in each process.
fn signal_id() -> u32 {
    u32::try_from(get_signal_id()).expect("fewer than 2^32 signals")
}

/// A named constant; becomes a `localparam`.
#[derive(Clone, Copy, Debug)]
pub struct Const<T: Word> {
    value: T,
    width: u32,
    id: usize,
}

impl<T: Word> Const<T> {
    /// A constant of `width` bits; the value must fit, which the block's constructor has seen to.
    pub fn new(width: u32, value: T) -> Self {
        assert!(
            (1..=64).contains(&width) && value.wrap(64 - width) == value,
            "{value:?} in {width} bits"
        );
        Const {
            value,
            width,
            id: get_signal_id(),
        }
    }

    /// The value.
    #[inline(always)]
    pub fn val(&self) -> T {
        self.value
    }
}

impl Const<U> {
    /// A natural number in as many bits as it needs.
    pub fn natural(x: u64) -> Self {
        Const::new(natural_bits(x), U(x))
    }
}

/// Bits that hold the natural numbers 0 to `max`, at least one.
pub fn natural_bits(max: u64) -> u32 {
    (64 - max.leading_zeros()).max(1)
}

/// Bits that hold `x` in two's complement.
pub fn signed_bits(x: i64) -> u32 {
    65 - if x < 0 { !x } else { x }.leading_zeros()
}
