//! What the link's blocks keep for all inputs and all time, proved on their emitted Verilog; and that each proof can fail.
//!
//! | statement | block | supposed |
//! |---|---|---|
//! | after a delimiter it stands where it stood after power-up, whatever came before | `Receiver` | bytes 10 cycles apart |
//! | a byte that is not taken stays | `Sender` | |
//! | the level is the number of words inside, a word that is not taken stays | `Input` | no word for 255 |
//! | no word is taken over one that is not free | `Output` | what is freed has been produced |

use super::engine_proofs::{emitted, holds_but_not_with};
use astromorph_hdl::link::input::Input;
use astromorph_hdl::link::output::Output;
use astromorph_hdl::link::receiver::Receiver;
use astromorph_hdl::link::sender::Sender;

/// `q`: cycles since the byte, at most 15.
#[test]
fn the_receiver_resynchronises_at_every_delimiter() {
    let law = "
module top(input clock, input reset, input rx_valid, input [7:0] rx_data, input rx_error, input [7:0] address, input done, output bad);
dut d(.clock(clock), .reset(reset), .rx_valid(rx_valid), .rx_data(rx_data), .rx_error(rx_error), .address(address), .done(done), .some(),
  .data(), .damaged(), .overrun());
wire begun, broken, shifting;
wire [7:0] left, at;
wire [2:0] bits;
wire [31:0] crc;
reg [3:0] q = 15;
reg kept = 1, first = 1, second = 0;
always @(posedge clock) begin
  q <= rx_valid | rx_error ? 0 : q == 15 ? 15 : q + 1;
  kept <= kept & !(rx_valid & rx_error) & (!(rx_valid | rx_error) | q >= 9);
  first <= rx_valid & rx_data == 0;
  second <= first;
end
wire timed = shifting ? q < 8 & bits == q[2:0] : bits == 0;
wire begins = !begun & !broken & left == 0 & !shifting & bits == 0;
assign bad = kept & (!timed | (first & !begins) | (second & !reset & (at != 244 | crc != 32'hffffffff)));
endmodule
";
    let seen = [
        ("begun", "d.begun.q"),
        ("broken", "d.bad.q"),
        ("shifting", "d.shifting.q"),
        ("left", "d.left.q"),
        ("at", "d.at.q"),
        ("bits", "d.bits.q"),
        ("crc", "d.crc.state.q"),
    ];
    let body = emitted(Receiver::new().unwrap());
    // A frame whose last code reaches past its delimiter would reach into the next.
    holds_but_not_with(&body, law, &seen, ("left$d = zero;", "left$d = left$q;"));
}

#[test]
fn a_byte_of_an_answer_stays_until_it_is_taken() {
    let law = "
module top(input clock, input reset, input start, input push, input [7:0] data, input drain, input finish, input tx_ready, output bad);
wire tx_valid;
wire [7:0] tx_data;
dut d(.clock(clock), .reset(reset), .start(start), .push(push), .data(data), .drain(drain), .finish(finish), .crc_start(1'b0), .crc_step(1'b0),
  .crc_bit(1'b0), .crc_drain(1'b0), .tx_ready(tx_ready), .room(), .busy(), .crc(), .tx_valid(tx_valid), .tx_data(tx_data));
reg stalled = 0;
reg [7:0] was = 0;
always @(posedge clock) begin
  stalled <= tx_valid & !tx_ready & !reset;
  was <= tx_data;
end
assign bad = stalled & (!tx_valid | tx_data != was);
endmodule
";
    let body = emitted(Sender::new().unwrap());
    let right = "fetch = some && ~valid_r$q;";
    holds_but_not_with(&body, law, &[], (right, "fetch = some;"));
}

#[test]
fn the_input_queue_counts_its_words_and_holds_the_first() {
    let law = "
module top(input clock, input reset, input push, input [3:0] data, input last, input s_ready, output bad);
wire [7:0] level, write_at, read_at;
wire s_valid, s_last, empty;
wire [3:0] s_data;
dut d(.clock(clock), .reset(reset), .push(push), .data(data), .last(last), .s_ready(s_ready), .level(level), .empty(empty), .s_valid(s_valid),
  .s_data(s_data), .s_last(s_last));
reg [8:0] inside = 0;
reg kept = 1, stalled = 0, was_last = 0;
reg [3:0] was = 0;
wire taken = s_valid & s_ready;
always @(posedge clock) begin
  kept <= reset | (kept & !(push & inside == 255));
  inside <= reset ? 0 : inside + push - taken;
  stalled <= s_valid & !s_ready & !reset;
  was <= s_data;
  was_last <= s_last;
end
wire moved = stalled & (!s_valid | s_data != was | s_last != was_last);
assign bad = kept & (level != inside | inside > 255 | empty != (inside == 0) | (s_valid & empty) | moved);
endmodule
";
    let body = emitted(Input::new(4).unwrap());
    let right = "fetch = ~same && ~valid_r$q;";
    holds_but_not_with(&body, law, &[], (right, "fetch = ~same;"));
}

#[test]
fn the_output_ring_keeps_what_is_not_free() {
    let law = "
module top(input clock, input reset, input m_valid, input [1:0] m_data, input m_last, input free, input [7:0] freed, input read,
  input [7:0] address, output bad);
wire m_ready;
wire [7:0] produced, freed_at;
dut d(.clock(clock), .reset(reset), .m_valid(m_valid), .m_data(m_data), .m_last(m_last), .free(free), .freed(freed), .read(read),
  .address(address), .m_ready(m_ready), .produced(produced), .word(), .completed());
reg [8:0] inside = 0;
reg kept = 1;
wire taken = m_valid & m_ready;
wire [7:0] less = freed - freed_at;
always @(posedge clock) begin
  kept <= reset | (kept & (!free | less <= inside));
  inside <= reset ? 0 : inside + taken - (free ? less : 0);
end
wire [7:0] between = produced - freed_at;
assign bad = kept & (inside > 255 | between != inside | (m_ready & inside == 255));
endmodule
";
    let body = emitted(Output::new(2).unwrap());
    let right = "ready_r$d = ~take && ~(behind == freed_at$q);";
    holds_but_not_with(
        &body,
        law,
        &[("freed_at", "d.freed_at.q")],
        (right, "ready_r$d = ~(behind == freed_at$q);"),
    );
}
