//! The command line, and how much is measured.

use portcullis_benches::fake::Role;
use portcullis_benches::gateway::{Database, Program};

use crate::seed;

/// Measures decisions about what waits, and events about them.
#[derive(Debug, clap::Parser)]
#[command(name = "bench-decisions")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) database: Database,
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
    pub(crate) role: Option<Role>,
}

impl Options {
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
