//! The program's sequencer: fetches the steps from M, one word a cycle at best, hands their fields on and starts array, fills and stream.
//!
//! | port | width | |
//! |---|---|---|
//! | begins | 1 | a sequence's first word waits |
//! | request, address, grant | 1, M, 1 | a word of M; it comes as `word` with `word_valid`, in order |
//! | set, sets, number, value | 1, 20, 5, 32 | word `number` of a Run step (bit `number` of `sets`), index registers and block sizes added |
//! | set_fill, fill_start | 1, 1 | the same of a Fill step, and its start |
//! | walker_open | 1 | words 1 to 4 may come |
//! | offer, taken | 1, 1 | they are there; the walker has them |
//! | source, step, slow, wide | | fields of w0, from `offer` to `stream_start` |
//! | stream_start | 1 | one cycle: all words of a step are there, its words may come |
//! | first_block, final_block | 1, 1 | t0 = 0; no further block follows |
//! | stream_idle, norm_idle, fill_idle, quiet | 1 each | nothing of the kind is in work; nothing at all |
//! | busy, dead | 1, 1 | a sequence is in work; the program is refused until reset |
//! | error | 3 | one cycle: program for another core, illegal step, address left M |
//!
//! A Run step: w0 to w4, then the gate (`wait`, `wait_fill`), then the offer to the walker, and when the stream is idle w5 to w15, w16 to w19
//! only with a layer norm and when that is idle, then the start. The next step's w1 to w4 come when the array is in its last pass.
//! A word granted at cycle 0 is `value` at cycle 4 (bus 3, sum 1).
//! States are one register each: all but `awake` are low when nothing is in work.
//!
//! Example: a core whose id is 7, M = [7, 40, 0]: header, then End; `busy` falls when all is quiet.
//!
//! ```
//! use astromorph_hdl::{engine::fetch::Fetch, number::*};
//! use rust_hdl::prelude::*;
//! let memory = [7u64, 40, 0];
//! let mut f = Fetch::new(7, 16, 8).unwrap();
//! f.connect_all();
//! (f.begins.next, f.quiet.next, f.grant.next, f.fill_idle.next) = (true, true, true, true);
//! let mut on_the_way = [None; 3];
//! let mut busy = Vec::new();
//! for _ in 0..30 {
//!     simulate(&mut f, 10);
//!     busy.push(f.busy.val());
//!     let asked = f.request.val().then(|| memory[f.address.val().index()]);
//!     on_the_way = [asked, on_the_way[0], on_the_way[1]];
//!     let come = on_the_way[2];
//!     f.clock.next.clk = true; simulate(&mut f, 10); f.clock.next.clk = false;
//!     (f.word_valid.next, f.word.next) = (come.is_some(), U::new(come.unwrap_or(0)));
//!     f.begins.next = false;
//! }
//! assert_eq!((busy[0], busy[1], busy[29]), (false, true, false));
//! assert_eq!(f.n_max.val(), U::new(40));
//! ```

mod build;
mod kernel;

use super::loops::Loop;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use crate::settings;
use rust_hdl::prelude::*;

settings! {
    /// What the fetch itself needs of a step's first word.
    pub struct HeadSettings(_size: ()) {
        fields {
            /// array, input, sums, count.
            source: 0, 3, 2;
            /// Its number.
            step: 0, 16, 16;
        }
        flags {
            /// Start when all is quiet.
            wait_all: 0, 5;
            /// Start when the last fill has ended.
            wait_fill: 0, 6;
            /// As many rows as the block has tokens.
            rows_block: 0, 7;
            /// As many products.
            k_block: 0, 8;
            /// A word every 4 cycles.
            slow: 0, 9;
            /// States of two words.
            wide: 0, 10;
        }
    }
}

block! {
    /// See the module's text.
    pub struct Fetch {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A sequence's first word waits.
            begins: Flag<In>,
            /// M takes the request.
            grant: Flag<In>,
            /// A requested word is there.
            word_valid: Flag<In>,
            /// The word.
            word: Sig<In, U>,
            /// The walker can hold a step's words 1 to 4.
            walker_open: Flag<In>,
            /// The walker has taken the offered step.
            taken: Flag<In>,
            /// No word is in the stream, and none will come without a start.
            stream_idle: Flag<In>,
            /// No row is in the layer norm or on its way there.
            norm_idle: Flag<In>,
            /// No fill is in work.
            fill_idle: Flag<In>,
            /// Nothing is in work.
            quiet: Flag<In>,
            /// The input step has its last word.
            input_done: Flag<In>,
            /// N.
            tokens: Sig<In, U>,
            /// (N − 1) · row stride of the last input step.
            x_last: Sig<In, U>,
            /// The step has a layer norm.
            norm_used: Flag<In>,
            /// The step uses the serial units.
            serial_used: Flag<In>,
        }
        outputs {
            /// A word of M, please.
            request: Flag<Out>,
            /// Which.
            address: Sig<Out, U>,
            /// A word of a Run step is there.
            set: Flag<Out>,
            /// Bit n: word n sets a field.
            sets: Sig<Out, U>,
            /// A word of a Fill step is there.
            set_fill: Flag<Out>,
            /// Its number in the step.
            number: Sig<Out, U>,
            /// The word.
            value: Sig<Out, U>,
            /// An array step for the walker.
            offer: Flag<Out>,
            /// Fields of the step's first word, from `offer` to `stream_start`.
            source: Sig<Out, U>,
            /// Its number.
            step: Sig<Out, U>,
            /// A word every 4 cycles.
            slow: Flag<Out>,
            /// States of two words.
            wide: Flag<Out>,
            /// The stream starts.
            stream_start: Flag<Out>,
            /// The fill starts.
            fill_start: Flag<Out>,
            /// t0 = 0.
            first_block: Flag<Out>,
            /// No further block follows.
            final_block: Flag<Out>,
            /// Longest sequence.
            n_max: Sig<Out, U>,
            /// A sequence is in work.
            busy: Flag<Out>,
            /// The program is refused.
            dead: Flag<Out>,
            /// See the module's text.
            error: Sig<Out, U>,
        }
        parts {
            head: HeadSettings,
            blocks: Loop,
            /// A sequence is in work.
            awake: Reg<bool>,
            /// The program's first two words.
            header: Reg<bool>,
            /// A step's first word.
            op: Reg<bool>,
            /// Waits to send words 1 to 4.
            walker_gate: Reg<bool>,
            /// They come.
            walk: Reg<bool>,
            /// Waits for `wait`, `wait_fill`.
            gate: Reg<bool>,
            /// The array may begin.
            offering: Reg<bool>,
            /// Waits for an idle stream.
            stream_gate: Reg<bool>,
            /// Words 5 to 15 come.
            stream: Reg<bool>,
            /// Waits for an idle layer norm, if it is needed.
            norm_gate: Reg<bool>,
            /// Words 16 to 19 come.
            norm: Reg<bool>,
            /// Waits for the serial unit, if it is needed.
            starting: Reg<bool>,
            /// Waits for the input's end.
            taking: Reg<bool>,
            /// Words of a Next step come.
            adding: Reg<bool>,
            /// The next block.
            turning: Reg<bool>,
            /// Waits for the last fill's end.
            fill_gate: Reg<bool>,
            /// Words of a Fill step come.
            filling: Reg<bool>,
            /// Waits for the end of everything.
            ending: Reg<bool>,
            /// Until reset.
            refused: Reg<bool>,
            pc: Reg<U>,
            loop_pc: Reg<U>,
            wanted: Reg<U>,
            due: Reg<U>,
            count: Reg<U>,
            value_2: Reg<U>,
            number_2: Reg<U>,
            valid_2: Reg<bool>,
            /// It is the last of those asked for.
            last_2: Reg<bool>,
            /// It is a step's first and says End, Run, Fill, Blocks, Next or nothing known.
            end_2: Reg<bool>,
            run_2: Reg<bool>,
            fill_2: Reg<bool>,
            loop_2: Reg<bool>,
            next_2: Reg<bool>,
            none_2: Reg<bool>,
            /// It sets a field.
            set_2: Reg<bool>,
            /// The same by its number.
            sets_r: Reg<U>,
            /// The word to come is a count of tokens.
            extent: Reg<bool>,
            /// The word to come is an address.
            at: Reg<bool>,
            n_max_r: Reg<U>,
            wrong: Reg<bool>,
            outside: Reg<bool>,
            start_r: Reg<bool>,
            fill_start_r: Reg<bool>,
        }
        locals {
            asking: Flag<Local>,
            opcode: Sig<Local, U>,
            sum: Sig<Local, U>,
            upper: Sig<Local, U>,
            beyond: Sig<Local, U>,
            last_word: Flag<Local>,
            next_op: Flag<Local>,
            wakes: Flag<Local>,
            decoded: Flag<Local>,
            loops: Flag<Local>,
            adds: Flag<Local>,
            walks: Flag<Local>,
            streams: Flag<Local>,
            norms: Flag<Local>,
            starts: Flag<Local>,
            known: Flag<Local>,
            fills: Flag<Local>,
            filled: Flag<Local>,
            ends: Flag<Local>,
            foreign: Flag<Local>,
            illegal: Flag<Local>,
            lost: Flag<Local>,
            amount: Sig<Local, U>,
            advance: Sig<Local, U>,
            refuse: Flag<Local>,
            ready: Flag<Local>,
            errors: Sig<Local, U>,
            zero: Const<U>,
            unity: Const<U>,
            one: Const<U>,
            two: Const<U>,
            four: Const<U>,
            eleven: Const<U>,
            id: Const<U>,
            word_end: Const<U>,
            at_bits: Const<U>,
            sum_bits: Const<U>,
            bad_core: Const<U>,
            bad_step: Const<U>,
            bad_address: Const<U>,
        }
    }
}
