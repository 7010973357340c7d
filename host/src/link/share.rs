//! Several boards at one list of sequences: each takes the next when it has room; what a board that dies could not finish, the others do.

use super::device::{Device, Item, Work};
use super::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

struct State {
    todo: VecDeque<Item>,
    /// Taken and neither done nor back.
    out: usize,
    results: Vec<Option<Vec<i32>>>,
    done: usize,
    /// Boards still at work.
    alive: usize,
}

struct Shared<'a> {
    state: Mutex<State>,
    changed: Condvar,
    progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl Shared<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// What one board sees of the list.
struct View<'a> {
    shared: &'a Shared<'a>,
    done: usize,
}

impl Work for View<'_> {
    fn next(&mut self, wait: bool) -> Option<Item> {
        let mut state = self.shared.lock();
        loop {
            if let Some(item) = state.todo.pop_front() {
                state.out += 1;
                return Some(item);
            }
            // What others have out may come back.
            if !wait || state.out == 0 {
                return None;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
    }

    fn done(&mut self, item: Item, outputs: Vec<i32>) {
        let mut state = self.shared.lock();
        state.results[item.number] = Some(outputs);
        (state.out, state.done) = (state.out - 1, state.done + 1);
        self.done += 1;
        (self.shared.progress)(state.done, state.results.len());
        self.shared.changed.notify_all();
    }

    fn back(&mut self, item: Item) {
        let mut state = self.shared.lock();
        state.todo.push_front(item);
        state.out -= 1;
        self.shared.changed.notify_all();
    }
}

/// What one board did.
pub struct Share {
    /// The board.
    pub name: String,
    /// Sequences it finished.
    pub done: usize,
    /// Why it did not go on.
    pub error: Option<Error>,
}

/// Runs inputs, each with the number of its outputs, on all devices at once. An error only if there is a sequence that none could finish: that of the last device to go.
pub fn share<D: Device + Send>(
    devices: &mut [D],
    inputs: Vec<(Vec<i32>, usize)>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Vec<Vec<i32>>, Vec<Share>)> {
    let number = |(number, (input, outputs))| Item { number, input, outputs };
    let shared = Shared {
        state: Mutex::new(State {
            out: 0,
            results: vec![None; inputs.len()],
            done: 0,
            todo: inputs.into_iter().enumerate().map(number).collect(),
            alive: devices.len(),
        }),
        changed: Condvar::new(),
        progress,
    };
    let mut shares: Vec<(Share, bool)> = std::thread::scope(|scope| {
        let shared = &shared;
        let workers: Vec<_> = devices
            .iter_mut()
            .map(|device| {
                scope.spawn(move || {
                    let mut view = View { shared, done: 0 };
                    let error = device.run(&mut view).err();
                    let mut state = shared.lock();
                    state.alive -= 1;
                    let last = state.alive == 0;
                    shared.changed.notify_all();
                    let share = Share {
                        name: device.name(),
                        done: view.done,
                        error,
                    };
                    (share, last)
                })
            })
            .collect();
        let join = |w: std::thread::ScopedJoinHandle<'_, _>| w.join().unwrap_or_else(|p| std::panic::resume_unwind(p));
        workers.into_iter().map(join).collect()
    });
    let state = shared.state.into_inner().unwrap_or_else(|e| e.into_inner());
    let (all, results) = (
        state.results.len(),
        state.results.into_iter().flatten().collect::<Vec<_>>(),
    );
    if results.len() == all {
        return Ok((results, shares.into_iter().map(|(share, _)| share).collect()));
    }
    shares.sort_by_key(|(_, last)| !last);
    let error = shares.into_iter().find_map(|(share, _)| share.error);
    Err(error.unwrap_or_else(|| {
        let found = format!("{} of {all}", results.len());
        Error::Model(astromorph::Error::field("sequences", "all of them finished", found))
    }))
}
