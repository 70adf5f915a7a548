//! What redacting and cutting a result cost, beside parsing the same text.
//!
//! The sandbox hands over text, which is parsed in any case: so the time that
//! `serde_json` takes is what there is to compare with.
#![expect(clippy::print_stdout, reason = "the table is the result")]

mod shapes;

use std::time::{Duration, Instant};

use portcullis_benches::latency::Latencies;
use portcullis_benches::machine;
use portcullis_benches::table::{Table, ratio, time};
use portcullis_core::redact::Redactor;
use portcullis_core::truncate::{MAX_RESULT_BYTES, truncate};
use serde_json::Value;

use shapes::SHAPES;

/// Bytes of the results.
const SIZES: [(&str, usize); 3] = [
    ("100 KB", 100_000),
    ("1 MB", 1_000_000),
    ("5 MB", 5_000_000),
];

/// A credential like those that are looked for in every result.
const TOKEN: &str = "lin_api_9f8e7d6c5b4a39281706f5e4d3c2b1a0";

/// How long each line is measured, and how often at least.
const TIME_PER_LINE: Duration = Duration::from_millis(1_500);
const MIN_ROUNDS: u64 = 20;

fn main() {
    let mut table = Table::new(
        "truncate: parsing, redacting and cutting a result to 10 KiB (p50)",
        &[
            "result",
            "size",
            "parse",
            "redact",
            "truncate",
            "redact ÷ parse",
            "truncate ÷ parse",
            "rounds",
        ],
    );
    machine::describe(&mut table);
    table.fact("serde_json", machine::locked_version("serde_json"));
    for (size, bytes) in SIZES {
        for (name, shape) in SHAPES {
            let times = Times::of(&shape(bytes));
            table.row([
                (*name).to_owned(),
                size.to_owned(),
                time(times.parse.p50()),
                time(times.redact.p50()),
                time(times.truncate.p50()),
                ratio(times.redact.p50(), times.parse.p50()),
                ratio(times.truncate.p50(), times.parse.p50()),
                times.parse.count().to_string(),
            ]);
        }
    }
    print!("{table}");
}

/// The three steps that a result takes, round by round, so that a change in the
/// machine's mood meets all of them.
#[derive(Default)]
struct Times {
    parse: Latencies,
    redact: Latencies,
    truncate: Latencies,
}

impl Times {
    fn of(text: &str) -> Self {
        let redactor = Redactor::new([TOKEN]);
        // The first round warms the allocator and does not count.
        Self::default().round(text, &redactor);
        let mut times = Self::default();
        let end = Instant::now() + TIME_PER_LINE;
        while times.parse.count() < MIN_ROUNDS || Instant::now() < end {
            times.round(text, &redactor);
        }
        times
    }

    fn round(&mut self, text: &str, redactor: &Redactor) {
        let parsed = timed(&mut self.parse, || serde_json::from_str::<Value>(text));
        let parsed = parsed.expect("the shapes are JSON within serde_json's depth");
        let redacted = timed(&mut self.redact, || redactor.redact_value(parsed));
        let cut = timed(&mut self.truncate, || truncate(redacted, MAX_RESULT_BYTES));
        assert!(cut.truncated, "every result is over the limit");
    }
}

fn timed<T>(times: &mut Latencies, step: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = step();
    times.record(started.elapsed());
    result
}
