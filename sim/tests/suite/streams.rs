//! Streams: RustHDL driven by the stream models, and the Verilated transaction harness.

use super::blocks::StreamMac;
use super::support::*;
use astromorph_sim::cosim::streams::*;
use astromorph_sim::cosim::{Design, streams};
use astromorph_sim::driver::Driver;
use astromorph_sim::stream::{Sink, Source, Stalls};
use astromorph_sim::tools::Tool;
use rand::RngExt;

type Beat = ([i32; 3], bool);

fn work(count: usize) -> (Vec<Beat>, Beats, Vec<OutBeat>) {
    let mut random = random(7);
    let (mut list, mut beats, mut expected) = (Vec::new(), Beats::default(), Vec::new());
    for n in 0..count {
        let [q, k, v] = std::array::from_fn(|_| random.random::<i16>() as i32);
        let last = n % 37 == 36;
        list.push(([q, k, v], last));
        beats.push(&[q, k, v], last);
        expected.push(OutBeat {
            data: StreamMac::law(q, k, v),
            last,
        });
    }
    (list, beats, expected)
}

#[test]
fn a_block_streams_right_under_random_stalls() {
    for stall in [0.0, 0.3, 0.8] {
        let (list, _, expected) = work(2000);
        let mut driver = Driver::new(StreamMac::default(), |b| &mut b.clock).unwrap();
        let mut source = Source::new(list, Stalls::new(3, stall));
        let mut sink = Sink::new("m_axis", Stalls::new(4, stall));
        for _ in 0..40_000 {
            let mut result = Ok(false);
            driver
                .cycle(|b| {
                    let data = b.m_axis_tdata.val().index() as u16 as i16 as i32;
                    let beat = (data, b.m_axis_tlast.val());
                    let ready = b.s_axis_tready.val();
                    result = sink.step(b.m_axis_tvalid.val().then_some(beat));
                    let next = source.step(ready);
                    b.s_axis_tvalid.next = next.is_some();
                    if let Some((data, last)) = next {
                        let [q, k, v] = data.map(|x| (x as u16 as u64).into());
                        b.s_axis_tdata_q.next = q;
                        b.s_axis_tdata_k.next = k;
                        b.s_axis_tdata_v.next = v;
                        b.s_axis_tlast.next = *last;
                    }
                    if let Ok(ready) = result {
                        b.m_axis_tready.next = ready;
                    }
                })
                .unwrap();
            result.unwrap();
        }
        let found: Vec<OutBeat> = sink
            .received()
            .iter()
            .map(|&(data, last)| OutBeat { data, last })
            .collect();
        assert!(source.is_done());
        assert_eq!(found, expected);
    }
}

fn verilog() -> String {
    let driver = Driver::new(StreamMac::default(), |b| &mut b.clock).unwrap();
    driver.verilog().to_string()
}

fn model(verilog: &str) -> VerilatedCore {
    let design = Design::rtl("stream", verilog);
    let ports = StreamPorts::attention_core(16, 1);
    VerilatedCore::build(&tool(Tool::Verilator), &design, &ports, &cache()).unwrap()
}

#[test]
fn the_transaction_harness_counts_compares_and_stalls() {
    let core = model(&verilog());
    let (_, beats, expected) = work(50_000);
    let mut cycles = Vec::new();
    for stall in [0.0, 0.2, 0.7] {
        let options = StreamOptions {
            stall,
            patience: 5000,
            ..StreamOptions::default()
        };
        let run = core.run(&beats, expected.len() as u64, &options).unwrap();
        let c = run.compare(&expected).unwrap();
        assert!(c.is_equal() && c.words == 50_000, "{c}");
        assert!(!run.stuck && run.error == 0 && run.violations == 0);
        let counted: u64 = run.phases.iter().map(|p| p.cycles).sum();
        let lanes: u64 = run.phases.iter().map(|p| p.mac_lanes).sum();
        assert_eq!((counted, lanes), (run.cycles, 50_000));
        assert_eq!(run.phases[1], streams::PhaseUse::default());
        cycles.push(run.cycles);
    }
    assert!(cycles[0] < 50_500 && cycles[0] < cycles[1] && cycles[1] < cycles[2]);
}

#[test]
fn faults_on_the_stream_are_caught() {
    let (_, beats, expected) = work(2000);
    let options = StreamOptions {
        stall: 0.4,
        patience: 2000,
        ..StreamOptions::default()
    };
    let cases = [
        // A beat is replaced although it was not taken.
        ("handshake", "else if (s_axis_tready) begin", "else begin"),
        ("value", "q * k + s_axis_tdata_v", "q * k - s_axis_tdata_v"),
        ("last", "m_axis_tlast <= s_axis_tlast", "m_axis_tlast <= 0"),
        // The core never takes anything: it is stuck, and every beat is missing.
        (
            "stuck",
            "s_axis_tready = ~m_axis_tvalid | m_axis_tready",
            "s_axis_tready = 0",
        ),
    ];
    for (name, from, to) in cases {
        let original = verilog();
        assert_eq!(original.matches(from).count(), 1, "{name}");
        let core = model(&original.replace(from, to));
        let run = core.run(&beats, expected.len() as u64, &options).unwrap();
        let c = run.compare(&expected).unwrap();
        assert!(c.mismatches > 0, "{name} was not caught: {c}");
        assert_eq!(run.stuck, name == "stuck" || name == "handshake", "{name}");
        assert_eq!(run.violations > 0, name == "handshake", "{name}");
    }
}

#[test]
fn wrong_use_is_an_error_and_no_words_are_no_pass() {
    let core = model(&verilog());
    let mut two_fields = Beats::default();
    two_fields.push(&[1, 2], true);
    assert!(core.run(&two_fields, 1, &StreamOptions::default()).is_err());
    let (_, beats, _) = work(3);
    for stall in [1.0, -0.1, f64::NAN] {
        let options = StreamOptions {
            stall,
            ..StreamOptions::default()
        };
        assert!(core.run(&beats, 3, &options).is_err());
    }
    let options = StreamOptions {
        patience: 300,
        ..StreamOptions::default()
    };
    let run = core.run(&Beats::default(), 0, &options).unwrap();
    assert!(run.compare(&[]).is_err());
}
