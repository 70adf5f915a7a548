//! Fuzzes for as long as it is told to: `cargo xtask fuzz`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is the result; what is going on goes to stderr"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use clap::builder::PossibleValuesParser;
use portcullis_fuzz::{Campaign, TARGETS, Target, any_seed};

/// Feeds what reads the bytes of others with ever new ones, and ends with 1 when a
/// promise is broken; the seed leads there again, and the input is kept.
#[derive(Debug, clap::Parser)]
#[command(name = "fuzz")]
struct Options {
    /// Only this one.
    #[arg(value_parser = names())]
    target: Option<String>,
    /// How long, for each target.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// The first of the seeds; by default another one each time.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A folder with components to begin with, where there is one.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    plugins: PathBuf,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(TARGETS.iter().map(|target| target.name))
}

impl Options {
    fn targets(&self) -> impl Iterator<Item = Target> {
        let named = self.target.as_deref();
        let all = TARGETS.iter().copied();
        all.filter(move |target| named.is_none_or(|name| name == target.name))
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(any_seed);
    eprintln!("from seed {seed} on…");
    let campaign = Campaign {
        targets: options.targets().collect(),
        seed,
        time: Duration::from_secs(options.seconds),
        plugins: options.plugins,
    };
    if campaign.run(|line| println!("{line}")) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
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
    fn all_have_their_turn_unless_one_is_named() {
        let count = |words: &[&str]| {
            let words = ["fuzz"].iter().chain(words);
            Options::parse_from(words).targets().count()
        };
        assert_eq!(count(&[]), TARGETS.len());
        assert_eq!(count(&["redact"]), 1);
    }
}
