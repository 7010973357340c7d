//! Input side: takes beats (q_j, k_j, v_j), sends q and k through φ, adds the positional key, fills chunk slots and query buffer, and tells the
//! sequencer when a chunk is complete.
//!
//! | port | | |
//! |---|---|---|
//! | s_valid, s_ready, s_q, s_k, s_v, s_last | stream | one beat = element j of one token of one head; max(m, e) beats a token and head |
//! | key_write, key_address, a, aw | latency 4 | chunk buffer of a = φ(k) and a + w: slot·T·m + t·m + i |
//! | query_write, query_address, b | latency 4 | query buffer of b = φ(q): two-pass t·m + i, causal slot·m + i |
//! | value_write, value_lane, value_address, v | latency 4 | lane j mod P, word slot·T·⌈e/P⌉ + t·⌈e/P⌉ + j div P |
//! | chunk_ready, chunk_tokens, chunk_last | | the oldest complete chunk: its tokens; it ends the head (two-pass) or the sequence (causal) |
//! | chunk_done, head_done | | the sequencer gives the slot back; it has read the head (two-pass) |
//! | error | 2, sticky | bit 0: longer than N_max, the tail is dropped up to its tlast; bit 1: a tlast not on a token's last beat, ignored |
//!
//! Two slots: one is filled while the other is worked on. Two-pass: after a head's last beat nothing is taken until `head_done`, because the
//! query buffer holds one head. While a tail is dropped every beat is taken.
//!
//! Example: heads = 1, m = e = 4, T = 2, three tokens: chunks of 2 tokens and of 1, the second with `chunk_last`; see `tests/blocks.rs`.
//!
//! ```
//! use astromorph::{spec::Order, twin::*};
//! use astromorph_hdl::{core::CoreConfig, loader::Loader, plan::Plan};
//! use rand::SeedableRng;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let sizes = AttentionSizes { heads: 1, features: 4, values: 4, n_max: 8, width: 8, order: Order::TwoPass,
//!     nonlinearity: Default::default(), alpha: 0.5, position: true };
//! let att = Attention::random(&mut rng, sizes);
//! let plan = Plan::new(&att, CoreConfig { lanes: 2, chunk: 2, ..Default::default() }).unwrap();
//! let loader = Loader::new(&att, &plan).unwrap();
//! assert_eq!((loader.s_q.width(), loader.chunk_tokens.width()), (8, 2));
//! ```

mod build;

use crate::block;
use crate::delay::Delay;
use crate::number::{Const, Flag, S, Sig, U};
use crate::phi::{self, Phi};
use crate::positional::Positional;
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Cycles from an accepted beat to its stores.
pub const LATENCY: usize = 1 + phi::LATENCY + 1;

block! {
    /// See the module's text.
    pub struct Loader {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A beat is there.
            s_valid: Flag<In>,
            /// Query element.
            s_q: Sig<In, S>,
            /// Key element.
            s_k: Sig<In, S>,
            /// Value element.
            s_v: Sig<In, S>,
            /// Last beat.
            s_last: Flag<In>,
            /// The oldest chunk's slot is free again.
            chunk_done: Flag<In>,
            /// The head has been read.
            head_done: Flag<In>,
        }
        outputs {
            /// The beat is taken.
            s_ready: Flag<Out>,
            /// Store a and aw.
            key_write: Flag<Out>,
            /// Where to.
            key_address: Sig<Out, U>,
            /// φ(k).
            a: Sig<Out, S>,
            /// φ(k) + w.
            aw: Sig<Out, S>,
            /// Store b.
            query_write: Flag<Out>,
            /// Where to.
            query_address: Sig<Out, U>,
            /// φ(q).
            b: Sig<Out, S>,
            /// Store v.
            value_write: Flag<Out>,
            /// In which lane.
            value_lane: Sig<Out, U>,
            /// Where to.
            value_address: Sig<Out, U>,
            /// Value.
            v: Sig<Out, S>,
            /// A chunk is complete.
            chunk_ready: Flag<Out>,
            /// Its tokens.
            chunk_tokens: Sig<Out, U>,
            /// It is the last.
            chunk_last: Flag<Out>,
            /// Sticky errors.
            error: Sig<Out, U>,
        }
        parts {
            element: Reg<U>,
            token: Reg<U>,
            in_chunk: Reg<U>,
            head: Reg<U>,
            slot: Reg<bool>,
            lane: Reg<U>,
            value_base: Reg<U>,
            value_pointer: Reg<U>,
            key_pointer: Reg<U>,
            query_pointer: Reg<U>,
            held: Reg<bool>,
            dropping: Reg<bool>,
            occupied: Reg<U>,
            complete: Reg<U>,
            oldest: Reg<bool>,
            tokens_0: Reg<U>,
            tokens_1: Reg<U>,
            last_0: Reg<bool>,
            last_1: Reg<bool>,
            errors: Reg<U>,
            q_r: Reg<S>,
            k_r: Reg<S>,
            key_r: Reg<bool>,
            next_head_r: Reg<bool>,
            restart_r: Reg<bool>,
            phi_q: Phi,
            phi_k: Phi,
            positional: Vec<Positional>,
            a_r: Reg<S>,
            b_r: Reg<S>,
            v_line: Delay<S>,
            key_line: Delay<bool>,
            key_address_line: Delay<U>,
            query_address_line: Delay<U>,
            value_line: Delay<bool>,
            lane_line: Delay<U>,
            value_address_line: Delay<U>,
            chunk_line: Delay<bool>,
        }
        locals {
            accept: Flag<Local>,
            working: Flag<Local>,
            is_key: Flag<Local>,
            is_value: Flag<Local>,
            token_end: Flag<Local>,
            stream_end: Flag<Local>,
            last_head: Flag<Local>,
            full_length: Flag<Local>,
            ending: Flag<Local>,
            chunk_end: Flag<Local>,
            misplaced: Flag<Local>,
            after_fill: Sig<Local, U>,
            after_complete: Sig<Local, U>,
            next_value_base: Sig<Local, U>,
            zero: Const<U>,
            two: Const<U>,
            error_length: Const<U>,
            error_last: Const<U>,
            features: Const<U>,
            values: Const<U>,
            last_element: Const<U>,
            last_token: Const<U>,
            last_in_chunk: Const<U>,
            last_head_number: Const<U>,
            last_lane: Const<U>,
            columns: Const<U>,
            value_slot: Const<U>,
            key_slot: Const<U>,
            query_slot: Const<U>,
            causal: Const<bool>,
        }
    }
}

impl Logic for Loader {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            element,
            token,
            in_chunk,
            head,
            slot,
            lane,
            value_base,
            value_pointer,
            key_pointer,
            query_pointer,
            held,
            dropping,
            occupied,
            complete,
            oldest,
            tokens_0,
            tokens_1,
            last_0,
            last_1,
            errors,
            q_r,
            k_r,
            key_r,
            next_head_r,
            restart_r,
            a_r,
            b_r
        );
        clock!(
            self,
            clock,
            phi_q,
            phi_k,
            v_line,
            key_line,
            key_address_line,
            query_address_line,
            value_line,
            lane_line,
            value_address_line,
            chunk_line
        );
        self.v_line.reset.next = self.reset.val();
        self.key_line.reset.next = self.reset.val();
        self.key_address_line.reset.next = self.reset.val();
        self.query_address_line.reset.next = self.reset.val();
        self.value_line.reset.next = self.reset.val();
        self.lane_line.reset.next = self.reset.val();
        self.value_address_line.reset.next = self.reset.val();
        self.chunk_line.reset.next = self.reset.val();

        // What this beat is.
        self.s_ready.next = !self.reset.val()
            && (self.dropping.q.val() || (!self.held.q.val() && !(self.occupied.q.val() == self.two.val())));
        self.accept.next = self.s_valid.val() && self.s_ready.val();
        self.working.next = self.accept.val() && !self.dropping.q.val();
        self.is_key.next = self.working.val() && (self.element.q.val() < self.features.val());
        self.is_value.next = self.working.val() && (self.element.q.val() < self.values.val());
        self.token_end.next = self.working.val() && (self.element.q.val() == self.last_element.val());
        self.last_head.next = self.head.q.val() == self.last_head_number.val();
        // Where a tlast may stand: causal order ends with the last head of a token, two-pass order with any token of a head.
        self.stream_end.next = self.token_end.val() && (!self.causal.val() || self.last_head.val());
        self.full_length.next = self.token.q.val() == self.last_token.val();
        self.ending.next = self.stream_end.val() && (self.s_last.val() || self.full_length.val());
        self.chunk_end.next = self.token_end.val()
            && (self.causal.val() || self.ending.val() || (self.in_chunk.q.val() == self.last_in_chunk.val()));
        self.misplaced.next = self.working.val() && self.s_last.val() && !self.stream_end.val();

        // The operands' way to memory.
        self.q_r.d.next = self.s_q.val();
        self.k_r.d.next = self.s_k.val();
        self.phi_q.x.next = self.q_r.q.val();
        self.phi_k.x.next = self.k_r.q.val();
        self.a_r.d.next = self.phi_k.y.val();
        self.b_r.d.next = self.phi_q.y.val();
        self.key_r.d.next = self.is_key.val();
        self.next_head_r.d.next = self.ending.val();
        self.restart_r.d.next = self.ending.val() && self.last_head.val();
        self.a.next = self.a_r.q.val();
        self.aw.next = self.a_r.q.val();
        for i in 0..(self.positional.len()) {
            self.positional[i].clock.next = self.clock.val();
            self.positional[i].reset.next = self.reset.val();
            self.positional[i].step.next = self.key_r.q.val();
            self.positional[i].next_head.next = self.next_head_r.q.val();
            self.positional[i].restart.next = self.restart_r.q.val();
            self.positional[i].a.next = self.phi_k.y.val();
            self.aw.next = self.positional[i].aw.val();
        }
        self.b.next = self.b_r.q.val();
        self.v_line.d.next = self.s_v.val();
        self.v.next = self.v_line.q.val();
        self.key_line.d.next = self.is_key.val();
        self.key_write.next = self.key_line.q.val();
        self.query_write.next = self.key_line.q.val();
        self.key_address_line.d.next = self.key_pointer.q.val();
        self.key_address.next = self.key_address_line.q.val();
        self.query_address_line.d.next = self.query_pointer.q.val();
        self.query_address.next = self.query_address_line.q.val();
        self.value_line.d.next = self.is_value.val();
        self.value_write.next = self.value_line.q.val();
        self.lane_line.d.next = self.lane.q.val();
        self.value_lane.next = self.lane_line.q.val();
        self.value_address_line.d.next = self.value_pointer.q.val();
        self.value_address.next = self.value_address_line.q.val();

        // Where the next beat goes.
        if self.working.val() {
            self.element.d.next = (self.element.q.val() + 1).into();
            self.lane.d.next = (self.lane.q.val() + 1).into();
            if self.lane.q.val() == self.last_lane.val() {
                self.lane.d.next = self.zero.val();
                self.value_pointer.d.next = (self.value_pointer.q.val() + 1).into();
            }
        }
        if self.is_key.val() {
            self.key_pointer.d.next = (self.key_pointer.q.val() + 1).into();
            self.query_pointer.d.next = (self.query_pointer.q.val() + 1).into();
        }
        self.next_value_base.next = (self.value_base.q.val() + self.columns.val()).into();
        if self.token_end.val() {
            self.element.d.next = self.zero.val();
            self.lane.d.next = self.zero.val();
            self.in_chunk.d.next = (self.in_chunk.q.val() + 1).into();
            self.value_base.d.next = self.next_value_base.val();
            self.value_pointer.d.next = self.next_value_base.val();
            if self.causal.val() {
                self.head.d.next = (self.head.q.val() + 1).into();
                if self.last_head.val() {
                    self.head.d.next = self.zero.val();
                    self.token.d.next = (self.token.q.val() + 1).into();
                }
            } else {
                self.token.d.next = (self.token.q.val() + 1).into();
            }
        }
        if self.chunk_end.val() {
            self.slot.d.next = !self.slot.q.val();
            self.in_chunk.d.next = self.zero.val();
            if self.slot.q.val() {
                self.tokens_1.d.next = (self.in_chunk.q.val() + 1).into();
                self.last_1.d.next = self.ending.val();
                self.key_pointer.d.next = self.zero.val();
                self.value_base.d.next = self.zero.val();
                self.value_pointer.d.next = self.zero.val();
                if self.causal.val() {
                    self.query_pointer.d.next = self.zero.val();
                }
            } else {
                self.tokens_0.d.next = (self.in_chunk.q.val() + 1).into();
                self.last_0.d.next = self.ending.val();
                self.key_pointer.d.next = self.key_slot.val();
                self.value_base.d.next = self.value_slot.val();
                self.value_pointer.d.next = self.value_slot.val();
                if self.causal.val() {
                    self.query_pointer.d.next = self.query_slot.val();
                }
            }
        }
        if self.head_done.val() {
            self.held.d.next = false;
        }
        if self.ending.val() {
            self.token.d.next = self.zero.val();
            if !self.causal.val() {
                self.query_pointer.d.next = self.zero.val();
                self.held.d.next = true;
                self.head.d.next = (self.head.q.val() + 1).into();
                if self.last_head.val() {
                    self.head.d.next = self.zero.val();
                }
            }
            if !self.s_last.val() {
                self.dropping.d.next = true;
                self.errors.d.next = (self.errors.q.val() | self.error_length.val()).into();
            }
        }
        if self.misplaced.val() {
            self.errors.d.next = (self.errors.q.val() | self.error_last.val()).into();
        }
        if self.accept.val() && self.dropping.q.val() && self.s_last.val() {
            self.dropping.d.next = false;
        }

        // Slots taken from the first beat on, and slots complete in memory.
        self.chunk_line.d.next = self.chunk_end.val();
        self.after_fill.next = self.occupied.q.val();
        if self.chunk_end.val() {
            self.after_fill.next = (self.occupied.q.val() + 1).into();
        }
        self.after_complete.next = self.complete.q.val();
        if self.chunk_line.q.val() {
            self.after_complete.next = (self.complete.q.val() + 1).into();
        }
        self.occupied.d.next = self.after_fill.val();
        self.complete.d.next = self.after_complete.val();
        if self.chunk_done.val() {
            self.occupied.d.next = (self.after_fill.val() - 1).into();
            self.complete.d.next = (self.after_complete.val() - 1).into();
            self.oldest.d.next = !self.oldest.q.val();
        }
        self.chunk_ready.next = !(self.complete.q.val() == 0);
        self.chunk_tokens.next = self.tokens_0.q.val();
        self.chunk_last.next = self.last_0.q.val();
        if self.oldest.q.val() {
            self.chunk_tokens.next = self.tokens_1.q.val();
            self.chunk_last.next = self.last_1.q.val();
        }
        self.error.next = self.errors.q.val();

        if self.reset.val() {
            self.element.d.next = self.zero.val();
            self.token.d.next = self.zero.val();
            self.in_chunk.d.next = self.zero.val();
            self.head.d.next = self.zero.val();
            self.slot.d.next = false;
            self.lane.d.next = self.zero.val();
            self.value_base.d.next = self.zero.val();
            self.value_pointer.d.next = self.zero.val();
            self.key_pointer.d.next = self.zero.val();
            self.query_pointer.d.next = self.zero.val();
            self.held.d.next = false;
            self.dropping.d.next = false;
            self.occupied.d.next = self.zero.val();
            self.complete.d.next = self.zero.val();
            self.oldest.d.next = false;
            self.errors.d.next = self.zero.val();
            self.key_r.d.next = false;
            self.next_head_r.d.next = false;
            self.restart_r.d.next = false;
        }
    }
}
