//! What the gateway adds to a request, and how many it can take.
//!
//! Three processes besides the database: this one makes the load, a second one
//! is the fake Linear, the third the gateway as it is shipped. Every call is
//! allowed, durable before it is answered, and leads to one request to the fake.
//! The same request is sent to the fake directly; the difference is the
//! gateway's.
//!
//! | file | what it does |
//! | --- | --- |
//! | `options` | the command line |
//! | `seed` | fills the gateway |
//! | `target` | what is sent where |
//! | `load` | open and closed loops |
//! | `report` | the table |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the result; what is going on goes to stderr"
)]

mod load;
mod options;
mod report;
mod seed;
mod target;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use portcullis_benches::fake::{self, Fake, Role};
use portcullis_benches::gateway::Gateway;
use portcullis_benches::table::Table;

use load::{Load, Measured};
use options::{Options, Plan};
use report::Report;
use target::Target;

/// No session reaches it.
const LIMITS: [(&str, &str); 1] = [("PORTCULLIS__ADMISSION__INVOCATIONS_PER_MINUTE", "100000000")];

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match options.role {
        Some(Role::FakeLinear { token }) => runtime.block_on(fake::serve(&token)),
        None => {
            let table = runtime.block_on(measure(&options))?;
            print!("{table}");
            Ok(())
        }
    }
}

async fn measure(options: &Options) -> anyhow::Result<Table> {
    let plan = options.plan();
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&options.program.target)?;
    let storage = options.database.url(folder.path());
    let mut report = Report::new(&storage, folder.path(), plan.sessions)?;
    let fake = Fake::start().await?;
    let gateway = Gateway::start(&options.program, &storage, &LIMITS).await?;
    let seeded = seed::seed(&gateway, &fake, plan.sessions).await?;
    let lanes = Lanes {
        direct: Arc::new(Target::direct(&fake)?),
        gateway: Arc::new(Target::gateway(&gateway, &seeded)),
    };
    lanes.run(&plan, &gateway, &mut report).await?;
    Ok(report.table())
}

/// Where the load goes.
struct Lanes {
    direct: Arc<Target>,
    gateway: Arc<Target>,
}

impl Lanes {
    async fn run(&self, plan: &Plan, process: &Gateway, report: &mut Report) -> anyhow::Result<()> {
        eprintln!("warming up with {} calls…", plan.warm_up_calls);
        load::exactly(&self.direct, 16, plan.warm_up_calls).await?;
        load::exactly(&self.gateway, 16, plan.warm_up_calls).await?;
        report.memory(plan.warm_up_calls, process.resident_bytes());
        let mut calls = plan.warm_up_calls;
        for rate in plan.rates {
            calls += self.open(rate, plan.seconds, process, report).await?;
        }
        for connections in plan.connections {
            calls += self
                .closed(connections, plan.seconds, process, report)
                .await?;
        }
        let missing = plan.calls.saturating_sub(calls);
        eprintln!("{missing} more calls, to see what memory does…");
        load::exactly(&self.gateway, 16, missing).await?;
        report.memory(calls + missing, process.resident_bytes());
        Ok(())
    }

    async fn open(
        &self,
        rate: u32,
        length: Duration,
        process: &Gateway,
        report: &mut Report,
    ) -> anyhow::Result<u64> {
        eprintln!("open loop, {rate} a second…");
        let direct = load::open(&self.direct, rate, length).await?;
        let gateway = with_cpu(process, load::open(&self.gateway, rate, length)).await?;
        let calls = gateway.calls();
        report.row(Load::Open(rate), &gateway, Some(&direct));
        Ok(calls)
    }

    async fn closed(
        &self,
        connections: usize,
        length: Duration,
        process: &Gateway,
        report: &mut Report,
    ) -> anyhow::Result<u64> {
        eprintln!("closed loop, {connections} connections…");
        let closed = load::closed(&self.gateway, connections, length);
        let gateway = with_cpu(process, closed).await?;
        report.row(Load::Closed(connections), &gateway, None);
        Ok(gateway.calls())
    }
}

/// Adds the CPU time that the gateway's process took meanwhile.
async fn with_cpu(
    process: &Gateway,
    measuring: impl Future<Output = anyhow::Result<Measured>>,
) -> anyhow::Result<Measured> {
    let before = process.cpu_time();
    let mut measured = measuring.await?;
    measured.cpu_time = process.cpu_time().saturating_sub(before);
    Ok(measured)
}
