//! What the host loads into a core before the first sequence: the contents of its memories.
//!
//! | memory | number at the load port | address | data |
//! |---|---|---|---|
//! | M | 0 | word | bits 31:0 |
//! | function tables | 1 | word | signed, W bits |
//! | mantissa tables | 2 | word | signed, SW bits |
//! | norm parameters | 3 | word | β in bits 31:0, γ' (signed, SW bits) from bit 32 on |
//! | banks | 4 | lane · 2^16 + word | signed, W bits |
//!
//! ```
//! # let core: astromorph::engine::config::EngineConfig = toml::from_str("name = 'x'\nlanes = 2\nwidth = 8\nacc_bits = 24\nbank_words = 16\nx_words = 64\nm_words = 64\nfunction_words = 16\nmantissa_words = 16\nsums = 8\nreads = 8\nnorm_width = 8\nnorm_words = 16").unwrap();
//! use astromorph::engine::{load::Loaded, program::{Program, Step}};
//! let program = Program { n_max: 16, steps: vec![Step::End] };
//! let mut loaded = Loaded::new(&core, &program).unwrap();
//! loaded.norm = vec![(-1, 5)];
//! loaded.check(&core, &program).unwrap();
//! let writes: Vec<_> = loaded.writes(&core).collect();
//! assert_eq!(writes, [(0, 0, core.id() as u64), (0, 1, 16), (0, 2, 0), (3, 0, 0xffff << 32 | 5)]);
//! ```

use super::code::encode;
use super::config::EngineConfig;
use super::program::Program;
use crate::{Error, Result};

/// Words of M before the first step: the core's id and `n_max`.
pub const HEADER: usize = 2;

/// Contents of the memories, from address 0 on; what is beyond is not loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Header, program, data.
    pub m: Vec<u32>,
    /// Function tables, W bits.
    pub function: Vec<i32>,
    /// Mantissa tables, SW bits.
    pub mantissa: Vec<i32>,
    /// (γ' of SW bits, β).
    pub norm: Vec<(i32, i32)>,
    /// One vector a lane, all of one length; or none.
    pub banks: Vec<Vec<i32>>,
}

impl Loaded {
    /// Header and program in M, and nothing else.
    pub fn new(core: &EngineConfig, program: &Program) -> Result<Self> {
        Ok(Loaded {
            m: begin(core, program)?,
            ..Loaded::default()
        })
    }

    /// Refuses contents that are not for this core, not of this program, or larger than a memory or its words.
    pub fn check(&self, core: &EngineConfig, program: &Program) -> Result<()> {
        core.validate()?;
        let begin = begin(core, program)?;
        if let Some(&id) = self.m.first()
            && id != begin[0]
        {
            return Err(Error::field(
                "program header, core",
                format!("{:#010x} ({})", begin[0], core.name),
                format!("{id:#010x}: an image for another core"),
            ));
        }
        if self.m.get(1).is_some_and(|&n| n != begin[1]) {
            return Err(Error::field("program header, n_max", begin[1].to_string(), self.m[1]));
        }
        if let Some(at) = (0..begin.len()).find(|&i| self.m.get(i) != Some(&begin[i])) {
            let found = self.m.get(at).map_or("none".into(), |w| format!("{w:#010x}"));
            return Err(Error::field(
                format!("loaded.m[{at}]"),
                format!("the program's word {:#010x}", begin[at]),
                found,
            ));
        }
        let (w, sw) = (core.width, core.serial_bits());
        for (name, words, room) in [
            ("m", self.m.len(), core.m_words),
            ("function", self.function.len(), core.function_words),
            ("mantissa", self.mantissa.len(), core.mantissa_words),
            ("norm", self.norm.len(), core.norm_words),
        ] {
            crate::spec::range(&format!("loaded.{name}"), words, 0, room)?;
        }
        narrow("loaded.function", self.function.iter(), w)?;
        narrow("loaded.mantissa", self.mantissa.iter(), sw)?;
        narrow("loaded.norm", self.norm.iter().map(|(gamma, _)| gamma), sw)?;
        if !self.banks.is_empty() && self.banks.len() != core.lanes {
            return Err(Error::field(
                "loaded.banks",
                format!("{} lanes", core.lanes),
                self.banks.len(),
            ));
        }
        for (lane, bank) in self.banks.iter().enumerate() {
            let name = format!("loaded.banks[{lane}]");
            crate::spec::range(&name, bank.len(), 0, core.bank_words)?;
            if bank.len() != self.banks[0].len() {
                return Err(Error::field(
                    name,
                    format!("{} words as lane 0", self.banks[0].len()),
                    bank.len(),
                ));
            }
            narrow(&name, bank.iter(), w)?;
        }
        Ok(())
    }

    /// Every write at the load port, in order: memory, address, data.
    pub fn writes(&self, core: &EngineConfig) -> impl Iterator<Item = (u8, u32, u64)> + '_ {
        let (w, sw) = (mask(core.width), mask(core.serial_bits()));
        let m = self.m.iter().map(|&x| x as u64);
        let function = self.function.iter().map(move |&x| x as u64 & w);
        let mantissa = self.mantissa.iter().map(move |&x| x as u64 & sw);
        let norm = self
            .norm
            .iter()
            .map(move |&(gamma, beta)| (gamma as u64 & sw) << 32 | beta as u32 as u64);
        let banks = self.banks.iter().enumerate().flat_map(move |(lane, bank)| {
            let addressed = bank.iter().enumerate();
            addressed.map(move |(a, &x)| (4, (lane as u32) << 16 | a as u32, x as u64 & w))
        });
        numbered(0, m)
            .chain(numbered(1, function))
            .chain(numbered(2, mantissa))
            .chain(numbered(3, norm))
            .chain(banks)
    }
}

fn numbered(memory: u8, data: impl Iterator<Item = u64>) -> impl Iterator<Item = (u8, u32, u64)> {
    data.enumerate().map(move |(a, data)| (memory, a as u32, data))
}

fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// Header and steps.
fn begin(core: &EngineConfig, program: &Program) -> Result<Vec<u32>> {
    crate::spec::range("program.n_max", program.n_max, 1, 65535)?;
    let mut words = vec![core.id(), program.n_max];
    words.extend(encode(program)?);
    Ok(words)
}

fn narrow<'a>(name: &str, mut words: impl Iterator<Item = &'a i32>, bits: u32) -> Result<()> {
    let top = 1i32 << (bits - 1);
    match words.position(|&x| x < -top || x >= top) {
        Some(at) => Err(Error::field(
            format!("{name}[{at}]"),
            format!("a word of {bits} bits"),
            "a wider one",
        )),
        None => Ok(()),
    }
}
