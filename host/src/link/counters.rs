//! What a driver counts.

/// What a driver counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Frames sent.
    pub sent: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Answers taken.
    pub answered: u64,
    /// Bytes that came.
    pub bytes_come: u64,
    /// Frames that came and are no answer.
    pub damaged: u64,
    /// Answers to nothing under way.
    pub stale: u64,
    /// Requests that a later answer showed as lost.
    pub overtaken: u64,
    /// Requests whose time was over.
    pub late: u64,
    /// Times the line broke and came back.
    pub reconnects: u64,
    /// Sessions opened.
    pub sessions: u64,
    /// Payload bytes of input words that went anew.
    pub again: u64,
    /// Regions of memory written.
    pub regions: u64,
    /// Checks that found a difference.
    pub differences: u64,
}

impl Counters {
    /// Every count with its name.
    pub fn named(&self) -> Vec<(String, u64)> {
        [
            ("frames sent", self.sent),
            ("bytes sent", self.bytes_sent),
            ("answers", self.answered),
            ("bytes received", self.bytes_come),
            ("frames damaged on their way here", self.damaged),
            ("answers stale", self.stale),
            ("requests overtaken", self.overtaken),
            ("requests late", self.late),
            ("lines opened again", self.reconnects),
            ("sessions", self.sessions),
            ("input bytes sent again", self.again),
            ("blocks written", self.regions),
            ("differences found by checks", self.differences),
        ]
        .map(|(name, count)| (name.to_string(), count))
        .to_vec()
    }
}
