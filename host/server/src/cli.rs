//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::telemetry;

/// A gateway through which AI agents act on external services.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
}

/// What `serve --help` tells beyond its flags.
const SERVE_HELP: &str = "\
Keys not named here are set in a file (--config) or in the environment, where
PORTCULLIS__SECTION__KEY sets section.key. Three have no default:

  PORTCULLIS__AUTH__OPERATOR_KEY    the operator's bearer key
  PORTCULLIS__AUTH__TOKEN_SECRET    signs the tokens of agents and users
  PORTCULLIS__SECRETS__MASTER_KEY   encrypts credentials at rest

`openssl rand -base64 32` makes each of them.";

#[derive(Debug, Args)]
struct Serve {
    /// TOML file; see config.default.toml for every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to serve on [default: 127.0.0.1:8480].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Database: `sqlite:PATH` or `postgres://USER@HOST/DATABASE` [default: sqlite:portcullis.db].
    #[arg(long, value_name = "URL")]
    storage: Option<String>,
    /// Directory of plugin components [default: plugins].
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// What to log: a level, or targets with levels [default: info].
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// The exit code after a second signal.
const EXIT_AT_ONCE: i32 = 1;

impl Cli {
    /// Runs the command.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
        }
    }
}

impl Serve {
    fn overrides(&self) -> Vec<(&'static str, String)> {
        let mut overrides = Vec::new();
        if let Some(listen) = &self.listen {
            overrides.push(("server.listen", listen.to_string()));
        }
        if let Some(url) = &self.storage {
            overrides.push(("storage.url", url.clone()));
        }
        if let Some(directory) = &self.plugins {
            overrides.push(("plugins.directory", directory.display().to_string()));
        }
        if let Some(filter) = &self.log {
            overrides.push(("log.filter", filter.clone()));
        }
        overrides
    }

    async fn run(self) -> anyhow::Result<()> {
        let config = Config::load(self.config.as_deref(), &self.overrides())?;
        telemetry::init(&config.log)?;
        let address = config.server.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} (server.listen)"))?;
        let address = listener.local_addr()?;
        let gateway = crate::open(config).await?;
        tracing::info!(%address, "portcullis listens on http://{address}");
        crate::serve(gateway, listener, terminated()?).await
    }
}

/// Resolves at SIGINT or SIGTERM. A second one ends the process at once: what
/// runs is found interrupted at the next start.
fn terminated() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut any_signal = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(async move {
        any_signal().await;
        tokio::spawn(async move {
            any_signal().await;
            tracing::warn!("stopped at once by a second signal");
            std::process::exit(EXIT_AT_ONCE);
        });
    })
}
