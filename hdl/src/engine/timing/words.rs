//! The half of the control behind the array: conveyor, input, stream, layer norm, stores and output.

use super::control::Control;
use super::decode::OUTPUT;
use super::registers::{Queue, Registers, Word};
use crate::engine::{store, unit};

/// Odd cycle's bit of the layer norm's store queue: words behind its head that raise `hold`.
const HOLD: u32 = store::WAITING as u32;

/// Input words; `used`: one is taken out of hand.
pub(super) fn intake(q: &Registers, d: &mut Registers, used: bool, opens: bool) {
    let (i, n) = (&q.intake, &mut d.intake);
    let accept = i.ready && i.to_send > 0;
    n.done = used && i.to_use == 1;
    if accept {
        n.to_send = i.to_send - 1;
        n.full = true;
        n.opened = n.to_send > 0;
    }
    if used {
        n.full = false;
        n.to_use = i.to_use - 1;
    }
    if opens {
        n.opened = true;
    }
    n.ready = n.opened && !n.full;
}

/// A queue after a cycle: `behind` it the words that are not at its head.
fn queue(q: &Queue, push: bool, pop: bool, limit: u32) -> Queue {
    let fetch = q.waiting > 0 && (!q.some || pop);
    Queue {
        waiting: q.waiting + push as u32 - fetch as u32,
        some: fetch || q.some && !pop,
        hold: q.waiting >= limit,
    }
}

impl Control {
    /// Words into the stream; gives whether an input word is used.
    pub(super) fn conveyor(&self, q: &Registers, d: &mut Registers, captured: bool) -> bool {
        let (c, n, f) = (&q.conveyor, &mut d.conveyor, &self.fields);
        let odd_latency = self.sizes.latency % 2;
        n.last_column = c.cols_left == 1;
        n.last_lane = c.lane == self.sizes.lanes - 1;
        let room = f.to != OUTPUT || q.store.room;
        n.go = room && (!f.norm || q.norm_room || c.begun);
        n.armed = c.active;
        let turn = q.beat % 2 == odd_latency;
        let slot = turn && (q.beat == odd_latency || !self.slow) && c.active && c.armed;
        let present = match self.source {
            0 => c.running || captured || c.full,
            1 => q.intake.full,
            _ => true,
        };
        let taken = slot && present && (c.running || c.go);
        let pass_end = c.last_lane || c.last_column;
        let step_end = c.last_column
            && match self.source {
                0 if captured => q.walker.pending_last,
                0 => c.final_pass,
                1 => q.intake.to_use == 1,
                _ => true,
            };
        n.flags_1 = Word::default();
        n.row_begin = false;
        if captured {
            n.full = true;
            n.final_pass = q.walker.pending_last;
        }
        if taken {
            n.running = !pass_end;
            n.lane = if pass_end { 0 } else { c.lane + 1 };
            n.begun = !c.last_column;
            n.near = c.lane
                >= if self.slow {
                    self.sizes.near_slow
                } else {
                    self.sizes.near
                };
            n.row_begin = !c.begun;
            if self.source == 0 {
                n.full = false;
            }
            n.active = !step_end;
            n.flags_1 = Word {
                valid: true,
                row_last: c.last_column,
                last: step_end,
            };
            n.cols_left = if c.last_column { f.cols } else { c.cols_left - 1 };
        }
        if !turn {
            n.flags_3 = if self.source == 2 { c.flags_1 } else { Word::default() };
            n.flags_5 = c.flags_3;
        }
        n.flags = match (self.source, q.beat % 2) {
            (2, 1) => c.flags_5,
            (2, _) => Word::default(),
            _ => c.flags_1,
        };
        if q.fetch.start {
            (n.active, n.armed, n.begun, n.lane, n.cols_left) = (true, false, false, 0, f.cols);
        }
        taken && self.source == 1
    }

    /// Front, and the way of a word through the tail; gives the word that leaves the front and what leaves the serial unit.
    pub(super) fn stream(&self, q: &Registers, d: &mut Registers, odd: bool, entry: Word) -> (Word, (Word, bool)) {
        let (s, n, f) = (&q.stream, &mut d.stream, &self.fields);
        let out = if f.residual {
            self.sizes.residual_out
        } else {
            self.sizes.out
        };
        if !odd {
            let entered = if f.two { s.late } else { entry };
            n.late = entry;
            let kept = (1 << (out + 1)) - 1;
            n.words = (s.words << 1 | (entered.valid as u32) << 1) & kept;
            n.rows = (s.rows << 1 | (entered.row_last as u32) << 1) & kept;
            if entry.last {
                n.ended = true;
            }
        }
        let leaves = odd && s.words >> out & 1 == 1;
        let x = Word {
            valid: leaves,
            row_last: odd && s.rows >> out & 1 == 1,
            last: leaves && s.ended && !s.late.valid && s.words & ((1 << out) - 1) == 0,
        };
        if x.last {
            n.ended = false;
        }
        let unit = q.norm.tags.at(unit::LATENCY);
        n.result = if f.normalise { unit.0 } else { x };
        (x, unit)
    }

    /// The layer norm and its elements' way through the serial unit; gives the word that leaves it.
    pub(super) fn norm(&self, q: &Registers, d: &mut Registers, entry: Word, x: Word, unit: (Word, bool)) -> Word {
        let (r, n, f) = (&q.norm, &mut d.norm, &self.fields);
        let (out, second_out) = unit;
        let word = Word {
            valid: r.scaling && out.valid && second_out,
            ..out
        };
        let opens = r.complete && !r.working;
        let finish = word.valid && word.row_last;
        let arrive = entry.valid && f.norm && !r.midway;
        if entry.valid && f.norm {
            n.midway = !entry.row_last;
        }
        n.unfinished = r.unfinished + arrive as u32 - finish as u32;
        let comes = q.stream.result.valid && f.norm;
        n.beat = ((r.beat + 1) | comes as u32) % 4;
        n.stored_row_last = comes && q.stream.result.row_last;
        if r.stored_row_last {
            n.complete = true;
        }
        if opens {
            n.complete = false;
        }
        let late = self.sizes.element_late;
        let turn = r.beat & (self.sizes.pace - 1) == late as u32;
        let issue = turn && (r.squares || r.scales && !q.store.queue.hold);
        n.at_end = r.next + 1 == r.width;
        n.element = issue;
        n.element_last = r.scales && r.at_end;
        if issue {
            n.next = r.next + 1;
            if r.at_end {
                n.next = 0;
                n.epsilon = r.squares;
                n.squares = false;
                n.scales = false;
            }
        }
        if r.epsilon && turn {
            (n.element, n.element_last, n.epsilon) = (true, true, false);
        }
        n.element_2 = r.element;
        n.element_last_2 = r.element_last;
        let (element, element_last) = if late {
            (r.element_2, r.element_last_2)
        } else {
            (r.element, r.element_last)
        };
        // The number is looked up a fixed time after ε's second pass.
        if r.working && r.looking >> (unit::ROW_LATENCY - 1) & 1 == 1 {
            n.scaling = true;
            n.scales = true;
        }
        if finish {
            n.working = false;
            n.scaling = false;
        }
        if opens {
            n.working = true;
            n.squares = true;
        }
        // The unit.
        let first_done = Word {
            valid: out.valid && !second_out,
            ..out
        };
        n.again = first_done;
        let second = if self.sizes.again_late { r.again } else { first_done };
        let mut looking = false;
        if r.working {
            let enters = Word {
                valid: element || second.valid,
                row_last: if element { element_last } else { second.row_last },
                last: false,
            };
            looking = enters.valid && !element && enters.row_last && !r.scaling;
            n.tags.push(enters, !element);
        } else {
            let enters = Word {
                valid: x.valid && f.serial && !f.looked_up,
                row_last: x.row_last,
                last: x.last,
            };
            n.tags.push(enters, false);
        }
        n.looking = r.looking << 1 | looking as u32;
        word
    }

    /// Destinations; `operand`: X is read for the stream.
    pub(super) fn store(&self, q: &Registers, d: &mut Registers, odd: bool, operand: bool, norm_word: Word) {
        let (s, n, f) = (&q.store, &mut d.store, &self.fields);
        n.result = q.stream.result;
        if q.fetch.start {
            n.final_block = self.final_block(q);
        }
        let write = s.result.valid && f.to == 1;
        let pop = odd && s.head_full && !write && !operand;
        let advance = s.queue.some && (!s.head_full || pop);
        n.queue = queue(&s.queue, norm_word.valid && self.stored, advance, HOLD);
        n.head_full = advance || s.head_full && !pop;
        // The output, always taken.
        let push = s.result.valid && f.to == OUTPUT;
        let gone = s.sink.some;
        n.sink = queue(&s.sink, push, gone, u32::MAX);
        let promised = q.conveyor.flags_1.valid && f.to == OUTPUT;
        n.promised = s.promised + promised as u32 - gone as u32;
        n.room = s.promised <= self.sizes.most && !s.ending;
        if gone && s.promised == 1 {
            n.ending = false;
        }
        if push && s.result.last && s.final_block {
            n.ending = true;
        }
    }
}
