use astromorph::engine::config::EngineConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::engine::EngineSimulator;
fn main() {
    let file = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).map_or(1, |n| n.parse().unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    let core_name = lines.next().unwrap();
    let core = config(core_name);
    let count: usize = lines.next().unwrap().parse().unwrap();
    let writes: Vec<(u8, u32, u64)> = (0..count).map(|_| { let mut p = lines.next().unwrap().split(' ').map(|x| x.parse::<u64>().unwrap()); (p.next().unwrap() as u8, p.next().unwrap() as u32, p.next().unwrap()) }).collect();
    let t = std::time::Instant::now();
    let mut e = EngineSimulator::new(&core, Target::Generic).unwrap();
    let v = e.driver().verilog().to_string();
    std::fs::write(format!("{file}.v"), &v).unwrap();
    eprintln!("built in {:.2} s", t.elapsed().as_secs_f64());
    e.reset(4).unwrap();
    let t = std::time::Instant::now();
    let cycles = e.load(writes.into_iter(), 1 << 21).unwrap();
    eprintln!("load: {cycles} cycles, {:.0} /s", cycles as f64 / t.elapsed().as_secs_f64());
    for line in lines.take(n) {
        let words: Vec<i32> = line.split(' ').map(|x| x.parse().unwrap()).collect();
        let last = words.len() - 1;
        let beats: Vec<_> = words.iter().enumerate().map(|(n, &w)| (w, n == last)).collect();
        let (mut hash, mut count) = (0u64, 0u64);
        let s0 = e.driver().sweeps();
        let run = e.send(&beats, &StreamOptions { seed: 1, stall: 0.0, patience: 4096, ..StreamOptions::default() }, |e, c| {
            let mut h = |v: bool, k: u64, x: i64| if v { count += 1; hash = (hash.rotate_left(5) ^ (x as u64) ^ k ^ (c << 20)).wrapping_mul(0x9e3779b97f4a7c15) };
            h(e.tap_sum_valid.val(), 1, e.tap_sum_data.val().get());
            h(e.tap_linear_valid.val(), 2, e.tap_linear_data.val().get());
            h(e.tap_function_valid.val(), 3, e.tap_function_data.val().get());
            h(e.tap_other_valid.val(), 4, e.tap_other_data.val().get());
            h(e.tap_sums_valid.val(), 5, e.tap_sums_data.val().get());
            h(e.tap_calcium_valid.val(), 6, e.tap_calcium_data.val().get());
            h(e.tap_power_valid.val(), 7, e.tap_power_data.val().get());
            h(e.tap_normalise_valid.val(), 8, e.tap_normalise_data.val().get());
            h(e.tap_norm_valid.val(), 9, e.tap_norm_data.val().get());
        }).unwrap();
        let slots: u64 = run.steps.values().map(|s| s.slots).sum();
        println!("{core_name}: {} cycles, {:.0} cycles/s, {} words out, error {}, slots {slots}, taps {count} {hash:016x}, sweeps/cycle {:.2}", run.cycles, run.cycles as f64 / run.elapsed.as_secs_f64(), run.words.len(), run.error, (e.driver().sweeps() - s0) as f64 / run.cycles as f64);
    }
}
fn config(name: &str) -> EngineConfig {
    let text = std::fs::read_to_string(format!("constraints/cores/{name}.toml")).unwrap();
    let get = |k: &str| text.lines().find_map(|l| l.strip_prefix(&format!("{k} = "))).unwrap().parse::<usize>().unwrap();
    EngineConfig { name: name.into(), lanes: get("lanes") as _, width: get("width") as _, acc_bits: get("acc_bits") as _, bank_words: get("bank_words") as _, x_words: get("x_words") as _, m_words: get("m_words") as _, function_words: get("function_words") as _, mantissa_words: get("mantissa_words") as _, sums: get("sums") as _, reads: get("reads") as _, norm_width: get("norm_width") as _, norm_words: get("norm_words") as _ }
}
