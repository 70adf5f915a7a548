//! What has changed since somebody looked.

use std::collections::HashSet;

use serde_json::Value;

use super::super::client::Client;
use super::super::decide::waiting::{find_in_session, waiting};
use super::super::failure::Failure;
use super::super::output::field;

/// A request that waited.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) session: String,
}

/// What the gateway says now.
#[derive(Debug)]
pub(super) struct News {
    /// What waits, oldest first.
    pub(super) waiting: Vec<Value>,
    /// What was known and waits no more, as it stands.
    pub(super) gone: Vec<Value>,
}

/// Asks what waits, and what became of what does not any more.
pub(super) async fn ask(client: &Client, org: &str, known: Vec<Known>) -> Result<News, Failure> {
    let waiting = waiting(client, &["v1", "orgs", org, "invocations"]).await?;
    let listed: HashSet<_> = waiting.iter().map(|it| field(it, "id")).collect();
    let mut gone = Vec::new();
    for missing in known.iter().filter(|known| !listed.contains(&known.id)) {
        let invocation = find_in_session(client, &missing.session, &missing.id).await?;
        // Between two pages a list may have moved.
        if field(&invocation, "status") != "pending" {
            gone.push(invocation);
        }
    }
    Ok(News { waiting, gone })
}
