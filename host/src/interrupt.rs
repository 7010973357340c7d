//! Ctrl-C: the first one asks long work to stop at its next safe point, the second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler; harmless when called twice.
pub fn install() {
    // The only error is "already installed".
    let _ = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// The flag itself, for workers that poll it.
pub fn flag() -> &'static AtomicBool {
    &REQUESTED
}
