//! Waveforms are read back with the `vcd` crate's own parser.

use super::blocks::*;
use astromorph_sim::driver::Driver;
use astromorph_sim::vcd::{Selection, Wave, WaveWriter};
use std::collections::HashMap;
use vcd::{Command, Parser};

/// Writes ten cycles of a tree, its input counting up.
fn write(selection: &Selection) -> Vec<u8> {
    let mut driver = Driver::new(Tree::default(), |b| &mut b.clock).unwrap();
    let mut out = Vec::new();
    let mut waves = WaveWriter::new(&mut out, driver.block(), selection, 10).unwrap();
    for cycle in 0..10u64 {
        waves.sample(driver.block()).unwrap();
        driver.cycle(|b| b.x.next = (0xfff0 + cycle).into()).unwrap();
    }
    waves.finish().unwrap();
    out
}

#[test]
fn selected_signals_have_their_names_and_decoded_companions() {
    let selection = Selection::Waves(
        "core".into(),
        vec![Wave::fixed("top$x", "calcium", 4), Wave::bits("top$deep$held$q", "Z")],
    );
    let text = write(&selection);
    let mut parser = Parser::new(&text[..]);
    let header = parser.parse_header().unwrap();
    assert_eq!(header.timescale, Some((1, vcd::TimescaleUnit::NS)));
    let code = |name: &str| header.find_var(&["core", name]).unwrap().code;
    let (raw, real, clock) = (code("calcium"), code("calcium_real"), code("clock"));
    assert!(header.find_var(&["core", "Z"]).is_some());
    let (mut time, mut reals, mut edges) = (0, HashMap::new(), 0);
    let mut raws = 0;
    for command in parser {
        match command.unwrap() {
            Command::Timestamp(t) => time = t,
            Command::ChangeReal(id, v) if id == real => {
                reals.insert(time, v);
            }
            Command::ChangeVector(id, v) if id == raw => {
                assert_eq!(v.len(), 16);
                raws += 1;
            }
            Command::ChangeScalar(id, v) if id == clock => edges += (v == vcd::Value::V1) as u32,
            _ => {}
        }
    }
    // Cycle 1 has the first counted input; bits are unsigned, so no sign is decoded.
    assert_eq!(reals[&0], 0.0);
    assert_eq!(reals[&10], 0xfff0 as f64 / 16.0);
    assert_eq!((edges, raws), (10, 10));
    assert_eq!(time, 100);
}

#[test]
fn the_whole_hierarchy_is_written_and_only_changes() {
    let text = write(&Selection::All);
    let mut parser = Parser::new(&text[..]);
    let header = parser.parse_header().unwrap();
    let path = ["simulation", "top", "deep", "second", "state", "q"];
    let still = header.find_var(&["simulation", "top", "deep", "x"]);
    assert!(still.is_some());
    let code = header.find_var(&path).unwrap().code;
    let mut last = None;
    let mut changes = 0;
    for command in parser {
        if let Command::ChangeVector(id, v) = command.unwrap()
            && id == code
        {
            let v: Vec<_> = v.iter().collect();
            assert_ne!(last.as_ref(), Some(&v), "written without a change");
            last = Some(v);
            changes += 1;
        }
    }
    assert!(changes > 5);
}

#[test]
fn an_unknown_path_is_named() {
    let driver = Driver::new(Tree::default(), |b| &mut b.clock).unwrap();
    let selection = Selection::Waves("core".into(), vec![Wave::bits("top$nothing", "calcium")]);
    let e = WaveWriter::new(Vec::new(), driver.block(), &selection, 10)
        .err()
        .unwrap();
    let text = e.to_string();
    assert!(text.contains("calcium") && text.contains("top$nothing"), "{text}");
    let e = WaveWriter::new(Vec::new(), driver.block(), &Selection::All, 1).err();
    assert!(e.is_some());
}
