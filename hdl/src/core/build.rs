//! Construction of the core: blocks, memories and delays from the layer and the configuration.

use super::{Core, CoreConfig, READ_LATENCY};
use crate::calcium::{Calcium, CalciumSize};
use crate::delay::Delay;
use crate::drain::Drain;
use crate::fifo::Fifo;
use crate::lane::{Lane, LaneSize};
use crate::loader::Loader;
use crate::normalise::{self, Normalise};
use crate::number::{Flag, Sig};
use crate::plan::Plan;
use crate::ram::{Contents, Ram};
use crate::reciprocal::{self, Reciprocal};
use crate::register::Reg;
use crate::sequencer::{G_STORE, H_STORE, STORE, Sequencer};
use astromorph::Result;
use astromorph::twin::Attention;
use rust_hdl::prelude::*;

impl Core {
    /// A core for one layer.
    pub fn new(att: &Attention, choice: CoreConfig) -> Result<Self> {
        let plan = Plan::new(att, choice)?;
        let (w, f, t) = (att.width(), &att.formats, &att.tables);
        let m = att.features;
        let size = LaneSize {
            width: w,
            acc_bits: plan.acc_bits,
            z_bits: att.z_bits(),
            z_frac: att.z_frac(),
            h: f.h,
            v_depth: plan.value_depth,
            h_depth: plan.states,
            z_depth: plan.states * plan.kept_heads,
        };
        let calcium = CalciumSize {
            width: w,
            serial_bits: att.serial_width(),
            s_bits: att.s_bits(),
            c_bits: att.c_bits(),
            s_depth: m * plan.kept_heads,
            g_depth: m,
            mantissa_bits: t.power_bits,
        };
        let law = att.normaliser();
        let chunk_buffer = |name: &str| Ram::new(name, plan.key_depth, w, Contents::Zero);
        let loader = Loader::new(att, &plan)?;
        let sequencer = Sequencer::new(att, &plan)?;
        let lanes: Result<Vec<Lane>> = (0..plan.lanes)
            .map(|_| Lane::new(&size, att.nonlinearity, &t.sigmoid, plan.target))
            .collect();
        let lanes = lanes?;
        let calcium = Calcium::new(&calcium, &t.power, plan.target)?;
        let flag = |name: &str, cycles: usize| Delay::<bool>::new(name, 1, cycles);
        let (z_bits, s_bits) = (sequencer.z_address.width(), sequencer.s_address.width());
        let (h_bits, g_bits) = (sequencer.h_address.width(), sequencer.g_address.width());
        let word_bits = sequencer.words.width();
        Ok(Core {
            clock: Signal::default(),
            reset: Flag::default(),
            s_axis_tvalid: Flag::default(),
            s_axis_tdata_q: Sig::new(w),
            s_axis_tdata_k: Sig::new(w),
            s_axis_tdata_v: Sig::new(w),
            s_axis_tlast: Flag::default(),
            m_axis_tready: Flag::default(),
            s_axis_tready: Flag::default(),
            m_axis_tvalid: Flag::default(),
            m_axis_tdata: Sig::new(w),
            m_axis_tlast: Flag::default(),
            phase: Sig::new(2),
            mac_lanes: Sig::new(word_bits),
            error: Sig::new(2),
            keys: chunk_buffer("core.keys")?,
            keyed: if att.w.is_empty() {
                Vec::new()
            } else {
                vec![chunk_buffer("core.keyed")?]
            },
            // Large in two-pass order: without initial contents it may lie in memories that have none.
            queries: Ram::new("core.queries", plan.query_depth, w, Contents::Unwritten)?,
            x: Reg::new(w),
            calcium,
            drain: Drain::new(plan.lanes, att.num_bits())?,
            reciprocal: Reciprocal::new("reciprocal", att.c_bits(), att.c_min(), law.offset, &t.reciprocal)?,
            normalise: Normalise::new(&law, att.num_bits(), plan.target)?,
            fifo: Fifo::new(plan.fifo_depth, plan.lanes, w)?,
            read_1: flag("core.read_1", 1)?,
            load_2: flag("core.load_2", 2)?,
            fresh_2: flag("core.fresh_2", 2)?,
            calcium_2: flag("core.calcium_2", 2)?,
            z_2: Delay::new("core.z_2", z_bits, 2)?,
            s_2: Delay::new("core.s_2", s_bits, 2)?,
            load_3: Reg::default(),
            fresh_3: Reg::default(),
            calcium_3: Reg::default(),
            mac_3: flag("core.mac_3", 3)?,
            write_3: flag("core.write_3", 3)?,
            first_3: flag("core.first_3", 3)?,
            a_3: Delay::new("core.a_3", w, 2)?,
            store_4: flag("core.store_4", STORE)?,
            calcium_4: Reg::default(),
            z_4: Delay::new("core.z_4", z_bits, STORE)?,
            s_4: Delay::new("core.s_4", s_bits, STORE)?,
            capture_4: flag("core.capture_4", STORE)?,
            words_4: Delay::new("core.words_4", word_bits, STORE)?,
            last_4: flag("core.last_4", STORE)?,
            h_store: flag("core.h_store", H_STORE)?,
            h_line: Delay::new("core.h_line", h_bits, H_STORE)?,
            g_store: flag("core.g_store", G_STORE)?,
            g_line: Delay::new("core.g_line", g_bits, G_STORE)?,
            num_line: Delay::new("core.num_line", att.num_bits(), reciprocal::LATENCY - 1)?,
            r_line: Delay::new("core.r_line", 16, normalise::R_LATENCY)?,
            valid_line: flag("core.valid_line", READ_LATENCY - 1)?,
            last_line: flag("core.last_line", READ_LATENCY - 1)?,
            phase_2: Delay::new("core.phase_2", 2, 2)?,
            busy_2: Delay::new("core.busy_2", word_bits, 2)?,
            store: Flag::default(),
            loader,
            sequencer,
            lanes,
            activity: Default::default(),
        })
    }
}
