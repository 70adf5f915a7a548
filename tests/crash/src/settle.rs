//! After the last kill: nobody asks for more, and everything comes to its end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::clients::agent::Agent;
use crate::clients::inbox::Inbox;
use crate::database::Open;
use crate::site::Site;

/// Leases of 15 s, looked at every five, on a machine with other work to do.
const SETTLE_LIMIT: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Requests with keys that each agent sends once more.
const REPETITIONS: u64 = 5;

/// Brings everything to its end, and stops the gateways.
pub(crate) async fn settle(
    site: &mut Site,
    agents: Vec<Agent>,
    mut inbox: Inbox,
) -> anyhow::Result<()> {
    wait_until(site, |open| open.executing == 0).await?;
    while inbox.empty().await {}
    wait_until(site, |open| open.executing == 0).await?;
    for agent in agents {
        agent.repeat_some(REPETITIONS).await;
    }
    // A gateway that starts tidies what has expired meanwhile.
    site.stop_gateways().await?;
    site.start_gateways().await?;
    let all = Open {
        executing: 0,
        pending: 0,
        unchained: 0,
    };
    wait_until(site, |open| open == all).await?;
    site.stop_gateways().await
}

/// Waits until it is enough, or will not be any more: what is open then is for the
/// oracle to name.
async fn wait_until(site: &Site, is_enough: impl Fn(Open) -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE_LIMIT;
    while !is_enough(site.database.open().await?) && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
