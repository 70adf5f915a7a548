//! Connections: the credential of an organization or a user for one provider.

mod choice;
mod opened;

use std::collections::BTreeMap;

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::{ConnectionId, OrganizationId, SourceId, UserId};
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::{ConnectionScope, ConnectionType, PluginDescriptor};
use portcullis_storage::{Connection, ConnectionStatus, HintKind};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

pub use choice::{Missing, choose};
pub(crate) use opened::OpenConnection;
pub use opened::OpenedCredentials;

use crate::access::Actor;
use crate::audit::Change;
use crate::config::Secret;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::reviews::Baseline;
use opened::seal;

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

/// Makes a connection.
pub async fn create(
    gateway: &Gateway,
    actor: &Actor,
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
    // Nobody reviews the source between the look whether somebody has and this.
    work.organizations().lock(organization).await?;
    work.connections().add(&connection).await?;
    let change = Change {
        organization: Some(organization),
        actor,
        at: now,
    };
    let made = json!({ "before": null, "after": shown(&connection) });
    change
        .record(
            gateway,
            &mut work,
            AuditKind::ConnectionCreated,
            AuditSubject::from(&id),
            made,
        )
        .await?;
    Baseline::of(&plugin, organization, actor.as_str(), now)
        .begin(gateway, &mut work)
        .await?;
    work.save().await?;
    gateway
        .hint(HintKind::Connections, organization.as_str())
        .await;
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
    actor: &Actor,
    organization: &OrganizationId,
    id: ConnectionId,
    token: &Secret,
    base_urls: Option<GivenBaseUrls>,
) -> Result<Connection, Error> {
    check_token(token)?;
    let now = gateway.clock.now();
    let sealed = seal(gateway, organization, id, token)?;
    let mut work = gateway.storage.write().await?;
    // Deciders rely on versions; none sees this one half.
    work.organizations().lock(organization).await?;
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
        .rotate(id, organization, &sealed, base_urls, now)
        .await?;
    let rotated = work.connections().find(id, organization).await?;
    let rotated = rotated.ok_or(Error::NotFound("connection"))?;
    let details = json!({ "before": shown(&stored), "after": shown(&rotated) });
    let change = Change {
        organization: Some(organization),
        actor,
        at: now,
    };
    change
        .record(
            gateway,
            &mut work,
            AuditKind::ConnectionRotated,
            AuditSubject::from(&id),
            details,
        )
        .await?;
    work.save().await?;
    gateway
        .hint(HintKind::Connections, organization.as_str())
        .await;
    tracing::info!(connectionId = %id, organizationId = %organization, "connection rotated");
    Ok(rotated)
}

/// Removes a connection; sessions that used it go on without it.
pub async fn remove(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    id: ConnectionId,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    work.organizations().lock(organization).await?;
    let stored = work.connections().find(id, organization).await?;
    let is_removed = work.connections().remove(id, organization).await?;
    if let Some(stored) = stored.filter(|_| is_removed) {
        let details = json!({ "before": shown(&stored), "after": null });
        let change = Change {
            organization: Some(organization),
            actor,
            at: gateway.clock.now(),
        };
        change
            .record(
                gateway,
                &mut work,
                AuditKind::ConnectionRemoved,
                AuditSubject::from(&id),
                details,
            )
            .await?;
    }
    // Also where there is nothing: that others removed it may not be committed yet.
    work.save().await?;
    if !is_removed {
        return Err(Error::NotFound("connection"));
    }
    gateway
        .hint(HintKind::Connections, organization.as_str())
        .await;
    tracing::info!(connectionId = %id, organizationId = %organization, "connection removed");
    Ok(())
}

/// What the record keeps of a connection: nothing of its credential.
fn shown(connection: &Connection) -> Value {
    let base_urls = connection.base_urls.iter();
    json!({
        "provider": connection.provider.as_str(),
        "user": connection.user_id.as_ref().map(UserId::as_str),
        "version": connection.version,
        "status": connection.status.as_str(),
        "baseUrls": base_urls.map(|(name, url)| (name.clone(), url.to_string()))
            .collect::<BTreeMap<_, _>>(),
    })
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
