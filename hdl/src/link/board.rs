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
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128 };
//! let pins = Pins { name: "icebreaker", clock_hz: 24_000_000, baud: 1_000_000, button_low: true, leds: 2, led_low: true };
//! let mut board = Board::new(&core, Target::Generic, &pins).unwrap();
//! board.connect_all();
//! check_all(&board).unwrap();
//! assert_eq!(board.led.width(), 2);
//! assert!(Board::new(&core, Target::Generic, &Pins { baud: 5_000_000, ..pins }).is_err());
//! ```

use super::identity::Identity;
use super::top::Link;
use super::uart_rx::UartRx;
use super::uart_tx::UartTx;
use crate::block;
use crate::check;
use crate::engine::top::Engine;
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
            link: Link,
            engine: Engine,
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
        let identity = Identity {
            board: pins.name,
            clock_hz: pins.clock_hz,
            baud: pins.baud,
        }
        .text(core)?;
        let dark = if pins.led_low { (1 << pins.leds) - 1 } else { 0 };

        Ok(Board {
            clock: Signal::default(),
            uart_rx: Flag::default(),
            button: Flag::default(),
            uart_tx: Flag::default(),
            led: Sig::new(pins.leds),
            receive: UartRx::new(pins.clock_hz, pins.baud)?,
            link: Link::new(core, &identity)?,
            engine: Engine::with_read_back(core, target)?,
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
        clock!(self, clock, receive, link, engine, transmit);
        dff_setup!(self, clock, button_1, button_2);
        // Registers start at 0: not pressed.
        self.button_1.d.next = self.button.val() == self.high.val();
        self.button_2.d.next = self.button_1.q.val();
        self.reset.next = self.button_2.q.val();
        self.receive.reset.next = self.reset.val();
        self.receive.line.next = self.uart_rx.val();
        self.link.reset.next = self.reset.val();
        self.link.rx_valid.next = self.receive.valid.val();
        self.link.rx_data.next = self.receive.data.val();
        self.link.rx_error.next = self.receive.error.val();
        self.link.tx_ready.next = self.transmit.ready.val();
        self.transmit.reset.next = self.reset.val();
        self.transmit.valid.next = self.link.tx_valid.val();
        self.transmit.data.next = self.link.tx_data.val();
        self.uart_tx.next = self.transmit.line.val();

        self.engine.reset.next = self.link.engine_reset.val();
        self.engine.load_valid.next = self.link.load_valid.val();
        self.engine.load_read.next = self.link.load_read.val();
        self.engine.load_memory.next = self.link.load_memory.val();
        self.engine.load_address.next = self.link.load_address.val();
        self.engine.load_data.next = self.link.load_data.val();
        self.link.load_ready.next = self.engine.load_ready.val();
        self.link.load_word.next = self.engine.load_word.val();
        self.engine.s_axis_tvalid.next = self.link.s_axis_tvalid.val();
        self.engine.s_axis_tdata.next = self.link.s_axis_tdata.val();
        self.engine.s_axis_tlast.next = self.link.s_axis_tlast.val();
        self.link.s_axis_tready.next = self.engine.s_axis_tready.val();
        self.link.m_axis_tvalid.next = self.engine.m_axis_tvalid.val();
        self.link.m_axis_tdata.next = self.engine.m_axis_tdata.val();
        self.link.m_axis_tlast.next = self.engine.m_axis_tlast.val();
        self.engine.m_axis_tready.next = self.link.m_axis_tready.val();
        self.link.busy.next = self.engine.busy.val();
        self.link.error.next = self.engine.error.val();

        self.failed.next = !(self.engine.error.val() == 0);
        self.lit.next = self.none.val();
        if self.engine.busy.val() {
            self.lit.next = self.one.val();
        }
        if self.failed.val() {
            self.lit.next = self.two.val();
        }
        if self.engine.busy.val() && self.failed.val() {
            self.lit.next = (self.one.val() | self.two.val()).into();
        }
        self.led.next = (self.lit.val() ^ self.dark.val()).into();
    }
}
