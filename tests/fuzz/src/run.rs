//! Feeding a target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::Target;
use crate::corpus::Seed;
use crate::inputs::inputs;

/// Inputs made from one seed. A longer run goes on with the next.
const INPUTS: u32 = 256;

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
    /// What was broken.
    pub broken: Option<Broken>,
}

/// A broken promise.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Where the input is from, and what was said when it broke.
    pub what: String,
    /// The smallest input that was found to break it; none where the corpus has it.
    pub input: Option<Vec<u8>>,
}

/// Feeds a target with its corpus, then with what `seed` and those after it make,
/// until something breaks.
pub fn run(target: Target, corpus: &[Seed], seed: u64, until: Until) -> Ended {
    let began = Instant::now();
    let mut inputs = 0;
    let ended = |inputs, broken| Ended { inputs, broken };
    for seed in corpus {
        if let Err(what) = try_one(target, &seed.bytes) {
            let what = format!("by {}: {what}", seed.name);
            return ended(inputs, Some(Broken { what, input: None }));
        }
        inputs += 1;
    }
    for seed in seed.. {
        if let Err(broken) = feed(target, corpus, seed) {
            return ended(inputs, Some(broken));
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
    ended(inputs, None)
}

fn try_one(target: Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.check)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic without words").to_owned()
    })
}

fn feed(target: Target, corpus: &[Seed], seed: u64) -> Result<(), Broken> {
    let config = Config {
        cases: INPUTS,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let corpus = corpus.iter().map(|seed| seed.bytes.clone()).collect();
    let fed = TestRunner::new(config).run(&inputs(corpus), |bytes| {
        (target.check)(&bytes);
        Ok::<(), TestCaseError>(())
    });
    fed.map_err(|error| {
        // An input may be far too long to be told.
        let (what, input) = match error {
            TestError::Fail(what, input) => (what, Some(input)),
            TestError::Abort(what) => (what, None),
        };
        let what = format!("with seed {seed}: {what}");
        Broken { what, input }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Until = Until::Elapsed(Duration::from_hours(1));

    const BREAKS: Target = Target {
        name: "breaks",
        check: |bytes| assert!(!bytes.contains(&7), "a seven"),
    };

    const HOLDS: Target = Target {
        name: "holds",
        check: |_| {},
    };

    fn corpus(bytes: &[u8]) -> Vec<Seed> {
        let name = "a file".to_owned();
        let bytes = bytes.to_vec();
        vec![Seed { name, bytes }]
    }

    #[test]
    fn what_breaks_is_told_with_its_seed_and_shrunk() {
        let broken = run(BREAKS, &[], 3, LONG).broken.unwrap();
        for part in ["with seed 3", "a seven"] {
            assert!(broken.what.contains(part), "{}", broken.what);
        }
        assert!(broken.input.unwrap().contains(&7));
    }

    #[test]
    fn a_corpus_is_fed_first_and_as_it_is() {
        let ended = run(BREAKS, &corpus(&[1, 7]), 3, Until::OneSeed);
        let broken = Broken {
            what: "by a file: a seven".to_owned(),
            input: None,
        };
        assert_eq!((ended.inputs, ended.broken), (0, Some(broken)));
    }

    #[test]
    fn a_corpus_is_fed_with_changes() {
        // Chance would not make this from nothing.
        let target = Target {
            name: "a word",
            check: |bytes| assert!(!bytes.starts_with(b"hellohello"), "found"),
        };
        let ended = run(target, &corpus(b"hello"), 1, LONG);
        assert!(ended.broken.unwrap().input.is_some());
    }

    #[test]
    fn a_seed_is_fed_as_a_whole() {
        let ended = run(HOLDS, &corpus(b"x"), 1, Until::OneSeed);
        assert_eq!((ended.inputs, ended.broken), (1 + u64::from(INPUTS), None));
    }
}
