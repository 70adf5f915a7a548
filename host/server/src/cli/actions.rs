//! `portcullis actions`: what an agent can do, and doing it.

mod explain;
mod list;
mod params;
mod result;
mod run;
pub(super) mod settled;
mod wait;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::caller::OfSession;
use super::console::Console;
use super::decide::{self, Decision};
use super::exit::EXIT_CODES;
use super::failure::Failure;
use super::invocations::{self, Page};
use super::mode::{ActionName, parse_action};
use super::output::{Report, fields_of};

/// `actions`
#[derive(Debug, Args)]
#[command(after_help = help())]
pub(super) struct Actions {
    #[command(flatten)]
    of: OfSession,
    #[command(subcommand)]
    act: Act,
}

fn help() -> String {
    format!(
        "\
Examples:
  portcullis actions list --integration linear
  portcullis actions guide
  portcullis actions explain linear.create_issue
  portcullis actions run --integration linear --action list_issues --params '{{\"first\": 3}}'
  portcullis actions history --status pending
  portcullis actions result 81ee3a0c-0a3b-46df-97ed-e7896052fa0f --pointer /issues
  portcullis actions cancel 81ee3a0c-0a3b-46df-97ed-e7896052fa0f

The token of the agent's session is read from PORTCULLIS_TOKEN.

{EXIT_CODES}

3 to 6 are those of `actions run`; the others end with 0 when they could show
what was asked for, however it stands."
    )
}

#[derive(Debug, Subcommand)]
enum Act {
    /// What this session can do, and what happens when it does.
    #[command(after_help = "\
Examples:
  portcullis actions list
  portcullis actions list --integration linear --json")]
    List {
        /// Only the actions of this source.
        #[arg(long, value_name = "SOURCE")]
        integration: Option<String>,
    },
    /// How to begin: how to ask for actions, and what the answers mean.
    #[command(after_help = "\
Example:
  portcullis actions bootstrap")]
    Bootstrap,
    /// Every action of this session with its params and what happens when it is
    /// asked for; with a source, that one's advice first.
    #[command(after_help = "\
Examples:
  portcullis actions guide
  portcullis actions guide linear")]
    Guide {
        /// The source, as `actions list` shows it.
        source: Option<String>,
    },
    /// Why an action runs, waits or is refused.
    #[command(after_help = EXPLAIN_HELP)]
    Explain {
        /// Source and action, such as `linear.create_issue`.
        #[arg(value_parser = parse_action)]
        action: ActionName,
    },
    /// Do something, and wait for it.
    Run(run::Run),
    /// One request, with its result.
    #[command(after_help = "\
Example:
  portcullis actions show 81ee3a0c-0a3b-46df-97ed-e7896052fa0f")]
    Show {
        /// The invocation.
        id: String,
    },
    /// Read a result that was too large for its answer.
    Result(result::ReadResult),
    /// Withdraw a request that waits: nobody can approve it any more.
    #[command(after_help = CANCEL_HELP)]
    Cancel {
        /// The invocation.
        id: String,
    },
    /// What this session asked for, newest first.
    #[command(after_help = "\
Examples:
  portcullis actions history --limit 10
  portcullis actions history --status pending")]
    History(Page),
}

const EXPLAIN_HELP: &str = "\
The first step that says anything decides. Then the guard looks at what it was said
of: an `allow` waits for a person when the action is not what somebody decided
about or reviewed.

Example:
  portcullis actions explain linear.create_issue";

const CANCEL_HELP: &str = "\
Only the agent that asked can withdraw it, and only as long as nobody has decided.
Ctrl-C at `portcullis actions run` ends the waiting alone; this ends the request.

Example:
  portcullis actions cancel 81ee3a0c-0a3b-46df-97ed-e7896052fa0f";

impl Actions {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (client, session) = self.of.agent(console)?;
        let path = |rest: &'static str| [session.as_str(), "actions", rest];
        match self.act {
            Act::List { integration } => {
                let catalog = client.get(&path("available"), &[]).await?;
                list::list(catalog, integration.as_deref())
            }
            Act::Bootstrap => Ok(markdown(client.get(&path("bootstrap"), &[]).await?)),
            Act::Guide { source: None } => Ok(markdown(client.get(&path("guide"), &[]).await?)),
            Act::Guide {
                source: Some(source),
            } => {
                let path = [session.as_str(), "actions", "guide", &source];
                Ok(markdown(client.get(&path, &[]).await?))
            }
            Act::Explain { action } => {
                let query = [("integration", action.source), ("action", action.action)];
                let answer = client.get(&path("explain"), &query).await?;
                Ok(explain::explained(answer))
            }
            Act::Run(run) => run.run(console, &client, &session).await,
            Act::Show { id } => {
                let path = [session.as_str(), "actions", "invocations", &id];
                Ok(show(client.get(&path, &[]).await?))
            }
            Act::Result(read) => read.run(console, &client, &session).await,
            Act::Cancel { id } => {
                let reply = decide::send(&client, &session, &id, &Decision::Cancel).await?;
                decide::outcome(reply, &Decision::Cancel)
            }
            Act::History(page) => {
                let answer = client.get(&path("invocations"), &page.query()).await?;
                Ok(invocations::page(answer, invocations::COLUMNS))
            }
        }
    }
}

fn markdown(answer: Value) -> Report {
    let text = answer.as_str().unwrap_or_default().to_owned();
    Report::piped(text).with_json(answer)
}

/// An invocation's fields, and its result below them.
fn show(answer: Value) -> Report {
    let invocation = answer.get("invocation").unwrap_or(&Value::Null);
    let mut fields = fields_of(invocation);
    fields.retain(|(name, _)| !matches!(name.as_str(), "result" | "fullResult"));
    let result = invocation.get("result").filter(|result| !result.is_null());
    let result = result.map(|result| format!("\n{result:#}"));
    let whole = result::whereabouts(settled::Reader::Agent, invocation, invocation);
    let mut report = Report::new(answer).fields(fields);
    if let Some(result) = result {
        report = report.text(result);
    }
    match whole {
        Some(whole) => report.note(whole),
        None => report,
    }
}
