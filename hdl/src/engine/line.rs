//! The model of a pipeline: values that come out a fixed number of edges later, and whether anything still moves inside.
//!
//! ```
//! use astromorph_hdl::engine::line::Line;
//! let mut line = Line::new(3, 0);
//! assert_eq!([5, 6, 7].map(|x| line.push(x).0), [0, 0, 5]);
//! assert_eq!(line.push(7), (6, true)); // the next edge brings out 7
//! assert_eq!(line.push(7), (7, false));
//! ```

/// A ring of the values on their way.
#[derive(Clone, Debug)]
pub struct Line<T> {
    stages: Vec<T>,
    head: usize,
    /// The value taken last, and how many such have come in a row. (That the oldest equals the new one says nothing: values may be periodic.)
    latest: T,
    same: usize,
}

impl<T: Copy + PartialEq> Line<T> {
    /// `latency` edges, at least 1; `start` comes out first.
    pub fn new(latency: usize, start: T) -> Self {
        Line {
            stages: vec![start; latency - 1],
            head: 0,
            latest: start,
            same: 0,
        }
    }

    /// One edge: the value that comes out, and whether another edge with the same value may bring out another one.
    #[inline(always)]
    pub fn push(&mut self, x: T) -> (T, bool) {
        let Some(oldest) = self.stages.get_mut(self.head) else {
            return (x, false);
        };
        let out = std::mem::replace(oldest, x);
        self.head = if self.head + 1 == self.stages.len() {
            0
        } else {
            self.head + 1
        };
        self.same = if self.latest == x { self.same + 1 } else { 1 };
        self.latest = x;
        (out, self.same <= self.stages.len())
    }
}
