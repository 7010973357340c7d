//! Attention alone: one layer's attention as a program of its own, so that an engine is an attention core with q, k, v in and y out.
//!
//! Signature: [`Attention`] × [`EngineConfig`] → [`Compiled`]. The steps are those of a whole model (`attention`); where that has W_Q, W_K and W_V an
//! identity matrix in the banks passes the words of the host through the array, exactly: x·1, shift 0.
//!
//! | | words, row by row (token by token) |
//! |---|---|
//! | in | q of each head, k of each head, v of each head; each head's m (or e) words begin at an even place, with a 0 behind an odd number: [`attention_words`] |
//! | out | y of each head, Hh·e |
//! | taps | q k v a aw Z s H g b C num y, named `layers.L.x` |
//!
//! With one head y leaves from the step that computes it; with more a step of its own collects the heads' words.
//!
//! ```
//! # let core: astromorph::engine::config::EngineConfig = toml::from_str("name = 'small'\nlanes = 4\nwidth = 16\nacc_bits = 40\nbank_words = 512\n\
//! #     x_words = 1024\nm_words = 2048\nfunction_words = 2048\nmantissa_words = 4096\nsums = 8\nreads = 32\nnorm_width = 8\nnorm_words = 18").unwrap();
//! use astromorph::{engine::machine::Machine, format::Format, spec::{Nonlinearity, Order}, twin::{Attention, AttentionFormats}};
//! use astromorph_host::compile::{attention, attention_words};
//! let f = Format::new(16, 8);
//! let att = Attention::build(1, 4, 4, 4, Order::TwoPass, Nonlinearity::Identity, 1.0,
//!     AttentionFormats { q: f, k: f, v: f, a: f, b: f, h: f, g: f, y: f }, &Default::default(), Vec::new());
//! let (q, k, v) = ([256; 4], [0; 4], [300, -200, 100, 0]);
//! let compiled = attention(&att, &core, 0).unwrap();
//! let mut machine = Machine::new(&core, &compiled.program, &compiled.loaded).unwrap();
//! assert_eq!(machine.predict(&attention_words(&att, &q, &k, &v)).unwrap(), att.run(&q, &k, &v).y);
//! ```

use super::attention::{IDENTITY, Projection, named, rows, run};
use super::draft::Ground;
use super::layout::{Layout, Sizes, balanced};
use super::memory::Region;
use super::part::{Part, Phase, Tile, even, word};
use super::schedule::{Schedule, begin, end, push, zeros};
use super::tensors::{Alias, Tensors};
use super::{Compiled, chunks_fit, finish, twice};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::program::*;
use astromorph::spec::Order;
use astromorph::twin::Attention;
use astromorph::{Error, Result};

/// The words of a sequence as the program takes them: q, k are N × Hh·m, v is N × Hh·e.
pub fn attention_words(att: &Attention, q: &[i32], k: &[i32], v: &[i32]) -> Vec<i32> {
    let (m, e) = (att.features, att.values);
    let tokens = q.len() / (att.heads * m);
    let mut words = Vec::new();
    for token in 0..tokens {
        for (x, size) in [(q, m), (k, m), (v, e)] {
            for head in x[token * att.heads * size..][..att.heads * size].chunks_exact(size) {
                words.extend(head);
                words.resize(words.len() + size % 2, 0);
            }
        }
    }
    words
}

/// Compiles layer `l`'s attention for a core; refuses by name what the core cannot hold.
pub fn attention(att: &Attention, core: &EngineConfig, l: usize) -> Result<Compiled> {
    core.validate()?;
    att.validate()?;
    if att.width() != core.width {
        let expected = format!("{} as core {} has, or another core", core.width, core.name);
        return Err(Error::field("attention.formats.k.bits", expected, att.width()));
    }
    chunks_fit(core, att.chunked(), att.heads * att.features, att.n_max)?;
    let sums = att.heads * att.features;
    if sums > core.sums {
        let expected = format!("{sums} or more for Hh·m calcium sums");
        return Err(Error::field("core.sums", expected, core.sums));
    }
    let alone = Alone::new(att, core)?;
    twice(|first, whole| alone.program(l, first, whole))
}

/// The sizes that everything here needs.
struct Alone<'a> {
    att: &'a Attention,
    core: &'a EngineConfig,
    sizes: Sizes,
    layout: Layout,
    /// Side of the identity matrix.
    side: usize,
}

impl<'a> Alone<'a> {
    fn new(att: &'a Attention, core: &'a EngineConfig) -> Result<Self> {
        let (m, e, heads) = (att.features, att.values, att.heads);
        let row = heads * (2 * even(m) + even(e));
        let sizes = Sizes {
            lanes: core.lanes,
            layers: 1,
            d: 0,
            heads,
            m,
            e,
            hidden: 0,
            n: att.n_max,
            width: Some(row),
            logits: 0,
            causal: att.order == Order::Causal,
            chunk: att.chunked(),
            pre: false,
        };
        let side = m
            .max(if heads > 1 { heads * e } else { e })
            .max(att.chunked().unwrap_or(0));
        let layout = layout(core, &sizes, row, side)?;
        Ok(Alone {
            att,
            core,
            sizes,
            layout,
            side,
        })
    }

    /// The program's length in words, and what was compiled with data from word `first` of M on.
    fn program(&self, l: usize, first: u32, whole: bool) -> Result<(usize, Compiled)> {
        let (s, layout) = (&self.sizes, &self.layout);
        let wide = self.att.z_bits() > 32;
        let mut ground = Ground::new(self.core, s.clone(), layout.clone(), first, wide);
        let (q, k) = (0, s.heads * even(s.m));
        let mut a = ground.attend(l, self.att, [k, 2 * k, q].map(Projection::Given))?;
        let mut tensors = Tensors::default();
        if self.att.w.is_empty() {
            tensors.aliases.push(Alias {
                tensor: format!("layers.{l}.aw"),
                of: format!("layers.{l}.a"),
                last_row: None,
            });
        }
        let mut collect = Vec::new();
        match &mut a.reads[..] {
            [read] => read.run.stream.to = To::Output,
            _ => collect.push(self.collect(&ground)),
        }
        let phase = |blocks, parts| Phase {
            blocks,
            parts,
            free: 0,
            zeros: None,
        };
        let keys = s.heads * s.m;
        let mut phases = vec![phase(None, vec![self.input()])];
        if let Some(t) = s.chunk {
            let (zeros, before, parts) = a.in_chunks();
            let mut first = phase(None, before);
            first.zeros = zeros;
            phases.push(first);
            phases.push(phase(Some((t, t * layout.row, t * keys)), [parts, collect].concat()));
        } else if s.causal {
            let parts = [a.keys, a.power, a.values, a.queries, a.writes, a.reads, collect].concat();
            phases.push(phase(Some((1, layout.row, keys)), parts));
        } else {
            let (write, read) = (layout.write, layout.read);
            phases.extend([
                phase(
                    Some((write, write * layout.row, write * keys)),
                    [a.keys, a.values, a.writes].concat(),
                ),
                phase(None, a.power),
                phase(
                    Some((read, read * layout.row, 0)),
                    [a.queries, a.reads, collect].concat(),
                ),
            ]);
        }
        finish(ground, self.schedule(phases), tensors, layout.row, whole)
    }

    /// The host's words to X.
    fn input(&self) -> Part {
        let row = self.layout.row;
        let stream = Stream {
            to: To::X {
                at: At::fixed(0),
                row: word(row),
                column: 1,
            },
            ..Stream::plain(word(row), 0, self.core.width)
        };
        Part {
            run: run("input".into(), Source::Input, stream, &[]),
            tile: None,
            divisible: false,
            show: Vec::new(),
        }
    }

    /// The heads' y as one row.
    fn collect(&self, ground: &Ground<'_>) -> Part {
        let he = self.sizes.heads * self.sizes.e;
        let stream = Stream {
            to: To::Output,
            ..Stream::plain(word(he), 0, self.core.serial_bits())
        };
        let mac = ground.tokens(At::fixed(self.layout.y(&self.sizes)), even(he), he, he);
        named(Part {
            run: run("output".into(), Source::Array(mac), stream, &[]),
            tile: Some(Tile {
                weight: IDENTITY.into(),
                k: he,
                first: 0,
                cols: he,
            }),
            divisible: false,
            show: vec![(Tap::Linear, rows("output".into(), he, 0, he))],
        })
    }

    /// All steps; every step with weights reads the one identity matrix at the banks' beginning.
    fn schedule(&self, phases: Vec<Phase>) -> Schedule {
        let (lanes, stride) = (self.core.lanes, even(self.side));
        let mut banks = vec![vec![0; self.side.div_ceil(lanes) * stride]; lanes];
        for j in 0..self.side {
            banks[j % lanes][j / lanes * stride + j] = 1;
        }
        let region = Region {
            memory: "bank",
            first: 0,
            words: word(banks[0].len()),
            holds: IDENTITY.into(),
        };
        let mut steps = Vec::new();
        for mut phase in phases {
            zeros(&mut steps, &phase);
            begin(&mut steps, &phase);
            for mut part in std::mem::take(&mut phase.parts) {
                if let (Some(_), Source::Array(mac)) = (&part.tile, &mut part.run.source) {
                    (mac.bank, mac.bank_stride) = (0, word(stride));
                }
                push(&mut steps, part);
            }
            end(&mut steps, &phase);
        }
        Schedule {
            steps,
            banks,
            regions: vec![region],
        }
    }
}

/// Where q, k, v, aw, b, y, V and H lie, and the tokens of a block.
fn layout(core: &EngineConfig, s: &Sizes, row: usize, side: usize) -> Result<Layout> {
    let room = s.n * row;
    let (write_room, read_room) = (s.heads * s.m, s.heads * even(s.m) + even(s.heads * s.e));
    let beside = if s.causal {
        s.causal_room()
    } else {
        (2 * write_room).max(read_room)
    };
    if room + beside > core.x_words {
        let expected = format!(
            "{} or more elements for q, k, v and what becomes of them, {} tokens",
            room + beside,
            s.n
        );
        return Err(Error::field("core.x_words", expected, core.x_words));
    }
    let reads = s.heads * s.chunk_rows();
    if core.reads < reads {
        let of = ["", " and token of a chunk"][s.chunk.iter().len()];
        let expected = format!("{reads} or more words, one a head{of}");
        return Err(Error::field("core.reads", expected, core.reads));
    }
    let free = core.x_words - room;
    let passes = s.heads * s.value_passes();
    let identity = side.div_ceil(s.lanes) * even(side);
    let needed = identity + s.states();
    let least = needed + if s.chunk.is_none() { 2 * passes } else { 0 };
    if least > core.bank_words {
        let expected = format!("{least} or more words for the identity matrix, H and V");
        return Err(Error::field("core.bank_words", expected, core.bank_words));
    }
    let by_bank = (core.bank_words - needed) / (2 * passes) * 2;
    let (write, read) = if s.causal {
        (s.chunk_rows(), s.chunk_rows())
    } else {
        (
            s.n.min(free / write_room / 2 * 2).min(by_bank),
            s.n.min(free / read_room).min(core.reads / s.heads),
        )
    };
    let h = core.bank_words - s.states();
    let (write, read) = match s.causal {
        true => (write, read),
        false => (balanced(s.n, write), balanced(s.n, read)),
    };
    Ok(Layout {
        row,
        features_row: 0,
        normed: 0,
        room,
        resident: true,
        merged_keys: false,
        v: if s.chunk.is_some() { h } else { h - passes * even(write) },
        h,
        write,
        read,
        forward: 0,
    })
}
