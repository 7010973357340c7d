//! The link: bytes of a line on one side, the ports of an engine on the other. The contract is `docs/link.md`.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | the board's: no session, counters 0 |
//! | rx_valid, rx_data, rx_error | 1, 8, 1 | a byte, or one without a stop bit; 16 cycles apart at least |
//! | tx_valid, tx_ready, tx_data | 1, 1, 8 | bytes, stable while not taken |
//! | load_valid, load_read, load_memory, load_address, load_data; load_ready, load_word | 1, 1, 3, 24, 50; 1, 50 | the engine's load port |
//! | s_axis_tvalid, s_axis_tdata, s_axis_tlast; s_axis_tready | 1, W, 1; 1 | the engine's input |
//! | m_axis_tready; m_axis_tvalid, m_axis_tdata, m_axis_tlast | 1; 1, SW, 1 | the engine's output |
//! | engine_reset; busy, error | 1; 1, 8 | |
//!
//! Example: the first byte of the identity is asked for, frame by frame and byte by byte; the answer's bytes, decoded, end with it and its CRC.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{link::top::Link, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut link = Link::new(&core, "protocol = 1\n").unwrap();
//! link.connect_all();
//! link.tx_ready.next = true;
//! // b1 07 00 00 01 00 00 00 01: read, identity, number 7, session 0, one byte, address 0, count 1; its CRC-32.
//! let line = [3, 0xb1, 7, 1, 2, 1, 1, 1, 6, 1, 0x4f, 0xd0, 0xb4, 0xf9, 0];
//! let mut seen = vec![];
//! for n in 0..600 {
//!     (link.rx_valid.next, link.rx_data.next) = (n % 16 == 0 && n < 240, U::new(line[(n / 16) % 15]));
//!     simulate(&mut link, 10);
//!     if link.tx_valid.val() { seen.push(link.tx_data.val().get()); }
//!     for level in [true, false] { link.clock.next.clk = level; simulate(&mut link, 10); }
//! }
//! assert_eq!(seen[..11], [3, 0xb9, 7, 1, 2, 1, 1, 1, 1, 6, b'p' as u64]);
//! assert_eq!(seen[15..], [0]);
//! ```

use super::commands::Commands;
use super::input::Input;
use super::output::Output;
use super::protocol::WATCHDOG_BITS;
use super::receiver::Receiver;
use super::sender::Sender;
use super::watchdog::Watchdog;
use crate::block;
use crate::number::{Flag, S, Sig, U};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Link {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A byte.
            rx_valid: Flag<In>,
            /// It.
            rx_data: Sig<In, U>,
            /// A byte without its stop bit.
            rx_error: Flag<In>,
            /// The byte is taken.
            tx_ready: Flag<In>,
            /// The load port takes, or gives.
            load_ready: Flag<In>,
            /// What it gives.
            load_word: Sig<In, U>,
            /// The word is taken.
            s_axis_tready: Flag<In>,
            /// A word.
            m_axis_tvalid: Flag<In>,
            /// It.
            m_axis_tdata: Sig<In, S>,
            /// It ends its sequence.
            m_axis_tlast: Flag<In>,
            /// A sequence is in work.
            busy: Flag<In>,
            /// Sticky until reset.
            error: Sig<In, U>,
        }
        outputs {
            /// A byte.
            tx_valid: Flag<Out>,
            /// It.
            tx_data: Sig<Out, U>,
            /// Load port: a request.
            load_valid: Flag<Out>,
            /// To read.
            load_read: Flag<Out>,
            /// Which memory.
            load_memory: Sig<Out, U>,
            /// Where.
            load_address: Sig<Out, U>,
            /// What.
            load_data: Sig<Out, U>,
            /// A word.
            s_axis_tvalid: Flag<Out>,
            /// It.
            s_axis_tdata: Sig<Out, S>,
            /// It ends its sequence.
            s_axis_tlast: Flag<Out>,
            /// The word is taken.
            m_axis_tready: Flag<Out>,
            /// The engine's reset.
            engine_reset: Flag<Out>,
        }
        parts {
            receiver: Receiver,
            commands: Commands,
            sender: Sender,
            queue: Input,
            ring: Output,
            watchdog: Watchdog,
        }
        locals {
        }
    }
}

impl Link {
    /// For a core; the text is the board's identity.
    pub fn new(core: &EngineConfig, identity: &str) -> Result<Self> {
        Self::with_patience(core, identity, WATCHDOG_BITS)
    }

    /// The same with another watchdog, which barks after 2^`patience` cycles.
    pub fn with_patience(core: &EngineConfig, identity: &str, patience: u32) -> Result<Self> {
        Ok(Link {
            clock: Signal::default(),
            reset: Flag::default(),
            rx_valid: Flag::default(),
            rx_data: Sig::new(8),
            rx_error: Flag::default(),
            tx_ready: Flag::default(),
            load_ready: Flag::default(),
            load_word: Sig::new(50),
            s_axis_tready: Flag::default(),
            m_axis_tvalid: Flag::default(),
            m_axis_tdata: Sig::new(core.serial_bits()),
            m_axis_tlast: Flag::default(),
            busy: Flag::default(),
            error: Sig::new(8),
            tx_valid: Flag::default(),
            tx_data: Sig::new(8),
            load_valid: Flag::default(),
            load_read: Flag::default(),
            load_memory: Sig::new(3),
            load_address: Sig::new(24),
            load_data: Sig::new(50),
            s_axis_tvalid: Flag::default(),
            s_axis_tdata: Sig::new(core.width),
            s_axis_tlast: Flag::default(),
            m_axis_tready: Flag::default(),
            engine_reset: Flag::default(),
            receiver: Receiver::new()?,
            commands: Commands::new(core, identity)?,
            sender: Sender::new()?,
            queue: Input::new(core.width)?,
            ring: Output::new(core.serial_bits())?,
            watchdog: Watchdog::new(patience)?,
            activity: Default::default(),
        })
    }
}

impl Logic for Link {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, receiver, commands, sender, queue, ring, watchdog);
        self.receiver.reset.next = self.reset.val();
        self.receiver.rx_valid.next = self.rx_valid.val();
        self.receiver.rx_data.next = self.rx_data.val();
        self.receiver.rx_error.next = self.rx_error.val();
        self.receiver.address.next = self.commands.rx_address.val();
        self.receiver.done.next = self.commands.rx_done.val();

        self.commands.reset.next = self.reset.val();
        self.commands.rx_some.next = self.receiver.some.val();
        self.commands.rx_data.next = self.receiver.data.val();
        self.commands.room.next = self.sender.room.val();
        self.commands.send_busy.next = self.sender.busy.val();
        self.commands.crc.next = self.sender.crc.val();
        self.commands.damaged.next = self.receiver.damaged.val();
        self.commands.line.next = self.rx_error.val();
        self.commands.overrun.next = self.receiver.overrun.val();
        self.commands.completed.next = self.ring.completed.val();
        self.commands.bark.next = self.watchdog.bark.val();
        self.commands.load_ready.next = self.load_ready.val();
        self.commands.load_word.next = self.load_word.val();
        self.commands.queue_level.next = self.queue.level.val();
        self.commands.queue_empty.next = self.queue.empty.val();
        self.commands.ring_word.next = self.ring.word.val();
        self.commands.produced.next = self.ring.produced.val();
        self.commands.engine_busy.next = self.busy.val();
        self.commands.engine_error.next = self.error.val();

        self.sender.reset.next = self.reset.val();
        self.sender.start.next = self.commands.start.val();
        self.sender.push.next = self.commands.push.val();
        self.sender.data.next = self.commands.data.val();
        self.sender.drain.next = self.commands.drain.val();
        self.sender.finish.next = self.commands.finish.val();
        self.sender.crc_start.next = self.commands.crc_start.val();
        self.sender.crc_step.next = self.commands.crc_step.val();
        self.sender.crc_bit.next = self.commands.crc_bit.val();
        self.sender.crc_drain.next = self.commands.crc_drain.val();
        self.sender.tx_ready.next = self.tx_ready.val();

        self.queue.reset.next = self.commands.engine_reset.val();
        self.queue.push.next = self.commands.queue_push.val();
        self.queue.data.next = self.commands.queue_data.val();
        self.queue.last.next = self.commands.queue_last.val();
        self.queue.s_ready.next = self.s_axis_tready.val();

        self.ring.reset.next = self.commands.engine_reset.val();
        self.ring.m_valid.next = self.m_axis_tvalid.val();
        self.ring.m_data.next = self.m_axis_tdata.val();
        self.ring.m_last.next = self.m_axis_tlast.val();
        self.ring.free.next = self.commands.ring_free.val();
        self.ring.freed.next = self.commands.ring_freed.val();
        self.ring.read.next = self.commands.ring_read.val();
        self.ring.address.next = self.commands.ring_address.val();

        self.watchdog.busy.next = self.busy.val();
        self.watchdog.moved.next = (self.queue.s_valid.val() && self.s_axis_tready.val())
            || (self.m_axis_tvalid.val() && self.ring.m_ready.val())
            || self.commands.engine_reset.val();

        self.tx_valid.next = self.sender.tx_valid.val();
        self.tx_data.next = self.sender.tx_data.val();
        self.load_valid.next = self.commands.load_valid.val();
        self.load_read.next = self.commands.load_read.val();
        self.load_memory.next = self.commands.load_memory.val();
        self.load_address.next = self.commands.load_address.val();
        self.load_data.next = self.commands.load_data.val();
        self.s_axis_tvalid.next = self.queue.s_valid.val();
        self.s_axis_tdata.next = self.queue.s_data.val();
        self.s_axis_tlast.next = self.queue.s_last.val();
        self.m_axis_tready.next = self.ring.m_ready.val();
        self.engine_reset.next = self.commands.engine_reset.val();
    }
}
