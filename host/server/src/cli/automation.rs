//! `portcullis automation`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::caller::OfOrg;
use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// `automation`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Automations {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
An automation is a task that runs again and again; its modes override those of
the organization.

Examples:
  portcullis automation create --name \"Nightly triage\" --org acme
  portcullis mode set linear.create_issue allow --automation ID --org acme

PORTCULLIS_OPERATOR_KEY is used where it is set, else the user token in
PORTCULLIS_TOKEN.";

#[derive(Debug, Subcommand)]
enum Act {
    /// Make an automation.
    #[command(after_help = "\
Example:
  portcullis automation create --name \"Nightly triage\" --org acme")]
    Create {
        /// Its name, for people.
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// List the automations.
    #[command(after_help = "\
Example:
  portcullis automation list --org acme")]
    List,
}

impl Automations {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        let path = ["v1", "orgs", &org, "automations"];
        match self.act {
            Act::Create { name } => {
                let answer = client.post(&path, &json!({ "name": name })).await?;
                Ok(Report::object(answer))
            }
            Act::List => {
                let columns = [("ID", "id"), ("NAME", "name"), ("CREATED", "createdAt")];
                let empty = "There is no automation yet; `portcullis automation create` makes one.";
                let answer = client.get(&path, &[]).await?;
                Ok(Report::list(answer, "automations", &columns, empty))
            }
        }
    }
}
