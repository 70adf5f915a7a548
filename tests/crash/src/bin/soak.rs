//! Kills often, then fuzzes for long: `cargo xtask soak`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is the result; what is going on goes to stderr"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use portcullis_crash::{Place, Program, Report, Scenario, Victim, run};
use portcullis_fuzz::{Campaign, TARGETS, any_seed};

/// Kills gateways under load, and the server of their database, and compares what
/// clients were told, what the upstream received, what the database holds and what
/// the audit log says. Then feeds every fuzz target with ever new bytes.
///
/// Ends with 1 when a promise was broken; the seed repeats the run in kind.
#[derive(Debug, clap::Parser)]
#[command(name = "soak")]
struct Options {
    /// Kills on each database.
    #[arg(long, value_name = "N", default_value_t = 50)]
    kills: u64,
    /// Makes all choices; by default another one each time.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long all fuzz targets together are fed; 0 leaves them out.
    #[arg(long, value_name = "N", default_value_t = 60)]
    fuzz_minutes: u32,
    /// Only on SQLite, where the gateway is killed.
    #[arg(long, conflicts_with = "postgres")]
    sqlite: bool,
    /// Only on Postgres, where one of two gateways or the server is killed.
    #[arg(long)]
    postgres: bool,
    /// The gateway's program.
    #[arg(long, value_name = "FILE", default_value = "target/debug/portcullis")]
    gateway: PathBuf,
    /// The folder with `linear.wasm`.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    plugins: PathBuf,
}

impl Options {
    fn scenarios(&self, seed: u64) -> Vec<Scenario> {
        let scenario = |place, victim| Scenario {
            place,
            victim,
            kills: self.kills,
            seed,
        };
        let sqlite = scenario(Place::Sqlite, Victim::Gateway);
        let postgres = scenario(Place::Postgres { gateways: 2 }, Victim::Either);
        match (self.sqlite, self.postgres) {
            (true, _) => vec![sqlite],
            (_, true) => vec![postgres],
            _ => vec![sqlite, postgres],
        }
    }

    /// All targets, each for as long; `None` when there is no time for them.
    fn campaign(&self, seed: u64) -> Option<Campaign> {
        let targets = u32::try_from(TARGETS.len()).unwrap_or(u32::MAX);
        let time = Duration::from_mins(self.fuzz_minutes.into()) / targets;
        (!time.is_zero()).then(|| Campaign {
            targets: TARGETS.to_vec(),
            seed,
            time,
            plugins: self.plugins.clone(),
        })
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(any_seed);
    let program = Program {
        gateway: options.gateway.clone(),
        plugins: options.plugins.clone(),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut is_well = true;
    for scenario in options.scenarios(seed) {
        eprintln!("{scenario}");
        let ran = run(&scenario, &program, |line| eprintln!("  {line}"));
        let report = runtime.block_on(ran)?;
        let report = report.context(
            "there is no Postgres to be killed\n\
             hint: install the server (initdb, pg_ctl), or leave it out with `--sqlite`",
        )?;
        is_well &= tell(&report);
    }
    if let Some(campaign) = options.campaign(seed) {
        eprintln!(
            "fuzzing for {} minutes from seed {seed} on",
            options.fuzz_minutes
        );
        is_well &= campaign.run(|line| println!("{line}"));
    }
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether all was well.
fn tell(report: &Report) -> bool {
    println!("{report}\n");
    report.violations.is_empty()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn both_databases_have_their_turn_unless_one_is_named() {
        let count = |words: &[&str]| {
            let words = ["soak"].iter().chain(words);
            Options::parse_from(words).scenarios(1).len()
        };
        assert_eq!(count(&[]), 2);
        assert_eq!(count(&["--sqlite"]), 1);
        assert_eq!(count(&["--postgres"]), 1);
    }

    #[test]
    fn the_time_to_fuzz_is_shared_by_all_targets() {
        let time = |words: &[&str]| {
            let words = ["soak"].iter().chain(words);
            let campaign = Options::parse_from(words).campaign(1)?;
            Some(campaign.time * u32::try_from(campaign.targets.len()).unwrap())
        };
        assert_eq!(time(&[]), Some(Duration::from_hours(1)));
        assert_eq!(time(&["--fuzz-minutes", "4"]), Some(Duration::from_mins(4)));
        assert_eq!(time(&["--fuzz-minutes", "0"]), None);
    }
}
