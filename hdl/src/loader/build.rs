//! Construction of the loader: every width, depth and constant from the layer and the plan.

use super::{LATENCY, Loader};
use crate::delay::Delay;
use crate::number::{Const, Flag, Sig, natural_bits};
use crate::phi::Phi;
use crate::plan::Plan;
use crate::positional::Positional;
use crate::register::Reg;
use astromorph::Result;
use astromorph::spec::Order;
use astromorph::twin::Attention;
use rust_hdl::prelude::*;

impl Loader {
    /// For a layer under a plan.
    pub fn new(att: &Attention, plan: &Plan) -> Result<Self> {
        let (w, f, t) = (att.width(), &att.formats, &att.tables);
        let causal = att.order == Order::Causal;
        let count = |max: usize| natural_bits(max as u64);
        let register = |max: usize| Reg::new(count(max));
        let constant = |x: usize| Const::natural(x as u64);
        let (key_bits, value_bits) = (count(plan.key_depth - 1), count(plan.value_depth - 1));
        let query_bits = count(plan.query_depth - 1);
        let positional = if att.w.is_empty() {
            Vec::new()
        } else {
            vec![Positional::new(&plan.arrival_order(att), att.n_max * att.features, w)?]
        };
        let line = |name: &str, bits| Delay::new(name, bits, LATENCY);
        Ok(Loader {
            clock: Signal::default(),
            reset: Flag::default(),
            s_valid: Flag::default(),
            s_q: Sig::new(w),
            s_k: Sig::new(w),
            s_v: Sig::new(w),
            s_last: Flag::default(),
            chunk_done: Flag::default(),
            head_done: Flag::default(),
            s_ready: Flag::default(),
            key_write: Flag::default(),
            key_address: Sig::new(key_bits),
            a: Sig::new(w),
            aw: Sig::new(w),
            query_write: Flag::default(),
            query_address: Sig::new(query_bits),
            b: Sig::new(w),
            value_write: Flag::default(),
            value_lane: Sig::new(count(plan.lanes - 1)),
            value_address: Sig::new(value_bits),
            v: Sig::new(w),
            chunk_ready: Flag::default(),
            chunk_tokens: Sig::new(count(plan.chunk)),
            chunk_last: Flag::default(),
            error: Sig::new(2),
            element: register(plan.beats - 1),
            token: register(att.n_max - 1),
            in_chunk: register(plan.chunk),
            head: register(att.heads - 1),
            slot: Reg::default(),
            lane: register(plan.lanes - 1),
            value_base: Reg::new(value_bits),
            value_pointer: Reg::new(value_bits),
            key_pointer: Reg::new(key_bits),
            query_pointer: Reg::new(query_bits),
            held: Reg::default(),
            dropping: Reg::default(),
            occupied: Reg::new(2),
            complete: Reg::new(2),
            oldest: Reg::default(),
            tokens_0: register(plan.chunk),
            tokens_1: register(plan.chunk),
            last_0: Reg::default(),
            last_1: Reg::default(),
            errors: Reg::new(2),
            q_r: Reg::new(w),
            k_r: Reg::new(w),
            key_r: Reg::default(),
            next_head_r: Reg::default(),
            restart_r: Reg::default(),
            phi_q: Phi::new("phi_q", f.q, f.b, &t.phi_q)?,
            phi_k: Phi::new("phi_k", f.k, f.a, &t.phi_k)?,
            positional,
            a_r: Reg::new(w),
            b_r: Reg::new(w),
            v_line: Delay::new("loader.v", w, LATENCY)?,
            key_line: Delay::new("loader.key", 1, LATENCY)?,
            key_address_line: line("loader.key_address", key_bits)?,
            query_address_line: line("loader.query_address", query_bits)?,
            value_line: Delay::new("loader.value", 1, LATENCY)?,
            lane_line: line("loader.lane", count(plan.lanes - 1))?,
            value_address_line: line("loader.value_address", value_bits)?,
            chunk_line: Delay::new("loader.chunk", 1, LATENCY)?,
            accept: Flag::default(),
            working: Flag::default(),
            is_key: Flag::default(),
            is_value: Flag::default(),
            token_end: Flag::default(),
            stream_end: Flag::default(),
            last_head: Flag::default(),
            full_length: Flag::default(),
            ending: Flag::default(),
            chunk_end: Flag::default(),
            misplaced: Flag::default(),
            after_fill: Sig::new(2),
            after_complete: Sig::new(2),
            next_value_base: Sig::new(value_bits),
            zero: constant(0),
            two: constant(2),
            error_length: constant(1),
            error_last: constant(2),
            features: constant(att.features),
            values: constant(att.values),
            last_element: constant(plan.beats - 1),
            last_token: constant(att.n_max - 1),
            last_in_chunk: constant(plan.chunk - 1),
            last_head_number: constant(att.heads - 1),
            last_lane: constant(plan.lanes - 1),
            columns: constant(plan.columns),
            value_slot: constant(plan.value_depth / 2),
            key_slot: constant(plan.key_depth / 2),
            query_slot: constant(if causal { att.features } else { 0 }),
            causal: Const::new(1, causal),
            activity: Default::default(),
        })
    }

    /// Bits of tables.
    pub fn table_bits(&self) -> usize {
        self.phi_q.table_bits()
            + self.phi_k.table_bits()
            + self.positional.iter().map(Positional::table_bits).sum::<usize>()
    }
}
