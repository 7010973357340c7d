//! What the engine's blocks keep for all inputs and all time, proved on their emitted Verilog at a small size; and that each proof can fail.
//!
//! | statement | block | supposed |
//! |---|---|---|
//! | the output stream keeps valid, data and last while it is stalled | `Output` | its contract: words are promised first, none behind the last |
//! | addresses stay below the memory's end | `Walker` | the rows and columns announced, of which the last word lies inside |
//! | sums are exact, no accumulator overflows | a lane of the `Array` | no more terms in a pass than the accumulator's width is made for |

use super::support::*;
use astromorph_hdl::emit;
use astromorph_hdl::engine::array::{Array, ArrayConfig};
use astromorph_hdl::engine::output::Output;
use astromorph_hdl::engine::walker::Walker;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::Design;
use astromorph_sim::formal::prove;
use astromorph_sim::tools::Tool;
use rust_hdl::prelude::*;
use std::time::Duration;

/// The block's Verilog; its top module is called `dut`.
pub fn emitted(mut block: impl Block) -> String {
    block.connect_all();
    emit::verilog(&block).replace("module top(", "module dut(")
}

fn proved(body: &str, law: &str, seen: &[(&str, &str)]) -> bool {
    let design = Design::rtl("proof", &format!("{body}\n{law}"));
    let dir = tempfile::tempdir().unwrap();
    prove(
        &tool(Tool::Yosys),
        &design,
        1,
        seen,
        Duration::from_secs(300),
        dir.path(),
    )
    .is_ok()
}

/// The law holds, and does not with the change made.
pub fn holds_but_not_with(body: &str, law: &str, seen: &[(&str, &str)], (from, to): (&str, &str)) {
    let (wrong_body, wrong_law) = (body.replacen(from, to, 1), law.replacen(from, to, 1));
    assert_ne!((wrong_body.as_str(), wrong_law.as_str()), (body, law), "{from}");
    assert!(proved(body, law, seen));
    assert!(!proved(&wrong_body, &wrong_law, seen), "{from} changed to {to}");
}

/// `keeps` is the contract of `Output`'s user in this cycle, `kept` that he has kept it since the last reset.
#[test]
fn the_output_stream_stands_still_while_stalled() {
    let law = "
module top(input clock, input reset, input reserve, input push, input [1:0] data, input last, input m_ready, output bad);
wire ending, m_valid, m_last;
wire [1:0] m_data;
dut d(.clock(clock), .reset(reset), .reserve(reserve), .push(push), .data(data), .last(last), .m_ready(m_ready), .room(), .ending(ending),
  .m_valid(m_valid), .m_data(m_data), .m_last(m_last));
wire [8:0] promised;
wire [7:0] write_pointer, read_pointer;
reg [8:0] owed = 0, inside = 0;
reg kept = 1, stalled = 0, was_last = 0;
reg [1:0] was = 0;
wire keeps = (!push | owed != 0) & (!(push & last) | (owed == 1 & !reserve)) & (!reserve | (!ending & {1'b0, owed} + inside < 255));
wire [7:0] waiting = write_pointer - read_pointer;
always @(posedge clock) begin
  kept <= reset | (kept & keeps);
  owed <= reset ? 0 : owed + reserve - push;
  inside <= reset ? 0 : inside + push - (m_valid & m_ready);
  stalled <= m_valid & !m_ready & !reset;
  was <= m_data;
  was_last <= m_last;
end
wire moved = stalled & (!m_valid | m_data != was | m_last != was_last);
wire counted = promised == owed + inside & inside == waiting + m_valid & (!ending | owed == 0) & {1'b0, owed} + inside < 256;
assign bad = kept & (moved | !counted);
endmodule
";
    let seen = [
        ("promised", "d.promised.q"),
        ("write_pointer", "d.queue.write_pointer.q"),
        ("read_pointer", "d.queue.read_pointer.q"),
    ];
    let body = emitted(Output::new(1, 2).unwrap());
    let right = "fetch = behind && (~some_r$q || pop);";
    holds_but_not_with(&body, law, &seen, (right, "fetch = behind;"));
}

/// What the compiler sees to: `rows` · `cols` words, the last of them below `limit`. And the user: words two cycles apart, rows that start where
/// `Rows` has them.
#[test]
fn addresses_stay_in_bounds() {
    let law = "
module top(input clock, input load, input [5:0] base, input step, input row_end, input [5:0] stride, input [1:0] rows, input [1:0] cols,
  input [8:0] limit, output bad);
wire [8:0] address;
wire back;
reg [8:0] begins = 0, limit_r = 0;
dut d(.clock(clock), .load(load), .start(begins), .step(step), .row_end(row_end), .address(address));
reg [5:0] base_r = 0, stride_r = 0;
reg [1:0] rows_r = 0, cols_r = 0, r = 0, c = 0;
reg kept = 0, was = 0;
wire [8:0] highest = base + (rows[1] ? (rows[0] ? {stride, 1'b0} : stride) : 0) + cols - 1;
always @(posedge clock) begin
  was <= step | load;
  if (load) begin
    begins <= base; base_r <= base; stride_r <= stride; limit_r <= limit; rows_r <= rows; cols_r <= cols; r <= 0; c <= 0;
    kept <= !step & rows != 0 & cols != 0 & highest < limit;
  end else begin
    if (step & row_end) begins <= begins + stride_r;
    if (step) begin
      r <= r + row_end;
      c <= row_end ? 0 : c + 1;
    end
    kept <= kept & (!step | (!was & r != rows_r & row_end == (c == cols_r - 1)));
  end
end
wire [8:0] start = base_r + (r[1] ? {stride_r, 1'b0} : 0) + (r[0] ? stride_r : 0);
wire [8:0] most = base_r + (rows_r[1] ? (rows_r[0] ? {stride_r, 1'b0} : stride_r) : 0) + cols_r - 1;
wire right = begins == start & (r == rows_r | ((back ? c == 0 : address == start + c) & r < rows_r & c < cols_r & most < limit_r));
assign bad = (back & !was) | (kept & (!right | (!back & r != rows_r & address >= limit_r)));
endmodule
";
    let body = emitted(Walker::new("walker", 9).unwrap());
    holds_but_not_with(
        &body,
        law,
        &[("back", "d.back.q")],
        ("pointer$d = start;", "pointer$d = pointer$q;"),
    );
}

/// 3-bit operands, 8-bit accumulators in two halves: 7 products of at most 16 fit, 8 do not.
#[test]
fn no_accumulator_overflows() {
    let config = ArrayConfig {
        lanes: 2,
        width: 3,
        acc_bits: 8,
        bank_depth: 4,
        groups: 2,
        block: 2,
        target: Target::Generic,
    };
    let law = "
module top(input clock, input [1:0] write, input [1:0] write_address, input [5:0] write_data, input read, input [1:0] address, input [2:0] x,
  input load_low, input capture_low, input shift, input [7:0] chain_in, output bad);
reg load_high = 0, capture_high = 0;
astromorph_lanes_2x3x8x4 d(.clock(clock), .write(write), .write_address(write_address), .write_data(write_data), .read(read), .address(address),
  .x(x), .load_low(load_low), .load_high(load_high), .capture_low(capture_low), .capture_high(capture_high), .shift(shift),
  .chain_in(chain_in), .chain_out());
wire signed [5:0] q;
wire [5:0] low;
wire [1:0] high;
reg signed [11:0] sum = 0, before = 0;
reg [3:0] terms = 0;
reg kept = 1;
always @(posedge clock) begin
  load_high <= load_low;
  capture_high <= capture_low;
  sum <= load_low ? q : sum + q;
  terms <= (load_low ? 0 : terms) + (q != 0);
  kept <= load_low | (kept & (q == 0 | terms < 7));
  before <= sum;
end
wire signed [11:0] most = {4'b0, terms, 4'b0};
wire bounded = sum <= most & sum >= -most & terms <= 7;
assign bad = q > 16 | q < -12 | low != sum[5:0] | high != before[7:6] | (kept & (!bounded | sum > 127 | sum < -128));
endmodule
";
    let seen = [("q", "d.q_0"), ("low", "d.low_0"), ("high", "d.high_0")];
    let body = emitted(Array::new(config).unwrap());
    // A carry that gets lost between the halves, and a pass of 8 terms.
    holds_but_not_with(&body, law, &seen, (".carry(carry_0)", ".carry(1'b0)"));
    let longer = law
        .replace("terms < 7", "terms < 8")
        .replace("terms <= 7", "terms <= 8");
    assert!(!proved(&body, &longer, &seen));
}
