//! The folder a project's results live in, and how a verb finds its project.
//!
//! | file under `--out` | content |
//! |---|---|
//! | `model.toml` | the project as it was run |
//! | `vocabulary.json` | words, for text |
//! | `checkpoint.safetensors` | the training's state |
//! | `weights.safetensors` | float weights |
//! | `weights-W.safetensors` | the float weights that the W-bit image was made of |
//! | `image-W.safetensors` | the integer image of W-bit operands |
//! | `verilog/` | emitted Verilog and netlists |
//! | `waves/` | waveforms |
//! | `report.json`, `report.html` | what `run` found; other verbs report in `VERB/` |

use super::{Choice, Common};
use crate::data::{self, Dataset, Vocabulary};
use crate::progress::Progress;
use crate::project::Project;
use crate::report::save;
use astromorph::image::Image;
use astromorph::weights::Weights;
use astromorph::{Error, Result};
use std::path::{Path, PathBuf};

/// A project with its folder.
pub struct Workspace {
    /// The project, with the seed of the command line.
    pub project: Project,
    /// Where results go.
    pub out: PathBuf,
    /// Where the data set is.
    pub data: Option<PathBuf>,
}

impl Workspace {
    /// The project chosen on the command line; without a choice the one in `--out`, or else the embedded recall task.
    pub fn open(choice: &Choice, common: &Common) -> Result<Workspace> {
        let stored = common
            .out
            .as_ref()
            .map(|out| out.join("model.toml"))
            .filter(|p| p.exists());
        let mut project = match (&choice.task, &choice.model, &stored) {
            (Some(task), _, _) => Project::builtin(task)?,
            (None, Some(file), _) => Project::load(file)?,
            (None, None, Some(file)) => Project::load(file)?,
            (None, None, None) => Project::builtin("recall")?,
        }
        .profile(choice.profile.as_deref())?;
        if let Some(seed) = common.seed {
            project.train.seed = seed;
        }
        let out = common
            .out
            .clone()
            .unwrap_or_else(|| Path::new("out").join(&project.name));
        Ok(Workspace {
            project,
            out,
            data: common.data.clone(),
        })
    }

    /// Keeps the project beside its results; refuses a folder that holds another project's.
    pub fn claim(&self) -> Result<()> {
        let path = self.file("model.toml");
        if path.exists() {
            let stored = Project::load(&path)?;
            if stored != self.project {
                return Err(Error::file(
                    &path,
                    "expected this project, found another one's results; choose another --out or remove the folder",
                ));
            }
            return Ok(());
        }
        save(&path, self.project.to_toml()?.as_bytes())
    }

    /// A file under the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    /// The float weights of the finished training.
    pub fn weights_path(&self) -> PathBuf {
        self.file("weights.safetensors")
    }

    /// The integer image of `width`-bit operands.
    pub fn image_path(&self, width: u32) -> PathBuf {
        self.file(&format!("image-{width}.safetensors"))
    }

    /// Reads the float weights, or says which verb makes them.
    pub fn weights(&self) -> Result<Weights> {
        let path = self.weights_path();
        if !path.exists() {
            return Err(Error::file(
                &path,
                "expected the weights of a finished training, found no file; `astromorph train` makes it",
            ));
        }
        Weights::load(&path, &self.project.model)
    }

    /// Reads the image of the project's own width, or says which verb makes it.
    pub fn image(&self) -> Result<Image> {
        let path = self.image_path(self.project.quantize.activation_bits);
        if !path.exists() {
            return Err(Error::file(
                &path,
                "expected an integer image, found no file; `astromorph quantize` makes it",
            ));
        }
        Image::load(&path)
    }

    /// The data set, with the stored vocabulary when there is one; says how many items were read from where. A generated task needs no `--data`.
    pub fn dataset(&self, progress: &Progress) -> Result<Dataset> {
        let path = self.file("vocabulary.json");
        let stored = match path.exists() && !self.project.task.generated() {
            true => Some(Vocabulary::load(&path)?),
            false => None,
        };
        let new = stored.is_none();
        let set = data::load_with(&self.project, self.data.as_deref(), stored)?;
        if let Some(vocabulary) = set.vocabulary.as_ref().filter(|_| new) {
            vocabulary.save(&path)?;
        }
        progress.say(&set.summary(&self.project.name));
        Ok(set)
    }
}

/// The model in a few words.
pub fn describe(project: &Project) -> String {
    let m = &project.model;
    let plural = |n: usize, word: &str| {
        if n == 1 {
            format!("1 {word}")
        } else {
            format!("{n} {word}s")
        }
    };
    format!(
        "{:?} attention, {:?} order, {}, {}, D = {}, m = {}, e = {}, N ≤ {}, α = {}",
        m.attention,
        m.order,
        plural(m.layers, "layer"),
        plural(m.heads, "head"),
        m.d_model,
        m.features,
        m.values,
        m.n_max,
        m.effective_alpha()
    ) + if project.leaks() {
        "; READS THE WORDS IT PREDICTS: a control, its perplexity is no result"
    } else {
        ""
    }
}
