// What calcium that diffuses between neighbouring astrocytes would take beside the sums, for κ = 1/2: one word of 25 bits a cycle. Not a part of any design.
module neighbours(input clk, input [24:0] s, l, r, output reg [24:0] y);
  always @(posedge clk) y <= s - (s >> 1) + ((l + r) >> 2);
endmodule
