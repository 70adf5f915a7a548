//! The gateway, in this process and on a data folder of its own.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use portcullis::Config;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::secret;

/// How long running actions may take to end; the gateway waits for them.
const GRACE_SECONDS: u64 = 4;

/// After this the gateway is abandoned: whoever stopped the demo counts to ten.
const STOP_LIMIT: Duration = Duration::from_secs(7);

/// A running gateway.
pub(crate) struct Gateway {
    /// Where it listens, without a slash at the end.
    pub(crate) url: String,
    /// Bearer token of the operator.
    pub(crate) operator_key: String,
    shutdown: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
    /// Removed when dropped.
    data: TempDir,
}

impl Gateway {
    /// Starts one with new keys, an empty database and the plugins of a folder.
    pub(crate) fn start(listener: TcpListener, plugins: &Path) -> anyhow::Result<Self> {
        if !plugins.is_dir() {
            bail!(
                "there is no folder {}\nhint: `cargo xtask plugins` makes target/plugins",
                plugins.display()
            );
        }
        let url = format!("http://{}", listener.local_addr()?);
        let operator_key = secret::random()?;
        let data = tempfile::Builder::new()
            .prefix("portcullis-demo-")
            .tempdir();
        let data = data.context("cannot make a temporary folder")?;
        let config = config(&operator_key, data.path(), plugins)?;
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(config, listener, shutdown.clone()));
        Ok(Self {
            url,
            operator_key,
            shutdown,
            server,
            data,
        })
    }

    /// Waits for the gateway to end by itself, which it should not do.
    pub(crate) async fn failure(&mut self) -> anyhow::Error {
        match (&mut self.server).await {
            Ok(Err(error)) => error.context("the gateway failed"),
            Ok(Ok(())) => anyhow!("the gateway ended"),
            Err(panic) => anyhow!(panic).context("the gateway panicked"),
        }
    }

    /// Stops it in time and removes its data.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        if !self.server.is_finished() && timeout(STOP_LIMIT, &mut self.server).await.is_err() {
            self.server.abort();
        }
        self.data
            .close()
            .context("cannot remove the data of the demo")
    }
}

async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let gateway = portcullis::open(config).await?;
    portcullis::serve(gateway, listener, shutdown.cancelled_owned()).await
}

/// The defaults, but for what must not be shared with another gateway.
fn config(operator_key: &str, data: &Path, plugins: &Path) -> anyhow::Result<Config> {
    let overrides = [
        ("auth.operator_key", operator_key.to_owned()),
        ("auth.token_secret", secret::random()?),
        ("secrets.master_key", secret::random()?),
        (
            "storage.url",
            format!("sqlite:{}", data.join("portcullis.db").display()),
        ),
        ("plugins.directory", plugins.display().to_string()),
        (
            "plugins.cache_directory",
            data.join("compiled").display().to_string(),
        ),
        // Whoever plays with it has no key yet.
        ("plugins.require_signed", "none".to_owned()),
        ("server.shutdown_grace_seconds", GRACE_SECONDS.to_string()),
    ];
    Config::load(None, &overrides).context("the demo's configuration is refused")
}
