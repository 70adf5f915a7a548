//! `portcullis inbox`: what waits for a decision, at a terminal as it comes.

mod entries;
mod live;
mod menu;
mod news;
mod screen;
mod sheet;
mod wrap;

use clap::Args;
use portcullis_core::time::Timestamp;
use serde_json::Value;

use super::caller::OfOrg;
use super::console::Console;
use super::decide::waiting::{SHORT_CHARS, waiting};
use super::failure::Failure;
use super::output::{Report, field};

/// `inbox`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Inbox {
    #[command(flatten)]
    of: OfOrg,
    /// The table as it is now, also in a pipe, and no questions.
    #[arg(long)]
    once: bool,
}

const HELP: &str = "\
At a terminal the list stays: what is asked for meanwhile is announced, and so is
what others decide or what expires. Type a number to see everything about a
request: the action, all its params, who asks, and whether the action has changed
since. Then a approves it, o approves it and allows it from now on, d denies it,
s goes back to the list, q quits. Enter shows the list again. Lines are printed
and nothing else, so it works over ssh and with a screen reader.

Without a terminal, or with --json, what waits is printed once: a JSON object on
each line, oldest first.

Examples:
  portcullis inbox
  portcullis inbox --once
  portcullis inbox --json | jq -r .id

PORTCULLIS_TOKEN holds the token of an owner or admin. `portcullis approve` and
`portcullis deny` decide about one request by its id.";

impl Inbox {
    /// `json`: somebody asks for JSON alone.
    pub(super) async fn run(self, console: &mut Console, json: bool) -> Result<Report, Failure> {
        let (client, org) = self.of.decider(console)?;
        let list = ["v1", "orgs", org.as_str(), "invocations"];
        let now_waiting = waiting(&client, &list).await?;
        let is_watched = console.stdin_is_terminal && console.stdout_is_terminal;
        if is_watched && !json && !self.once {
            return live::run(console, &client, &org, now_waiting).await;
        }
        let report = as_it_is(now_waiting, console.clock.now());
        if self.once {
            return Ok(report.also_piped(console));
        }
        Ok(report)
    }
}

/// What waits, once.
fn as_it_is(waiting: Vec<Value>, now: Timestamp) -> Report {
    let rows: Vec<_> = waiting
        .iter()
        .map(|invocation| {
            let id = field(invocation, "id").chars().take(SHORT_CHARS).collect();
            entries::row(id, invocation, now)
        })
        .collect();
    let report = Report::of_lines(waiting);
    if rows.is_empty() {
        return report.text("Nothing waits for a decision.");
    }
    report.table(entries::headers("ID"), rows)
}
