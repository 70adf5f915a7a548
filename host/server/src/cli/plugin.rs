//! `portcullis plugin`.

mod approve;
mod decide;
mod files;
mod inspect;
mod install;
mod keygen;
mod oci;
mod origin;
mod sheet;
mod shown;
mod sign;
mod trust;
mod verify;

use clap::{Args, Subcommand};

use super::caller::Server;
use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// The subcommands of `plugin`.
#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// What a file is and can do, without a gateway.
    ///
    /// The file is loaded as a gateway would load it; nothing of it can reach
    /// out while it is.
    #[command(after_help = "\
Examples:
  portcullis plugin inspect target/plugins/linear.wasm
  portcullis plugin inspect linear.wasm --json | jq .capabilities
  portcullis plugin inspect linear.wasm --verbose --config /etc/portcullis.toml

What is no plugin is told with the reason, and the command ends with 1.")]
    Inspect(inspect::Inspect),
    /// Make a key that signs plugins.
    #[command(after_help = keygen::HELP)]
    Keygen(keygen::Keygen),
    /// Sign a plugin, so that gateways know where it comes from.
    #[command(after_help = sign::HELP)]
    Sign(sign::Sign),
    /// Tell who signed a plugin, and whether that is enough.
    #[command(after_help = verify::HELP)]
    Verify(verify::Verify),
    /// Load a plugin, or a new version of one, into a running gateway.
    #[command(after_help = install::HELP)]
    Install(install::Install),
    /// The plugins of a running gateway, and files it could not load.
    #[command(after_help = "\
Example:
  portcullis plugin list")]
    List(List),
    /// A plugin with all its versions.
    #[command(after_help = "\
Example:
  portcullis plugin show linear")]
    Show(Show),
    /// What a version wants that the active one does not.
    #[command(after_help = shown::DIFF_HELP)]
    Diff(Diff),
    /// Let a version that waits serve.
    #[command(after_help = approve::HELP)]
    Approve(approve::Approve),
    /// Refuse a version that waits.
    #[command(after_help = decide::REJECT_HELP)]
    Reject(decide::Reject),
    /// Go back to a version that has served before.
    #[command(after_help = decide::ROLL_BACK_HELP)]
    Rollback(decide::RollBack),
    /// End a plugin.
    #[command(after_help = decide::REMOVE_HELP)]
    Remove(decide::Remove),
}

/// `plugin list`
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,
}

/// `plugin show`
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
}

/// `plugin diff`
#[derive(Debug, Args)]
pub(super) struct Diff {
    #[command(flatten)]
    server: Server,
    /// The plugin, such as linear.
    id: String,
    /// The version that is compared with the active one [default: the one that
    /// waits].
    digest: Option<String>,
}

/// What `plugin --help` tells beyond its commands.
pub(super) const HELP: &str = "\
A version that asks for nothing new and changes nothing that people rely on
serves as soon as it is installed. Any other waits until somebody has seen what
is new and approves it. Calls that run end on the version they began with.

Examples:
  portcullis plugin inspect linear.wasm
  portcullis plugin keygen --out signing.key
  portcullis plugin sign linear.wasm --key signing.key
  portcullis plugin verify linear.wasm --key signing.key.pub
  portcullis plugin install linear.wasm
  portcullis plugin diff linear
  portcullis plugin approve linear
  portcullis plugin rollback linear

inspect, keygen, sign and verify need no gateway; the others take the operator's
key, in PORTCULLIS_OPERATOR_KEY.";

impl Plugins {
    /// `json`: somebody asks for JSON alone.
    pub(super) async fn run(self, console: &mut Console, json: bool) -> Result<Report, Failure> {
        match self {
            Self::Inspect(inspect) => inspect.run(console).await,
            Self::Keygen(keygen) => keygen.run(),
            Self::Sign(sign) => sign.run().await,
            Self::Verify(verify) => verify.run().await,
            Self::Install(install) => install.run(console).await,
            Self::List(List { server }) => {
                let client = server.as_manager(console)?;
                Ok(shown::list(client.get(&["v1", "plugins"], &[]).await?))
            }
            Self::Show(Show { server, id }) => {
                let client = server.as_manager(console)?;
                let answer = client.get(&["v1", "plugins", &id], &[]).await?;
                Ok(shown::history(answer))
            }
            Self::Diff(Diff { server, id, digest }) => {
                let client = server.as_manager(console)?;
                let answer = shown::compare(&client, &id, digest.as_deref()).await?;
                Ok(shown::difference_and_next(answer))
            }
            Self::Approve(approve) => approve.run(console, json).await,
            Self::Reject(reject) => reject.run(console).await,
            Self::Rollback(roll_back) => roll_back.run(console).await,
            Self::Remove(remove) => remove.run(console).await,
        }
    }
}
