//! Logs and traces.
//!
//! Logs: one line an event, to standard error; standard output belongs to
//! commands. Lines carry names and ids, never params, results, credentials or
//! bodies.
//!
//! Traces: spans, sent by OTLP when `telemetry.otlp_endpoint` is set. They carry
//! no more than log lines may. Each has a filter of its own, so that a quiet log
//! does not empty the traces.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `parent` | the trace that a request to the gateway belongs to |
//! | `traces` | which spans are recorded, and how they wait to be sent |
//! | `export` | spans in the words of OpenTelemetry, sent and counted |
//! | `transport` | the way to the collector |

mod export;
mod parent;
mod traces;
mod transport;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{LogConfig, LogFormat, TelemetryConfig};

pub use export::SpanCounts;
pub use parent::adopt_parent;
pub use traces::Traces;

/// Starts logging for this process, and traces if they are configured.
///
/// Must be called within a tokio runtime, which from then on sends the traces.
/// What is returned has to be shut down for the last spans to be sent.
pub fn init(log: &LogConfig, telemetry: &TelemetryConfig) -> anyhow::Result<Option<Traces>> {
    let traces = Traces::start(telemetry)?;
    let logging = Registry::default().with(log_layer(log)?);
    let started = match &traces {
        None => tracing::subscriber::set_global_default(logging),
        Some(traces) => tracing::subscriber::set_global_default(logging.with(traces.layer()?)),
    };
    started.context("logging has been started before")?;
    Ok(traces)
}

/// Writes log lines.
fn log_layer<S>(config: &LogConfig) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let filter = EnvFilter::try_new(&config.filter)
        .with_context(|| format!("log.filter = {:?}", config.filter))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    Ok(match config.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_filter(filter)
            .boxed(),
        LogFormat::Text => lines
            // Colours are for a terminal, and in a file they are noise.
            .with_ansi(std::io::stderr().is_terminal())
            .with_filter(filter)
            .boxed(),
    })
}
