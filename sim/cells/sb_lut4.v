// SB_LUT4 of the iCE40 for cycle-accurate simulation: one lookup, where Yosys' model is a chain of three choices. sim/tests/suite/vendor_cells.rs
// compares the two over every input.
module SB_LUT4 (output O, input I0, input I1, input I2, input I3);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule
