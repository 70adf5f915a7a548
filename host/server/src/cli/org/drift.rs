//! `portcullis org drift`.

use clap::Args;
use serde_json::{Value, json};

use super::super::caller::OfOrg;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::output::{Report, field};

/// `org drift`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Drift {
    #[command(flatten)]
    of: OfOrg,
    /// The organization, as --org names it.
    #[arg(value_name = "ORG", conflicts_with = "org")]
    named: Option<String>,
    /// What happens to an action that only reads differently.
    #[arg(long, value_name = "WHAT", value_parser = ["flag", "require_approval"])]
    text_changes: Option<String>,
}

const HELP: &str = "\
An action that is called differently than it was reviewed always waits for a
person where it was allowed. One that only reads differently, such as with another
description, is told (flag), or waits as well (require_approval). Without options
the policy is shown.

Examples:
  portcullis org drift acme
  portcullis org drift acme --text-changes require_approval

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN; setting takes an owner or admin.";

impl Drift {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager_of(console, self.named)?;
        let path = ["v1", "orgs", &org, "drift"];
        let policy = match self.text_changes {
            None => client.get(&path, &[]).await?,
            Some(text_changes) => {
                let body = json!({ "textChanges": text_changes });
                client.put(&path, &body).await?
            }
        };
        Ok(shown(policy))
    }
}

fn shown(policy: Value) -> Report {
    let meaning = match field(&policy, "textChanges").as_str() {
        "flag" => "flag: they are told".to_owned(),
        "require_approval" => "require_approval: what was allowed waits for a person".to_owned(),
        other => other.to_owned(),
    };
    Report::new(policy).fields(vec![("actions that read differently".to_owned(), meaning)])
}
