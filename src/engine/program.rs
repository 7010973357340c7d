//! The program of a core: what one sequence's run through the whole model consists of.
//!
//! Every [`Run`] step sends words from a source through the stream: exact sum, addend, rounding, function, other operand, serial arithmetic,
//! destination. Units: `X` addresses count elements, bank addresses words of one lane, `M` addresses 32-bit words (positional keys:
//! elements). Row r and column j of a step number its words; lane = j mod P, pass = ⌊j / P⌋. The law is `docs/engine.md`.

use serde::{Deserialize, Serialize};

/// A base address and the register that moves it from block to block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The fixed part, below 2^24.
    pub base: u32,
    /// The moving part.
    pub index: Index,
}

impl At {
    /// A fixed address.
    pub const fn fixed(base: u32) -> Self {
        At {
            base,
            index: Index::None,
        }
    }
}

/// The registers an address may move with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Index {
    /// No moving part.
    #[default]
    None,
    /// Register 1: 0 in the first block, `Next::r1` more in each following one. Not used outside loops.
    R1,
    /// Register 2: the same with `Next::r2`.
    R2,
    /// (N − 1) · row stride of the last input step's destination: the last token.
    Last,
}

/// A count that is fixed or the number of tokens of the present block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// A number, at least 1.
    Fixed(u32),
    /// min(T, N − t0), where t0 is the block's first token; N outside loops.
    Block,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The sequence is done: wait for the next and start again at the first step.
    End,
    /// Words from a source through the stream.
    Run(Box<Run>),
    /// Weights from M into the banks, in the background.
    Fill(Fill),
    /// Begin of a loop over blocks of `tokens` tokens: t0 = 0, R1 = R2 = 0. Loops do not nest.
    Blocks {
        /// T.
        tokens: u32,
    },
    /// End of the loop: t0 += T, R1 += r1, R2 += r2, and back to the step after `Blocks` while t0 < N.
    Next {
        /// Added to R1.
        r1: u32,
        /// Added to R2.
        r2: u32,
    },
}

/// Weights of a tile: for a in 0..words, lane l: bank[l][bank + a] = element l of the `P / weights_per_word` (rounded up) words of M from
/// `from` + a · that; element n of a word in its bits [n·32/k, (n+1)·32/k), k = weights_per_word, sign-extended or cut to W.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// First word in M.
    pub from: u32,
    /// First bank word.
    pub bank: u32,
    /// Bank words a lane.
    pub words: u32,
}

/// One step of arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Name for people and comparisons ("layers.0.q.h1"): not stored in M.
    pub label: String,
    /// Names of the tensors this step shows at its taps, in the order of [`Tap`]; not stored in M.
    pub names: Vec<(Tap, String)>,
    /// Where words come from.
    pub source: Source,
    /// Start only when every earlier step's words, layer norm and stores included, have arrived.
    pub wait: bool,
    /// Start only when the last fill has ended.
    pub wait_fill: bool,
    /// What becomes of them.
    pub stream: Stream,
}

/// Where a step's words come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Exact sums of the array.
    Array(Mac),
    /// The input stream until its tlast: `stream.cols` words a row; it sets N and `Index::Last`.
    Input,
    /// sums[stream.sums.base + j], one row.
    Sums,
    /// One word: N.
    Count,
}

/// One array step: for row r, pass c, lane l: Σ_{i<k} X[x + r·x_stride + i] · bank[l][bank + c·bank_stride + i].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mac {
    /// Rows.
    pub rows: Extent,
    /// Passes: ⌈cols / P⌉.
    pub passes: u32,
    /// Products a sum.
    pub k: Extent,
    /// First element, even in sum.
    pub x: At,
    /// Elements from row to row, even.
    pub x_stride: u32,
    /// First bank word, even.
    pub bank: u32,
    /// Bank words from pass to pass, even.
    pub bank_stride: u32,
}

/// What becomes of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Columns of a row; words of lanes beyond are dropped.
    pub cols: u32,
    /// A word every 4 cycles instead of every 2: for residual operands, states Z wider than 32 bits, and Power.
    pub slow: bool,
    /// Added to the exact word.
    pub addend: Addend,
    /// Right shift s of the first rounding, −16 to 47: `requant(acc, s)` to `bits`.
    pub shift: i32,
    /// Width it saturates to: W, SW, W + 1 or a table's index bits.
    pub bits: u32,
    /// Non-linearity.
    pub function: Function,
    /// Second operand.
    pub other: Other,
    /// Calcium, normaliser, power.
    pub serial: Serial,
    /// Column sums over the rows.
    pub sums: Option<Sums>,
    /// Where the word goes.
    pub to: To,
    /// Layer norm of each row of words.
    pub norm: Option<Norm>,
}

impl Stream {
    /// Rows of `cols` words that are rounded by `shift` to `bits` and go nowhere: what a step starts from, its other fields set one by one.
    pub fn plain(cols: u32, shift: i32, bits: u32) -> Stream {
        Stream {
            cols,
            slow: false,
            addend: Addend::None,
            shift,
            bits,
            function: Function::None,
            other: Other::None,
            serial: Serial::None,
            sums: None,
            to: To::Nowhere,
            norm: None,
        }
    }
}

/// Added to the exact word, before rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Addend {
    /// Nothing.
    None,
    /// The signed word M[at + r·stride + j]: a bias (stride 0) or a bias with positions.
    Word {
        /// First word.
        at: At,
        /// Words from row to row.
        stride: u32,
    },
    /// The Hebbian state: word n = r·cols + j of M (two words, low first, when `wide`); nothing in the first block; the sum is stored back.
    State {
        /// First word.
        at: u32,
        /// Two words a state.
        wide: bool,
    },
}

/// Non-linearity on the rounded word x. `shift`: −16 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Function {
    /// x.
    None,
    /// x ≥ 0: requant(x + 2^one, shift); x < 0: function table at `table` + ((x + 2^(W−1)) >> (W−1−bits)). `one` 0 to 17.
    Phi {
        /// First word of the table.
        table: u32,
        /// Index bits T.
        bits: u32,
        /// Fraction of x.
        one: u32,
        /// Of the rounding.
        shift: i32,
    },
    /// requant(max(x, 0), shift).
    Relu {
        /// Of the rounding.
        shift: i32,
    },
    /// The same plus function table at `table` + min(|x| >> drop, 2^bits − 1), saturated to W.
    Gelu {
        /// First word of the table.
        table: u32,
        /// Index bits T.
        bits: u32,
        /// Shift of the index.
        drop: u32,
        /// Of the rounding.
        shift: i32,
    },
    /// Function table at `table` + x + 2^(bits−1): the sigmoid.
    Table {
        /// First word of the table.
        table: u32,
        /// Index bits.
        bits: u32,
    },
    /// clamp(x + 2^(W−2), 0, 2^(W−1) − 1): the hard sigmoid.
    Hard,
}

/// Second operand, of the function's result x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Other {
    /// None.
    None,
    /// Positional key w, element at + r·stride + j of M (packed as weights are): min(x + w, 2^(W−1) − 1).
    Key {
        /// First element; the moving part counts elements.
        at: At,
        /// Elements from row to row.
        stride: u32,
    },
    /// u = X[at + r·stride + j]: requant((x << left) + u, shift), or of x + (u << −left) when `left` is negative.
    Residual {
        /// First element.
        at: At,
        /// Elements from row to row.
        stride: u32,
        /// Alignment, −15 to 15.
        left: i32,
        /// Of the rounding, −8 to 31.
        shift: i32,
    },
}

/// Serial arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Serial {
    /// None.
    None,
    /// C_r = max(Σ_j x_j · g[g + j], 2^minimum); reads[read + r] = split and reciprocal of it. The word itself goes on unchanged.
    Calcium {
        /// First word of g.
        g: u32,
        /// First word of the read memory.
        read: u32,
        /// log2 of the least C.
        minimum: u32,
        /// The reciprocal table.
        table: u32,
        /// Its mantissa bits.
        bits: u32,
        /// Row r reads g[g + r·cols + j]: each row has its own.
        running: bool,
    },
    /// (E, R) = reads[read + r]: the first rounding shifts by E + offset instead of `shift` (to SW bits), then requant(n · R, SW + 14 − W) to W.
    Normalise {
        /// First word of the read memory.
        read: u32,
        /// κ, −144 to 111; E + κ is clamped to −16..47.
        offset: i32,
    },
    /// Source sums: (E, mant) = split(max(s, 1)); g[g + j] = mantissa table at `table` + E·2^bits + mant. `running`: not a step of its own, but
    /// of every new column sum of the function's words, row r's to g[g + r·cols + j]; the words themselves go on as without it.
    Power {
        /// First word of g.
        g: u32,
        /// The power table.
        table: u32,
        /// Its mantissa bits.
        bits: u32,
        /// Of the sums as they run.
        running: bool,
    },
    /// Source count: `reads[read]` = split and reciprocal of N.
    Count {
        /// Word of the read memory.
        read: u32,
        /// The reciprocal table.
        table: u32,
        /// Its mantissa bits.
        bits: u32,
    },
}

/// sums[base + j] += word; in the first row of the first block it starts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// First word.
    pub base: u32,
    /// Which word is summed.
    pub of: Summed,
}

/// Which word is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Summed {
    /// Nothing: `base` says where source sums begin.
    Nothing,
    /// The function's result (the calcium sum of a = φ(k)).
    Function,
    /// The layer norm's result if there is one, else the word that is stored (pooling).
    Result,
}

/// Where the word goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum To {
    /// Nowhere but to the other units.
    Nowhere,
    /// X[at + r·row + j·column].
    X {
        /// First element.
        at: At,
        /// Elements from row to row.
        row: u32,
        /// Elements from column to column.
        column: u32,
    },
    /// bank[lane j mod P][bank + r·row + ⌊j / P⌋·pass].
    Bank {
        /// First word.
        bank: u32,
        /// Words from row to row.
        row: u32,
        /// Words from pass to pass.
        pass: u32,
    },
    /// The output stream, SW bits; tlast on the last word of the last block.
    Output,
}

/// Layer norm over each row of `stream.cols` = D words of W bits; `docs/arithmetic.md` section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Norm {
    /// First of D words (γ', β), followed by one word that holds ε (low 32 bits in β, next 16 in γ').
    pub parameters: u32,
    /// Shift of c = requant'(D·x − Σx) to SW bits, 0 to 31.
    pub drop: u32,
    /// 15 − fraction of n: n = dynround(c·R, h + offset), −32 to 31.
    pub offset: i32,
    /// Of the last rounding, −8 to 47.
    pub shift: i32,
    /// The 1/√ table.
    pub table: u32,
    /// Its mantissa bits.
    pub bits: u32,
    /// Where the result goes: X[at + r·row + j]; nowhere when only summed.
    pub to: Option<(At, u32)>,
}

/// The places at which every word can be observed, the same in every form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tap {
    /// Exact sum with its addend (Z, num, C is not one), A bits.
    Sum,
    /// After the first rounding (q, k, v, u, o, d, H of the identity, n of the normaliser, logits).
    Linear,
    /// After the function (a, b, f, H).
    Function,
    /// After the other operand (aw, r1, r2).
    Other,
    /// The column sum after the addition (s, pooled sums).
    Sums,
    /// C, at the end of a row.
    Calcium,
    /// g.
    Power,
    /// The normaliser's result (y, pooled).
    Normalise,
    /// The layer norm's result.
    Norm,
}

/// A program for one model on one core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Longest sequence; longer ones are cut and flagged.
    pub n_max: u32,
    /// The steps; the last is `End`.
    pub steps: Vec<Step>,
}

impl Run {
    /// Every address that may move.
    pub(super) fn places(&self) -> impl Iterator<Item = At> {
        let s = &self.stream;
        let x = match self.source {
            Source::Array(mac) => Some(mac.x),
            _ => None,
        };
        let addend = match s.addend {
            Addend::Word { at, .. } => Some(at),
            _ => None,
        };
        let other = match s.other {
            Other::Key { at, .. } | Other::Residual { at, .. } => Some(at),
            Other::None => None,
        };
        let to = match s.to {
            To::X { at, .. } => Some(at),
            _ => None,
        };
        let norm = s.norm.and_then(|norm| norm.to).map(|(at, _)| at);
        [x, addend, other, to, norm].into_iter().flatten()
    }
}
