//! The estimate as a table and as JSON.

use super::Told;
use crate::area::fit::PLACED;
use crate::area::{logic, total};
use crate::devices;
use astromorph::Result;
use astromorph::engine::program::{Source, Step};
use std::collections::BTreeMap;
use std::fmt::Write;

fn share(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

impl Told<'_> {
    /// Words used of each memory, and its size.
    fn memory(&self) -> BTreeMap<&'static str, [u64; 2]> {
        let core = self.model.core;
        let used = |memory: &str| {
            let rooms = self.model.compiled.map.iter().filter(|r| r.memory == memory);
            rooms.map(|r| (r.first + r.words) as u64).max().unwrap_or(0)
        };
        [
            ("X", core.x_words),
            ("M", core.m_words),
            ("bank", core.bank_words),
            ("function", core.function_words),
            ("mantissa", core.mantissa_words),
        ]
        .map(|(memory, words)| (memory, [used(memory), words as u64]))
        .into()
    }

    /// Cells told, and what the device has.
    fn cells(&self) -> Result<BTreeMap<String, (u64, Option<u64>)>> {
        let counts = devices::counts(&self.board.device)?;
        let mut cells: BTreeMap<String, _> = BTreeMap::new();
        if let Ok(blocks) = &self.blocks {
            let logic = logic(self.board.family)?;
            let mut tell = |cell: &str, of: &str, has: &str| {
                cells.insert(
                    cell.to_string(),
                    (total(blocks, of).round() as u64, counts.get(has).copied()),
                )
            };
            // A device's logic cells are its LUTs.
            tell(logic.placed, PLACED, logic.cells[0]);
            for cell in logic.cells {
                tell(cell, cell, cell);
            }
        }
        for (&cell, &n) in &self.hard {
            cells.insert(cell.to_string(), (n, counts.get(cell).copied()));
        }
        Ok(cells)
    }

    fn tokens_per_second(&self) -> Option<f64> {
        let mhz = self.mhz?;
        Some(self.tokens as f64 * mhz * 1e6 / self.time.cycles as f64)
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        let phases = self.phases.0.iter();
        let blocks = self.blocks.as_ref().ok();
        let cells: BTreeMap<_, _> = self.cells()?.into_iter().map(|(cell, (n, _))| (cell, n)).collect();
        Ok(serde_json::json!({
            "core": self.model.core.name, "board": self.board.name, "tokens": self.tokens, "cycles": self.time.cycles,
            "slots": self.time.utilisation(),
            "phases": phases.map(|&(name, cycles, slots)| serde_json::json!({"phase": name, "cycles": cycles, "slots": slots}))
                .collect::<Vec<_>>(),
            "memory": self.memory(), "cells": cells, "blocks": blocks,
            "clock_mhz": self.clock.as_ref().map(|c| &c.mhz),
            "tokens_per_second": self.tokens_per_second(),
            "simulated_cycles": self.run.as_ref().map(|r| r.busy.values().sum::<u64>()),
        }))
    }

    pub fn table(&self) -> Result<String> {
        let core = self.model.core;
        let mut s = format!(
            "{} on {}: {} lanes of {} bits, {} tokens\n\n",
            core.name, self.board.title, core.lanes, core.width, self.tokens
        );
        // Writing to a String cannot fail.
        self.steps(&mut s);
        let _ = writeln!(s, "\n{:<34} {:>10} {:>10} {:>7}", "phase", "cycles", "slots", "used");
        for &(name, cycles, slots) in &self.phases.0 {
            let _ = writeln!(s, "{name:<34} {cycles:>10} {slots:>10} {:>5.1} %", share(slots, cycles));
        }
        let all = self.time.cycles;
        let _ = writeln!(s, "\ncycles {all}, a token {:.1}", all as f64 / self.tokens as f64);
        if let Some(run) = &self.run {
            let _ = writeln!(s, "simulated in RustHDL {}", run.busy.values().sum::<u64>());
        }
        let slots = self.phases.0.iter().map(|p| p.2).sum();
        let input: u64 = self.phases.0.iter().filter(|p| p.0 == "input").map(|p| p.1).sum();
        let _ = writeln!(
            s,
            "slots used {:.2} % of all cycles, {:.2} % without the input",
            share(slots, all),
            share(slots, all - input)
        );
        let rooms: Vec<_> = self
            .memory()
            .iter()
            .map(|(m, [used, has])| format!("{m} {used}/{has}"))
            .collect();
        let _ = writeln!(s, "memory: {}", rooms.join(", "));
        self.device(&mut s)?;
        Ok(s)
    }

    fn steps(&self, s: &mut String) {
        let _ = writeln!(
            s,
            "{:>5} {:<34} {:>10} {:>10} {:>7} {:>10}",
            "step", "label", "cycles", "slots", "used", "simulated"
        );
        for step in &self.time.steps {
            let Some(Step::Run(r)) = self.model.compiled.program.steps.get(step.step) else {
                continue;
            };
            let simulated = self.run.as_ref().and_then(|run| run.busy.get(&(step.step as u16)));
            let simulated = simulated.map_or(String::new(), u64::to_string);
            let used = match r.source {
                Source::Array(_) => format!("{:.1} %", share(step.slots, step.cycles)),
                _ => String::new(),
            };
            let _ = writeln!(
                s,
                "{:>5} {:<34} {:>10} {:>10} {:>7} {:>10}",
                step.step, r.label, step.cycles, step.slots, used, simulated
            );
        }
    }

    /// Cells and clock.
    fn device(&self, s: &mut String) -> Result<()> {
        match &self.blocks {
            Err(e) => {
                let _ = writeln!(s, "logic cells not known ({e})");
            }
            Ok(blocks) => {
                let logic = logic(self.board.family)?;
                let [lut, carry, register] = logic.cells;
                let _ = writeln!(
                    s,
                    "\n{:<12} {lut:>10} {carry:>10} {register:>10} {:>14}",
                    "block", logic.placed
                );
                let mut rows: Vec<_> = blocks.iter().collect();
                rows.sort_by(|a, b| b.1[PLACED].total_cmp(&a.1[PLACED]));
                for (block, cells) in rows {
                    let of = |cell: &str| cells.get(cell).map_or(0, |n| n.round() as u64);
                    let (l, c, r, p) = (of(lut), of(carry), of(register), of(PLACED));
                    let _ = writeln!(s, "{block:<12} {l:>10} {c:>10} {r:>10} {p:>14}");
                }
            }
        }
        let told = self.cells()?;
        let list: Vec<_> = told
            .iter()
            .map(|(cell, &(n, has))| match has {
                Some(has) => format!("{cell} {n}/{has} ({:.0} %)", share(n, has)),
                None => format!("{cell} {n}"),
            })
            .collect();
        let fits = told.values().all(|&(n, has)| has.is_none_or(|has| n <= has));
        let _ = writeln!(s, "{}{}", list.join(", "), if fits { "" } else { ": does not fit" });
        match self.clock.as_ref().and_then(|c| Some((c, c.range()?))) {
            Some((c, [least, middle, most])) => {
                let (seeds, asked) = (c.mhz.len(), c.asked_mhz);
                let _ = writeln!(
                    s,
                    "clock {least:.1} / {middle:.1} / {most:.1} MHz (least, middle, most of {seeds} seeds, {asked} asked for)"
                );
            }
            None => {
                let _ = writeln!(s, "clock not measured");
            }
        }
        if let (Some(mhz), Some(rate)) = (self.mhz, self.tokens_per_second()) {
            let _ = writeln!(s, "at {mhz:.1} MHz: {rate:.0} tokens/s");
        }
        Ok(())
    }
}
