//! Random traffic for the array, and what it owes.

use super::number;
use astromorph_hdl::engine::array::{Array, ArrayConfig};
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{S, U};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// A random configuration; `n` steers lanes and blocks through the interesting cases.
pub fn config(r: &mut impl Rng, target: Target, n: u64) -> ArrayConfig {
    let lanes = [2, 4, 8, 16, 12, 6][n as usize % 6];
    let width = r.random_range(8..=target.operand_bits().min(18));
    ArrayConfig {
        lanes,
        width,
        acc_bits: r.random_range(2 * width..=(2 * width + 16)),
        bank_depth: 2 * r.random_range(2..20),
        groups: [1, 2, 4][n as usize % 3],
        block: [2, 4, 8, 16][n as usize / 2 % 4],
        target,
    }
}

#[derive(Clone, Copy)]
struct Pair {
    at: usize,
    row: usize,
    mac: [bool; 2],
    last: bool,
}

/// Issues pairs, writes and shifts, keeps its own banks and sums.
pub struct Traffic {
    config: ArrayConfig,
    r: ChaCha8Rng,
    banks: Vec<Vec<i64>>,
    writes: VecDeque<(usize, u128, usize, Vec<i64>)>,
    pairs: VecDeque<Pair>,
    x: Option<(i64, i64)>,
    sums: Vec<i128>,
    /// Ended passes: the pair's cycle and the sums.
    ended: VecDeque<(usize, Vec<i128>)>,
    /// What the chain holds from its head on.
    chain: VecDeque<i128>,
    dense: bool,
    passes: usize,
}

impl Traffic {
    pub fn new(config: ArrayConfig, mut r: ChaCha8Rng) -> Self {
        Traffic {
            banks: vec![vec![0; config.bank_depth]; config.lanes],
            writes: VecDeque::new(),
            pairs: VecDeque::new(),
            x: None,
            sums: vec![0; config.lanes],
            ended: VecDeque::new(),
            chain: VecDeque::new(),
            dense: r.random(),
            passes: 0,
            config,
            r,
        }
    }

    /// Sets the inputs of cycle `n` and follows what they do.
    pub fn drive(&mut self, m: &mut Array, n: usize) {
        let c = self.config;
        let r = &mut self.r;
        m.reset.next = n == 0;
        // Writes of the cycle before (with a register: two before) are in the banks.
        let late = c.write_register() as usize;
        while let Some((_, lanes, at, data)) = self.writes.pop_front_if(|w| w.0 + 1 + late <= n) {
            for l in (0..c.lanes).filter(|l| lanes >> l & 1 == 1) {
                self.banks[l][at] = data[l % c.groups];
            }
        }
        // Pairs: in even cycles, ended only when the chain is empty.
        let even = n.is_multiple_of(2);
        let busy = !self.ended.is_empty() || !self.chain.is_empty() || self.pairs.iter().any(|p| p.last);
        m.pair.next = even && n >= 2 && (self.dense || r.random());
        m.last.next = r.random_range(0..4) == 0 && !busy;
        (m.mac_even.next, m.mac_odd.next) = (r.random_range(0..4) > 0, r.random_range(0..4) > 0);
        let row = r.random_range(0..c.bank_depth / 2);
        m.bank_row.next = U::new(row as u64);
        if m.pair.next {
            self.pairs.push_back(Pair {
                at: n,
                row,
                mac: [m.mac_even.next, m.mac_odd.next],
                last: m.last.next,
            });
        }
        // Operands, also when nobody asked.
        (m.x_even.next, m.x_odd.next) = (S::new(number(r, c.width)), S::new(number(r, c.width)));
        // A write must keep off the word that is fetched when it arrives.
        let fetched = |p: &Pair, cycle: usize| match cycle - p.at {
            2 => Some(2 * p.row),
            3 => Some(2 * p.row + 1),
            _ => None,
        };
        let at = r.random_range(0..c.bank_depth);
        let hazard = self.pairs.iter().any(|p| fetched(p, n + late) == Some(at));
        let lanes = r.random::<u128>() & r.random::<u128>() & ((1u128 << c.lanes) - 1);
        let lanes = if hazard { 0 } else { lanes };
        for (l, flag) in m.bank_write.iter_mut().enumerate() {
            flag.next = lanes >> l & 1 == 1;
        }
        m.bank_address.next = U::new(at as u64);
        let data: Vec<i64> = (0..c.groups).map(|_| number(r, c.width)).collect();
        for (port, &x) in m.bank_data.iter_mut().zip(&data) {
            port.next = S::new(x);
        }
        self.writes.push_back((n, lanes, at, data));
        m.shift.next = !self.chain.is_empty() && self.r.random();
        self.slots(m, n);
    }

    /// The slot whose bank word is fetched in cycle `n`.
    fn slots(&mut self, m: &Array, n: usize) {
        let Some(&p) = self.pairs.front() else { return };
        let (slot, x) = match n - p.at {
            2 => {
                self.x = Some((m.x_even.next.get(), m.x_odd.next.get()));
                (0, m.x_even.next.get())
            }
            3 => (1, self.x.unwrap().1),
            _ => return,
        };
        if p.mac[slot] {
            for (sum, bank) in self.sums.iter_mut().zip(&self.banks) {
                *sum += x as i128 * bank[2 * p.row + slot] as i128;
            }
        }
        if slot == 1 {
            if p.last {
                let sums = std::mem::replace(&mut self.sums, vec![0; self.config.lanes]);
                self.ended.push_back((p.at, sums));
            }
            self.pairs.pop_front();
        }
    }

    /// Looks at the settled outputs of cycle `n`.
    pub fn check(&mut self, m: &Array, n: usize) {
        let wrap = |x: i128| (x << (128 - self.config.acc_bits)) >> (128 - self.config.acc_bits);
        let due = self
            .ended
            .front()
            .is_some_and(|e| e.0 + Array::latency(&self.config) == n);
        assert_eq!(m.captured.val(), due, "captured in cycle {n}");
        if due {
            self.chain = self.ended.pop_front().unwrap().1.into();
            self.passes += 1;
        }
        if let Some(&sum) = self.chain.front() {
            assert_eq!(m.word.val().get() as i128, wrap(sum), "word in cycle {n}");
        }
        if m.shift.val() && !due {
            self.chain.pop_front();
        }
    }

    /// Nothing was checked in vain.
    pub fn finish(&self) {
        assert!(self.passes > 5, "{} passes", self.passes);
    }
}
