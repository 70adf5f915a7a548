//! Fuzz targets: what the gateway reads of others.
//!
//! A [`Target`] takes any bytes and panics when a promise is broken, which is what
//! every fuzzing engine asks for. Here proptest makes the bytes and shrinks those
//! that broke something: it runs on stable, and a seed repeats the whole run, so
//! that `cargo test` does not depend on luck. (Bolero's default engine draws a new
//! seed for each run.)
//!
//! Each target begins with its [`corpus`], as it is and then changed a little.
//! `tests/targets.rs` runs each target for a moment, `cargo xtask fuzz` as long as
//! it is told to, `cargo xtask soak` for an hour. To add one, write a function in
//! `targets/` and name it in [`TARGETS`]; what breaks a promise becomes a file of
//! its corpus, and stays there.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a broken promise is told by a panic"
)]

mod campaign;
pub mod corpus;
mod inputs;
mod json;
mod run;
mod seed;
mod targets;

pub use campaign::Campaign;
pub use run::{Broken, Ended, Until, run};
pub use seed::any_seed;
pub use targets::{TARGETS, Target};
