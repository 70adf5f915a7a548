//! The way in over HTTP.
//!
//! Handlers extract, call one use case, and answer; the shapes and statuses are
//! those of the contract. `router` is the table of contents, `objects` has the
//! JSON of what more than one route answers with, and `error` alone knows
//! statuses and codes. A new route is a handler in its resource's file, described
//! with `#[utoipa::path]`, and a line in `router`; `openapi` makes the API's
//! description from them.

mod actions;
mod approvals;
mod automations;
mod callers;
mod connections;
mod decisions;
mod definitions;
mod drift;
mod egress_grants;
mod error;
mod events;
mod explain;
mod extract;
mod health;
mod invocations;
mod invoke;
mod listen;
mod members;
mod metrics;
mod modes;
mod names;
mod objects;
mod openapi;
mod orgs;
mod plugins;
mod request;
mod results;
mod reviews;
mod router;
mod sessions;
mod tokens;

pub(crate) use listen::listen;
pub use router::router;
