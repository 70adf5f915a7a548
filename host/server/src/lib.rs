//! The Portcullis gateway.
//!
//! # Code map
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`config`], [`telemetry`], [`metrics`], [`cli`] | how it is started and watched |
//! | [`gateway`] | what every use case works with |
//! | [`auth`], [`access`] | who is calling, and what they may reach |
//! | [`actions`] | catalog, admission, execution, history: the heart |
//! | [`sources`], [`plugins`] | what lists and executes actions, and which versions of plugins there are |
//! | [`compiling`] | what plugins are compiled with |
//! | [`organizations`], [`connections`], [`sessions`], [`automations`], [`modes`], [`reviews`], [`egress_grants`] | what people manage |
//! | [`audit`] | the record of what happened |
//! | [`events`] | telling people what becomes of invocations |
//! | [`vault`], [`keys`], [`clock`] | encryption at rest, rotation of its keys, time |
//! | `http` | the way in: routes, shapes, statuses |
//!
//! Ways in call use cases and decide nothing themselves. `host/ARCHITECTURE.md`
//! tells the whole story.

pub mod access;
pub mod actions;
mod aging;
pub mod audit;
pub mod auth;
pub mod automations;
pub mod cli;
pub mod clock;
pub mod compiling;
pub mod config;
pub mod connections;
pub mod egress_grants;
pub mod error;
pub mod events;
pub mod gateway;
mod http;
pub mod keys;
pub mod metrics;
pub mod modes;
pub mod organizations;
pub mod panics;
pub mod plugins;
pub mod reviews;
pub mod sessions;
pub mod sources;
pub mod telemetry;
pub mod vault;
pub mod writers;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_runtime::Sandbox;
use portcullis_runtime::egress::SystemResolver;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use gateway::Gateway;
pub use http::router;

use clock::SystemClock;
use plugins::Directory;
use sources::{PluginLoader, Sources};

/// How long answers may take to be sent after the shutdown of the listener.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Opens storage, loads plugins, and recovers what an earlier process left.
pub async fn open(config: Config) -> anyhow::Result<Arc<Gateway>> {
    let url = &config.storage.url;
    let storage = portcullis_storage::open(url, config.storage.max_connections)
        .await
        .with_context(|| format!("storage.url = {:?}", portcullis_storage::shown(url)))?;
    keys::require_known(&*storage, &vault::Vault::new(&config.master_keys()?)).await?;
    let loader = PluginLoader {
        sandbox: Sandbox::new(config.sandbox())?,
        compiler: compiling::compiler(&config)?,
        limits: config.egress(),
        resolver: Arc::new(SystemResolver),
    };
    let directory = watched(&config)?;
    let sources = Sources::default();
    let gateway = Gateway::new(config, storage, Arc::new(SystemClock), sources, loader).await?;
    let gateway = Arc::new(gateway);
    actions::leases::recover(&gateway).await?;
    plugins::start(&gateway, directory).await?;
    reviews::begin_everywhere(&gateway).await?;
    Ok(gateway)
}

/// The directory to watch, if any.
fn watched(config: &Config) -> anyhow::Result<Option<Directory>> {
    let path = &config.plugins.directory;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let directory = Directory::new(path).with_context(|| {
        format!(
            "plugins.directory: {:?} cannot be read; name the folder with the plugins (--plugins), \
             or none to watch none",
            path.display()
        )
    })?;
    Ok(Some(directory))
}

/// Serves until `shutdown`, then lets running actions end.
///
/// New connections are refused at once; actions have
/// `server.shutdown_grace_seconds` to end, and what does not is recorded as
/// `outcome_unknown` at the next start, or by another gateway.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        shutdown.await;
        tracing::info!("shutting down");
        stopping.cancel();
    });
    let sweeper = tokio::spawn(actions::upkeep::sweep_until(
        Arc::clone(&gateway),
        stop.clone(),
    ));
    let keeper = tokio::spawn(plugins::keep_until(Arc::clone(&gateway), stop.clone()));
    let watcher = tokio::spawn(plugins::watch_until(Arc::clone(&gateway), stop.clone()));
    let ended = CancellationToken::new();
    let sequencer = tokio::spawn(audit::chain::keep_until(
        Arc::clone(&gateway),
        ended.clone(),
    ));
    let leases = tokio::spawn(actions::leases::tend_until(
        Arc::clone(&gateway),
        ended.clone(),
    ));
    let told = CancellationToken::new();
    let pump = tokio::spawn(events::pump_until(Arc::clone(&gateway), told.clone()));
    let router = http::router(Arc::clone(&gateway));
    let connections = http::listen(listener, router, &gateway.config.server, stop).await;
    // From here on requests for actions are refused, so those that run are all
    // there are to wait for.
    gateway.executions.close();
    drain(&gateway).await;
    // Listeners hear how those actions ended before they are sent away.
    told.cancel();
    match timeout(CLOSE_GRACE, pump).await {
        Ok(ended) => ended?,
        Err(_elapsed) => tracing::warn!("listeners were not told of everything"),
    }
    gateway.events.end();
    // Answers of ended actions are on their way; a client that does not read
    // its own must not keep the process.
    let closing = async { tokio::join!(connections.shutdown(), gateway.events.ended()) };
    if timeout(CLOSE_GRACE, closing).await.is_err() {
        tracing::warn!("some clients did not take their answers");
    }
    ended.cancel();
    leases.await?;
    sequencer.await?;
    sweeper.await?;
    keeper.await?;
    watcher.await?;
    gateway.storage.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for running actions.
async fn drain(gateway: &Gateway) {
    let running = gateway.executions.len();
    if running > 0 {
        tracing::info!(running, "waiting for running actions");
    }
    let grace = Duration::from_secs(gateway.config.server.shutdown_grace_seconds);
    if timeout(grace, gateway.executions.wait()).await.is_err() {
        tracing::warn!(
            running = gateway.executions.len(),
            "actions were still running after the grace; their outcome is unknown"
        );
    }
}
