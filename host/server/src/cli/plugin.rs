//! `portcullis plugin`.

mod inspect;
mod sheet;

use std::path::PathBuf;

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

What is no plugin is told with the reason, and the command ends with 1.")]
    Inspect {
        /// The component.
        file: PathBuf,
    },
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
  portcullis plugin list

Listing takes the operator's key, in PORTCULLIS_OPERATOR_KEY.";

impl Plugins {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        match self {
            Self::Inspect { file } => inspect::inspect(&file, console).await,
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
