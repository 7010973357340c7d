use super::*;

fn options(board: &str) -> Options {
    Options {
        board: Board::find(board).unwrap(),
        seeds: vec![1],
        mhz: 12.0,
        out_of_context: false,
        synthesis: Vec::new(),
    }
}

fn port(name: &str, kind: PortKind, bits: usize) -> Port {
    Port {
        name: name.into(),
        kind,
        bits,
        signed: false,
    }
}

#[test]
fn wrong_options_are_refused_by_name() {
    let refused = |change: fn(&mut Options)| {
        let mut o = options("ulx3s");
        change(&mut o);
        check(&o).unwrap_err().to_string()
    };
    assert!(refused(|o| o.mhz = f64::NAN).contains("freq"));
    assert!(refused(|o| o.mhz = 0.0).contains("freq"));
    assert!(refused(|o| o.seeds.clear()).contains("seeds"));
    assert!(refused(|o| o.synthesis = vec!["-abc9 -dsp".into()]).contains("-dsp"));
    assert!(refused(|o| o.synthesis = vec!["-abc9; delete".into()]).contains("-abc9;"));
    check(&options("ulx3s")).unwrap();
}

#[test]
fn a_design_for_pins_has_the_boards_ports_only() {
    let board = Board::find("icebreaker").unwrap();
    let clk = port("clk", PortKind::Clock, 1);
    let with = |more: Port| board_pins(&board, &[clk.clone(), more]);
    assert!(with(port("led", PortKind::Output, 2)).unwrap().contains("led[0]"));
    let scalar = with(port("led", PortKind::Output, 1)).unwrap();
    assert!(scalar.contains("led 11") && !scalar.contains("led[0]"));
    for wrong in [
        port("data", PortKind::Input, 8),
        port("led", PortKind::Output, 3),
        port("uart_tx", PortKind::Input, 1),
    ] {
        let e = with(wrong.clone()).unwrap_err().to_string();
        assert!(e.contains(&format!("port {}", wrong.name)), "{e}");
    }
    let e = board_pins(&board, &[port("button", PortKind::Input, 1)]).unwrap_err();
    assert!(e.to_string().contains("clk"), "{e}");
}

/// Ports of odd widths, in an order that is not that of the wrapper's registers.
const ODD: &str =
    "module odd(input clock, input reset, output reg signed [5:0] y, input signed [4:0] a, input [32:0] b,
  output reg [32:0] z, input c, output reg t);
  always @(posedge clock) if (reset) begin y <= 0; z <= 0; t <= 0; end
    else begin y <= a + y; z <= z ^ (b << c); t <= ^z; end
endmodule\n";

/// The wrapped core against a bare one whose inputs the bench shifts itself; every output bit is followed to `scan_out`.
const BENCH: &str = "module bench;
  reg clk = 0, scan_in = 0;
  wire scan_out;
  reg [39:0] shift;
  wire [39:0] o;
  reg [39:0] past [0:4095];
  reg expected;
  integer n, i, words = 0, bad = 0;
  astromorph_scan wrapped(.clk(clk), .scan_in(scan_in), .scan_out(scan_out));
  odd bare(.clock(clk), .reset(shift[0]), .a(shift[5:1]), .b(shift[38:6]), .c(shift[39]),
    .y(o[5:0]), .z(o[38:6]), .t(o[39]));
  initial begin
    for (n = 0; n < 4000; n = n + 1) begin
      scan_in = $random;
      #1 past[n] = o;
      if (n > 200) begin
        expected = 0;
        for (i = 0; i < 40; i = i + 1) expected = expected ^ (past[n - 14 + i / 3] >> i);
        words = words + 2;
        if (scan_out !== expected) bad = bad + 1;
        if ({wrapped.core.t, wrapped.core.z, wrapped.core.y} !== o) bad = bad + 1;
      end
      #1 clk = 1; shift <= {shift, scan_in};
      #1 clk = 0;
    end
    $display(\"RESULT %0d %0d\", words, bad);
    $finish;
  end
endmodule\n";

#[test]
fn a_wrapped_core_computes_what_the_bare_one_does_and_every_output_bit_is_seen() {
    let ports = [
        port("clock", PortKind::Clock, 1),
        port("reset", PortKind::Input, 1),
        port("y", PortKind::Output, 6),
        port("a", PortKind::Input, 5),
        port("b", PortKind::Input, 33),
        port("z", PortKind::Output, 33),
        port("c", PortKind::Input, 1),
        port("t", PortKind::Output, 1),
    ];
    let wrapped = wrapper::wrap("odd", &ports, &[]).unwrap();
    assert_eq!((wrapped.inputs, wrapped.outputs), (40, 40));
    let icarus = match Tools::find(Tool::Icarus) {
        Ok(tool) => tool,
        Err(e) => return eprintln!("NOT COMPARED, the wrapper is not simulated: {e}"),
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("all.v"), format!("{ODD}{}{BENCH}", wrapped.verilog)).unwrap();
    let compiled = dir.path().join("all.vvp");
    let run = icarus.run().args(["-s", "bench", "-o", "all.vvp", "all.v"]);
    run.dir(dir.path()).output(compiled).run().unwrap();
    let out = icarus.run_second().arg("all.vvp").dir(dir.path()).run().unwrap();
    assert!(out.stdout.contains("RESULT 7598 0"), "{}", out.stdout);
}

#[test]
fn a_core_that_cannot_be_wrapped_is_refused() {
    let refused = |ports: &[Port]| wrapper::wrap("core", ports, &[]).unwrap_err().to_string();
    let (clock, y) = (port("clock", PortKind::Clock, 1), port("y", PortKind::Output, 1));
    assert!(refused(std::slice::from_ref(&clock)).contains("at least one output"));
    assert!(refused(std::slice::from_ref(&y)).contains("one clock"));
    let open = wrapper::wrap("core", &[clock.clone(), y.clone()], &["y".into()]);
    assert!(open.unwrap_err().to_string().contains("left open"));
    assert!(refused(&[clock.clone(), clock.clone(), y.clone()]).contains("found 2"));
    let alone = wrapper::wrap("core", &[clock, y], &[]).unwrap();
    assert_eq!((alone.inputs, alone.outputs), (0, 1));
    assert!(!alone.verilog.contains("drive"));
}
