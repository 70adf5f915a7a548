//! Feeding a target.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use crate::Target;

/// Inputs made from one seed. A longer run goes on with the next.
const INPUTS: u32 = 256;

/// The most bytes of an input: enough for a hundred nodes of JSON.
const MAX_INPUT_BYTES: usize = 512;

/// How long a target is fed.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// As many inputs as one seed makes.
    OneSeed,
    /// Until so much time is over; at least one seed.
    Elapsed(Duration),
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// Inputs that broke nothing.
    pub inputs: u64,
    /// What was broken, with the smallest input that was found to break it and the
    /// seed that leads there.
    pub broken: Option<String>,
}

/// Feeds a target with what `seed` and those after it make, until something breaks.
pub fn run(target: Target, seed: u64, until: Until) -> Ended {
    let began = Instant::now();
    let mut inputs = 0;
    for seed in seed.. {
        if let Err(broken) = feed(target, seed) {
            let broken = Some(format!("with seed {seed}: {broken}"));
            return Ended { inputs, broken };
        }
        inputs += u64::from(INPUTS);
        let is_over = match until {
            Until::OneSeed => true,
            Until::Elapsed(time) => began.elapsed() >= time,
        };
        if is_over {
            break;
        }
    }
    Ended {
        inputs,
        broken: None,
    }
}

fn feed(target: Target, seed: u64) -> Result<(), String> {
    let config = Config {
        cases: INPUTS,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let bytes = vec(any::<u8>(), 0..MAX_INPUT_BYTES);
    TestRunner::new(config)
        .run(&bytes, |bytes| {
            (target.check)(&bytes);
            Ok::<(), TestCaseError>(())
        })
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_is_told_with_its_seed_and_shrunk() {
        let target = Target {
            name: "breaks",
            check: |bytes| assert!(!bytes.contains(&7), "a seven"),
        };
        let ended = run(target, 3, Until::Elapsed(Duration::from_hours(1)));
        let broken = ended.broken.unwrap();
        for part in ["with seed 3", "a seven", "7,"] {
            assert!(broken.contains(part), "{broken}");
        }
    }

    #[test]
    fn a_seed_is_fed_as_a_whole() {
        let target = Target {
            name: "holds",
            check: |_| {},
        };
        let ended = run(target, 1, Until::OneSeed);
        assert_eq!((ended.inputs, ended.broken), (u64::from(INPUTS), None));
    }
}
