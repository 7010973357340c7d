//! The control's registers, and nothing of the words: what a cycle of the engine leaves to the next.
//!
//! Names are those of the blocks' registers. A line is a shift register: bit n is what entered n + 1 cycles ago.

/// What the fetch is doing: one of its state registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: no sequence is in work.
    #[default]
    Asleep,
    /// The program's first two words come.
    Header,
    /// A step's first word comes.
    Op,
    /// Waits to send words 1 to 4.
    WalkerGate,
    /// They come.
    Walk,
    /// Waits for `wait`, `wait_fill`.
    Gate,
    /// The array may begin.
    Offering,
    /// Waits for an idle stream.
    StreamGate,
    /// Words 5 to 15 come.
    Stream,
    /// Waits for an idle layer norm, if it is needed.
    NormGate,
    /// Words 16 to 19 come.
    Norm,
    /// Waits for the serial unit, if it is needed.
    Starting,
    /// Waits for the input's end.
    Taking,
    /// Words of a Next step come.
    Adding,
    /// The next block.
    Turning,
    /// Waits for the last fill's end.
    FillGate,
    /// Words of a Fill step come.
    Filling,
    /// Waits for the end of everything.
    Ending,
}

/// Flags of a word on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub valid: bool,
    pub row_last: bool,
    pub last: bool,
}

/// Lines of words with their flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub valid: u32,
    pub row_last: u32,
    /// Second pass of the layer norm's element.
    pub second: u32,
    pub last: u32,
}

impl Line {
    pub fn push(&mut self, word: Word, second: bool) {
        self.valid = self.valid << 1 | word.valid as u32;
        self.row_last = self.row_last << 1 | word.row_last as u32;
        self.second = self.second << 1 | second as u32;
        self.last = self.last << 1 | word.last as u32;
    }

    /// What entered `cycles` ago.
    pub fn at(&self, cycles: usize) -> (Word, bool) {
        let bit = |line: u32| line >> (cycles - 1) & 1 == 1;
        let word = Word {
            valid: bit(self.valid),
            row_last: bit(self.row_last),
            last: bit(self.last),
        };
        (word, bit(self.second))
    }
}

/// [`Fetch`](crate::engine::fetch).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fetch {
    pub state: State,
    /// The step in work.
    pub at: usize,
    pub loop_at: usize,
    pub wanted: u32,
    pub due: u32,
    /// Words on their way from M.
    pub flight: u8,
    pub count: u32,
    pub valid_2: bool,
    pub number_2: u32,
    pub start: bool,
    /// The step that it starts.
    pub started: usize,
    pub fill_start: bool,
    /// Tokens of the loop's blocks, 0 outside loops.
    pub span: u32,
    pub left: u32,
}

/// [`Fill`](crate::engine::fill).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fill {
    pub asking: bool,
    /// Words of M to be asked for.
    pub words: u64,
    /// Of them on their way.
    pub flight: u8,
}

/// [`ArrayWalker`](crate::engine::array_walker).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Walker {
    pub running: bool,
    pub pending: bool,
    pub pending_last: bool,
    /// Of the step that comes.
    pub pairs: u64,
    pub next_half: bool,
    pub passes: u64,
    pub pairs_left: u64,
    pub passes_left: u64,
    pub rows_left: u64,
    pub half_pair: bool,
    pub last_pair: bool,
    pub last_pass: bool,
    pub last_row: bool,
    pub pair: bool,
    pub row_end: bool,
    pub load: bool,
    /// The step in work, for whoever counts its slots.
    pub step: usize,
    /// Ends of passes on their way through the array.
    pub ends: u64,
}

/// [`Conveyor`](crate::engine::conveyor).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Conveyor {
    pub active: bool,
    pub armed: bool,
    pub cols_left: u32,
    pub begun: bool,
    pub lane: u32,
    pub last_column: bool,
    pub last_lane: bool,
    pub final_pass: bool,
    pub running: bool,
    pub full: bool,
    pub near: bool,
    pub go: bool,
    pub row_begin: bool,
    pub flags_1: Word,
    pub flags_3: Word,
    pub flags_5: Word,
    pub flags: Word,
}

/// [`Intake`](crate::engine::intake).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Intake {
    pub ready: bool,
    pub full: bool,
    pub opened: bool,
    pub done: bool,
    /// Words not yet sent, and those not yet used.
    pub to_send: u64,
    pub to_use: u64,
}

/// [`Front`](crate::engine::front) and the stream's part of [`Tail`](crate::engine::tail).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stream {
    pub late: Word,
    /// Bit k: a word 2k − 1 and 2k cycles old.
    pub words: u32,
    pub rows: u32,
    pub ended: bool,
    /// The tail's result.
    pub result: Word,
    pub came: bool,
    pub waiting: u64,
}

/// [`Norm`](crate::engine::norm) and its part of [`Unit`](crate::engine::unit).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Norm {
    pub beat: u32,
    pub unfinished: u32,
    pub midway: bool,
    pub width: u32,
    pub stored_row_last: bool,
    pub complete: bool,
    pub working: bool,
    pub squares: bool,
    pub epsilon: bool,
    pub scales: bool,
    pub scaling: bool,
    pub next: u32,
    pub at_end: bool,
    pub element: bool,
    pub element_last: bool,
    /// The same a cycle later.
    pub element_2: bool,
    pub element_last_2: bool,
    pub again: Word,
    /// The unit's words.
    pub tags: Line,
    /// Rows whose R is being looked up.
    pub looking: u32,
}

/// A [`Queue`](crate::engine::queue).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Queue {
    pub waiting: u32,
    pub some: bool,
    pub hold: bool,
}

/// [`Store`](crate::engine::store) and [`Output`](crate::engine::output).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Store {
    pub result: Word,
    pub final_block: bool,
    /// Results of the layer norm that wait for a free odd cycle.
    pub queue: Queue,
    pub head_full: bool,
    pub sink: Queue,
    pub promised: u32,
    pub room: bool,
    pub ending: bool,
}

/// All of them, and the engine's own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Registers {
    pub beat: u32,
    pub fetch: Fetch,
    pub fill: Fill,
    pub walker: Walker,
    pub conveyor: Conveyor,
    pub intake: Intake,
    pub stream: Stream,
    pub norm: Norm,
    pub store: Store,
    pub rows_open: u32,
    pub norm_room: bool,
    pub norm_idle: bool,
    pub stream_idle: bool,
    pub quiet: bool,
}
