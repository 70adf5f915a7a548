//! Who asks, about what: the arguments that most commands share.

use clap::Args;

use super::COMMON;
use super::claims::Claims;
use super::client::{Client, Credential};
use super::console::{Console, variables};
use super::exit::Exit;
use super::failure::Failure;
use crate::config::Secret;

/// Where the gateway is.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// Where it is.
    #[arg(
        long,
        global = true,
        help_heading = COMMON,
        display_order = 3,
        value_name = "URL",
        help = "Where the gateway is [default: PORTCULLIS_URL, else http://127.0.0.1:8480]"
    )]
    url: Option<String>,
}

/// The organization in question.
#[derive(Debug, Args)]
pub(super) struct OfOrg {
    #[command(flatten)]
    server: Server,
    /// The organization [default: that of the user token].
    #[arg(long, global = true, help_heading = COMMON, display_order = 1, value_name = "ORG")]
    org: Option<String>,
}

/// The session in question.
#[derive(Debug, Args)]
pub(super) struct OfSession {
    #[command(flatten)]
    server: Server,
    /// The session [default: that of the sandbox token].
    #[arg(long, global = true, help_heading = COMMON, display_order = 1, value_name = "ID")]
    session: Option<String>,
}

impl Server {
    /// Asks as the operator, or as whoever holds the token.
    pub(super) fn as_manager(&self, console: &Console) -> Result<Client, Failure> {
        let names = [variables::OPERATOR_KEY, variables::TOKEN];
        let credential = names.iter().find_map(|name| credential(console, name));
        let credential = credential.ok_or_else(|| {
            missing(
                "neither PORTCULLIS_OPERATOR_KEY nor PORTCULLIS_TOKEN is set",
                "set the operator's key (auth.operator_key of the gateway's configuration), or \
                 a user token",
            )
        })?;
        Client::new(console, self.url.as_deref(), credential)
    }
}

impl OfOrg {
    /// Asks about the organization.
    pub(super) fn manager(&self, console: &Console) -> Result<(Client, String), Failure> {
        let client = self.server.as_manager(console)?;
        let org = self.org.clone().or_else(|| org_of_token(console));
        let org = org.ok_or_else(|| {
            Failure::usage("which organization? --org is missing")
                .hint("`portcullis org list` shows what there is")
        })?;
        Ok((client, org))
    }

    /// As [`manager`](Self::manager), about the organization that is named without
    /// `--org`, if one is.
    pub(super) fn manager_of(
        self,
        console: &Console,
        named: Option<String>,
    ) -> Result<(Client, String), Failure> {
        let org = named.or(self.org);
        Self { org, ..self }.manager(console)
    }

    /// Asks as a person who decides. That is never the operator, whose key may be
    /// set as well.
    pub(super) fn decider(&self, console: &Console) -> Result<(Client, String), Failure> {
        const WHERE_FROM: &str = "set it to the token of an owner or admin; an operator makes one \
                                  with `portcullis token user --org ORG --user USER`";
        let credential = credential(console, variables::TOKEN)
            .ok_or_else(|| missing("PORTCULLIS_TOKEN is not set", WHERE_FROM))?;
        let claims = Claims::read(credential.secret.expose());
        if let Some(Claims::Sandbox(_)) = claims {
            let message = "PORTCULLIS_TOKEN is the token of an agent, and agents do not decide";
            return Err(missing(message, WHERE_FROM));
        }
        let client = Client::new(console, self.server.url.as_deref(), credential)?;
        let of_token = match claims {
            Some(Claims::User(org)) => Some(org),
            _ => None,
        };
        let org = self.org.clone().or(of_token).ok_or_else(|| {
            Failure::usage("which organization? PORTCULLIS_TOKEN does not say")
                .hint(format!("name it with --org, or {WHERE_FROM}"))
        })?;
        Ok((client, org))
    }
}

impl OfSession {
    /// Asks about the session, with the token.
    pub(super) fn agent(&self, console: &Console) -> Result<(Client, String), Failure> {
        let credential = credential(console, variables::TOKEN).ok_or_else(|| {
            missing(
                "PORTCULLIS_TOKEN is not set",
                "set it to the token of the agent's session; an operator makes one with \
                 `portcullis token sandbox --session ID`",
            )
        })?;
        let client = Client::new(console, self.server.url.as_deref(), credential)?;
        let session = self.session.clone().or_else(|| session_of_token(console));
        let session = session.ok_or_else(|| {
            Failure::usage("which session? PORTCULLIS_TOKEN is no sandbox token")
                .hint("name the session with --session, or use its sandbox token")
        })?;
        Ok((client, session))
    }
}

fn credential(console: &Console, variable: &'static str) -> Option<Credential> {
    let secret = console.variable(variable)?.to_owned();
    Some(Credential {
        secret: Secret::new(secret),
        variable,
    })
}

fn missing(message: &str, hint: &str) -> Failure {
    Failure::new(Exit::Unauthorized, "unauthorized", message).hint(hint)
}

fn session_of_token(console: &Console) -> Option<String> {
    match Claims::read(console.variable(variables::TOKEN)?)? {
        Claims::Sandbox(session) => Some(session),
        Claims::User(_) => None,
    }
}

/// The organization of the token, unless the operator asks.
fn org_of_token(console: &Console) -> Option<String> {
    if console.variable(variables::OPERATOR_KEY).is_some() {
        return None;
    }
    match Claims::read(console.variable(variables::TOKEN)?)? {
        Claims::User(org) => Some(org),
        Claims::Sandbox(_) => None,
    }
}
