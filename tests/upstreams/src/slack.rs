//! The fake Slack: a workspace with two channels that keeps what is posted.
//!
//! `POST /api/<method>` with `Authorization: Bearer <token>`, for the methods `chat.postMessage`,
//! `conversations.history` and `conversations.replies`. As with the real one an error is an answer
//! of 200 with `"ok": false`; only too many requests are 429. What a fresh one holds is listed in
//! [`ids`].
//!
//! * `endpoint` is the HTTP side: who may ask, what a body may be;
//! * `workspace` keeps channels and messages;
//! * `error` has Slack's refusals.
//!
//! A token that was accepted with scopes needs `chat:write` to post and `channels:history` to read.

mod endpoint;
mod error;
pub mod ids;
mod workspace;

use std::io;

use crate::{
    AuthorizationForm, FakeOptions, FakeUpstream, credential::Credential, upstream::Vendor,
};

const ACCEPTED_FORMS: &[AuthorizationForm] = &[AuthorizationForm::Bearer];

/// Starts fake Slacks.
#[derive(Debug)]
pub struct FakeSlack;

impl FakeSlack {
    /// Binds the port and serves.
    pub async fn start(options: FakeOptions) -> io::Result<FakeUpstream> {
        let credential = Credential::new(options.token, ACCEPTED_FORMS);
        let vendor = Vendor {
            routes: endpoint::router(credential.clone(), options.time),
            rate_limited: Box::new(error::rate_limited),
            refused: error::refused,
            credential,
        };
        FakeUpstream::start(options.port, vendor).await
    }
}
