//! `portcullis plugin approve`.

use clap::Args;
use serde_json::{Value, json};

use super::super::caller::Server;
use super::super::client::Client;
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, field};
use super::shown::{compare, difference, name};

/// `plugin approve`
#[derive(Debug, Args)]
pub(in crate::cli) struct Approve {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
    /// The version whose difference was seen [default at a terminal: shows what
    /// waits, and asks].
    digest: Option<String>,
}

pub(super) const HELP: &str = "\
Without a digest, at a terminal, the difference is shown and you are asked. With a
digest exactly that version is approved; it is refused when the difference has
become another one since the version was installed, because another version
serves now.

Examples:
  portcullis plugin approve linear
  portcullis plugin approve linear sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

impl Approve {
    pub(super) async fn run(self, console: &mut Console, json: bool) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        if let Some(digest) = &self.digest {
            return send(&client, &self.id, &json!({ "digest": digest })).await;
        }
        let is_watched = console.stdin_is_terminal && console.stdout_is_terminal;
        if json || !is_watched {
            return Err(
                Failure::usage("which version? The digest is missing").hint(format!(
                    "`portcullis plugin diff {}` shows what waits, and its digest",
                    self.id
                )),
            );
        }
        let shown = compare(&client, &self.id, None).await?;
        match seen(console, shown)? {
            Some(seen) => send(&client, &self.id, &seen).await,
            None => Ok(Report::done("Nothing has changed; it waits on.")),
        }
    }
}

/// Shows a difference and asks; what was seen, if the answer is yes.
fn seen(console: &mut Console, shown: Value) -> Result<Option<Value>, Failure> {
    let of = |part: &str| shown.get(part).map(|version| field(version, "digest"));
    let body = match of("active") {
        Some(active) if active != "-" => {
            json!({ "digest": of("candidate"), "active": active })
        }
        _ => json!({ "digest": of("candidate") }),
    };
    let candidate = name(shown.get("candidate").unwrap_or(&Value::Null));
    let omitted = shown.get("omitted").and_then(Value::as_u64);
    let report = difference(shown);
    console.print(&report.on_screen(console.width))?;
    if omitted != Some(0) {
        return Err(Failure::new(
            Exit::Refused,
            "not_shown",
            "this is not all of it, and what was not shown is not approved here",
        )
        .hint("compare the sources of both versions, and approve with the digest"));
    }
    let answer = console.ask(&format!("Let {candidate} serve? [y/N] "))?;
    let is_yes = matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes");
    Ok(is_yes.then_some(body))
}

async fn send(client: &Client, id: &str, seen: &Value) -> Result<Report, Failure> {
    let path = ["v1", "plugins", id, "approve"];
    let version = client.post(&path, seen).await?;
    let told = format!("{} serves.", name(&version));
    Ok(Report::new(version)
        .text(told)
        .note(format!("note: `portcullis plugin rollback {id}` goes back")))
}
