//! What a session can do: sources and actions with the modes in force.

use std::collections::HashMap;

use portcullis_core::action::ActionDefinition;
use portcullis_core::canonical::JsonDigest;
use portcullis_core::id::{ActionKey, SourceId};
use portcullis_core::modes::{ModeDecision, ModeInputs, PinnedMode, decide};
use portcullis_runtime::{Plugin, PluginAction};
use portcullis_storage::{BoxUnitOfWork, Connection, ConnectionStatus, ModeScope, Session};

use crate::access::session_connections;
use crate::connections::choose;
use crate::error::Error;
use crate::gateway::Gateway;

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
    /// The mode in force.
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
    let modes = SessionModes::read(&mut work, session).await?;
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
                let obstacle = obstacle(plugin, &action.definition, &connections, session);
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
        let described = usable.into_iter().map(|(a, _)| modes.describe(plugin, a));
        catalog.actions.extend(described);
    }
    Ok(catalog)
}

/// Why an action cannot work in a session, as far as its connection goes.
fn obstacle(
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

/// Every override that applies to a session.
struct SessionModes {
    organization: HashMap<ActionKey, PinnedMode>,
    automation: HashMap<ActionKey, PinnedMode>,
}

impl SessionModes {
    async fn read(work: &mut BoxUnitOfWork, session: &Session) -> Result<Self, Error> {
        let organization = ModeScope::Organization(session.organization_id.clone());
        let automation = session.automation_id.map(ModeScope::Automation);
        Ok(Self {
            organization: read_modes(work, &organization).await?,
            automation: match automation {
                Some(scope) => read_modes(work, &scope).await?,
                None => HashMap::new(),
            },
        })
    }

    fn describe(&self, plugin: &Plugin, action: &PluginAction) -> CatalogAction {
        let (definition, digests) = (&action.definition, action.digests);
        let source = plugin.descriptor().id.clone();
        let key = ActionKey {
            source: source.clone(),
            action: definition.id.clone(),
        };
        let inputs = ModeInputs {
            automation_override: self.automation.get(&key).cloned(),
            org_default: self.organization.get(&key).cloned(),
            connector_override: None,
        };
        CatalogAction {
            source,
            decision: decide(&inputs, definition.risk, digests.interface),
            digest: digests.contract,
            definition: definition.clone(),
        }
    }
}

async fn read_modes(
    work: &mut BoxUnitOfWork,
    scope: &ModeScope,
) -> Result<HashMap<ActionKey, PinnedMode>, Error> {
    let overrides = work.modes().list(scope).await?;
    Ok(overrides
        .into_iter()
        .map(|entry| (entry.key, entry.stored))
        .collect())
}
