//! `portcullis session`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::caller::OfOrg;
use super::console::Console;
use super::failure::Failure;
use super::output::{Report, field};

/// `session`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Sessions {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
A session is what an agent works in. It can use the connections that are named
when it is made, and no others.

Examples:
  portcullis session create --org acme --title \"Fix the build\" --connection ID
  portcullis session list --org acme
  portcullis session close ID --org acme

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN.";

#[derive(Debug, Subcommand)]
enum Act {
    /// Open a session.
    #[command(after_help = "\
Example:
  portcullis session create --org acme --connection 6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11

`portcullis token sandbox --session ID` then makes the agent's token.")]
    Create(Create),
    /// List the sessions.
    #[command(after_help = "\
Example:
  portcullis session list --org acme")]
    List,
    /// Close a session: it takes no more requests.
    #[command(after_help = "\
Example:
  portcullis session close 6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11 --org acme")]
    Close {
        /// The session.
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// What it is about, for people.
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// A connection it may use; give it once for each.
    #[arg(long = "connection", value_name = "ID")]
    connections: Vec<String>,
    /// The person it is for, whose own connections are used where an action asks.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The automation it is a run of, whose modes apply.
    #[arg(long, value_name = "ID")]
    automation: Option<String>,
}

impl Sessions {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        match self.act {
            Act::Create(create) => {
                let body = json!({
                    "title": create.title,
                    "connectionIds": create.connections,
                    "userId": create.user,
                    "automationId": create.automation,
                });
                let path = ["v1", "orgs", &org, "sessions"];
                let answer = client.post(&path, &body).await?;
                Ok(opened(answer, create.connections.is_empty()))
            }
            Act::List => {
                let answer = client.get(&["v1", "orgs", &org, "sessions"], &[]).await?;
                let columns = [
                    ("ID", "id"),
                    ("TITLE", "title"),
                    ("USER", "userId"),
                    ("CONNECTIONS", "connectionIds"),
                    ("CREATED", "createdAt"),
                    ("CLOSED", "closedAt"),
                ];
                let empty = "There is no session yet; `portcullis session create` opens one.";
                Ok(Report::list(answer, "sessions", &columns, empty))
            }
            Act::Close { id } => {
                let path = ["v1", "orgs", &org, "sessions", &id, "close"];
                Ok(Report::object(client.post(&path, &json!({})).await?))
            }
        }
    }
}

/// What comes next, and what may have been forgotten.
fn opened(answer: Value, without_connections: bool) -> Report {
    let id = field(&answer, "id");
    let report = Report::object(answer).text(format!(
        "\n`portcullis token sandbox --session {id}` makes the agent's token."
    ));
    if without_connections {
        return report.warning(
            "the session can use no connection; a new one can use those that --connection names",
        );
    }
    report
}
