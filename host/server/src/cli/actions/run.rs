//! `portcullis actions run`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::console::Console;
use super::super::exit::{EXIT_CODES, Exit};
use super::super::failure::Failure;
use super::super::output::Report;
use super::params;
use super::settled::{Reader, pending, settled, status_of};
use super::wait::{Ended, Wait};

/// `actions run`
#[derive(Debug, Args)]
#[command(after_help = help())]
pub(super) struct Run {
    /// The source, as `actions list` shows it before the dot.
    #[arg(long, value_name = "SOURCE")]
    integration: String,
    /// The action, as `actions list` shows it behind the dot.
    #[arg(long, value_name = "ACTION")]
    action: String,
    /// The action's params: JSON, @FILE, or - for standard input.
    #[arg(
        long,
        value_name = "JSON",
        default_value = "{}",
        hide_default_value = true
    )]
    params: String,
    /// Makes repeating this request harmless: the same key with the same request
    /// is answered with the same invocation.
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    idempotency_key: Option<String>,
    /// Do not wait for a person; end with 4.
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    /// Wait this long for a person, then end with 4 [default: until it expires].
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

fn help() -> String {
    format!(
        "\
What needs a person is waited for. Ctrl-C ends the waiting and nothing else: the
request stays, and `portcullis actions show ID` tells how it went.

Examples:
  portcullis actions run --integration linear --action list_issues --params '{{\"first\": 3}}'
  portcullis actions run --integration linear --action create_issue --params @issue.json
  echo '{{\"issueId\": \"ENG-1\"}}' |
    portcullis actions run --integration linear --action get_issue --params - | jq .result

{EXIT_CODES}"
    )
}

fn parse_key(text: &str) -> Result<String, &'static str> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 255 visible ASCII characters")
    }
}

impl Run {
    pub(super) async fn run(
        self,
        console: &mut Console,
        client: &Client,
        session: &str,
    ) -> Result<Report, Failure> {
        let body = self.body(console)?;
        let path = [session, "actions", "invoke"];
        let asking = client.invoke(&path, body, self.idempotency_key.as_deref());
        let reply = tokio::select! {
            reply = asking => reply.map_err(unanswered)?,
            () = &mut console.interrupted => return Err(interrupted_early()),
        };
        // Without an invocation nothing happened; with one, its status tells.
        if reply.body.get("invocation").is_none() {
            return Err(reply.failure(Exit::of_status(reply.status)));
        }
        if status_of(&reply.body) != Some(Exit::Pending) {
            return Ok(settled(reply.body, Reader::Agent));
        }
        if self.no_wait {
            return Ok(pending(reply.body));
        }
        self.wait(console, client, session, reply.body).await
    }

    async fn wait(
        &self,
        console: &mut Console,
        client: &Client,
        session: &str,
        document: Value,
    ) -> Result<Report, Failure> {
        let wait = Wait::new(
            client,
            session,
            &document,
            self.timeout.map(Duration::from_secs),
        )?;
        Ok(match wait.run(console, document).await? {
            Ended::Settled(document) => settled(document, Reader::Agent),
            Ended::Pending(document) => pending(document),
        })
    }

    /// The request. The params are put in as they were written.
    fn body(&self, console: &mut Console) -> Result<String, Failure> {
        let params = params::read(console, &self.params)?;
        let (integration, action) = (json!(self.integration), json!(self.action));
        Ok(format!(
            r#"{{"integration":{integration},"action":{action},"params":{params}}}"#
        ))
    }
}

/// Whether a request that was not answered was carried out is not known here.
fn unanswered(failure: Failure) -> Failure {
    match failure.code() {
        "broken" | "timeout" => failure.hint(
            "it may have been done; `portcullis actions history` shows whether there is such a \
             request",
        ),
        _ => failure,
    }
}

fn interrupted_early() -> Failure {
    Failure::new(
        Exit::Interrupted,
        "interrupted",
        "interrupted before the gateway answered; what it has begun goes on",
    )
    .hint("`portcullis actions history` shows whether there is such a request")
}
