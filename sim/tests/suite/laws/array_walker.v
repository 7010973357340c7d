module top(input clock, input set, input [4:0] number, input [31:0] value, input offer, input chain_free, input captured, output bad);
wire open, taken, pair, last, error, idle, issue, running, last_pair, last_pass, last_row, last_all, row_end, load_r, back;
wire [2:0] read_row;
wire [1:0] bank_row;
wire [15:0] x, x_start, x_stride;
wire [2:0] bank, bank_pass, pairs, pairs_left, passes_left, f_passes, f_stride, f_bank;
wire [15:0] rows_left;
reg odd = 0;
dut d(.clock(clock), .reset(1'b0), .odd(odd), .set(set), .number(number), .value(value), .offer(offer), .chain_free(chain_free),
  .captured(captured), .open(open), .taken(taken), .pair(pair), .last(last), .mac_even(), .mac_odd(), .read_row(read_row),
  .bank_row(bank_row), .captured_last(), .slots(), .idle(idle), .error(error));
// The step that comes, n of its words known; the step in work, and the pair to be decided on.
reg kept = 1, just = 0;
reg [2:0] n = 0;
reg [1:0] nR = 0, nT = 0, R = 0, T = 0, r = 0, t = 0, t1 = 0, r1 = 0;
reg [2:0] nK = 0, K = 0, i = 0;
reg [3:0] nX = 0, nS = 0, nB = 0, nD = 0, X = 0, S = 0, B = 0, D = 0;
reg [4:0] gx = 0, gb = 0;
function [6:0] times(input [1:0] a, input [3:0] b);
  times = (a[1] ? {b, 1'b0} : 0) + (a[0] ? b : 0);
endfunction
function fits(input [1:0] R, input [1:0] T, input [2:0] K, input [3:0] X, input [3:0] S, input [3:0] B, input [3:0] D);
  fits = R != 0 & T != 0 & K != 0 & K <= 4 & X + times(R - 2'd1, S) + K <= 8 & B + times(T - 2'd1, D) + K <= 4;
endfunction
wire [16:0] k_up = value[15:0] + 1;
wire [3:0] wS = value[4:1], wB = value[20:17];
wire legal = (number == 1 & n == 0 & value[15:0] != 0 & value[15:0] < 4 & value[31:16] != 0 & value[31:16] < 4)
  | (number == 2 & n == 1 & value[15:0] != 0 & value[15:0] < 9 & value[31:16] < 8 & !value[16])
  | (number == 3 & n == 2 & value < 16 & !value[0])
  | (number == 4 & n == 3 & value[15:0] < 16 & !value[0] & value[31:16] < 8 & !value[16] & fits(nR, nT, nK, nX, wS, wB, nD));
wire pass_ends = i == K - 1, row_ends = pass_ends & t == T - 1, step_ends = row_ends & r == R - 1;
always @(posedge clock) begin
  odd <= !odd;
  just <= taken;
  kept <= kept & (!set | (legal & open & !just)) & (!offer | n == 4);
  if (set) begin
    n <= n + 1;
    if (number == 1) begin nR <= value[1:0]; nT <= value[17:16]; end
    if (number == 2) begin nK <= k_up[3:1]; nD <= value[20:17]; end
    if (number == 3) nX <= value[4:1];
    if (number == 4) begin nS <= wS; nB <= wB; end
  end
  if (odd) begin t1 <= t; r1 <= r; end
  if (issue) begin
    gx <= X + times(r, S) + i;
    gb <= B + times(t, D) + i;
    i <= pass_ends ? 0 : i + 1;
    if (pass_ends) t <= row_ends ? 0 : t + 1;
    if (row_ends) r <= r + 1;
  end
  if (taken) begin
    n <= 0; R <= nR; T <= nT; K <= nK; X <= nX; S <= nS; B <= nB; D <= nD; r <= 0; t <= 0; i <= 0;
  end
end
wire at_x = x == X + times(r, S) + i, at_bank = bank == B + times(t, D) + i;
wire x_begins = x_start == X + times(r, S), bank_begins = bank_pass == B + times(t, D);
wire final_pass = r == R - 1 & t == T - 1;
// Words that have come have their places; those that have not leave the present step's.
wire come = n <= 4 & (n == 0 | (nR != 0 & nT != 0 & rows_left == nR & f_passes == nT)) & (n < 2 | (nK != 0 & nK <= 4 & pairs == nK & f_stride == nD))
  & (n != 3 | x_start == nX)
  & (n != 4 | (x_stride == nS & x_start == nX & f_bank == nB & fits(nR, nT, nK, nX, nS, nB, nD)));
wire stay = (n != 0 | (rows_left == R - r & f_passes == T)) & (n >= 2 | (pairs == K & f_stride == D)) & (n >= 4 | x_stride == S)
  & (n >= 4 | f_bank == B);
wire counts = fits(R, T, K, X, S, B, D) & i < K & t < T & r < R & pairs_left == K - i & passes_left == T - t & (n == 0 | final_pass);
wire odd_right = !pair & !last & !row_end & !load_r & !just
  & (!running | (last_pair == pass_ends & last_pass == (t == T - 1) & last_row == (r == R - 1) & last_all == (pass_ends & final_pass) & bank_begins & (n >= 3 | x_begins)
    & (back ? i == 0 & x_begins & n < 3 : at_x & at_bank)));
wire moved = pair & last;
wire ended_row = moved & r != r1;
wire even_right = !back & load_r == just & (!last | pair) & (!pair | (x == gx & bank == gb & gx < 8 & gb < 4))
  & (!load_r | (running & n == 0 & i == 0 & t == 0 & r == 0 & x_start == X))
  & (!running | load_r | (row_end == ended_row & last_pass == (t1 == T - 1) & (row_end ? last_row == (r1 == R - 1) : last_row == (r == R - 1))
    & (moved ? i == 0 : t == t1 & r == r1 & (pair ? i != 0 & gx == X + times(r, S) + i - 1 & gb == B + times(t, D) + i - 1 : at_x & at_bank))
    & (row_end ? r == r1 + 1 & t == 0 & t1 == T - 1 & r1 != R - 1 & n == 0 & x_start == X + times(r1, S)
       : (n >= 3 | x_begins) & (moved ? n == 0 & t == t1 + 1 & bank_pass == B + times(t1, D) : bank_begins))))
  & (!row_end | running);
assign bad = kept & (error | !come | (running & !(stay & counts)) | (odd ? !odd_right : !even_right)
  | (pair & (read_row != gx | bank_row != gb)));
endmodule
