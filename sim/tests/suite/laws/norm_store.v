// s: 0 nothing known, 1 the first address, 2 the distance from row to row as well; q, j the next result. The queue's words are not modelled: that its
// flag of a row's end comes back with the row's last result is supposed.
module top(input clock, input norm_aim, input norm_aim_row, input [5:0] base, input [1:0] to, input [15:0] column, input [15:0] word, input valid,
  input row_last, input pass_last, input norm_used, input [15:0] norm_word, input norm_valid, input norm_row_last, input operand_request,
  input [3:0] operand_address, input [1:0] rows, input [2:0] cols, output bad);
wire serial, serial_write, pop, back, row_ends;
wire [3:0] serial_address;
wire [5:0] pointer, row_start, distance;
wire [16:0] head;
reg odd = 0;
dut d(.clock(clock), .reset(1'b0), .odd(odd), .start(1'b0), .aim(1'b0), .norm_aim(norm_aim), .base(base), .to(to), .aim_row(1'b0),
  .norm_aim_row(norm_aim_row), .column(column), .norm_used(norm_used), .word(word), .valid(valid), .row_last(row_last), .pass_last(pass_last),
  .last(1'b0), .final_block(1'b0), .norm_word(norm_word), .norm_valid(norm_valid), .norm_row_last(norm_row_last),
  .operand_request(operand_request), .operand_address(operand_address), .serial(serial), .serial_write(serial_write),
  .serial_address(serial_address));
reg [1:0] s = 0, R = 0, q = 0;
reg [2:0] C = 0, j = 0;
reg [5:0] at = 0, row = 0;
function [11:0] place(input [1:0] q, input [2:0] j, input [5:0] at, input [5:0] row);
  place = at + (q[1] ? {row, 1'b0} : 0) + (q[0] ? row : 0) + j;
endfunction
function fits(input [1:0] R, input [2:0] C, input [5:0] at, input [5:0] row);
  fits = R != 0 & C != 0 & place(R - 1, C - 1, at, row) < 16;
endfunction
wire ends = j == C - 1;
always @(posedge clock) begin
  odd <= !odd;
  if (norm_aim) begin
    s <= !pop; at <= base; q <= 0; j <= 0;
  end else if (pop & (s != 2 | q == R | head[16] != ends | back)) s <= 0;
  else if (norm_aim_row) begin
    s <= s == 1 & fits(rows, cols, at, base) ? 2 : 0; row <= base; R <= rows; C <= cols;
  end else if (pop) begin
    j <= ends ? 0 : j + 1; q <= q + ends;
  end
end
wire [11:0] here = place(q, j, at, row), begin_here = place(q, 0, at, row);
wire one = q == 0 & j == 0 & row_start == at & (back | pointer == at);
wire two = distance == row & fits(R, C, at, row) & q <= R & j < C & (q != R | j == 0) & row_start == begin_here[5:0]
  & (back ? j == 0 : pointer == here[5:0]);
wire stored = !pop | back | q == R | (serial & serial_write & serial_address == here & here < 16);
assign bad = (pop & !odd) | (s == 1 & !one) | (s == 2 & !(two & stored)) | s == 3;
endmodule
