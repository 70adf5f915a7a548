//! `portcullis plugin reject`, `rollback` and `remove`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::caller::Server;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::{Report, field};
use super::shown::{compare, name};

/// `plugin reject`
#[derive(Debug, Args)]
pub(in crate::cli) struct Reject {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
    /// The version [default: the one that waits].
    digest: Option<String>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) const REJECT_HELP: &str = "\
The active version goes on serving. Installing the file again makes it wait again.

Examples:
  portcullis plugin reject linear
  portcullis plugin reject linear --reason 'Why does it need uploads?'";

/// `plugin rollback`
#[derive(Debug, Args)]
pub(in crate::cli) struct RollBack {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
    /// The version to go back to [default: the one that served before].
    digest: Option<String>,
}

pub(super) const ROLL_BACK_HELP: &str = "\
A version that has served before was approved once, so it serves at once. Calls
that run end on the version they began with.

Examples:
  portcullis plugin rollback linear
  portcullis plugin rollback linear sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// `plugin remove`
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
    /// Also when its invocations wait for a person or run.
    #[arg(long)]
    force: bool,
}

pub(super) const REMOVE_HELP: &str = "\
A plugin whose invocations wait for a person or run stays, unless it is forced:
then those that run end, and those that wait can only be denied. Rolling back
brings a removed plugin back.

Examples:
  portcullis plugin remove linear
  portcullis plugin remove linear --force";

impl Reject {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let digest = if let Some(digest) = self.digest {
            digest
        } else {
            let waiting = compare(&client, &self.id, None).await?;
            field(waiting.get("candidate").unwrap_or(&Value::Null), "digest")
        };
        let body = json!({ "digest": digest, "reason": self.reason });
        let path = ["v1", "plugins", &self.id, "reject"];
        let version = client.post(&path, &body).await?;
        let told = format!("{} is rejected.", name(&version));
        Ok(Report::new(version).text(told))
    }
}

impl RollBack {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let digest = self
            .digest
            .map(|digest| ("digest".to_owned(), digest.into()));
        let body: Map<_, _> = digest.into_iter().collect();
        let path = ["v1", "plugins", &self.id, "rollback"];
        let version = client.post(&path, &Value::Object(body)).await?;
        let told = format!(
            "{} serves again.\n{}",
            name(&version),
            field(&version, "sentence")
        );
        Ok(Report::new(version).text(told))
    }
}

impl Remove {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let path = ["v1", "plugins", &self.id];
        let query = self.force.then_some(("force", "true"));
        client.delete_with(&path, query.as_slice()).await?;
        Ok(Report::done(format!("{} serves no longer.", self.id)))
    }
}
