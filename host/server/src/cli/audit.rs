//! `portcullis audit`: the record of what happened.

mod export;
mod verify;

use clap::Subcommand;

use super::console::Console;
use super::failure::Failure;
use super::output::Report;

/// What can be done with the record.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Tell whether the record is whole and as gateways wrote it.
    #[command(after_help = verify::HELP)]
    Verify(verify::Verify),
    /// Print the record, one JSON object a line.
    #[command(after_help = export::HELP)]
    Export(export::Export),
}

/// What `audit --help` tells beyond its commands.
pub(super) const HELP: &str = "\
Both read the database of the gateway, which may run meanwhile.

Examples:
  portcullis audit verify --config /etc/portcullis.toml
  portcullis audit export --config /etc/portcullis.toml --org acme > acme.jsonl";

impl Audit {
    pub(super) async fn run(self, console: &mut Console) -> Result<Report, Failure> {
        match self {
            Self::Verify(verify) => verify.run(console).await,
            Self::Export(export) => export.run(console).await,
        }
    }
}

/// A chain as JSON names it: `null` is the gateway's own.
fn organization_id(chain: &str) -> Option<&str> {
    (!chain.is_empty()).then_some(chain)
}
