//! What every use case works with.

use std::sync::Arc;

use portcullis_core::id::InvocationId;
use portcullis_runtime::Sandbox;
use portcullis_storage::{Hint, HintKind, Storage};
use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access::AgentCache;
use crate::actions::leases::Running;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::connections::OpenedCredentials;
use crate::metrics::Metrics;
use crate::sources::Sources;
use crate::vault::Vault;

/// How many endings a waiter may fall behind before it has to look again.
const ENDINGS_KEPT: usize = 256;

/// The gateway: one for each process, shared by everything that serves.
pub struct Gateway {
    /// The configuration, validated.
    pub config: Config,
    /// The database.
    pub storage: Arc<dyn Storage>,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// Checks and mints credentials of callers.
    pub authenticator: Authenticator,
    /// Seals and opens secrets at rest.
    pub vault: Vault,
    /// What lists and executes actions.
    pub sources: Sources,
    /// Where guests run, for health checks and metrics.
    pub sandbox: Sandbox,
    /// What is counted.
    pub metrics: Metrics,
    /// This process, as rows name it.
    pub node: String,
    /// Requests for actions that are under way; a shutdown waits for them.
    pub executions: TaskTracker,
    /// What agents may use, as it was read a moment ago.
    pub agents: AgentCache,
    /// Credentials that were opened a moment ago.
    pub opened: OpenedCredentials,
    /// Invocations that are being executed; their leases are renewed.
    pub running: Running,
    /// Tells which invocations have ended, for those who wait for one.
    pub endings: broadcast::Sender<InvocationId>,
}

impl Gateway {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        sources: Sources,
        sandbox: Sandbox,
    ) -> Result<Self, ConfigError> {
        let metrics = Metrics::new(clock.now());
        Ok(Self {
            agents: AgentCache::new(&*storage),
            sandbox,
            authenticator: Authenticator::new(&config.auth),
            vault: Vault::new(&config.master_keys()?),
            config,
            storage: metrics.observed(storage),
            metrics,
            opened: OpenedCredentials::default(),
            clock,
            sources,
            node: Uuid::new_v4().to_string(),
            executions: TaskTracker::new(),
            running: Running::default(),
            endings: broadcast::Sender::new(ENDINGS_KEPT),
        })
    }

    /// Tells every gateway on this database that something has changed: after the
    /// change was saved, and best as it goes. Who does not hear it reads it again
    /// within seconds.
    pub async fn hint(&self, kind: HintKind, id: &str) {
        let id = id.to_owned();
        if let Err(error) = self.storage.hint(&Hint { kind, id }).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "other gateways were not told of a change; they notice it within seconds"
            );
        }
    }
}
