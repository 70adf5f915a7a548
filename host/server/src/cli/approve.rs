//! `portcullis approve` and `portcullis deny`.

use clap::Args;
use serde_json::Value;

use super::actions::settled::{Reader, show_command};
use super::caller::OfOrg;
use super::client::Client;
use super::console::Console;
use super::decide::waiting::{find, parse_id};
use super::decide::{Decision, Scope, outcome, send};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::output::{Report, field};

/// The request in question.
#[derive(Debug, Args)]
struct Request {
    #[command(flatten)]
    of: OfOrg,
    /// The request: its id, or the first 8 characters of it or more.
    #[arg(value_parser = parse_id)]
    id: String,
    /// The session that asked [default: that of the request that waits].
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

/// `approve`
#[derive(Debug, Args)]
#[command(after_help = approve_help())]
pub(super) struct Approve {
    #[command(flatten)]
    request: Request,
    /// Also let the action run from now on without asking.
    #[arg(long)]
    always: bool,
    /// With --always: for whom.
    #[arg(
        long,
        value_enum,
        value_name = "SCOPE",
        requires = "always",
        default_value_t
    )]
    scope: Scope,
    /// Only if the action is still the one with this digest [default: the one that
    /// was asked for].
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

/// `deny`
#[derive(Debug, Args)]
#[command(after_help = DENY_HELP)]
pub(super) struct Deny {
    #[command(flatten)]
    request: Request,
    /// Why, for the agent and the record; at most 500 characters.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn approve_help() -> String {
    format!(
        "\
What runs is exactly what was asked for, once. The answer comes when it has
ended, and shows the result. An approval has no effect when the action, its
connection or its mode has changed since, when somebody was faster, or when the
request has expired: then the answer says so, and nothing was done.

With --always the action may run from now on without asking, for as long as its
definition stays what it is.

Examples:
  portcullis approve 74d06694
  portcullis approve 74d06694 --always
  portcullis approve 74d06694 --always --scope automation

PORTCULLIS_TOKEN holds the token of an owner or admin. `portcullis inbox` shows
what waits, with all its params.

{EXIT_CODES}"
    )
}

const DENY_HELP: &str = "\
What is denied never runs. Its agent is told, with the reason if there is one.

Examples:
  portcullis deny 74d06694
  portcullis deny 74d06694 --reason \"Not during the freeze.\"

PORTCULLIS_TOKEN holds the token of an owner or admin. `portcullis inbox` shows
what waits, with all its params.";

impl Approve {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (client, found) = self.request.find(console).await?;
        let asked = found.get("definitionDigest").and_then(Value::as_str);
        let decision = Decision::Approve {
            always: self.always.then_some(self.scope),
            digest: self.digest.or_else(|| asked.map(str::to_owned)),
        };
        decide(console, &client, &found, &decision).await
    }
}

impl Deny {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        let (client, found) = self.request.find(console).await?;
        let decision = Decision::Deny {
            reason: self.reason,
        };
        decide(console, &client, &found, &decision).await
    }
}

impl Request {
    async fn find(&self, console: &Console) -> Result<(Client, Value), Failure> {
        let (client, org) = self.of.decider(console)?;
        let found = find(&client, &org, self.session.as_deref(), &self.id).await?;
        Ok((client, found))
    }
}

async fn decide(
    console: &mut Console,
    client: &Client,
    invocation: &Value,
    decision: &Decision,
) -> Result<Report, Failure> {
    let (session, id) = (field(invocation, "sessionId"), field(invocation, "id"));
    tokio::select! {
        reply = send(client, &session, &id, decision) => outcome(reply?, decision),
        () = &mut console.interrupted => Err(interrupted(invocation)),
    }
}

/// What was decided cannot be taken back by not waiting for the answer.
pub(super) fn interrupted(invocation: &Value) -> Failure {
    let show = show_command(Reader::Person, invocation);
    Failure::new(
        Exit::Interrupted,
        "interrupted",
        "interrupted before the gateway answered; what was decided may hold, and what has begun \
         goes on",
    )
    .hint(format!("`{show}` tells"))
}
