//! The sequencer: phases, passes and addresses of WRITE and READ. One slot a cycle leaves it (stage 0); the core delays each part of a slot to
//! the stage where it acts.
//!
//! | state = phase | slots |
//! |---|---|
//! | 0 load | waits for a complete chunk |
//! | 1 write | for i, for column block c: one preload slot, then one MAC slot a token; the last one of a pass carries `store` |
//! | 2 seal | [`SEAL_CYCLES`]: until the last store has passed the seal and the power unit |
//! | 3 read | for token, for c: max(m, P) slots, m of them MAC; the last one of them carries `capture`; a pass starts only with `room` |
//!
//! Hazards. A pass whose last slot leaves in cycle 0 stores Z in cycle [`STORE`] + 1; the next pass on the same word begins m·⌈e/P⌉ − 1 passes
//! of two slots or more later, 7 cycles at least (m ≥ 4), and fetches its preload 3 cycles after it begins: never before the store. H and g
//! are stored [`SEAL_CYCLES`] after the slot at the latest, and READ fetches nothing before.
//!
//! Example: m = 4, one column block, one token (causal): a WRITE is 4 passes of 2 slots, then 7 cycles of seal, then a READ of max(4, P)
//! slots. The constants below are what the doctest pins.
//!
//! ```
//! use astromorph_hdl::sequencer::*;
//! assert_eq!((STORE, H_STORE, G_STORE, SEAL_CYCLES), (4, 6, 7, 7));
//! ```

mod build;

use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use crate::{power, seal};
use rust_hdl::prelude::*;

/// Stages from a pass's last slot to the store of Z and s, and to the capture of the accumulators.
pub const STORE: usize = 4;
/// Stages to the store of H.
pub const H_STORE: usize = STORE + seal::LATENCY;
/// Stages to the store of g.
pub const G_STORE: usize = STORE + power::LATENCY;
/// Length of the seal phase: g is the last to arrive.
pub const SEAL_CYCLES: usize = G_STORE;

block! {
    /// See the module's text.
    pub struct Sequencer {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A chunk is complete.
            chunk_ready: Flag<In>,
            /// Its tokens.
            chunk_tokens: Sig<In, U>,
            /// It is the last of the head (two-pass) or of the sequence (causal).
            chunk_last: Flag<In>,
            /// A pass's words find a place.
            room: Flag<In>,
        }
        outputs {
            /// Chunk slot free.
            chunk_done: Flag<Out>,
            /// Head read (two-pass).
            head_done: Flag<Out>,
            /// Promise places for a pass's words.
            reserve: Flag<Out>,
            /// How many.
            reserve_words: Sig<Out, U>,
            /// State of the slot.
            phase: Sig<Out, U>,
            /// Multiply and accumulate.
            mac: Flag<Out>,
            /// In READ.
            read: Flag<Out>,
            /// In WRITE.
            write: Flag<Out>,
            /// The sum starts here.
            first: Flag<Out>,
            /// Preload.
            load: Flag<Out>,
            /// Preload zero.
            fresh: Flag<Out>,
            /// This column block carries the calcium.
            calcium: Flag<Out>,
            /// Last slot of a WRITE pass.
            store: Flag<Out>,
            /// Last MAC slot of a READ pass.
            capture: Flag<Out>,
            /// The pass ends the sequence.
            last: Flag<Out>,
            /// Words that count in this column block.
            words: Sig<Out, U>,
            /// Lanes that multiply something useful.
            busy: Sig<Out, U>,
            /// Chunk or query buffer.
            x_address: Sig<Out, U>,
            /// Bank V or H.
            bank_address: Sig<Out, U>,
            /// Feature.
            g_address: Sig<Out, U>,
            /// Bank Z.
            z_address: Sig<Out, U>,
            /// Bank H, for the store.
            h_address: Sig<Out, U>,
            /// Bank s.
            s_address: Sig<Out, U>,
        }
        parts {
            state: Reg<U>,
            waited: Reg<U>,
            slot: Reg<bool>,
            feature: Reg<U>,
            column: Reg<U>,
            step: Reg<U>,
            token: Reg<U>,
            tokens: Reg<U>,
            head: Reg<U>,
            /// The head's state (causal: every head's) holds something; otherwise preloads are zero.
            used: Reg<bool>,
            x: Reg<U>,
            x_start: Reg<U>,
            bank: Reg<U>,
            bank_start: Reg<U>,
            z: Reg<U>,
            z_base: Reg<U>,
            h: Reg<U>,
            s: Reg<U>,
            s_base: Reg<U>,
            phase_r: Reg<U>,
            mac_r: Reg<bool>,
            read_r: Reg<bool>,
            write_r: Reg<bool>,
            first_r: Reg<bool>,
            load_r: Reg<bool>,
            fresh_r: Reg<bool>,
            calcium_r: Reg<bool>,
            store_r: Reg<bool>,
            capture_r: Reg<bool>,
            last_r: Reg<bool>,
            words_r: Reg<U>,
            busy_r: Reg<U>,
            x_r: Reg<U>,
            bank_r: Reg<U>,
            g_r: Reg<U>,
            z_r: Reg<U>,
            h_r: Reg<U>,
            s_r: Reg<U>,
        }
        locals {
            last_column: Flag<Local>,
            last_feature: Flag<Local>,
            pass_end: Flag<Local>,
            go: Flag<Local>,
            width: Sig<Local, U>,
            value_base: Sig<Local, U>,
            next_x_start: Sig<Local, U>,
            next_bank_start: Sig<Local, U>,
            next_token: Sig<Local, U>,
            zero: Const<U>,
            one: Const<U>,
            idle: Const<U>,
            writing: Const<U>,
            sealing: Const<U>,
            reading: Const<U>,
            last_wait: Const<U>,
            features: Const<U>,
            last_feature_number: Const<U>,
            last_column_number: Const<U>,
            last_head_number: Const<U>,
            last_step: Const<U>,
            columns: Const<U>,
            lanes: Const<U>,
            tail: Const<U>,
            states: Const<U>,
            key_slot: Const<U>,
            value_slot: Const<U>,
            query_slot: Const<U>,
            causal: Const<bool>,
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, waited, slot, feature, column, step, token, tokens, head, used, x, x_start, bank,
            bank_start, z, z_base, h, s, s_base, phase_r, mac_r, read_r, write_r, first_r, load_r, fresh_r, calcium_r,
            store_r, capture_r, last_r, words_r, busy_r, x_r, bank_r, g_r, z_r, h_r, s_r
        );
        self.chunk_done.next = false;
        self.head_done.next = false;
        self.reserve.next = false;
        self.pass_end.next = false;
        self.last_column.next = self.column.q.val() == self.last_column_number.val();
        self.last_feature.next = self.feature.q.val() == self.last_feature_number.val();
        self.width.next = self.lanes.val();
        if self.last_column.val() {
            self.width.next = self.tail.val();
        }
        self.reserve_words.next = self.width.val();
        self.value_base.next = self.zero.val();
        if self.slot.q.val() {
            self.value_base.next = self.value_slot.val();
        }
        self.next_token.next = (self.token.q.val() + 1).into();
        self.next_x_start.next = self.x_start.q.val();
        self.next_bank_start.next = (self.bank_start.q.val() + 1).into();

        // The slot of this cycle, empty unless a state fills it.
        self.phase_r.d.next = self.state.q.val();
        self.mac_r.d.next = false;
        self.read_r.d.next = false;
        self.write_r.d.next = false;
        self.first_r.d.next = false;
        self.load_r.d.next = false;
        self.store_r.d.next = false;
        self.capture_r.d.next = false;
        self.fresh_r.d.next = !self.used.q.val();
        self.calcium_r.d.next = self.column.q.val() == 0;
        self.last_r.d.next = false;
        self.words_r.d.next = self.width.val();
        self.busy_r.d.next = self.zero.val();
        self.x_r.d.next = self.x.q.val();
        self.bank_r.d.next = self.bank.q.val();
        self.g_r.d.next = self.feature.q.val();
        self.z_r.d.next = self.z.q.val();
        self.h_r.d.next = self.h.q.val();
        self.s_r.d.next = self.s.q.val();

        if (self.state.q.val() == self.idle.val()) && self.chunk_ready.val() {
            self.state.d.next = self.writing.val();
            self.feature.d.next = self.zero.val();
            self.column.d.next = self.zero.val();
            self.step.d.next = self.zero.val();
            self.z.d.next = self.z_base.q.val();
            self.s.d.next = self.s_base.q.val();
            self.h.d.next = self.zero.val();
            self.x.d.next = self.zero.val();
            self.x_start.d.next = self.zero.val();
            if self.slot.q.val() {
                self.x.d.next = self.key_slot.val();
                self.x_start.d.next = self.key_slot.val();
            }
            self.bank.d.next = self.value_base.val();
            self.bank_start.d.next = self.value_base.val();
            self.tokens.d.next = (self.tokens.q.val() + self.chunk_tokens.val()).into();
            if !self.used.q.val() || self.causal.val() {
                self.tokens.d.next = self.chunk_tokens.val();
            }
        }

        if self.state.q.val() == self.writing.val() {
            self.write_r.d.next = true;
            self.step.d.next = (self.step.q.val() + 1).into();
            if self.step.q.val() == 0 {
                self.load_r.d.next = true;
            } else {
                self.mac_r.d.next = true;
                self.busy_r.d.next = self.width.val();
                self.x.d.next = (self.x.q.val() + self.features.val()).into();
                self.bank.d.next = (self.bank.q.val() + self.columns.val()).into();
                self.pass_end.next = self.step.q.val() == self.chunk_tokens.val();
            }
            if self.pass_end.val() {
                self.store_r.d.next = true;
                self.step.d.next = self.zero.val();
                self.z.d.next = (self.z.q.val() + 1).into();
                self.h.d.next = (self.h.q.val() + 1).into();
                self.column.d.next = (self.column.q.val() + 1).into();
                if self.last_column.val() {
                    self.column.d.next = self.zero.val();
                    self.feature.d.next = (self.feature.q.val() + 1).into();
                    self.s.d.next = (self.s.q.val() + 1).into();
                    self.next_x_start.next = (self.x_start.q.val() + 1).into();
                    self.next_bank_start.next = self.value_base.val();
                }
                self.x.d.next = self.next_x_start.val();
                self.x_start.d.next = self.next_x_start.val();
                self.bank.d.next = self.next_bank_start.val();
                self.bank_start.d.next = self.next_bank_start.val();
                if self.last_column.val() && self.last_feature.val() {
                    self.waited.d.next = self.zero.val();
                    self.state.d.next = self.idle.val();
                    if self.causal.val() || self.chunk_last.val() {
                        self.state.d.next = self.sealing.val();
                    }
                    if !self.causal.val() {
                        self.chunk_done.next = true;
                        self.slot.d.next = !self.slot.q.val();
                        self.used.d.next = true;
                    }
                }
            }
        }

        if self.state.q.val() == self.sealing.val() {
            self.waited.d.next = (self.waited.q.val() + 1).into();
            self.step.d.next = self.zero.val();
            self.column.d.next = self.zero.val();
            self.feature.d.next = self.zero.val();
            self.token.d.next = self.zero.val();
            self.x.d.next = self.zero.val();
            self.x_start.d.next = self.zero.val();
            if self.causal.val() && self.slot.q.val() {
                self.x.d.next = self.query_slot.val();
                self.x_start.d.next = self.query_slot.val();
            }
            self.bank.d.next = self.zero.val();
            self.bank_start.d.next = self.zero.val();
            if self.waited.q.val() == self.last_wait.val() {
                self.state.d.next = self.reading.val();
            }
        }

        self.go.next = (self.state.q.val() == self.reading.val()) && (self.room.val() || !(self.step.q.val() == 0));
        if self.go.val() {
            self.step.d.next = (self.step.q.val() + 1).into();
            if self.step.q.val() == 0 {
                self.reserve.next = true;
                self.first_r.d.next = true;
            }
            if self.step.q.val() < self.features.val() {
                self.mac_r.d.next = true;
                self.read_r.d.next = true;
                self.busy_r.d.next = self.width.val();
                self.feature.d.next = (self.feature.q.val() + 1).into();
                self.x.d.next = (self.x.q.val() + 1).into();
                self.bank.d.next = (self.bank.q.val() + self.columns.val()).into();
            }
            if self.step.q.val() == self.last_feature_number.val() {
                self.capture_r.d.next = true;
                self.last_r.d.next = self.last_column.val()
                    && (self.head.q.val() == self.last_head_number.val())
                    && ((self.causal.val() && self.chunk_last.val())
                        || (!self.causal.val() && (self.next_token.val() == self.tokens.q.val())));
            }
            if self.step.q.val() == self.last_step.val() {
                self.step.d.next = self.zero.val();
                self.feature.d.next = self.zero.val();
                self.column.d.next = (self.column.q.val() + 1).into();
                if self.last_column.val() {
                    self.column.d.next = self.zero.val();
                    self.token.d.next = self.next_token.val();
                    self.next_x_start.next = (self.x_start.q.val() + self.features.val()).into();
                    self.next_bank_start.next = self.zero.val();
                    if self.next_token.val() == self.tokens.q.val() {
                        self.state.d.next = self.idle.val();
                        self.head.d.next = (self.head.q.val() + 1).into();
                        if self.head.q.val() == self.last_head_number.val() {
                            self.head.d.next = self.zero.val();
                        }
                        if self.causal.val() {
                            self.chunk_done.next = true;
                            self.slot.d.next = !self.slot.q.val();
                            self.z_base.d.next = (self.z_base.q.val() + self.states.val()).into();
                            self.s_base.d.next = (self.s_base.q.val() + self.features.val()).into();
                            if self.head.q.val() == self.last_head_number.val() {
                                self.z_base.d.next = self.zero.val();
                                self.s_base.d.next = self.zero.val();
                                self.used.d.next = !self.chunk_last.val();
                            }
                        } else {
                            self.head_done.next = true;
                            self.used.d.next = false;
                        }
                    }
                }
                self.x.d.next = self.next_x_start.val();
                self.x_start.d.next = self.next_x_start.val();
                self.bank.d.next = self.next_bank_start.val();
                self.bank_start.d.next = self.next_bank_start.val();
            }
        }

        if self.reset.val() {
            self.state.d.next = self.idle.val();
            self.slot.d.next = false;
            self.head.d.next = self.zero.val();
            self.z_base.d.next = self.zero.val();
            self.s_base.d.next = self.zero.val();
            self.used.d.next = false;
            self.mac_r.d.next = false;
            self.load_r.d.next = false;
            self.store_r.d.next = false;
            self.capture_r.d.next = false;
            self.busy_r.d.next = self.zero.val();
            self.phase_r.d.next = self.zero.val();
        }

        self.phase.next = self.phase_r.q.val();
        self.mac.next = self.mac_r.q.val();
        self.read.next = self.read_r.q.val();
        self.write.next = self.write_r.q.val();
        self.first.next = self.first_r.q.val();
        self.load.next = self.load_r.q.val();
        self.fresh.next = self.fresh_r.q.val();
        self.calcium.next = self.calcium_r.q.val();
        self.store.next = self.store_r.q.val();
        self.capture.next = self.capture_r.q.val();
        self.last.next = self.last_r.q.val();
        self.words.next = self.words_r.q.val();
        self.busy.next = self.busy_r.q.val();
        self.x_address.next = self.x_r.q.val();
        self.bank_address.next = self.bank_r.q.val();
        self.g_address.next = self.g_r.q.val();
        self.z_address.next = self.z_r.q.val();
        self.h_address.next = self.h_r.q.val();
        self.s_address.next = self.s_r.q.val();
    }
}
