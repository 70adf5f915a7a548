//! Sessions, and what waits in them.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use portcullis_benches::fake::Fake;
use portcullis_benches::gateway::Gateway;
use portcullis_benches::operator::{ORGANIZATION, Operator, Session};
use portcullis_benches::wire::{Pool, request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::options::Options;

/// Requests that may wait in one session by default.
pub(crate) const EACH: u64 = 10;

/// Sessions that ask at the same time.
const AT_ONCE: usize = 16;

/// Something that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Waiting {
    /// Its session, by its place among all.
    pub(crate) session: usize,
    /// The invocation.
    pub(crate) id: String,
}

/// What was made.
pub(crate) struct Seeded {
    pub(crate) sessions: Arc<Vec<Session>>,
    pub(crate) admin_token: String,
    /// In turn from every session.
    pub(crate) waiting: VecDeque<Waiting>,
}

pub(crate) async fn seed(
    gateway: &Gateway,
    fake: &Fake,
    options: &Options,
) -> anyhow::Result<Seeded> {
    let mut operator = Operator::at(gateway).await?;
    let linear = operator.connect(fake).await?;
    let admin_token = operator.admin().await?;
    // Longer than all this takes.
    let times = json!({ "interactiveSeconds": 86_400 });
    operator
        .put(&format!("/v1/orgs/{ORGANIZATION}/approvals"), times)
        .await?;
    let mut sessions = Vec::new();
    for _ in 0..options.sessions {
        sessions.push(operator.open_session(&[&linear]).await?);
    }
    let sessions = Arc::new(sessions);
    Ok(Seeded {
        waiting: ask(gateway, &sessions).await?,
        sessions,
        admin_token,
    })
}

/// Each session asks, as many at once as [`AT_ONCE`]; round by round, so that none
/// reaches its limit of requests a minute.
async fn ask(gateway: &Gateway, sessions: &Arc<Vec<Session>>) -> anyhow::Result<VecDeque<Waiting>> {
    let pool = Arc::new(Pool::new(gateway.address));
    let mut asking = JoinSet::new();
    for part in 0..AT_ONCE {
        let (pool, sessions) = (Arc::clone(&pool), Arc::clone(sessions));
        asking.spawn(async move {
            let mut waiting = Vec::new();
            for _ in 0..EACH {
                for session in (part..sessions.len()).step_by(AT_ONCE) {
                    waiting.push(ask_once(&pool, &sessions, session).await?);
                }
            }
            anyhow::Ok(waiting)
        });
    }
    let mut parts = Vec::new();
    while let Some(part) = asking.join_next().await {
        parts.push(part??.into_iter());
    }
    let mut waiting = VecDeque::new();
    while parts.iter().any(|part| part.len() > 0) {
        waiting.extend(parts.iter_mut().filter_map(Iterator::next));
    }
    Ok(waiting)
}

/// Asks for something that needs a person.
pub(crate) async fn ask_once(
    pool: &Pool,
    sessions: &[Session],
    session: usize,
) -> anyhow::Result<Waiting> {
    let (status, body) = pool.send(invoke(sessions, session)?).await?;
    ensure!(
        status == StatusCode::ACCEPTED,
        "answered {status}: {}",
        String::from_utf8_lossy(&body)
    );
    let answer: Value = serde_json::from_slice(&body)?;
    let id = answer.pointer("/invocation/id").and_then(Value::as_str);
    Ok(Waiting {
        session,
        id: id.context("the answer has no invocation")?.to_owned(),
    })
}

fn invoke(sessions: &[Session], session: usize) -> anyhow::Result<Request<Full<Bytes>>> {
    let (id, token) = sessions.get(session).context("there is no such session")?;
    let body = json!({
        "integration": "linear",
        "action": "add_comment",
        "params": { "issueId": "ENG-1", "body": "Shall I?" },
    });
    let path = format!("/{id}/actions/invoke");
    request(Method::POST, &path, &format!("Bearer {token}"), &body)
}
