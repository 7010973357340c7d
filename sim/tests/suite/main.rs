//! The simulation crate's own tests: small blocks through every form, and faults that must be caught.

mod address_proofs;
mod blocks;
mod board;
mod cosim;
mod driver;
mod engine_proofs;
mod link;
mod link_proofs;
mod netlists;
mod streams;
mod support;
mod tools;
mod vendor_cells;
mod vendor_engine;
mod vendor_multipliers;
mod vendor_ports;
mod vendor_proofs;
mod vendor_spares;
mod vendor_spram;
mod waves;
