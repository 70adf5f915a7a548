//! Fuzz targets: what the gateway does with JSON that others wrote.
//!
//! A [`Target`] takes any bytes and panics when a promise is broken, which is what
//! every fuzzing engine asks for. Here proptest makes the bytes and shrinks those
//! that broke something: it runs on stable, and a seed repeats the whole run, so
//! that `cargo test` does not depend on luck. (Bolero's default engine draws a new
//! seed for each run.)
//!
//! `tests/targets.rs` runs each target for a moment, `cargo xtask fuzz` as long as
//! it is told to. To add one, write a function in `targets/` and name it in
//! [`TARGETS`].
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a broken promise is told by a panic"
)]

mod json;
mod run;
mod targets;

pub use run::{Ended, Until, run};
pub use targets::{TARGETS, Target};
