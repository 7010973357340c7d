//! RustHDL driven by the stream models.

use super::blocks::StreamMac;
use super::support::random;
use astromorph_sim::cosim::streams::OutBeat;
use astromorph_sim::driver::Driver;
use astromorph_sim::stream::{Sink, Source, Stalls};
use rand::RngExt;

type Beat = ([i32; 3], bool);

fn work(count: usize) -> (Vec<Beat>, Vec<OutBeat>) {
    let mut random = random(7);
    let (mut list, mut expected) = (Vec::new(), Vec::new());
    for n in 0..count {
        let [q, k, v] = std::array::from_fn(|_| random.random::<i16>() as i32);
        let last = n % 37 == 36;
        list.push(([q, k, v], last));
        expected.push(OutBeat {
            data: StreamMac::law(q, k, v),
            last,
        });
    }
    (list, expected)
}

#[test]
fn a_block_streams_right_under_random_stalls() {
    for stall in [0.0, 0.3, 0.8] {
        let (list, expected) = work(2000);
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
