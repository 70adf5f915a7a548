//! The calls that are measured.

use std::sync::Arc;

use anyhow::ensure;
use http::{Method, StatusCode};
use portcullis_benches::latency::Latencies;
use portcullis_benches::open_loop;
use portcullis_benches::wire::{Pool, request};
use serde_json::{Value, json};

use crate::options::Options;
use crate::scene::Scene;

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Of the calls that were answered as they should be, from the moment at which
    /// each was due.
    pub(crate) latencies: Latencies,
    /// Calls that were not.
    pub(crate) lost: u64,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.lost += other.lost;
    }
}

/// An agent that lists issues at a steady rate.
pub(crate) struct Honest {
    pool: Arc<Pool>,
    path: Arc<str>,
    authorization: Arc<str>,
    rate: u32,
    calls: u64,
    calls_between: u64,
}

impl Honest {
    pub(crate) fn new(scene: &Scene, options: &Options) -> Self {
        let (session, token) = &scene.honest;
        Self {
            pool: Arc::new(Pool::new(scene.address)),
            path: format!("/{session}/actions/invoke").into(),
            authorization: format!("Bearer {token}").into(),
            rate: options.rate,
            calls: options.calls(),
            calls_between: options.calls_between(),
        }
    }

    pub(crate) async fn call(&self) -> anyhow::Result<Tally> {
        self.call_times(self.calls).await
    }

    pub(crate) async fn call_briefly(&self) -> anyhow::Result<Tally> {
        self.call_times(self.calls_between).await
    }

    async fn call_times(&self, calls: u64) -> anyhow::Result<Tally> {
        let (pool, path) = (Arc::clone(&self.pool), Arc::clone(&self.path));
        let authorization = Arc::clone(&self.authorization);
        let call = move || list_issues(Arc::clone(&pool), path.clone(), authorization.clone());
        let mut tally = Tally::default();
        for sent in open_loop::run(self.rate, calls, call).await? {
            match sent.outcome {
                Ok(()) => tally.latencies.record(sent.took),
                Err(error) => {
                    if tally.lost == 0 {
                        eprintln!("an honest call was lost: {error:#}");
                    }
                    tally.lost += 1;
                }
            }
        }
        Ok(tally)
    }
}

async fn list_issues(
    pool: Arc<Pool>,
    path: Arc<str>,
    authorization: Arc<str>,
) -> anyhow::Result<()> {
    let body = json!({ "integration": "linear", "action": "list_issues", "params": {} });
    let (status, answer) = pool
        .send(request(Method::POST, &path, &authorization, &body)?)
        .await?;
    ensure!(
        status == StatusCode::OK,
        "answered {status}: {}",
        String::from_utf8_lossy(&answer)
    );
    let answer: Value = serde_json::from_slice(&answer)?;
    let issues = answer.pointer("/result/issues");
    ensure!(issues.is_some_and(Value::is_array), "no issues: {answer}");
    Ok(())
}
