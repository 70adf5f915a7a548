//! Two gateways on one database: how long until the other serves what one was told.

use std::time::Duration;

use anyhow::{bail, ensure};
use portcullis_benches::gateway::Gateway;
use portcullis_benches::latency::Latencies;
use portcullis_benches::operator::Operator;
use portcullis_benches::table::{Table, time};
use portcullis_benches::wire::Connection;
use tokio::time::{Instant, sleep};

use crate::caller::Caller;
use crate::components::{PROBE, Probe};
use crate::options::{Options, Place};

/// Switches between versions that both have compiled.
const SWITCHES: usize = 50;

/// Versions that neither has ever seen.
const NEW_VERSIONS: usize = 10;

/// Between one and the next, so that each starts at another moment of the second:
/// gateways that miss a hint look at the rows by a clock.
const PAUSE: Duration = Duration::from_millis(137);

/// Something is broken that takes longer.
const LIMIT: Duration = Duration::from_secs(30);

const COLUMNS: [&str; 5] = ["what", "p50", "p99", "max", "times"];

/// One table: from the answer of one gateway to the first call that the other answers
/// with the same version.
pub(crate) async fn measure(options: &Options, place: &Place) -> anyhow::Result<Vec<Table>> {
    let title = "plugins: until the other gateway serves what one was told";
    let mut table = place.table(title, &COLUMNS)?;
    table.fact(
        "measured",
        "from the answer to the operator at one, to the end of the first call at the other \
         that the same version has answered; each has a cache of its own",
    );
    let launch = place.launch(options)?;
    let one = launch.start().await?;
    // As on another machine.
    let other = launch.set(
        "PORTCULLIS__PLUGINS__CACHE_DIRECTORY",
        &place.cache("other"),
    );
    let other = other.start().await?;
    let probe = Probe::read(&options.program.target)?;
    let mut pair = Pair::new(&one, &other).await?;
    let mut digests = Vec::new();
    for name in ["first", "second"] {
        digests.push(pair.operator.install(probe.edition(name)?).await?);
        pair.follow(name).await?;
    }
    let mut switches = Latencies::default();
    for (name, digest) in ["first", "second"]
        .into_iter()
        .zip(&digests)
        .cycle()
        .take(SWITCHES)
    {
        pair.operator.roll_back(PROBE, digest).await?;
        switches.record(pair.follow(name).await?);
    }
    let mut installs = Latencies::default();
    for number in 0..NEW_VERSIONS {
        let name = format!("new {number}");
        pair.operator.install(probe.edition(&name)?).await?;
        installs.record(pair.follow(&name).await?);
    }
    row(
        &mut table,
        "back to a version that both have compiled",
        &switches,
    );
    row(
        &mut table,
        "a version that the other has to compile",
        &installs,
    );
    Ok(vec![table])
}

/// An operator at one gateway, and an agent at the other.
struct Pair<'a> {
    operator: Operator<'a>,
    caller: Caller,
    connection: Connection,
}

impl<'a> Pair<'a> {
    async fn new(one: &'a Gateway, other: &Gateway) -> anyhow::Result<Self> {
        let mut operator = Operator::at(one).await?;
        operator.organize().await?;
        Ok(Self {
            caller: Caller::new(PROBE, &operator.open_session(&[]).await?),
            operator,
            connection: Connection::open(other.address).await?,
        })
    }

    /// Calls the other until it is this version that answers.
    async fn follow(&mut self, name: &str) -> anyhow::Result<Duration> {
        let answered = Instant::now();
        let expected = format!("edition: {name}");
        while answered.elapsed() < LIMIT {
            // A plugin that is not there yet is no result, so the first time it fails.
            if let Ok(halves) = self.caller.call(&mut self.connection).await {
                ensure!(!halves.differ(), "two versions in one call: {halves:?}");
                if halves.after == expected {
                    let took = answered.elapsed();
                    sleep(PAUSE).await;
                    return Ok(took);
                }
            }
        }
        bail!("the other gateway does not serve `{expected}` after {LIMIT:?}")
    }
}

fn row(table: &mut Table, name: &str, times: &Latencies) {
    table.row([
        name.to_owned(),
        time(times.p50()),
        time(times.p99()),
        time(times.max()),
        times.count().to_string(),
    ]);
}
