//! Slack for Portcullis: messages.
//!
//! * [`messages`] has the action;
//! * [`api`] knows how Slack answers and fails.
//!
//! To add an action: write the function in a file of its own, and list it below.

pub mod api;
pub mod messages;

#[cfg(test)]
mod answers;

use portcullis_sdk::prelude::*;

use crate::messages::send_message;

provider! {
    id: "slack",
    name: "Slack",
    description: "Sends messages to channels and threads in Slack.",
    connections: [
        Connection::org(&[ConnectionType::BotToken, ConnectionType::Oauth2])
            .scopes(&["chat:write"])
            .preset("slack"),
    ],
    endpoints: [
        Endpoint::new(api::ENDPOINT, "https://slack.com")
            .routes(&[Route::post(api::POST_MESSAGE)])
            .credentials(&[
                (ConnectionType::BotToken, CredentialForm::Bearer),
                (ConnectionType::Oauth2, CredentialForm::Bearer),
            ]),
    ],
    guide: include_str!("../guide.md"),
    actions: [send_message],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_keeps_the_contracts_rules() {
        portcullis_sdk::testing::check(PROVIDER);
    }

    #[test]
    fn messages_go_out_as_the_organizations_bot_and_wait_for_approval_by_default() {
        let declared: Vec<_> = PROVIDER
            .actions
            .iter()
            .map(|action| (action.id, action.risk, action.credential))
            .collect();

        assert_eq!(declared, [("send_message", Risk::Write, Credential::Org)]);
    }
}
