//! `portcullis egress`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::caller::Server;
use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// `egress`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Egress {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
Plugins reach public addresses over https and nothing else. A grant opens one
origin beyond that, such as a GitLab in your own network.

Examples:
  portcullis egress grant http://10.1.2.3:8080
  portcullis egress list
  portcullis egress revoke ID

Grants are the operator's, with the key in PORTCULLIS_OPERATOR_KEY.";

#[derive(Debug, Subcommand)]
enum Act {
    /// Open an origin to plugins.
    #[command(after_help = "\
Example:
  portcullis egress grant http://10.1.2.3:8080")]
    Grant {
        /// Scheme, host and port.
        origin: String,
    },
    /// List the grants.
    #[command(after_help = "\
Example:
  portcullis egress list")]
    List,
    /// Take a grant back.
    #[command(after_help = "\
Example:
  portcullis egress revoke 6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11")]
    Revoke {
        /// The grant.
        id: String,
    },
}

impl Egress {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let path = ["v1", "egress-grants"];
        match self.act {
            Act::Grant { origin } => {
                let answer = client.post(&path, &json!({ "origin": origin })).await?;
                Ok(Report::object(answer))
            }
            Act::List => {
                let columns = [("ID", "id"), ("ORIGIN", "origin"), ("SINCE", "createdAt")];
                let empty = "Nothing is granted; plugins reach public https addresses only.";
                let answer = client.get(&path, &[]).await?;
                Ok(Report::list(answer, "egressGrants", &columns, empty))
            }
            Act::Revoke { id } => {
                client.delete(&["v1", "egress-grants", &id]).await?;
                Ok(Report::done(format!("The grant {id} is taken back.")))
            }
        }
    }
}
