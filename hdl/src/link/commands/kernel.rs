//! What an instruction does, and which is next.

use super::Commands;
use rust_hdl::prelude::*;

impl Logic for Commands {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, rom, state, damages, lines, overruns, sequences, barks);
        dff_setup!(
            self, clock, started, second, third, operand, pc, back, a, zero, carry, x, n, space, ends, address, word,
            bits, e, resets, open, errors
        );
        // The instruction.
        // After power-up and reset a cycle goes by until there is one.
        self.go.next = self.started.q.val();
        self.started.d.next = !self.reset.val();
        self.op.next = (self.rom.read_data.val() >> 12).into();
        self.field.next = (self.rom.read_data.val() >> 8).into();
        self.value.next = self.rom.read_data.val();
        self.direct.next = self.field.val().get_bit(3) && self.field.val().get_bit(2) && self.field.val().get_bit(1);
        // A source takes a cycle, a variable one before it.
        self.works.next =
            self.go.val() && ((!self.op.val().get_bit(3) && !self.op.val().get_bit(2)) || (self.op.val() == 11));
        self.fetches.next = self.works.val() && self.direct.val() && !self.second.q.val();
        // The sender's CRC counts when its byte has gone.
        self.answers.next = self.op.val() == 11;
        self.waits.next = self.answers.val() && self.send_busy.val();
        self.reads.next = self.works.val() && !self.fetches.val() && !self.third.q.val() && !self.waits.val();
        self.computes.next =
            self.go.val() && !self.op.val().get_bit(3) && !self.op.val().get_bit(2) && self.third.q.val();
        self.acts.next = self.go.val() && (self.op.val() == 10);
        self.controls.next = self.go.val() && (self.op.val() == 14);

        // The space's words.
        self.word_bytes.next = self.bytes_w.val();
        self.mask.next = self.mask_w.val();
        if self.space.q.val() == 0 {
            self.word_bytes.next = self.bytes_4.val();
            self.mask.next = self.mask_4.val();
        }
        if self.space.q.val() == 2 {
            self.word_bytes.next = self.bytes_s.val();
            self.mask.next = self.mask_s.val();
        }
        if self.space.q.val() == 3 {
            self.word_bytes.next = self.bytes_n.val();
            self.mask.next = self.mask_n.val();
        }
        self.bank.next = self.space.q.val() == 4;
        self.stream.next = self.space.q.val().get_bit(3) && !self.space.q.val().get_bit(1);
        self.gives.next = self.stream.val() && self.space.q.val().get_bit(0);
        self.registers.next = self.space.q.val() == 10;
        self.single.next = self.word_bytes.val() == 1;

        // Events.
        self.damages.reset.next = self.reset.val();
        self.damages.happens.next = self.damaged.val();
        self.lines.reset.next = self.reset.val();
        self.lines.happens.next = self.line.val();
        self.overruns.reset.next = self.reset.val();
        self.overruns.happens.next = self.overrun.val();
        // Those of an earlier session are not counted.
        self.sequences.reset.next = self.reset.val() || self.resets.q.val();
        self.sequences.happens.next = self.completed.val();
        self.barks.reset.next = self.reset.val() || self.resets.q.val();
        self.barks.happens.next = self.bark.val();
        self.waiting.next = self.damages.some.val()
            || self.lines.some.val()
            || self.overruns.some.val()
            || self.sequences.some.val()
            || self.barks.some.val();
        self.took.next = self.controls.val() && self.value.val().get_bit(5);
        self.first.next = self.e_watchdog.val();
        self.damages.take.next = false;
        self.lines.take.next = false;
        self.overruns.take.next = false;
        self.sequences.take.next = false;
        self.barks.take.next = false;
        if self.damages.some.val() {
            self.first.next = self.e_damaged.val();
            self.damages.take.next = self.took.val();
        } else if self.lines.some.val() {
            self.first.next = self.e_line.val();
            self.lines.take.next = self.took.val();
        } else if self.overruns.some.val() {
            self.first.next = self.e_overruns.val();
            self.overruns.take.next = self.took.val();
        } else if self.sequences.some.val() {
            self.first.next = self.e_sequences.val();
            self.sequences.take.next = self.took.val();
        } else {
            self.barks.take.next = self.took.val() && self.barks.some.val();
        }
        if self.took.val() {
            self.e.d.next = self.first.val();
        }
        if self.controls.val() && self.field.val().get_bit(3) {
            self.e.d.next = self.field.val();
        }
        self.wide.next = (self.e.q.val() == 1) || (self.e.q.val() == 6);
        self.dog.next = self.e.q.val() == 7;

        // The bus.
        self.work.next = self.engine_busy.val() || !self.queue_empty.val();
        self.flag_busy.next = self.nought.val();
        self.flag_open.next = self.nought.val();
        self.flag_empty.next = self.nought.val();
        if self.engine_busy.val() {
            self.flag_busy.next = self.one.val();
        }
        if self.open.q.val() {
            self.flag_open.next = self.two_c.val();
        }
        if self.queue_empty.val() {
            self.flag_empty.next = self.four_c.val();
        }
        self.flags.next = (self.flag_busy.val() | self.flag_open.val() | self.flag_empty.val()).into();
        self.ring_low.next = self.ring_word.val();
        self.ring_middle.next = (self.ring_word.val() >> 8).into();
        self.ring_high.next = (self.ring_word.val() >> 16).into();
        if self.ring_word.val().get_bit(self.ring_top.val().index()) {
            self.ring_high.next = ((self.ring_word.val() >> 16) | self.ring_sign.val()).into();
        }
        // A tree, not a chain: it is half of the longest path.
        self.bus_0.next = self.value.val();
        if self.field.val().get_bit(1) {
            if self.field.val().get_bit(0) {
                self.bus_0.next = self.crc.val();
            } else {
                self.bus_0.next = self.state.read_data.val();
            }
        } else if self.field.val().get_bit(0) {
            self.bus_0.next = self.rx_data.val();
        }
        self.bus_1.next = self.ring_low.val();
        if self.field.val().get_bit(1) {
            if self.field.val().get_bit(0) {
                self.bus_1.next = self.flags.val();
            } else {
                self.bus_1.next = self.ring_high.val();
            }
        } else if self.field.val().get_bit(0) {
            self.bus_1.next = self.ring_middle.val();
        }
        self.bus_2.next = self.errors.q.val();
        if self.field.val().get_bit(1) {
            if self.field.val().get_bit(0) {
                self.bus_2.next = self.word_bytes.val();
            } else {
                self.bus_2.next = self.produced.val();
            }
        } else if self.field.val().get_bit(0) {
            self.bus_2.next = self.queue_level.val();
        }
        self.bus_3.next = self.n.q.val();
        if self.field.val().get_bit(1) {
            self.bus_3.next = self.state.read_data.val();
        } else if self.field.val().get_bit(0) {
            self.bus_3.next = self.a.q.val();
        }
        self.bus.next = self.bus_0.val();
        if self.field.val().get_bit(3) {
            if self.field.val().get_bit(2) {
                self.bus.next = self.bus_3.val();
            } else {
                self.bus.next = self.bus_2.val();
            }
        } else if self.field.val().get_bit(2) {
            self.bus.next = self.bus_1.val();
        }

        // A and its flags.
        self.borrow.next = self.no_bit.val();
        if self.carry.q.val() && self.op.val().get_bit(1) {
            self.borrow.next = self.one_bit.val();
        }
        self.operand.d.next = self.bus.val();
        self.diff.next = (self.a.q.val() - self.operand.q.val() - self.borrow.val()).into();
        self.result.next = self.diff.val();
        if !self.op.val().get_bit(0) && !self.op.val().get_bit(1) {
            self.result.next = self.operand.q.val();
        }
        if self.op.val().get_bit(0) && self.op.val().get_bit(1) {
            self.result.next = (self.a.q.val() & self.operand.q.val()).into();
        }
        if self.computes.val() {
            self.a.d.next = self.result.val();
            if self.op.val().get_bit(0) || self.op.val().get_bit(1) {
                self.zero.d.next = (self.result.val() == 0) && (self.zero.q.val() || self.op.val().get_bit(0));
            }
            if self.op.val().get_bit(0) != self.op.val().get_bit(1) {
                self.carry.d.next = self.diff.val().get_bit(8);
            }
        }

        // The word, bit by bit.
        self.taking.next = self.acts.val() && (self.field.val() == 4);
        self.checking.next = self.acts.val() && (self.field.val() == 7);
        self.draining.next = self.acts.val() && (self.field.val() == 9);
        self.moves.next = self.taking.val() || self.checking.val() || self.draining.val();
        self.limit.next = ((self.word_bytes.val() << 3) - self.one.val()).into();
        if self.draining.val() {
            self.limit.next = self.bit_limit.val();
        }
        self.finished.next = self.bits.q.val() == self.limit.val();
        if self.moves.val() {
            self.bits.d.next = (self.bits.q.val() + 1).into();
            if self.finished.val() {
                self.bits.d.next = self.none.val();
            }
        }
        self.low.next = self.bits.q.val();
        self.rotated.next = (self.rx_data.val() >> self.low.val().index()).into();
        self.kept.next = (self.word.q.val() >> 1).into();
        if self.taking.val() {
            self.word.d.next = (self.kept.val() & !self.mask.val()).into();
            if self.rotated.val().get_bit(0) {
                self.word.d.next = (self.kept.val() | self.mask.val()).into();
            }
        }
        if self.checking.val() {
            self.word.d.next = self.kept.val();
        }
        self.load_valid.next = self.acts.val() && ((self.field.val() == 5) || (self.field.val() == 6));
        self.load_read.next = self.acts.val() && (self.field.val() == 6);
        self.held.next = self.load_valid.val() && !self.load_ready.val();
        if self.load_read.val() && self.load_ready.val() {
            self.word.d.next = self.load_word.val();
        }
        self.load_memory.next = self.space.q.val();
        self.load_address.next = self.address.q.val();
        self.load_data.next = self.word.q.val();
        self.queue_push.next = self.acts.val() && (self.field.val() == 10);
        self.queue_data.next = self.word.q.val();
        self.queue_last.next = self.ends.q.val() && (self.n.q.val() == 1);

        // X, N, space, address.
        self.x_next.next = self.x.q.val();
        if self.go.val()
            && self.value.val().get_bit(0)
            && !(self.field.val() == 0)
            && !self.direct.val()
            && ((self.op.val() == 12) || ((self.op.val() == 11) && self.third.q.val()) || self.computes.val())
        {
            self.x_next.next = (self.x.q.val() + 1).into();
        }
        if self.taking.val() && (self.low.val() == 7) {
            self.x_next.next = (self.x.q.val() + 1).into();
        }
        if self.acts.val() && (self.field.val() == 1) {
            self.x_next.next = self.a.q.val();
        }
        if self.acts.val() && (self.field.val() == 2) {
            self.x_next.next = self.value.val();
        }
        self.x.d.next = self.x_next.val();
        self.rx_address.next = self.x_next.val();
        if self.acts.val() && (self.field.val() == 3) {
            self.n.d.next = self.a.q.val();
        }
        if self.go.val() && (self.op.val() == 9) {
            self.n.d.next = (self.n.q.val() - 1).into();
        }
        if self.acts.val() && (self.field.val() == 0) {
            self.space.d.next = (self.a.q.val() >> 4).into();
            self.ends.d.next = self.a.q.val().get_bit(0);
        }
        self.address_part.next = (self.address.q.val() >> 8).into();
        self.high.next = (self.bus.val() << 16).into();
        if self.go.val() && (self.op.val() == 12) {
            self.address.d.next = (self.address_part.val() | self.high.val()).into();
        }
        if (self.load_valid.val() && self.load_ready.val()) || (self.go.val() && (self.op.val() == 15)) {
            self.address.d.next = (self.address.q.val() + 1).into();
        }

        // The state memory.
        self.variable.next = ((self.value.val() & self.low_7.val()) | self.variables.val()).into();
        self.slot.next = (self.space.q.val() << 4).into();
        if (self.field.val() == 1) || (self.direct.val() && self.field.val().get_bit(0)) {
            self.variable.next =
                ((self.slot.val() & self.low_7.val()) | self.value.val() | self.variables.val()).into();
            if self.space.q.val().get_bit(3) {
                self.variable.next = ((self.slot.val() & self.low_7.val())
                    | self.slot_high.val()
                    | self.value.val()
                    | self.variables.val())
                .into();
            }
        }
        if self.field.val() == 2 {
            self.variable.next = ((self.e.q.val() << 2) | self.value.val() | self.counters.val()).into();
        }
        self.state_at.next = self.variable.val();
        if self.op.val() == 15 {
            self.state_at.next = self.address.q.val();
        }
        self.state.read_enable.next = self.fetches.val()
            || (self.go.val() && ((self.op.val() == 4) || ((self.op.val() == 15) && (self.field.val() == 0))));
        self.state.read_address.next = self.state_at.val();
        self.state.write_enable.next =
            self.go.val() && ((self.op.val() == 5) || ((self.op.val() == 15) && (self.field.val() == 1)));
        self.state.write_address.next = self.state_at.val();
        self.state.write_data.next = self.a.q.val();

        // Sender, receiver, ring.
        self.start.next = self.acts.val() && (self.field.val() == 12);
        self.push.next = self.go.val() && (self.op.val() == 11) && self.third.q.val();
        self.data.next = self.operand.q.val();
        self.drain.next = self.field.val() == 3;
        self.finish.next = self.acts.val() && (self.field.val() == 13) && !self.send_busy.val();
        self.crc_start.next = self.acts.val() && (self.field.val() == 8);
        self.crc_step.next = self.checking.val() || self.draining.val();
        self.crc_bit.next = self.word.q.val().get_bit(0);
        self.crc_drain.next = self.draining.val();
        self.rx_done.next = self.acts.val() && (self.field.val() == 14);
        self.ring_read.next = self.acts.val() && (self.field.val() == 15);
        self.ring_address.next = self.x.q.val();
        self.ring_free.next = self.acts.val() && (self.field.val() == 11);
        self.ring_freed.next = self.a.q.val();

        // Control.
        self.errors.d.next = (self.errors.q.val() | self.engine_error.val()).into();
        if self.controls.val() {
            if self.value.val().get_bit(0) {
                self.resets.d.next = true;
            }
            if self.value.val().get_bit(1) {
                self.resets.d.next = false;
            }
            if self.value.val().get_bit(2) {
                self.open.d.next = true;
            }
            if self.value.val().get_bit(3) {
                self.open.d.next = false;
            }
            if self.value.val().get_bit(4) {
                self.errors.d.next = self.nought.val();
            }
        }
        self.engine_reset.next = self.resets.q.val() || self.reset.val();

        // The next instruction.
        self.jump.next = true;
        if self.field.val() == 1 {
            self.jump.next = self.zero.q.val();
        }
        if self.field.val() == 2 {
            self.jump.next = self.carry.q.val();
        }
        if self.field.val() == 3 {
            self.jump.next = self.rx_some.val();
        }
        if self.field.val() == 4 {
            self.jump.next = self.room.val();
        }
        if self.field.val() == 5 {
            self.jump.next = self.work.val();
        }
        if self.field.val() == 6 {
            self.jump.next = self.waiting.val();
        }
        if self.field.val() == 7 {
            self.jump.next = self.open.q.val();
        }
        if self.field.val() == 8 {
            self.jump.next = self.wide.val();
        }
        if self.field.val() == 9 {
            self.jump.next = self.bank.val();
        }
        if self.field.val() == 10 {
            self.jump.next = self.dog.val();
        }
        if self.field.val() == 11 {
            self.jump.next = self.single.val();
        }
        if self.field.val() == 12 {
            self.jump.next = self.stream.val();
        }
        if self.field.val() == 13 {
            self.jump.next = self.gives.val();
        }
        self.calls.next = self.go.val()
            && (self.op.val() == 8)
            && (!self.field.val().get_bit(0) || (self.waiting.val() && !self.registers.val()));
        self.stands.next = (self.works.val() && !self.third.q.val())
            || self.held.val()
            || (self.moves.val() && !self.finished.val())
            || (self.send_busy.val() && self.acts.val() && (self.field.val() == 13));
        self.after.next = (self.pc.q.val() + 1).into();
        self.second.d.next = self.fetches.val() || (self.second.q.val() && self.stands.val());
        self.third.d.next = self.reads.val();
        self.target.next = (self.value.val() << 1).into();
        self.next.next = self.after.val();
        if ((self.op.val() == 6) && self.jump.val())
            || ((self.op.val() == 7) && !self.jump.val())
            || self.calls.val()
            || ((self.op.val() == 9) && !(self.n.q.val() == 1))
        {
            self.next.next = self.target.val();
        }
        if self.op.val() == 13 {
            self.next.next = self.back.q.val();
        }
        if !self.go.val() {
            self.next.next = self.none.val();
        }
        if self.calls.val() {
            self.back.d.next = self.after.val();
        }
        // While it stands the instruction stays at the memory's output.
        self.rom.read_enable.next = !self.stands.val();
        if !self.stands.val() {
            self.pc.d.next = self.next.val();
        }
        self.rom.read_address.next = self.next.val();
        self.rom.write_enable.next = false;
        self.rom.write_address.next = self.next.val();
        self.rom.write_data.next = self.nought.val();
        if self.reset.val() {
            self.bits.d.next = self.none.val();
            self.open.d.next = false;
            self.space.d.next = self.none.val();
        }
    }
}
