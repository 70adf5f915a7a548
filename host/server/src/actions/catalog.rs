//! What a session can do: sources and actions with the modes in force.

use portcullis_core::action::ActionDefinition;
use portcullis_core::canonical::JsonDigest;
use portcullis_core::id::{ActionKey, SourceId};
use portcullis_core::modes::{ModeDecision, decide};
use portcullis_runtime::{Plugin, PluginAction};
use portcullis_storage::{Connection, ConnectionStatus, Session};

use crate::access::session_connections;
use crate::connections::choose;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::modes::StoredModes;

/// What a session can do.
#[derive(Debug)]
pub struct Catalog {
    /// By source, then in the source's own order.
    pub actions: Vec<CatalogAction>,
    /// By id; also those whose actions are absent.
    pub sources: Vec<CatalogSource>,
}

/// An action and what happens when it is invoked.
#[derive(Debug)]
pub struct CatalogAction {
    /// The source.
    pub source: SourceId,
    /// The definition.
    pub definition: ActionDefinition,
    /// Its contract digest.
    pub digest: JsonDigest,
    /// The mode and the risk in force.
    pub decision: ModeDecision,
}

/// A source and whether it can be used.
#[derive(Debug)]
pub struct CatalogSource {
    /// The source.
    pub id: SourceId,
    /// The name people know.
    pub display_name: String,
    /// Whether its actions are in the catalog.
    pub status: SourceStatus,
    /// Why some of its actions are not, and what to do.
    pub message: Option<String>,
}

/// Whether a source can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceStatus {
    /// It can.
    Ok,
    /// The session has no connection for any of its actions, or none that works.
    NeedsAuth,
}

/// Lists what a session can do.
pub async fn catalog(gateway: &Gateway, session: &Session) -> Result<Catalog, Error> {
    let mut work = gateway.storage.read().await?;
    let connections = session_connections(&mut work, session).await?;
    let organization = &session.organization_id;
    let modes = StoredModes::read(&mut work, organization, session.automation_id).await?;
    drop(work);

    let mut catalog = Catalog {
        actions: Vec::new(),
        sources: Vec::new(),
    };
    for plugin in gateway.sources.plugins() {
        let (usable, unusable): (Vec<_>, Vec<_>) = plugin
            .actions()
            .iter()
            .map(|action| {
                let obstacle = obstacle(&plugin, &action.definition, &connections, session);
                (action, obstacle)
            })
            .partition(|(_, obstacle)| obstacle.is_none());
        catalog.sources.push(CatalogSource {
            id: plugin.descriptor().id.clone(),
            display_name: plugin.descriptor().name.clone(),
            status: if usable.is_empty() && !unusable.is_empty() {
                SourceStatus::NeedsAuth
            } else {
                SourceStatus::Ok
            },
            message: unusable.into_iter().find_map(|(_, obstacle)| obstacle),
        });
        let described = usable
            .into_iter()
            .map(|(a, _)| describe(&modes, &plugin, a));
        catalog.actions.extend(described);
    }
    Ok(catalog)
}

/// Why an action cannot work in a session, as far as its connection goes.
pub(super) fn obstacle(
    plugin: &Plugin,
    action: &ActionDefinition,
    connections: &[Connection],
    session: &Session,
) -> Option<String> {
    let descriptor = plugin.descriptor();
    let user = session.user_id.as_ref();
    match choose(connections, &descriptor.id, action.credential, user) {
        Ok(connection) => match connection.status {
            ConnectionStatus::Active => None,
            ConnectionStatus::NeedsReauth => Some(format!(
                "{} refused the credential of connection {}; a person must renew it",
                descriptor.name, connection.id
            )),
        },
        Err(missing) => descriptor
            .needs_connection(action.credential)
            .then(|| missing.message(&descriptor.id)),
    }
}

fn describe(modes: &StoredModes, plugin: &Plugin, action: &PluginAction) -> CatalogAction {
    let source = plugin.descriptor().id.clone();
    let key = ActionKey {
        source: source.clone(),
        action: action.definition.id.clone(),
    };
    CatalogAction {
        source,
        decision: decide(&modes.of(&key), action.stamp()),
        digest: action.digests.contract,
        definition: action.definition.clone(),
    }
}
