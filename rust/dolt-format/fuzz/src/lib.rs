//! What is fuzzed, and with which seeds.
//!
//! `tests/fuzz_entry_points.rs` of `dolt-format` runs the same entry points over damaged seeds
//! with a stable compiler. A new target is a function in `entry_points` with its line in
//! `TARGETS`, a file in `fuzz_targets/`, its `[[bin]]`, and its seeds.

pub mod entry_points;
pub mod seeds;
