//! `astromorph experiment NAME`: a table of the papers' claims with their controls, resumed when it was interrupted.

use super::train::command_line;
use super::{Common, Failure, Outcome};
use crate::experiment::definition::{Definition, Job};
use crate::experiment::grid::Grid;
use crate::experiment::{self, page, workflow};
use crate::progress::Progress;
use crate::report::{grid as text_grid, save};
use astromorph::Error;
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `experiment`.
#[derive(Args)]
pub struct Experiment {
    /// Which one: learning-speed, what-attention-does, readings, causality, pieces, calcium, memory, neighbours or precision; or NAME.toml, your own.
    name: String,
    /// Fewer items, steps and seeds: minutes instead of hours, and figures to match.
    #[arg(long)]
    reduced: bool,
    /// Cells at once (default: one a processor).
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// Only this cell (GROUP/ROW/seed-S), and no table: a workflow engine's job.
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// Write OUT/Snakefile with a job a cell instead of running them.
    #[arg(long, conflicts_with = "cell")]
    snakemake: bool,
}

impl Experiment {
    /// Runs what is missing and writes the tables.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        if common.seed.is_some() {
            let expected = "nothing: an experiment's seeds stand in its definition";
            return Err(Error::field("--seed", expected, "a seed").into());
        }
        let (name, definition) = self.definition()?;
        let jobs = definition.jobs(self.reduced)?;
        let out = common.out.clone().unwrap_or_else(|| {
            let reduced = if self.reduced { "-reduced" } else { "" };
            Path::new("out").join("experiments").join(format!("{name}{reduced}"))
        });
        if self.snakemake {
            return self.snakefile(&definition, &jobs, common.data.as_deref(), &out, progress);
        }
        let at_once = self.at_once.unwrap_or_else(rayon::current_num_threads);
        if !(1..=256).contains(&at_once) {
            return Err(Error::field("--at-once", "1 to 256", at_once).into());
        }
        let grid = Grid {
            definition: &definition,
            data: common.data.as_deref(),
            out: &out,
            at_once,
        };
        if let Some(cell) = &self.cell {
            let Some(job) = jobs.iter().find(|job| job.name(&definition) == *cell) else {
                let expected = format!("one of this experiment's, as {}", jobs[0].name(&definition));
                return Err(Error::field("--cell", expected, cell).into());
            };
            grid.run(std::slice::from_ref(job), progress)?;
            return Ok(());
        }
        let cells = grid.run(&jobs, progress)?;
        let tables = page::write(&name, &definition, &cells, &command_line(), &out)?;
        grid.finish()?;
        if common.json {
            let json = serde_json::to_string_pretty(&tables).map_err(|e| Error::file("table.json", e))?;
            println!("{json}");
        } else if !common.quiet {
            for table in &tables {
                let (head, rows) = table.grid();
                let head: Vec<&str> = head.iter().map(String::as_str).collect();
                println!("{}\n{}", table.words(), text_grid(&head, &rows));
            }
            println!("{}", out.join("page.html").display());
        }
        Ok(())
    }

    fn definition(&self) -> Result<(String, Definition), Failure> {
        if !self.name.ends_with(".toml") {
            return Ok((self.name.clone(), experiment::builtin(&self.name)?));
        }
        let path = PathBuf::from(&self.name);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::file(&path, e))?;
        let stem = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok((stem, Definition::parse(&self.name, &text)?))
    }

    fn snakefile(
        &self,
        definition: &Definition,
        jobs: &[Job],
        data: Option<&Path>,
        out: &Path,
        progress: &Progress,
    ) -> Outcome {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let program = std::env::current_exe().map_err(|e| Error::file("this program", e))?;
        let name = match self.name.ends_with(".toml") {
            true => absolute(Path::new(&self.name)).display().to_string(),
            false => self.name.clone(),
        };
        let mut options = String::from(if self.reduced { "--reduced" } else { "" });
        if let Some(data) = data {
            options += &format!(" --data {}", absolute(data).display());
        }
        let text = workflow::snakefile(&name, definition, jobs, &program.display().to_string(), options.trim());
        let path = out.join("Snakefile");
        save(&path, text.as_bytes())?;
        progress.say(&format!("{}: {} cells", path.display(), jobs.len()));
        Ok(())
    }
}
