// SB_LUT4 of the iCE40 for cycle-accurate simulation. In Verilator it is one lookup, seven times as fast as a chain of choices; elsewhere the chain, in which
// an unknown input that does not matter leaves the output known. sim/tests/suite/vendor_proofs.rs proves both equal to the vendor's.
module SB_LUT4 (output O, input I0, input I1, input I2, input I3);
  parameter [15:0] LUT_INIT = 0;
`ifdef VERILATOR
  assign O = LUT_INIT[{I3, I2, I1, I0}];
`else
  wire [7:0] by3 = I3 ? LUT_INIT[15:8] : LUT_INIT[7:0];
  wire [3:0] by2 = I2 ? by3[7:4] : by3[3:0];
  wire [1:0] by1 = I1 ? by2[3:2] : by2[1:0];
  assign O = I0 ? by1[1] : by1[0];
`endif
endmodule
