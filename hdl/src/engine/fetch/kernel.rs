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
            last_2,
            end_2,
            run_2,
            fill_2,
            loop_2,
            next_2,
            none_2,
            set_2,
            sets_r,
            extent,
            at,
            n_max_r,
            wrong,
            outside,
            start_r,
            fill_start_r
        );
        // Words that come: index register or block size, then the sum.
        // Whether the word to come is an address is known when the one before it comes.
        if self.word_valid.val() {
            self.at.d.next = (self.count.q.val() == 2)
                || (self.count.q.val() == 5)
                || (self.count.q.val() == 8)
                || (self.count.q.val() == 13)
                || (self.count.q.val() == 17);
        }
        self.blocks.at.next = self.at.q.val();
        self.blocks.kind.next = (self.word.val() >> 24).into();
        self.extent.d.next = self.walk.q.val()
            && (((self.count.q.val() == 1) && self.head.rows_block.val())
                || ((self.count.q.val() == 2) && self.head.k_block.val()));
        if self.word_valid.val() {
            self.extent.d.next = self.walk.q.val() && (self.count.q.val() == 1) && self.head.k_block.val();
        }
        self.blocks.extent.next = self.extent.q.val();
        self.beyond.next = (self.word.val() >> self.at_bits.val().index()).into();
        self.outside.d.next = self.word_valid.val() && self.at.q.val() && !(self.beyond.val() == 0);
        if self.word_valid.val() {
            self.count.d.next = (self.count.q.val() + 1).into();
        }
        self.valid_2.d.next = self.word_valid.val();
        self.last_2.d.next = self.word_valid.val() && (self.due.q.val() == 1);
        // The operation of a step's first word.
        self.opcode.next = self.word.val();
        self.decoded.next = self.word_valid.val() && (self.due.q.val() == 1) && self.op.q.val();
        self.end_2.d.next = self.decoded.val() && (self.opcode.val() == 0);
        self.run_2.d.next = self.decoded.val() && (self.opcode.val() == 1);
        self.fill_2.d.next = self.decoded.val() && (self.opcode.val() == 2);
        self.loop_2.d.next = self.decoded.val() && (self.opcode.val() == 3);
        self.next_2.d.next = self.decoded.val() && (self.opcode.val() == 4);
        self.none_2.d.next = self.decoded.val() && (self.opcode.val() > self.four.val());
        self.sets_r.d.next = self.zero.val();
        if self.word_valid.val() && (self.walk.q.val() || self.stream.q.val() || self.norm.q.val()) {
            self.set_2.d.next = true;
            self.sets_r.d.next = (self.unity.val() << self.count.q.val().index()).into();
        } else {
            self.set_2.d.next = false;
        }
        self.number_2.d.next = self.count.q.val();
        self.sum.next = (self.word.val() + self.blocks.index.val()).into();
        self.upper.next = (self.word.val() >> self.sum_bits.val().index()).into();
        self.value_2.d.next = ((self.upper.val() << self.sum_bits.val().index()) | self.sum.val()).into();

        // What ends now. States are boolean equations, not ifs: an enable for each would cost as much again.
        self.asking.next = !(self.wanted.q.val() == 0);
        self.last_word.next = self.last_2.q.val();
        self.wakes.next = !self.awake.q.val() && self.begins.val();
        self.loops.next = self.loop_2.q.val();
        self.adds.next = self.next_2.q.val();
        self.ready.next =
            (!self.head.wait_all.val() || self.quiet.val()) && (!self.head.wait_fill.val() || self.fill_idle.val());
        self.walks.next = self.walker_gate.q.val() && self.walker_open.val();
        self.streams.next = self.stream_gate.q.val() && self.stream_idle.val();
        self.norms.next = self.norm_gate.q.val() && self.norm_used.val() && self.norm_idle.val();
        self.starts.next = self.starting.q.val() && (!self.serial_used.val() || self.norm_idle.val());
        self.known.next = self.taking.q.val() && self.input_done.val();
        self.fills.next = self.fill_gate.q.val() && self.fill_idle.val();
        self.filled.next = self.filling.q.val() && self.last_word.val();
        self.ends.next = self.ending.q.val() && self.quiet.val() && self.fill_idle.val();
        self.next_op.next = (self.header.q.val() && self.last_word.val())
            || self.loops.val()
            || self.turning.q.val()
            || (self.starts.val() && !(self.head.source.val() == 1))
            || self.known.val()
            || self.filled.val();

        // Requests.
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
        if self.word_valid.val() {
            self.due.d.next = (self.due.q.val() - 1).into();
        }

        // Header.
        self.blocks.begins.next = self.wakes.val();
        self.awake.d.next = self.wakes.val() || (self.awake.q.val() && !self.ends.val());
        self.header.d.next = self.wakes.val() || (self.header.q.val() && !self.last_word.val());
        if self.wakes.val() {
            self.count.d.next = self.zero.val();
            self.at.d.next = false;
        }
        if self.valid_2.q.val() && (self.number_2.q.val() == 0) {
            self.wrong.d.next = !(self.value_2.q.val() == self.id.val());
        }
        if self.header.q.val() && self.last_word.val() {
            self.n_max_r.d.next = self.value_2.q.val();
        }

        // A step's first word.
        self.op.d.next = self.next_op.val() || (self.op.q.val() && !self.last_word.val());
        self.blocks.open.next = self.loops.val();
        if self.loops.val() {
            self.loop_pc.d.next = self.pc.q.val();
        }
        self.ending.d.next = self.end_2.q.val() || (self.ending.q.val() && !self.ends.val());

        // A Next step.
        self.adding.d.next = self.adds.val() || (self.adding.q.val() && !self.last_word.val());
        self.blocks.add.next = self.adding.q.val() && self.valid_2.q.val();
        self.turning.d.next = self.adding.q.val() && self.last_word.val();
        self.blocks.turn.next = self.turning.q.val();
        if self.turning.q.val() && self.blocks.more.val() {
            self.pc.d.next = self.loop_pc.q.val();
        }

        // A Run step.
        self.walker_gate.d.next = self.run_2.q.val() || (self.walker_gate.q.val() && !self.walker_open.val());
        self.walk.d.next = self.walks.val() || (self.walk.q.val() && !self.last_word.val());
        self.gate.d.next = (self.walk.q.val() && self.last_word.val()) || (self.gate.q.val() && !self.ready.val());
        self.offering.d.next = (self.gate.q.val() && self.ready.val() && (self.head.source.val() == 0))
            || (self.offering.q.val() && !self.taken.val());
        self.stream_gate.d.next = (self.gate.q.val() && self.ready.val() && !(self.head.source.val() == 0))
            || (self.offering.q.val() && self.taken.val())
            || (self.stream_gate.q.val() && !self.stream_idle.val());
        self.stream.d.next = self.streams.val() || (self.stream.q.val() && !self.last_word.val());
        self.norm_gate.d.next = (self.stream.q.val() && self.last_word.val())
            || (self.norm_gate.q.val() && self.norm_used.val() && !self.norm_idle.val());
        self.norm.d.next = self.norms.val() || (self.norm.q.val() && !self.last_word.val());
        self.starting.d.next = (self.norm_gate.q.val() && !self.norm_used.val())
            || (self.norm.q.val() && self.last_word.val())
            || (self.starting.q.val() && !self.starts.val());
        self.start_r.d.next = self.starts.val();
        self.taking.d.next =
            (self.starts.val() && (self.head.source.val() == 1)) || (self.taking.q.val() && !self.input_done.val());
        self.blocks.known.next = self.known.val();

        // A Fill step.
        self.fill_gate.d.next = self.fill_2.q.val() || (self.fill_gate.q.val() && !self.fill_idle.val());
        self.filling.d.next = self.fills.val() || (self.filling.q.val() && !self.last_word.val());
        self.fill_start_r.d.next = self.filled.val();

        // Words to ask for.
        self.amount.next = self.two.val();
        if self.walks.val() || self.norms.val() {
            self.amount.next = self.four.val();
        }
        if self.streams.val() {
            self.amount.next = self.eleven.val();
        }
        if self.wakes.val()
            || self.adds.val()
            || self.walks.val()
            || self.streams.val()
            || self.norms.val()
            || self.fills.val()
        {
            self.wanted.d.next = self.amount.val();
            self.due.d.next = self.amount.val();
        }
        if self.next_op.val() {
            self.wanted.d.next = self.one.val();
            self.due.d.next = self.one.val();
            self.count.d.next = self.zero.val();
            self.at.d.next = false;
        }

        // What is wrong.
        self.foreign.next = self.header.q.val() && self.last_word.val() && self.wrong.q.val();
        self.illegal.next = self.none_2.q.val();
        self.lost.next = self.asking.val() && (self.pc.q.val() >= self.word_end.val());
        self.errors.next = self.zero.val();
        if self.foreign.val() {
            self.errors.next = self.bad_core.val();
        }
        if self.illegal.val() {
            self.errors.next = self.bad_step.val();
        }
        if self.lost.val() || self.outside.q.val() {
            self.errors.next = self.bad_address.val();
        }
        self.refuse.next = self.foreign.val() || self.illegal.val() || self.lost.val();
        self.refused.d.next = self.refuse.val() || self.refused.q.val();
        if self.refuse.val() || self.reset.val() {
            self.end_2.d.next = false;
            self.run_2.d.next = false;
            self.fill_2.d.next = false;
            self.loop_2.d.next = false;
            self.next_2.d.next = false;
            self.none_2.d.next = false;
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
            self.wanted.d.next = self.zero.val();
        }
        if !self.awake.q.val() {
            self.pc.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.awake.d.next = false;
            self.refused.d.next = false;
            self.valid_2.d.next = false;
            self.last_2.d.next = false;
            self.set_2.d.next = false;
            self.sets_r.d.next = self.zero.val();
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
        self.set.next = self.set_2.q.val();
        self.sets.next = self.sets_r.q.val();
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
