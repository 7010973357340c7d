//! `report.html`: one file, no script, no outside reference; the numbers of `report.json` with plots.

use super::table::number;
use super::{Report, plot};
use astromorph::{Error, Result};

pub(crate) fn escape(s: &str) -> String {
    s.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |tag: &str, row: &mut dyn Iterator<Item = &str>| {
        row.map(|c| format!("<{tag}>{}</{tag}>", escape(c))).collect::<String>()
    };
    let mut out = format!("<table><tr>{}</tr>\n", cells("th", &mut head.iter().copied()));
    for row in rows {
        out += &format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str)));
    }
    out + "</table>\n"
}

/// A page up to its first heading.
pub(crate) fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Astromorph: {0}</title>\n<style>\
         body{{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}}\
         table{{border-collapse:collapse;margin:1em 0;font-size:.9em}}th,td{{border-bottom:1px solid #ddd;padding:.25em .7em;text-align:right}}\
         th:first-child,td:first-child{{text-align:left}}th{{background:#f3f3f3}}svg{{max-width:100%;height:auto}}\
         .equal{{color:#060}}.DIFFERENT{{color:#b00;font-weight:bold}}</style></head><body>\n\
         <h1>Astromorph: {0}</h1>\n",
        escape(title)
    )
}

/// The page.
pub fn html(report: &Report) -> Result<String> {
    build(report).map_err(|e| Error::file("report.html", e))
}

fn build(r: &Report) -> std::result::Result<String, String> {
    let mut page = head(&r.name)
        + &format!(
            "<p>{}</p>\n<p><code>{}</code>, seed {}, version {}</p>\n",
            escape(&r.model),
            escape(&r.command),
            r.seed,
            escape(&r.version)
        );
    let heading = |page: &mut String, s: &str| *page += &format!("<h2>{s}</h2>\n");
    if let Some(routed) = &r.routed {
        heading(&mut page, "Placed and routed");
        for line in routed.lines() {
            page += &format!("<p>{}</p>\n", escape(&line));
        }
        let labels: Vec<_> = routed.seeds.iter().map(|s| s.seed.to_string()).collect();
        let values: Vec<_> = routed.seeds.iter().map(|s| s.mhz).collect();
        let top = values.iter().copied().fold(routed.asked_mhz, f64::max);
        page += &plot::bars("Highest frequency by seed", "MHz", &labels, &values, 0.0, top * 1.05)?;
        for (head, rows) in routed.tables() {
            page += &table(&head, &rows);
        }
    }
    if !r.accuracy.is_empty() {
        heading(&mut page, "Accuracy by form");
        let labels: Vec<_> = r.accuracy.iter().map(|a| format!("{} {}", a.form, a.width)).collect();
        let values: Vec<_> = r.accuracy.iter().map(|a| a.percent().0).collect();
        page += &plot::bars("Accuracy by form", "%", &labels, &values, 0.0, 100.0)?;
        let rows: Vec<_> = r
            .accuracy
            .iter()
            .map(|a| {
                let (p, half) = a.percent();
                vec![
                    a.form.clone(),
                    a.width.clone(),
                    format!("{p:.2} ± {half:.2}"),
                    a.correct.to_string(),
                    a.total.to_string(),
                    a.sequences.to_string(),
                ]
            })
            .collect();
        page += &table(
            &["form", "width", "% (95 % interval)", "correct", "of", "sequences"],
            &rows,
        );
    }
    if !r.disagreements.is_empty() {
        heading(&mut page, "Answers that two forms do not share");
        let rows: Vec<_> = r.disagreements.iter().map(super::Disagreement::cells).collect();
        page += &table(&super::disagreement::HEAD, &rows);
    }
    if !r.comparisons.is_empty() {
        heading(&mut page, "Comparisons");
        let rows: Vec<_> = r
            .comparisons
            .iter()
            .map(|c| {
                let verdict = if c.not_compared.is_empty() {
                    c.verdict().to_string()
                } else {
                    format!("not compared: {}", c.not_compared)
                };
                vec![
                    c.left.clone(),
                    c.right.clone(),
                    c.what.clone(),
                    c.sequences.to_string(),
                    c.words.to_string(),
                    c.mismatches.to_string(),
                    c.cycles.to_string(),
                    verdict,
                ]
            })
            .collect();
        let mut text = table(
            &[
                "right form",
                "compared form",
                "of",
                "sequences",
                "words",
                "mismatches",
                "cycles",
                "verdict",
            ],
            &rows,
        );
        for verdict in ["equal", "DIFFERENT"] {
            text = text.replace(
                &format!("<td>{verdict}</td>"),
                &format!("<td class=\"{verdict}\">{verdict}</td>"),
            );
        }
        page += &text;
    }
    if !r.tensors.is_empty() {
        heading(&mut page, "Error by tensor, twin against golden");
        for width in distinct(r.tensors.iter().map(|t| t.width.clone())) {
            let rows: Vec<_> = r.tensors.iter().filter(|t| t.width == width).collect();
            let labels: Vec<_> = rows.iter().map(|t| t.name.replace("layers.", "")).collect();
            let values: Vec<_> = rows.iter().map(|t| t.sqnr_db).collect();
            page += &plot::bars(
                &format!("Signal to quantisation noise, {width} bits"),
                "dB",
                &labels,
                &values,
                0.0,
                110.0,
            )?;
        }
        let rows: Vec<_> = r
            .tensors
            .iter()
            .map(|t| {
                vec![
                    t.name.clone(),
                    t.width.clone(),
                    t.format.clone(),
                    format!("{:.3e}", t.max),
                    format!("{:.3e}", t.mean),
                    format!("{:.3e}", t.rms),
                    format!("{:.1}", t.sqnr_db),
                    format!("{:.0}", t.budget_db),
                    t.saturated.to_string(),
                    t.count.to_string(),
                ]
            })
            .collect();
        page += &table(
            &[
                "tensor",
                "width",
                "bits.frac",
                "max",
                "mean",
                "RMS",
                "SQNR dB",
                "budget dB",
                "saturated",
                "values",
            ],
            &rows,
        );
    }
    if let Some(c) = &r.calcium {
        heading(&mut page, "Calcium over one sequence");
        let series: Vec<_> =
            c.s.iter()
                .enumerate()
                .map(|(i, s)| {
                    (
                        format!("s{i}"),
                        c.token.iter().copied().zip(s.iter().copied()).collect(),
                    )
                })
                .collect();
        page += &plot::lines("Write: calcium sums s of one head", "tokens written", "s", &series)?;
        let response = [(
            "C".to_string(),
            c.c.iter().enumerate().map(|(t, &v)| (t as f64, v)).collect(),
        )];
        page += &plot::lines("Read: calcium response C = b·g", "token read", "C", &response)?;
        let g: Vec<_> = c.g.iter().map(|g| format!("{g:.4}")).collect();
        page += &format!("<p>Sealed, g = s<sup>α</sup>: {}</p>\n", escape(&g.join(", ")));
    }
    if !r.phases.is_empty() {
        heading(&mut page, "Use of multiplier slots by phase");
        let labels: Vec<_> = r.phases.iter().map(|p| p.phase.clone()).collect();
        let values: Vec<_> = r
            .phases
            .iter()
            .map(|p| 100.0 * p.used as f64 / p.slots.max(1) as f64)
            .collect();
        page += &plot::bars("Multiplier slots used", "%", &labels, &values, 0.0, 100.0)?;
        let rows: Vec<_> = r
            .phases
            .iter()
            .zip(&values)
            .map(|(p, v)| {
                vec![
                    p.phase.clone(),
                    p.cycles.to_string(),
                    p.used.to_string(),
                    p.slots.to_string(),
                    format!("{v:.1}"),
                ]
            })
            .collect();
        page += &table(&["phase", "cycles", "multiplications", "slots", "%"], &rows);
    }
    for c in &r.cells {
        heading(&mut page, &format!("Cells: {}", escape(&c.target)));
        let labels: Vec<_> = c.cells.keys().cloned().collect();
        let values: Vec<_> = c.cells.values().map(|&n| n as f64).collect();
        let top = values.iter().copied().fold(1.0, f64::max);
        page += &plot::bars(
            &format!("{}, {}", c.target, c.tool),
            "cells",
            &labels,
            &values,
            0.0,
            top * 1.05,
        )?;
        page += &table(
            &["cell", "count"],
            &c.cells
                .iter()
                .map(|(k, v)| vec![k.clone(), v.to_string()])
                .collect::<Vec<_>>(),
        );
    }
    if !r.training.is_empty() {
        heading(&mut page, "Training");
        let loss = r.training.iter().map(|t| (t.step as f64, t.loss)).collect();
        page += &plot::lines("Loss", "step", "cross-entropy", &[("loss".to_string(), loss)])?;
        let validation: Vec<_> = r
            .training
            .iter()
            .filter_map(|t| t.validation.map(|v| (t.step as f64, v)))
            .collect();
        if !validation.is_empty() {
            page += &plot::lines(
                "Validation accuracy",
                "step",
                "%",
                &[("validation".to_string(), validation)],
            )?;
        }
    }
    if !r.measures.is_empty() {
        heading(&mut page, "Measured");
        let rows: Vec<_> = r
            .measures
            .iter()
            .map(|m| vec![m.what.clone(), number(m.value), m.unit.clone(), m.goal.clone()])
            .collect();
        page += &table(&["what", "value", "unit", "goal"], &rows);
    }
    if !r.stages.is_empty() {
        heading(&mut page, "Wall time");
        page += &table(
            &["stage", "seconds"],
            &r.stages
                .iter()
                .map(|s| vec![s.stage.clone(), format!("{:.1}", s.seconds)])
                .collect::<Vec<_>>(),
        );
    }
    for note in &r.notes {
        page += &format!("<p><em>{}</em></p>\n", escape(note));
    }
    Ok(page + "</body></html>\n")
}

fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
