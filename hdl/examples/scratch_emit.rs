use astromorph::engine::config::EngineConfig;
use astromorph_hdl::{engine::emit::emit_engine, multiply::Target};
fn main() {
    let mut a = std::env::args().skip(1);
    let lanes: usize = a.next().unwrap().parse().unwrap();
    let big = lanes > 64;
    let core = EngineConfig {
        name: format!("ecp5-{lanes}"), lanes, width: if big {8} else {16}, acc_bits: if big {26} else {40}, bank_words: if big {2048} else {4096},
        x_words: if big {57344} else {16384}, m_words: if big {20480} else {16384}, function_words: 2048, mantissa_words: 2048,
        sums: if big {256} else {512}, reads: if big {256} else {512}, norm_width: 256, norm_words: if big {1024} else {2048} };
    print!("{}", emit_engine(&core, Target::Ecp5).unwrap());
}
