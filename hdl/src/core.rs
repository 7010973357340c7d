//! The astrocyte core: a stream of q, k, v in, a stream of y out; one array of P lanes that writes, seals and reads.
//!
//! Ports: `docs/attention-core.md`; the public fields bear the ports' names. One beat is (q_j, k_j, v_j), one result y_j. Everything is
//! synchronous to `clock`; `reset` is synchronous; after power-up the core works without it.
//!
//! Slots pass these stages, counted from the sequencer's output: 0 addresses, 1 memory words, 2 operand registers, 3 product, 4 accumulator.
//! A READ pass is captured at stage 4; its first y enters the output FIFO [`READ_LATENCY`] cycles after the capture and leaves it 2 later.
//!
//! ```
//! use astromorph::{spec::Order, twin::*};
//! use astromorph_hdl::{core::{Core, CoreConfig}, number::S};
//! use rand::SeedableRng;
//! use rust_hdl::prelude::*;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let sizes = AttentionSizes { heads: 1, features: 4, values: 4, n_max: 4, width: 8, order: Order::TwoPass,
//!     nonlinearity: Default::default(), alpha: 0.5, position: true };
//! let att = Attention::random(&mut rng, sizes);
//! let (q, k, v) = random_inputs(&mut rng, &att, 1);          // one token: 4 beats
//! let mut core = Core::new(&att, CoreConfig { lanes: 2, ..Default::default() }).unwrap();
//! core.connect_all();
//! core.m_axis_tready.next = true;
//! let (mut sent, mut y) = (0, Vec::new());
//! for _ in 0..200 {
//!     core.s_axis_tvalid.next = sent < 4;
//!     let j = sent.min(3);
//!     core.s_axis_tdata_q.next = S::new(q[j] as i64);
//!     core.s_axis_tdata_k.next = S::new(k[j] as i64);
//!     core.s_axis_tdata_v.next = S::new(v[j] as i64);
//!     core.s_axis_tlast.next = sent == 3;
//!     core.clock.next.clk = false;
//!     simulate(&mut core, 10);
//!     sent += (core.s_axis_tvalid.val() && core.s_axis_tready.val()) as usize;
//!     if core.m_axis_tvalid.val() { y.push(core.m_axis_tdata.val().get() as i32); }
//!     core.clock.next.clk = true;
//!     simulate(&mut core, 10);
//! }
//! assert_eq!(y, att.run(&q, &k, &v).y);
//! ```

mod build;
mod facts;

pub use facts::Observation;

use crate::block;
use crate::calcium::Calcium;
use crate::delay::Delay;
use crate::drain::Drain;
use crate::fifo::Fifo;
use crate::lane::Lane;
use crate::loader::Loader;
use crate::multiply::Target;
use crate::normalise::{self, Normalise};
use crate::number::{Flag, S, Sig, U};
use crate::ram::Ram;
use crate::reciprocal::{self, Reciprocal};
use crate::register::Reg;
use crate::sequencer::Sequencer;
use rust_hdl::prelude::*;
use serde::{Deserialize, Serialize};

/// What is chosen when a core is made, besides the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoreConfig {
    /// P: 1, 2, 4, 8 or 16.
    pub lanes: usize,
    /// Tokens a chunk in two-pass order, 1 to 64: T/(T + 1) of the WRITE slots do work.
    pub chunk: usize,
    /// What the Verilog is for.
    pub target: Target,
}

impl Default for CoreConfig {
    fn default() -> Self {
        CoreConfig {
            lanes: 8,
            chunk: 32,
            target: Target::Generic,
        }
    }
}

/// Cycles from a pass's capture to its first word's entry into the output FIFO.
pub const READ_LATENCY: usize = reciprocal::LATENCY + normalise::LATENCY;

block! {
    /// See the module's text.
    pub struct Core {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Input stream: a beat is there.
            s_axis_tvalid: Flag<In>,
            /// Query element.
            s_axis_tdata_q: Sig<In, S>,
            /// Key element.
            s_axis_tdata_k: Sig<In, S>,
            /// Value element.
            s_axis_tdata_v: Sig<In, S>,
            /// Last beat of a head (two-pass) or of the sequence (causal).
            s_axis_tlast: Flag<In>,
            /// Output stream: the consumer is ready.
            m_axis_tready: Flag<In>,
        }
        outputs {
            /// Input stream: the beat is taken.
            s_axis_tready: Flag<Out>,
            /// Output stream: a word is there.
            m_axis_tvalid: Flag<Out>,
            /// y.
            m_axis_tdata: Sig<Out, S>,
            /// Last word of the sequence.
            m_axis_tlast: Flag<Out>,
            /// 0 load, 1 write, 2 seal, 3 read.
            phase: Sig<Out, U>,
            /// Lanes that multiply something useful.
            mac_lanes: Sig<Out, U>,
            /// Sticky: bit 0 too long, bit 1 tlast misplaced.
            error: Sig<Out, U>,
        }
        parts {
            loader: Loader,
            sequencer: Sequencer,
            keys: Ram<S>,
            /// a + w; none without positional keys.
            keyed: Vec<Ram<S>>,
            queries: Ram<S>,
            x: Reg<S>,
            lanes: Vec<Lane>,
            calcium: Calcium,
            drain: Drain,
            reciprocal: Reciprocal,
            normalise: Normalise,
            fifo: Fifo,
            read_1: Delay<bool>,
            load_2: Delay<bool>,
            fresh_2: Delay<bool>,
            calcium_2: Delay<bool>,
            z_2: Delay<U>,
            s_2: Delay<U>,
            load_3: Reg<bool>,
            fresh_3: Reg<bool>,
            calcium_3: Reg<bool>,
            mac_3: Delay<bool>,
            write_3: Delay<bool>,
            first_3: Delay<bool>,
            a_3: Delay<S>,
            store_4: Delay<bool>,
            calcium_4: Reg<bool>,
            z_4: Delay<U>,
            s_4: Delay<U>,
            capture_4: Delay<bool>,
            words_4: Delay<U>,
            last_4: Delay<bool>,
            h_store: Delay<bool>,
            h_line: Delay<U>,
            g_store: Delay<bool>,
            g_line: Delay<U>,
            num_line: Delay<S>,
            r_line: Delay<S>,
            valid_line: Delay<bool>,
            last_line: Delay<bool>,
            phase_2: Delay<U>,
            busy_2: Delay<U>,
        }
        locals {
            store: Flag<Local>,
        }
    }
}

impl Logic for Core {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, loader, sequencer, keys, queries, calcium, drain, reciprocal, normalise, fifo, read_1, load_2,
            fresh_2, calcium_2, z_2, s_2, mac_3, write_3, first_3, a_3, store_4, z_4, s_4, capture_4, words_4, last_4,
            h_store, h_line, g_store, g_line, num_line, r_line, valid_line, last_line, phase_2, busy_2
        );
        dff_setup!(self, clock, x, load_3, fresh_3, calcium_3, calcium_4);
        self.loader.reset.next = self.reset.val();
        self.sequencer.reset.next = self.reset.val();
        self.drain.reset.next = self.reset.val();
        self.fifo.reset.next = self.reset.val();
        self.read_1.reset.next = self.reset.val();
        self.load_2.reset.next = self.reset.val();
        self.fresh_2.reset.next = self.reset.val();
        self.calcium_2.reset.next = self.reset.val();
        self.z_2.reset.next = self.reset.val();
        self.s_2.reset.next = self.reset.val();
        self.mac_3.reset.next = self.reset.val();
        self.write_3.reset.next = self.reset.val();
        self.first_3.reset.next = self.reset.val();
        self.a_3.reset.next = self.reset.val();
        self.store_4.reset.next = self.reset.val();
        self.z_4.reset.next = self.reset.val();
        self.s_4.reset.next = self.reset.val();
        self.capture_4.reset.next = self.reset.val();
        self.words_4.reset.next = self.reset.val();
        self.last_4.reset.next = self.reset.val();
        self.h_store.reset.next = self.reset.val();
        self.h_line.reset.next = self.reset.val();
        self.g_store.reset.next = self.reset.val();
        self.g_line.reset.next = self.reset.val();
        self.num_line.reset.next = self.reset.val();
        self.r_line.reset.next = self.reset.val();
        self.valid_line.reset.next = self.reset.val();
        self.last_line.reset.next = self.reset.val();
        self.phase_2.reset.next = self.reset.val();
        self.busy_2.reset.next = self.reset.val();

        // In.
        self.loader.s_valid.next = self.s_axis_tvalid.val();
        self.loader.s_q.next = self.s_axis_tdata_q.val();
        self.loader.s_k.next = self.s_axis_tdata_k.val();
        self.loader.s_v.next = self.s_axis_tdata_v.val();
        self.loader.s_last.next = self.s_axis_tlast.val();
        self.s_axis_tready.next = self.loader.s_ready.val();
        self.error.next = self.loader.error.val();
        self.loader.chunk_done.next = self.sequencer.chunk_done.val();
        self.loader.head_done.next = self.sequencer.head_done.val();
        self.sequencer.chunk_ready.next = self.loader.chunk_ready.val();
        self.sequencer.chunk_tokens.next = self.loader.chunk_tokens.val();
        self.sequencer.chunk_last.next = self.loader.chunk_last.val();
        self.keys.write_enable.next = self.loader.key_write.val();
        self.keys.write_address.next = self.loader.key_address.val();
        self.keys.write_data.next = self.loader.a.val();
        self.queries.write_enable.next = self.loader.query_write.val();
        self.queries.write_address.next = self.loader.query_address.val();
        self.queries.write_data.next = self.loader.b.val();

        // Broadcast operand: stage 0 addresses, stage 2 register.
        self.keys.read_enable.next = self.sequencer.mac.val() && self.sequencer.write.val();
        self.keys.read_address.next = self.sequencer.x_address.val();
        self.queries.read_enable.next = self.sequencer.mac.val() && self.sequencer.read.val();
        self.queries.read_address.next = self.sequencer.x_address.val();
        self.read_1.d.next = self.sequencer.read.val();
        self.x.d.next = self.keys.read_data.val();
        for i in 0..(self.keyed.len()) {
            self.keyed[i].clock.next = self.clock.val();
            self.keyed[i].write_enable.next = self.loader.key_write.val();
            self.keyed[i].write_address.next = self.loader.key_address.val();
            self.keyed[i].write_data.next = self.loader.aw.val();
            self.keyed[i].read_enable.next = self.sequencer.mac.val() && self.sequencer.write.val();
            self.keyed[i].read_address.next = self.sequencer.x_address.val();
            self.x.d.next = self.keyed[i].read_data.val();
        }
        if self.read_1.q.val() {
            self.x.d.next = self.queries.read_data.val();
        }

        // Slot controls on their way to their stages.
        self.load_2.d.next = self.sequencer.load.val();
        self.fresh_2.d.next = self.sequencer.fresh.val();
        self.calcium_2.d.next = self.sequencer.calcium.val();
        self.z_2.d.next = self.sequencer.z_address.val();
        self.s_2.d.next = self.sequencer.s_address.val();
        self.load_3.d.next = self.load_2.q.val();
        self.fresh_3.d.next = self.fresh_2.q.val();
        self.calcium_3.d.next = self.calcium_2.q.val();
        self.mac_3.d.next = self.sequencer.mac.val();
        self.write_3.d.next = self.sequencer.write.val();
        self.first_3.d.next = self.sequencer.first.val();
        self.a_3.d.next = self.keys.read_data.val();
        self.store_4.d.next = self.sequencer.store.val();
        self.calcium_4.d.next = self.calcium_3.q.val();
        self.z_4.d.next = self.sequencer.z_address.val();
        self.s_4.d.next = self.sequencer.s_address.val();
        self.h_store.d.next = self.sequencer.store.val();
        self.h_line.d.next = self.sequencer.h_address.val();
        self.g_store.d.next = self.sequencer.store.val() && self.sequencer.calcium.val();
        self.g_line.d.next = self.sequencer.g_address.val();
        self.store.next = self.store_4.q.val();

        for i in 0..(self.lanes.len()) {
            self.lanes[i].clock.next = self.clock.val();
            self.lanes[i].v_write.next = self.loader.value_write.val() && (self.loader.value_lane.val().index() == i);
            self.lanes[i].v_write_address.next = self.loader.value_address.val();
            self.lanes[i].v_data.next = self.loader.v.val();
            self.lanes[i].v_read.next = self.sequencer.mac.val() && self.sequencer.write.val();
            self.lanes[i].v_address.next = self.sequencer.bank_address.val();
            self.lanes[i].h_read.next = self.sequencer.mac.val() && self.sequencer.read.val();
            self.lanes[i].h_address.next = self.sequencer.bank_address.val();
            self.lanes[i].read_mode.next = self.read_1.q.val();
            self.lanes[i].x.next = self.x.q.val();
            self.lanes[i].z_read.next = self.load_2.q.val() && !self.fresh_2.q.val();
            self.lanes[i].z_address.next = self.z_2.q.val();
            self.lanes[i].load.next = self.load_3.q.val();
            self.lanes[i].fresh.next = self.fresh_3.q.val();
            self.lanes[i].first.next = self.first_3.q.val();
            self.lanes[i].mac.next = self.mac_3.q.val();
            self.lanes[i].store.next = self.store.val();
            self.lanes[i].z_write_address.next = self.z_4.q.val();
            self.lanes[i].h_write.next = self.h_store.q.val();
            self.lanes[i].h_write_address.next = self.h_line.q.val();
            self.drain.acc[i].next = self.lanes[i].acc.val();
        }

        self.calcium.g_read.next = self.sequencer.mac.val() && self.sequencer.read.val();
        self.calcium.g_address.next = self.sequencer.g_address.val();
        self.calcium.x.next = self.x.q.val();
        self.calcium.s_read.next = self.load_2.q.val() && self.calcium_2.q.val() && !self.fresh_2.q.val();
        self.calcium.s_address.next = self.s_2.q.val();
        self.calcium.a.next = self.a_3.q.val();
        self.calcium.load.next = self.load_3.q.val() && self.calcium_3.q.val();
        self.calcium.fresh.next = self.fresh_3.q.val();
        self.calcium.mac.next = self.mac_3.q.val() && self.write_3.q.val() && self.calcium_3.q.val();
        self.calcium.store.next = self.store.val() && self.calcium_4.q.val();
        self.calcium.s_write_address.next = self.s_4.q.val();
        self.calcium.read_first.next = self.first_3.q.val();
        self.calcium.read_mac.next = self.mac_3.q.val() && !self.write_3.q.val();
        self.calcium.g_write.next = self.g_store.q.val();
        self.calcium.g_write_address.next = self.g_line.q.val();

        // Out.
        self.capture_4.d.next = self.sequencer.capture.val();
        self.words_4.d.next = self.sequencer.words.val();
        self.last_4.d.next = self.sequencer.last.val();
        self.drain.capture.next = self.capture_4.q.val();
        self.drain.words.next = self.words_4.q.val();
        self.drain.last.next = self.last_4.q.val();
        self.reciprocal.capture.next = self.capture_4.q.val();
        self.reciprocal.c.next = self.calcium.c.val();
        self.num_line.d.next = self.drain.y.val();
        self.normalise.num.next = self.num_line.q.val();
        self.normalise.shift.next = self.reciprocal.shift.val();
        self.r_line.d.next = self.reciprocal.r.val();
        self.normalise.r.next = self.r_line.q.val();
        self.valid_line.d.next = self.drain.valid.val();
        self.last_line.d.next = self.drain.y_last.val();
        self.fifo.reserve.next = self.sequencer.reserve.val();
        self.fifo.reserve_words.next = self.sequencer.reserve_words.val();
        self.sequencer.room.next = self.fifo.room.val();
        self.fifo.push.next = self.valid_line.q.val();
        self.fifo.data.next = self.normalise.y.val();
        self.fifo.last.next = self.last_line.q.val();
        self.fifo.m_ready.next = self.m_axis_tready.val();
        self.m_axis_tvalid.next = self.fifo.m_valid.val();
        self.m_axis_tdata.next = self.fifo.m_data.val();
        self.m_axis_tlast.next = self.fifo.m_last.val();
        self.phase_2.d.next = self.sequencer.phase.val();
        self.phase.next = self.phase_2.q.val();
        self.busy_2.d.next = self.sequencer.busy.val();
        self.mac_lanes.next = self.busy_2.q.val();
    }
}
