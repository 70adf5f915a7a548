//! The harness of the end-to-end tests.
//!
//! [`TestHost`] is a gateway as it is served: real SQLite in a folder of its
//! own, or a Postgres database of its own, the real Linear component in the real
//! sandbox, fake vendors on real sockets, and a clock that the test moves.
//! [`TestHostBuilder::all_providers`] adds Sentry and Slack. Requests go straight
//! to the router; a listener appears only in tests in which the socket matters.
//!
//! Every credential is a [`canary()`], and whatever a host answers, logs, counts and
//! keeps is searched for them: a test that leaks one fails, whatever it is about.
//!
//! ```no_run
//! # async fn example() {
//! use portcullis_tests::TestHost;
//! use serde_json::json;
//!
//! let host = TestHost::start().await;
//! let answer = host.invoke("list_issues", json!({ "first": 2 })).await;
//! assert_eq!(answer.status, 200);
//! # }
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod agent;
mod answer;
mod balancer;
mod builder;
mod clock;
mod clocked;
mod component;
mod dump;
mod host;
mod log;
mod provider;
mod served;
mod watched;
mod wire;

pub use agent::Agent;
pub use answer::Answer;
pub use balancer::Balancer;
pub use builder::{TestHostBuilder, test_config};
pub use clock::ManualClock;
pub use component::{
    LinearVersion, ProbeVersion, compile_worker, linear_component, plugins_directory,
    probe_component,
};
pub use host::{TestHost, bearer, call, call_of, token_of};
pub use log::{capture_no_log, captured_lines_with, captured_log};
pub use portcullis_test_canary::canary;
pub use portcullis_test_postgres::Dump;
pub use provider::{Provider, Upstreams};
pub use served::Served;
pub use wire::{Wire, post_head};

/// The organization every host starts with.
pub const ORG: &str = "acme";
/// An admin of it.
pub const ADMIN: &str = "ada";
/// A member of it.
pub const MEMBER: &str = "max";
/// The operator's key.
pub const OPERATOR_KEY: &str = canary!("operator-key-for-tests-");
/// The master key.
pub const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
/// The credential of the connection to Linear: what must never show up anywhere.
pub const LINEAR_TOKEN: &str = canary!("lin_api_");
