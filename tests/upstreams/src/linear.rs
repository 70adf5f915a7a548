//! The fake Linear: a GraphQL server with state, in the shapes of Linear's published schema.
//!
//! `POST /graphql` with `Authorization: <token>` or `Authorization: Bearer <token>`. What a fresh
//! one holds is listed in [`ids`]; created issues and comments are kept until it stops.
//!
//! * `schema` has the GraphQL types and operations, `filter` the filter inputs, `page` the
//!   connections, `scalars` times and dates;
//! * `workspace` keeps the records, `writes` changes them, `seed` fills a new one;
//! * `endpoint` is the HTTP side: authentication and statuses, `quota` the headers of what is left;
//! * `error` has Linear's error shapes.
//!
//! A test compares the schema with Linear's own, so a field that Linear does not have cannot creep
//! in. What is offered is a part of what Linear has: add to it what a plugin needs.

mod endpoint;
mod error;
mod filter;
pub mod ids;
mod page;
mod quota;
mod scalars;
mod schema;
mod seed;
mod workspace;
mod writes;

use std::io;

use crate::{
    AuthorizationForm, FakeOptions, FakeUpstream, TimeSource, credential::Credential,
    upstream::Vendor,
};

const ACCEPTED_FORMS: &[AuthorizationForm] = &[AuthorizationForm::Raw, AuthorizationForm::Bearer];

/// Starts fake Linears.
#[derive(Debug)]
pub struct FakeLinear;

impl FakeLinear {
    /// Binds the port and serves.
    pub async fn start(options: FakeOptions) -> io::Result<FakeUpstream> {
        let credential = Credential::new(options.token, ACCEPTED_FORMS);
        let vendor = Vendor {
            routes: endpoint::router(credential.clone(), options.time, options.clock.clone()),
            rate_limited: Box::new(move |wait| endpoint::rate_limited(&options.clock, wait)),
            refused: endpoint::refused,
            credential,
        };
        FakeUpstream::start(options.port, vendor).await
    }

    /// The schema it serves, in GraphQL's schema language.
    pub fn schema_sdl() -> String {
        schema::build(schema::SharedWorkspace::default(), TimeSource::default()).sdl()
    }
}
