//! The fields of a Run step that stream, serial units and layer norm read: words 5 to 19 of `docs/engine.md` section 3.
//!
//! Two blocks of registers: [`StreamFields`] holds the step whose words are in the stream, [`NormFields`] the last step with a layer norm. Pointers take their
//! `At` words as they come. Addresses have the bits of this core's memories.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{fields::StreamFields, sizes::Sizes}, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut f = StreamFields::new(&Sizes::new(&core).unwrap());
//! f.connect_all();
//! (f.write.next, f.number.next, f.data.next) = (true, U::new(5), U::new(8 << 26 | 20 << 20 | 64));
//! for level in [true, false] { f.clock.next.clk = level; simulate(&mut f, 10); }
//! assert_eq!((f.cols.val(), f.shift.val(), f.bits.val()), (U::new(64), U::new(20), U::new(8)));
//! ```

use super::sizes::{COUNT_BITS, Sizes};
use crate::settings;

settings! {
    /// Words 5 to 15, less what the stores' pointers take.
    pub struct StreamFields(s: &Sizes) {
        fields {
            /// Columns of a row.
            cols: 5, 0, COUNT_BITS;
            /// none, word, state.
            addend_kind: 5, 16, 2;
            /// Of the first rounding, + 16.
            shift: 5, 20, 6;
            /// Width it saturates to.
            bits: 5, 26, 5;
            /// none, φ, ReLU, GELU, table, hard.
            kind: 7, 16, 3;
            /// Fraction of x.
            one: 7, 19, 5;
            /// + 16.
            function_shift: 7, 24, 6;
            /// First word.
            function_table: 8, 0, s.function_bits;
            /// Bits of the table's index.
            index_bits: 8, 16, 4;
            /// Shift of the index.
            drop: 8, 20, 5;
            /// none, key, residual.
            other_kind: 9, 28, 2;
            /// |left|.
            left: 10, 16, 5;
            /// + 8.
            other_shift: 10, 22, 6;
            /// none, calcium, normalise, power, count.
            serial: 11, 0, 3;
            /// First word of g.
            g: 11, 4, s.sum_bits;
            /// First word of the read memory.
            read: 11, 16, s.read_bits;
            /// κ + 16.
            offset: 12, 0, 8;
            /// Of the step's mantissa table.
            mantissa_bits: 12, 8, 4;
            /// First word of it.
            mantissa_table: 12, 16, s.mantissa_bits;
            /// log2 of the least C.
            minimum: 13, 0, 6;
            /// nowhere, X, bank, output.
            to: 13, 6, 2;
            /// nothing, function, result.
            sums_of: 13, 9, 2;
            /// First sum.
            sums_base: 13, 16, s.sum_bits;
        }
        flags {
            /// left > 0.
            left_is_value: 10, 21;
            /// Every row has its own g.
            running: 11, 3;
            /// The step has a layer norm.
            norm: 13, 8;
        }
    }
}

settings! {
    /// Words 16 and 17.
    pub struct NormFields(s: &Sizes) {
        fields {
            /// Shift of c.
            drop: 16, 11, 5;
            /// First parameter.
            parameters: 16, 16, s.norm_bits;
            /// 15 − fraction of n, + 32.
            offset: 17, 0, 6;
            /// Of the last rounding, + 8.
            shift: 17, 6, 6;
            /// Of the 1/√ table.
            bits: 17, 12, 4;
            /// First word of it.
            root_table: 17, 16, s.mantissa_bits;
        }
        flags {
            /// Results are stored.
            stored: 16, 28;
        }
    }
}
