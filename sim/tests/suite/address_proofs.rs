//! Addresses stay where a step was declared, proved by induction on the emitted Verilog at a small size; and that each proof can fail.
//!
//! | statement | block | supposed |
//! |---|---|---|
//! | a fill reads M from `from` on, words · groups words, and writes the banks' words from `bank` on | `Fill` | the step lies inside both memories; it is set when idle and then started; words come back only when asked for |
//! | a pair's row of X lies in its row's K pairs, its bank row in its pass's | `ArrayWalker` | the step's last pair lies inside; the next step's words come when `open` says so, not in the cycle after a load |
//! | a word is stored at base + r · row + j · column, a layer norm's result at base + r · row + j | `Store` | the last of them lies inside; words two cycles apart, whole rows; the queue gives flags back in order |
//!
//! What a law supposes is a state of its own (`s`, `kept`): once it is broken, nothing is claimed until the next step. What it supposes of sizes is
//! what `Machine` refuses a program for (`place.within`).

use super::engine_proofs::{emitted, holds_but_not_with};
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::engine::array_walker::ArrayWalker;
use astromorph_hdl::engine::fill::Fill;
use astromorph_hdl::engine::sizes::Sizes;
use astromorph_hdl::engine::store::Store;

/// M 16 words, banks 8, X 16 elements; four lanes, two to a word of M.
fn sizes() -> Sizes {
    let core = EngineConfig {
        name: "proof".into(),
        lanes: 4,
        width: 16,
        acc_bits: 40,
        bank_words: 8,
        x_words: 16,
        m_words: 16,
        function_words: 16,
        mantissa_words: 16,
        sums: 8,
        reads: 8,
        norm_width: 8,
        norm_words: 16,
        chunked: false,
    };
    Sizes::new(&core).unwrap()
}

#[test]
fn a_fill_stays_in_its_words() {
    let seen = [
        ("asking", "d.asking.q"),
        ("words", "d.words.q"),
        ("bank_r", "d.bank.q"),
        ("flight", "d.flight.q"),
        ("ask_lane", "d.ask_lane.q"),
        ("put_lane", "d.put_lane.q"),
        ("from_r", "d.from.q"),
    ];
    let body = emitted(Fill::new(&sizes()).unwrap());
    holds_but_not_with(
        &body,
        include_str!("laws/fill.v"),
        &seen,
        ("words$q == 32'h1", "words$q == 32'h0"),
    );
}

#[test]
fn the_array_reads_what_its_step_declares() {
    let seen = [
        ("issue", "d.issue"),
        ("running", "d.running.q"),
        ("last_pair", "d.last_pair.q"),
        ("last_pass", "d.last_pass.q"),
        ("last_row", "d.last_row.q"),
        ("last_all", "d.last_all.q"),
        ("row_end", "d.row_end.q"),
        ("load_r", "d.load_r.q"),
        ("back", "d.back.q"),
        ("x", "d.x.q"),
        ("x_start", "d.rows.start_0"),
        ("x_stride", "d.rows.distance_r_0"),
        ("bank", "d.bank.q"),
        ("bank_pass", "d.rows.start_1"),
        ("pairs", "d.pairs.q"),
        ("pairs_left", "d.pairs_left.q"),
        ("passes_left", "d.passes_left.q"),
        ("rows_left", "d.rows_left.q"),
        ("f_passes", "d.fields.passes"),
        ("f_stride", "d.rows.distance_r_1"),
        ("f_bank", "d.fields.bank"),
    ];
    let body = emitted(ArrayWalker::new(&sizes()).unwrap());
    holds_but_not_with(
        &body,
        include_str!("laws/array_walker.v"),
        &seen,
        ("rows$base_1 = fields$bank;", "rows$base_1 = bank$q;"),
    );
}

#[test]
fn a_stored_row_stays_in_its_words() {
    let seen = [
        ("valid_1", "d.valid_1.q"),
        ("row_1", "d.row_1.q"),
        ("pass_1", "d.pass_1.q"),
        ("to_x", "d.to_x.q"),
        ("to_bank", "d.to_bank.q"),
        ("first", "d.first.q"),
        ("back", "d.back.q"),
        ("lane", "d.lane.q"),
        ("pointer", "d.rows.start_0"),
        ("distance", "d.rows.distance_r_0"),
        ("row_start", "d.row_start.q"),
        ("row_r", "d.row_r.q"),
        ("head_full", "d.head_full.q"),
        ("some", "d.queue.some_r.q"),
        ("write_pointer", "d.queue.write_pointer.q"),
        ("read_pointer", "d.queue.read_pointer.q"),
    ];
    let body = emitted(Store::new(&sizes(), 8).unwrap());
    holds_but_not_with(
        &body,
        include_str!("laws/store.v"),
        &seen,
        ("rows$base_0 = row_start$q;", "rows$base_0 = row_r$q;"),
    );
}

#[test]
fn a_stored_row_of_the_layer_norm_stays_in_its_words() {
    let seen = [
        ("pop", "d.pop"),
        ("back", "d.norm_back.q"),
        ("pointer", "d.norm_pointer.q"),
        ("row_start", "d.rows.start_1"),
        ("distance", "d.rows.distance_r_1"),
        ("head", "d.head.q"),
    ];
    let body = emitted(Store::new(&sizes(), 8).unwrap());
    holds_but_not_with(
        &body,
        include_str!("laws/norm_store.v"),
        &seen,
        ("norm_pointer$d = norm_row_start;", "norm_pointer$d = norm_pointer$q;"),
    );
}
