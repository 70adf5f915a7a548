//! The calls that are not measured: each connection calls again as soon as it has
//! been answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use portcullis_benches::operator::Session;
use portcullis_benches::wire::{Connection, request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::attacks::Attack;
use crate::options::HEAD_START;
use crate::scene::{PROBE, Scene};

/// How often each answer was given: the status, and the error's code.
type Answers = BTreeMap<String, u64>;

/// At it until they are stopped.
pub(crate) struct Attackers {
    stop: Arc<AtomicBool>,
    calling: JoinSet<Answers>,
}

impl Attackers {
    pub(crate) async fn start(scene: &Scene, attack: &Attack) -> anyhow::Result<Self> {
        let mut attackers = Self {
            stop: Arc::default(),
            calling: JoinSet::new(),
        };
        for session in &scene.attackers {
            let attacker = Attacker {
                address: scene.address,
                connection: Connection::open(scene.address).await?,
                session: session.clone(),
                body: json!({
                    "integration": PROBE,
                    "action": attack.action,
                    "params": attack.params,
                }),
            };
            let stop = Arc::clone(&attackers.stop);
            attackers.calling.spawn(attacker.call_until(stop));
        }
        Ok(attackers)
    }

    pub(crate) async fn are_at_it(&self) {
        tokio::time::sleep(HEAD_START).await;
    }

    /// Lets every call end, and tells what was answered.
    pub(crate) async fn stop(mut self) -> anyhow::Result<String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Answers::new();
        while let Some(answers) = self.calling.join_next().await {
            for (answer, times) in answers? {
                *all.entry(answer).or_default() += times;
            }
        }
        let answers = all
            .iter()
            .map(|(answer, times)| format!("{times} × {answer}"));
        Ok(answers.collect::<Vec<_>>().join(", "))
    }
}

struct Attacker {
    address: SocketAddr,
    connection: Connection,
    session: Session,
    body: Value,
}

impl Attacker {
    async fn call_until(mut self, stop: Arc<AtomicBool>) -> Answers {
        let mut answers = Answers::new();
        while !stop.load(Ordering::SeqCst) {
            let answer = self.call().await;
            if answer.is_err()
                && let Ok(connection) = Connection::open(self.address).await
            {
                // The old one may be gone with the answer.
                self.connection = connection;
            }
            let answer = answer.unwrap_or_else(|_| "none".to_owned());
            *answers.entry(answer).or_default() += 1;
        }
        answers
    }

    async fn call(&mut self) -> anyhow::Result<String> {
        let (session, token) = &self.session;
        let path = format!("/{session}/actions/invoke");
        let authorization = format!("Bearer {token}");
        let sent = request(Method::POST, &path, &authorization, &self.body)?;
        let (status, answer) = self.connection.send(sent).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let code = answer.pointer("/error/code").and_then(Value::as_str);
        let code = code.unwrap_or_default();
        Ok(format!("{} {code}", status.as_u16()).trim_end().to_owned())
    }
}
