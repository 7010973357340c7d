//! What goes from block to block, and what is in work.

use super::Engine;
use crate::number::unsigned_cast_of;
use rust_hdl::prelude::*;

impl Logic for Engine {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            bus,
            fetch,
            fields,
            norm_fields,
            fill,
            walker,
            x_memory,
            array,
            intake,
            conveyor,
            front,
            tail,
            store,
            bank_port,
            sink,
            best,
            peek
        );
        dff_setup!(
            self,
            clock,
            beat,
            pair_1,
            last_1,
            even_1,
            odd_1,
            bank_row_1,
            source,
            wide,
            step_r,
            norm_step_r,
            first_block,
            rows_open,
            norm_room,
            norm_idle,
            stream_idle,
            quiet,
            error_r,
            stall
        );
        self.bus.reset.next = self.reset.val();
        self.fetch.reset.next = self.reset.val();
        self.fill.reset.next = self.reset.val();
        self.walker.reset.next = self.reset.val();
        self.array.reset.next = self.reset.val();
        self.intake.reset.next = self.reset.val();
        self.conveyor.reset.next = self.reset.val();
        self.front.reset.next = self.reset.val();
        self.tail.reset.next = self.reset.val();
        self.store.reset.next = self.reset.val();
        self.sink.reset.next = self.reset.val();
        self.best.reset.next = self.reset.val();
        self.beat.d.next = (self.beat.q.val() + 1).into();
        self.even.next = !self.beat.q.val().get_bit(0);

        // Load port.
        self.asks.next = self.load_valid.val() && self.load_read.val() && self.readable.val() && !self.fetch.busy.val();
        self.loads.next =
            self.load_valid.val() && !self.load_read.val() && !self.peek.active.val() && !self.fetch.busy.val();
        self.load_ready.next =
            (!self.fetch.busy.val() && !self.peek.active.val() && !self.asks.val()) || self.peek.done.val();
        self.peek.reset.next = self.reset.val();
        self.peek.ask.next = self.asks.val();
        self.peek.bank.next = self.load_memory.val() == 4;
        self.peek.address.next = self.load_address.val();
        self.peek.captured.next = self.array.captured.val();
        self.bus.idle.next = !self.fetch.busy.val();
        self.bus.load.next = self.loads.val() && (self.load_memory.val() == 0);
        self.bus.peek.next = self.peek.read.val();
        self.bus.load_address.next = self.load_address.val();
        self.bus.load_data.next = self.load_data.val();
        self.front.table_write.next = self.loads.val() && (self.load_memory.val() == 1);
        self.front.table_read.next = self.peek.read.val();
        self.front.table_address.next = self.load_address.val();
        self.front.table_data.next = self.load_data.val().into();
        self.tail.table_write.next = self.loads.val() && (self.load_memory.val() == 2);
        self.tail.table_read.next = self.peek.read.val();
        self.tail.table_address.next = self.load_address.val();
        self.tail.table_data.next = self.load_data.val().into();
        self.tail.parameter_write.next = self.loads.val() && (self.load_memory.val() == 3);
        self.tail.parameter_read.next = self.peek.read.val();
        self.tail.parameter_address.next = self.load_address.val();
        self.tail.parameter_beta.next = self.load_data.val().into();
        self.tail.parameter_gamma.next = (self.load_data.val() >> self.gamma_shift.val().index()).into();
        self.bank_port.load_write.next = self.loads.val() && (self.load_memory.val() == 4);
        self.bank_port.load_address.next = self.load_address.val();
        self.lane.next = (self.load_address.val() >> self.lane_shift.val().index()).into();
        self.bank_port.load_lane.next = self.lane.val();
        self.bank_port.load_word.next = self.load_data.val().into();

        self.bank_word.next = unsigned_cast_of(self.array.word);
        self.beta_word.next = unsigned_cast_of(self.tail.beta);
        self.gamma_word.next = unsigned_cast_of(self.tail.gamma);
        self.load_word.next = self.no_word.val();
        if self.peek.done.val() {
            self.load_word.next = self.bank_word.val();
            if self.load_memory.val() == 0 {
                self.load_word.next = self.bus.word.val();
            }
            if self.load_memory.val() == 1 {
                self.load_word.next = unsigned_cast_of(self.front.table_word);
            }
            if self.load_memory.val() == 2 {
                self.load_word.next = unsigned_cast_of(self.tail.table_word);
            }
            if self.load_memory.val() == 3 {
                self.load_word.next =
                    ((self.gamma_word.val() << self.gamma_shift.val().index()) | self.beta_word.val()).into();
            }
        }

        // Program.
        self.fetch.begins.next = self.s_axis_tvalid.val() && !self.load_valid.val() && !self.peek.active.val();
        self.bus.fetch_request.next = self.fetch.request.val();
        self.bus.fetch_address.next = self.fetch.address.val();
        self.fetch.grant.next = self.bus.fetch_grant.val();
        self.fetch.word_valid.next = self.bus.fetch_valid.val();
        self.fetch.word.next = self.bus.word.val();
        self.fetch.walker_open.next = self.walker.open.val();
        self.fetch.taken.next = self.walker.taken.val();
        self.fetch.stream_idle.next = self.stream_idle.q.val();
        self.fetch.norm_idle.next = self.norm_idle.q.val();
        self.fetch.fill_idle.next = self.fill.idle.val();
        self.fetch.quiet.next = self.quiet.q.val();
        self.fetch.input_done.next = self.intake.done.val();
        self.fetch.tokens.next = self.intake.tokens.val();
        self.fetch.x_last.next = self.intake.x_last.val();
        self.fetch.norm_used.next = self.fields.norm.val();
        self.fetch.serial_used.next = !(self.fields.serial.val() == 0);
        self.fields.write.next = self.fetch.set.val();
        self.fields.number.next = self.fetch.number.val();
        self.fields.data.next = self.fetch.value.val();
        self.norm_fields.write.next = self.fetch.set.val();
        self.norm_fields.number.next = self.fetch.number.val();
        self.norm_fields.data.next = self.fetch.value.val();
        if self.fetch.stream_start.val() {
            self.source.d.next = self.fetch.source.val();
            self.wide.d.next = self.fetch.wide.val();
            self.step_r.d.next = self.fetch.step.val();
            self.first_block.d.next = self.fetch.first_block.val();
            if self.fields.norm.val() {
                self.norm_step_r.d.next = self.fetch.step.val();
            }
        }

        // Weights.
        self.fill.set.next = self.fetch.set_fill.val();
        self.fill.number.next = self.fetch.number.val();
        self.fill.value.next = self.fetch.value.val();
        self.fill.start.next = self.fetch.fill_start.val();
        self.fill.blocked.next = (self.fields.to.val() == 2) && !self.stream_idle.q.val();
        self.bus.fill_request.next = self.fill.request.val();
        self.bus.fill_address.next = self.fill.address.val();
        self.fill.grant.next = self.bus.fill_grant.val();
        self.fill.word_valid.next = self.bus.fill_valid.val();
        self.bank_port.fill_write.next = self.fill.write.val();
        self.bank_port.fill_address.next = self.fill.bank_address.val();
        self.bank_port.fill_lane.next = self.fill.lane.val();
        self.bank_port.fill_word.next = self.bus.word.val();

        // Array.
        self.walker.odd.next = !self.even.val();
        self.walker.set.next = self.fetch.set.val();
        self.walker.number.next = self.fetch.number.val();
        self.walker.value.next = self.fetch.value.val();
        self.walker.offer.next = self.fetch.offer.val();
        self.walker.chain_free.next = self.conveyor.chain_free.val();
        self.walker.captured.next = self.array.captured.val() && !self.peek.active.val();
        self.x_memory.read.next = self.walker.pair.val();
        self.x_memory.read_row.next = self.walker.read_row.val();
        self.array.pair.next = self.walker.pair.val();
        self.array.bank_row.next = self.walker.bank_row.val();
        self.array.mac_even.next = self.walker.mac_even.val();
        self.array.mac_odd.next = self.walker.mac_odd.val();
        self.array.last.next = self.walker.last.val();
        self.pair_1.d.next = self.walker.pair.val() && !self.reset.val();
        self.last_1.d.next = self.walker.last.val();
        self.even_1.d.next = self.walker.mac_even.val();
        self.odd_1.d.next = self.walker.mac_odd.val();
        self.bank_row_1.d.next = self.walker.bank_row.val();
        if self.late.val() {
            self.array.pair.next = self.pair_1.q.val();
            self.array.bank_row.next = self.bank_row_1.q.val();
            self.array.mac_even.next = self.even_1.q.val();
            self.array.mac_odd.next = self.odd_1.q.val();
            self.array.last.next = self.last_1.q.val();
        }
        self.array.x_even.next = self.x_memory.row_even.val();
        self.array.x_odd.next = self.x_memory.row_odd.val();
        if self.peek.active.val() {
            self.array.x_even.next = self.unity.val();
            self.array.x_odd.next = self.unity.val();
        }
        if self.peek.pair.val() {
            self.array.pair.next = true;
            self.array.bank_row.next = self.peek.row.val();
            self.array.mac_even.next = !self.peek.odd.val();
            self.array.mac_odd.next = self.peek.odd.val();
            self.array.last.next = true;
        }
        self.array.shift.next = self.conveyor.shift.val() || self.peek.shift.val();
        self.array.bank_address.next = self.bank_port.bank_address.val();
        for i in 0..(self.array.bank_write.len()) {
            self.array.bank_write[i].next = self.bank_port.bank_write[i].val();
        }
        for i in 0..(self.array.bank_data.len()) {
            self.array.bank_data[i].next = self.bank_port.bank_data[i].val();
        }
        self.slots.next = self.walker.slots.val();

        // Words into the stream.
        self.intake.s_valid.next = self.s_axis_tvalid.val();
        self.intake.s_data.next = self.s_axis_tdata.val();
        self.intake.s_last.next = self.s_axis_tlast.val();
        self.s_axis_tready.next = self.intake.s_ready.val();
        self.intake.open.next = self.fetch.stream_start.val() && (self.fetch.source.val() == 1);
        self.intake.drop.next = self.fetch.dead.val();
        self.intake.take.next = self.conveyor.take.val();
        self.intake.row_last.next = self.conveyor.row_end.val();
        self.intake.n_max.next = self.fetch.n_max.val();
        self.intake.stride.next = self.store.row.val();
        self.conveyor.beat.next = self.beat.q.val();
        self.conveyor.start.next = self.fetch.stream_start.val();
        self.conveyor.source.next = self.fetch.source.val();
        self.conveyor.slow.next = self.fetch.slow.val();
        self.conveyor.capturing_last.next = self.walker.captured_last.val();
        self.conveyor.cols.next = self.fields.cols.val();
        self.conveyor.capturing.next = self.array.capturing.val() && !self.peek.active.val();
        self.conveyor.array_word.next = self.array.word.val();
        self.conveyor.available.next = self.intake.available.val();
        self.conveyor.in_word.next = self.intake.word.val();
        self.conveyor.in_ends.next = self.intake.ends.val();
        self.conveyor.scan_word.next = self.tail.scan_word.val();
        self.conveyor.tokens.next = self.intake.tokens.val();
        self.to_output.next = self.fields.to.val() == 3;
        self.conveyor.room.next = !self.to_output.val() || self.sink.room.val();
        self.conveyor.norm_room.next = !self.fields.norm.val() || self.norm_room.q.val();

        // Front.
        self.front.even.next = self.even.val();
        self.front.addend_start.next = self.fetch.sets.val().get_bit(6);
        self.front.other_start.next = self.fetch.sets.val().get_bit(9);
        self.front.addend_row.next = self.fetch.sets.val().get_bit(7);
        self.front.other_row.next = self.fetch.sets.val().get_bit(10);
        self.front.block_first.next = self.first_block.q.val();
        self.front.entry_soon.next = self.conveyor.entry_soon.val();
        self.front.entry_valid.next = self.conveyor.entry_valid.val();
        self.front.entry_word.next = self.conveyor.entry_word.val();
        self.front.entry_row_last.next = self.conveyor.entry_row_last.val();
        self.front.entry_pass_last.next = self.conveyor.entry_pass_last.val();
        self.front.entry_last.next = self.conveyor.entry_last.val();
        self.front.addend.next = self.bus.word.val().into();
        self.front.exponent.next = self.tail.exponent.val();
        self.front.source.next = self.source.q.val();
        self.front.addend_kind.next = self.fields.addend_kind.val();
        self.front.wide.next = self.wide.q.val();
        self.front.base.next = self.fetch.value.val();
        self.front.shift.next = self.fields.shift.val();
        self.front.bits.next = self.fields.bits.val();
        self.front.function_kind.next = self.fields.kind.val();
        self.front.one.next = self.fields.one.val();
        self.front.function_shift.next = self.fields.function_shift.val();
        self.front.function_table.next = self.fields.function_table.val();
        self.front.index_bits.next = self.fields.index_bits.val();
        self.front.drop.next = self.fields.drop.val();
        self.front.other_kind.next = self.fields.other_kind.val();
        self.front.left.next = self.fields.left.val();
        self.front.left_is_value.next = self.fields.left_is_value.val();
        self.front.other_shift.next = self.fields.other_shift.val();
        // The words of a running power go through the front as others do.
        self.running.next = self.fields.running.val() && self.chunked.val();
        self.front_serial.next = self.fields.serial.val();
        if self.running.val() {
            self.front_serial.next = self.zero.val();
        }
        self.front.serial.next = self.front_serial.val();
        self.front.offset.next = self.fields.offset.val();
        self.front.operand.next = self.x_memory.serial_element.val();
        self.front.positional.next = self.bus.operand.val();
        self.bus.addend_request.next = self.front.addend_request.val();
        self.bus.addend_address.next = self.front.addend_address.val();
        self.bus.operand_request.next = self.front.key_request.val();
        self.bus.operand_address.next = self.front.operand_address.val();
        self.bus.state_store.next = self.front.state_store.val();
        self.bus.state_address.next = self.front.state_address.val();
        self.bus.state_data.next = self.front.state_data.val();

        // Tail.
        self.tail.start.next = self.fetch.stream_start.val();
        self.tail.block_first.next = self.fetch.first_block.val();
        self.tail.serial.next = self.fields.serial.val();
        self.tail.running.next = self.running.val();
        self.tail.g.next = self.fields.g.val();
        self.tail.read.next = self.fields.read.val();
        self.tail.mantissa_bits.next = self.fields.mantissa_bits.val();
        self.tail.mantissa_table.next = self.fields.mantissa_table.val();
        self.tail.minimum.next = self.fields.minimum.val();
        self.tail.sums_of.next = self.fields.sums_of.val();
        self.tail.sums_base.next = self.fields.sums_base.val();
        self.tail.norm.next = self.fields.norm.val();
        self.tail.cols.next = self.fields.cols.val();
        self.tail.norm_drop.next = self.norm_fields.drop.val();
        self.tail.norm_parameters.next = self.norm_fields.parameters.val();
        self.tail.norm_offset.next = self.norm_fields.offset.val();
        self.tail.norm_shift.next = self.norm_fields.shift.val();
        self.tail.norm_bits.next = self.norm_fields.bits.val();
        self.tail.norm_table.next = self.norm_fields.root_table.val();
        self.tail.entry_word.next = self.conveyor.entry_word.val();
        self.tail.entry_valid.next = self.conveyor.entry_valid.val();
        self.tail.entry_row_last.next = self.conveyor.entry_row_last.val();
        self.tail.entry_last.next = self.conveyor.entry_last.val();
        self.tail.function_word.next = self.front.function_word.val();
        self.tail.function_valid.next = self.front.function_valid.val();
        self.tail.function_row_last.next = self.front.function_row_last.val();
        self.tail.x.next = self.front.x.val();
        self.tail.x_valid.next = self.front.x_valid.val();
        self.tail.x_row_last.next = self.front.x_row_last.val();
        self.tail.x_pass_last.next = self.front.x_pass_last.val();
        self.tail.x_last.next = self.front.x_last.val();
        self.tail.scan.next = self.conveyor.scan.val();
        self.tail.scan_column.next = self.conveyor.scan_column.val();
        self.tail.hold.next = self.store.hold.val();

        // Destination.
        self.store.odd.next = !self.even.val();
        self.store.start.next = self.fetch.stream_start.val();
        self.store.to.next = self.fields.to.val();
        self.store.aim.next = self.fetch.sets.val().get_bit(14);
        self.store.norm_aim.next = self.fetch.sets.val().get_bit(18);
        self.store.base.next = self.fetch.value.val();
        self.store.aim_row.next = self.fetch.sets.val().get_bit(15);
        self.store.norm_aim_row.next = self.fetch.sets.val().get_bit(19);
        self.store.column.next = (self.fetch.value.val() >> self.column_shift.val().index()).into();
        self.store.final_block.next = self.fetch.final_block.val();
        self.store.norm_used.next = self.norm_fields.stored.val();
        self.store.word.next = self.tail.result.val();
        self.store.valid.next = self.tail.result_valid.val();
        self.store.row_last.next = self.tail.result_row_last.val();
        self.store.pass_last.next = self.tail.result_pass_last.val();
        self.store.last.next = self.tail.result_last.val();
        self.store.norm_word.next = self.tail.norm_word.val();
        self.store.norm_valid.next = self.tail.norm_valid.val();
        self.store.norm_row_last.next = self.tail.norm_row_last.val();
        self.store.operand_request.next = self.front.residual_request.val();
        self.store.operand_address.next = self.front.operand_address.val();
        self.x_memory.serial.next = self.store.serial.val();
        self.x_memory.serial_write.next = self.store.serial_write.val();
        self.x_memory.serial_address.next = self.store.serial_address.val();
        self.x_memory.serial_data.next = self.store.serial_data.val();
        self.bank_port.store_write.next = self.store.bank_valid.val();
        self.bank_port.store_address.next = self.store.bank_address.val();
        self.bank_port.store_lane.next = self.store.bank_lane.val();
        self.bank_port.store_word.next = self.store.data.val();
        self.sink.reserve.next = self.conveyor.pushed.val() && self.to_output.val();
        self.sink.push.next = self.store.out_valid.val();
        self.sink.data.next = self.store.data.val();
        self.sink.last.next = self.store.out_last.val();
        self.sink.m_ready.next = self.m_axis_tready.val();
        self.m_axis_tvalid.next = self.sink.m_valid.val();
        self.m_axis_tdata.next = self.sink.m_data.val();
        self.m_axis_tlast.next = self.sink.m_last.val();
        self.best.valid.next = self.store.out_valid.val();
        self.best.word.next = self.store.data.val();
        self.best.row_last.next = self.store.out_row_last.val();
        self.argmax.next = self.best.index.val();
        self.argmax_valid.next = self.best.index_valid.val();

        // What is in work.
        self.norm_begins.next = self.conveyor.row_begin.val() && self.fields.norm.val();
        self.norm_ends.next = self.tail.norm_valid.val() && self.tail.norm_row_last.val();
        if self.norm_begins.val() && !self.norm_ends.val() {
            self.rows_open.d.next = (self.rows_open.q.val() + 1).into();
        }
        if self.norm_ends.val() && !self.norm_begins.val() {
            self.rows_open.d.next = (self.rows_open.q.val() - 1).into();
        }
        self.norm_room.d.next = !self.rows_open.q.val().get_bit(1);
        self.norm_idle.d.next =
            (self.rows_open.q.val() == 0) && !self.tail.norm_busy.val() && !self.store.waiting.val();
        self.stream_idle.d.next = !self.fetch.stream_start.val()
            && !self.conveyor.active.val()
            && !self.front.busy.val()
            && !self.tail.busy.val();
        self.quiet.d.next = self.stream_idle.q.val()
            && self.norm_idle.q.val()
            && self.walker.idle.val()
            && !self.intake.active.val()
            && !self.sink.ending.val();

        // Errors.
        self.stalled.next = (self.sink.m_valid.val() && !self.m_axis_tready.val())
            || (self.intake.s_ready.val() && !self.s_axis_tvalid.val());
        self.stall.d.next = self.zero.val();
        if self.stalled.val() {
            self.stall.d.next = (self.stall.q.val() + 1).into();
        }
        self.errors.next = self.error_r.q.val();
        if self.intake.error.val().get_bit(0) {
            self.errors.next = (self.errors.val() | self.too_long.val()).into();
        }
        if self.fetch.error.val().get_bit(0) {
            self.errors.next = (self.errors.val() | self.other_core.val()).into();
        }
        if self.fetch.error.val().get_bit(1) {
            self.errors.next = (self.errors.val() | self.bad_step.val()).into();
        }
        if self.intake.error.val().get_bit(1) {
            self.errors.next = (self.errors.val() | self.cut_short.val()).into();
        }
        if self.load_valid.val() && self.fetch.busy.val() {
            self.errors.next = (self.errors.val() | self.load_busy.val()).into();
        }
        if self.fetch.error.val().get_bit(2)
            || self.walker.error.val()
            || self.store.error.val()
            || self.fill.error.val()
        {
            self.errors.next = (self.errors.val() | self.bad_address.val()).into();
        }
        if self.stall.q.val().get_bit(self.stall_top.val().index()) {
            self.errors.next = (self.errors.val() | self.stall_bit.val()).into();
        }
        self.error_r.d.next = self.errors.val();
        if self.reset.val() {
            self.rows_open.d.next = self.zero.val();
            self.error_r.d.next = self.zero.val();
            self.stall.d.next = self.zero.val();
        }

        self.error.next = self.error_r.q.val();
        self.busy.next = self.fetch.busy.val();
        self.step.next = self.step_r.q.val();
        self.norm_step.next = self.norm_step_r.q.val();
        self.tap_sum_valid.next = self.front.tap_sum_valid.val();
        self.tap_sum_data.next = self.front.tap_sum_data.val();
        self.tap_linear_valid.next = self.front.tap_linear_valid.val();
        self.tap_linear_data.next = self.front.tap_linear_data.val();
        self.tap_function_valid.next = self.front.tap_function_valid.val();
        self.tap_function_data.next = self.front.tap_function_data.val();
        self.tap_other_valid.next = self.front.tap_other_valid.val();
        self.tap_other_data.next = self.front.tap_other_data.val();
        self.tap_sums_valid.next = self.tail.tap_sums_valid.val();
        self.tap_sums_data.next = self.tail.tap_sums_data.val();
        self.tap_calcium_valid.next = self.tail.tap_calcium_valid.val();
        self.tap_calcium_data.next = self.tail.tap_calcium_data.val();
        self.tap_power_valid.next = self.tail.tap_power_valid.val();
        self.tap_power_data.next = self.tail.tap_power_data.val();
        self.tap_normalise_valid.next = self.tail.tap_normalise_valid.val();
        self.tap_normalise_data.next = self.tail.tap_normalise_data.val();
        self.tap_norm_valid.next = self.tail.tap_norm_valid.val();
        self.tap_norm_data.next = self.tail.tap_norm_data.val();
    }
}
