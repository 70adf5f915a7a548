//! The command line, and how much is measured.

use std::path::Path;

use portcullis_benches::gateway::Program;

use crate::seed;

/// Measures decisions about what waits, and events about them.
#[derive(Debug, clap::Parser)]
#[command(name = "bench-decisions")]
pub(crate) struct Options {
    /// The database, by URL; a new SQLite file by default. A Postgres database
    /// should be empty and have its durable defaults.
    #[arg(long, value_name = "URL")]
    pub(crate) storage: Option<String>,
    /// Sessions with ten requests each that wait.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) sessions: u64,
    /// Clients that watch a session each.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) watchers: usize,
    /// Decisions a second.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) rate: u32,
    /// For how long.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) seconds: u32,
    #[command(flatten)]
    pub(crate) program: Program,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the program is when it is not the load generator.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Serve a fake Linear until stdin ends.
    #[command(hide = true)]
    FakeLinear {
        /// The token it accepts.
        #[arg(long)]
        token: String,
    },
}

impl Options {
    pub(crate) fn storage_url(&self, folder: &Path) -> String {
        let file = || format!("sqlite:{}", folder.join("portcullis.db").display());
        self.storage.clone().unwrap_or_else(file)
    }

    pub(crate) fn decisions(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// What agents ask for meanwhile, so that there is enough to decide about.
    pub(crate) fn missing(&self) -> u64 {
        self.decisions().saturating_sub(self.sessions * seed::EACH)
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_minute_needs_more_than_waits_at_its_beginning() {
        let options = Options::parse_from(["bench-decisions"]);
        assert_eq!((options.decisions(), options.missing()), (12_000, 2_000));
    }
}
