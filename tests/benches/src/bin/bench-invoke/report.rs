//! The table.

use std::path::Path;
use std::time::Duration;

use portcullis_benches::table::{Table, bytes, time};
use portcullis_benches::{durability, machine};

use crate::load::{Load, Measured};

const COLUMNS: [&str; 11] = [
    "load",
    "calls a second",
    "p50",
    "p99",
    "max",
    "direct p50",
    "direct p99",
    "overhead p50",
    "overhead p99",
    "gateway's CPU a call",
    "errors",
];

/// Rows and facts, as they come in.
pub(crate) struct Report {
    table: Table,
    memory: Vec<String>,
}

impl Report {
    pub(crate) fn new(storage: &str, folder: &Path, sessions: usize) -> anyhow::Result<Self> {
        let mut table = Table::new(
            "invoke: list_issues in allow mode, durable before the answer",
            &COLUMNS,
        );
        machine::describe(&mut table);
        table.fact(
            "shared by",
            "load generator, fake Linear, gateway and database: all on these cores",
        );
        table.fact("wasmtime", machine::locked_version("wasmtime"));
        durability::describe(&mut table, storage, folder)?;
        table.fact("sessions", sessions);
        Ok(Self {
            table,
            memory: Vec::new(),
        })
    }

    /// Notes the gateway's memory after so many calls.
    pub(crate) fn memory(&mut self, calls: u64, resident: u64) {
        self.memory
            .push(format!("{} after {calls} calls", bytes(resident)));
    }

    pub(crate) fn row(&mut self, load: Load, gateway: &Measured, direct: Option<&Measured>) {
        let over = |quantile: fn(&Measured) -> Duration| match direct {
            Some(direct) => [
                time(quantile(direct)),
                difference(quantile(gateway), quantile(direct)),
            ],
            None => ["-".to_owned(), "-".to_owned()],
        };
        let [direct_p50, over_p50] = over(|measured| measured.latencies.p50());
        let [direct_p99, over_p99] = over(|measured| measured.latencies.p99());
        self.table.row([
            name(load),
            rate(gateway),
            time(gateway.latencies.p50()),
            time(gateway.latencies.p99()),
            time(gateway.latencies.max()),
            direct_p50,
            direct_p99,
            over_p50,
            over_p99,
            time(cpu_per_call(gateway)),
            gateway.errors.to_string(),
        ]);
    }

    /// The finished table.
    pub(crate) fn table(mut self) -> Table {
        self.table
            .fact("gateway's resident memory", self.memory.join(", "));
        self.table
    }
}

fn name(load: Load) -> String {
    match load {
        Load::Open(rate) => format!("open, {rate} a second"),
        Load::Closed(1) => "closed, 1 connection".to_owned(),
        Load::Closed(connections) => format!("closed, {connections} connections"),
    }
}

fn rate(measured: &Measured) -> String {
    #[expect(clippy::cast_precision_loss, reason = "no decimals are shown")]
    let calls = measured.latencies.count() as f64;
    format!("{:.0}", calls / measured.elapsed.as_secs_f64().max(1e-9))
}

fn cpu_per_call(measured: &Measured) -> Duration {
    let calls = u32::try_from(measured.calls()).unwrap_or(u32::MAX);
    measured.cpu_time / calls.max(1)
}

/// In a noisy run the gateway may have had the better moment.
fn difference(gateway: Duration, direct: Duration) -> String {
    match gateway.checked_sub(direct) {
        Some(more) => time(more),
        None => format!("-{}", time(direct.abs_diff(gateway))),
    }
}
