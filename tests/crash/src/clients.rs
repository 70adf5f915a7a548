//! Clients that ask without pause and write down all they are told.
//!
//! [`agent`] is an agent and, for what waits, the person who decides; [`inbox`]
//! decides about whatever an organization has waiting, so that decisions meet.
//! What both share is here: a connection that is opened anew after each crash, to
//! any of the gateways.

pub(crate) mod agent;
pub(crate) mod inbox;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::journal::{Asked, Journal, Verb};
use crate::random::Random;
use crate::wire::{Answer, Call, NoAnswer, Wire};
use crate::world::World;

/// How long a client waits before it asks again where nobody answered. Nothing
/// depends on it but how busy clients are while a gateway starts.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(25);

/// What all clients know.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) gateways: Vec<SocketAddr>,
    pub(crate) journal: Journal,
    /// No client begins anything new after this.
    pub(crate) over: CancellationToken,
}

/// One client's means.
pub(crate) struct Client {
    pub(crate) stage: Arc<Stage>,
    pub(crate) random: Random,
    wire: Wire,
}

impl Client {
    pub(crate) fn new(stage: &Arc<Stage>, random: Random) -> Self {
        Self {
            stage: Arc::clone(stage),
            random,
            wire: Wire::default(),
        }
    }

    /// Calls one of the gateways until one has got it; `None` when it was sent and
    /// the connection ended before the answer.
    pub(crate) async fn call(&mut self, call: &Call) -> Option<Answer> {
        loop {
            let gateway = self.random.pick(&self.stage.gateways).copied()?;
            match self.wire.call(gateway, call).await {
                Ok(answer) => return Some(answer),
                Err(NoAnswer::Lost) => return None,
                Err(NoAnswer::NotSent) => sleep(ASK_AGAIN_AFTER).await,
            }
        }
    }

    /// The same, written down.
    pub(crate) async fn ask(&mut self, call: &Call, asked: Asked) -> Option<Answer> {
        let answer = self.call(call).await;
        self.stage.journal.note(asked, answer.as_ref());
        if answer.as_ref().is_none_or(is_no_verdict) {
            sleep(ASK_AGAIN_AFTER).await;
        }
        answer
    }

    /// Repeats what may be repeated until there is a verdict.
    pub(crate) async fn insist(&mut self, call: &Call, asked: &Asked) -> Answer {
        loop {
            match self.ask(call, asked.clone()).await {
                Some(answer) if !is_no_verdict(&answer) => return answer,
                _ => {}
            }
        }
    }

    /// Decides until it is decided, here or by somebody else.
    pub(crate) async fn decide(
        &mut self,
        session: &str,
        token: &str,
        id: &str,
        verb: Verb,
    ) -> Answer {
        let (call, asked) = decision(session, token, id, verb);
        self.insist(&call, &asked).await
    }
}

/// Whether the gateway could not tell: an outage, or a commit without an answer.
fn is_no_verdict(answer: &Answer) -> bool {
    answer.id().is_none() && (answer.status == 500 || answer.status == 503)
}

fn decision(session: &str, token: &str, id: &str, verb: Verb) -> (Call, Asked) {
    let (word, body) = match verb {
        Verb::Approve => ("approve", json!({ "mode": "once" })),
        Verb::ApproveAlways => (
            "approve",
            json!({ "mode": "always", "scope": "automation" }),
        ),
        Verb::Deny => ("deny", json!({ "reason": "not today" })),
        Verb::Cancel => ("cancel", Value::Null),
    };
    let path = format!("/{session}/actions/invocations/{id}/{word}");
    let asked = Asked::Decide {
        id: id.to_owned(),
        verb,
    };
    (Call::post(path, token, body), asked)
}
