//! A grid that is larger than one machine, as a `Snakefile`: a rule a cell, which calls this program, and the table behind them all.
//!
//! Snakemake (Mölder et al. 2021) spreads the rules over a cluster; cells are found where they are put, so the last rule makes the table of them.

use super::definition::{Definition, Job};

/// The file's text. `program` is how the program is called, `options` what every call has besides.
pub fn snakefile(name: &str, definition: &Definition, jobs: &[Job], program: &str, options: &str) -> String {
    let cells: Vec<String> = jobs.iter().map(|job| job.name(definition)).collect();
    let list: String = cells.iter().map(|cell| format!("    {cell:?},\n")).collect();
    format!(
        "# {}: `snakemake --cores N` in this folder, or with a profile of a cluster. Written by `astromorph experiment {name} --snakemake`.\n\
         CELLS = [\n{list}]\n\n\
         rule table:\n    input: expand(\"cells/{{cell}}.json\", cell=CELLS)\n    output: \"table.json\", \"table.md\", \"times.json\", \"page.html\"\n    \
         shell: {:?}\n\n\
         rule cell:\n    output: \"cells/{{cell}}.json\"\n    shell: {:?}\n",
        definition.title,
        format!("{program} experiment {name} {options} --out ."),
        format!("{program} experiment {name} {options} --out . --cell {{wildcards.cell}}")
    )
}
