//! Construction of the sequencer: every width and constant from the layer and the plan.

use super::{SEAL_CYCLES, Sequencer};
use crate::number::{Const, Flag, Sig, natural_bits};
use crate::plan::Plan;
use crate::register::Reg;
use astromorph::Result;
use astromorph::spec::Order;
use astromorph::twin::Attention;
use rust_hdl::prelude::*;

impl Sequencer {
    /// For a layer under a plan.
    pub fn new(att: &Attention, plan: &Plan) -> Result<Self> {
        let m = att.features;
        let causal = att.order == Order::Causal;
        let count = |max: usize| natural_bits(max as u64);
        let constant = |x: usize| Const::natural(x as u64);
        let x_bits = count(plan.key_depth.max(plan.query_depth) - 1);
        let bank_bits = count(plan.value_depth.max(plan.states) - 1);
        let z_bits = count(plan.states * plan.kept_heads - 1);
        let h_bits = count(plan.states - 1);
        let s_bits = count(m * plan.kept_heads - 1);
        let (feature_bits, word_bits) = (count(m - 1), count(plan.lanes));
        Ok(Sequencer {
            clock: Signal::default(),
            reset: Flag::default(),
            chunk_ready: Flag::default(),
            chunk_tokens: Sig::new(count(plan.chunk)),
            chunk_last: Flag::default(),
            room: Flag::default(),
            chunk_done: Flag::default(),
            head_done: Flag::default(),
            reserve: Flag::default(),
            reserve_words: Sig::new(word_bits),
            phase: Sig::new(2),
            mac: Flag::default(),
            read: Flag::default(),
            write: Flag::default(),
            first: Flag::default(),
            load: Flag::default(),
            fresh: Flag::default(),
            calcium: Flag::default(),
            store: Flag::default(),
            capture: Flag::default(),
            last: Flag::default(),
            words: Sig::new(word_bits),
            busy: Sig::new(word_bits),
            x_address: Sig::new(x_bits),
            bank_address: Sig::new(bank_bits),
            g_address: Sig::new(feature_bits),
            z_address: Sig::new(z_bits),
            h_address: Sig::new(h_bits),
            s_address: Sig::new(s_bits),
            state: Reg::new(2),
            waited: Reg::new(count(SEAL_CYCLES)),
            slot: Reg::default(),
            feature: Reg::new(feature_bits),
            column: Reg::new(count(plan.columns - 1)),
            step: Reg::new(count(plan.pass.max(plan.chunk) + 1)),
            token: Reg::new(count(att.n_max)),
            tokens: Reg::new(count(att.n_max)),
            head: Reg::new(count(att.heads - 1)),
            used: Reg::default(),
            x: Reg::new(x_bits),
            x_start: Reg::new(x_bits),
            bank: Reg::new(bank_bits),
            bank_start: Reg::new(bank_bits),
            z: Reg::new(z_bits),
            z_base: Reg::new(z_bits),
            h: Reg::new(h_bits),
            s: Reg::new(s_bits),
            s_base: Reg::new(s_bits),
            phase_r: Reg::new(2),
            mac_r: Reg::default(),
            read_r: Reg::default(),
            write_r: Reg::default(),
            first_r: Reg::default(),
            load_r: Reg::default(),
            fresh_r: Reg::default(),
            calcium_r: Reg::default(),
            store_r: Reg::default(),
            capture_r: Reg::default(),
            last_r: Reg::default(),
            words_r: Reg::new(word_bits),
            busy_r: Reg::new(word_bits),
            x_r: Reg::new(x_bits),
            bank_r: Reg::new(bank_bits),
            g_r: Reg::new(feature_bits),
            z_r: Reg::new(z_bits),
            h_r: Reg::new(h_bits),
            s_r: Reg::new(s_bits),
            last_column: Flag::default(),
            last_feature: Flag::default(),
            pass_end: Flag::default(),
            go: Flag::default(),
            width: Sig::new(word_bits),
            value_base: Sig::new(bank_bits),
            next_x_start: Sig::new(x_bits),
            next_bank_start: Sig::new(bank_bits),
            next_token: Sig::new(count(att.n_max)),
            zero: constant(0),
            one: constant(1),
            idle: constant(0),
            writing: constant(1),
            sealing: constant(2),
            reading: constant(3),
            last_wait: constant(SEAL_CYCLES - 1),
            features: constant(m),
            last_feature_number: constant(m - 1),
            last_column_number: constant(plan.columns - 1),
            last_head_number: constant(att.heads - 1),
            last_step: constant(plan.pass - 1),
            columns: constant(plan.columns),
            lanes: constant(plan.lanes),
            tail: constant(plan.tail),
            states: constant(plan.states),
            key_slot: constant(plan.key_depth / 2),
            value_slot: constant(plan.value_depth / 2),
            query_slot: constant(if causal { m } else { 0 }),
            causal: Const::new(1, causal),
            activity: Default::default(),
        })
    }
}
