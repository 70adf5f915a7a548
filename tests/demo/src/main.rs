//! A gateway to play with: fake upstreams, the gateway and a first session in
//! one process, started by `cargo xtask demo`.
//!
//! [`upstreams`] and [`gateway`] start the servers, [`seed`] fills the gateway
//! the way an operator would, through its HTTP interface ([`operator`]), and
//! [`announce`] tells the caller what there is. Everything is made anew at each
//! start and is gone when the process ends.

mod announce;
mod demo;
mod gateway;
mod operator;
mod options;
mod secret;
mod seed;
mod signals;
mod upstreams;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser as _;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use options::Options;

/// How long tasks that do not notice the end (a name being resolved, say) may
/// hold up the exit.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// What is logged unless `RUST_LOG` says otherwise: warnings, but for those
/// about grants. The demo grants loopback addresses, knowing what it does.
const LOG_FILTER: &str = "warn,portcullis::egress_grants=error";

fn main() -> ExitCode {
    portcullis::compiling::work(std::env::args_os()).unwrap_or_else(demo)
}

fn demo() -> ExitCode {
    let options = Options::parse();
    log_to_stderr();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    // Fails only if a provider is installed already, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Runtime::new().context("cannot start the async runtime")?;
    let outcome = runtime.block_on(demo::run(options));
    runtime.shutdown_timeout(STRAGGLERS);
    outcome
}

/// Stdout belongs to the announcement.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
