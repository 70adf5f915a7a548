//! Sentry for Portcullis: issues, their events, and comments.
//!
//! * [`issues`], [`events`] and [`comments`] have the actions, one file each;
//! * [`api`] knows Sentry's addresses and rate limits;
//! * [`model`] and [`events`] hold what answers are trimmed to.
//!
//! To add an action: write the function in a file beside the others, and list it below.

pub mod api;
pub mod comments;
pub mod events;
pub mod issues;
pub mod model;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod fixtures;

use portcullis_sdk::prelude::*;

use crate::{
    comments::add_comment,
    events::{get_event, list_issue_events},
    issues::{get_issue, list_issues, update_issue},
};

/// A token works at once, while OAuth needs a client: so the token comes first.
const CONNECTION_TYPES: &[ConnectionType] = &[ConnectionType::ApiKey, ConnectionType::Oauth2];

/// The OAuth scopes that the actions need.
const SCOPES: &[&str] = &["org:read", "event:read", "event:write"];

provider! {
    id: "sentry",
    name: "Sentry",
    description: "Finds and reads issues and their events in Sentry, changes issues, and comments on them.",
    connections: [
        Connection::org(CONNECTION_TYPES).scopes(SCOPES).preset("sentry"),
        Connection::user(CONNECTION_TYPES).scopes(SCOPES).preset("sentry").optional(),
    ],
    endpoints: [
        Endpoint::new(api::ENDPOINT, "https://sentry.io")
            .routes(&[
                Route::get(api::ORGANIZATIONS),
                Route::post(api::ORGANIZATIONS),
                Route::put(api::ORGANIZATIONS),
            ])
            .credentials(&[
                (ConnectionType::ApiKey, CredentialForm::Bearer),
                (ConnectionType::Oauth2, CredentialForm::Bearer),
            ]),
    ],
    guide: include_str!("../guide.md"),
    actions: [list_issues, get_issue, list_issue_events, get_event, update_issue, add_comment],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_keeps_the_contracts_rules() {
        portcullis_sdk::testing::check(PROVIDER);
    }

    #[test]
    fn reads_are_allowed_by_default_and_writes_are_not() {
        let risks: Vec<_> = PROVIDER
            .actions
            .iter()
            .map(|action| (action.id, action.risk))
            .collect();

        assert_eq!(
            risks,
            [
                ("list_issues", Risk::Read),
                ("get_issue", Risk::Read),
                ("list_issue_events", Risk::Read),
                ("get_event", Risk::Read),
                ("update_issue", Risk::Write),
                ("add_comment", Risk::Write),
            ],
        );
    }
}
