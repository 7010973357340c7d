//! The files of a finished experiment: `table.json`, `table.md`, `times.json`, `page.html`.

use super::cell::Cell;
use super::definition::{Definition, Job};
use super::table::{Table, tables};
use crate::report::{html, plot, save};
use astromorph::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// Rows' curves that a plot can still tell apart.
const CURVES: usize = 10;

/// When and where.
#[derive(Serialize)]
struct Times<'a> {
    /// The command.
    command: &'a str,
    /// Processor and the cores used.
    machine: String,
    /// Cell and seconds.
    cells: Vec<(String, f64)>,
}

/// Writes all files into `folder`; the tables, for a terminal.
pub fn write(
    name: &str,
    definition: &Definition,
    cells: &[(Job, Cell)],
    command: &str,
    folder: &Path,
) -> Result<Vec<Table>> {
    let tables = tables(definition, cells);
    json(&folder.join("table.json"), &tables)?;
    save(&folder.join("table.md"), markdown(definition, &tables).as_bytes())?;
    let times = Times {
        command,
        machine: machine(),
        cells: cells
            .iter()
            .map(|(job, cell)| (job.name(definition), cell.seconds))
            .collect(),
    };
    json(&folder.join("times.json"), &times)?;
    let page = page(name, definition, &tables, &times).map_err(|e| Error::file(folder.join("page.html"), e))?;
    save(&folder.join("page.html"), page.as_bytes())?;
    Ok(tables)
}

fn json(path: &Path, x: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(x).map_err(|e| Error::file(path, e))?;
    save(path, text.as_bytes())
}

/// The processor's name, where the system tells it, and how many of them there are.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    format!("{}, {cores} processors", model.unwrap_or(std::env::consts::ARCH))
}

fn markdown(definition: &Definition, tables: &[Table]) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\nSource: {}\n",
        definition.title, definition.question, definition.source
    );
    for table in tables {
        let (head, rows) = table.grid();
        text += &format!("\n{}\n\n", table.words());
        let mut line = |cells: &[String]| text += &format!("| {} |\n", cells.join(" | "));
        line(&head);
        line(&vec!["---".to_string(); head.len()]);
        rows.iter().for_each(|row| line(row));
    }
    text
}

fn page(name: &str, definition: &Definition, tables: &[Table], times: &Times) -> std::result::Result<String, String> {
    let mut page = html::head(&definition.title);
    let total: f64 = times.cells.iter().map(|(_, seconds)| seconds).sum();
    page += &format!(
        "<p>{}</p>\n<p>Source: {}</p>\n<p><code>{}</code> (experiment {name}); {}; {total:.0} s of cells</p>\n",
        html::escape(&definition.question),
        html::escape(&definition.source),
        html::escape(times.command),
        html::escape(&times.machine)
    );
    for table in tables {
        let (head, rows) = table.grid();
        page += &format!(
            "<h2>{}</h2>\n<p>{}</p>\n",
            html::escape(&table.name),
            html::escape(&table.words())
        );
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        page += &html::table(&head, &rows);
        let curves: Vec<_> = table
            .rows
            .iter()
            .filter(|row| row.curve.len() > 1)
            .take(CURVES)
            .map(|row| (row.name.clone(), row.curve.clone()))
            .collect();
        if !curves.is_empty() {
            page += &plot::lines("Validation accuracy, mean of the seeds", "epoch", "%", &curves)?;
        }
        for row in &table.rows {
            let Some(trace) = &row.trace else { continue };
            let points = |x: &[f64]| x.iter().enumerate().map(|(t, &x)| (t as f64, x)).collect();
            let series = [
                ("astrocyte".to_string(), points(&trace.response)),
                ("softmax normaliser".to_string(), points(&trace.normaliser)),
            ];
            page += &plot::lines(&format!("{}: response to each token", row.name), "token", "", &series)?;
            page += &format!("<p>{}</p>\n", html::escape(&trace.tokens.join(" ")));
        }
        for (c, column) in table.columns.iter().enumerate() {
            let bars = table
                .rows
                .iter()
                .filter_map(|row| Some((row.name.clone(), row.spreads[c]?.mean)));
            let (labels, values): (Vec<String>, Vec<f64>) = bars.filter(|(_, x)| x.is_finite()).unzip();
            let top = values.iter().copied().fold(0.0, f64::max);
            let bottom = values.iter().copied().fold(f64::INFINITY, f64::min);
            if labels.len() > 1 && top > 0.0 && bottom >= 0.0 && top > bottom {
                page += &plot::bars(column.heading(), "", &labels, &values, 0.0, 1.05 * top)?;
            }
        }
    }
    Ok(page + "</body></html>\n")
}
