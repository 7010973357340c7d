//! The engine: words of a sequence in, logits out; program, weights and tables in its memories. Contract: `docs/engine.md`.
//!
//! Ports: section 4 of the contract; the public fields bear the ports' names. Besides: `norm_step` is the number of the last step with a layer
//! norm, to which the words of `tap_norm` and what it sums belong; `step` the number of the step in the stream. Everything is synchronous to
//! `clock`; `reset` is synchronous; after power-up the core works without it once it is loaded.
//!
//! An empty program (header and End) takes no input and does nothing; it is loaded by three writes:
//!
//! ```
//! use astromorph::engine::{config::EngineConfig, load::Loaded, program::{Program, Step}};
//! use astromorph_hdl::{engine::top::Engine, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let loaded = Loaded::new(&core, &Program { n_max: 8, steps: vec![Step::End] }).unwrap();
//! let mut e = Engine::new(&core, Target::Generic).unwrap();
//! e.connect_all();
//! let mut cycle = |e: &mut Engine| for level in [true, false] { e.clock.next.clk = level; simulate(e, 10); };
//! for (memory, address, data) in loaded.writes(&core) {
//!     (e.load_valid.next, e.load_memory.next) = (true, U::new(memory as u64));
//!     (e.load_address.next, e.load_data.next) = (U::new(address as u64), U::new(data));
//!     cycle(&mut e);
//! }
//! e.load_valid.next = false;
//! e.s_axis_tvalid.next = true;
//! for _ in 0..3 { cycle(&mut e); }
//! assert!(e.busy.val() && !e.load_ready.val());
//! e.s_axis_tvalid.next = false;
//! for _ in 0..40 { cycle(&mut e); }
//! assert!(!e.busy.val());
//! assert_eq!(e.error.val(), U::new(0));
//! ```

mod build;
mod kernel;

pub use build::{array_config, array_latency, output_group, spare_multiplier, spare_multipliers};

use super::argmax::Argmax;
use super::array::Array;
use super::array_walker::ArrayWalker;
use super::bank_port::BankPort;
use super::bus::Bus;
use super::conveyor::Conveyor;
use super::fetch::Fetch;
use super::fields::{NormFields, StreamFields};
use super::fill::Fill;
use super::front::Front;
use super::intake::Intake;
use super::output::Output;
use super::peek::Peek;
use super::store::Store;
use super::tail::Tail;
use super::xmem::XMemory;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Engine {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Input stream: a word is there.
            s_axis_tvalid: Flag<In>,
            /// The word.
            s_axis_tdata: Sig<In, S>,
            /// Last word of the sequence.
            s_axis_tlast: Flag<In>,
            /// Output stream: the consumer is ready.
            m_axis_tready: Flag<In>,
            /// Load port: a word for a memory.
            load_valid: Flag<In>,
            /// Load port: a word from a memory instead.
            load_read: Flag<In>,
            /// Which memory.
            load_memory: Sig<In, U>,
            /// Where to.
            load_address: Sig<In, U>,
            /// The word.
            load_data: Sig<In, U>,
        }
        outputs {
            /// Input stream: the word is taken.
            s_axis_tready: Flag<Out>,
            /// Output stream: a word is there.
            m_axis_tvalid: Flag<Out>,
            /// The word.
            m_axis_tdata: Sig<Out, S>,
            /// Last word of the sequence.
            m_axis_tlast: Flag<Out>,
            /// Load port: the word is taken, or is there.
            load_ready: Flag<Out>,
            /// The word read.
            load_word: Sig<Out, U>,
            /// A sequence is in work.
            busy: Flag<Out>,
            /// Step whose words are in the stream.
            step: Sig<Out, U>,
            /// Last step with a layer norm.
            norm_step: Sig<Out, U>,
            /// Index of a row's largest output.
            argmax: Sig<Out, U>,
            /// One cycle: it is new.
            argmax_valid: Flag<Out>,
            /// Sticky, see the contract.
            error: Sig<Out, U>,
            /// Multiplications of each lane in this pair of slots.
            slots: Sig<Out, U>,
            /// Exact sum.
            tap_sum_valid: Flag<Out>,
            /// It.
            tap_sum_data: Sig<Out, S>,
            /// Rounded word.
            tap_linear_valid: Flag<Out>,
            /// It.
            tap_linear_data: Sig<Out, S>,
            /// The function's result.
            tap_function_valid: Flag<Out>,
            /// It.
            tap_function_data: Sig<Out, S>,
            /// With key or residual operand.
            tap_other_valid: Flag<Out>,
            /// It.
            tap_other_data: Sig<Out, S>,
            /// Column sum.
            tap_sums_valid: Flag<Out>,
            /// It.
            tap_sums_data: Sig<Out, S>,
            /// C.
            tap_calcium_valid: Flag<Out>,
            /// It.
            tap_calcium_data: Sig<Out, S>,
            /// g.
            tap_power_valid: Flag<Out>,
            /// It.
            tap_power_data: Sig<Out, S>,
            /// y.
            tap_normalise_valid: Flag<Out>,
            /// It.
            tap_normalise_data: Sig<Out, S>,
            /// Word of a layer norm.
            tap_norm_valid: Flag<Out>,
            /// It.
            tap_norm_data: Sig<Out, S>,
        }
        parts {
            beat: Reg<U>,
            bus: Bus,
            fetch: Fetch,
            fields: StreamFields,
            norm_fields: NormFields,
            fill: Fill,
            walker: ArrayWalker,
            x_memory: XMemory,
            array: Array,
            intake: Intake,
            conveyor: Conveyor,
            front: Front,
            tail: Tail,
            store: Store,
            bank_port: BankPort,
            sink: Output,
            best: Argmax,
            peek: Peek,
            /// Slots on their way to the array when X answers late.
            pair_1: Reg<bool>,
            last_1: Reg<bool>,
            even_1: Reg<bool>,
            odd_1: Reg<bool>,
            bank_row_1: Reg<U>,
            source: Reg<U>,
            wide: Reg<bool>,
            step_r: Reg<U>,
            norm_step_r: Reg<U>,
            first_block: Reg<bool>,
            /// Rows let in whose last norm word has not come.
            rows_open: Reg<U>,
            norm_room: Reg<bool>,
            norm_idle: Reg<bool>,
            stream_idle: Reg<bool>,
            quiet: Reg<bool>,
            error_r: Reg<U>,
            stall: Reg<U>,
        }
        locals {
            even: Flag<Local>,
            loads: Flag<Local>,
            /// A word is to be read back; in a core that cannot, never.
            asks: Flag<Local>,
            readable: Const<bool>,
            bank_word: Sig<Local, U>,
            gamma_word: Sig<Local, U>,
            beta_word: Sig<Local, U>,
            unity: Const<S>,
            no_word: Const<U>,
            to_output: Flag<Local>,
            /// Every row has its own g; in a core that is not chunked, never.
            running: Flag<Local>,
            front_serial: Sig<Local, U>,
            chunked: Const<bool>,
            norm_begins: Flag<Local>,
            norm_ends: Flag<Local>,
            stalled: Flag<Local>,
            errors: Sig<Local, U>,
            lane: Sig<Local, U>,
            late: Const<bool>,
            zero: Const<U>,
            stall_top: Const<U>,
            gamma_shift: Const<U>,
            column_shift: Const<U>,
            lane_shift: Const<U>,
            too_long: Const<U>,
            other_core: Const<U>,
            bad_step: Const<U>,
            cut_short: Const<U>,
            load_busy: Const<U>,
            bad_address: Const<U>,
            stall_bit: Const<U>,
        }
    }
}
