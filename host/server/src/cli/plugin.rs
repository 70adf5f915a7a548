//! `portcullis plugin`.

mod files;
mod inspect;
mod keygen;
mod origin;
mod sheet;
mod sign;
mod trust;
mod verify;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::caller::Server;
use super::console::Console;
use super::failure::Failure;
use super::output::{Report, field};

/// The subcommands of `plugin`.
#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// What a file is and can do, without a gateway.
    ///
    /// The file is loaded as a gateway would load it; nothing of it can reach
    /// out while it is.
    #[command(after_help = "\
Examples:
  portcullis plugin inspect target/plugins/linear.wasm
  portcullis plugin inspect linear.wasm --json | jq .capabilities
  portcullis plugin inspect linear.wasm --verbose --config /etc/portcullis.toml

What is no plugin is told with the reason, and the command ends with 1.")]
    Inspect(inspect::Inspect),
    /// Make a key that signs plugins.
    #[command(after_help = keygen::HELP)]
    Keygen(keygen::Keygen),
    /// Sign a plugin, so that gateways know where it comes from.
    #[command(after_help = sign::HELP)]
    Sign(sign::Sign),
    /// Tell who signed a plugin, and whether that is enough.
    #[command(after_help = verify::HELP)]
    Verify(verify::Verify),
    /// The plugins of a running gateway, and files it could not load.
    #[command(after_help = "\
Example:
  portcullis plugin list")]
    List(List),
}

/// `plugin list`
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,
}

/// What `plugin --help` tells beyond its commands.
pub(super) const HELP: &str = "\
Examples:
  portcullis plugin inspect target/plugins/linear.wasm
  portcullis plugin keygen --out signing.key
  portcullis plugin sign linear.wasm --key signing.key
  portcullis plugin verify linear.wasm --key signing.key.pub
  portcullis plugin list

Listing takes the operator's key, in PORTCULLIS_OPERATOR_KEY.";

impl Plugins {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        match self {
            Self::Inspect(inspect) => inspect.run().await,
            Self::Keygen(keygen) => keygen.run(),
            Self::Sign(sign) => sign.run().await,
            Self::Verify(verify) => verify.run().await,
            Self::List(List { server }) => {
                let client = server.as_manager(console)?;
                Ok(list(client.get(&["v1", "plugins"], &[]).await?))
            }
        }
    }
}

fn list(answer: Value) -> Report {
    let plugins = answer.get("plugins").and_then(Value::as_array);
    let rows: Vec<_> = plugins.into_iter().flatten().map(row).collect();
    let report = Report::new(answer);
    if rows.is_empty() {
        return report.text("The gateway has no plugin; see plugins.directory.");
    }
    report.table(vec!["ID", "VERSION", "STATE", "CAN ONLY"], rows)
}

fn row(plugin: &Value) -> Vec<String> {
    let told = match plugin.get("error") {
        Some(_) => field(plugin, "error"),
        None => field(plugin, "capabilities"),
    };
    let mut row: Vec<_> = ["id", "version", "state"]
        .iter()
        .map(|name| field(plugin, name))
        .collect();
    row.push(told);
    row
}
