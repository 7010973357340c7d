// MULT18X18D: behavioural model of the ECP5 multiplier, written from the vendor's description of the block.
//
//   function   P = A * B, 18 x 18 -> 36 bits, each operand signed or not by SIGNEDA, SIGNEDB
//   registers  inputs A, B, C; pipeline (after the product); output; each with its own clock, enable and reset
//              pin chosen by parameter, "NONE" for no register
//   reset      RESETMODE "SYNC" or "ASYNC", over the clock enable, to zero
//   shift      SOURCEA, SOURCEB take SRIA, SRIB; SROA, SROB and ROA, ROB, ROC give the input registers
//   not here   MULT_BYPASS, HIGHSPEED_CLK, divided clocks, GSR: elaboration fails where the first three are used
//
// The sign of an operand is held with its input register, and does not pass a pipeline register of its own.

module ASTROMORPH_ECP5_REG #(
  parameter WIDTH = 1, parameter CLK = "NONE", parameter CE = "CE0", parameter RST = "RST0",
  parameter RESETMODE = "SYNC"
) (
  input [3:0] clk, input [3:0] ce, input [3:0] rst,
  input [WIDTH-1:0] d, output [WIDTH-1:0] q
);
  generate
    if (CLK == "NONE") begin : none
      assign q = d;
    end else begin : register
      wire c = CLK == "CLK0" ? clk[0] : CLK == "CLK1" ? clk[1] : CLK == "CLK2" ? clk[2] : clk[3];
      wire e = CE == "CE0" ? ce[0] : CE == "CE1" ? ce[1] : CE == "CE2" ? ce[2] : ce[3];
      wire r = RST == "RST0" ? rst[0] : RST == "RST1" ? rst[1] : RST == "RST2" ? rst[2] : rst[3];
      reg [WIDTH-1:0] value;
      initial value = 0;
      assign q = value;
      if (RESETMODE == "ASYNC") begin : asynchronous
        always @(posedge c or posedge r) if (r) value <= 0; else if (e) value <= d;
      end else begin : synchronous
        always @(posedge c) if (r) value <= 0; else if (e) value <= d;
      end
    end
  endgenerate
endmodule

module MULT18X18D(
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0, B17,
  B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0, C17, C16, C15,
  C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0, SIGNEDA, SIGNEDB, SOURCEA,
  SOURCEB, CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0, SRIA17, SRIA16,
  SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8, SRIA7, SRIA6, SRIA5, SRIA4,
  SRIA3, SRIA2, SRIA1, SRIA0, SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10,
  SRIB9, SRIB8, SRIB7, SRIB6, SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0, output SROA17, SROA16,
  SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8, SROA7, SROA6, SROA5, SROA4,
  SROA3, SROA2, SROA1, SROA0, SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10,
  SROB9, SROB8, SROB7, SROB6, SROB5, SROB4, SROB3, SROB2, SROB1, SROB0, ROA17, ROA16, ROA15,
  ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8, ROA7, ROA6, ROA5, ROA4, ROA3, ROA2, ROA1,
  ROA0, ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8, ROB7, ROB6, ROB5,
  ROB4, ROB3, ROB2, ROB1, ROB0, ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9,
  ROC8, ROC7, ROC6, ROC5, ROC4, ROC3, ROC2, ROC1, ROC0, P35, P34, P33, P32, P31, P30, P29, P28,
  P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9,
  P8, P7, P6, P5, P4, P3, P2, P1, P0, SIGNEDP
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
  parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED", CLK1_DIV = "ENABLED", CLK2_DIV = "ENABLED", CLK3_DIV = "ENABLED";
  parameter HIGHSPEED_CLK = "NONE";
  parameter GSR = "ENABLED";
  parameter CAS_MATCH_REG = "FALSE";
  parameter SOURCEB_MODE = "B_SHIFT";
  parameter MULT_BYPASS = "DISABLED";
  parameter RESETMODE = "SYNC";

  generate
    if (MULT_BYPASS != "DISABLED") MULT18X18D_MULT_BYPASS_NOT_MODELLED unsupported_bypass();
    if (HIGHSPEED_CLK != "NONE") MULT18X18D_HIGHSPEED_CLK_NOT_MODELLED unsupported_clock();
    if (SOURCEB_MODE != "B_SHIFT") MULT18X18D_SOURCEB_MODE_NOT_MODELLED unsupported_source();
  endgenerate

  wire [3:0] clk = {CLK3, CLK2, CLK1, CLK0};
  wire [3:0] ce = {CE3, CE2, CE1, CE0};
  wire [3:0] rst = {RST3, RST2, RST1, RST0};
  wire [17:0] a, b, c, a_in, b_in;
  wire sign_a, sign_b, sign_p;
  wire [36:0] product;

  assign a_in = SOURCEA ? {
    SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8, SRIA7, SRIA6,
    SRIA5, SRIA4, SRIA3, SRIA2, SRIA1, SRIA0
  } : {
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  assign b_in = SOURCEB ? {
    SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9, SRIB8, SRIB7, SRIB6,
    SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0
  } : {
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  wire [17:0] c_in = {
    C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0
  };

  ASTROMORPH_ECP5_REG #(19, REG_INPUTA_CLK, REG_INPUTA_CE, REG_INPUTA_RST, RESETMODE)
    input_a(clk, ce, rst, {SIGNEDA, a_in}, {sign_a, a});
  ASTROMORPH_ECP5_REG #(19, REG_INPUTB_CLK, REG_INPUTB_CE, REG_INPUTB_RST, RESETMODE)
    input_b(clk, ce, rst, {SIGNEDB, b_in}, {sign_b, b});
  ASTROMORPH_ECP5_REG #(18, REG_INPUTC_CLK, REG_INPUTC_CE, REG_INPUTC_RST, RESETMODE)
    input_c(clk, ce, rst, c_in, c);

  wire signed [18:0] a_wide = {sign_a & a[17], a};
  wire signed [18:0] b_wide = {sign_b & b[17], b};
  wire signed [37:0] exact = a_wide * b_wide;
  ASTROMORPH_ECP5_REG #(37, REG_PIPELINE_CLK, REG_PIPELINE_CE, REG_PIPELINE_RST, RESETMODE)
    pipeline(clk, ce, rst, {sign_a | sign_b, exact[35:0]}, product);

  ASTROMORPH_ECP5_REG #(37, REG_OUTPUT_CLK, REG_OUTPUT_CE, REG_OUTPUT_RST, RESETMODE)
    output_p(clk, ce, rst, product, {
    SIGNEDP,
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  });
  assign {
    ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8, ROA7, ROA6, ROA5, ROA4,
    ROA3, ROA2, ROA1, ROA0
  } = a;
  assign {
    SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8, SROA7, SROA6,
    SROA5, SROA4, SROA3, SROA2, SROA1, SROA0
  } = a;
  assign {
    ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8, ROB7, ROB6, ROB5, ROB4,
    ROB3, ROB2, ROB1, ROB0
  } = b;
  assign {
    SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9, SROB8, SROB7, SROB6,
    SROB5, SROB4, SROB3, SROB2, SROB1, SROB0
  } = b;
  assign {
    ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9, ROC8, ROC7, ROC6, ROC5, ROC4,
    ROC3, ROC2, ROC1, ROC0
  } = c;
endmodule
