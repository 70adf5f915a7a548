//! Somebody who looks at what waits and decides about some of it.

use std::sync::Arc;

use serde_json::Value;

use super::{Client, Stage};
use crate::journal::Verb;
use crate::random::Random;
use crate::wire::{Answer, Call};
use crate::world::PATIENT;

/// A look at the inbox after so many answers that others have got.
const LOOK_AFTER: u64 = 25;

/// An invocation that waits, as a list has it.
struct Waiting {
    id: String,
    session: String,
}

/// Somebody who decides.
pub(crate) struct Inbox(Client);

impl Inbox {
    pub(crate) fn new(stage: &Arc<Stage>, random: Random) -> Self {
        Self(Client::new(stage, random))
    }

    /// Decides now and then until it is over.
    pub(crate) async fn run(mut self) {
        let stage = Arc::clone(&self.0.stage);
        loop {
            let next = stage.journal.count().answers + LOOK_AFTER;
            let reached = stage.journal.reached(|count| count.answers >= next);
            if stage.over.run_until_cancelled(reached).await.is_none() {
                return;
            }
            self.decide_some().await;
        }
    }

    async fn decide_some(&mut self) {
        for (organization, token) in self.0.stage.world.admins.clone() {
            let waiting = if organization == PATIENT {
                self.waiting(organization, &token).await
            } else {
                Vec::new()
            };
            for waiting in waiting {
                if self.0.random.one_in(3) {
                    self.decide(&waiting, &token).await;
                }
            }
        }
    }

    /// Decides about everything that waits anywhere. Returns whether there was
    /// something.
    pub(crate) async fn empty(&mut self) -> bool {
        let mut found = false;
        for (organization, token) in self.0.stage.world.admins.clone() {
            for waiting in self.waiting(organization, &token).await {
                found = true;
                self.decide(&waiting, &token).await;
            }
        }
        found
    }

    async fn decide(&mut self, waiting: &Waiting, token: &str) {
        let verb = if self.0.random.one_in(2) {
            Verb::Approve
        } else {
            Verb::Deny
        };
        self.0
            .decide(&waiting.session, token, &waiting.id, verb)
            .await;
    }

    async fn waiting(&mut self, organization: &str, token: &str) -> Vec<Waiting> {
        let path = format!("/v1/orgs/{organization}/invocations?status=pending&limit=100");
        let answer = self.0.call(&Call::get(path, token)).await;
        let list = answer.as_ref().and_then(listed);
        list.into_iter().flatten().filter_map(read).collect()
    }
}

fn listed(answer: &Answer) -> Option<&Vec<Value>> {
    answer.body.get("invocations")?.as_array()
}

/// What expired a moment ago may still be listed, and says so.
fn read(row: &Value) -> Option<Waiting> {
    let text = |field| row.get(field).and_then(Value::as_str).map(str::to_owned);
    text("status").filter(|status| status == "pending")?;
    Some(Waiting {
        id: text("id")?,
        session: text("sessionId")?,
    })
}
