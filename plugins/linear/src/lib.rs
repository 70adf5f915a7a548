//! Linear for Portcullis: issues and comments.
//!
//! * [`issues`] and [`comments`] have the actions, one file each;
//! * [`api`] knows how Linear answers and fails, `team` how teams are named;
//! * [`documents`] are the GraphQL operations in `graphql/`, [`model`] what their answers hold.
//!
//! To add an action: write its document, add it to `documents`, write the function in a file beside
//! the others, and list it below.

pub mod api;
pub mod comments;
pub mod documents;
pub mod issues;
pub mod model;
mod team;

#[cfg(test)]
mod answers;
#[cfg(test)]
mod fixtures;

use portcullis_sdk::prelude::*;

use crate::{
    comments::add_comment,
    issues::{create_issue, get_issue, list_issues, update_issue},
};

/// A key works at once, while OAuth needs a client: so the key comes first.
const CONNECTION_TYPES: &[ConnectionType] = &[ConnectionType::ApiKey, ConnectionType::Oauth2];

/// The OAuth scopes that the actions need.
const SCOPES: &[&str] = &["read", "write"];

provider! {
    id: "linear",
    name: "Linear",
    description: "Finds, reads, creates and changes issues in Linear, and comments on them.",
    connections: [
        Connection::org(CONNECTION_TYPES).scopes(SCOPES).preset("linear"),
        Connection::user(CONNECTION_TYPES).scopes(SCOPES).preset("linear").optional(),
    ],
    endpoints: [
        Endpoint::new(api::ENDPOINT, "https://api.linear.app")
            .routes(&[Route::post(api::PATH)])
            .credentials(&[
                (ConnectionType::ApiKey, CredentialForm::Raw),
                (ConnectionType::Oauth2, CredentialForm::Bearer),
            ]),
    ],
    guide: include_str!("../guide.md"),
    actions: [list_issues, get_issue, create_issue, update_issue, add_comment],
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
                ("create_issue", Risk::Write),
                ("update_issue", Risk::Write),
                ("add_comment", Risk::Write),
            ],
        );
    }
}
