//! A board: the serial line, the link and the engine, with a button and lights. What a board's own file adds is its pins and its clock.
//!
//! | port | width | |
//! |---|---|---|
//! | clock | 1 | of everything |
//! | uart_rx, uart_tx | 1, 1 | the serial line, asynchronous; high when idle |
//! | button | 1 | resets everything but the memories; asynchronous |
//! | led | n | 0: a sequence is in work; 1: the engine has an error; others dark |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{link::board::*, multiply::Target};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let pins = Pins { name: "icebreaker", clock_hz: 24_000_000, baud: 1_000_000, button_low: true, leds: 2, led_low: true };
//! let mut board = Board::new(&core, Target::Generic, &pins).unwrap();
//! board.connect_all();
//! check_all(&board).unwrap();
//! assert_eq!(board.led.width(), 2);
//! assert!(Board::new(&core, Target::Generic, &Pins { baud: 5_000_000, ..pins }).is_err());
//! ```

use super::identity::Identity;
use super::station::Station;
use super::uart_rx::UartRx;
use super::uart_tx::UartTx;
use crate::block;
use crate::check;
use crate::multiply::Target;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

/// What a board is besides its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins<'a> {
    /// Its name.
    pub name: &'a str,
    /// Of `clock`.
    pub clock_hz: u64,
    /// Of the serial line.
    pub baud: u64,
    /// The button gives 0 while pressed.
    pub button_low: bool,
    /// Lights, 1 to 8.
    pub leds: u32,
    /// A light is lit by 0.
    pub led_low: bool,
}

impl Pins<'_> {
    /// What the board says of itself.
    pub fn identity(&self) -> Identity<'_> {
        Identity {
            board: self.name,
            clock_hz: self.clock_hz,
            baud: self.baud,
        }
    }
}

block! {
    /// See the module's text.
    pub struct Board {
        inputs {
            /// Serial line in.
            uart_rx: Flag<In>,
            /// Reset.
            button: Flag<In>,
        }
        outputs {
            /// Serial line out.
            uart_tx: Flag<Out>,
            /// Lights.
            led: Sig<Out, U>,
        }
        parts {
            receive: UartRx,
            station: Station,
            transmit: UartTx,
            button_1: Reg<bool>,
            button_2: Reg<bool>,
        }
        locals {
            reset: Flag<Local>,
            lit: Sig<Local, U>,
            failed: Flag<Local>,
            dark: Const<U>,
            none: Const<U>,
            one: Const<U>,
            two: Const<U>,
            high: Const<bool>,
        }
    }
}

impl Board {
    /// A core on a board; memories as `target` has them.
    pub fn new(core: &EngineConfig, target: Target, pins: &Pins<'_>) -> Result<Self> {
        check::range("pins.leds", pins.leds, 1, 8)?;
        let identity = pins.identity().text(core)?;
        let dark = if pins.led_low { (1 << pins.leds) - 1 } else { 0 };

        Ok(Board {
            clock: Signal::default(),
            uart_rx: Flag::default(),
            button: Flag::default(),
            uart_tx: Flag::default(),
            led: Sig::new(pins.leds),
            receive: UartRx::new(pins.clock_hz, pins.baud)?,
            station: Station::new(core, target, &identity)?,
            transmit: UartTx::new(pins.clock_hz, pins.baud)?,
            button_1: Reg::default(),
            button_2: Reg::default(),
            reset: Flag::default(),
            lit: Sig::new(pins.leds),
            failed: Flag::default(),
            dark: Const::new(pins.leds, U::new(dark)),
            none: Const::new(pins.leds, U::new(0)),
            one: Const::natural(1),
            two: Const::natural(2),
            high: Const::new(1, !pins.button_low),
            activity: Default::default(),
        })
    }
}

impl Logic for Board {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, receive, station, transmit);
        dff_setup!(self, clock, button_1, button_2);
        // Registers start at 0: not pressed.
        self.button_1.d.next = self.button.val() == self.high.val();
        self.button_2.d.next = self.button_1.q.val();
        self.reset.next = self.button_2.q.val();
        self.receive.reset.next = self.reset.val();
        self.receive.line.next = self.uart_rx.val();
        self.station.reset.next = self.reset.val();
        self.station.rx_valid.next = self.receive.valid.val();
        self.station.rx_data.next = self.receive.data.val();
        self.station.rx_error.next = self.receive.error.val();
        self.station.tx_ready.next = self.transmit.ready.val();
        self.transmit.reset.next = self.reset.val();
        self.transmit.valid.next = self.station.tx_valid.val();
        self.transmit.data.next = self.station.tx_data.val();
        self.uart_tx.next = self.transmit.line.val();

        self.failed.next = !(self.station.error.val() == 0);
        self.lit.next = self.none.val();
        if self.station.busy.val() {
            self.lit.next = self.one.val();
        }
        if self.failed.val() {
            self.lit.next = self.two.val();
        }
        if self.station.busy.val() && self.failed.val() {
            self.lit.next = (self.one.val() | self.two.val()).into();
        }
        self.led.next = (self.lit.val() ^ self.dark.val()).into();
    }
}
