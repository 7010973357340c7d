//! The engine behind a link, as the link uses it.
//!
//! A core takes words of its input and gives words of its output whenever it is asked; what it does in between is its own affair.

use astromorph::engine::code::decode;
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::{HEADER, Loaded};
use astromorph::engine::machine::Machine;
use astromorph::engine::program::Program;
use astromorph_hdl::engine::errors::{BAD_STEP, CUT_SHORT, OTHER_CORE, TOO_LONG};
use astromorph_hdl::link::protocol::{MEMORIES, Space};
use std::collections::VecDeque;

/// An engine: `docs/engine.md` section 4.
pub trait Core {
    /// The load port: a word for a memory. Memory and address are there, and no sequence is in work.
    fn write(&mut self, memory: u8, address: u32, data: u64);
    /// The word of a memory, zeros above its width, under the same conditions.
    fn read(&mut self, memory: u8, address: u32) -> u64;
    /// Offers an input word; tells whether it was taken.
    fn offer(&mut self, word: i32, last: bool) -> bool;
    /// The next output word, if there is one.
    fn output(&mut self) -> Option<(i32, bool)>;
    /// A sequence is in work.
    fn busy(&self) -> bool;
    /// Sticky until reset.
    fn error(&self) -> u8;
    /// Everything but the memories.
    fn reset(&mut self);
}

/// Memories as arrays, and the integer machine for sequences. A sequence that the engine would flag and cut gives the flag here, and no words.
/// Reading back shows what was loaded, not what a sequence has left in it.
pub struct MemoryCore {
    core: EngineConfig,
    memories: [Vec<u64>; 5],
    /// Made of the memories when a sequence comes; a write makes it void.
    machine: Option<Machine>,
    input: Vec<i32>,
    output: VecDeque<(i32, bool)>,
    error: u8,
}

fn signed(x: u64, bits: u32) -> i32 {
    let spare = 64 - bits;
    ((x << spare) as i64 >> spare) as i32
}

impl MemoryCore {
    /// All memories zero.
    pub fn new(core: &EngineConfig) -> astromorph::Result<Self> {
        core.validate()?;
        let memory = |space: Space| {
            let parts = if space == Space::Bank { core.lanes } else { 1 };
            vec![0; parts * space.size(core) as usize]
        };
        Ok(MemoryCore {
            core: core.clone(),
            memories: MEMORIES.map(memory),
            machine: None,
            input: Vec::new(),
            output: VecDeque::new(),
            error: 0,
        })
    }

    fn place(&self, memory: u8, address: u32) -> usize {
        match memory == Space::Bank as u8 {
            true => (address >> 16) as usize * self.core.bank_words + (address & 0xffff) as usize,
            false => address as usize,
        }
    }

    /// The machine that the memories make, or the error bit of an engine that finds them.
    fn machine(&self) -> Result<Machine, u8> {
        let [m, function, mantissa, norm, banks] = &self.memories;
        let m: Vec<u32> = m.iter().map(|&x| x as u32).collect();
        if m[0] != self.core.id() {
            return Err(OTHER_CORE);
        }
        let (w, sw) = (self.core.width, self.core.serial_bits());
        let table = |words: &[u64], bits| words.iter().map(|&x| signed(x, bits)).collect::<Vec<_>>();
        let program = Program {
            n_max: m[1],
            steps: decode(&m[HEADER..]).map_err(|_| BAD_STEP)?,
        };
        let loaded = Loaded {
            function: table(function, w),
            mantissa: table(mantissa, sw),
            norm: norm.iter().map(|&x| (signed(x >> 32, sw), x as i32)).collect(),
            banks: banks.chunks(self.core.bank_words).map(|bank| table(bank, w)).collect(),
            m,
        };
        Machine::new(&self.core, &program, &loaded).map_err(|_| BAD_STEP)
    }

    fn sequence(&mut self) -> Result<Vec<i32>, u8> {
        if self.machine.is_none() {
            self.machine = Some(self.machine()?);
        }
        let Some(machine) = &mut self.machine else {
            return Err(BAD_STEP);
        };
        machine.predict(&self.input).map_err(|e| match e.to_string() {
            text if text.contains("whole rows") => CUT_SHORT,
            text if text.contains("sequence length") => TOO_LONG,
            _ => BAD_STEP,
        })
    }
}

impl Core for MemoryCore {
    fn write(&mut self, memory: u8, address: u32, data: u64) {
        let place = self.place(memory, address);
        let bits = MEMORIES[memory as usize].word_bits(&self.core);
        self.memories[memory as usize][place] = data & ((1 << bits) - 1);
        self.machine = None;
    }

    fn read(&mut self, memory: u8, address: u32) -> u64 {
        self.memories[memory as usize][self.place(memory, address)]
    }

    fn offer(&mut self, word: i32, last: bool) -> bool {
        if !self.output.is_empty() {
            return false;
        }
        if self.error & (OTHER_CORE | BAD_STEP) != 0 {
            return true;
        }
        self.input.push(word);
        if last {
            match self.sequence() {
                Ok(words) => {
                    let end = words.len();
                    self.output
                        .extend(words.iter().enumerate().map(|(n, &w)| (w, n + 1 == end)));
                }
                Err(bit) => self.error |= bit,
            }
            self.input.clear();
        }
        true
    }

    fn output(&mut self) -> Option<(i32, bool)> {
        self.output.pop_front()
    }

    fn busy(&self) -> bool {
        !self.input.is_empty() || !self.output.is_empty()
    }

    fn error(&self) -> u8 {
        self.error
    }

    fn reset(&mut self) {
        self.input.clear();
        self.output.clear();
        self.error = 0;
    }
}
