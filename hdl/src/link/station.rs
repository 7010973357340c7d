//! Link and engine behind a line of bytes: a board without its serial line, its button and its lights.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | synchronous; everything but the memories |
//! | rx_valid, rx_data, rx_error | 1, 8, 1 | a byte comes, or one without a stop bit; 16 cycles apart at least |
//! | tx_valid, tx_ready, tx_data | 1, 1, 8 | a byte goes |
//! | busy, error | 1, 7 | a sequence is in work; the engine's sticky flags |
//!
//! A byte in is a byte of the link's `receiver` in the same cycle; nothing is delayed here. Example: an empty frame is taken and means nothing.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{link::station::Station, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut s = Station::new(&core, Target::Generic, "protocol = 1\n").unwrap();
//! s.connect_all();
//! check_all(&s).unwrap();
//! (s.rx_valid.next, s.rx_data.next, s.tx_ready.next) = (true, U::new(0), true);
//! for _ in 0..40 {
//!     for level in [true, false] { s.clock.next.clk = level; simulate(&mut s, 10); }
//!     s.rx_valid.next = false;
//!     assert!(!s.tx_valid.val() && !s.busy.val());
//! }
//! ```

use super::top::Link;
use crate::block;
use crate::engine::top::Engine;
use crate::multiply::Target;
use crate::number::{Flag, Sig, U};
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Station {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A byte comes.
            rx_valid: Flag<In>,
            /// It.
            rx_data: Sig<In, U>,
            /// A byte without its stop bit.
            rx_error: Flag<In>,
            /// The line takes a byte.
            tx_ready: Flag<In>,
        }
        outputs {
            /// A byte goes.
            tx_valid: Flag<Out>,
            /// It.
            tx_data: Sig<Out, U>,
            /// A sequence is in work.
            busy: Flag<Out>,
            /// The engine's flags.
            error: Sig<Out, U>,
        }
        parts {
            link: Link,
            engine: Engine,
        }
        locals {}
    }
}

impl Station {
    /// A core behind a link; memories as `target` has them.
    pub fn new(core: &EngineConfig, target: Target, identity: &str) -> Result<Self> {
        let engine = Engine::with_read_back(core, target)?;
        Ok(Station {
            clock: Signal::default(),
            reset: Flag::default(),
            rx_valid: Flag::default(),
            rx_data: Sig::new(8),
            rx_error: Flag::default(),
            tx_ready: Flag::default(),
            tx_valid: Flag::default(),
            tx_data: Sig::new(8),
            busy: Flag::default(),
            error: Sig::new(engine.error.width()),
            link: Link::new(core, identity)?,
            engine,
            activity: Default::default(),
        })
    }
}

impl Logic for Station {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, link, engine);
        self.link.reset.next = self.reset.val();
        self.link.rx_valid.next = self.rx_valid.val();
        self.link.rx_data.next = self.rx_data.val();
        self.link.rx_error.next = self.rx_error.val();
        self.link.tx_ready.next = self.tx_ready.val();
        self.tx_valid.next = self.link.tx_valid.val();
        self.tx_data.next = self.link.tx_data.val();

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
        self.busy.next = self.engine.busy.val();
        self.error.next = self.engine.error.val();
    }
}
