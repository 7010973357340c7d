// s: 0 nothing known, 1 `from` is set, 2 all is set, 3 begun; a words asked for, p come.
module top(input clock, input reset, input set, input [4:0] number, input [31:0] value, input start, input blocked, input grant,
  input word_valid, output bad);
wire request, write, idle, error, asking;
wire [3:0] address, words, bank_r;
wire [2:0] bank_address, flight;
wire [1:0] lane, ask_lane, put_lane;
wire [4:0] from_r;
dut d(.clock(clock), .reset(reset), .set(set), .number(number), .value(value), .start(start), .blocked(blocked), .grant(grant),
  .word_valid(word_valid), .request(request), .address(address), .write(write), .bank_address(bank_address), .lane(lane), .idle(idle),
  .error(error));
reg [1:0] s = 0;
reg [5:0] from = 0, bank = 0, n = 0, a = 0, p = 0;
wire taken = request & grant;
wire [5:0] flying = a - p;
wire fits = value[15:0] < 8 & value[31:16] < 9 & value[15:0] + value[31:16] <= 8 & from + {value[19:16], 1'b0} <= 16;
always @(posedge clock) begin
  if (reset | (s != 3 & word_valid) | (start & s != 2) | (set & start)) s <= 0;
  else if (set) begin
    if (number == 1 & idle & !word_valid & value < 16) begin s <= 1; from <= value; end
    else if (number == 2 & s == 1 & fits) begin s <= 2; bank <= value[15:0]; n <= value[31:16]; end
    else s <= 0;
  end else if (start) begin s <= 3; a <= 0; p <= 0; end
  else if (s == 3) begin
    a <= a + taken; p <= p + word_valid;
    if ((word_valid & p == a) | (taken & flying == 4)) s <= 0;
  end
end
wire still = from_r == from & !asking & flight == 0;
wire told = from_r == from + a & words == n - (a >> 1) & ask_lane == {a[0], 1'b0} & bank_r == bank + (p >> 1) & put_lane == {p[0], 1'b0}
  & flight == flying & p <= a & flying <= 4 & a <= {n, 1'b0} & asking == (a != {n, 1'b0});
wire inside = from + {n, 1'b0} <= 16 & bank + n <= 8;
wire reads = !request | (address >= from & address < from + {n, 1'b0});
wire stores = !write | p == a | (bank_address >= bank & bank_address < bank + n & lane == {p[0], 1'b0});
assign bad = (s != 0 & (error | from > 15)) | (s == 1 & !still) | (s == 2 & !(still & inside & bank_r == bank & words == n))
  | (s == 3 & !(told & inside & reads & stores));
endmodule
