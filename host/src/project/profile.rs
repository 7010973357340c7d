//! Profiles: named changes to a project, in its own file.
//!
//! | profile of the built-in projects | |
//! |---|---|
//! | (none) | the choices of `docs/training.md`: what a user wants |
//! | `paper` | as arXiv 2312.10925 v3 prints it: norm behind the residual, sigmoid inside, S = 500 D, no absolute positions, and its sizes and training where the task is one of its own |
//! | `small` | fits an iCE40 UP5K (core `up5k-int8`) |
//!
//! `[profile.NAME]` holds the same sections as the file; tables are merged, values replace values. The name becomes `PROJECT-NAME`.
//!
//! ```
//! use astromorph_host::project::Project;
//! let paper = Project::builtin("imdb").unwrap().profile(Some("paper")).unwrap();
//! assert_eq!((paper.model.d_model, paper.model.scale.init, paper.name.as_str()), (128, 64000.0, "imdb-paper")); // S = 500 D
//! let error = Project::builtin("imdb").unwrap().profile(Some("big")).unwrap_err().to_string();
//! assert_eq!(error, "profile: expected one of paper, small, found big");
//! ```

use super::Project;
use astromorph::{Error, Result};

/// Merges `changes` into `base`: tables go deeper, everything else is replaced.
///
/// ```
/// use astromorph_host::project::profile::merge;
/// let mut base = toml::from_str::<toml::Table>("[train]\nsteps = 9\nbatch = 4").unwrap();
/// merge(&mut base, &toml::from_str("train.steps = 2").unwrap());
/// assert_eq!(base, toml::from_str("[train]\nsteps = 2\nbatch = 4").unwrap());
/// ```
pub fn merge(base: &mut toml::Table, changes: &toml::Table) {
    for (key, value) in changes {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

impl Project {
    /// The project with that profile, or with none; there is nothing left to choose in it.
    pub fn profile(mut self, name: Option<&str>) -> Result<Project> {
        let profiles = std::mem::take(&mut self.profiles);
        let Some(name) = name else {
            return Ok(self);
        };
        let changes = profiles.get(name).ok_or_else(|| {
            let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
            let expected = match names.is_empty() {
                true => "none, for this project has no profiles".into(),
                false => format!("one of {}", names.join(", ")),
            };
            Error::field("profile", expected, name)
        })?;
        let file = format!("profile {name}");
        let mut table = toml::Table::try_from(&self).map_err(|e| Error::file(&file, e))?;
        table.insert("name".into(), format!("{}-{name}", self.name).into());
        merge(&mut table, changes);
        let text = toml::to_string(&table).map_err(|e| Error::file(&file, e))?;
        Project::parse(&file, &text)
    }
}

#[cfg(test)]
mod tests {
    use crate::project::{BUILTIN, Project};

    #[test]
    fn a_profile_that_makes_no_project_is_named() {
        let text = BUILTIN[0].1.to_string() + "\n[profile.broken.model]\nlayers = 0\n";
        let error = Project::parse("f.toml", &text).unwrap_err().to_string();
        assert!(
            error.contains("f.toml") && error.contains("profile broken") && error.contains("layers"),
            "{error}"
        );
    }
}
