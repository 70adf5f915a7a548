//! What every use case works with.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::id::InvocationId;
use portcullis_runtime::Sandbox;
use portcullis_storage::{Hint, HintKind, Storage};
use tokio::sync::{Semaphore, broadcast};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access::AgentCache;
use crate::actions::leases::Running;
use crate::audit::AuditKey;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::Config;
use crate::connections::OpenedCredentials;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::plugins::Plugins;
use crate::sources::{PluginLoader, Sources};
use crate::vault::Vault;
use crate::writers::Writers;

/// How many endings a waiter may fall behind before it has to look again.
const ENDINGS_KEPT: usize = 256;

/// How many full results are opened at once: each takes tens of megabytes and some
/// milliseconds.
const FULL_RESULT_READERS: usize = 4;

/// How much is said at once, so that a statement stays small.
const NEWS_AT_ONCE: usize = 256;

/// What is still to be said about invocations.
#[derive(Debug, Default)]
pub struct News(Mutex<Unsaid>);

#[derive(Debug, Default)]
struct Unsaid {
    ids: Vec<InvocationId>,
    /// Whether somebody is saying it.
    is_taken: bool,
}

impl News {
    /// True when the caller is to begin saying it.
    fn add(&self, ids: impl IntoIterator<Item = InvocationId>) -> bool {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.ids.extend(ids);
        let begins = !unsaid.is_taken && !unsaid.ids.is_empty();
        unsaid.is_taken |= begins;
        begins
    }

    /// What to say next; `None` ends it.
    fn take(&self) -> Option<Vec<InvocationId>> {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = unsaid.ids.len().min(NEWS_AT_ONCE);
        unsaid.is_taken = count > 0;
        (count > 0).then(|| unsaid.ids.drain(..count).collect())
    }
}

fn changed_invocation(id: &InvocationId) -> Hint {
    Hint {
        kind: HintKind::Invocations,
        id: id.to_string(),
    }
}

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
    /// Makes and checks the codes of the record.
    pub audit: AuditKey,
    /// What lists and executes actions.
    pub sources: Sources,
    /// Which versions of plugins there are.
    pub plugins: Plugins,
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
    /// Places for those who read full results, each of which is opened and parsed
    /// as a whole for one page of it.
    pub full_result_readers: Semaphore,
    /// Turns at large results, from their redaction until they are written: each is a
    /// large part of a commit that others share.
    pub large_results: Semaphore,
    /// Turns of organizations at writing invocations.
    pub writers: Writers,
    /// Which invocations have changed, to be told to all gateways.
    news: News,
    /// Who hears what happens.
    pub events: Events,
    /// Tells which invocations have ended, for those who wait for one.
    pub endings: broadcast::Sender<InvocationId>,
}

impl Gateway {
    /// Puts the parts together. The first gateway on a database makes its audit key.
    pub async fn new(
        config: Config,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        sources: Sources,
        loader: PluginLoader,
    ) -> anyhow::Result<Self> {
        let vault = Vault::new(&config.master_keys()?);
        let audit = AuditKey::open_or_make(&*storage, &vault, &*clock).await?;
        let metrics = Metrics::new(clock.now());
        Ok(Self {
            agents: AgentCache::new(&*storage),
            sandbox: loader.sandbox.clone(),
            plugins: Plugins::new(loader, &config.plugins),
            authenticator: Authenticator::new(&config.auth),
            vault,
            audit,
            events: Events::new(config.server.max_event_streams),
            config,
            storage: metrics.observed(storage),
            metrics,
            opened: OpenedCredentials::default(),
            clock,
            sources,
            node: Uuid::new_v4().to_string(),
            executions: TaskTracker::new(),
            running: Running::default(),
            full_result_readers: Semaphore::new(FULL_RESULT_READERS),
            large_results: Semaphore::new(1),
            writers: Writers::default(),
            news: News::default(),
            endings: broadcast::Sender::new(ENDINGS_KEPT),
        })
    }

    /// Tells every gateway on this database that something has changed: after the
    /// change was saved, and best as it goes. Who does not hear it reads it again
    /// within seconds.
    pub async fn hint(&self, kind: HintKind, id: &str) {
        let id = id.to_owned();
        self.send_hints(&[Hint { kind, id }]).await;
    }

    /// Tells every gateway on this database, in a moment, that invocations have
    /// changed. Nobody waits for it: what is said while something is being sent
    /// goes with the next.
    pub fn announce(self: &Arc<Self>, ids: impl IntoIterator<Item = InvocationId>) {
        if self.news.add(ids) {
            tokio::spawn(Arc::clone(self).send_news());
        }
    }

    async fn send_news(self: Arc<Self>) {
        while let Some(ids) = self.news.take() {
            let hints: Vec<_> = ids.iter().map(changed_invocation).collect();
            self.send_hints(&hints).await;
        }
    }

    async fn send_hints(&self, hints: &[Hint]) {
        if let Err(error) = self.storage.hint(hints).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "other gateways were not told of a change; they notice it within seconds"
            );
        }
    }
}
