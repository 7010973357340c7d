//! One error type for the model crate: it names the file or field, what was expected and what was found.

/// Everything that can be wrong with a specification, a tensor file or an input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of a specification, image or data set has a value that cannot be.
    #[error("{field}: expected {expected}, found {found}")]
    Field {
        /// Full name of the field, as the user wrote it (`model.attention.alpha`).
        field: String,
        /// What would have been accepted.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A file could not be read, written or understood.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Expected and found, in words.
        reason: String,
    },
}

/// Result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A [`Error::Field`] from anything printable.
    pub fn field(field: impl Into<String>, expected: impl Into<String>, found: impl std::fmt::Display) -> Self {
        Error::Field {
            field: field.into(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// A [`Error::File`] from a path and a reason.
    pub fn file(path: impl AsRef<std::path::Path>, reason: impl std::fmt::Display) -> Self {
        Error::File {
            path: path.as_ref().display().to_string(),
            reason: reason.to_string(),
        }
    }
}
