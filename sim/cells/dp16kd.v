// DP16KD: behavioural model of the ECP5 block RAM, written from the vendor's description of the block.
//
//   memory     1,024 words of 18 bits; INITVAL_n holds 16 words, each in 20 bits
//   ports      two, each 1, 2, 4, 9, 18 bits wide; 36 = write through A (low half on DIA, high on DIB), read
//              through B (low half on DOA, high on DOB)
//   address    bit address: 13:4 word, 3 byte of nine, 2:0 bits below; widths 18 and 36 take byte enables
//              from the lowest address bits
//   write      NORMAL holds the output, WRITETHROUGH gives the new word, READBEFOREWRITE the old one
//   reset      SYNC: output to zero over the enable, no write; ASYNC: output to zero at once
//   output     REGMODE "OUTREG" adds a register enabled by OCE
//   collision  a bit read by one port while the other writes it is undefined in the device: here it is the
//              complement of the old bit, so that whatever depends on it differs (ports on one clock)
//   not here   the pin multiplexers of address and data pins, ECC, GSR

module DP16KD(
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
  DIA4, DIA3, DIA2, DIA1, DIA0, ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4,
  ADA3, ADA2, ADA1, ADA0, CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0, output DOA17, DOA16,
  DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
  DOA1, DOA0, input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
  DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6,
  ADB5, ADB4, ADB3, ADB2, ADB1, ADB0, CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
  DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CEAMUX = "CEA", OCEAMUX = "OCEA", WEAMUX = "WEA", RSTAMUX = "RSTA";
  parameter CLKBMUX = "CLKB", CEBMUX = "CEB", OCEBMUX = "OCEB", WEBMUX = "WEB", RSTBMUX = "RSTB";
  parameter GSR = "ENABLED", INIT_DATA = "STATIC";
  parameter integer WID = 0;
  parameter [319:0]
    INITVAL_00 = 320'h0, INITVAL_01 = 320'h0, INITVAL_02 = 320'h0, INITVAL_03 = 320'h0,
    INITVAL_04 = 320'h0, INITVAL_05 = 320'h0, INITVAL_06 = 320'h0, INITVAL_07 = 320'h0,
    INITVAL_08 = 320'h0, INITVAL_09 = 320'h0, INITVAL_0A = 320'h0, INITVAL_0B = 320'h0,
    INITVAL_0C = 320'h0, INITVAL_0D = 320'h0, INITVAL_0E = 320'h0, INITVAL_0F = 320'h0,
    INITVAL_10 = 320'h0, INITVAL_11 = 320'h0, INITVAL_12 = 320'h0, INITVAL_13 = 320'h0,
    INITVAL_14 = 320'h0, INITVAL_15 = 320'h0, INITVAL_16 = 320'h0, INITVAL_17 = 320'h0,
    INITVAL_18 = 320'h0, INITVAL_19 = 320'h0, INITVAL_1A = 320'h0, INITVAL_1B = 320'h0,
    INITVAL_1C = 320'h0, INITVAL_1D = 320'h0, INITVAL_1E = 320'h0, INITVAL_1F = 320'h0,
    INITVAL_20 = 320'h0, INITVAL_21 = 320'h0, INITVAL_22 = 320'h0, INITVAL_23 = 320'h0,
    INITVAL_24 = 320'h0, INITVAL_25 = 320'h0, INITVAL_26 = 320'h0, INITVAL_27 = 320'h0,
    INITVAL_28 = 320'h0, INITVAL_29 = 320'h0, INITVAL_2A = 320'h0, INITVAL_2B = 320'h0,
    INITVAL_2C = 320'h0, INITVAL_2D = 320'h0, INITVAL_2E = 320'h0, INITVAL_2F = 320'h0,
    INITVAL_30 = 320'h0, INITVAL_31 = 320'h0, INITVAL_32 = 320'h0, INITVAL_33 = 320'h0,
    INITVAL_34 = 320'h0, INITVAL_35 = 320'h0, INITVAL_36 = 320'h0, INITVAL_37 = 320'h0,
    INITVAL_38 = 320'h0, INITVAL_39 = 320'h0, INITVAL_3A = 320'h0, INITVAL_3B = 320'h0,
    INITVAL_3C = 320'h0, INITVAL_3D = 320'h0, INITVAL_3E = 320'h0, INITVAL_3F = 320'h0;

  /* verilator lint_off MULTIDRIVEN */
  reg [17:0] mem [0:1023];
  /* verilator lint_on MULTIDRIVEN */

  task load(input integer first, input [319:0] values);
    integer n;
    for (n = 0; n < 16; n = n + 1) mem[first + n] = values[n*20 +: 18];
  endtask
  initial begin
    load(0, INITVAL_00);
    load(16, INITVAL_01);
    load(32, INITVAL_02);
    load(48, INITVAL_03);
    load(64, INITVAL_04);
    load(80, INITVAL_05);
    load(96, INITVAL_06);
    load(112, INITVAL_07);
    load(128, INITVAL_08);
    load(144, INITVAL_09);
    load(160, INITVAL_0A);
    load(176, INITVAL_0B);
    load(192, INITVAL_0C);
    load(208, INITVAL_0D);
    load(224, INITVAL_0E);
    load(240, INITVAL_0F);
    load(256, INITVAL_10);
    load(272, INITVAL_11);
    load(288, INITVAL_12);
    load(304, INITVAL_13);
    load(320, INITVAL_14);
    load(336, INITVAL_15);
    load(352, INITVAL_16);
    load(368, INITVAL_17);
    load(384, INITVAL_18);
    load(400, INITVAL_19);
    load(416, INITVAL_1A);
    load(432, INITVAL_1B);
    load(448, INITVAL_1C);
    load(464, INITVAL_1D);
    load(480, INITVAL_1E);
    load(496, INITVAL_1F);
    load(512, INITVAL_20);
    load(528, INITVAL_21);
    load(544, INITVAL_22);
    load(560, INITVAL_23);
    load(576, INITVAL_24);
    load(592, INITVAL_25);
    load(608, INITVAL_26);
    load(624, INITVAL_27);
    load(640, INITVAL_28);
    load(656, INITVAL_29);
    load(672, INITVAL_2A);
    load(688, INITVAL_2B);
    load(704, INITVAL_2C);
    load(720, INITVAL_2D);
    load(736, INITVAL_2E);
    load(752, INITVAL_2F);
    load(768, INITVAL_30);
    load(784, INITVAL_31);
    load(800, INITVAL_32);
    load(816, INITVAL_33);
    load(832, INITVAL_34);
    load(848, INITVAL_35);
    load(864, INITVAL_36);
    load(880, INITVAL_37);
    load(896, INITVAL_38);
    load(912, INITVAL_39);
    load(928, INITVAL_3A);
    load(944, INITVAL_3B);
    load(960, INITVAL_3C);
    load(976, INITVAL_3D);
    load(992, INITVAL_3E);
    load(1008, INITVAL_3F);
  end

  // Lowest bit of the addressed group inside its word, and the bits of the group.
  function [4:0] low_bit(input integer width, input [13:0] address);
    case (width)
      1: low_bit = (address[3] ? 5'd9 : 5'd0) + address[2:0];
      2: low_bit = (address[3] ? 5'd9 : 5'd0) + {address[2:1], 1'b0};
      4: low_bit = (address[3] ? 5'd9 : 5'd0) + {address[2], 2'b00};
      9: low_bit = address[3] ? 5'd9 : 5'd0;
      default: low_bit = 5'd0;
    endcase
  endfunction
  function [17:0] group(input integer width);
    group = width >= 18 ? 18'h3ffff : (18'd1 << width) - 18'd1;
  endfunction
  // Bits of a word that a write changes.
  function [17:0] mask(input integer width, input [13:0] address);
    mask = width >= 18 ? {{9{address[1]}}, {9{address[0]}}} : group(width) << low_bit(width, address);
  endfunction

  wire [17:0] di_a = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0
  };
  wire [13:0] ad_a = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  localparam [39:0] cs_a = CSDECODE_A;
  wire clk_a = CLKAMUX == "INV" ? ~CLKA : CLKA;
  wire ce_a = (CEAMUX == "1" ? 1'b1 : CEAMUX == "0" ? 1'b0 : CEAMUX == "INV" ? ~CEA : CEA)
    & ({CSA2, CSA1, CSA0} == {cs_a[16], cs_a[8], cs_a[0]});
  wire oce_a = OCEAMUX == "1" ? 1'b1 : OCEAMUX == "0" ? 1'b0 : OCEAMUX == "INV" ? ~OCEA : OCEA;
  wire we_a = WEAMUX == "1" ? 1'b1 : WEAMUX == "0" ? 1'b0 : WEAMUX == "INV" ? ~WEA : WEA;
  wire rst_a = RSTAMUX == "1" ? 1'b1 : RSTAMUX == "0" ? 1'b0 : RSTAMUX == "INV" ? ~RSTA : RSTA;
  wire write_a = ce_a & we_a & ~(RESETMODE == "SYNC" & rst_a);

  wire [17:0] di_b = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0
  };
  wire [13:0] ad_b = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  localparam [39:0] cs_b = CSDECODE_B;
  wire clk_b = CLKBMUX == "INV" ? ~CLKB : CLKB;
  wire ce_b = (CEBMUX == "1" ? 1'b1 : CEBMUX == "0" ? 1'b0 : CEBMUX == "INV" ? ~CEB : CEB)
    & ({CSB2, CSB1, CSB0} == {cs_b[16], cs_b[8], cs_b[0]});
  wire oce_b = OCEBMUX == "1" ? 1'b1 : OCEBMUX == "0" ? 1'b0 : OCEBMUX == "INV" ? ~OCEB : OCEB;
  wire we_b = WEBMUX == "1" ? 1'b1 : WEBMUX == "0" ? 1'b0 : WEBMUX == "INV" ? ~WEB : WEB;
  wire rst_b = RSTBMUX == "1" ? 1'b1 : RSTBMUX == "0" ? 1'b0 : RSTBMUX == "INV" ? ~RSTB : RSTB;
  wire write_b = ce_b & we_b & ~(RESETMODE == "SYNC" & rst_b);

  // The two halves of a 36-bit group lie in neighbouring words.
  wire [9:0] word_a = DATA_WIDTH_A == 36 ? {ad_a[13:5], 1'b0} : ad_a[13:4];
  wire [9:0] word_b = DATA_WIDTH_B == 36 ? {ad_b[13:5], 1'b0} : ad_b[13:4];
  wire [17:0] mask_a = mask(DATA_WIDTH_A, ad_a);
  wire [17:0] mask_a_high = DATA_WIDTH_A == 36 ? {{9{ad_a[3]}}, {9{ad_a[2]}}} : 18'd0;
  wire [17:0] mask_b = mask(DATA_WIDTH_B, ad_b);
  wire [17:0] new_a = di_a << low_bit(DATA_WIDTH_A, ad_a);
  wire [17:0] new_b = di_b << low_bit(DATA_WIDTH_B, ad_b);

  // Bits that the other port writes at this edge, in the words each port reads.
  wire [9:0] word_a_high = word_a + 10'd1;
  wire [9:0] word_b_high = word_b + 10'd1;
  wire wide_a = DATA_WIDTH_A == 36;
  wire [17:0] clash_a = write_b && word_a == word_b ? mask_b : 18'd0;
  wire [17:0] clash_b = !write_a ? 18'd0
    : word_b == word_a ? mask_a
    : wide_a && word_b == word_a_high ? mask_a_high : 18'd0;
  wire [17:0] clash_b_high = !write_a ? 18'd0
    : word_b_high == word_a ? mask_a
    : wide_a && word_b_high == word_a_high ? mask_a_high : 18'd0;

  reg [17:0] latch_a, latch_b, latch_b_high;
  initial begin latch_a = 0; latch_b = 0; latch_b_high = 0; end

  wire [17:0] old_a = mem[word_a] ^ clash_a;
  wire [17:0] seen_a = we_a && WRITEMODE_A == "WRITETHROUGH"
    ? (old_a & ~mask_a) | (new_a & mask_a) : old_a;
  wire keep_a = we_a && WRITEMODE_A == "NORMAL";
  always @(posedge clk_a) begin
    if (write_a) begin
      mem[word_a] <= (mem[word_a] & ~mask_a) | (new_a & mask_a);
      if (DATA_WIDTH_A == 36)
        mem[word_a_high] <= (mem[word_a_high] & ~mask_a_high) | (di_b & mask_a_high);
    end
  end
  generate
    if (RESETMODE == "ASYNC") begin : asynchronous_a
      always @(posedge clk_a or posedge rst_a) begin
        if (rst_a) begin
          latch_a <= 18'd0;
        end else if (ce_a && !keep_a) begin
          latch_a <= (seen_a >> low_bit(DATA_WIDTH_A, ad_a)) & group(DATA_WIDTH_A);
        end
      end
    end else begin : synchronous_a
      always @(posedge clk_a) begin
        if (rst_a) begin
          latch_a <= 18'd0;
        end else if (ce_a && !keep_a) begin
          latch_a <= (seen_a >> low_bit(DATA_WIDTH_A, ad_a)) & group(DATA_WIDTH_A);
        end
      end
    end
  endgenerate

  wire [17:0] old_b = mem[word_b] ^ clash_b;
  wire [17:0] seen_b = we_b && WRITEMODE_B == "WRITETHROUGH"
    ? (old_b & ~mask_b) | (new_b & mask_b) : old_b;
  wire keep_b = we_b && WRITEMODE_B == "NORMAL";
  always @(posedge clk_b) begin
    if (write_b) begin
      mem[word_b] <= (mem[word_b] & ~mask_b) | (new_b & mask_b);
    end
  end
  generate
    if (RESETMODE == "ASYNC") begin : asynchronous_b
      always @(posedge clk_b or posedge rst_b) begin
        if (rst_b) begin
          latch_b <= 18'd0;
          latch_b_high <= 18'd0;
        end else if (ce_b && !keep_b) begin
          latch_b <= (seen_b >> low_bit(DATA_WIDTH_B, ad_b)) & group(DATA_WIDTH_B);
          latch_b_high <= mem[word_b_high] ^ clash_b_high;
        end
      end
    end else begin : synchronous_b
      always @(posedge clk_b) begin
        if (rst_b) begin
          latch_b <= 18'd0;
          latch_b_high <= 18'd0;
        end else if (ce_b && !keep_b) begin
          latch_b <= (seen_b >> low_bit(DATA_WIDTH_B, ad_b)) & group(DATA_WIDTH_B);
          latch_b_high <= mem[word_b_high] ^ clash_b_high;
        end
      end
    end
  endgenerate

  // A 36-bit read comes out of both ports' pins.
  wire [17:0] result_a = DATA_WIDTH_B == 36 ? latch_b : latch_a;
  wire [17:0] result_b = DATA_WIDTH_B == 36 ? latch_b_high : latch_b;
  wire [17:0] do_a, do_b;
  localparam REGMODE_OF_A = DATA_WIDTH_B == 36 ? REGMODE_B : REGMODE_A;
  ASTROMORPH_ECP5_RAM_OUT #(REGMODE_OF_A, RESETMODE) out_a(
    DATA_WIDTH_B == 36 ? clk_b : clk_a, DATA_WIDTH_B == 36 ? oce_b : oce_a,
    DATA_WIDTH_B == 36 ? rst_b : rst_a, result_a, do_a);
  ASTROMORPH_ECP5_RAM_OUT #(REGMODE_B, RESETMODE) out_b(clk_b, oce_b, rst_b, result_b, do_b);
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0
  } = do_a;
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0
  } = do_b;
endmodule

module ASTROMORPH_ECP5_RAM_OUT #(parameter REGMODE = "NOREG", parameter RESETMODE = "SYNC") (
  input clk, input oce, input rst, input [17:0] d, output [17:0] q
);
  generate
    if (REGMODE == "NOREG") begin : none
      assign q = d;
    end else begin : register
      reg [17:0] value;
      initial value = 0;
      assign q = value;
      if (RESETMODE == "ASYNC") begin : asynchronous
        always @(posedge clk or posedge rst) if (rst) value <= 0; else if (oce) value <= d;
      end else begin : synchronous
        always @(posedge clk) if (rst) value <= 0; else if (oce) value <= d;
      end
    end
  endgenerate
endmodule
