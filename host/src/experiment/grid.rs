//! Runs the cells of an experiment, several at once, and keeps each as soon as it is done.
//!
//! `OUT/cells/GROUP/ROW/seed-S.json` is a finished cell. `OUT/trained/` holds checkpoints while the run lasts: cells that differ only in what is done
//! with the float model (its widths, a feature map) share one training, whichever comes first. A cell that fails ends the
//! run after those at work have ended; nothing finished is lost, and the same command goes on.

use super::cell::{Cell, fingerprint, measured, thinned};
use super::definition::{Definition, Job};
use crate::cli::Failure;
use crate::data::{self, Dataset};
use crate::interrupt;
use crate::progress::Progress;
use crate::report::save;
use astromorph::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Folder of the checkpoints.
const TRAINED: &str = "trained";
/// Data sets kept in memory: those of cells at work.
const KEPT: usize = 2;

/// Where cells come from and go to.
pub struct Grid<'a> {
    /// The experiment.
    pub definition: &'a Definition,
    /// `--data`.
    pub data: Option<&'a Path>,
    /// Output folder.
    pub out: &'a Path,
    /// Cells at once.
    pub at_once: usize,
}

type Kept = Vec<(String, Arc<Dataset>)>;

/// What cells at work share.
#[derive(Default)]
struct Shared {
    sets: Mutex<Kept>,
    /// One training at a time in each checkpoint.
    trainings: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Grid<'_> {
    /// Removes the checkpoints: nothing is left that would go on from one.
    pub fn finish(&self) -> Result<()> {
        let trained = self.out.join(TRAINED);
        match trained.exists() {
            true => std::fs::remove_dir_all(&trained).map_err(|e| Error::file(&trained, e)),
            false => Ok(()),
        }
    }

    /// Every job's cell, found or made now.
    pub fn run(&self, jobs: &[Job], progress: &Progress) -> std::result::Result<Vec<(Job, Cell)>, Failure> {
        let found: Mutex<Vec<Option<Cell>>> = Mutex::new(vec![None; jobs.len()]);
        let mut pending = Vec::new();
        for (k, job) in jobs.iter().enumerate() {
            let cell = Cell::load(&self.path(job), &fingerprint(job, &self.definition.measures)?)?;
            match cell {
                Some(cell) => lock(&found)[k] = Some(cell),
                None => pending.push(k),
            }
        }
        if pending.len() < jobs.len() {
            progress.say(&format!(
                "{} of {} cells were done before",
                jobs.len() - pending.len(),
                jobs.len()
            ));
        }
        let (next, failed, shared) = (AtomicUsize::new(0), AtomicBool::new(false), Shared::default());
        let errors: Mutex<Vec<Error>> = Mutex::new(Vec::new());
        let work = || {
            while !failed.load(Ordering::Relaxed) && !interrupt::requested() {
                let Some(&k) = pending.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    return;
                };
                match self.one(&jobs[k], &shared, progress) {
                    Ok(Some(cell)) => {
                        let mut found = lock(&found);
                        progress.say(&self.said(&jobs[k], &cell));
                        found[k] = Some(cell);
                        let done = found.iter().flatten().count();
                        progress.at(done, jobs.len(), "cells");
                    }
                    Ok(None) => return,
                    Err(e) => {
                        failed.store(true, Ordering::Relaxed);
                        lock(&errors).push(Error::file(jobs[k].name(self.definition), e));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.at_once.min(pending.len()) {
                scope.spawn(work);
            }
            work();
        });
        progress.finish();
        if let Some(error) = lock(&errors).pop() {
            return Err(error.into());
        }
        let found = found.into_inner().unwrap_or_else(|e| e.into_inner());
        let cells: Option<Vec<Cell>> = found.into_iter().collect();
        match cells {
            Some(cells) => Ok(jobs.iter().cloned().zip(cells).collect()),
            None => Err(Failure::Interrupted(self.out.display().to_string())),
        }
    }

    fn path(&self, job: &Job) -> PathBuf {
        self.out
            .join("cells")
            .join(format!("{}.json", job.name(self.definition)))
    }

    fn one(&self, job: &Job, shared: &Shared, progress: &Progress) -> Result<Option<Cell>> {
        let set = self.dataset(job, &shared.sets, progress)?;
        let path = self.path(job);
        let trained = self.out.join(TRAINED);
        std::fs::create_dir_all(&trained).map_err(|e| Error::file(&trained, e))?;
        let checkpoint = trained.join(format!("{}.safetensors", training(job)?));
        let own = lock(&shared.trainings).entry(checkpoint.clone()).or_default().clone();
        let _held = lock(&own);
        let cell = measured(job, &set, &self.definition.measures, &checkpoint, interrupt::flag())?;
        if let Some(cell) = &cell {
            let text = serde_json::to_string_pretty(cell).map_err(|e| Error::file(&path, e))?;
            save(&path, text.as_bytes())?;
        }
        Ok(cell)
    }

    /// The data set of a project, shared with the cells beside it that read the same.
    fn dataset(&self, job: &Job, kept: &Mutex<Kept>, progress: &Progress) -> Result<Arc<Dataset>> {
        let project = &job.project;
        let m = &project.model;
        let key = format!(
            "{:?} {:?} {:?} {} {:?} {}",
            project.task, m.input, m.output, m.n_max, job.items, project.train.seed
        );
        // Held while it loads: whoever wants the same one waits for it.
        let mut kept = lock(kept);
        if let Some((_, set)) = kept.iter().find(|(k, _)| *k == key) {
            return Ok(set.clone());
        }
        let set = data::load(project, self.data)?;
        progress.say(&set.summary(&project.name));
        let set = Arc::new(thinned(set, job.items));
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((key, set.clone()));
        Ok(set)
    }

    fn said(&self, job: &Job, cell: &Cell) -> String {
        let shown = self.definition.measures.iter().take(2);
        let values = shown.filter_map(|m| Some(format!("{} {:.2}", m.heading(), cell.measures.get(m)?)));
        let values: Vec<String> = values.collect();
        format!(
            "  {}: {} ({:.0} s)",
            job.name(self.definition),
            values.join(", "),
            cell.seconds
        )
    }
}

/// Names the training of a job: everything but what is done with its outcome.
fn training(job: &Job) -> Result<String> {
    let mut job = job.clone();
    job.project.quantize = Default::default();
    (job.options.response, job.options.search, job.threshold) = (None, None, 0.0);
    job.options.name.clear();
    job.options.set.clear();
    fingerprint(&job, &[])
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
