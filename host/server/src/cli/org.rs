//! `portcullis org` and `portcullis org members`; the rest of it has files of its
//! own.

mod approvals;
mod drift;

use clap::{Args, Subcommand};
use serde_json::json;

use super::caller::{OfOrg, Server};
use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// The subcommands of `org`.
#[derive(Debug, Subcommand)]
pub(super) enum Org {
    /// Make an organization.
    #[command(after_help = "\
Example:
  portcullis org create acme --name \"Acme Inc.\"")]
    Create(Create),
    /// List the organizations.
    #[command(after_help = "\
Example:
  portcullis org list")]
    List(List),
    /// Who belongs to an organization, and as what.
    Members(Members),
    /// How long requests wait for a person.
    Approvals(approvals::Approvals),
    /// What happens to actions that read differently than they were reviewed.
    Drift(drift::Drift),
}

/// `org create`
#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    server: Server,
    /// Its id: any text of 1 to 128 characters, the platform's own.
    id: String,
    /// Its name, for people.
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// `org list`
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,
}

/// `org members`
#[derive(Debug, Args)]
#[command(after_help = MEMBERS_HELP)]
pub(super) struct Members {
    #[command(flatten)]
    of: OfOrg,
    #[command(subcommand)]
    act: Act,
}

const MEMBERS_HELP: &str = "\
Owners and admins decide about requests and manage the organization; members
look on. Only owners and the operator appoint owners.

Examples:
  portcullis org members list --org acme
  portcullis org members set ada admin --org acme
  portcullis org members remove ada --org acme";

#[derive(Debug, Subcommand)]
enum Act {
    /// List the members.
    #[command(after_help = "\
Example:
  portcullis org members list --org acme")]
    List,
    /// Add somebody, or change their role.
    #[command(after_help = "\
Example:
  portcullis org members set ada admin --org acme")]
    Set {
        /// The person, as the platform names them.
        user: String,
        /// Their role.
        #[arg(value_parser = ["owner", "admin", "member"])]
        role: String,
    },
    /// Remove somebody.
    #[command(after_help = "\
Example:
  portcullis org members remove ada --org acme")]
    Remove {
        /// The person, as the platform names them.
        user: String,
    },
}

/// What `org --help` tells beyond its commands.
pub(super) const HELP: &str = "\
Examples:
  portcullis org create acme --name \"Acme Inc.\"
  portcullis org members set ada admin --org acme
  portcullis org approvals acme --interactive 10m
  portcullis org drift acme --text-changes require_approval

Making and listing organizations takes the operator's key, in
PORTCULLIS_OPERATOR_KEY.";

impl Org {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        match self {
            Self::Create(Create { server, id, name }) => {
                let client = server.as_manager(console)?;
                let body = json!({ "id": id, "name": name });
                Ok(Report::object(client.post(&["v1", "orgs"], &body).await?))
            }
            Self::List(List { server }) => {
                let client = server.as_manager(console)?;
                let columns = [("ID", "id"), ("NAME", "name"), ("CREATED", "createdAt")];
                let empty = "There is no organization yet; `portcullis org create` makes one.";
                let answer = client.get(&["v1", "orgs"], &[]).await?;
                Ok(Report::list(answer, "orgs", &columns, empty))
            }
            Self::Members(members) => members.run(console).await,
            Self::Approvals(approvals) => approvals.run(console).await,
            Self::Drift(drift) => drift.run(console).await,
        }
    }
}

impl Members {
    async fn run(self, console: &Console) -> Result<Report, Failure> {
        let (client, org) = self.of.manager(console)?;
        match self.act {
            Act::List => {
                let answer = client.get(&["v1", "orgs", &org, "members"], &[]).await?;
                let columns = [("USER", "userId"), ("ROLE", "role"), ("SINCE", "createdAt")];
                let empty = "Nobody belongs to it yet; `portcullis org members set` adds people.";
                Ok(Report::list(answer, "members", &columns, empty))
            }
            Act::Set { user, role } => {
                let path = ["v1", "orgs", &org, "members", &user];
                let answer = client.put(&path, &json!({ "role": role })).await?;
                Ok(Report::object(answer))
            }
            Act::Remove { user } => {
                let path = ["v1", "orgs", &org, "members", &user];
                client.delete(&path).await?;
                Ok(Report::done(format!("{user} no longer belongs to {org}.")))
            }
        }
    }
}
