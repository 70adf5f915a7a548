//! Connections: the credential of an organization or a user for one provider.

use std::collections::BTreeMap;

use portcullis_core::action::CredentialChoice;
use portcullis_core::id::{ConnectionId, OrganizationId, SourceId, UserId};
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::{ConnectionScope, ConnectionType, PluginDescriptor};
use portcullis_core::redact::Redactor;
use portcullis_runtime::egress::Credential;
use portcullis_storage::{Connection, ConnectionStatus, SealedColumn};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;

use crate::config::Secret;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::vault::Place;

/// A longer credential than any vendor's, JWTs included.
const MAX_CREDENTIAL_BYTES: usize = 16 << 10;

/// A connection to be made.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The provider.
    pub provider: String,
    /// The person it belongs to; `None`: the organization.
    pub user_id: Option<UserId>,
    /// The credential.
    pub token: Secret,
    /// What kind of credential it is; `None`: the likeliest for the provider.
    pub connection_type: Option<ConnectionType>,
    /// Base URLs by endpoint name.
    pub base_urls: GivenBaseUrls,
}

/// Base URLs by endpoint name, as they were given.
pub type GivenBaseUrls = BTreeMap<String, String>;

/// The connection an action uses, out of those a session may use.
///
/// The one place where it is decided whose credential goes out: the
/// organization's for `org`, the session's user's for `user`, and for
/// `prefer-user` the user's if there is one. A connection of another user is
/// never chosen. Of several the oldest.
pub fn select<'a>(
    connections: &'a [Connection],
    provider: &SourceId,
    choice: CredentialChoice,
    user: Option<&UserId>,
) -> Option<&'a Connection> {
    let of = |owner: Option<&UserId>| {
        connections.iter().find(|connection| {
            connection.provider == *provider && connection.user_id.as_ref() == owner
        })
    };
    let of_user = || user.and_then(|user| of(Some(user)));
    match choice {
        CredentialChoice::Org => of(None),
        CredentialChoice::User => of_user(),
        CredentialChoice::PreferUser => of_user().or_else(|| of(None)),
    }
}

/// Makes a connection.
pub async fn create(
    gateway: &Gateway,
    organization: &OrganizationId,
    new: NewConnection,
) -> Result<Connection, Error> {
    let provider: SourceId = new
        .provider
        .parse()
        .map_err(|_| unknown_provider(&new.provider))?;
    let plugin = gateway
        .sources
        .plugin(&provider)
        .ok_or_else(|| unknown_provider(&new.provider))?;
    let descriptor = plugin.descriptor();
    let credential_type = credential_type(descriptor, &new)?;
    let base_urls = parse_base_urls(descriptor, &new.base_urls)?;
    check_token(&new.token)?;
    let id = ConnectionId::new(Uuid::new_v4());
    let now = gateway.clock.now();
    let connection = Connection {
        id,
        organization_id: organization.clone(),
        user_id: new.user_id,
        provider,
        credential_type,
        sealed_credential: seal(gateway, organization, id, &new.token)?,
        base_urls,
        status: ConnectionStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut work = gateway.storage.write().await?;
    work.connections().add(&connection).await?;
    work.save().await?;
    tracing::info!(connectionId = %id, organizationId = %organization, "connection made");
    Ok(connection)
}

/// An organization's connections.
pub async fn list(
    gateway: &Gateway,
    organization: &OrganizationId,
) -> Result<Vec<Connection>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.connections().list(organization).await?)
}

/// Replaces the credential, and the base URLs where some are given.
pub async fn rotate(
    gateway: &Gateway,
    organization: &OrganizationId,
    id: ConnectionId,
    token: &Secret,
    base_urls: Option<GivenBaseUrls>,
) -> Result<Connection, Error> {
    check_token(token)?;
    let sealed = seal(gateway, organization, id, token)?;
    let mut work = gateway.storage.write().await?;
    let stored = work.connections().find(id, organization).await?;
    let stored = stored.ok_or(Error::NotFound("connection"))?;
    let base_urls = match base_urls {
        Some(urls) => {
            let plugin = gateway
                .sources
                .plugin(&stored.provider)
                .ok_or_else(|| unknown_provider(stored.provider.as_str()))?;
            Some(parse_base_urls(plugin.descriptor(), &urls)?)
        }
        None => None,
    };
    work.connections()
        .rotate(id, organization, &sealed, base_urls, gateway.clock.now())
        .await?;
    let rotated = work.connections().find(id, organization).await?;
    work.save().await?;
    tracing::info!(connectionId = %id, organizationId = %organization, "connection rotated");
    rotated.ok_or(Error::NotFound("connection"))
}

/// Removes a connection; sessions that used it go on without it.
pub async fn remove(
    gateway: &Gateway,
    organization: &OrganizationId,
    id: ConnectionId,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    if !work.connections().remove(id, organization).await? {
        return Err(Error::NotFound("connection"));
    }
    work.save().await?;
    tracing::info!(connectionId = %id, organizationId = %organization, "connection removed");
    Ok(())
}

/// Opens a connection's credential for one call.
pub(crate) fn open_credential(
    gateway: &Gateway,
    connection: &Connection,
) -> Result<Credential, Error> {
    let row = connection.id.to_string();
    let place = place(&row, &connection.organization_id);
    let opened = gateway.vault.open(&place, &connection.sealed_credential)?;
    let token = std::str::from_utf8(&opened)
        .map_err(|_| Error::Internal("a stored credential is not text".to_owned()))?;
    Ok(Credential {
        connection_type: connection.credential_type,
        secret: SecretString::from(token),
    })
}

/// Finds a credential wherever it appears, besides what is secret by its name.
pub(crate) fn redactor(credential: Option<&Credential>) -> Redactor {
    match credential {
        Some(credential) => Redactor::new([credential.secret.expose_secret()]),
        None => Redactor::keys_only(),
    }
}

fn seal(
    gateway: &Gateway,
    organization: &OrganizationId,
    id: ConnectionId,
    token: &Secret,
) -> Result<portcullis_storage::Sealed, Error> {
    let row = id.to_string();
    let place = place(&row, organization);
    Ok(gateway.vault.seal(&place, token.expose().as_bytes())?)
}

fn place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
    Place {
        column: SealedColumn::Credential,
        row,
        organization,
    }
}

fn unknown_provider(provider: &str) -> Error {
    Error::InvalidField {
        path: "/provider".to_owned(),
        rule: "known",
        message: format!(
            "no plugin provides `{}`; GET /v1/plugins lists those that are loaded",
            provider.chars().take(64).collect::<String>()
        ),
    }
}

/// What kind of credential a plain token is: what the caller says, else the
/// likeliest of those the provider takes. A token that was pasted is rather a
/// key or a bot's token than the outcome of an OAuth exchange.
fn credential_type(
    descriptor: &PluginDescriptor,
    new: &NewConnection,
) -> Result<ConnectionType, Error> {
    let scope = match new.user_id {
        Some(_) => ConnectionScope::User,
        None => ConnectionScope::Org,
    };
    let offered: &[ConnectionType] = descriptor
        .connections
        .iter()
        .find(|requirement| requirement.scope == scope)
        .map_or(&[], |requirement| &requirement.types);
    let usual = [
        ConnectionType::ApiKey,
        ConnectionType::BotToken,
        ConnectionType::OAuth2,
        ConnectionType::AppInstallation,
    ];
    let chosen = match new.connection_type {
        Some(asked) => offered.contains(&asked).then_some(asked),
        None => usual.into_iter().find(|usual| offered.contains(usual)),
    };
    chosen.ok_or_else(|| {
        let names: Vec<_> = offered.iter().map(|kind| kind.as_str()).collect();
        Error::InvalidField {
            path: "/credential".to_owned(),
            rule: "connection",
            message: format!(
                "{} takes no such connection of scope `{scope}`; it takes: {}",
                descriptor.id,
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            ),
        }
    })
}

fn check_token(token: &Secret) -> Result<(), Error> {
    let text = token.expose();
    let message = if text.is_empty() {
        "must not be empty"
    } else if text.len() > MAX_CREDENTIAL_BYTES {
        "must have at most 16 KiB"
    } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
        "must be visible ASCII without spaces, as it goes into a header"
    } else {
        return Ok(());
    };
    Err(Error::InvalidField {
        path: "/credential/token".to_owned(),
        rule: "format",
        message: format!("the token {message}"),
    })
}

fn parse_base_urls(
    descriptor: &PluginDescriptor,
    given: &GivenBaseUrls,
) -> Result<BaseUrls, Error> {
    given
        .iter()
        .map(|(name, text)| {
            let refuse = |rule, message: String| Error::InvalidField {
                path: format!("/baseUrls/{}", pointer_token(name)),
                rule,
                message,
            };
            if descriptor.endpoint(name).is_none() {
                let names: Vec<_> = descriptor.endpoints.iter().map(|e| &*e.name).collect();
                return Err(refuse(
                    "known",
                    format!(
                        "{} has no such endpoint; it has: {}",
                        descriptor.id,
                        names.join(", ")
                    ),
                ));
            }
            let url = Url::parse(text).ok().filter(is_plain_base).ok_or_else(|| {
                refuse(
                    "format",
                    "must be http(s)://host[:port][/path] without user, query or fragment"
                        .to_owned(),
                )
            })?;
            Ok((name.clone(), url))
        })
        .collect()
}

/// A name as a part of a JSON Pointer, bounded.
fn pointer_token(name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    name.replace('~', "~0").replace('/', "~1")
}

/// Plain HTTP and private addresses pass here: whether they may be called is for
/// the operator's grants to say, at each request.
fn is_plain_base(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::time::Timestamp;
    use portcullis_storage::Sealed;

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

    fn check(choice: CredentialChoice, user: Option<&str>, expected: Option<usize>) {
        let connections = [
            connection("slack", None),
            connection("linear", Some("bob")),
            connection("linear", None),
            connection("linear", Some("alice")),
        ];
        let user: Option<UserId> = user.map(|user| user.parse().unwrap());
        let linear = "linear".parse().unwrap();
        let selected = select(&connections, &linear, choice, user.as_ref());
        assert_eq!(
            selected.map(|c| c.id),
            expected.map(|index| connections[index].id),
            "{choice} for {user:?}"
        );
    }

    #[test]
    fn whose_connection_is_used() {
        check(CredentialChoice::Org, None, Some(2));
        check(CredentialChoice::Org, Some("alice"), Some(2));
        check(CredentialChoice::User, Some("alice"), Some(3));
        check(CredentialChoice::User, Some("carol"), None);
        check(CredentialChoice::User, None, None);
        check(CredentialChoice::PreferUser, Some("alice"), Some(3));
        check(CredentialChoice::PreferUser, Some("carol"), Some(2));
        check(CredentialChoice::PreferUser, None, Some(2));
    }

    #[test]
    fn another_users_connection_is_never_used() {
        let only_bobs = [connection("linear", Some("bob"))];
        let (linear, alice) = ("linear".parse().unwrap(), "alice".parse().unwrap());
        for choice in CredentialChoice::ALL {
            assert!(select(&only_bobs, &linear, *choice, Some(&alice)).is_none());
            assert!(select(&only_bobs, &linear, *choice, None).is_none());
        }
    }
}
