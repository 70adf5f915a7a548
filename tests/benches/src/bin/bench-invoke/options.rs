//! The command line, and how much is measured.

use std::time::Duration;

use portcullis_benches::fake::Role;
use portcullis_benches::gateway::{Database, Program};

/// Measures the gateway under load.
#[derive(Debug, clap::Parser)]
#[command(name = "bench-invoke")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Less of everything: about 40 seconds.
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) program: Program,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// How much is measured.
pub(crate) struct Plan {
    /// Sessions that take turns.
    pub(crate) sessions: usize,
    /// Calls before anything counts, and before memory is first looked at.
    pub(crate) warm_up_calls: u64,
    /// Open loops: calls a second.
    pub(crate) rates: [u32; 3],
    /// Closed loops: connections.
    pub(crate) connections: [usize; 4],
    /// How long each loop is.
    pub(crate) seconds: Duration,
    /// All calls, after which memory is looked at again.
    pub(crate) calls: u64,
}

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            // So many that each asks about as often as the limits allow an agent.
            sessions: 1_000,
            warm_up_calls: 1_000,
            rates: [200, 500, 1_000],
            connections: [1, 16, 64, 256],
            seconds: Duration::from_secs(if self.quick { 3 } else { 15 }),
            calls: if self.quick { 0 } else { 100_000 },
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use std::path::Path;

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_default_database_is_a_file_in_the_folder() {
        let options = Options::parse_from(["bench-invoke"]);
        let url = options.database.url(Path::new("/data"));
        assert_eq!(url, "sqlite:/data/portcullis.db");
        let options = Options::parse_from(["bench-invoke", "--storage", "postgres:///x"]);
        assert_eq!(options.database.url(Path::new("/data")), "postgres:///x");
    }
}
