//! Integer words in the smallest standard type that holds their format: what an image keeps in memory and in its file.
//!
//! ```
//! use astromorph::image::Words;
//! let words = Words::pack(12, [5, -2048].into_iter());
//! assert_eq!((words.get(1), words.dtype()), (-2048, safetensors::Dtype::I16));
//! assert_eq!(words.bytes(), [5, 0, 0x00, 0xf8]);
//! ```

use safetensors::Dtype;

/// Words of one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// Up to 8 bits.
    I8(Vec<i8>),
    /// Up to 16 bits.
    I16(Vec<i16>),
    /// Up to 32 bits.
    I32(Vec<i32>),
    /// Up to 64 bits.
    I64(Vec<i64>),
}

/// The type that holds words of `bits`.
pub(super) fn dtype(bits: u32) -> Dtype {
    match bits {
        ..=8 => Dtype::I8,
        9..=16 => Dtype::I16,
        17..=32 => Dtype::I32,
        _ => Dtype::I64,
    }
}

impl Words {
    /// Packs words that fit `bits`.
    pub fn pack(bits: u32, words: impl Iterator<Item = i64>) -> Words {
        match dtype(bits) {
            Dtype::I8 => Words::I8(words.map(|x| x as i8).collect()),
            Dtype::I16 => Words::I16(words.map(|x| x as i16).collect()),
            Dtype::I32 => Words::I32(words.map(|x| x as i32).collect()),
            _ => Words::I64(words.collect()),
        }
    }

    /// Reads little-endian words of `bits`' type.
    pub(super) fn unpack(bits: u32, bytes: &[u8]) -> Words {
        match dtype(bits) {
            Dtype::I8 => Words::I8(bytes.iter().map(|&x| x as i8).collect()),
            Dtype::I16 => Words::I16(bytes.as_chunks().0.iter().map(|&x| i16::from_le_bytes(x)).collect()),
            Dtype::I32 => Words::I32(bytes.as_chunks().0.iter().map(|&x| i32::from_le_bytes(x)).collect()),
            _ => Words::I64(bytes.as_chunks().0.iter().map(|&x| i64::from_le_bytes(x)).collect()),
        }
    }

    /// The words as little-endian bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Words::I8(x) => x.iter().map(|&x| x as u8).collect(),
            Words::I16(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Words::I32(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Words::I64(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    /// The type in a file.
    pub fn dtype(&self) -> Dtype {
        match self {
            Words::I8(_) => Dtype::I8,
            Words::I16(_) => Dtype::I16,
            Words::I32(_) => Dtype::I32,
            Words::I64(_) => Dtype::I64,
        }
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        match self {
            Words::I8(x) => x.len(),
            Words::I16(x) => x.len(),
            Words::I32(x) => x.len(),
            Words::I64(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One word.
    pub fn get(&self, index: usize) -> i64 {
        match self {
            Words::I8(x) => x[index] as i64,
            Words::I16(x) => x[index] as i64,
            Words::I32(x) => x[index] as i64,
            Words::I64(x) => x[index],
        }
    }

    /// All words in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}
