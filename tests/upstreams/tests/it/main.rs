//! The fakes over real sockets, as the gateway and the demo meet them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may stop at the first surprise like the tests do"
)]

mod access;
mod conformance;
mod control;
mod faults;
mod lifecycle;
mod mutations;
mod queries;
mod sentry;
mod slack;
mod support;
