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
//! An instruction a cycle, of [`assembler`](super::assembler)'s; those that wait (for the sender, the load port, the bits of a word) stand still.
//! The word of a memory or stream comes and goes bit by bit: 8 cycles a byte.
//!
//! A request for the identity's first byte under session 0 is answered with status 0 after a few dozen cycles: see [`top`](super::top), whose
//! example it is, and which joins all blocks.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::link::commands::Commands;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128 };
//! let c = Commands::new(&core, "protocol = 1\n").unwrap();
//! assert_eq!((c.queue_data.width(), c.ring_word.width()), (8, 16));
//! assert!(Commands::new(&core, &"x".repeat(384)).is_err());
//! ```

use super::bytes::Bytes;
use super::pending::Pending;
use super::program::{COUNTERS, STATE, VARIABLES, WORDS, program, state};
use super::protocol::{IDENTITY_BYTES, SPACES, Space};
use super::registers;
use crate::block;
use crate::check;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
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
            rom: Bytes,
            state: Bytes,
            damages: Pending,
            lines: Pending,
            overruns: Pending,
            sequences: Pending,
            barks: Pending,
            /// Not the first cycle: there is an instruction.
            started: Reg<bool>,
            /// The variable that is the source has been fetched.
            second: Reg<bool>,
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
            bus: Sig<Local, U>,
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

impl Commands {
    /// For a core; the text is its identity.
    pub fn new(core: &EngineConfig, identity: &str) -> Result<Self> {
        core.validate()?;
        check::range("identity", identity.len(), 1, IDENTITY_BYTES as usize - 1)?;
        let rom = program(core)?;
        let bytes = state(core, identity);
        let (width, bits) = (core.width, core.serial_bits());
        let pc_bits = WORDS.ilog2();
        let bytes_of = |space: Space| space.word_bytes(core) as u64;
        let [bytes_w, bytes_s, bytes_n] = [Space::Bank, Space::Mantissa, Space::Norm].map(bytes_of);
        let word_bits = 8 * bytes_n as u32;
        debug_assert!(SPACES.len() == 9 && bytes.len() == STATE);

        Ok(Commands {
            clock: Signal::default(),
            reset: Flag::default(),
            rx_some: Flag::default(),
            rx_data: Sig::new(8),
            room: Flag::default(),
            send_busy: Flag::default(),
            crc: Sig::new(8),
            damaged: Flag::default(),
            line: Flag::default(),
            overrun: Flag::default(),
            completed: Flag::default(),
            bark: Flag::default(),
            load_ready: Flag::default(),
            load_word: Sig::new(50),
            queue_level: Sig::new(8),
            queue_empty: Flag::default(),
            ring_word: Sig::new(bits),
            produced: Sig::new(8),
            engine_busy: Flag::default(),
            engine_error: Sig::new(8),
            rx_address: Sig::new(8),
            rx_done: Flag::default(),
            start: Flag::default(),
            push: Flag::default(),
            data: Sig::new(8),
            drain: Flag::default(),
            finish: Flag::default(),
            crc_start: Flag::default(),
            crc_step: Flag::default(),
            crc_bit: Flag::default(),
            crc_drain: Flag::default(),
            load_valid: Flag::default(),
            load_read: Flag::default(),
            load_memory: Sig::new(3),
            load_address: Sig::new(24),
            load_data: Sig::new(50),
            queue_push: Flag::default(),
            queue_data: Sig::new(width),
            queue_last: Flag::default(),
            ring_read: Flag::default(),
            ring_address: Sig::new(8),
            ring_free: Flag::default(),
            ring_freed: Sig::new(8),
            engine_reset: Flag::default(),
            rom: Bytes::new(rom, 16),
            state: Bytes::new(bytes, 8),
            damages: Pending::new(),
            lines: Pending::new(),
            overruns: Pending::new(),
            sequences: Pending::new(),
            barks: Pending::new(),
            started: Reg::default(),
            second: Reg::default(),
            pc: Reg::new(pc_bits),
            back: Reg::new(pc_bits),
            a: Reg::new(8),
            zero: Reg::default(),
            carry: Reg::default(),
            x: Reg::new(8),
            n: Reg::new(8),
            space: Reg::new(4),
            ends: Reg::default(),
            address: Reg::new(24),
            word: Reg::new(word_bits),
            bits: Reg::new(6),
            e: Reg::new(3),
            resets: Reg::default(),
            open: Reg::default(),
            errors: Reg::new(8),
            go: Flag::default(),
            op: Sig::new(4),
            field: Sig::new(4),
            value: Sig::new(8),
            next: Sig::new(pc_bits),
            after: Sig::new(pc_bits),
            target: Sig::new(pc_bits),
            stands: Flag::default(),
            bus: Sig::new(8),
            flags: Sig::new(8),
            flag_busy: Sig::new(8),
            flag_open: Sig::new(8),
            flag_empty: Sig::new(8),
            borrow: Sig::new(1),
            diff: Sig::new(9),
            result: Sig::new(8),
            computes: Flag::default(),
            direct: Flag::default(),
            fetches: Flag::default(),
            acts: Flag::default(),
            controls: Flag::default(),
            held: Flag::default(),
            calls: Flag::default(),
            jump: Flag::default(),
            work: Flag::default(),
            waiting: Flag::default(),
            bank: Flag::default(),
            stream: Flag::default(),
            gives: Flag::default(),
            wide: Flag::default(),
            dog: Flag::default(),
            single: Flag::default(),
            registers: Flag::default(),
            x_next: Sig::new(8),
            low: Sig::new(3),
            rotated: Sig::new(8),
            limit: Sig::new(6),
            moves: Flag::default(),
            taking: Flag::default(),
            checking: Flag::default(),
            draining: Flag::default(),
            finished: Flag::default(),
            mask: Sig::new(word_bits),
            word_bytes: Sig::new(4),
            kept: Sig::new(word_bits),
            variable: Sig::new(9),
            state_at: Sig::new(9),
            slot: Sig::new(9),
            address_part: Sig::new(24),
            high: Sig::new(24),
            first: Sig::new(3),
            took: Flag::default(),
            ring_low: Sig::new(8),
            ring_middle: Sig::new(8),
            ring_high: Sig::new(8),
            ring_top: Const::natural(bits as u64 - 1),
            ring_sign: Const::natural(0xff & (0xff << (bits - 16))),
            none: Const::natural(0),
            nought: Const::new(8, U::new(0)),
            one: Const::natural(1),
            one_bit: Const::new(1, U::new(1)),
            no_bit: Const::new(1, U::new(0)),
            two_c: Const::natural(2),
            four_c: Const::natural(4),
            variables: Const::natural(VARIABLES),
            counters: Const::natural(VARIABLES + COUNTERS as u64),
            low_7: Const::natural(127),
            slot_high: Const::natural(8),
            bit_limit: Const::natural(7),
            bytes_4: Const::natural(4),
            bytes_w: Const::natural(bytes_w),
            bytes_s: Const::natural(bytes_s),
            bytes_n: Const::natural(bytes_n),
            mask_4: Const::new(word_bits, U::new(1 << 31)),
            mask_w: Const::new(word_bits, U::new(1 << (8 * bytes_w - 1))),
            mask_s: Const::new(word_bits, U::new(1 << (8 * bytes_s - 1))),
            mask_n: Const::new(word_bits, U::new(1 << (8 * bytes_n - 1))),
            e_damaged: Const::natural(registers::DAMAGED as u64),
            e_line: Const::natural(registers::LINE as u64),
            e_overruns: Const::natural(registers::OVERRUNS as u64),
            e_sequences: Const::natural(registers::SEQUENCES as u64),
            e_watchdog: Const::natural(registers::WATCHDOG as u64),
            activity: Default::default(),
        })
    }
}

impl Logic for Commands {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, rom, state, damages, lines, overruns, sequences, barks);
        dff_setup!(
            self, clock, started, second, pc, back, a, zero, carry, x, n, space, ends, address, word, bits, e, resets,
            open, errors
        );
        // The instruction.
        self.go.next = self.started.q.val() && !self.reset.val();
        self.started.d.next = true;
        self.op.next = (self.rom.read_data.val() >> 12).into();
        self.field.next = (self.rom.read_data.val() >> 8).into();
        self.value.next = self.rom.read_data.val();
        self.direct.next = self.field.val().get_bit(3) && self.field.val().get_bit(2) && self.field.val().get_bit(1);
        self.fetches.next = self.go.val()
            && self.direct.val()
            && !self.second.q.val()
            && ((!self.op.val().get_bit(3) && !self.op.val().get_bit(2)) || (self.op.val() == 11));
        self.computes.next =
            self.go.val() && !self.op.val().get_bit(3) && !self.op.val().get_bit(2) && !self.fetches.val();
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
        self.bus.next = self.value.val();
        if self.field.val() == 1 {
            self.bus.next = self.rx_data.val();
        }
        if (self.field.val() == 2) || self.direct.val() {
            self.bus.next = self.state.read_data.val();
        }
        if self.field.val() == 3 {
            self.bus.next = self.crc.val();
        }
        if self.field.val() == 4 {
            self.bus.next = self.ring_low.val();
        }
        if self.field.val() == 5 {
            self.bus.next = self.ring_middle.val();
        }
        if self.field.val() == 6 {
            self.bus.next = self.ring_high.val();
        }
        if self.field.val() == 7 {
            self.bus.next = self.flags.val();
        }
        if self.field.val() == 8 {
            self.bus.next = self.errors.q.val();
        }
        if self.field.val() == 9 {
            self.bus.next = self.queue_level.val();
        }
        if self.field.val() == 10 {
            self.bus.next = self.produced.val();
        }
        if self.field.val() == 11 {
            self.bus.next = self.word_bytes.val();
        }
        if self.field.val() == 12 {
            self.bus.next = self.n.q.val();
        }
        if self.field.val() == 13 {
            self.bus.next = self.a.q.val();
        }

        // A and its flags.
        self.borrow.next = self.no_bit.val();
        if self.carry.q.val() && self.op.val().get_bit(1) {
            self.borrow.next = self.one_bit.val();
        }
        self.diff.next = (self.a.q.val() - self.bus.val() - self.borrow.val()).into();
        self.result.next = self.diff.val();
        if !self.op.val().get_bit(0) && !self.op.val().get_bit(1) {
            self.result.next = self.bus.val();
        }
        if self.op.val().get_bit(0) && self.op.val().get_bit(1) {
            self.result.next = (self.a.q.val() & self.bus.val()).into();
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
            && ((self.op.val() == 12) || ((self.op.val() == 11) && !self.send_busy.val()) || self.computes.val())
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
        self.push.next = self.go.val() && (self.op.val() == 11) && !self.send_busy.val() && !self.fetches.val();
        self.data.next = self.bus.val();
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
        self.stands.next = self.fetches.val()
            || self.held.val()
            || (self.moves.val() && !self.finished.val())
            || (self.send_busy.val() && ((self.op.val() == 11) || (self.acts.val() && (self.field.val() == 13))));
        self.after.next = (self.pc.q.val() + 1).into();
        self.second.d.next = self.fetches.val() || (self.second.q.val() && self.stands.val());
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
        if self.stands.val() {
            self.next.next = self.pc.q.val();
        }
        if !self.go.val() {
            self.next.next = self.none.val();
        }
        if self.calls.val() {
            self.back.d.next = self.after.val();
        }
        self.pc.d.next = self.next.val();
        self.rom.read_enable.next = true;
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
