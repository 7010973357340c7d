//! The report as text tables for a terminal.

use super::Report;

/// Right-aligned columns (the first left-aligned) under a heading.
pub fn grid(head: &[&str], rows: &[Vec<String>]) -> String {
    let width: Vec<usize> = (0..head.len())
        .map(|c| {
            rows.iter()
                .map(|r| r[c].chars().count())
                .chain([head[c].chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let mut out = String::new();
        for (c, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(width[c] - cell.chars().count());
            out += &if c == 0 {
                format!("{cell}{pad}")
            } else {
                format!("  {pad}{cell}")
            };
        }
        out.trim_end().to_string() + "\n"
    };
    let mut out = line(head.to_vec());
    out += &"-".repeat(width.iter().sum::<usize>() + 2 * (head.len().max(1) - 1));
    out.push('\n');
    for row in rows {
        out += &line(row.iter().map(String::as_str).collect());
    }
    out
}

/// A number with four significant digits, thousands without a fraction.
pub fn number(x: f64) -> String {
    match x.abs() {
        a if a >= 1000.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.3}"),
    }
}

/// Disagreements that a terminal shows; the files have all.
const SHOWN: usize = 20;

/// The whole report for a terminal.
pub fn text(report: &Report) -> String {
    let mut out = format!("{}, {}: {}\n", report.name, report.verb, report.model);
    if let Some(routed) = &report.routed {
        out += &routed.text();
    }
    if let Some(power) = &report.power {
        out += &power.text();
    }
    let mut section = |head: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            out.push('\n');
            out += &grid(head, &rows);
        }
    };
    let accuracy = |a: &super::Accuracy| {
        let (p, half) = a.percent();
        vec![
            a.form.clone(),
            a.width.clone(),
            format!("{p:.2} %"),
            format!("± {half:.2}"),
            format!("{}/{}", a.correct, a.total),
            a.sequences.to_string(),
        ]
    };
    section(
        &["accuracy", "width", "", "95 %", "correct", "sequences"],
        report.accuracy.iter().map(accuracy).collect(),
    );
    section(
        &super::disagreement::HEAD,
        report
            .disagreements
            .iter()
            .take(SHOWN)
            .map(super::Disagreement::cells)
            .collect(),
    );
    let comparison = |c: &super::ComparisonRow| {
        let verdict = match c.verdict() {
            "not compared" => format!(
                "not compared: {}",
                if c.not_compared.is_empty() {
                    "no words"
                } else {
                    &c.not_compared
                }
            ),
            v => v.to_string(),
        };
        vec![
            format!("{} = {}", c.left, c.right),
            c.what.clone(),
            c.sequences.to_string(),
            c.words.to_string(),
            c.mismatches.to_string(),
            verdict,
        ]
    };
    section(
        &["comparison", "of", "sequences", "words", "mismatches", "verdict"],
        report.comparisons.iter().map(comparison).collect(),
    );
    let tensor = |t: &super::TensorRow| {
        vec![
            t.name.clone(),
            t.width.clone(),
            t.format.clone(),
            format!("{:.2e}", t.max),
            format!("{:.2e}", t.mean),
            format!("{:.2e}", t.rms),
            format!("{:.1}", t.sqnr_db),
            t.saturated.to_string(),
            t.count.to_string(),
        ]
    };
    section(
        &[
            "tensor",
            "width",
            "format",
            "max error",
            "mean",
            "RMS",
            "SQNR dB",
            "saturated",
            "values",
        ],
        report.tensors.iter().map(tensor).collect(),
    );
    let phase = |p: &super::PhaseRow| {
        let used = 100.0 * p.used as f64 / p.slots.max(1) as f64;
        vec![
            p.phase.clone(),
            p.cycles.to_string(),
            p.used.to_string(),
            p.slots.to_string(),
            format!("{used:.1} %"),
        ]
    };
    section(
        &["phase", "cycles", "multiplications", "slots", "use"],
        report.phases.iter().map(phase).collect(),
    );
    for c in &report.cells {
        let rows = c
            .cells
            .iter()
            .map(|(name, n)| vec![name.clone(), n.to_string()])
            .collect();
        section(&[&format!("cells, {}", c.target), "count"], rows);
    }
    let measure = |m: &super::MeasureRow| vec![m.what.clone(), number(m.value), m.unit.clone(), m.goal.clone()];
    section(
        &["measured", "value", "unit", "goal"],
        report.measures.iter().map(measure).collect(),
    );
    let stages = report
        .stages
        .iter()
        .map(|s| vec![s.stage.clone(), format!("{:.1}", s.seconds)])
        .collect();
    section(&["stage", "seconds"], stages);
    for note in &report.notes {
        out += &format!("\nnote: {note}\n");
    }
    out
}
