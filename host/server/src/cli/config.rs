//! `portcullis config`.

mod check;
mod oddities;
mod shown;

use clap::Subcommand;

use super::failure::Failure;
use super::output::Report;
use super::settings::Settings;

/// The subcommands of `config`.
#[derive(Debug, Subcommand)]
pub(super) enum Configs {
    /// Tell whether `serve` would take the configuration.
    ///
    /// Reads the file, the environment and the flags exactly as `serve` does. The
    /// database is not opened and nothing is listened on.
    #[command(after_help = "\
Examples:
  portcullis config check --config portcullis.toml
  portcullis config check --plugins target/plugins --json

What is wrong is told with the key or the file, and the command ends with 1.")]
    Check {
        #[command(flatten)]
        settings: Settings,
    },
    /// Show every key with the value in force.
    ///
    /// Secrets are shown as [set] or [not set].
    #[command(after_help = "\
Examples:
  portcullis config print --config portcullis.toml
  portcullis config print --defaults > portcullis.toml")]
    Print {
        #[command(flatten)]
        settings: Settings,
        /// The documented defaults instead, to start a file from.
        #[arg(long, conflicts_with_all = ["config", "listen", "storage", "plugins", "log"])]
        defaults: bool,
    },
}

/// What `config --help` tells beyond its commands.
pub(super) const HELP: &str = "\
Later sources win: the defaults, the file, the environment, where
PORTCULLIS__SECTION__KEY sets section.key, and the flags.

Examples:
  portcullis config print --defaults > portcullis.toml
  portcullis config check --config portcullis.toml";

impl Configs {
    pub(super) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Check { settings } => check::check(&settings),
            Self::Print { defaults: true, .. } => Ok(Report::piped(crate::config::DEFAULTS)),
            Self::Print { settings, .. } => shown::print(&settings),
        }
    }
}
