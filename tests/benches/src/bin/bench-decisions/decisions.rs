//! People who decide about what waits, and agents who ask for more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::{Method, StatusCode};
use portcullis_benches::gateway::Gateway;
use portcullis_benches::operator::Session;
use portcullis_benches::wire::{Pool, request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::seed::{Seeded, Waiting, ask_once};

/// What agents ask for; all of it before the end.
const ASKED_A_SECOND: u32 = 50;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Approve,
    Deny,
}

/// A decision that was answered.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) verb: Verb,
    /// How long the action itself took, in whole milliseconds.
    pub(crate) execution: Duration,
}

/// What those who watch are to be told of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tale {
    /// It waits.
    Asked(Waiting),
    /// It runs, and ends.
    Approved(Waiting),
    /// It will not run.
    Denied(Waiting),
}

/// Where decisions are taken.
pub(crate) struct Desk {
    pool: Pool,
    sessions: Arc<Vec<Session>>,
    admin: String,
    waiting: Mutex<VecDeque<Waiting>>,
    /// Sessions in which something was decided and nothing new asked for.
    free: Mutex<VecDeque<usize>>,
    turn: AtomicU64,
    tales: Mutex<Vec<Tale>>,
}

impl Desk {
    pub(crate) fn new(gateway: &Gateway, seeded: &Seeded) -> Self {
        Self {
            pool: Pool::new(gateway.address),
            sessions: Arc::clone(&seeded.sessions),
            admin: format!("Bearer {}", seeded.admin_token),
            waiting: Mutex::new(seeded.waiting.clone()),
            free: Mutex::default(),
            turn: AtomicU64::new(0),
            tales: Mutex::default(),
        }
    }

    /// Decides about what has waited longest, in turn this way and that.
    pub(crate) async fn decide(self: Arc<Self>) -> (Verb, anyhow::Result<Decided>) {
        let verb = if self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            Verb::Approve
        } else {
            Verb::Deny
        };
        (verb, self.try_to(verb).await)
    }

    async fn try_to(&self, verb: Verb) -> anyhow::Result<Decided> {
        let waiting = lock(&self.waiting).pop_front();
        let waiting = waiting.context("nothing waits any more")?;
        let (session, _) = (self.sessions.get(waiting.session)).context("no such session")?;
        let word = match verb {
            Verb::Approve => "approve",
            Verb::Deny => "deny",
        };
        let path = format!("/{session}/actions/invocations/{}/{word}", waiting.id);
        let sent = request(Method::POST, &path, &self.admin, &json!({}))?;
        let (status, body) = self.pool.send(sent).await?;
        ensure!(
            status == StatusCode::OK,
            "{word} was answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        let answer: Value = serde_json::from_slice(&body)?;
        let millis = answer
            .pointer("/invocation/durationMs")
            .and_then(Value::as_u64);
        lock(&self.free).push_back(waiting.session);
        lock(&self.tales).push(match verb {
            Verb::Approve => Tale::Approved(waiting),
            Verb::Deny => Tale::Denied(waiting),
        });
        Ok(Decided {
            verb,
            execution: Duration::from_millis(millis.unwrap_or(0)),
        })
    }

    async fn ask(self: Arc<Self>, session: usize) -> anyhow::Result<()> {
        let waiting = ask_once(&self.pool, &self.sessions, session).await?;
        lock(&self.tales).push(Tale::Asked(waiting.clone()));
        lock(&self.waiting).push_back(waiting);
        Ok(())
    }

    /// What has happened since the clients began to watch.
    pub(crate) fn told(&self) -> Vec<Tale> {
        lock(&self.tales).clone()
    }
}

/// Agents ask for more where something was decided, at fixed times like those who
/// decide: whoever waited for an answer first would be late with the next.
pub(crate) async fn ask_for_more(desk: Arc<Desk>, count: u64) -> anyhow::Result<()> {
    let mut turns = tokio::time::interval(Duration::from_secs(1) / ASKED_A_SECOND);
    let mut asking = JoinSet::new();
    let mut asked = 0;
    while asked < count {
        turns.tick().await;
        let free = lock(&desk.free).pop_front();
        if let Some(session) = free {
            asking.spawn(Arc::clone(&desk).ask(session));
            asked += 1;
        }
    }
    asking.join_all().await.into_iter().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
