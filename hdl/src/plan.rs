//! Sizes of a core that follow from an attention layer and a configuration: everything the blocks share.
//!
//! ```
//! use astromorph::{spec::Order, twin::*};
//! use astromorph_hdl::{core::CoreConfig, plan::Plan};
//! use rand::SeedableRng;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let sizes = AttentionSizes { heads: 2, features: 32, values: 20, n_max: 400, width: 16, order: Order::TwoPass,
//!     nonlinearity: Default::default(), alpha: 0.25, position: true };
//! let att = Attention::random(&mut rng, sizes);
//! let plan = Plan::new(&att, CoreConfig { lanes: 8, ..Default::default() }).unwrap();
//! assert_eq!((plan.columns, plan.tail, plan.beats, plan.pass), (3, 4, 32, 32));
//! assert_eq!((plan.key_depth, plan.value_depth, plan.query_depth), (2 * 32 * 32, 2 * 32 * 3, 400 * 32));
//! assert!(Plan::new(&att, CoreConfig { lanes: 3, ..Default::default() }).is_err());
//! ```

use crate::check;
use crate::core::CoreConfig;
use crate::multiply::Target;
use astromorph::spec::Order;
use astromorph::twin::Attention;
use astromorph::{Error, Result};

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// P.
    pub lanes: usize,
    /// T: tokens a chunk; 1 in causal order.
    pub chunk: usize,
    /// What the Verilog is for.
    pub target: Target,
    /// ⌈e/P⌉ column blocks.
    pub columns: usize,
    /// Values in the last column block.
    pub tail: usize,
    /// max(m, e) beats a token and head.
    pub beats: usize,
    /// max(m, P) slots a READ pass.
    pub pass: usize,
    /// Words of the chunk buffer: 2·T·m.
    pub key_depth: usize,
    /// Words of a lane's bank V: 2·T·⌈e/P⌉.
    pub value_depth: usize,
    /// Words of the query buffer: N_max·m, causal 2·m.
    pub query_depth: usize,
    /// m·⌈e/P⌉ states a lane and head.
    pub states: usize,
    /// Heads whose state is kept: 1, causal Hh.
    pub kept_heads: usize,
    /// Width of the lanes' accumulators.
    pub acc_bits: u32,
    /// Words of the output FIFO.
    pub fifo_depth: usize,
}

/// Cycles a word spends between the last slot of its pass and the end of the output FIFO, at most, besides its place in the pass.
const BEHIND_THE_PASS: usize = 24;

impl Plan {
    /// Checks sizes, target and configuration.
    pub fn new(att: &Attention, core: CoreConfig) -> Result<Self> {
        att.validate()?;
        let (m, e, p) = (att.features, att.values, core.lanes);
        check::range("attention.features", m, 4, 64)?;
        check::range("attention.values", e, 4, 64)?;
        if ![1, 2, 4, 8, 16].contains(&p) {
            return Err(Error::field("core.lanes", "1, 2, 4, 8 or 16", p));
        }
        check::range("core.chunk", core.chunk, 1, 64)?;
        let widest = core.target.operand_bits().min(18);
        if att.serial_width() > widest {
            return Err(Error::field(
                "attention.formats.k.bits",
                format!("8 to {widest} for target {:?}", core.target),
                att.width(),
            ));
        }
        let causal = att.order == Order::Causal;
        let chunk = if causal { 1 } else { core.chunk.min(att.n_max) };
        let columns = e.div_ceil(p);
        let pass = m.max(p);
        // Enough for every pass under way when the consumer never stalls: then READ has no bubbles.
        let under_way = (m + p + BEHIND_THE_PASS).div_ceil(pass) + 1;
        Ok(Plan {
            lanes: p,
            chunk,
            target: core.target,
            columns,
            tail: e - (columns - 1) * p,
            beats: m.max(e),
            pass,
            key_depth: 2 * chunk * m,
            value_depth: 2 * chunk * columns,
            query_depth: if causal { 2 * m } else { att.n_max * m },
            states: m * columns,
            kept_heads: if causal { att.heads } else { 1 },
            acc_bits: att.z_bits().max(att.num_bits()),
            fifo_depth: (under_way * p).next_power_of_two().max(16),
        })
    }

    /// The positional keys in the order their elements arrive.
    pub fn arrival_order(&self, att: &Attention) -> Vec<i32> {
        let (heads, n, m) = (att.heads, att.n_max, att.features);
        if att.order == Order::TwoPass || att.w.is_empty() {
            return att.w.clone();
        }
        (0..n)
            .flat_map(|t| (0..heads).flat_map(move |h| (0..m).map(move |i| (h * n + t) * m + i)))
            .map(|x| att.w[x])
            .collect()
    }
}
