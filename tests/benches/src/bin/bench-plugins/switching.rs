//! Versions take over from each other while many connections call without a pause.

use std::time::{Duration, Instant};

use portcullis_benches::gateway::Gateway;
use portcullis_benches::latency::Latencies;
use portcullis_benches::operator::Operator;
use portcullis_benches::table::{Table, time};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::components::{PROBE, Probe};
use crate::holdings::Holdings;
use crate::load::{Load, Tally};
use crate::options::{Options, Place};

/// How long calls go on without switches; the first time nothing is counted.
const QUIET: Duration = Duration::from_secs(10);

/// From one switch to the next in the second round.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the gateway has nothing to do before it is looked at for the last time:
/// longer than its allocator keeps what was freed.
const CALM: Duration = Duration::from_secs(10);

const COLUMNS: [&str; 12] = [
    "while",
    "calls",
    "a second",
    "lost",
    "halves differ",
    "p50",
    "p99",
    "max",
    "switches",
    "switch p50",
    "switch p99",
    "switch max",
];

/// The phases of the load, in their order.
#[derive(Debug, Clone, Copy)]
enum Phase {
    WarmUp,
    Before,
    Fast,
    Slow,
    After,
}

impl Phase {
    const ALL: [Self; 5] = [
        Self::WarmUp,
        Self::Before,
        Self::Fast,
        Self::Slow,
        Self::After,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::WarmUp => "warming up",
            Self::Before => "quiet",
            Self::Fast => "switching as fast as it goes",
            Self::Slow => "one switch every 100 ms",
            Self::After => "quiet again",
        }
    }
}

/// Two tables: what calls and switches came to, and what the process held.
pub(crate) async fn measure(options: &Options, place: &Place) -> anyhow::Result<Vec<Table>> {
    let title = format!(
        "plugins: {} switches and once more as many under {} connections",
        options.switches, options.connections
    );
    let mut table = place.table(&title, &COLUMNS)?;
    let gateway = place.launch(options)?.start().await?;
    let probe = Probe::read(&options.program.target)?;
    let mut operator = Operator::at(&gateway).await?;
    operator.organize().await?;
    let mut digests = Vec::new();
    for name in ["first", "second"] {
        digests.push(operator.install(probe.edition(name)?).await?);
    }
    let load = Load::start(&gateway, options.connections, Phase::ALL.len()).await?;
    let mut round = Rounds {
        options,
        gateway: &gateway,
        operator,
        digests,
        done: 0,
        holdings: Vec::new(),
    };
    let mut phases = Vec::new();
    for phase in Phase::ALL {
        load.enter(phase as usize);
        let began = Instant::now();
        let switches = round.run(phase).await?;
        phases.push((phase, began.elapsed(), switches));
    }
    let tallies = load.end().await?;
    sleep(CALM).await;
    round.look("without load");
    for ((phase, elapsed, switches), tally) in phases.iter().zip(&tallies).skip(1) {
        row(&mut table, *phase, *elapsed, switches, tally);
    }
    let mut held = Table::new(
        "plugins: what the gateway's process held",
        &Holdings::COLUMNS,
    );
    for holdings in &round.holdings {
        holdings.row(&mut held);
    }
    Ok(vec![table, held])
}

/// Switches, and what the process holds between them.
struct Rounds<'a> {
    options: &'a Options,
    gateway: &'a Gateway,
    operator: Operator<'a>,
    /// Of the versions that take turns.
    digests: Vec<String>,
    done: u32,
    holdings: Vec<Holdings>,
}

impl Rounds<'_> {
    /// What the switches of a phase took.
    async fn run(&mut self, phase: Phase) -> anyhow::Result<Latencies> {
        let mut times = Latencies::default();
        match phase {
            Phase::WarmUp => sleep(QUIET).await,
            Phase::Before => {
                sleep(QUIET).await;
                self.look("under load");
            }
            Phase::Fast => {
                for count in 1..=self.options.switches {
                    times.record(self.switch().await?);
                    if [20, 100, self.options.switches].contains(&count) {
                        self.look("under load");
                    }
                }
            }
            Phase::Slow => {
                let mut ticks = interval(PAUSE);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                for _ in 0..self.options.switches {
                    ticks.tick().await;
                    times.record(self.switch().await?);
                }
                self.look("under load");
            }
            Phase::After => {
                sleep(QUIET).await;
                self.look("quiet again, under load");
            }
        }
        Ok(times)
    }

    /// The other version takes over.
    async fn switch(&mut self) -> anyhow::Result<Duration> {
        // The second was installed last, so the first comes first.
        let next = self.digests.get(self.done as usize % self.digests.len());
        let next = next.map_or_else(String::new, Clone::clone);
        let started = Instant::now();
        self.operator.roll_back(PROBE, &next).await?;
        self.done += 1;
        Ok(started.elapsed())
    }

    fn look(&mut self, when: &str) {
        let when = format!("after {} switches, {when}", self.done);
        self.holdings.push(Holdings::of(self.gateway, when));
    }
}

fn row(table: &mut Table, phase: Phase, elapsed: Duration, switches: &Latencies, tally: &Tally) {
    #[expect(clippy::cast_precision_loss, reason = "no decimal is shown")]
    let rate = tally.calls() as f64 / elapsed.as_secs_f64().max(1e-9);
    let latencies = &tally.latencies;
    let mut cells = vec![
        phase.name().to_owned(),
        tally.calls().to_string(),
        format!("{rate:.0}"),
        tally.lost.to_string(),
        tally.mixed.to_string(),
        time(latencies.p50()),
        time(latencies.p99()),
        time(latencies.max()),
        switches.count().to_string(),
    ];
    let times = [switches.p50(), switches.p99(), switches.max()];
    cells.extend(times.map(|took| match switches.count() {
        0 => "-".to_owned(),
        _ => time(took),
    }));
    table.row(cells);
}
