//! End-to-end tests, one file for each capability.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod admission;
mod bad_input;
mod callers;
mod cargo_component;
mod invoking;
mod layers;
mod lifecycle;
mod managing;
mod modes;
mod outages;
mod plugins;
mod secrets;
mod upstream_faults;
