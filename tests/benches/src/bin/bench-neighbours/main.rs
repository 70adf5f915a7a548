//! What an honest session notices while others attack.
//!
//! One organization calls Linear at a steady rate. Meanwhile a second one lets the
//! test guest misbehave, in each of its ways and with each hostile upstream, from as
//! many connections as the gateway has places. Four processes: this one makes both
//! loads, two are the fake Linear and the hostile upstream, the fourth is the gateway
//! as it is shipped, with two things changed: how often a session may ask, which would
//! end most attacks before they began, and a shorter deadline.
//!
//! | file | what it does |
//! | --- | --- |
//! | `options` | the command line |
//! | `attacks` | every attack, with what it asks for |
//! | `hostile` | the hostile upstream |
//! | `honest` | the calls that are measured |
//! | `attackers` | the calls that are not |
//! | `scene` | the gateway and both organizations |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the result; what is going on goes to stderr"
)]

mod attackers;
mod attacks;
mod honest;
mod hostile;
mod options;
mod scene;

use std::time::Duration;

use clap::Parser as _;
use portcullis_benches::fake;
use portcullis_benches::latency::Latencies;
use portcullis_benches::table::{self, Table};
use portcullis_benches::{durability, machine};

use attackers::Attackers;
use attacks::Attack;
use honest::{Honest, Tally};
use options::{Options, Role};
use scene::Scene;

/// How much longer the slowest calls may take while others attack.
const AIM: u32 = 5;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match &options.role {
        Some(Role::FakeLinear { token }) => runtime.block_on(fake::serve(token)),
        Some(Role::HostileUpstream) => runtime.block_on(hostile::serve()),
        None => {
            let table = runtime.block_on(measure(&options))?;
            println!("{table}");
            Ok(())
        }
    }
}

async fn measure(options: &Options) -> anyhow::Result<Table> {
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&options.program.target)?;
    let storage = options.database.url(folder.path());
    let mut table = heading(options);
    durability::describe(&mut table, &storage, folder.path())?;
    let scene = Scene::set(options, &storage).await?;
    let attacks = attacks::all(&scene.actions().await?);
    let honest = Honest::new(&scene, options);
    eprintln!("nobody attacks…");
    honest.call().await?; // Opens connections, and fills what is kept of them.
    let mut quiet = honest.call().await?;
    let mut rows = Vec::new();
    for attack in attacks.into_iter().filter(|attack| options.wants(attack)) {
        eprintln!("{}…", attack.name);
        rows.push(suffer(&scene, &honest, attack).await?);
        quiet.merge(&honest.call_briefly().await?);
    }
    table.row(row(
        "nobody attacks",
        &quiet,
        &quiet.latencies,
        String::new(),
    ));
    for suffered in &rows {
        table.row(suffered.row(&quiet.latencies));
    }
    table.fact("aim", verdict(&rows, &quiet.latencies));
    Ok(table)
}

fn heading(options: &Options) -> Table {
    let title = format!(
        "neighbours: {} calls a second of Linear's list_issues, while {} connections attack",
        options.rate, options.attackers
    );
    let columns = [
        "attack",
        "p50",
        "p99",
        "max",
        "p99 ÷ quiet",
        "calls",
        "lost",
        "answers to the attackers",
    ];
    let mut table = Table::new(&title, &columns);
    machine::describe(&mut table);
    table.fact("wasmtime", machine::locked_version("wasmtime"));
    table.fact(
        "shared by",
        "this program, both upstreams, the gateway and its database: all on these cores",
    );
    table
}

/// What came of the honest calls during one attack.
struct Suffered {
    attack: Attack,
    tally: Tally,
    answers: String,
}

async fn suffer(scene: &Scene, honest: &Honest, attack: Attack) -> anyhow::Result<Suffered> {
    let attackers = Attackers::start(scene, &attack).await?;
    attackers.are_at_it().await;
    let tally = honest.call().await?;
    let answers = attackers.stop().await?;
    Ok(Suffered {
        attack,
        tally,
        answers,
    })
}

impl Suffered {
    fn row(&self, quiet: &Latencies) -> Vec<String> {
        row(&self.attack.name, &self.tally, quiet, self.answers.clone())
    }

    fn is_within_aim(&self, quiet: &Latencies) -> bool {
        self.tally.latencies.p99() <= quiet.p99() * AIM && self.tally.lost == 0
    }
}

fn row(name: &str, tally: &Tally, quiet: &Latencies, answers: String) -> Vec<String> {
    let Tally { latencies, lost } = tally;
    let time = |time: Duration| table::time(time);
    vec![
        name.to_owned(),
        time(latencies.p50()),
        time(latencies.p99()),
        time(latencies.max()),
        table::ratio(latencies.p99(), quiet.p99()),
        (latencies.count() + lost).to_string(),
        lost.to_string(),
        answers,
    ]
}

fn verdict(rows: &[Suffered], quiet: &Latencies) -> String {
    let beyond: Vec<_> = rows
        .iter()
        .filter(|suffered| !suffered.is_within_aim(quiet))
        .map(|suffered| suffered.attack.name.as_str())
        .collect();
    let aim = format!("a p99 within {AIM} times the quiet one, and no call lost");
    if beyond.is_empty() {
        format!("{aim}: met by all {}", rows.len())
    } else {
        let count = rows.len();
        format!(
            "{aim}: missed by {} of {count}: {}",
            beyond.len(),
            beyond.join(", ")
        )
    }
}
