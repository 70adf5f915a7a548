//! Fuzzes for as long as it is told to: `cargo xtask fuzz`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is the result; what is going on goes to stderr"
)]

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use clap::builder::PossibleValuesParser;
use portcullis_fuzz::{TARGETS, Target, Until, run};

/// Feeds what handles JSON of others with ever new bytes, and ends with 1 when a
/// promise is broken; the seed leads there again.
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
    // Hundreds of panics lead to the smallest input; the report has the last.
    std::panic::set_hook(Box::new(|_| {}));
    let seed = options.seed.unwrap_or_else(any_seed);
    let until = Until::Elapsed(Duration::from_secs(options.seconds));
    let mut is_well = true;
    for target in options.targets() {
        eprintln!("{} from seed {seed} on…", target.name);
        let ended = run(target, seed, until);
        println!("{}: {} inputs held", target.name, ended.inputs);
        if let Some(broken) = ended.broken {
            println!("{} is broken {broken}", target.name);
            is_well = false;
        }
    }
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn any_seed() -> u64 {
    // Short enough to be typed.
    RandomState::new().hash_one(0_u8) % 1_000_000
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
