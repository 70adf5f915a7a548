//! `portcullis source`: what a source has become since it was reviewed.

mod shown;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::caller::OfOrg;
use super::client::Client;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::output::{Report, field};

/// `source`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Sources {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
What a source was when the organization first used it counts as reviewed. When an
action is called differently later, or appears later, what would be allowed waits
for a person, until somebody has looked at it and confirmed it.

Examples:
  portcullis source review linear --org acme
  portcullis source review linear --org acme --confirm list_issues

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN; confirming takes an owner or admin.";

#[derive(Debug, Subcommand)]
enum Act {
    /// What was reviewed, what it has become, and where the two differ.
    #[command(after_help = REVIEW_HELP)]
    Review(Review),
}

const REVIEW_HELP: &str = "\
Each part that differs is a line: + was added, - was removed, ~ is another one.
Lines that end with (text) change what is said about the action, the others how it
is called.

--confirm takes exactly what is shown for reviewed. Modes that are set for these
actions hold for them as they are now. What is gone is forgotten; should it come
back, it is new. If anything has changed in between, nothing is confirmed.

Examples:
  portcullis source review linear
  portcullis source review linear --confirm
  portcullis source review linear --confirm list_issues create_issue";

/// `source review`
#[derive(Debug, Args)]
struct Review {
    /// The source, such as linear.
    source: String,
    /// Confirm these actions, or without a name all that have changed.
    #[arg(long, value_name = "ACTION", num_args = 0..)]
    confirm: Option<Vec<String>>,
}

impl Sources {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        let Act::Review(Review { source, confirm }) = self.act;
        let path = ["v1", "orgs", &org, "sources", &source, "review"];
        let review = client.get(&path, &[]).await?;
        match confirm {
            None => Ok(shown::review(review)),
            Some(named) => confirm_shown(&client, &path, review, &named).await,
        }
    }
}

/// Confirms the definitions of this review, of the actions that are named.
async fn confirm_shown(
    client: &Client,
    path: &[&str],
    review: Value,
    named: &[String],
) -> Result<Report, Failure> {
    let chosen = chosen(&review, named)?;
    if chosen.is_empty() {
        return Ok(shown::review(review).text("\nThere is nothing to confirm."));
    }
    let actions: Vec<_> = chosen.iter().map(|action| as_seen(action)).collect();
    let answer = client.post(path, &json!({ "actions": actions })).await?;
    let ids: Vec<_> = chosen.iter().map(|action| field(action, "id")).collect();
    let report = shown::review(review).with_json(answer);
    Ok(report.text(format!("\nConfirmed: {}.", ids.join(", "))))
}

/// The actions that are named, or all that are not as they were reviewed.
fn chosen<'a>(review: &'a Value, named: &[String]) -> Result<Vec<&'a Value>, Failure> {
    let all = shown::actions(review);
    if named.is_empty() {
        return Ok(all.filter(|action| shown::has_changed(action)).collect());
    }
    let all: Vec<_> = all.collect();
    let find = |name: &String| {
        let found = all.iter().find(|action| field(action, "id") == *name);
        found.copied().ok_or_else(|| {
            let ids: Vec<_> = all.iter().map(|action| field(action, "id")).collect();
            let source = field(review, "sourceId");
            let message = format!("{source} has no action `{name}`");
            Failure::new(Exit::Refused, "unknown_action", message)
                .hint(format!("it has: {}", ids.join(", ")))
        })
    };
    named.iter().map(find).collect()
}

/// An action with the digest that was shown; one that is gone has none.
fn as_seen(action: &Value) -> Value {
    json!({ "id": action.get("id"), "digest": action.pointer("/current/digest") })
}
