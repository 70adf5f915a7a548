//! The sandbox with real components in it.
//!
//! Most of them is the probe, built from `tests/guests`: one provider whose
//! actions each show one behaviour. What no compiler would make is written by
//! hand ([`harness::OddGuest`]). Each test has a sandbox of its own. What is hostile
//! among it has a row in [`behaviours`].

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may stop at the first surprise like the tests do"
)]

mod answers;
mod behaviours;
mod catalog;
mod concurrency;
mod cpu;
mod crashes;
mod deadline;
mod describing;
mod encodings;
mod handles;
mod harness;
mod honest;
mod large;
mod limits;
mod linear;
mod loading;
mod logging;
mod memory;
mod midway;
mod odd_guests;
mod outbound;
mod places;
mod schemas;
mod sizes;
mod smuggled_queries;
mod smuggling;
mod token;
mod usage;
mod versions;
mod waiting;
mod wasi;
