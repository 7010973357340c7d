//! Shared fixtures of the outside tests.
