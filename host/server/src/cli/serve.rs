//! `portcullis serve`.

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::output::Report;
use super::settings::Settings;
use crate::config::Config;
use crate::telemetry;

/// `serve`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
}

const HELP: &str = "\
Keys not named here are set in a file (--config) or in the environment, where
PORTCULLIS__SECTION__KEY sets section.key. Three have no default:

  PORTCULLIS__AUTH__OPERATOR_KEY    the operator's bearer key
  PORTCULLIS__AUTH__TOKEN_SECRET    signs the tokens of agents and users
  PORTCULLIS__SECRETS__MASTER_KEY   encrypts credentials at rest

`portcullis keys generate` makes each of them; `portcullis config check` tells
whether everything fits together. The log goes to standard error, as JSON unless
PORTCULLIS__LOG__FORMAT is text.

Several gateways on one Postgres are one service: give each the same three
secrets and plugins and an address of its own, and put a balancer in front.

Examples:
  portcullis serve --plugins target/plugins --storage sqlite:portcullis.db
  portcullis serve --config portcullis.toml --log info,portcullis=debug
  portcullis serve --storage postgres://USER@HOST/DATABASE --listen 127.0.0.1:8481";

/// The exit code after a second signal.
const EXIT_AT_ONCE: i32 = 1;

impl Serve {
    pub(super) async fn run(self) -> Result<Report, Failure> {
        let config = self.settings.load()?;
        serve(config).await?;
        Ok(Report::default())
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let traces = telemetry::init(&config.log, &config.telemetry)?;
    let address = config.server.listen;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (server.listen)"))?;
    let address = listener.local_addr()?;
    let gateway = crate::open(config).await?;
    tracing::info!(%address, "portcullis listens on http://{address}");
    if let Some(traces) = &traces {
        gateway.metrics.show_spans(traces.counts());
    }
    let served = crate::serve(gateway, listener, terminated()?).await;
    if let Some(traces) = traces {
        traces.shutdown().await;
    }
    served
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
