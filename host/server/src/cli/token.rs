//! `portcullis token`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::caller::Server;
use super::console::Console;
use super::failure::Failure;
use super::output::{Report, short};

/// `token`
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Tokens {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    act: Act,
}

const HELP: &str = "\
In a pipe only the token is printed, so that it can go straight into a variable.

Examples:
  export PORTCULLIS_TOKEN=$(portcullis token sandbox --session ID)
  export PORTCULLIS_TOKEN=$(portcullis token user --org acme --user ada)

Tokens are made by the operator, with the key in PORTCULLIS_OPERATOR_KEY.";

#[derive(Debug, Subcommand)]
enum Act {
    /// A token for the agent of a session.
    #[command(after_help = "\
Example:
  export PORTCULLIS_TOKEN=$(portcullis token sandbox --session ID)")]
    Sandbox {
        /// The session.
        #[arg(long, value_name = "ID")]
        session: String,
    },
    /// A token for a person.
    #[command(after_help = "\
Example:
  export PORTCULLIS_TOKEN=$(portcullis token user --org acme --user ada)")]
    User {
        /// The organization.
        #[arg(long, value_name = "ORG")]
        org: String,
        /// The person.
        #[arg(long, value_name = "USER")]
        user: String,
    },
}

impl Tokens {
    pub(super) async fn run(self, console: &Console) -> Result<Report, Failure> {
        let client = self.server.as_manager(console)?;
        let body = match self.act {
            Act::Sandbox { session } => json!({ "kind": "sandbox", "sessionId": session }),
            Act::User { org, user } => json!({ "kind": "user", "orgId": org, "userId": user }),
        };
        let answer = client.post(&["v1", "tokens"], &body).await?;
        let token = answer.get("token").and_then(Value::as_str);
        let token = token.ok_or_else(|| Failure::other("the answer holds no token"))?;
        let until = format!("It works until {}.", short(&answer, "expiresAt"));
        Ok(Report::piped(token).text(until).with_json(answer))
    }
}
