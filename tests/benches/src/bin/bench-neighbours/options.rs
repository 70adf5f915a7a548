//! The command line, and how much is measured.

use std::time::Duration;

use portcullis_benches::gateway::{Database, Program};

use crate::attacks::Attack;

/// Measures an honest session's calls while others attack.
#[derive(Debug, clap::Parser)]
#[command(name = "bench-neighbours")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Only attacks whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) only: String,
    /// Connections that attack, each with a session of its own.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) attackers: usize,
    /// Honest calls a second.
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) rate: u32,
    /// For how long, during each attack.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) seconds: u32,
    #[command(flatten)]
    pub(crate) program: Program,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// What this program is when it is not the load generator.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Role {
    /// Serve a fake Linear until stdin ends.
    #[command(hide = true)]
    FakeLinear {
        /// The token it accepts.
        #[arg(long)]
        token: String,
    },
    /// Serve a hostile upstream until stdin ends.
    #[command(hide = true)]
    HostileUpstream,
}

impl Options {
    pub(crate) fn wants(&self, attack: &Attack) -> bool {
        attack.name.contains(&self.only)
    }

    /// Honest calls during one attack.
    pub(crate) fn calls(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }

    /// Between two attacks: long enough to see the gateway recover.
    pub(crate) fn calls_between(&self) -> u64 {
        u64::from(self.rate)
    }
}

/// How long an attack goes on before anybody is measured.
pub(crate) const HEAD_START: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn an_attack_is_chosen_by_a_part_of_its_name() {
        let attacks = crate::attacks::all(&[]);
        let wanted = |words: &[&str]| {
            let options = Options::parse_from(words);
            attacks
                .iter()
                .filter(|attack| options.wants(attack))
                .count()
        };
        assert_eq!(wanted(&["bench-neighbours"]), attacks.len());
        assert_eq!(wanted(&["bench-neighbours", "--only", "gzip"]), 1);
    }
}
