// SB_MAC16 of iCE40 UltraPlus (Lattice TN1295): two 8 x 8 products or one of 16 x 16, behind them two adders of 16 bits with an output register each.
// All registers hold 0 after power-up. "upper" and "lower" are the adders' inputs as the parameters call them.
module SB_MAC16 #(
  parameter [0:0] NEG_TRIGGER = 0, A_REG = 0, B_REG = 0, C_REG = 0, D_REG = 0, TOP_8x8_MULT_REG = 0, BOT_8x8_MULT_REG = 0,
    PIPELINE_16x16_MULT_REG1 = 0, PIPELINE_16x16_MULT_REG2 = 0,
  parameter [1:0] TOPOUTPUT_SELECT = 0, TOPADDSUB_LOWERINPUT = 0,
  parameter [0:0] TOPADDSUB_UPPERINPUT = 0,
  parameter [1:0] TOPADDSUB_CARRYSELECT = 0, BOTOUTPUT_SELECT = 0, BOTADDSUB_LOWERINPUT = 0,
  parameter [0:0] BOTADDSUB_UPPERINPUT = 0,
  parameter [1:0] BOTADDSUB_CARRYSELECT = 0,
  parameter [0:0] MODE_8x8 = 0, A_SIGNED = 0, B_SIGNED = 0
) (
  input CLK, CE, input [15:0] A, B, C, D, input AHOLD, BHOLD, CHOLD, DHOLD, IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT, OLOADTOP, OLOADBOT,
  ADDSUBTOP, ADDSUBBOT, OHOLDTOP, OHOLDBOT, CI, ACCUMCI, SIGNEXTIN, output [31:0] O, output CO, ACCUMCO, SIGNEXTOUT
);
  wire edges = CLK ^ NEG_TRIGGER;

  // Operands.
  reg [15:0] a_r = 0, b_r = 0, c_r = 0, d_r = 0;
  always @(posedge edges or posedge IRSTTOP)
    if (IRSTTOP) {a_r, c_r} <= 0;
    else if (CE) begin
      if (!AHOLD) a_r <= A;
      if (!CHOLD) c_r <= C;
    end
  always @(posedge edges or posedge IRSTBOT)
    if (IRSTBOT) {b_r, d_r} <= 0;
    else if (CE) begin
      if (!BHOLD) b_r <= B;
      if (!DHOLD) d_r <= D;
    end
  wire [15:0] a = A_REG ? a_r : A, b = B_REG ? b_r : B, c = C_REG ? c_r : C, d = D_REG ? d_r : D;

  // Products of bytes: a low byte has a sign only where it is an operand of its own.
  wire signed [8:0] a_high = {A_SIGNED & a[15], a[15:8]}, a_low = {A_SIGNED & MODE_8x8 & a[7], a[7:0]};
  wire signed [8:0] b_high = {B_SIGNED & b[15], b[15:8]}, b_low = {B_SIGNED & MODE_8x8 & b[7], b[7:0]};
  wire signed [8:0] a_bare = {1'b0, a[7:0]}, b_bare = {1'b0, b[7:0]};
  wire signed [17:0] top = a_high * b_high, bottom = a_low * b_low, left = a_high * b_bare, right = a_bare * b_high;
  reg [15:0] top_r = 0, bottom_r = 0;
  reg signed [17:0] left_r = 0, right_r = 0;
  always @(posedge edges or posedge IRSTTOP)
    if (IRSTTOP) begin
      top_r <= 0;
      right_r <= 0;
    end else if (CE) begin
      top_r <= top[15:0];
      if (!MODE_8x8) right_r <= right;
    end
  always @(posedge edges or posedge IRSTBOT)
    if (IRSTBOT) begin
      bottom_r <= 0;
      left_r <= 0;
    end else if (CE) begin
      bottom_r <= bottom[15:0];
      if (!MODE_8x8) left_r <= left;
    end
  wire [15:0] top_product = TOP_8x8_MULT_REG ? top_r : top[15:0], bottom_product = BOT_8x8_MULT_REG ? bottom_r : bottom[15:0];
  wire signed [17:0] left_product = PIPELINE_16x16_MULT_REG1 ? left_r : left, right_product = PIPELINE_16x16_MULT_REG1 ? right_r : right;

  // The product of words.
  wire signed [31:0] middle = left_product + right_product;
  wire [31:0] whole = {top_product, bottom_product} + (middle << 8);
  reg [31:0] whole_r = 0;
  always @(posedge edges or posedge IRSTBOT)
    if (IRSTBOT) whole_r <= 0;
    else if (CE & !MODE_8x8) whole_r <= whole;
  wire [31:0] product = PIPELINE_16x16_MULT_REG2 ? whole_r : whole;

  // The lower adder, then the upper one.
  reg [15:0] top_o = 0, bottom_o = 0;
  wire [15:0] bottom_upper = BOTADDSUB_UPPERINPUT ? d : bottom_o;
  wire [15:0] bottom_lower = BOTADDSUB_LOWERINPUT == 0 ? b : BOTADDSUB_LOWERINPUT == 1 ? bottom_product
    : BOTADDSUB_LOWERINPUT == 2 ? product[15:0] : {16{SIGNEXTIN}};
  wire bottom_in = BOTADDSUB_CARRYSELECT == 0 ? 1'b0 : BOTADDSUB_CARRYSELECT == 1 ? 1'b1 : BOTADDSUB_CARRYSELECT == 2 ? ACCUMCI : CI;
  wire [16:0] bottom_sum = {1'b0, bottom_lower} + {1'b0, bottom_upper ^ {16{ADDSUBBOT}}} + bottom_in;
  wire [15:0] bottom_next = OLOADBOT ? d : bottom_sum[15:0] ^ {16{ADDSUBBOT}};
  always @(posedge edges or posedge ORSTBOT)
    if (ORSTBOT) bottom_o <= 0;
    else if (CE & !OHOLDBOT) bottom_o <= bottom_next;

  wire [15:0] top_upper = TOPADDSUB_UPPERINPUT ? c : top_o;
  wire [15:0] top_lower = TOPADDSUB_LOWERINPUT == 0 ? a : TOPADDSUB_LOWERINPUT == 1 ? top_product
    : TOPADDSUB_LOWERINPUT == 2 ? product[31:16] : {16{bottom_lower[15]}};
  wire top_in = TOPADDSUB_CARRYSELECT == 0 ? 1'b0 : TOPADDSUB_CARRYSELECT == 1 ? 1'b1
    : bottom_sum[16] ^ (TOPADDSUB_CARRYSELECT == 3 & ADDSUBBOT);
  wire [16:0] top_sum = {1'b0, top_lower} + {1'b0, top_upper ^ {16{ADDSUBTOP}}} + top_in;
  wire [15:0] top_next = OLOADTOP ? c : top_sum[15:0] ^ {16{ADDSUBTOP}};
  always @(posedge edges or posedge ORSTTOP)
    if (ORSTTOP) top_o <= 0;
    else if (CE & !OHOLDTOP) top_o <= top_next;

  assign O[31:16] = TOPOUTPUT_SELECT == 0 ? top_next : TOPOUTPUT_SELECT == 1 ? top_o : TOPOUTPUT_SELECT == 2 ? top_product : product[31:16];
  assign O[15:0] = BOTOUTPUT_SELECT == 0 ? bottom_next : BOTOUTPUT_SELECT == 1 ? bottom_o : BOTOUTPUT_SELECT == 2 ? bottom_product : product[15:0];
  assign {ACCUMCO, CO, SIGNEXTOUT} = {top_sum[16], top_sum[16] ^ ADDSUBTOP, top_lower[15]};
endmodule
