//! The command line: the tree of commands, and how each of them ends.
//!
//! Two kinds live here and know nothing of each other. `serve`, `config`, `keys`,
//! `cache`, `audit` and `plugin inspect|keygen|sign|verify` are the gateway's own and
//! work without one running. All others are clients: they speak HTTP through `client`, as anybody
//! could, and name no type of the gateway.
//!
//! A command is a file with its arguments, its help and a `run` that returns a
//! [`output::Report`]; it prints nothing itself. To add one, write such a file
//! and name it in [`Command`].

mod actions;
mod approve;
mod audit;
mod automation;
mod cache;
mod caller;
mod claims;
mod client;
mod completions;
mod config;
mod connection;
mod console;
mod database;
mod decide;
mod egress;
mod exit;
mod failure;
mod inbox;
mod invocations;
mod keys;
mod mode;
mod org;
mod output;
mod plugin;
mod serve;
mod session;
mod settings;
mod source;
mod times;
mod token;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

pub use console::{Console, Interrupted, Quieten, variables};
pub use exit::Exit;

use failure::Failure;
use output::Report;

/// A gateway through which AI agents act on external services.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true, after_help = HELP)]
struct Cli {
    /// JSON instead of tables and sentences, also for errors; what is piped is
    /// JSON anyway.
    #[arg(long, global = true, help_heading = COMMON, display_order = 2)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// The heading of what most commands take, below what is their own.
const COMMON: &str = "Common options";

const HELP: &str = "\
Examples:
  portcullis serve --config portcullis.toml
  portcullis actions run --integration linear --action list_issues --params '{\"first\": 3}'
  portcullis inbox

Commands that talk to a gateway read three variables:

  PORTCULLIS_URL           where it is, unless it is http://127.0.0.1:8480
  PORTCULLIS_TOKEN         the token of an agent's session, or of a person
  PORTCULLIS_OPERATOR_KEY  the operator's key

`portcullis COMMAND --help` tells more, `portcullis actions --help` also what the
exit codes mean.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Serve),
    /// What an agent can do, and doing it.
    Actions(actions::Actions),
    /// What waits for a decision: look at it, and decide.
    Inbox(inbox::Inbox),
    /// Let what waits run, once or for good.
    Approve(approve::Approve),
    /// Refuse what waits.
    Deny(approve::Deny),
    /// Organizations, their members, and what they decide for all their agents.
    #[command(after_help = org::HELP)]
    Org {
        #[command(subcommand)]
        act: org::Org,
    },
    /// Sessions, in which agents work.
    Session(session::Sessions),
    /// Automations, which have modes of their own.
    Automation(automation::Automations),
    /// Credentials for providers.
    Connection(connection::Connections),
    /// What may happen without asking.
    Mode(mode::Modes),
    /// What sources have become since they were reviewed.
    Source(source::Sources),
    /// Tokens for agents and people.
    Token(token::Tokens),
    /// What plugins may reach beyond public addresses.
    Egress(egress::Egress),
    /// What the agents of an organization asked for.
    Invocations(invocations::Invocations),
    /// What a plugin is and can do.
    #[command(after_help = plugin::HELP)]
    Plugin {
        #[command(subcommand)]
        act: plugin::Plugins,
    },
    /// What is kept of compiled plugins: verify it, remove it.
    #[command(after_help = cache::HELP)]
    Cache {
        #[command(subcommand)]
        act: cache::Caches,
    },
    /// The gateway's configuration.
    #[command(after_help = config::HELP)]
    Config {
        #[command(subcommand)]
        act: config::Configs,
    },
    /// The master key that encrypts secrets at rest: make, show, rotate.
    #[command(after_help = keys::HELP)]
    Keys {
        #[command(subcommand)]
        act: keys::Keys,
    },
    /// The record of what happened: verify it, export it.
    #[command(after_help = audit::HELP)]
    Audit {
        #[command(subcommand)]
        act: audit::Audit,
    },
    /// A script that completes commands in a shell.
    Completions(completions::Completions),
}

/// The tree of commands, for whoever documents or completes it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that these arguments name; the first is the program's name.
pub async fn run<A>(arguments: impl IntoIterator<Item = A>, console: &mut Console) -> Exit
where
    A: Into<OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            let ended = cli.command.run(console, cli.json).await;
            output::print(console, cli.json, ended)
        }
        // Asked for nothing: help, beside a code that tells scripts so.
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            console.notice(&error.render().to_string());
            Exit::Usage
        }
        Err(error) => {
            let json = arguments.iter().any(|argument| argument == "--json");
            output::print(console, json, unparsed(&error))
        }
    }
}

/// Help and version are what was asked for; the rest is a wrong command line.
fn unparsed(error: &clap::Error) -> Result<Report, Failure> {
    let text = error.render().to_string();
    if error.use_stderr() {
        let text = text.trim_end();
        return Err(Failure::usage(text.strip_prefix("error: ").unwrap_or(text)));
    }
    Ok(Report::piped(text))
}

impl Command {
    /// `json`: somebody asks for JSON alone.
    async fn run(self, console: &mut Console, json: bool) -> Result<Report, Failure> {
        match self {
            Self::Serve(serve) => serve.run().await,
            Self::Actions(actions) => actions.run(console).await,
            Self::Inbox(inbox) => inbox.run(console, json).await,
            Self::Approve(approve) => approve.run(console).await,
            Self::Deny(deny) => deny.run(console).await,
            Self::Org { act } => act.run(console).await,
            Self::Session(sessions) => sessions.run(console).await,
            Self::Automation(automations) => automations.run(console).await,
            Self::Connection(connections) => connections.run(console).await,
            Self::Mode(modes) => modes.run(console).await,
            Self::Source(sources) => sources.run(console).await,
            Self::Token(tokens) => tokens.run(console).await,
            Self::Egress(egress) => egress.run(console).await,
            Self::Invocations(invocations) => invocations.run(console).await,
            Self::Plugin { act } => act.run(console, json).await,
            Self::Cache { act } => act.run().await,
            Self::Config { act } => act.run(),
            Self::Keys { act } => act.run(console).await,
            Self::Audit { act } => act.run(console).await,
            Self::Completions(completions) => completions.run(command()),
        }
    }
}
