//! Kills the gateway under load, and looks whether it kept its promises.
//!
//! The gateway is the program as it is shipped. Clients, the fake upstream and
//! whoever compares their accounts live here and are killed by nobody, so what they
//! know is what happened.
//!
//! | file | what it does |
//! | --- | --- |
//! | `scenario` | what is killed, where, and at which moments |
//! | `site`, `gateway` | the processes |
//! | `world` | what a fresh database is given |
//! | `clients` | agents and people who ask without pause |
//! | `journal`, `upstream`, `database` | the accounts of clients, of the upstream, and of the gateway |
//! | `kills`, `settle` | the course of a run |
//! | `oracle` | the promises |
//! | `report` | figures for people |
//!
//! Tests kill a few times; `cargo xtask soak` kills often.

mod clients;
mod database;
mod gateway;
mod journal;
mod kills;
mod oracle;
mod random;
mod report;
mod scenario;
mod settle;
mod site;
mod upstream;
mod wire;
mod world;

use std::sync::Arc;

use anyhow::Context as _;
use portcullis_test_canary::canaries;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use clients::Stage;
use clients::agent::Agent;
use clients::inbox::Inbox;
use journal::Journal;
use oracle::Evidence;
use random::Random;
use site::Site;
use upstream::Upstream;
use world::World;

pub use gateway::Program;
pub use report::Report;
pub use scenario::{Place, Scenario, Victim};

/// Runs a scenario, and says at each kill what is going on.
///
/// `None` where there is no Postgres, after saying so. An error means that the run
/// could not be brought to its end, which may well be the gateway's fault.
pub async fn run(
    scenario: &Scenario,
    program: &Program,
    mut progress: impl FnMut(&str),
) -> anyhow::Result<Option<Report>> {
    let folder = tempfile::Builder::new()
        .prefix("portcullis-crash-")
        .tempdir()?;
    let ran = run_in(&folder, scenario, program, &mut progress).await;
    let has_failed = match &ran {
        Ok(Some(report)) => !report.violations.is_empty(),
        Ok(None) => false,
        Err(_) => true,
    };
    if !has_failed {
        return ran;
    }
    let kept = folder.keep();
    let ran = ran.with_context(|| format!("{scenario}; its logs are in {}", kept.display()));
    ran.map(|report| {
        report.map(|report| Report {
            kept: Some(kept),
            ..report
        })
    })
}

async fn run_in(
    folder: &TempDir,
    scenario: &Scenario,
    program: &Program,
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<Option<Report>> {
    let began = Instant::now();
    let mut random = Random::new(scenario.seed);
    let started = Site::start(scenario, program, folder.path(), &mut random).await?;
    let Some(mut site) = started else {
        return Ok(None);
    };
    let mut upstream = Upstream::start().await?;
    let stage = stage(&site, &upstream).await?;
    let mut agents = begin(&stage, &mut random);
    let inbox = tokio::spawn(Inbox::new(&stage, random.fork()).run());
    let killed = kills::kill_all(
        scenario,
        &mut site,
        &stage,
        &mut upstream,
        &mut random,
        progress,
    );
    tokio::select! {
        killed = killed => killed?,
        // An agent ends only when it is over.
        Some(ended) = agents.join_next() => {
            ended.context("an agent")?;
        }
    }
    stage.over.cancel();
    progress("waiting until everything has come to its end");
    let agents = agents.join_all().await;
    inbox.await?;
    settle::settle(&mut site, agents, Inbox::new(&stage, random.fork())).await?;
    upstream.collect()?;
    let evidence = Evidence {
        told: stage.journal.all(),
        receipts: upstream.into_receipts(),
        rows: site.database.rows().await?,
        events: site.database.events().await?,
    };
    let mut violations = oracle::judge(&evidence);
    violations.extend(site.panics());
    violations.extend(site.verify_audit().await?);
    // Its database, unless that is on a server, and the logs of the gateways.
    canaries().look_at_folder(folder.path(), &[]);
    violations.extend(canaries().take_found());
    Ok(Some(Report::new(
        scenario,
        began.elapsed(),
        &evidence,
        violations,
    )))
}

async fn stage(site: &Site, upstream: &Upstream) -> anyhow::Result<Arc<Stage>> {
    let gateways: Vec<_> = site
        .gateways
        .iter()
        .map(gateway::Gateway::address)
        .collect();
    let first = gateways.first().context("there is no gateway")?;
    let world = World::make(*first, site.setup.operator_key(), &upstream.linear).await?;
    Ok(Arc::new(Stage {
        world,
        gateways,
        journal: Journal::default(),
        over: CancellationToken::new(),
    }))
}

fn begin(stage: &Arc<Stage>, random: &mut Random) -> JoinSet<Agent> {
    let sessions = stage.world.sessions.iter().enumerate();
    let agents =
        sessions.map(|(number, session)| Agent::new(stage, number, session, random.fork()).run());
    agents.collect()
}
