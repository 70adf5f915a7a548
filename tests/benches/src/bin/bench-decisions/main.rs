//! How long people wait who decide, and whether those who watch hear of all.
//!
//! Ten thousand requests wait for a person. Then decisions come at a fixed rate, in
//! turn approvals and denials, while clients watch some of the sessions over a
//! WebSocket each, and agents ask for more so that enough is left. Three processes
//! besides the database: this one makes the load and listens, a second one is the
//! fake Linear, the third the gateway as it is shipped.
//!
//! | file | what it does |
//! | --- | --- |
//! | `options` | the command line |
//! | `seed` | sessions, and what waits in them |
//! | `decisions` | people, and agents who ask for more |
//! | `watchers` | clients that listen, and what they should hear |
//! | `report` | the table |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the result; what is going on goes to stderr"
)]

mod decisions;
mod options;
mod report;
mod seed;
mod watchers;

use std::sync::Arc;

use clap::Parser as _;
use portcullis_benches::fake::{self, Fake, Role};
use portcullis_benches::gateway::Gateway;
use portcullis_benches::open_loop;
use portcullis_benches::table::Table;
use tokio::time::Instant;

use decisions::Desk;
use options::Options;
use report::Report;
use watchers::Watchers;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match &options.role {
        Some(Role::FakeLinear { token }) => runtime.block_on(fake::serve(token)),
        None => {
            let table = runtime.block_on(measure(&options))?;
            print!("{table}");
            Ok(())
        }
    }
}

async fn measure(options: &Options) -> anyhow::Result<Table> {
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&options.program.target)?;
    let storage = options.database.url(folder.path());
    let mut report = Report::new(options, &storage, folder.path())?;
    let fake = Fake::start().await?;
    let gateway = Gateway::start(&options.program, &storage, &[]).await?;
    eprintln!(
        "{} sessions ask for {} things each…",
        options.sessions,
        seed::EACH
    );
    let seeded = seed::seed(&gateway, &fake, options).await?;
    let watchers = Watchers::open(&gateway, &seeded, options.watchers).await?;
    let desk = Arc::new(Desk::new(&gateway, &seeded));
    eprintln!("{} decisions a second…", options.rate);
    let before = gateway.cpu_time();
    let began = Instant::now();
    let asking = tokio::spawn(decisions::ask_for_more(
        Arc::clone(&desk),
        options.missing(),
    ));
    let at_the_desk = Arc::clone(&desk);
    let decide = move || Arc::clone(&at_the_desk).decide();
    let sent = open_loop::run(options.rate, options.decisions(), decide).await?;
    let elapsed = began.elapsed();
    let cpu_time = gateway.cpu_time().saturating_sub(before);
    asking.await??;
    let heard = watchers.close(&desk.told()).await?;
    report.decisions(&sent, elapsed, cpu_time);
    report.events(&heard);
    Ok(report.table())
}
