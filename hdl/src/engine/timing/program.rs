//! The half of the control before the stream: fetch, fills and the array's walker.

use super::control::Control;
use super::decode::Op;
use super::registers::{Registers, State};

impl Control {
    /// Whether a further block follows, and the tokens of this one.
    fn block(&self, q: &Registers) -> (bool, u32) {
        let more = q.fetch.span > 0 && q.fetch.span < q.fetch.left;
        (more, if more { q.fetch.span } else { q.fetch.left })
    }

    /// No further block follows.
    pub(super) fn final_block(&self, q: &Registers) -> bool {
        !self.block(q).0
    }

    /// The program's sequencer.
    pub(super) fn fetch(&mut self, q: &Registers, d: &mut Registers, begins: bool, granted: bool, taken: bool) {
        let (f, n) = (&q.fetch, &mut d.fetch);
        let run = self.op(f.at);
        let came = f.flight >> (self.sizes.word - 2) & 1 == 1;
        n.flight = (f.flight << 1 | granted as u8) & 15;
        n.valid_2 = came;
        n.number_2 = f.count;
        n.count = f.count + came as u32;
        n.wanted = f.wanted - granted as u32;
        n.due = f.due - f.valid_2 as u32;
        let last_word = f.valid_2 && f.due == 1;
        let fill_idle = !q.fill.asking && q.fill.flight == 0;
        let (more, tokens) = self.block(q);
        let mut ask = 0;
        let mut next_op = false;
        n.start = false;
        n.fill_start = false;
        match f.state {
            State::Asleep if begins => {
                (n.state, n.count, n.at, ask) = (State::Header, 0, 0, 2);
                (n.span, n.left) = (0, self.tokens);
            }
            State::Asleep => {}
            State::Header => next_op = last_word,
            State::Op if last_word => match self.ops[f.at] {
                Op::End => n.state = State::Ending,
                Op::Run(_) => n.state = State::WalkerGate,
                Op::Fill(_) => n.state = State::FillGate,
                Op::Blocks(tokens) => {
                    (n.span, n.left, n.loop_at) = (tokens, self.tokens, f.at + 1);
                    (next_op, n.at) = (true, f.at + 1);
                }
                Op::Next => (n.state, ask) = (State::Adding, 2),
            },
            State::Op => {}
            State::WalkerGate => {
                let w = &q.walker;
                if !w.running || w.last_pass && w.last_row {
                    (n.state, ask) = (State::Walk, 4);
                }
            }
            State::Walk => {
                if last_word {
                    n.state = State::Gate;
                }
            }
            State::Gate => {
                if (!run.wait || q.quiet) && (!run.wait_fill || fill_idle) {
                    n.state = if run.source == 0 {
                        State::Offering
                    } else {
                        State::StreamGate
                    };
                }
            }
            State::Offering => {
                if taken {
                    n.state = State::StreamGate;
                }
            }
            State::StreamGate => {
                if q.stream_idle {
                    (n.state, ask) = (State::Stream, 11);
                }
            }
            State::Stream => {
                if f.valid_2 && f.number_2 == 13 {
                    self.fields_next = Some(run);
                }
                if last_word {
                    n.state = State::NormGate;
                }
            }
            State::NormGate if !run.norm => n.state = State::Starting,
            State::NormGate => {
                if q.norm_idle {
                    (n.state, ask) = (State::Norm, 4);
                }
            }
            State::Norm => {
                if f.valid_2 && f.number_2 == 16 {
                    self.stored = run.stored;
                }
                if last_word {
                    n.state = State::Starting;
                }
            }
            State::Starting => {
                if !run.serial || q.norm_idle {
                    (n.start, n.started) = (true, f.at);
                    if run.source == 1 {
                        n.state = State::Taking;
                    } else {
                        (next_op, n.at) = (true, f.at + 1);
                    }
                }
            }
            State::Taking => {
                if q.intake.done {
                    (n.span, n.left) = (0, self.tokens);
                    (next_op, n.at) = (true, f.at + 1);
                }
            }
            State::Adding => {
                if last_word {
                    n.state = State::Turning;
                }
            }
            State::Turning => {
                n.at = if more { f.loop_at } else { f.at + 1 };
                (n.span, n.left) = if more {
                    (f.span, f.left - f.span)
                } else {
                    (0, self.tokens)
                };
                next_op = true;
            }
            State::FillGate => {
                if fill_idle {
                    (n.state, ask) = (State::Filling, 2);
                }
            }
            State::Filling => {
                if last_word {
                    n.fill_start = true;
                    if let Op::Fill(words) = self.ops[f.at] {
                        d.fill.words = words;
                    }
                    (next_op, n.at) = (true, f.at + 1);
                }
            }
            State::Ending => {
                if q.quiet && fill_idle {
                    n.state = State::Asleep;
                }
            }
        }
        if ask > 0 {
            (n.wanted, n.due) = (ask, ask);
        }
        if next_op {
            (n.state, n.wanted, n.due, n.count) = (State::Op, 1, 1, 0);
        }
        // Words 1 to 3 of a step go to the walker.
        if f.state == State::Walk && f.valid_2 {
            let of = |n: u32| if n == 0 { tokens } else { n } as u64;
            match f.number_2 {
                1 => (d.walker.rows_left, d.walker.passes) = (of(run.rows), run.passes as u64),
                2 => (d.walker.pairs, d.walker.next_half) = (of(run.k).div_ceil(2), of(run.k) % 2 == 1),
                _ => {}
            }
        }
    }

    /// Weights from M.
    pub(super) fn fill(&mut self, q: &Registers, d: &mut Registers, granted: bool) {
        d.fill.flight = (q.fill.flight << 1 | granted as u8) & 7;
        if granted {
            d.fill.words = q.fill.words - 1;
            d.fill.asking = d.fill.words > 0;
        }
        if q.fetch.fill_start {
            d.fill.asking = q.fill.words > 0;
        }
    }

    /// The array's walker; gives whether it takes the step that is offered.
    pub(super) fn walker(
        &mut self,
        q: &Registers,
        d: &mut Registers,
        odd: bool,
        chain_free: bool,
        captured: bool,
    ) -> bool {
        let (w, n) = (&q.walker, &mut d.walker);
        n.last_pair = w.pairs_left == 1;
        n.last_pass = w.passes_left == 1;
        if w.row_end || w.load {
            n.last_row = w.rows_left == 1;
        }
        let issue = odd && w.running && (!w.last_pair || chain_free && !w.pending);
        let pass_end = issue && w.last_pair;
        let step_end = pass_end && w.last_pass && w.last_row;
        let load = odd && q.fetch.state == State::Offering && (!w.running || step_end);
        if captured {
            n.pending = false;
        }
        if pass_end {
            n.pending = true;
            n.pending_last = step_end;
        }
        n.row_end = pass_end && w.last_pass && !w.last_row;
        if n.row_end {
            n.rows_left = w.rows_left - 1;
        }
        self.slots = match (issue, w.last_pair && w.half_pair) {
            (false, _) => (w.step, 0),
            (true, half) => (w.step, 2 - half as u64),
        };
        if issue {
            n.pairs_left = w.pairs_left - 1;
        }
        if pass_end || load {
            n.pairs_left = w.pairs;
            n.passes_left = w.passes_left - pass_end as u64;
        }
        if pass_end && w.last_pass || load {
            n.passes_left = w.passes;
        }
        if step_end {
            n.running = false;
        }
        if load {
            n.running = true;
            n.half_pair = w.next_half;
            n.step = q.fetch.at;
        }
        n.pair = issue;
        n.load = load;
        // The pair with the pass's end stands at the array in the next cycle.
        n.ends = w.ends << 1 | pass_end as u64;
        load
    }
}
