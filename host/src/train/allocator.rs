//! Memory that is given back to the system is paid for again at the next step.
//!
//! Every tensor operation allocates its result, megabytes at a time; an allocator that returns such blocks turns each into page faults, measured at a
//! third of a training step. A program that trains sets mimalloc as its global allocator and calls [`keep_memory`] first thing in `main`:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
//! astromorph_host::train::allocator::keep_memory();
//! ```

/// mimalloc's option "purge delay" in its stable list of options (`mi_option_purge_delay`, the same in versions 2 and 3).
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Tells mimalloc never to return memory to the system. Without effect where mimalloc is not the global allocator.
pub fn keep_memory() {
    // SAFETY: the call stores a number in a table of options; the index is a valid option of the linked version, and any value is.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) }
}
