//! Waiting for the moment, and killing.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;

use crate::clients::Stage;
use crate::random::Random;
use crate::scenario::{Moment, Scenario, Victim};
use crate::site::Site;
use crate::upstream::Upstream;

/// A moment that does not come by then will not come. Not a wait: a run that gets
/// here has failed, and says so instead of hanging.
const MOMENT_LIMIT: Duration = Duration::from_mins(3);

/// Kills one thing after the other, each time started again before the next.
pub(crate) async fn kill_all(
    scenario: &Scenario,
    site: &mut Site,
    stage: &Stage,
    upstream: &mut Upstream,
    random: &mut Random,
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<()> {
    for kill in 0..scenario.kills {
        let moment = Moment::choose(kill, random);
        let victim = choose(scenario, site, random);
        let number = kill + 1;
        progress(&format!(
            "kill {number} of {}: {victim}, {moment}",
            scenario.kills
        ));
        kill_at(moment, victim, site, stage, upstream)
            .await
            .with_context(|| format!("kill {number}: {victim}, {moment}"))?;
        upstream.collect()?;
    }
    Ok(())
}

/// What is killed this time.
#[derive(Debug, Clone, Copy)]
enum Chosen {
    Gateway(usize),
    Server,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(number) => write!(f, "gateway {}", number + 1),
            Self::Server => f.write_str("the database's server"),
        }
    }
}

fn choose(scenario: &Scenario, site: &Site, random: &mut Random) -> Chosen {
    let is_server = match scenario.victim {
        Victim::Gateway => false,
        Victim::Server => true,
        Victim::Either => random.one_in(3),
    };
    if is_server {
        return Chosen::Server;
    }
    let number = random.below(site.gateways.len() as u64);
    Chosen::Gateway(usize::try_from(number).unwrap_or_default())
}

async fn kill_at(
    moment: Moment,
    victim: Chosen,
    site: &mut Site,
    stage: &Stage,
    upstream: &Upstream,
) -> anyhow::Result<()> {
    // What is held back goes on after the kill, towards nobody.
    let holds_back = matches!(moment, Moment::Held(_) | Moment::Hanging(_));
    let gate = holds_back.then(|| upstream.linear.hold());
    let come = timeout(MOMENT_LIMIT, come(moment, stage, upstream)).await;
    come.context("the moment does not come: nothing goes on any more")?;
    match victim {
        Chosen::Gateway(number) => {
            let gateway = site
                .gateways
                .get_mut(number)
                .context("there is no such gateway")?;
            gateway.kill().await?;
            drop(gate);
            gateway.start()?;
            if let Moment::Starting(_) = moment {
                gateway.wait_until_it_listens().await?;
                gateway.kill().await?;
                gateway.start()?;
            }
            gateway.wait_until_ready().await
        }
        // The gateways live and wait for their upstream, so it answers only when
        // there is no database to write the answer to.
        Chosen::Server => {
            site.kill_server().await?;
            drop(gate);
            if let Moment::Starting(_) = moment {
                site.start_server().await?;
                site.kill_server().await?;
            }
            site.start_server().await?;
            site.wait_until_ready().await
        }
    }
}

async fn come(moment: Moment, stage: &Stage, upstream: &Upstream) {
    let journal = &stage.journal;
    let before = journal.count();
    match moment {
        Moment::Requests(count) | Moment::Held(count) => {
            let received = upstream
                .linear
                .requests()
                .last()
                .map_or(0, |last| last.sequence);
            upstream.linear.wait_for_requests(received + count).await;
        }
        Moment::Answers(count) | Moment::Starting(count) => {
            journal
                .reached(|now| now.answers >= before.answers + count)
                .await;
        }
        Moment::Hanging(count) => {
            journal
                .reached(|now| now.too_late >= before.too_late + count)
                .await;
        }
    }
}
