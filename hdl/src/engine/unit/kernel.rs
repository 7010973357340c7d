//! From operands to results, cycle by cycle.

use super::Unit;
use crate::number::unsigned_cast_of;
use rust_hdl::prelude::*;

impl Logic for Unit {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            a,
            b,
            add_beta,
            add_row_sum,
            addend,
            again_q,
            again_valid,
            again_row_last,
            amount,
            narrow,
            low,
            carry,
            add_high,
            operand_high,
            high,
            clear_low,
            clear_high,
            capture_low,
            capture_high,
            held,
            fetched,
            done_r
        );
        clock!(self, clock, multiplier, tags, requant, split, mantissa, looked);
        self.tags.reset.next = self.reset.val();
        self.looked.reset.next = self.reset.val();

        // 0: operands.
        self.squaring.next = self.working.val() && !self.scaling.val();
        self.root.next = self.mantissa.word.val();
        self.first_done.next = self.tags.out_valid.val() && !self.tags.out_second.val();
        self.again_valid.d.next = self.first_done.val() && !self.reset.val();
        self.again_row_last.d.next = self.tags.out_row_last.val();
        self.again_q.d.next = self.requant.y.val();
        self.second.next = self.first_done.val();
        self.second_row_last.next = self.tags.out_row_last.val();
        self.again.next = self.requant.y.val();
        if self.late.val() {
            self.second.next = self.again_valid.q.val();
            self.second_row_last.next = self.again_row_last.q.val();
            self.again.next = self.again_q.q.val();
        }
        self.second_begins.next = self.working.val() && self.second.val();
        self.second_last.next = self.second_row_last.val();
        self.enters.next = self.x_valid.val();
        self.tags.row_last.next = self.x_row_last.val();
        self.tags.second.next = self.x_pass_last.val();
        self.tags.last.next = self.x_last.val();
        if self.working.val() {
            self.enters.next = self.element.val() || self.second.val();
            self.tags.row_last.next = self.element_last.val();
            if !self.element.val() {
                self.tags.row_last.next = self.second_row_last.val();
            }
            self.tags.second.next = !self.element.val();
            self.tags.last.next = false;
        }
        self.tags.valid.next = self.enters.val();
        // Sources behind gates, one of them open; none gives ε's pass its zero.
        self.second_pass.next = self.working.val() && !self.element.val();
        self.stream_a.next = self.naught.val();
        self.stream_b.next = self.naught.val();
        if !self.working.val() {
            self.stream_a.next = unsigned_cast_of(self.x);
            self.stream_b.next = unsigned_cast_of(self.memory);
        }
        self.row_a.next = self.naught.val();
        self.width_b.next = self.naught.val();
        self.root_b.next = self.naught.val();
        if self.element.val() {
            self.row_a.next = unsigned_cast_of(self.row_word);
        }
        if self.element.val() && self.squaring.val() {
            self.width_b.next = self.width.val();
        }
        if self.element.val() && self.scaling.val() {
            self.root_b.next = unsigned_cast_of(self.root);
        }
        self.again_a.next = self.naught.val();
        self.again_b.next = self.naught.val();
        self.gamma_b.next = self.naught.val();
        if self.second_pass.val() && (self.scaling.val() || !self.second_row_last.val()) {
            self.again_a.next = unsigned_cast_of(self.again);
        }
        if self.second_pass.val() && self.squaring.val() {
            self.again_b.next = unsigned_cast_of(self.again);
        }
        if self.second_pass.val() && self.scaling.val() {
            self.gamma_b.next = unsigned_cast_of(self.gamma);
        }
        if self.enters.val() {
            self.a.d.next = (self.stream_a.val() | self.row_a.val() | self.again_a.val()).into();
            self.b.d.next = (self.stream_b.val()
                | self.width_b.val()
                | self.root_b.val()
                | self.gamma_b.val()
                | self.again_b.val())
            .into();
        }
        self.multiplier.a.next = self.a.q.val();
        self.multiplier.b.next = self.b.q.val();
        self.multiplier.valid.next = self.tags.at_1_valid.val();

        // 2: which addend; 3: the addend.
        self.add_beta.d.next = self.tags.at_2_second.val()
            && (self.scaling.val() || (self.squaring.val() && self.tags.at_2_row_last.val()));
        self.add_row_sum.d.next = self.squaring.val() && !self.tags.at_2_second.val();
        self.less_row_sum.next = (!unsigned_cast_of(self.row_sum)).into();
        self.beta_low.next = unsigned_cast_of(self.beta);
        self.beta_long.next = self.beta.val();
        if self.squaring.val() {
            self.beta_long.next = self.beta_low.val().into();
        }
        self.addend.d.next = self.zero.val();
        if self.add_beta.q.val() {
            self.addend.d.next = self.beta_long.val();
        }
        if self.add_row_sum.q.val() {
            self.addend.d.next = self.less_row_sum.val();
        }
        self.multiplier.addend.next = self.addend.q.val();
        self.sum.next = self.multiplier.sum.val();

        // 5: shift.
        self.half_exponent.next = (self.mantissa.limited.val() >> self.by_one.val().index()).into();
        self.offset_amount.next = (self.norm_offset.val() + self.offset_more.val()).into();
        self.root_amount.next = (self.half_exponent.val() + self.offset_amount.val()).into();
        self.drop_amount.next = (self.norm_drop.val() + self.drop_more.val()).into();
        self.narrow.d.next = !self.working.val() || self.tags.at_5_second.val();
        self.amount.d.next = self.normalise_amount.val();
        if self.working.val() {
            self.amount.d.next = self.norm_shift.val();
            if !self.tags.at_5_second.val() {
                self.amount.d.next = self.drop_amount.val();
                if self.scaling.val() {
                    self.amount.d.next = self.root_amount.val();
                }
            }
        }
        self.requant.x.next = self.sum.val();
        self.requant.amount.next = self.amount.q.val();
        self.requant.narrow.next = self.narrow.q.val();

        // 6: the accumulator's low part.
        self.add.next = self.tags.at_6_valid.val() && (self.calcium.val() || self.working.val());
        if self.working.val() {
            self.add.next = self.tags.at_6_valid.val() && self.tags.at_6_second.val() && self.squaring.val();
        }
        self.sum_low.next = unsigned_cast_of(self.sum);
        self.sum_above.next = (unsigned_cast_of(self.sum) >> self.by_32.val().index()).into();
        self.sum_high.next = self.sum_above.val();
        // The bit above is never set while something is added; as an operand it keeps the carry inside the chain.
        self.above_low.next = self.naught.val();
        if self.clear_low.q.val() {
            self.above_low.next = self.one.val();
        }
        self.total.next =
            (((self.above_low.val() << self.by_32.val().index()) | self.low.q.val()) + self.sum_low.val()).into();
        self.carry.d.next = self.total.val().get_bit(32);
        self.epsilon_high.next = unsigned_cast_of(self.gamma);
        self.operand_high.d.next = unsigned_cast_of(self.sum_high);
        if self.squaring.val() && self.tags.at_6_row_last.val() {
            self.operand_high.d.next = self.epsilon_high.val();
        }
        if self.add.val() {
            self.low.d.next = self.total.val();
        }
        if self.clear_low.q.val() {
            self.low.d.next = self.naught.val();
        }
        self.add_high.d.next = self.add.val();
        self.capture_low.d.next = self.add.val() && self.tags.at_6_row_last.val();
        // Clearing goes before adding, and is the registers' reset: together with their enable the adders keep three inputs a bit.
        self.clear_low.d.next = self.reset.val() || (self.add.val() && self.tags.at_6_row_last.val());
        self.clear_high.d.next = self.clear_low.q.val();
        // 7: the high part, with one place more for the carry.
        self.left.next = ((self.high.q.val() << self.by_one.val().index()) | self.one.val()).into();
        self.right.next = (self.operand_high.q.val() << self.by_one.val().index()).into();
        if self.carry.q.val() {
            self.right.next = ((self.operand_high.q.val() << self.by_one.val().index()) | self.one.val()).into();
        }
        self.total_high.next = (self.left.val() + self.right.val()).into();
        if self.add_high.q.val() {
            self.high.d.next = (self.total_high.val() >> self.by_one.val().index()).into();
        }
        if self.clear_high.q.val() {
            self.high.d.next = self.naught.val();
        }
        self.capture_high.d.next = self.capture_low.q.val();
        // 8: a row's number, or an entered one.
        self.held.d.next = self.capture_high.q.val() || self.enter.val();
        self.split.low.next = self.low.q.val();
        self.split.high.next = self.high.q.val();
        self.split.load_low.next = self.capture_low.q.val();
        self.split.load_high.next = self.capture_high.q.val();
        self.split.word.next = self.entry_word.val();
        self.split.load.next = self.enter.val();

        // 9: split and table.
        self.mantissa.exponent.next = self.split.exponent.val();
        self.mantissa.fraction.next = self.split.fraction.val();
        self.mantissa.minimum.next = self.naught.val();
        if self.calcium.val() && !self.working.val() {
            self.mantissa.minimum.next = self.minimum.val();
        }
        self.mantissa.whole.next = self.power.val() && !self.working.val();
        self.mantissa.parity.next = self.working.val();
        self.mantissa.base.next = self.mantissa_table.val();
        self.mantissa.bits.next = self.mantissa_bits.val();
        if self.working.val() {
            self.mantissa.base.next = self.norm_table.val();
            self.mantissa.bits.next = self.norm_bits.val();
        }
        self.looked.d.next = self.held.q.val();
        self.mantissa.fetch.next = self.looked.q.val();
        self.fetched.d.next = self.looked.q.val();
        self.done_r.d.next = self.looked.q.val();
        if self.fetches_early.val() {
            self.done_r.d.next = self.fetched.q.val();
        }
        self.mantissa.table_write.next = self.table_write.val();
        self.mantissa.table_read.next = self.table_read.val();
        self.mantissa.table_address.next = self.table_address.val();
        self.mantissa.table_data.next = self.table_data.val();
        if self.reset.val() {
            self.add_high.d.next = false;
            self.capture_low.d.next = false;
            self.capture_high.d.next = false;
            self.held.d.next = false;
            self.fetched.d.next = false;
            self.done_r.d.next = false;
        }

        self.q.next = self.requant.y.val();
        self.out_valid.next = self.tags.out_valid.val();
        self.out_row_last.next = self.tags.out_row_last.val();
        self.out_second.next = self.tags.out_second.val();
        self.out_last.next = self.tags.out_last.val();
        self.done.next = self.done_r.q.val();
        self.word.next = self.mantissa.word.val();
        self.exponent.next = self.mantissa.limited.val();
        self.least.next = (self.unity.val() << self.minimum.val().index()).into();
        self.entered.next = self.held.q.val();
        self.number_held.next = self.split.number.val();
        self.number.next = self.number_held.val();
        if self.number_held.val() < self.least.val() {
            self.number.next = self.least.val();
        }
    }
}
