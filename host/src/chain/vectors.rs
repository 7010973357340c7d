//! The words that enter and leave a layer's attention in the twin: what every form of the core is driven with and must return.

use astromorph::Result;
use astromorph::sequence::Sequence;
use astromorph::twin::{Attention, AttentionVectors, Twin};
use astromorph_sim::core::{push_beats, push_words};
use astromorph_sim::cosim::streams::{Beats, OutBeat};
use rayon::prelude::*;

/// The vectors of layer `l` for every sequence, on all cores.
pub fn vectors(twin: &Twin, l: usize, sequences: &[Sequence]) -> Result<Vec<AttentionVectors>> {
    sequences.par_iter().map(|s| twin.attention_vectors(s, l)).collect()
}

/// Beats to send and words to expect for sequences one behind the other.
pub fn stream(att: &Attention, vectors: &[AttentionVectors]) -> (Beats, Vec<OutBeat>) {
    let (mut beats, mut words) = (Beats::default(), Vec::new());
    for x in vectors {
        push_beats(att, &x.q, &x.k, &x.v, &mut beats);
        push_words(att, &x.y, &mut words);
    }
    (beats, words)
}
