//! What requests do: a small machine of bytes, whose [`program`](super::program) is the contract.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | begins anew |
//! | rx_some, rx_address, rx_data, rx_done | 1, 8, 8, 1 | the [`receiver`](super::receiver)'s frame |
//! | room, send_busy, crc; start, push, data, drain, finish, crc_start, crc_step, crc_bit, crc_drain | | the [`sender`](super::sender)'s ports |
//! | damaged, line, overrun, completed, bark | 1 each | events to be counted |
//! | load_valid, load_read, load_memory, load_address, load_data; load_ready, load_word | 1, 1, 3, 24, 50; 1, 50 | the engine's load port |
//! | queue_push, queue_data, queue_last; queue_level, queue_empty | 1, W, 1; 8, 1 | the [`input`](super::input)'s |
//! | ring_read, ring_address, ring_free, ring_freed; ring_word, produced | 1, 8, 1, 8; SW, 8 | the [`output`](super::output)'s |
//! | engine_reset; engine_busy, engine_error | 1; 1, 8 | |
//!
//! An instruction a cycle, of [`assembler`](super::assembler)'s; one with a source takes a cycle more, and one with a variable two. Those that
//! wait (for the sender, the load port, the bits of a word) stand still.
//! The word of a memory or stream comes and goes bit by bit: 8 cycles a byte.
//!
//! A request for the identity's first byte under session 0 is answered with status 0 after a few dozen cycles: see [`top`](super::top), whose
//! example it is, and which joins all blocks.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::commands::Commands;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let c = Commands::new(&core, "protocol = 1\n").unwrap();
//! assert_eq!((c.queue_data.width(), c.ring_word.width()), (8, 16));
//! assert!(Commands::new(&core, &"x".repeat(384)).is_err());
//! ```

mod build;
mod kernel;

use super::pending::Pending;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::ram::Ram;
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Commands {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// There is a frame.
            rx_some: Flag<In>,
            /// Its byte.
            rx_data: Sig<In, U>,
            /// An answer may begin.
            room: Flag<In>,
            /// The sender takes no byte.
            send_busy: Flag<In>,
            /// Lowest byte of the CRC.
            crc: Sig<In, U>,
            /// Event.
            damaged: Flag<In>,
            /// Event.
            line: Flag<In>,
            /// Event.
            overrun: Flag<In>,
            /// Event.
            completed: Flag<In>,
            /// Event: the watchdog.
            bark: Flag<In>,
            /// The load port takes, or gives.
            load_ready: Flag<In>,
            /// What it gives.
            load_word: Sig<In, U>,
            /// Words in the queue.
            queue_level: Sig<In, U>,
            /// None.
            queue_empty: Flag<In>,
            /// The ring's word.
            ring_word: Sig<In, U>,
            /// Behind the ring's last word.
            produced: Sig<In, U>,
            /// A sequence is in work.
            engine_busy: Flag<In>,
            /// Sticky until its reset.
            engine_error: Sig<In, U>,
        }
        outputs {
            /// Of the frame's byte.
            rx_address: Sig<Out, U>,
            /// Drop the frame.
            rx_done: Flag<Out>,
            /// Begin an answer.
            start: Flag<Out>,
            /// A byte of it.
            push: Flag<Out>,
            /// The byte.
            data: Sig<Out, U>,
            /// The CRC's.
            drain: Flag<Out>,
            /// It is complete.
            finish: Flag<Out>,
            /// Begin a CRC.
            crc_start: Flag<Out>,
            /// A bit for it.
            crc_step: Flag<Out>,
            /// The bit.
            crc_bit: Flag<Out>,
            /// Shift it out.
            crc_drain: Flag<Out>,
            /// Load port: a request.
            load_valid: Flag<Out>,
            /// To read.
            load_read: Flag<Out>,
            /// Which memory.
            load_memory: Sig<Out, U>,
            /// Where.
            load_address: Sig<Out, U>,
            /// What.
            load_data: Sig<Out, U>,
            /// A word for the queue.
            queue_push: Flag<Out>,
            /// The word.
            queue_data: Sig<Out, U>,
            /// It ends its sequence.
            queue_last: Flag<Out>,
            /// Fetch a word.
            ring_read: Flag<Out>,
            /// Which.
            ring_address: Sig<Out, U>,
            /// Forget words.
            ring_free: Flag<Out>,
            /// Before this position.
            ring_freed: Sig<Out, U>,
            /// The engine, the streams.
            engine_reset: Flag<Out>,
        }
        parts {
            rom: Ram<U>,
            state: Ram<U>,
            damages: Pending,
            lines: Pending,
            overruns: Pending,
            sequences: Pending,
            barks: Pending,
            /// There is an instruction.
            started: Reg<bool>,
            /// The variable that is the source has been fetched.
            second: Reg<bool>,
            /// The operand is there.
            third: Reg<bool>,
            operand: Reg<U>,
            pc: Reg<U>,
            /// Where a routine returns to.
            back: Reg<U>,
            a: Reg<U>,
            zero: Reg<bool>,
            carry: Reg<bool>,
            x: Reg<U>,
            n: Reg<U>,
            space: Reg<U>,
            /// The request is the one with the last word.
            ends: Reg<bool>,
            address: Reg<U>,
            word: Reg<U>,
            /// Of the word or byte that is moving.
            bits: Reg<U>,
            e: Reg<U>,
            resets: Reg<bool>,
            open: Reg<bool>,
            errors: Reg<U>,
        }
        locals {
            go: Flag<Local>,
            op: Sig<Local, U>,
            field: Sig<Local, U>,
            value: Sig<Local, U>,
            next: Sig<Local, U>,
            after: Sig<Local, U>,
            target: Sig<Local, U>,
            stands: Flag<Local>,
            bus_0: Sig<Local, U>,
            bus_1: Sig<Local, U>,
            bus_2: Sig<Local, U>,
            bus_3: Sig<Local, U>,
            bus: Sig<Local, U>,
            works: Flag<Local>,
            reads: Flag<Local>,
            answers: Flag<Local>,
            waits: Flag<Local>,
            flags: Sig<Local, U>,
            flag_busy: Sig<Local, U>,
            flag_open: Sig<Local, U>,
            flag_empty: Sig<Local, U>,
            borrow: Sig<Local, U>,
            diff: Sig<Local, U>,
            result: Sig<Local, U>,
            computes: Flag<Local>,
            direct: Flag<Local>,
            fetches: Flag<Local>,
            acts: Flag<Local>,
            controls: Flag<Local>,
            held: Flag<Local>,
            calls: Flag<Local>,
            jump: Flag<Local>,
            work: Flag<Local>,
            waiting: Flag<Local>,
            bank: Flag<Local>,
            stream: Flag<Local>,
            gives: Flag<Local>,
            wide: Flag<Local>,
            dog: Flag<Local>,
            single: Flag<Local>,
            registers: Flag<Local>,
            x_next: Sig<Local, U>,
            low: Sig<Local, U>,
            rotated: Sig<Local, U>,
            limit: Sig<Local, U>,
            moves: Flag<Local>,
            taking: Flag<Local>,
            checking: Flag<Local>,
            draining: Flag<Local>,
            finished: Flag<Local>,
            mask: Sig<Local, U>,
            word_bytes: Sig<Local, U>,
            kept: Sig<Local, U>,
            variable: Sig<Local, U>,
            state_at: Sig<Local, U>,
            slot: Sig<Local, U>,
            address_part: Sig<Local, U>,
            high: Sig<Local, U>,
            first: Sig<Local, U>,
            took: Flag<Local>,
            ring_low: Sig<Local, U>,
            ring_middle: Sig<Local, U>,
            ring_high: Sig<Local, U>,
            ring_top: Const<U>,
            ring_sign: Const<U>,
            none: Const<U>,
            nought: Const<U>,
            one: Const<U>,
            one_bit: Const<U>,
            no_bit: Const<U>,
            two_c: Const<U>,
            four_c: Const<U>,
            variables: Const<U>,
            counters: Const<U>,
            low_7: Const<U>,
            slot_high: Const<U>,
            bit_limit: Const<U>,
            bytes_4: Const<U>,
            bytes_w: Const<U>,
            bytes_s: Const<U>,
            bytes_n: Const<U>,
            mask_4: Const<U>,
            mask_w: Const<U>,
            mask_s: Const<U>,
            mask_n: Const<U>,
            e_damaged: Const<U>,
            e_line: Const<U>,
            e_overruns: Const<U>,
            e_sequences: Const<U>,
            e_watchdog: Const<U>,
        }
    }
}
