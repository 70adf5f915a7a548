//! The fake Sentry: one organization with a project, whose issues can be listed, changed and
//! commented on.
//!
//! `/api/0/organizations/{organization}/issues/…` with `Authorization: Bearer <token>`. What a fresh
//! one holds is listed in [`ids`]; changes and comments are kept until it stops.
//!
//! * `endpoint` has the routes and who may use them, `page` the cursors, `error` the refusals,
//!   `quota` the headers of what is left;
//! * `tracker` keeps the records and changes them, `search` finds them, `seed` fills a new one;
//! * `shapes` writes them as Sentry does.
//!
//! A token that was accepted with scopes needs `event:read` to read, and `event:write` to change and
//! to comment. What the real one has and the fake lacks (a parameter, a term of a search) is refused
//! with 400, so that nothing is ever silently ignored.

mod endpoint;
mod error;
pub mod ids;
mod page;
mod quota;
mod search;
mod seed;
mod shapes;
mod tracker;

use std::io;

use crate::{
    AuthorizationForm, FakeOptions, FakeUpstream, credential::Credential, upstream::Vendor,
};

const ACCEPTED_FORMS: &[AuthorizationForm] = &[AuthorizationForm::Bearer];

/// Starts fake Sentries.
#[derive(Debug)]
pub struct FakeSentry;

impl FakeSentry {
    /// Binds the port and serves.
    pub async fn start(options: FakeOptions) -> io::Result<FakeUpstream> {
        let credential = Credential::new(options.token, ACCEPTED_FORMS);
        let vendor = Vendor {
            routes: endpoint::router(credential.clone(), options.time, options.clock.clone()),
            rate_limited: Box::new(move |wait| error::rate_limited(&options.clock, wait)),
            refused: error::refused,
            credential,
        };
        FakeUpstream::start(options.port, vendor).await
    }
}
