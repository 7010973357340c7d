//! What the fetch does in a cycle: words that come, requests, and the states' transitions.

use super::Fetch;
use rust_hdl::prelude::*;

impl Logic for Fetch {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, head, blocks);
        dff_setup!(
            self,
            clock,
            awake,
            header,
            op,
            walker_gate,
            walk,
            gate,
            offering,
            stream_gate,
            stream,
            norm_gate,
            norm,
            starting,
            taking,
            adding,
            turning,
            fill_gate,
            filling,
            ending,
            refused,
            pc,
            loop_pc,
            wanted,
            due,
            count,
            value_2,
            number_2,
            valid_2,
            n_max_r,
            wrong,
            outside,
            start_r,
            fill_start_r
        );
        self.next_op.next = false;
        self.refuse.next = false;
        self.more_words.next = false;
        self.amount.next = self.two.val();
        self.start_r.d.next = false;
        self.fill_start_r.d.next = false;
        self.errors.next = self.zero.val();

        // Words that come: index register or block size, then the sum.
        self.is_at.next = (self.count.q.val() == 3)
            || (self.count.q.val() == 6)
            || (self.count.q.val() == 9)
            || (self.count.q.val() == 14)
            || (self.count.q.val() == 18);
        self.blocks.at.next = self.is_at.val();
        self.blocks.kind.next = (self.word.val() >> 24).into();
        self.blocks.extent.next = self.walk.q.val()
            && (((self.count.q.val() == 1) && self.head.rows_block.val())
                || ((self.count.q.val() == 2) && self.head.k_block.val()));
        self.beyond.next = (self.word.val() >> self.at_bits.val().index()).into();
        self.outside.d.next = self.word_valid.val() && self.is_at.val() && !(self.beyond.val() == 0);
        if self.word_valid.val() {
            self.count.d.next = (self.count.q.val() + 1).into();
        }
        self.valid_2.d.next = self.word_valid.val();
        self.number_2.d.next = self.count.q.val();
        self.sum.next = (self.word.val() + self.blocks.index.val()).into();
        self.upper.next = (self.word.val() >> self.sum_bits.val().index()).into();
        self.value_2.d.next = ((self.upper.val() << self.sum_bits.val().index()) | self.sum.val()).into();

        // Requests.
        self.asking.next = !(self.wanted.q.val() == 0);
        self.request.next = self.asking.val();
        self.address.next = self.pc.q.val();
        self.advance.next = self.one.val();
        if self.norm_gate.q.val() {
            self.advance.next = self.four.val();
        }
        if (self.grant.val() && self.asking.val()) || (self.norm_gate.q.val() && !self.norm_used.val()) {
            self.pc.d.next = (self.pc.q.val() + self.advance.val()).into();
        }
        if self.grant.val() && self.asking.val() {
            self.wanted.d.next = (self.wanted.q.val() - 1).into();
        }
        if self.valid_2.q.val() {
            self.due.d.next = (self.due.q.val() - 1).into();
        }
        self.last_word.next = self.valid_2.q.val() && (self.due.q.val() == 1);
        self.opcode.next = self.value_2.q.val();

        // Header.
        self.blocks.begins.next = !self.awake.q.val() && self.begins.val();
        if !self.awake.q.val() && self.begins.val() {
            self.awake.d.next = true;
            self.header.d.next = true;
            self.more_words.next = true;
            self.count.d.next = self.zero.val();
        }
        if self.valid_2.q.val() && (self.number_2.q.val() == 0) {
            self.wrong.d.next = !(self.value_2.q.val() == self.id.val());
        }
        if self.header.q.val() && self.last_word.val() {
            self.header.d.next = false;
            self.n_max_r.d.next = self.value_2.q.val();
            self.next_op.next = true;
            if self.wrong.q.val() {
                self.refuse.next = true;
                self.errors.next = self.bad_core.val();
            }
        }

        // A step's first word.
        self.blocks.open.next = false;
        if self.op.q.val() && self.last_word.val() {
            self.op.d.next = false;
            if self.opcode.val() == 0 {
                self.ending.d.next = true;
            }
            if self.opcode.val() == 1 {
                self.walker_gate.d.next = true;
            }
            if self.opcode.val() == 2 {
                self.fill_gate.d.next = true;
            }
            if self.opcode.val() == 3 {
                self.blocks.open.next = true;
                self.loop_pc.d.next = self.pc.q.val();
                self.next_op.next = true;
            }
            if self.opcode.val() == 4 {
                self.adding.d.next = true;
                self.more_words.next = true;
            }
            if self.opcode.val() > self.four.val() {
                self.refuse.next = true;
                self.errors.next = self.bad_step.val();
            }
        }

        // A Next step.
        self.blocks.add.next = self.adding.q.val() && self.valid_2.q.val();
        if self.adding.q.val() && self.last_word.val() {
            self.adding.d.next = false;
            self.turning.d.next = true;
        }
        self.blocks.turn.next = self.turning.q.val();
        if self.turning.q.val() {
            self.turning.d.next = false;
            self.next_op.next = true;
            if self.blocks.more.val() {
                self.pc.d.next = self.loop_pc.q.val();
            }
        }

        // A Run step.
        if self.walker_gate.q.val() && self.walker_open.val() {
            self.walker_gate.d.next = false;
            self.walk.d.next = true;
            self.more_words.next = true;
            self.amount.next = self.four.val();
        }
        if self.walk.q.val() && self.last_word.val() {
            self.walk.d.next = false;
            self.gate.d.next = true;
        }
        self.ready.next =
            (!self.head.wait_all.val() || self.quiet.val()) && (!self.head.wait_fill.val() || self.fill_idle.val());
        if self.gate.q.val() && self.ready.val() {
            self.gate.d.next = false;
            self.stream_gate.d.next = !(self.head.source.val() == 0);
            self.offering.d.next = self.head.source.val() == 0;
        }
        if self.offering.q.val() && self.taken.val() {
            self.offering.d.next = false;
            self.stream_gate.d.next = true;
        }
        if self.stream_gate.q.val() && self.stream_idle.val() {
            self.stream_gate.d.next = false;
            self.stream.d.next = true;
            self.more_words.next = true;
            self.amount.next = self.eleven.val();
        }
        if self.stream.q.val() && self.last_word.val() {
            self.stream.d.next = false;
            self.norm_gate.d.next = true;
        }
        if self.norm_gate.q.val() {
            if !self.norm_used.val() {
                self.norm_gate.d.next = false;
                self.starting.d.next = true;
            } else if self.norm_idle.val() {
                self.norm_gate.d.next = false;
                self.norm.d.next = true;
                self.more_words.next = true;
                self.amount.next = self.four.val();
            }
        }
        if self.norm.q.val() && self.last_word.val() {
            self.norm.d.next = false;
            self.starting.d.next = true;
        }
        if self.starting.q.val() && (!self.serial_used.val() || self.norm_idle.val()) {
            self.starting.d.next = false;
            self.start_r.d.next = true;
            if self.head.source.val() == 1 {
                self.taking.d.next = true;
            } else {
                self.next_op.next = true;
            }
        }
        self.blocks.known.next = self.taking.q.val() && self.input_done.val();
        if self.taking.q.val() && self.input_done.val() {
            self.taking.d.next = false;
            self.next_op.next = true;
        }

        // A Fill step.
        if self.fill_gate.q.val() && self.fill_idle.val() {
            self.fill_gate.d.next = false;
            self.filling.d.next = true;
            self.more_words.next = true;
        }
        if self.filling.q.val() && self.last_word.val() {
            self.filling.d.next = false;
            self.fill_start_r.d.next = true;
            self.next_op.next = true;
        }
        if self.ending.q.val() && self.quiet.val() && self.fill_idle.val() {
            self.ending.d.next = false;
            self.awake.d.next = false;
        }

        if self.more_words.val() {
            self.wanted.d.next = self.amount.val();
            self.due.d.next = self.amount.val();
        }
        if self.next_op.val() {
            self.op.d.next = true;
            self.wanted.d.next = self.one.val();
            self.due.d.next = self.one.val();
            self.count.d.next = self.zero.val();
        }
        if self.asking.val() && (self.pc.q.val() > self.top_word.val()) {
            self.refuse.next = true;
            self.errors.next = self.bad_address.val();
        }
        if self.outside.q.val() {
            self.errors.next = self.bad_address.val();
        }
        if self.refuse.val() || self.reset.val() {
            self.header.d.next = false;
            self.op.d.next = false;
            self.walker_gate.d.next = false;
            self.walk.d.next = false;
            self.gate.d.next = false;
            self.offering.d.next = false;
            self.stream_gate.d.next = false;
            self.stream.d.next = false;
            self.norm_gate.d.next = false;
            self.norm.d.next = false;
            self.starting.d.next = false;
            self.taking.d.next = false;
            self.adding.d.next = false;
            self.turning.d.next = false;
            self.fill_gate.d.next = false;
            self.filling.d.next = false;
            self.ending.d.next = false;
            self.refused.d.next = true;
            self.wanted.d.next = self.zero.val();
        }
        if !self.awake.q.val() {
            self.pc.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.awake.d.next = false;
            self.refused.d.next = false;
            self.valid_2.d.next = false;
            self.start_r.d.next = false;
            self.fill_start_r.d.next = false;
        }

        self.head.write.next = self.valid_2.q.val();
        self.head.number.next = self.number_2.q.val();
        self.head.data.next = self.value_2.q.val();
        self.blocks.number.next = self.number_2.q.val();
        self.blocks.value.next = self.value_2.q.val();
        self.blocks.tokens.next = self.tokens.val();
        self.blocks.x_last.next = self.x_last.val();
        self.set.next = self.valid_2.q.val() && (self.walk.q.val() || self.stream.q.val() || self.norm.q.val());
        self.set_fill.next = self.valid_2.q.val() && self.filling.q.val();
        self.number.next = self.number_2.q.val();
        self.value.next = self.value_2.q.val();
        self.offer.next = self.offering.q.val();
        self.source.next = self.head.source.val();
        self.step.next = self.head.step.val();
        self.slow.next = self.head.slow.val();
        self.wide.next = self.head.wide.val();
        self.stream_start.next = self.start_r.q.val();
        self.fill_start.next = self.fill_start_r.q.val();
        self.first_block.next = self.blocks.first.val();
        self.final_block.next = !self.blocks.more.val();
        self.n_max.next = self.n_max_r.q.val();
        self.busy.next = self.awake.q.val();
        self.dead.next = self.refused.q.val();
        self.error.next = self.errors.val();
    }
}
