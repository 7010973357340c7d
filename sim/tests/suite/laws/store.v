module top(input clock, input odd, input aim, input aim_row, input [5:0] base, input [1:0] to, input [15:0] column, input [15:0] word, input valid,
  input row_last, input pass_last, input last, input operand_request, input [3:0] operand_address, input [1:0] rows, input [2:0] cols, output bad);
wire serial, serial_write, bank_valid, error, valid_1, row_1, pass_1, first, back, some, head_full, to_x, to_bank;
wire [3:0] serial_address;
wire [2:0] bank_address;
wire [1:0] bank_lane, lane;
wire [3:0] write_pointer, read_pointer;
wire [5:0] pointer, row_start, row_r, distance;
dut d(.clock(clock), .reset(1'b0), .odd(odd), .start(1'b0), .aim(aim), .norm_aim(1'b0), .base(base), .to(to), .aim_row(aim_row), .norm_aim_row(1'b0),
  .column(column), .norm_used(1'b0), .word(word), .valid(valid), .row_last(row_last), .pass_last(pass_last), .last(last), .final_block(1'b0),
  .norm_word(16'b0), .norm_valid(1'b0), .norm_row_last(1'b0), .operand_request(operand_request), .operand_address(operand_address),
  .serial(serial), .serial_write(serial_write), .serial_address(serial_address), .bank_valid(bank_valid), .bank_lane(bank_lane),
  .bank_address(bank_address), .error(error));
// s: 0 nothing known, 1 the first address, 2 the distance from row to row as well; r, c the next word, r1, c1 the one before.
reg [1:0] s = 0, R = 0, r = 0, r1 = 0, to_r = 0;
reg [2:0] C = 0, c = 0, c1 = 0;
reg [5:0] at = 0, row = 0, col = 0;
reg was = 0;
function [11:0] place(input [1:0] r, input [2:0] c, input bank, input [5:0] at, input [5:0] row, input [5:0] col);
  reg [2:0] n;
  begin
    n = bank ? c >> 2 : c;
    place = at + (r[1] ? {row, 1'b0} : 0) + (r[0] ? row : 0) + (n[2] ? {col, 2'b0} : 0) + (n[1] ? {col, 1'b0} : 0) + (n[0] ? col : 0);
  end
endfunction
function fits(input [1:0] R, input [2:0] C, input bank, input [5:0] at, input [5:0] row, input [5:0] col);
  fits = R != 0 & C != 0 & place(R - 1, C - 1, bank, at, row, col) < (bank ? 8 : 16);
endfunction
wire bank = to_r == 2;
wire still = to == to_r;
wire ends = c == C - 1;
always @(posedge clock) begin
  was <= valid;
  if (aim) begin
    s <= !valid & !valid_1; at <= base; r <= 0; c <= 0;
  end else if (s == 1) begin
    if (valid | valid_1) s <= 0;
    else if (aim_row) begin
      s <= fits(rows, cols, to == 2, at, base, column) & (to == 1 | to == 2) & column < 64 ? 2 : 0;
      row <= base; col <= column; to_r <= to; R <= rows; C <= cols;
    end
  end else if (s == 2) begin
    if (aim_row | !still | (operand_request & valid_1)
      | (valid & (was | r == R | row_last != ends | pass_last != (ends | c[1:0] == 3)))) s <= 0;
    else if (valid) begin
      r1 <= r; c1 <= c; c <= ends ? 0 : c + 1; r <= r + ends;
    end
  end
end
wire [11:0] here = place(r, c, bank, at, row, col), before = place(r1, c1, bank, at, row, col);
wire [11:0] begin_here = place(r, 0, bank, at, row, col), begin_before = place(r1, 0, bank, at, row, col);
wire one = !valid_1 & !was & r == 0 & c == 0 & lane == 0
  & (first ? row_start == 0 & row_r == at : row_r == at & row_start == at & (back | pointer == at));
wire came = row_1 == (c1 == C - 1) & pass_1 == (c1 == C - 1 | c1[1:0] == 3) & pointer == before & row_start == begin_before & !back & r1 < R & c1 < C
  & before < (bank ? 8 : 16) & lane == c1[1:0] & (row_1 ? c == 0 & r == r1 + 1 : c == c1 + 1 & r == r1);
wire waits = row_start == begin_here[5:0] & lane == c[1:0] & (back ? c == 0 : pointer == here[5:0]);
wire two = to_x == (to_r == 1) & to_bank == bank & valid_1 == was & row_r == row & distance == col & !first & (to_r == 1 | bank) & fits(R, C, bank, at, row, col) & r <= R & c < C & (r != R | c == 0)
  & (valid_1 ? came : waits);
wire stored = !valid_1 | !still | operand_request | (bank ? bank_valid & bank_address == before & bank_lane == c1[1:0]
  : serial & serial_write & serial_address == before);
// No result of a layer norm is inside: the other law is theirs.
wire empty = !some & !head_full & write_pointer == read_pointer;
assign bad = !empty | (s != 0 & error) | (s == 1 & !one) | (s == 2 & !(two & stored)) | s == 3;
endmodule
