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
