//! `portcullis plugin install`.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::super::caller::Server;
use super::super::client::Reply;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::{Report, field};
use super::files;
use super::shown::{approve_command, flagged, name};
use super::verify;
use crate::plugins::read_component;

/// Bytes that are read of a file: what a gateway takes at most, by default.
const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// `plugin install`
#[derive(Debug, Args)]
pub(in crate::cli) struct Install {
    #[command(flatten)]
    server: Server,
    /// The component; signatures are looked for in it and in FILE.sig.
    file: PathBuf,
    /// A file with detached signatures [default: FILE.sig, if there is one].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

pub(super) const HELP: &str = "\
The first version of a plugin serves at once, and so does one that asks for
nothing new and changes nothing that people rely on. Any other is staged: what is
new is shown, and the active version goes on serving until somebody approves.

Examples:
  portcullis plugin install target/plugins/linear.wasm
  portcullis plugin install linear.wasm --signature linear.wasm.sig
  portcullis plugin install linear.wasm --json | jq -r .state";

impl Install {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let signatures = verify::detached(&self.file, self.signature.as_deref())?;
        let component = read_component(self.file.clone(), MAX_COMPONENT_BYTES).await;
        let component = component.map_err(|reason| files::failed(&self.file, reason))?;
        let path = ["v1", "plugins"];
        let reply = client.upload(&path, component, &signatures).await?;
        installed(reply)
    }
}

fn installed(reply: Reply) -> Result<Report, Failure> {
    let status = reply.status;
    let version = reply.success()?;
    let told = match (status, field(&version, "state").as_str()) {
        (201, _) => format!(
            "{} serves.\n{}",
            name(&version),
            field(&version, "sentence")
        ),
        (202, _) => staged(&version),
        (_, "staged") => format!(
            "{} is staged already; approve with: {}",
            name(&version),
            approve_command(&version)
        ),
        (_, state) => format!("{} is {state} already.", name(&version)),
    };
    let digest = format!("digest  {}", field(&version, "digest"));
    let report = Report::new(version.clone()).text(digest).text(told);
    Ok(flagged(report, [&version]))
}

/// What is new, what it can do, and how to go on.
fn staged(version: &Value) -> String {
    let difference = version.get("difference").unwrap_or(&Value::Null);
    format!(
        "{}\n\n{}\nstaged: {}; approve with: {}",
        field(difference, "text"),
        field(version, "sentence"),
        asked(&field(difference, "summary")),
        approve_command(version)
    )
}

/// What is asked for; what it can do stands above.
fn asked(summary: &str) -> &str {
    let parts = summary.split_once("; it can only: ");
    parts.map_or(summary, |(asked, _)| asked)
}
