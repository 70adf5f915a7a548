//! Fake vendors: local servers that speak a vendor's wire format and keep its state in memory.
//!
//! They stand in for the real services in tests, in the demo and in benchmarks. A fake binds the
//! loopback address, needs no network and gives the same ids and times on every run.
//!
//! * [`upstream`] is what all fakes share: serving, the record of what was received, faults,
//!   holding requests back;
//! * [`fault`] lists the ways in which a fake can misbehave;
//! * [`linear`], [`sentry`] and [`slack`] are the vendors, [`notes`] is one for examples.
//!
//! To add a vendor, write a module with its routes and its ways of refusing, and hand them to
//! [`upstream`]; the `/__…` routes, the record and the faults come with it.
//!
//! Every fake answers, besides its vendor's routes:
//!
//! | route | answer |
//! | --- | --- |
//! | `GET /__requests` | an array of what was received, oldest first; see [`RecordedRequest`] |
//! | `GET /__fault` | `{"fault": …}`, the active fault or `null` |
//! | `POST /__fault` | sets the fault in the body and answers like `GET`; see [`Fault`] |
//!
//! For example `{"kind":"status","status":503,"count":2}` for the next two requests, and
//! `{"kind":"reset"}` to behave again.

mod credential;
pub mod fault;
mod gate;
mod journal;
mod json;
pub mod linear;
pub mod notes;
mod options;
pub mod sentry;
pub mod slack;
mod time;
pub mod upstream;

pub use credential::AuthorizationForm;
pub use fault::{ActiveFault, Fault};
pub use gate::Gate;
pub use journal::RecordedRequest;
pub use linear::FakeLinear;
pub use notes::FakeNotes;
pub use options::FakeOptions;
pub use sentry::FakeSentry;
pub use slack::FakeSlack;
pub use time::TimeSource;
pub use upstream::FakeUpstream;
