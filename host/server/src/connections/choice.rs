//! Whose credential goes out.

use portcullis_core::action::CredentialChoice;
use portcullis_core::id::{SourceId, UserId};
use portcullis_storage::Connection;

/// The connection an action uses, out of those a session may use.
///
/// The one place where it is decided whose credential goes out: the
/// organization's for `org`, the session's user's for `user`, and for
/// `prefer-user` the user's if there is one and else the organization's. A
/// connection of another user is never chosen. Of several the oldest.
///
/// Whether the credential still works makes no difference: falling back from a
/// user's refused credential to the organization's would change in whose name
/// an agent acts, without anybody having asked for it.
pub fn choose<'a>(
    connections: &'a [Connection],
    provider: &SourceId,
    choice: CredentialChoice,
    user: Option<&UserId>,
) -> Result<&'a Connection, Missing> {
    let of = |owner: Option<&UserId>| {
        connections.iter().find(|connection| {
            connection.provider == *provider && connection.user_id.as_ref() == owner
        })
    };
    let of_user = || of(Some(user?));
    match (choice, user) {
        (CredentialChoice::Org, _) => of(None).ok_or(Missing::Organizations),
        (CredentialChoice::PreferUser, _) => {
            (of_user().or_else(|| of(None))).ok_or(Missing::Organizations)
        }
        (CredentialChoice::User, Some(_)) => of_user().ok_or(Missing::Users),
        (CredentialChoice::User, None) => Err(Missing::User),
    }
}

/// Why there is no connection for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The session has no connection of the organization.
    Organizations,
    /// The session has no connection of its user.
    Users,
    /// The action acts as the session's user, and there is none.
    User,
}

impl Missing {
    /// What is missing, and what to do about it.
    pub fn message(self, provider: &SourceId) -> String {
        match self {
            Self::Organizations => format!(
                "this session has no {provider} connection that the action may use; \
                 connect {provider} and open a session with the connection's id"
            ),
            Self::Users => format!(
                "the action acts as the session's user, who has no {provider} connection here; \
                 connect {provider} with that `userId` and open a session with the connection's id"
            ),
            Self::User => format!(
                "the action acts as a user, and this session is nobody's; open a session with a \
                 `userId` and the id of that user's {provider} connection"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::id::ConnectionId;
    use portcullis_core::invocation::BaseUrls;
    use portcullis_core::plugin::ConnectionType;
    use portcullis_core::time::Timestamp;
    use portcullis_storage::{ConnectionStatus, Sealed};
    use uuid::Uuid;

    use super::*;

    fn connection(provider: &str, user: Option<&str>) -> Connection {
        Connection {
            id: ConnectionId::new(Uuid::new_v4()),
            organization_id: "acme".parse().unwrap(),
            user_id: user.map(|user| user.parse().unwrap()),
            provider: provider.parse().unwrap(),
            credential_type: ConnectionType::ApiKey,
            sealed_credential: Sealed {
                key_id: String::new(),
                bytes: Vec::new(),
            },
            base_urls: BaseUrls::new(),
            status: ConnectionStatus::Active,
            version: 1,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
        }
    }

    fn choose_for<'a>(
        connections: &'a [Connection],
        choice: CredentialChoice,
        user: Option<&str>,
    ) -> Result<&'a Connection, Missing> {
        let user: Option<UserId> = user.map(|user| user.parse().unwrap());
        choose(
            connections,
            &"linear".parse().unwrap(),
            choice,
            user.as_ref(),
        )
    }

    #[test]
    fn whose_connection_is_used() {
        use CredentialChoice::{Org, PreferUser, User};
        let connections = [
            connection("slack", None),
            connection("linear", Some("bob")),
            connection("linear", None),
            connection("linear", Some("alice")),
        ];
        for (choice, user, expected) in [
            (Org, None, Ok(2)),
            (Org, Some("alice"), Ok(2)),
            (User, Some("alice"), Ok(3)),
            (User, Some("carol"), Err(Missing::Users)),
            (User, None, Err(Missing::User)),
            (PreferUser, Some("alice"), Ok(3)),
            (PreferUser, Some("carol"), Ok(2)),
            (PreferUser, None, Ok(2)),
        ] {
            let chosen = choose_for(&connections, choice, user).map(|connection| connection.id);
            let expected = expected.map(|index: usize| connections[index].id);
            assert_eq!(chosen, expected, "{choice} for {user:?}");
        }
    }

    #[test]
    fn another_users_connection_is_never_used() {
        let only_bobs = [connection("linear", Some("bob"))];
        for choice in CredentialChoice::ALL {
            choose_for(&only_bobs, *choice, Some("alice")).unwrap_err();
            choose_for(&only_bobs, *choice, None).unwrap_err();
        }
    }

    #[test]
    fn a_refused_credential_does_not_change_in_whose_name_an_agent_acts() {
        let refused = Connection {
            status: ConnectionStatus::NeedsReauth,
            ..connection("linear", Some("alice"))
        };
        let connections = [connection("linear", None), refused];
        let chosen = choose_for(&connections, CredentialChoice::PreferUser, Some("alice"));
        assert_eq!(chosen.unwrap().id, connections[1].id);
    }
}
