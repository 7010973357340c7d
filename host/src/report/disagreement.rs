//! Answers of the test set that two forms do not share, one by one.

use serde::{Deserialize, Serialize};

/// One answer that two forms do not share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// A form.
    pub left: String,
    /// Another one.
    pub right: String,
    /// Number of the sequence in the test set.
    pub item: usize,
    /// Row of its logits.
    pub row: usize,
    /// Classes: what `left` says, what `right` says, and what is right, where that is asked.
    pub says: (usize, usize),
    /// The target's class.
    pub target: Option<u32>,
}

/// Heads of the columns of [`Disagreement::cells`].
pub(super) const HEAD: [&str; 6] = ["disagreement", "sequence", "row", "first says", "second says", "right"];

impl Disagreement {
    /// A row of a table.
    pub(super) fn cells(&self) -> Vec<String> {
        vec![
            format!("{} ≠ {}", self.left, self.right),
            self.item.to_string(),
            self.row.to_string(),
            self.says.0.to_string(),
            self.says.1.to_string(),
            self.target.map_or("-".into(), |t| t.to_string()),
        ]
    }
}
