//! The table.

use std::path::Path;
use std::time::Duration;

use portcullis_benches::latency::Latencies;
use portcullis_benches::open_loop::Sent;
use portcullis_benches::table::{Table, time};
use portcullis_benches::{durability, machine};

use crate::decisions::{Decided, Verb};
use crate::options::Options;
use crate::seed::EACH;
use crate::watchers::Heard;

/// Rows and facts, as they come in.
pub(crate) struct Report(Table);

impl Report {
    pub(crate) fn new(options: &Options, storage: &str, folder: &Path) -> anyhow::Result<Self> {
        let Options {
            sessions,
            watchers,
            rate,
            seconds,
            ..
        } = options;
        let title = format!(
            "decisions: {rate} a second, half of them approvals, while {watchers} clients watch"
        );
        let columns = ["what", "p50", "p99", "max", "times", "errors"];
        let mut table = Table::new(&title, &columns);
        machine::describe(&mut table);
        table.fact(
            "shared by",
            "load generator, clients that watch, fake Linear, gateway and database: all on \
             these cores",
        );
        durability::describe(&mut table, storage, folder)?;
        table.fact(
            "waiting at the beginning",
            format!("{} in {sessions} sessions", sessions * EACH),
        );
        table.fact(
            "asked for meanwhile",
            format!("{}, for {seconds} s of decisions", options.missing()),
        );
        Ok(Self(table))
    }

    /// A decision counts from the time at which it was due to its answer.
    pub(crate) fn decisions(
        &mut self,
        sent: &[Sent<(Verb, anyhow::Result<Decided>)>],
        elapsed: Duration,
        cpu_time: Duration,
    ) {
        let mut approvals = Row::default();
        let mut without = Row::default();
        let mut denials = Row::default();
        for Sent { took, outcome } in sent {
            match outcome {
                (_, Ok(decided)) if decided.verb == Verb::Approve => {
                    approvals.times.record(*took);
                    without.times.record(took.saturating_sub(decided.execution));
                }
                (_, Ok(_)) => denials.times.record(*took),
                (Verb::Approve, Err(error)) => approvals.fail(error),
                (Verb::Deny, Err(error)) => denials.fail(error),
            }
        }
        let count = approvals.times.count() + denials.times.count();
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let rate = count as f64 / elapsed.as_secs_f64().max(1e-9);
        self.0.fact("decisions a second", format!("{rate:.1}"));
        let each = cpu_time / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        self.0
            .fact("gateway's CPU a decision, all else included", time(each));
        self.row("approve: decided, run, answered", &approvals);
        self.row("approve, less the action's own time (whole ms)", &without);
        self.row("deny", &denials);
    }

    /// An event's delay is from the time it names to its arrival.
    pub(crate) fn events(&mut self, heard: &Heard) {
        let lost = heard.expected - heard.came;
        self.0.fact(
            "events",
            format!(
                "{} came of {} expected by {} clients, {lost} lost; {} came again",
                heard.came, heard.expected, heard.clients, heard.again
            ),
        );
        let row = [
            "event, from its time to its arrival".to_owned(),
            time(heard.delays.p50()),
            time(heard.delays.p99()),
            time(heard.delays.max()),
            heard.delays.count().to_string(),
            lost.to_string(),
        ];
        self.0.row(row);
    }

    /// The finished table.
    pub(crate) fn table(self) -> Table {
        self.0
    }

    fn row(&mut self, name: &str, row: &Row) {
        self.0.row([
            name.to_owned(),
            time(row.times.p50()),
            time(row.times.p99()),
            time(row.times.max()),
            row.times.count().to_string(),
            row.errors.to_string(),
        ]);
    }
}

#[derive(Default)]
struct Row {
    times: Latencies,
    errors: u64,
}

impl Row {
    /// One error is told; the others are alike.
    fn fail(&mut self, error: &anyhow::Error) {
        if self.errors == 0 {
            eprintln!("a decision failed: {error:#}");
        }
        self.errors += 1;
    }
}
